package lmtp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"imip-agent/handlers/deliver"
	"imip-agent/stores"
)

// site is a service that runs, and what it has handled.
type site struct {
	*Service
	t      *testing.T
	server *Server
	socket string
	ended  chan struct{} // closed when the server has ended

	mu      sync.Mutex
	log     bytes.Buffer
	handled []handled
	answers map[string]error // by recipient
	panics  string           // the recipient with whom there is one
	wait    chan struct{}    // until it is closed, handling waits; nil: it does not
	begun   chan struct{}    // gets something when handling begins
}

type handled struct {
	kind     Kind
	from, to string
	text     string
}

func newSite(t testing.TB, change ...func(*Service)) *site {
	t.Helper()
	s := &site{socket: filepath.Join(t.TempDir(), "lmtp"), ended: make(chan struct{}), answers: map[string]error{}, begun: make(chan struct{}, 100)}
	s.t, _ = t.(*testing.T)
	s.Service = &Service{
		Routes: func() (Routes, error) {
			return Routes{OutgoingPrefix: "people-outgoing", IsResource: func(a string) bool { return a == "room@example.com" }, UsersOf: aliases}, nil
		},
		Handlers: map[Kind]Handle{Person: s.handle(Person), Resource: s.handle(Resource), Outgoing: s.handle(Outgoing)},
		Name:     "test.example.com", Log: slog.New(slog.NewTextHandler(s, nil)),
	}
	for _, c := range change {
		c(s.Service)
	}
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	s.server = s.NewServer()
	go func() {
		if err := s.server.Serve(l); err != nil {
			t.Error(err)
		}
		close(s.ended)
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		s.server.Shutdown(ctx)
		<-s.ended
	})
	return s
}

var errAliases = errors.New("the file of aliases is broken")

func aliases(address string) ([]string, error) {
	switch address {
	case "meetings@example.com":
		return []string{"room@example.com"}, nil
	case "both@example.com":
		return []string{"room@example.com", "paul@example.com"}, nil
	case "broken@example.com":
		return nil, errAliases
	}
	return nil, nil
}

func (s *site) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *site) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *site) handle(kind Kind) Handle {
	return func(ctx context.Context, m *Mail, to []string, done func(int, error)) {
		select {
		case s.begun <- struct{}{}:
		default:
		}
		if s.wait != nil {
			select {
			case <-s.wait:
			case <-ctx.Done():
				for i := range to {
					done(i, context.Cause(ctx))
				}
				return
			}
		}
		text, err := io.ReadAll(m.Source.Open())
		for i, address := range to {
			if address == s.panics {
				panic("a bug")
			}
			s.mu.Lock()
			s.handled = append(s.handled, handled{kind, m.From, address, string(text)})
			answer := s.answers[address]
			s.mu.Unlock()
			done(i, errors.Join(err, answer))
		}
	}
}

func (s *site) all() []handled {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.handled)
}

// client is a client that says what it is told to.
type client struct {
	net.Conn
	t    testing.TB
	read *bufio.Reader
}

func (s *site) connect(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{conn, t, bufio.NewReader(conn)}
}

// says sends something, and returns so many answers, each of which may have several lines; fewer if the connection ends.
func (c *client) says(text string, answers int) (all []string) {
	c.t.Helper()
	if text != "" {
		if _, err := io.WriteString(c, text); err != nil {
			return nil // the server has left
		}
	}
	for answer := ""; len(all) < answers; {
		line, err := c.read.ReadString('\n')
		if err != nil {
			break
		}
		answer += strings.TrimRight(line, "\r\n")
		if len(line) < 4 || line[3] != '-' {
			all = append(all, answer)
			answer = ""
		} else {
			answer += "|"
		}
	}
	return all
}

