package mta

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/d--j/go-milter"
)

// serviceLoad has Postfix hand in mail to the service. Who sends it, From says, as with the other ways that are compared.
var serviceLoad = `
	imip-agent setup postfix --remove >/dev/null
	install -d -o imip-agent -g postfix -m 2750 /var/spool/postfix/imip-agent
	ln -s /var/spool/postfix/imip-agent /run/imip-agent
	printf 'MILTER_HOSTS = "127.0.0.0/8"\nSYSLOG = None\n' >> /etc/imip-agent/config.txt
	` + startService + `
	postconf -e smtpd_milters=unix:imip-agent/milter milter_default_action=accept`

// emptyMilter has a Postfix hand in mail to a milter that asks for nothing and accepts everything. The milter is in this process, so that
// the processors' work for it is not counted as the machine's.
func (s *server) emptyMilter(t *testing.T) {
	t.Helper()
	s.run(t, "install -d -o postfix -m 755 /var/spool/postfix/empty")
	l, err := net.Listen("unix", s.path("/var/spool/postfix/empty/milter"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.path("/var/spool/postfix/empty/milter"), 0o666); err != nil {
		t.Fatal(err)
	}
	const nothing = milter.OptNoConnect | milter.OptNoHelo | milter.OptNoMailFrom | milter.OptNoRcptTo | milter.OptNoData | milter.OptNoHeaders |
		milter.OptNoEOH | milter.OptNoBody | milter.OptNoUnknown
	empty := milter.NewServer(milter.WithMilter(func() milter.Milter { return milter.NoOpMilter{} }), milter.WithProtocol(nothing), milter.WithoutDefaultMacros())
	go empty.Serve(l)
	t.Cleanup(func() { empty.Close() })
	s.run(t, "postconf -e smtpd_milters=unix:empty/milter milter_default_action=tempfail && postfix reload")
}

// usersLogIn has a Postfix take mail of users who log in, by TLS.
func (s *server) usersLogIn(t *testing.T) {
	t.Helper()
	const cert, key = "/etc/postfix/own.pem", "/etc/postfix/own.key"
	s.certificate(t, cert, key)
	s.run(t, dovecotLogins+`
		postconf -e smtpd_tls_cert_file=`+cert+` smtpd_tls_key_file=`+key+` smtpd_tls_security_level=may
		postfix reload`)
}

// habit is how clients send mail.
type habit struct {
	name     string
	perVisit int  // mails over one connection
	logsIn   bool // with its user's name, by TLS
}

// habits are those of a program that sends much mail from a trusted host, and of users' programs.
var habits = []habit{{"as a trusted host sends it", loadPerSession, false}, {"as users send it", 1, true}}

// trip is what some messages have taken, from the first one's start.
type trip struct {
	accepted time.Duration // until the last one was taken
	sent     time.Duration // until the queue of the mail system was empty
	handled  time.Duration // until nothing was left to be handled
	busy     time.Duration // of processors, in the machine: by the mail system and by ours
	queue    []int         // messages in the queue, each second
	spool    []int         // messages in the spool of the service, each second
}

func (t trip) String() string {
	return fmt.Sprintf("accepted after %.1f s, out of the queue after %.1f s, handled %.1f s after the last was accepted, %.1f s of processors\n    queue %v\n    spool %v",
		t.accepted.Seconds(), t.sent.Seconds(), max(0, t.handled-t.accepted).Seconds(), t.busy.Seconds(), t.queue, t.spool)
}

// busy returns how long processors have worked for the processes of the machine, and for those of them that have ended.
func (m *machine) busy(t *testing.T) (total time.Duration) {
	t.Helper()
	stats, err := filepath.Glob(m.path("/proc/[0-9]*/stat")) // its own processes only
	if err != nil || len(stats) == 0 {
		t.Fatalf("no processes: %v", err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, field := range fields[11:15] { // of itself and of its children, in its own code and in the kernel, in hundredths of a second: proc(5)
			ticks, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			total += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return total
}

// files returns how many files there are in directories of the machine.
func (m *machine) files(suffix string, dirs ...string) (n int) {
	for _, dir := range dirs {
		_ = filepath.WalkDir(m.path(dir), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && strings.HasSuffix(path, suffix) {
				n++
			}
			return nil
		})
	}
	return n
}

func (s *server) waiting() (queue, spool int) {
	const postfix = "/var/spool/postfix/"
	return s.files("", postfix+"maildrop", postfix+"incoming", postfix+"active", postfix+"deferred"), s.files(".eml", "/var/lib/imip-agent/spool")
}

// travel sends messages, number n from a user to a guest of its own, as fast as they are taken, and waits until all is done.
func (s *server) travel(t *testing.T, clients habit, messages int, message func(n int) (user, guest string, text []byte)) trip {
	t.Helper()
	var result trip
	busy := s.busy(t)
	began := time.Now()
	next, errs := make(chan int), make(chan error, loadConnections)
	var senders sync.WaitGroup
	for range loadConnections {
		senders.Go(func() {
			for first := range next {
				if err := s.sendSome(clients, first, min(first+clients.perVisit, messages), message); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	accepted := make(chan error, 1)
	go func() {
		defer close(accepted)
		defer senders.Wait()
		defer close(next)
		for first := 0; first < messages; first += clients.perVisit {
			select {
			case next <- first:
			case err := <-errs:
				accepted <- err
				return
			}
		}
	}()
	for seconds := -1; ; time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-accepted:
			if err != nil {
				t.Fatalf("sending: %v\n%s", err, s.describe(t))
			}
			if result.accepted == 0 {
				result.accepted = time.Since(began)
			}
		default:
		}
		now := time.Since(began)
		queue, spool := s.waiting()
		if int(now.Seconds()) > seconds {
			seconds = int(now.Seconds())
			result.queue, result.spool = append(result.queue, queue), append(result.spool, spool)
		}
		if result.accepted > 0 && result.sent == 0 && queue == 0 {
			result.sent = now
		}
		if result.sent > 0 && queue == 0 && spool == 0 {
			result.handled, result.busy = now, s.busy(t)-busy
			return result
		}
		if now > 30*time.Minute {
			t.Fatalf("the queue does not become empty\n%s", s.describe(t))
		}
	}
}

// sendSome sends some messages over one connection.
func (s *server) sendSome(client habit, first, end int, message func(int) (user, guest string, text []byte)) error {
	c, err := connect(s.submission, "")
	if err != nil {
		return err
	}
	defer c.Close()
	if client.logsIn {
		if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
			return err
		}
		user, _, _ := message(first)
		if err := logIn(c, user); err != nil {
			return err
		}
	}
	for n := first; n < end; n++ {
		user, guest, text := message(n)
		if err := transact(c, user, []string{guest}, text); err != nil {
			return err
		}
	}
	return c.Quit()
}

// TestLoad sends newsletters and invitations of 20 users through Postfix alone, with the service, and with the programs that it pipes
// copies to, in turns. It reports how long they take, and how long processors work, with the length of the queue each second. IMIP_AGENT_LONG
// has it send 2,000 of each, three times, and also through a milter that does nothing: what is spent then is Postfix's own part. IMIP_AGENT_LOAD
// is a regular expression: of what is sent, and how, KIND "/" HABIT "/" WAY, what matches counts.
func TestLoad(t *testing.T) {
	need(t, "postfix")
	messages, rounds := 60, 1
	if os.Getenv("IMIP_AGENT_LONG") != "" {
		messages, rounds = 2000, 3
	}
	type way struct {
		name   string
		rounds int
		server *server
	}
	alone := newPostfixWith(t, "imip-agent setup postfix --remove >/dev/null", "", t.TempDir(), "")
	ways := []way{
		{"Postfix alone", rounds, alone},
		{"the service", rounds, newPostfixWith(t, serviceLoad, "", t.TempDir(), "")},
		{"pipe", 1, newPostfix(t, "", t.TempDir(), "")}, // which takes minutes
	}
	var empty *server
	if messages > 60 {
		empty = newPostfixWith(t, "imip-agent setup postfix --remove >/dev/null", "", t.TempDir(), "")
		empty.emptyMilter(t)
		ways = slices.Insert(ways, 2, way{"an empty milter", rounds, empty})
	}
	for _, way := range ways {
		way.server.usersLogIn(t)
	}
	kinds := map[string]func(user, uid, guest string, n int) []byte{
		"newsletters": func(user, uid, guest string, _ int) []byte { return letter(user, uid, guest) },
		"invitations": func(user, uid, guest string, n int) []byte { return invitation(user, user, uid, n%24, guest) },
	}
	events := map[*server]int{} // that each user has
	wanted := regexp.MustCompile(os.Getenv("IMIP_AGENT_LOAD"))
	for kind, compose := range kinds {
		for _, clients := range habits {
			ways := slices.DeleteFunc(slices.Clone(ways), func(w way) bool { return !wanted.MatchString(kind + "/" + clients.name + "/" + w.name) })
			if len(ways) == 0 || ways[0].server != alone {
				continue // there is nothing to compare
			}
			if kind == "invitations" {
				for _, way := range ways {
					events[way.server] += messages / loadUsers * way.rounds
				}
			}
			trips := map[string][]trip{}
			for round := range rounds {
				for turn := range ways {
					way := ways[(turn+round)%len(ways)]
					if round >= way.rounds {
						continue
					}
					run := fmt.Sprintf("%s-%d-%d", kind, clients.perVisit, round)
					guest := func(n int) string { return fmt.Sprintf("%s-%d@host%d.example.org", run, n, n%7) }
					trip := way.server.travel(t, clients, messages, func(n int) (string, string, []byte) {
						user, uid := loadUser(n), fmt.Sprintf("%s-%d", run, n)
						return user, guest(n), compose(user, uid, guest(n), n)
					})
					trips[way.name] = append(trips[way.name], trip)
					t.Logf("%d %s, %s, %s: %v", messages, kind, clients.name, way.name, trip)
					for n := range messages {
						if got := len(way.server.sink.to(guest(n))); got != 1 {
							t.Errorf("%s: %s got %d messages", way.name, guest(n), got)
						}
					}
				}
			}
			base := trips[ways[0].name]
			for _, way := range ways[1:] {
				var accepted, sent, busy []float64
				for i, trip := range trips[way.name] {
					accepted = append(accepted, trip.accepted.Seconds()/base[i].accepted.Seconds())
					sent = append(sent, trip.sent.Seconds()/base[i].sent.Seconds())
					busy = append(busy, trip.busy.Seconds()/base[i].busy.Seconds())
				}
				slices.Sort(accepted)
				slices.Sort(sent)
				slices.Sort(busy)
				t.Logf("%s, %s, %s: accepted in %.2f times the time of Postfix alone, sent in %.2f times, with %.2f times its work of processors (medians of %.2f, %.2f and %.2f)",
					kind, clients.name, way.name, accepted[len(accepted)/2], sent[len(sent)/2], busy[len(busy)/2], accepted, sent, busy)
			}
		}
	}
	for _, way := range ways[1:] {
		if way.server == empty {
			continue
		}
		for u := range loadUsers {
			dir := store + "/mailto:" + loadUser(u) + "/objects"
			want := events[way.server]
			if got := way.server.files("", dir); got != want {
				t.Errorf("%s: %s has %d events, want %d", way.name, loadUser(u), got, want)
			}
		}
		way.server.sound(t)
	}
}
