package mta

import (
	"fmt"
	"strings"
	"testing"
)

// theRooms are the resources of the examples.
const theRooms = "rooms@example.com,room2@example.com,room3@example.com"

func TestResourcesPostfix(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	steps := strings.NewReplacer("cat postfix/", "cat /usr/share/imip-agent-go/postfix/", "postfix reload\n", "").
		Replace(documented(t, "By hand with Postfix, enter the addresses"))
	s := newPostfixWith(t, `
		cp -a /etc/postfix /root/outgoing
		setup() { imip-agent setup postfix --domain example.com --service "127.0.0.1:$port/inet" "$@"; }
		port=$1
		setup --resources `+theRooms+`
		settings() { postconf -n; postconf -M; postconf -P; }
		settings >/root/command
		setup --resources none
		diff -r /root/outgoing /etc/postfix
		`+steps+`
		settings >/root/hand
		diff /root/command /root/hand
		setup # which keeps them
		settings >/root/kept
		diff /root/command /root/kept
		warnings=$(postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null)
		[ -z "$warnings" ] || { echo "$warnings" >&2; exit 1; }`, "", "", "")
	testResources(t, s, "postfix")
}

func TestResourcesExim(t *testing.T) {
	need(t, "exim")
	for _, style := range []string{"own", "split"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			script := `
				imip-agent setup exim --domain example.com
				cp -a /etc/exim4 /root/outgoing
				imip-agent setup exim --domain example.com --resources ` + theRooms + `
				cp -a /etc/exim4 /root/command
				imip-agent setup exim --domain example.com # which keeps them
				diff -r /root/command /etc/exim4
				imip-agent setup exim --domain example.com --resources none
				diff -r /root/outgoing /etc/exim4`
			if style == "split" {
				script += "\ncd /usr/share/imip-agent-go\n" + documented(t, "above the others, and `exim/resource-transport`") + "diff -r /root/command /etc/exim4\n"
			} else {
				script += "\nimip-agent setup exim --domain example.com --resources " + theRooms + "\n"
			}
			script += `
				for file in exim4.conf conf.d/retry/20_imip-agent; do
					[ ! -e /etc/exim4/$file ] || sed -i -e '/^[*]/s/F,2h,15m/F,2h,1s/' -e 's/F,2h,5m/F,2h,1s/' /etc/exim4/$file
				done
				[ -e /etc/exim4/exim4.conf ] || update-exim4.conf
				[ ! -e /etc/exim4/exim4.conf ] || exim4 -bV`
			testResources(t, newEximWith(t, "exim", script, style, "", "", ""), "exim")
		})
	}
}