// mail hands in a mail over a new connection, and returns the answers for its recipients.
func (s *site) mail(t testing.TB, text string, to ...string) []string {
	t.Helper()
	c := s.connect(t)
	c.says("LHLO client\r\nMAIL FROM:<paul@example.org>\r\n", 3)
	for _, address := range to {
		c.says("RCPT TO:<"+address+">\r\n", 1)
	}
	c.says("DATA\r\n", 1)
	return c.says(text+"\r\n.\r\n", len(to))
}

func begins(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("the answers are %q, want %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("answer %d is %q, want %q", i, got[i], want[i])
		}
	}
}

// Recipients go to the handlers of their kind, each has its own answer, and the message is the same for all.
func TestRoutes(t *testing.T) {
	s := newSite(t)
	to := []string{
		"paul@example.com", "Room@Example.com", "people-outgoing+Paul@example.com", "meetings@example.com", "both@example.com",
		"people-outgoing@example.com", `"people-outgoing+x y"@example.com`, "room+x@example.com", "broken@example.com", "paul@example.com",
		`"a\"b c"@example.com`, "grüße@example.com",
	}
	const ok = "250 2.0.0 <"
	begins(t, s.mail(t, "Subject: a\r\n\r\n..x\r\n....", to...), ok+to[0], ok, ok, ok, ok, ok, ok, ok,
		"451 4.3.0 <broken@example.com> the file of aliases is broken", ok, ok, ok)
	var got []string
	for _, h := range s.all() {
		got = append(got, h.kind.String()+" "+h.to)
		if h.from != "paul@example.org" || h.text != "Subject: a\r\n\r\n.x\r\n...\r\n" {
			t.Errorf("handled: %+v", h)
		}
	}
	want := []string{
		"person paul@example.com", "person both@example.com", "person people-outgoing@example.com", "person room+x@example.com",
		"person paul@example.com", `person "a\"b c"@example.com`, "person grüße@example.com",
		"resource room@example.com", "resource meetings@example.com",
		"outgoing paul@example.com", `outgoing "x y"@example.com`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("handled for\n%q, want\n%q", got, want)
	}
}

// The answer says what is wrong. For good is only what the server of the mailboxes refuses.
func TestAnswers(t *testing.T) {
	box := func(code int, text string) *deliver.RefusedError {
		return &deliver.RefusedError{Server: "LMTP server", Recipient: "paul@example.com", Code: code, Text: text, Mailbox: true}
	}
	other := *box(550, "5.1.1 no")
	other.Mailbox = false
	unasked := *box(553, "no")
	unasked.Unasked = true
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, "250 2.0.0 "},
		{errors.New("the disk\nis full, says größe\x1b"), `451 4.3.0 <paul@example.com> the disk; is full, says gr`},
		{fmt.Errorf("x: %w", stores.ErrLocked), "451 4.3.0 <paul@example.com> the user's records are locked"},
		{stores.ErrAway, "451 4.3.0 <paul@example.com> "},
		{fmt.Errorf("x: %w", box(550, "5.1.1 <paul@example.com> no such user")), "550 5.1.1 <paul@example.com> no such user"},
		{box(452, "4.2.2 full"), "452 4.2.2 <paul@example.com> full"},
		{box(550, "no"), "550 5.0.0 <paul@example.com> no"},
		{box(550, "4.1.1 no"), "550 5.0.0 <paul@example.com> 4.1.1 no"},
		{errors.Join(box(550, "5.1.1 no"), box(451, "4.7.1 later")), "451 4.7.1 <paul@example.com> later"},
		{errors.Join(box(550, "5.1.1 no"), errors.New("disk")), "451 4.3.0 <paul@example.com> "},
		{&other, "451 4.3.0 <paul@example.com> "},
		{&unasked, "451 4.3.0 <paul@example.com> "},
		{errors.New(strings.Repeat("x", 10_000)), "451 4.3.0 <paul@example.com> xxx"},
	} {
		s := newSite(t)
		s.answers["paul@example.com"] = test.err
		got := s.mail(t, "x", "paul@example.com", "simon@example.com")
		begins(t, got, test.want, "250 ")
		if len(got[0]) > 510 {
			t.Errorf("an answer of %d octets", len(got[0]))
		}
	}
}

