package opensmtpd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"imip-agent/handlers/outgoing"
	"imip-agent/handlers/spool"
	"imip-agent/handlers/submission"
)

// site is a filter that runs, smtpd's side of it, and what it has taken.
type site struct {
	gate *submission.Gate
	t    testing.TB
	in   *io.PipeWriter
	out  *bufio.Scanner
	end  chan error

	mu     sync.Mutex
	log    bytes.Buffer
	taken  []taken
	broken error
	away   error         // why there is no gate
	hold   chan struct{} // nil, or what putting something into the spool waits for
}

type taken struct {
	spool.Note
	text string
}

// Put implements [spool.Putter].
func (s *site) Put(note spool.Note, message io.WriterTo, size int64) error {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	var b bytes.Buffer
	if n, err := message.WriteTo(&b); n != size || err != nil {
		s.t.Errorf("%d octets of %d, %v", n, size, err)
	}
	s.taken = append(s.taken, taken{note, b.String()})
	return nil
}

func (s *site) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *site) all() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// newGate returns a site without a filter that runs.
func newGate(t testing.TB) *site {
	s := &site{t: t}
	s.gate = &submission.Gate{
		Taker: &outgoing.Later{Spool: s, Limit: 1 << 20},
		User: func(login string) (string, error) {
			switch login {
			case "paul", "pa|ul":
				return "paul@example.com", nil
			case "broken":
				return "", errors.New("no such file")
			}
			return "", nil
		},
		Trusted: func(ip net.IP) bool { return ip.IsLoopback() },
		Log:     slog.New(slog.NewTextHandler(s, nil)),
	}
	return s
}

func (s *site) filter() *Filter {
	return &Filter{Log: s.gate.Log, Gate: func() (*submission.Gate, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.gate, s.away
	}}
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := newGate(t)
	in, w := io.Pipe()
	r, out := io.Pipe()
	s.in, s.out, s.end = w, bufio.NewScanner(r), make(chan error, 1)
	s.out.Buffer(nil, 10<<20)
	go func() {
		err := s.filter().Run(in, out)
		out.Close()
		s.end <- err
	}()
	t.Cleanup(func() {
		w.Close()
		for s.out.Scan() {
			t.Errorf("the filter also says %.200q", s.out.Text())
		}
		if err := <-s.end; err != nil {
			t.Errorf("the filter ends: %v", err)
		}
	})
	s.say("config|smtpd-version|6.8.0p2", "config|protocol|0.6", "config|subsystem|smtp-in", "config|ready")
	for {
		if line := s.hear(); line == "register|ready" {
			return s
		} else if !strings.HasPrefix(line, "register|report|smtp-in|") && !strings.HasPrefix(line, "register|filter|smtp-in|") {
			t.Fatalf("the filter says %q", line)
		}
	}
}

func (s *site) say(lines ...string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, strings.Join(lines, "\n")+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) hear() string {
	s.t.Helper()
	if !s.out.Scan() {
		s.t.Fatalf("the filter says nothing more: %v\n%s", s.out.Err(), &s.log)
	}
	return s.out.Text()
}

// client is a session of a client.
type client struct {
	*site
	id, version string
}

var sessions int

// connect begins a session as a version of the protocol has it.
func (s *site) connect(version, from, login string) *client {
	s.t.Helper()
	sessions++
	c := &client{s, fmt.Sprintf("%016x", sessions), version}
	c.report("link-connect", "client.example.com|pass|"+from+"|192.0.2.9:587")
	c.report("link-auth", c.ordered("fail", "root"))
	if login != "" {
		c.report("link-auth", c.ordered("pass", login))
	}
	return c
}

// ordered returns words in the order that the version has.
func (c *client) ordered(result, login string) string {
	if c.version == "0.7" {
		return result + "|" + login
	}
	return login + "|" + result
}

func (c *client) report(event, words string) {
	c.t.Helper()
	if words != "" {
		words = "|" + words
	}
	c.say("report|" + c.version + "|1576146008.006099|smtp-in|" + event + "|" + c.id + words)
}

func (c *client) mail() {
	c.t.Helper()
	c.report("tx-begin", "f1d2d2f9")
	words := "f1d2d2f9|ok|p@example.com"
	if c.version == "0.5" {
		words = "f1d2d2f9|p@example.com|ok"
	}
	c.report("tx-mail", words)
}

