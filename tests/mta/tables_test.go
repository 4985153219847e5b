package mta

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// tablesInFiles is a script that puts the tables of conf/postfix/main.cf into files, as
// conf/README.md says for Postfix before 3.7, and what their settings are called.
func tablesInFiles(t *testing.T) (script string, names []string) {
	t.Helper()
	text, err := os.ReadFile("../../conf/postfix/main.cf")
	if err != nil {
		t.Fatal(err)
	}
	script = "mkdir -p /etc/postfix/imip-agent\n"
	for _, table := range regexp.MustCompile(`(?m)^(imip_\w+) = regexp:\{\n((?:    \{ .* \}\n)+)`).FindAllStringSubmatch(string(text), -1) {
		name := table[1]
		names = append(names, name)
		script += "cat > /etc/postfix/imip-agent/" + name + " <<'END'\n"
		for line := range strings.Lines(table[2]) {
			line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "{ "), " }")
			script += strings.ReplaceAll(line, "$$", "$") + "\n"
		}
		script += "END\npostconf -e " + name + "=regexp:/etc/postfix/imip-agent/" + name + "\n"
	}
	return script, names
}

// Each table of a set-up by hand stands in a file, and is taken away while mail flows. In
// Postfix mail goes on until a process begins that cannot read it. What conf/README.md says
// about it is so, nothing is lost, and all is well when it is back.
func TestTablesAway(t *testing.T) {
	t.Run("postfix", func(t *testing.T) {
		need(t, "postfix")
		t.Parallel()
		files, names := tablesInFiles(t)
		if len(names) != 5 {
			t.Fatalf("conf/postfix/main.cf has the tables %q, the README speaks of five", names)
		}
		s := newPostfixWith(t, files+`
			postfix check 2>&1 | grep . && exit 1
			cp -a /etc/postfix/imip-agent /root/tables`, "", "", "")
		const user = "paul@example.com"
		n := 0
		try := func() (guest string, message []byte, err error) {
			n++
			guest = strings.Repeat("t", n) + "@example.org"
			message = invitation(user, user, guest, 9, guest)
			return guest, message, send(s.submission, "", user, []string{guest}, message)
		}
		flows := func(step string) {
			t.Helper()
			guest, message, err := try()
			if err != nil {
				t.Fatalf("%s: %v\n%s", step, err, s.describe(t))
			}
			unchanged(t, s.arrived(t, guest).data, message)
			s.handled(t, user, guest)
		}
		refused := func(step string) {
			t.Helper()
			guest, _, err := try()
			if err == nil || !strings.HasPrefix(err.Error(), "451") && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: %v, the README says 451 or no answer", step, err)
			}
			if got := s.sink.to(guest); len(got) > 0 {
				t.Errorf("%s: mail that was refused has been delivered: %v", step, got)
			}
		}
		again := func(script string) {
			t.Helper()
			s.run(t, script+`; postfix stop; postfix start`)
			s.listening(t, s.submission)
		}
		flows("with all tables")
		for _, name := range names {
			const back = `cp -a /root/tables/. /etc/postfix/imip-agent/`
			file := "/etc/postfix/imip-agent/" + name
			again(`chmod 000 ` + file)
			flows(name + ", which nobody but root can read")
			again(`rm ` + file)
			refused("without " + name)
			again(back)
			flows("with " + name + " again")
		}

		// The table of senders that most sites would write.
		again(`echo "` + user + ` people-outgoing+` + user + `" > /etc/postfix/imip-agent/senders
			postmap hash:/etc/postfix/imip-agent/senders
			postconf -e imip_sender_bcc_maps=hash:/etc/postfix/imip-agent/senders`)
		flows("with senders in a database")
		s.run(t, `rm /etc/postfix/imip-agent/senders`)
		flows("with the database alone")
		again(`mv /etc/postfix/imip-agent/senders.db /root/`)
		refused("without the database")
		again(`mv /root/senders.db /etc/postfix/imip-agent/`)
		flows("with the database again")
		again(`postconf -e imip_sender_bcc_maps=texthash:/etc/postfix/imip-agent/nowhere`)
		refused("with a table that was never there")
		// The way out that the README names.
		s.run(t, `imip-agent setup postfix --domain example.com --everyone --service "127.0.0.1:$1/inet"`, port(s.submission))
		flows("with the tables in main.cf")
		s.idle(t)
		s.noBounce(t, user)
	})
	t.Run("exim", func(t *testing.T) {
		need(t, "exim")
		t.Parallel()
		const members = "/etc/exim4/imip-agent.members"
		s := newEximWith(t, "exim", `
			imip-agent setup exim --domain example.com --everyone
			sed -i -e '/^IMIP_MEMBER/d' -e 's/^#\(IMIP_MEMBER = .*lsearch\)/\1/' /etc/exim4/conf.d/main/00_imip-agent
			echo paul@example.com > `+members+`
			update-exim4.conf`, "split", "", "", "")
		const user = "paul@example.com"
		flows := func(guest string) {
			t.Helper()
			message := invitation(user, user, guest, 9, guest)
			s.submit(t, user, message, guest)
			unchanged(t, s.arrived(t, guest).data, message)
		}
		s.run(t, "chmod 000 "+members) // Exim reads it as root
		flows("t@example.org")
		s.handled(t, user, "t@example.org")
		s.run(t, "mv "+members+" /root/")
		flows("tt@example.org")
		eventually(t, "a copy that waits", func() bool {
			return strings.Contains(s.read(t, s.logs[0]), "it is unknown whether this user takes part")
		}, func() string { return s.describe(t) })
		if s.stored(t, user, "tt@example.org") {
			t.Error("it was handled without the file")
		}
		s.run(t, "mv /root/imip-agent.members /etc/exim4/")
		s.handled(t, user, "tt@example.org")
		s.run(t, "echo somebody@example.com > "+members)
		flows("ttt@example.org")
		s.idle(t)
		if s.stored(t, user, "ttt@example.org") {
			t.Error("it was handled for who is not in the file")
		}
		s.noBounce(t, user)
	})
}