// A bug costs the message at hand, of nobody else but those behind it.
func TestPanic(t *testing.T) {
	s := newSite(t)
	s.panics = "bug@example.com"
	begins(t, s.mail(t, "x", "paul@example.com", "bug@example.com", "simon@example.com", "room@example.com"),
		"250 ", "451 4.3.0 <bug@example.com> internal error", "451 4.3.0 <simon@example.com> internal error", "250 ")
	begins(t, s.mail(t, "x", "simon@example.com"), "250 ")
	if !strings.Contains(s.logged(), "a bug") {
		t.Errorf("the log says nothing: %s", s.logged())
	}
}

// A message that cannot be kept is handed in again.
func TestNotKept(t *testing.T) {
	s := newSite(t, func(s *Service) { s.Dir = "/nowhere" })
	begins(t, s.mail(t, strings.Repeat("x", 300_000), "paul@example.com"), "452 4.3.1 ")
	begins(t, s.mail(t, "x", "paul@example.com"), "250 ")
}

// busyListener is a listener where the process has no file left for the first connections.
type busyListener struct {
	net.Listener
	fails int
}

func (l *busyListener) Accept() (net.Conn, error) {
	if l.fails--; l.fails >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

// That the process has no file left for a connection stops nothing, and is an error in the log.
func TestNoFiles(t *testing.T) {
	s := newSite(t)
	s.socket += "-busy"
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	go s.server.Serve(&busyListener{Listener: l, fails: 2})
	begins(t, s.mail(t, "x", "paul@example.com"), "250 ")
	if log := s.logged(); strings.Count(log, "level=ERROR") != 2 || !strings.Contains(log, "too many open files") {
		t.Errorf("the log says: %s", log)
	}
}

// The end of a message is found whatever its lines are like, and long lines are no harm in it.
func TestLines(t *testing.T) {
	for sent, want := range map[string]string{
		"a\r":                         "a\r\n",
		"a\r\r\r\n.b\r\nc":            "a\r\nb\r\nc\r\n", // the dot was stuffed
		"a\rb\r\rc":                   "a\rb\r\rc\r\n",
		"a\n.\nb":                     "a\n.\nb\r\n",
		strings.Repeat("y", 500_000):  strings.Repeat("y", 500_000) + "\r\n",
		"a" + strings.Repeat("\r", 5): "a\r\n",
	} {
		s := newSite(t)
		begins(t, s.mail(t, sent, "paul@example.com"), "250 ")
		if all := s.all(); len(all) != 1 || all[0].text != want {
			t.Errorf("%.20q: handled: %.300s", sent, fmt.Sprintf("%+v", all))
		}
	}
}

// What clients are told of, and what they are not.
func TestHello(t *testing.T) {
	s := newSite(t)
	got := s.connect(t).says("LHLO client\r\n", 2)
	begins(t, got, "220 test.example.com LMTP", "250-")
	for _, want := range []string{"PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "SIZE"} {
		if !strings.Contains(got[1], want) {
			t.Errorf("%s is missing: %s", want, got[1])
		}
	}
	if strings.Contains(got[1], "CHUNKING") {
		t.Errorf("clients may send chunks: %s", got[1])
	}
}

// hostile are what clients send that want to do harm.
var hostile = map[string]string{
	"another protocol":   "\x00\x00\x00\x0dO\x00\x00\x00\x06",
	"SMTP":               "EHLO client\r\n",
	"a command's end":    strings.Repeat("x", 100_000),
	"no hello":           "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n",
	"half a message":     "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nhello\r\n",
	"no recipient":       "LHLO c\r\nMAIL FROM:<>\r\nDATA\r\n.\r\n",
	"no address":         "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\nRCPT TO:<@>\r\nRCPT TO:\r\nRCPT TO:<\"x>\r\n",
	"a chunk":            "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nBDAT 4294967295 LAST\r\nx",
	"a negative chunk":   "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nBDAT -1\r\nBDAT 0\r\nRSET\r\nBDAT 5 LAST\r\nhello",
	"AUTH and TLS":       "LHLO c\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS\r\n",
	"hello in a message": "LHLO c\r\nMAIL FROM:<>\r\nLHLO c\r\nRCPT TO:<b@example.com>\r\n",
	"control characters": "LHLO c\r\nMAIL FROM:<a\x01@x>\r\nRCPT TO:<\"\x00\r\x7f\"@x>\r\nRCPT TO:<b@\x00>\r\n",
}

// Whatever clients send costs their own connection only.
func TestHostile(t *testing.T) {
	s := newSite(t)
	for name, text := range hostile {
		before := len(s.all())
		c := s.connect(t)
		if _, err := io.WriteString(c, text); err == nil {
			c.Conn.(*net.UnixConn).CloseWrite()
			io.Copy(io.Discard, c) // until the server has had enough
		}
		c.Close()
		if all := s.all(); len(all) > before {
			t.Errorf("%s: handled: %+v", name, all[before:])
		}
	}
	begins(t, s.mail(t, "x", "paul@example.com"), "250 ")
	if len(s.all()) != 1 {
		t.Errorf("an honest client: %+v", s.all())
	}
}

// A client that says nothing, or that takes its time over a message, is left.
func TestSlow(t *testing.T) {
	for name, test := range map[string]struct {
		idle, slow time.Duration
		begin      string
	}{
		"says nothing":       {50 * time.Millisecond, 0, ""},
		"says no more":       {50 * time.Millisecond, 0, "LHLO c\r\n"},
		"half a message":     {50 * time.Millisecond, 0, "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nx"},
		"a message for long": {time.Second, 50 * time.Millisecond, "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nx"},
	} {
		s := newSite(t, func(s *Service) { s.Idle, s.Slow = test.idle, test.slow })
		c := s.connect(t)
		_, _ = io.WriteString(c, test.begin) // the server may have left it already
		io.Copy(io.Discard, c)
		if all := s.all(); len(all) > 0 {
			t.Errorf("%s: handled: %+v", name, all)
		}
	}
}

// Where there are as many connections as may be, the one that has been silent for longest makes room: after a command, or in a
// message. The mail system is told so.
func TestFull(t *testing.T) {
	s := newSite(t, func(s *Service) { s.Connections, s.Silent = 3, time.Nanosecond })
	first, second, third := s.connect(t), s.connect(t), s.connect(t)
	first.says("LHLO c\r\n", 2)
	second.says("LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n", 5)
	s.waits(3)
	third.says("LHLO c\r\n", 2)
	first.says("NOOP\r\n", 1) // now the second has been silent for longest
	s.waits(3)
	begins(t, s.mail(t, "x", "paul@example.com"), "250 ")
	begins(t, second.says("", 2), "451 4.4.2 <b@example.com> the message has no end", "421 4.4.2 ")
	begins(t, first.says("NOOP\r\n", 1), "250 ")
	if all := s.all(); len(all) != 1 || all[0].to != "paul@example.com" {
		t.Errorf("handled: %+v", all)
	}
	if n := strings.Count(s.logged(), "too many connections"); n != 1 {
		t.Errorf("%d warnings: %s", n, s.logged())
	}
}

// Who is not silent for long, or waits for an answer, is not cut off: others are refused for now.
func TestFullOfWork(t *testing.T) {
	s := newSite(t, func(s *Service) { s.Connections, s.Silent = 2, time.Hour })
	for range 2 {
		s.connect(t).says("LHLO c\r\n", 2)
	}
	begins(t, s.connect(t).says("", 1), "421 4.3.2 too many connections")

	s = newSite(t, func(s *Service) { s.Connections, s.Silent = 1, time.Nanosecond })
	s.wait = make(chan struct{})
	answers := make(chan []string)
	go func() { answers <- s.mail(t, "x", "paul@example.com") }()
	<-s.begun
	begins(t, s.connect(t).says("", 1), "421 4.3.2 too many connections")
	close(s.wait)
	begins(t, <-answers, "250 ")
}

// waits waits until the server waits for so many clients.
func (s *site) waits(clients int) {
	s.t.Helper()
	for range 6000 {
		g, n := s.server.guard, 0
		g.mu.Lock()
		for c := range g.open {
			if !c.since.IsZero() {
				n++
			}
		}
		g.mu.Unlock()
		if n == clients {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("it does not wait for %d clients", clients)
}

// At the end, who waits is told so, and what has been handed in is handled and answered.
func TestShutdown(t *testing.T) {
	s := newSite(t)
	s.wait = make(chan struct{})
	idle := s.connect(t)
	idle.says("LHLO c\r\n", 2)
	half := s.connect(t)
	half.says("LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n", 5)
	answers := make(chan []string, 1)
	go func() { answers <- s.mail(t, "x", "paul@example.com", "simon@example.com") }()
	<-s.begun
	ended := make(chan error, 1)
	go func() { ended <- s.server.Shutdown(context.Background()) }()
	begins(t, idle.says("", 1), "421 ")
	begins(t, half.says("", 1), "451 4.4.2 ")
	select {
	case err := <-ended:
		t.Errorf("it has not waited: %v", err)
	default:
	}
	close(s.wait)
	begins(t, <-answers, "250 ", "250 ")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if all := s.all(); len(all) != 2 {
		t.Errorf("handled: %+v", all)
	}
}

// What takes too long at the end is answered, too.
func TestShutdownLate(t *testing.T) {
	s := newSite(t)
	s.wait = make(chan struct{})
	answers := make(chan []string, 1)
	go func() { answers <- s.mail(t, "x", "paul@example.com") }()
	<-s.begun
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.server.Shutdown(late); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	begins(t, <-answers, "451 4.3.2 <paul@example.com> the service ends")
}

// FuzzRecipient asks for any recipient. What is taken has a route, and can stand in an envelope again.
func FuzzRecipient(f *testing.F) {
	for _, address := range []string{"paul@example.com", `"a b"@example.com`, "people-outgoing+paul@example.com", "@a:b@c", `"\""@x`, "a@b@c", "<a@b", "\x00@x", `a"@"b`} {
		f.Add(address)
	}
	s := newSite(f)
	routes, _ := s.Routes()
	c := s.connect(f)
	c.says("LHLO c\r\n", 2)
	f.Fuzz(func(t *testing.T, address string) {
		if strings.ContainsAny(address, "\r\n") || len(address) > 2000 {
			return
		}
		c.t = t
		c.says("RSET\r\nMAIL FROM:<>\r\n", 2)
		answers := c.says("RCPT TO:<"+address+">\r\n", 1)
		if len(answers) != 1 {
			t.Fatal("no answer")
		}
		if !strings.HasPrefix(answers[0], "250 ") {
			return
		}
		c.says("DATA\r\n", 1)
		begins(t, trim(c.says("x\r\n.\r\n", 1)), "250 ")
		all := s.all()
		to := all[len(all)-1]
		if kind, again, err := routes.Of(to.to); to.kind == Person && (kind != Person || again != to.to || err != nil) {
			t.Errorf("%q is %v %q, %v", to.to, kind, again, err)
		}
		if strings.ContainsFunc(to.to, func(r rune) bool { return r < ' ' }) {
			t.Errorf("a recipient %q", to.to)
		}
		if to.kind == Outgoing && !strings.Contains(to.to, "@") {
			t.Errorf("a copy of %q", to.to)
		}
	})
}

func trim(answers []string) []string {
	for i := range answers {
		if len(answers[i]) > 4 {
			answers[i] = answers[i][:4]
		}
	}
	return answers
}