// line hands in a line of a mail as smtpd has it, and fails the test unless it comes back as it was.
func (c *client) line(text string) {
	c.t.Helper()
	c.say("filter|" + c.version + "|1576146008.006103|smtp-in|data-line|" + c.id + "|1ef1c203cc576e5d|" + text)
	if got, want := c.hear(), "filter-dataline|"+c.id+"|1ef1c203cc576e5d|"+text; got != want {
		c.t.Errorf("a line comes back as %.200q, want %.200q", got, want)
	}
}

// send sends a mail, and returns what the filter says in the end.
func (c *client) send(text string) string {
	c.t.Helper()
	c.mail()
	for _, line := range strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if strings.HasPrefix(line, ".") {
			line = "." + line
		}
		c.line(line)
	}
	c.line(".")
	c.say(c.commit())
	said := c.hear()
	c.report("tx-commit", "f1d2d2f9|4711")
	result, found := strings.CutPrefix(said, "filter-result|"+c.id+"|1ef1c203cc576e5e|")
	if !found {
		c.t.Errorf("the filter says %q", said)
	}
	return result
}

func (c *client) commit() string {
	return "filter|" + c.version + "|1576146008.006104|smtp-in|commit|" + c.id + "|1ef1c203cc576e5e|"
}

const calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:a\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

const invitation = "From: Paul <paul@example.com>\r\nTo: vincent@example.com\r\nSubject: a | b\r\n  folded\r\n" +
	"Content-Type: text/calendar;\r\n method=REQUEST\r\n\r\n" + calendar

const within = "From: Paul <paul@example.com>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
	"--x\r\nContent-Type: text/plain\r\n\r\n.\r\n..dots\r\n\r\n--x\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n" + calendar + "--x--\r\n"

// Of mail that users send, calendars are taken as they are, and nothing else, in each version of the protocol.
func TestFilter(t *testing.T) {
	for name, test := range map[string]struct {
		login, from, text string
		user              string // whose it is; "-": nobody's that is known; empty: it is not taken
	}{
		"an invitation":             {"paul", "192.0.2.1:3", invitation, "paul@example.com"},
		"an invitation in a mail":   {"paul", "[2001:db8::1]:3", within, "paul@example.com"},
		"an odd name":               {"pa|ul", "192.0.2.1:3", invitation, "paul@example.com"},
		"nobody has logged in":      {"", "192.0.2.1:3", invitation, ""},
		"a login without calendar":  {"root", "192.0.2.1:3", invitation, ""},
		"a host that is trusted":    {"", "[::1]:3", invitation, "-"},
		"this host":                 {"", "unix:/var/run/smtpd.sock", invitation, "-"},
		"somebody on such a host":   {"paul", "127.0.0.1:3", invitation, "paul@example.com"},
		"plain text":                {"paul", "192.0.2.1:3", "From: a@x\r\nContent-Type: text/plain\r\n\r\nhello\r\n", ""},
		"nothing":                   {"paul", "192.0.2.1:3", "\r\n", ""},
		"several parts, no event":   {"paul", "192.0.2.1:3", strings.Replace(within, "text/calendar", "text/html", 1), ""},
		"a calendar without method": {"paul", "192.0.2.1:3", "From: a@x\r\nContent-Type: text/calendar\r\n\r\n" + calendar, ""},
	} {
		for _, version := range []string{"0.5", "0.6", "0.7"} {
			t.Run(name+" "+version, func(t *testing.T) {
				s := newSite(t)
				if said := s.connect(version, test.from, test.login).send(test.text); said != "proceed" {
					t.Errorf("the filter says %q", said)
				}
				all := s.all()
				if test.user == "" {
					if len(all) > 0 {
						t.Errorf("taken: %+v", all)
					}
					return
				}
				if len(all) != 1 {
					t.Fatalf("taken: %+v\n%s", all, &s.log)
				}
				want := spool.Note{User: test.user, Source: "opensmtpd", Sender: "p@example.com", Mail: "f1d2d2f9"}
				if test.user == "-" {
					want.User, want.Order = "", "paul@example.com"
				}
				if all[0].Note != want || all[0].text != test.text {
					t.Errorf("taken: %+v\n%q\n%q", all[0].Note, all[0].text, test.text)
				}
			})
		}
	}
}