// testResources has users invite rooms.
func testResources(t *testing.T, s *server, system string) {
	const user, other, stranger, room = "paul@example.com", "simon@example.com", "vincent@example.org", "rooms@example.com"
	s.run(t, `echo 'SMTP_HOST = "'$1'"' >> /etc/imip-agent/config.txt`, s.public)

	// An invitation of two people and a room: the room has the event, and has accepted.
	request := invitation(user, user, "planning", 9, other, stranger, room)
	s.submit(t, user, request, other, stranger, room)
	s.answers(t, user, room, "planning", "PARTSTAT=ACCEPTED")
	unchanged(t, s.arrived(t, stranger).data, request)
	if !s.stored(t, room, "planning") {
		t.Errorf("the room is not busy\n%s", s.describe(t))
	}

	// A meeting at the same time is refused to others.
	s.submit(t, other, invitation(other, other, "collides", 9, "ROOMS@Example.com"), "ROOMS@Example.com")
	s.answers(t, other, room, "collides", "PARTSTAT=DECLINED")

	// The first is moved: the room follows, and the time is free again.
	changed := func(from []byte, pairs ...string) []byte {
		return []byte(strings.NewReplacer(pairs...).Replace(string(from)))
	}
	moved := changed(request, "SEQUENCE:0", "SEQUENCE:1", "DTSTAMP:20261120", "DTSTAMP:20261121", "20261202T09", "20261202T15", "<planning@", "<moved@")
	s.submit(t, user, moved, other, room)
	eventually(t, "the room to follow", func() bool {
		return strings.Contains(s.read(t, store+"/mailto:"+room+"/freebusy"), "20261202T150000Z\t20261202T153000Z\tplanning")
	}, func() string { return s.describe(t) })
	s.submit(t, other, invitation(other, other, "after", 9, room), room)
	s.answers(t, other, room, "after", "PARTSTAT=ACCEPTED")
	s.handled(t, other, "after") // the user has it, too, whoever else is invited

	// It is called off.
	s.submit(t, user, changed(moved, "METHOD:REQUEST", "METHOD:CANCEL", "method=REQUEST", "method=CANCEL", "SEQUENCE:1", "SEQUENCE:2",
		"DTSTAMP:20261121", "DTSTAMP:20261122", "<moved@", "<off@"), other, room)
	eventually(t, "the room to be free", func() bool {
		return !strings.Contains(s.read(t, store+"/mailto:"+room+"/freebusy"), "\tplanning\t")
	}, func() string { return s.describe(t) })

	// Mail that is no invitation is accepted, and gets nowhere. Unknown addresses are refused as before.
	outsider(t, s, letter(stranger, "chat", room), room)
	s.idle(t)
	if found := s.sink.to(room); len(found) > 0 {
		t.Errorf("mail for the room has left the site: %v", found)
	}
	if err := send(s.public, outside, stranger, []string{"room9@example.com"}, letter(stranger, "nobody", "room9@example.com")); s.reports && err == nil {
		t.Error("mail to an unknown room is accepted")
	}

	// The doctor sees all of it.
	out, _ := s.try(`imip-agent doctor 2>&1 || true`)
	if !strings.Contains(out, "ok       mail for 3 resources goes to transport") {
		t.Errorf("doctor: %s", out)
	}

	// While the program is away, mail waits; each invitation is answered once.
	s.run(t, `mv /usr/lib/imip-agent-go/imip_resource /root/`)
	s.submit(t, user, invitation(user, user, "waits", 20, "room2@example.com"), "room2@example.com")
	eventually(t, "the mail to wait", func() bool { return s.length(t) != "0" }, func() string { return s.describe(t) })
	if out, _ := s.try(`imip-agent doctor 2>&1 || true`); !strings.Contains(out, "runs /usr/lib/imip-agent-go/imip_resource, which is missing") {
		t.Errorf("doctor, without the program: %s", out)
	}
	s.run(t, `mv /root/imip_resource /usr/lib/imip-agent-go/`)
	s.answers(t, user, "room2@example.com", "waits", "PARTSTAT=ACCEPTED")
	s.idle(t)
	testPool(t, s)
	if out = s.run(t, `imip-agent check`); out != "" {
		t.Error(out)
	}

	if out, err := s.try(`dpkg --no-triggers -r imip-agent-go`); err == nil || !strings.Contains(out+err.Error(), "runs /usr/lib/imip-agent-go/imip_resource") {
		t.Errorf("the package can be removed: %v\n%s", err, out)
	}
	if system == "exim" {
		s.run(t, `imip-agent setup exim --remove`)
	} else {
		s.run(t, `imip-agent setup postfix --remove`)
	}
	if out, err := s.try(`grep -rl "imip\|calendar.resource" /etc/postfix /etc/exim4/exim4.conf /etc/exim4/conf.d`); err == nil {
		t.Errorf("left behind: %s", out)
	}
}

// testPool has the first of three rooms pass invitations on, as README.md says.
func testPool(t *testing.T, s *server) {
	s.run(t, strings.ReplaceAll(commandsIn(t, "../../README.md", "### Rooms and equipment"), "example.org", "example.com"))
	for i, want := range []struct{ room, status string }{
		{"rooms", "PARTSTAT=ACCEPTED"}, {"room2", "PARTSTAT=ACCEPTED"}, {"room3", "PARTSTAT=ACCEPTED"}, {"rooms", "PARTSTAT=DECLINED"},
	} {
		user, uid := fmt.Sprintf("user%02d@example.com", i), fmt.Sprintf("pool-%d", i)
		s.submit(t, user, invitation(user, user, uid, 11, "rooms@example.com"), "rooms@example.com")
		if want.room != "rooms" {
			s.answers(t, user, "rooms@example.com", uid, "PARTSTAT=DELEGATED")
		}
		s.answers(t, user, want.room+"@example.com", uid, want.status)
	}
}

// answers waits for the answer of a resource to a user about an event, and fails the test unless it says so.
// There is one only.
func (s *server) answers(t *testing.T, user, resource, uid, status string) {
	t.Helper()
	find := func() (found []string) {
		for _, d := range s.sink.to(user) {
			text := strings.ReplaceAll(string(d.data), "\r\n ", "")
			if strings.Contains(text, "METHOD:REPLY") && strings.Contains(text, "UID:"+uid+"\r\n") && replier(text) == resource {
				found = append(found, text)
			}
		}
		return found
	}
	eventually(t, fmt.Sprintf("the answer of %s about %s", resource, uid), func() bool { return len(find()) > 0 },
		func() string { return s.describe(t) })
	found := find()
	if len(found) > 1 || !strings.Contains(found[0], status) {
		t.Errorf("%s has %d answers about %s, want %s: %s", user, len(found), uid, status, found)
	}
}

// replier returns the attendee of an answer: the first one.
func replier(answer string) string {
	_, rest, _ := strings.Cut(answer, "\r\nATTENDEE")
	line, _, _ := strings.Cut(rest, "\r\n")
	return strings.ToLower(line[strings.LastIndex(line, ":")+1:])
}