// What cannot be taken goes on and is counted, or is refused for now; and the next mail is taken.
func TestLost(t *testing.T) {
	for name, spoil := range map[string]func(*site) (login string){
		"a spool that is full":       func(s *site) string { s.broken = spool.ErrFull; return "paul" },
		"whose it is cannot be said": func(s *site) string { return "broken" },
	} {
		for _, refuse := range []bool{false, true} {
			s := newSite(t)
			s.gate.Refuse = refuse
			want, lost := "proceed", int64(1)
			if refuse {
				want, lost = "reject|451 ", 0
			}
			login := spoil(s)
			if said := s.connect("0.7", "192.0.2.1:3", login).send(invitation); !strings.HasPrefix(said, want) || s.gate.Lost() != lost {
				t.Errorf("%s: the filter says %q, %d are lost", name, said, s.gate.Lost())
			}
			s.mu.Lock()
			s.broken = nil
			s.mu.Unlock()
			c := s.connect("0.7", "192.0.2.1:3", "paul")
			for range 2 {
				if said := c.send(invitation); said != "proceed" {
					t.Errorf("%s: the next mail: %q", name, said)
				}
			}
			if n := len(s.all()); n != 2 {
				t.Errorf("%s: %d of the next two are taken", name, n)
			}
		}
	}
	// Without a configuration, mail goes on.
	s := newSite(t)
	s.mu.Lock()
	s.away = errors.New("no configuration")
	s.mu.Unlock()
	c := s.connect("0.6", "192.0.2.1:3", "paul")
	if said := c.send(invitation); said != "proceed" || len(s.all()) > 0 {
		t.Errorf("without a configuration: %q, %+v", said, s.all())
	}
	s.mu.Lock()
	s.away = nil
	s.mu.Unlock()
	if said := c.send(invitation); said != "proceed" || len(s.all()) != 1 {
		t.Errorf("with it again: %q, %+v", said, s.all())
	}
}

// A session has mails that are given up: nothing of one is in another. A message that is too large goes on.
func TestSeveral(t *testing.T) {
	s := newSite(t)
	s.gate.Most = 100_000
	c := s.connect("0.7", "192.0.2.1:3", "paul")
	for _, end := range []string{"tx-reset", "tx-rollback"} {
		c.mail()
		c.line("Content-Type: text/calendar; method=REQUEST")
		c.report(end, "f1d2d2f9")
	}
	c.send("From: a@x\r\n\r\nhello\r\n")
	c.send(strings.Replace(within, "dots", strings.Repeat("x", 200_000), 1))
	if n := s.gate.Lost(); n != 1 {
		t.Errorf("%d are lost", n)
	}
	c.send(invitation)
	c.report("link-disconnect", "")
	if all := s.all(); len(all) != 1 || all[0].text != invitation {
		t.Errorf("taken: %+v", all)
	}
	// What comes for a session that is over is answered, and not taken.
	if said := c.send(invitation); said != "proceed" || len(s.all()) != 1 {
		t.Errorf("the filter says %q, %d are taken", said, len(s.all()))
	}
}

// While one mail is put into the spool, others go on, and so does the one behind it if its client leaves.
func TestMeanwhile(t *testing.T) {
	s := newSite(t)
	hold := make(chan struct{})
	s.mu.Lock()
	s.hold = hold
	s.mu.Unlock()
	c := s.connect("0.7", "192.0.2.1:3", "paul")
	c.mail()
	for line := range strings.SplitSeq(invitation, "\r\n") {
		c.line(line)
	}
	c.line(".")
	c.say(c.commit())
	if said := s.connect("0.7", "192.0.2.1:3", "paul").send("From: a@x\r\n\r\nhello\r\n"); said != "proceed" {
		t.Errorf("another mail: %q", said)
	}
	c.report("link-disconnect", "")
	close(hold)
	if said := c.hear(); said != "filter-result|"+c.id+"|1ef1c203cc576e5e|proceed" {
		t.Errorf("the filter says %q", said)
	}
	if len(s.all()) != 1 {
		t.Errorf("taken: %+v", s.all())
	}
}

// odd are lines that smtpd never says.
var odd = []string{
	"", "|", "config", "config|odd", "report", "report|", "report|0.7|1|smtp-in", "report|0.7|1|smtp-out|link-connect|1|a",
	"report|0.7|1|smtp-in|link-connect|1", "report|0.7|1|smtp-in|link-auth|1", "report|0.5|1|smtp-in|link-auth|1", "report|0.7|1|smtp-in|tx-mail|1",
	"report|0.5|1|smtp-in|tx-mail|1|a", "report|9|1|smtp-in|odd|1|a", "filter", "filter|0.7|1|smtp-in", "filter|0.7|1|smtp-out|commit|1|2|", "what|is|this",
	"report|0.7|1|smtp-in|link-disconnect|none", "\x00\xff",
}

// The filter ends with its input only, whatever it says.
func TestOdd(t *testing.T) {
	s := newSite(t)
	s.say(odd...)
	s.say("filter|0.7|1|smtp-in|odd|1|2|words")
	if said := s.hear(); said != "filter-result|1|2|proceed" {
		t.Errorf("to an odd question the filter says %q", said)
	}
	s.connect("0.7", "192.0.2.1:3", "paul").line(strings.Repeat("x", 3<<20))
	if said := s.connect("1.0", "192.0.2.1:3", "").send(invitation); said != "proceed" {
		t.Errorf("a later version: %q", said)
	}
	panics := s.gate.User
	s.gate.User = func(login string) (string, error) {
		if login == "panic" {
			panic("a bug")
		}
		return panics(login)
	}
	if said := s.connect("0.7", "192.0.2.1:3", "panic").send(invitation); said != "proceed" || s.gate.Lost() != 1 {
		t.Errorf("after a panic: %q, %d lost", said, s.gate.Lost())
	}
	if said := s.connect("0.7", "192.0.2.1:3", "paul").send(invitation); said != "proceed" || len(s.all()) != 1 {
		t.Errorf("an honest mail: %q, taken %+v", said, s.all())
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("nobody reads") }

// While nobody reads what it says, the filter stays until its input ends.
func TestNobodyReads(t *testing.T) {
	s := newGate(t)
	var text strings.Builder
	text.WriteString("config|ready\nreport|0.7|1|smtp-in|link-connect|1|a|pass|127.0.0.1:1|127.0.0.1:2\n")
	for range 10_000 {
		text.WriteString("filter|0.7|1|smtp-in|data-line|1|2|line\n")
	}
	rest := strings.NewReader(text.String())
	if err := s.filter().Run(rest, failing{}); err != nil || rest.Len() > 0 {
		t.Errorf("the filter ends with %v, %d octets are left", err, rest.Len())
	}
}

// FuzzLines says anything. The filter ends with its input, answers each question once, and gives back each line of a mail as
// it was.
func FuzzLines(f *testing.F) {
	whole := "config|ready\n" +
		"report|0.7|1|smtp-in|link-connect|1|a|pass|192.0.2.1:1|192.0.2.9:2\nreport|0.7|1|smtp-in|link-auth|1|pass|paul\n" +
		"report|0.7|1|smtp-in|tx-begin|1|f\nreport|0.7|1|smtp-in|tx-mail|1|f|ok|p@example.com\n"
	for line := range strings.SplitSeq(invitation, "\r\n") {
		whole += "filter|0.7|1|smtp-in|data-line|1|2|" + line + "\n"
	}
	f.Add(whole + "filter|0.7|1|smtp-in|data-line|1|2|.\nfilter|0.7|1|smtp-in|commit|1|3|\nreport|0.7|1|smtp-in|tx-commit|1|f|3\n")
	f.Add(strings.Join(odd, "\n"))
	for _, line := range odd {
		f.Add(whole + line + "\n" + whole)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := newGate(t)
		var out bytes.Buffer
		if err := s.filter().Run(strings.NewReader(text), &out); err != nil {
			t.Fatal(err)
		}
		var wantLines []string
		questions := 0
		for line := range strings.Lines(text) {
			line, complete := strings.CutSuffix(line, "\n")
			words := strings.SplitN(line, "|", 8)
			if !complete || words[0] != "filter" || len(words) < 6 || words[3] != "smtp-in" {
				continue
			}
			words = append(words, "", "", "")
			if words[4] == "data-line" {
				wantLines = append(wantLines, "filter-dataline|"+words[5]+"|"+words[6]+"|"+words[7])
			} else {
				questions++
			}
		}
		var lines []string
		answers := 0
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			switch {
			case strings.HasPrefix(line, "filter-dataline|"):
				lines = append(lines, line)
			case strings.HasPrefix(line, "filter-result|"):
				answers++
			case !strings.HasPrefix(line, "register|"):
				t.Errorf("the filter says %q", line)
			}
		}
		if strings.Join(lines, "\n") != strings.Join(wantLines, "\n") || answers != questions {
			t.Errorf("lines come back as %q, want %q; %d answers to %d questions", lines, wantLines, answers, questions)
		}
	})
}
