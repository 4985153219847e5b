package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/room"
	"imip-agent/tests/skip"
)

// taken is a mail that a server took for a recipient.
type taken struct{ from, to, text string }

// sink is a server for tests. Recipients that begin with a number are answered with it after
// RCPT, or by LMTP after the mail if an "x" follows.
type sink struct {
	*Server
	smtp *smtp.Server

	mu       sync.Mutex
	taken    []taken
	options  []smtp.MailOptions
	sessions int
	open     int                        // sessions that have not ended
	refuse   map[string]*smtp.SMTPError // by "mail" or "data"
	sizes    bool                       // sizes of mails are kept, not mails
	hold     chan struct{}              // if not nil, nobody gets an answer to a mail before it is closed
	held     chan struct{}              // closed when the first waits for that
}

func newSink(t testing.TB, lmtp bool) *sink {
	t.Helper()
	s := &sink{refuse: map[string]*smtp.SMTPError{}}
	s.smtp = smtp.NewServer(s)
	s.smtp.LMTP, s.smtp.Domain = lmtp, "sink.example.com"
	s.smtp.EnableSMTPUTF8, s.smtp.MaxLineLength = true, 1<<20
	s.smtp.ErrorLog = log.New(io.Discard, "", 0) // of clients that are killed, and the like
	var l net.Listener
	var err error
	if lmtp {
		place := filepath.Join(t.TempDir(), "lmtp")
		if s.Server, err = LMTPServer(place); err != nil {
			t.Fatal(err)
		}
		l, err = net.Listen("unix", place)
	} else if l, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
		s.Server, err = SMTPServer(l.Addr().String())
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { s.smtp.Serve(l); close(done) }()
	t.Cleanup(func() {
		s.smtp.Close()
		l.Close() // the server does not know it before it has begun to serve
		<-done
	})
	return s
}

func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions++
	s.open++
	return &session{sink: s}, nil
}

// settle waits until all is taken that clients have sent who are gone.
func (s *sink) settle() {
	for {
		s.mu.Lock()
		open := s.open
		s.mu.Unlock()
		if open == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// all returns what was taken so far.
func (s *sink) all() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

func (s *sink) refuses(when string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse[when] = nil
	if code > 0 {
		s.refuse[when] = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 7, 1}, Message: "not now"}
	}
}

func (s *sink) refusal(when string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuse[when]; err != nil {
		return err
	}
	return nil
}

type session struct {
	sink *sink
	from string
	to   []string
}

func (s *session) Mail(from string, options *smtp.MailOptions) error {
	s.from = from
	s.sink.mu.Lock()
	s.sink.options = append(s.sink.options, *options)
	s.sink.mu.Unlock()
	return s.sink.refusal("mail")
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	var code int
	var after string
	if n, _ := fmt.Sscanf(to, "%d%1s", &code, &after); n > 0 && after != "x" {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no such user"}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) take(r io.Reader, collector smtp.StatusCollector) error {
	var text []byte
	var err error
	if s.sink.sizes {
		var n int64
		n, err = io.Copy(io.Discard, r)
		text = fmt.Append(nil, n, " octets")
	} else {
		text, err = io.ReadAll(r)
	}
	if err != nil {
		return err
	}
	s.sink.mu.Lock()
	hold := s.sink.hold
	s.sink.mu.Unlock()
	if hold != nil {
		close(s.sink.held)
		<-hold
	}
	if err := s.sink.refusal("data"); err != nil {
		return err
	}
	for _, to := range s.to {
		var code int
		if n, _ := fmt.Sscanf(to, "%dx", &code); n > 0 && collector != nil {
			collector.SetStatus(to, &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 2, 2}, Message: "mailbox full"})
			continue
		}
		s.sink.mu.Lock()
		s.sink.taken = append(s.sink.taken, taken{s.from, to, string(text)})
		s.sink.mu.Unlock()
		if collector != nil {
			collector.SetStatus(to, nil)
		}
	}
	return nil
}

func (s *session) Data(r io.Reader) error                                  { return s.take(r, nil) }
func (s *session) LMTPData(r io.Reader, status smtp.StatusCollector) error { return s.take(r, status) }
func (s *session) Reset()                                                  { s.from, s.to = "", nil }
func (s *session) Logout() error {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.open--
	return nil
}

// send sends one mail over a connection of its own, and describes the results.
func send(t *testing.T, s *Server, from, text string, to ...string) []string {
	t.Helper()
	c, err := s.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return results(c.Send(t.Context(), from, to, strings.NewReader(text)))
}

func results(errs []error) []string {
	var all []string
	for _, err := range errs {
		var refused *RefusedError
		switch {
		case err == nil:
			all = append(all, "taken")
		case errors.As(err, &refused):
			text := strings.ReplaceAll(refused.Text, "<"+refused.Recipient+"> ", "") // go-smtp's LMTP server says it, too
			all = append(all, fmt.Sprintf("%d %s, for good: %v", refused.Code, text, refused.ForGood()))
		default:
			all = append(all, "temporary")
		}
	}
	return all
}

func want[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(taken{})); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

const text = "From: a@example.com\r\n\r\nbody\r\n"

// Every octet gets there, and line ends are CRLF.
func TestBytes(t *testing.T) {
	for _, lmtp := range []bool{true, false} {
		s := newSink(t, lmtp)
		for reason, test := range map[string][2]string{
			"as it should be":          {text, text},
			"line feeds":               {"a: b\n\nc\n", "a: b\r\n\r\nc\r\n"},
			"no line break at the end": {"a: b\r\n\r\nc", "a: b\r\n\r\nc\r\n"},
			"dots":                     {"a: b\n\n.\n..\n.x\n.\r\n", "a: b\r\n\r\n.\r\n..\r\n.x\r\n.\r\n"},
			"a dot alone at the end":   {"a: b\n\n.", "a: b\r\n\r\n.\r\n"},
			"From":                     {"From a\na: b\n\nFrom x\n>From y\n", "From a\r\na: b\r\n\r\nFrom x\r\n>From y\r\n"},
			"NUL, 8-bit":               {"a: \xf8\n\n\x00\xff\x80ø\n", "a: \xf8\r\n\r\n\x00\xff\x80ø\r\n"},
			"long lines":               {"a: b\n\n" + strings.Repeat("x", 100_000) + "\n", "a: b\r\n\r\n" + strings.Repeat("x", 100_000) + "\r\n"},
			"what would end it":        {"a: b\n\n\n.\nRCPT TO:<c@example.com>\n", "a: b\r\n\r\n\r\n.\r\nRCPT TO:<c@example.com>\r\n"},
			"white space at line ends": {"a: b \n\nc\t\n \n", "a: b \r\n\r\nc\t\r\n \r\n"},
			"a header alone":           {"a: b\n", "a: b\r\n"},
		} {
			before := len(s.all())
			want(t, reason, send(t, s.Server, "a@example.com", test[0], "b@example.com"), []string{"taken"})
			want(t, reason, s.all()[before:], []taken{{"a@example.com", "b@example.com", test[1]}})
		}
	}
}

func TestEnvelopes(t *testing.T) {
	s := newSink(t, false)
	s.Prefix = "local"
	for _, test := range []struct{ from, to, wantFrom, wantTo string }{
		{"a@example.com", "b@example.com", "a@example.com", "local+b@example.com"},
		{"", "a+x@example.com", "", "local+a+x@example.com"},
		{"", `"a b"@example.com`, "", `local+a b@example.com`}, // the server takes quotes off
		{"bjørn@example.com", "b@example.com", "bjørn@example.com", "local+b@example.com"},
		{"broken> SIZE=1", "b@example.com", "", "local+b@example.com"},
	} {
		before := len(s.all())
		want(t, test.to, send(t, s.Server, test.from, text, test.to), []string{"taken"})
		want(t, test.to, s.all()[before:], []taken{{test.wantFrom, test.wantTo, text}})
	}
	for _, to := range []string{"", "b@example.com\r\nRCPT TO:<c@example.com>", "b c@example.com", "b>@example.com", `"b@example.com`, `"b\`} {
		want(t, to, send(t, s.Server, "", text, to), []string{"553 no server accepts such an address, for good: true"})
	}
	if n := len(s.all()); n != 5 {
		t.Errorf("%d mails were taken", n)
	}
}

// SMTPUTF8 is asked for where an address needs it, if the server has it.
func TestSMTPUTF8(t *testing.T) {
	for _, offered := range []bool{true, false} {
		s := newSink(t, true)
		s.smtp.EnableSMTPUTF8 = offered
		send(t, s.Server, "a@example.com", "Subject: ø\n\n", "b@example.com")
		send(t, s.Server, "a@example.com", text, "bjørn@example.com")
		if s.options[0].UTF8 || s.options[1].UTF8 != offered || string(s.options[0].Body) != "8BITMIME" {
			t.Errorf("offered %v: %+v", offered, s.options)
		}
	}
}

func TestResults(t *testing.T) {
	lmtp, plain := newSink(t, true), newSink(t, false)
	to := []string{"a@example.com", "550b@example.com", "450c@example.com", "552xd@example.com", "452xe@example.com", "f@example.com"}
	want(t, "LMTP", send(t, lmtp.Server, "", text, to...), []string{"taken", "550 5.1.1 no such user, for good: true", "450 4.1.1 no such user, for good: false",
		"552 5.2.2 mailbox full, for good: true", "452 4.2.2 mailbox full, for good: false", "taken"})
	want(t, "SMTP", send(t, plain.Server, "", text, to[:3]...), []string{"taken", "550 5.1.1 no such user, for good: true", "450 4.1.1 no such user, for good: false"})
	want(t, "nobody", send(t, lmtp.Server, "", text, "550b@example.com"), []string{"550 5.1.1 no such user, for good: true"})
	for _, s := range []*sink{lmtp, plain} {
		for _, when := range []string{"mail", "data"} {
			for code, answer := range map[int]string{554: "554 5.7.1 not now, for good: true", 451: "451 4.7.1 not now, for good: false", 421: "temporary"} {
				before := len(s.all())
				s.refuses(when, code)
				want(t, fmt.Sprint(s, when, code), send(t, s.Server, "", text, "a@example.com", "b@example.com"), []string{answer, answer})
				s.refuses(when, 0)
				want(t, "taken", s.all()[before:], []taken{})
			}
		}
	}
}

// Several mails go over one connection, also after one that was refused.
func TestSeveral(t *testing.T) {
	for _, lmtp := range []bool{true, false} {
		s := newSink(t, lmtp)
		c, err := s.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, to := range []string{"a@example.com", "550b@example.com", "c@example.com", "", "d@example.com"} {
			got := c.Send(t.Context(), "", []string{to}, strings.NewReader(fmt.Sprintf("a: %d\r\n", i)))[0]
			if (got == nil) != (i%2 == 0) {
				t.Errorf("%s: %v", to, got)
			}
		}
		c.Close()
		want(t, "taken", s.all(), []taken{{"", "a@example.com", "a: 0\r\n"}, {"", "c@example.com", "a: 2\r\n"}, {"", "d@example.com", "a: 4\r\n"}})
		if s.sessions != 1 && s.sessions != 3 { // go-smtp's server begins one at each greeting
			t.Errorf("%d sessions", s.sessions)
		}
	}
}

// A mail that cannot be read to its end is not taken.
func TestBrokenMail(t *testing.T) {
	s := newSink(t, true)
	c, err := s.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	failed := errors.New("no luck")
	r := io.MultiReader(strings.NewReader(text), errorReader{failed})
	errs := c.Send(t.Context(), "", []string{"a@example.com"}, r)
	if !errors.Is(errs[0], failed) {
		t.Errorf("got %v", errs)
	}
	want(t, "over a broken connection", results(c.Send(t.Context(), "", []string{"a@example.com"}, strings.NewReader(text))), []string{"temporary"})
	s.smtp.Close()
	want(t, "taken", len(s.all()), 0)
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// scripted returns a server that says what a script says: it waits for a line between two answers. From "wait"
// on it is silent, and then the time of whoever waits for it with a deadline is over at once.
func scripted(t *testing.T, lmtp bool, answers ...string) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	ended := make(chan struct{})
	silent := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b := make([]byte, 64<<10)
		for i, answer := range answers {
			if i > 0 {
				if _, err := conn.Read(b); err != nil {
					return
				}
			}
			if answer == "wait" {
				close(silent)
				<-ended
				return
			}
			io.WriteString(conn, answer+"\r\n")
		}
	}()
	t.Cleanup(func() { close(ended); l.Close(); <-done })
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		h := &hurried{Conn: conn}
		go func() {
			select {
			case <-silent:
				h.hurry()
			case <-ended:
			}
		}()
		return h, nil
	}
	return &Server{LMTP: lmtp, Network: "tcp", Address: l.Addr().String(), dial: dial}
}

// hurried is a connection of which, once it is hurried, each deadline is over.
type hurried struct {
	net.Conn
	mu       sync.Mutex
	deadline time.Time
	over     bool
}

func (h *hurried) SetDeadline(at time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deadline = at
	if h.over && !at.IsZero() {
		at = longAgo
	}
	return h.Conn.SetDeadline(at)
}

func (h *hurried) hurry() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	if !h.deadline.IsZero() {
		h.Conn.SetDeadline(longAgo)
	}
}

var longAgo = time.Unix(1, 0)

func TestBadServers(t *testing.T) {
	skip.OnOtherDays(t)
	for _, test := range []struct {
		reason   string
		answers  []string
		connects bool
	}{
		{"refuses everybody", []string{"554 go away"}, false},
		{"refuses our greeting", []string{"220 here", "550 who are you"}, false},
		{"leaves at once", nil, false},
		{"talks something else", []string{"* OK IMAP"}, false},
		{"never greets", []string{"wait"}, false},
		{"leaves after MAIL", []string{"220 here", "250 hello", "250 ok"}, true},
		{"leaves after DATA", []string{"220 here", "250 hello", "250 ok", "250 ok", "354 go"}, true},
		{"leaves after the mail", []string{"220 here", "250 hello", "250 ok", "250 ok", "354 go", "wait"}, true},
		{"is silent after RCPT", []string{"220 here", "250 hello", "250 ok", "wait"}, true},
		{"closes for maintenance", []string{"220 here", "250 hello", "250 ok", "421 later"}, true},
		{"answers with nonsense", []string{"220 here", "250 hello", "250 ok", "999 what"}, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			for _, lmtp := range []bool{true, false} {
				s := scripted(t, lmtp, test.answers...)
				c, err := s.Connect(t.Context())
				if (err == nil) != test.connects {
					t.Fatalf("connected: %v", err)
				}
				if err != nil {
					var refused *RefusedError
					if errors.As(err, &refused) {
						t.Errorf("it is about no mail: %v", err)
					}
					continue
				}
				want(t, "result", results(c.Send(t.Context(), "", []string{"a@example.com"}, strings.NewReader(text))), []string{"temporary"})
				c.Close()
			}
		})
	}
	s := &Server{LMTP: true, Network: "unix", Address: filepath.Join(t.TempDir(), "none")}
	if _, err := s.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), s.Address) {
		t.Errorf("no socket: %v", err)
	}
}

// Between two mails, a server is asked once whether it is still there, and is not greeted again.
func TestGreetsOnce(t *testing.T) {
	for _, lmtp := range []bool{true, false} {
		s := scripted(t, lmtp, "220 here", "250 hello", "250 ok", "250 ok", "354 go", "250 taken", "250 reset", "250 ok", "250 ok", "354 go", "250 taken")
		c, err := s.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			want(t, "result", results(c.Send(t.Context(), "", []string{"a@example.com"}, strings.NewReader(text))), []string{"taken"})
		}
		c.Close()
	}
}

// A server that takes commands without waiting for answers gets the whole envelope at once, and the command DATA with it. What it
// answers counts as it does one by one, and nobody gets a mail that was refused.
func TestEnvelopeAtOnce(t *testing.T) {
	hello := []string{"220 here", "250-hello\r\n250 PIPELINING"}
	again := []string{"250 reset", "250 ok\r\n250 ok\r\n250 ok\r\n354 go", "250 taken\r\n250 taken"}
	to := []string{"a@example.com", "b@example.com"}
	both := func(result string) []string { return []string{result, result} }
	for _, test := range []struct {
		reason  string
		answers []string
		want    []string
		usable  bool // for another mail
	}{
		{"taken", []string{"250 ok\r\n250 ok\r\n251 elsewhere\r\n354 go", "250 taken\r\n250 taken"}, both("taken"), true},
		{"one is refused", []string{"250 ok\r\n550 5.1.1 nobody\r\n250 ok\r\n354 go", "250 taken"}, []string{"550 5.1.1 nobody, for good: true", "taken"}, true},
		{"all are refused", []string{"250 ok\r\n550 5.1.1 nobody\r\n450 4.2.1 later\r\n503 for whom?"},
			[]string{"550 5.1.1 nobody, for good: true", "450 4.2.1 later, for good: false"}, true},
		{"all are refused, and a mail is wanted", []string{"250 ok\r\n550 5.1.1 nobody\r\n550 5.1.1 nobody\r\n354 go"}, both("550 5.1.1 nobody, for good: true"), false},
		{"the sender is refused", []string{"451 4.7.1 not now\r\n503 what?\r\n503 what?\r\n503 what?"}, both("451 4.7.1 not now, for good: false"), true},
		{"the sender is refused, and a mail is wanted", []string{"451 4.7.1 not now\r\n250 ok\r\n250 ok\r\n354 go"}, both("451 4.7.1 not now, for good: false"), false},
		{"the mail is refused", []string{"250 ok\r\n250 ok\r\n250 ok\r\n554 5.7.1 no"}, both("554 5.7.1 no, for good: true"), true},
		{"ends at once", []string{"421 later"}, both("temporary"), false},
		{"ends after one", []string{"250 ok\r\n250 ok\r\n421 later"}, both("temporary"), false},
		{"ends before the mail", []string{"250 ok\r\n250 ok\r\n250 ok\r\n421 later"}, both("temporary"), false},
		{"leaves after one", []string{"250 ok\r\n550 5.1.1 nobody"}, []string{"550 5.1.1 nobody, for good: true", "temporary"}, false},
		{"answers with nonsense", []string{"250 ok\r\nwhat"}, both("temporary"), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			answers := append(slices.Clip(hello), test.answers...)
			if test.usable {
				answers = append(answers, again...)
			}
			c, err := scripted(t, true, answers...).Connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			want(t, "result", results(c.Send(t.Context(), "", to, strings.NewReader(text))), test.want)
			next := both("temporary")
			if test.usable {
				next = both("taken")
			}
			want(t, "another", results(c.Send(t.Context(), "", to, strings.NewReader(text))), next)
		})
	}
}

// A server that takes nothing does not hold us for ever.
func TestStuck(t *testing.T) {
	skip.OnOtherDays(t)
	s := scripted(t, false, "220 here", "250 hello", "250 ok", "250 ok", "354 go", "wait")
	c, err := s.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.conn.patience = 200 * time.Millisecond // with what goes out
	want(t, "result", results(c.Send(t.Context(), "", []string{"a@example.com"}, io.LimitReader(endless{}, 64<<20))), []string{"temporary"})
	c.Close()
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// When the time is over, the answer to a whole mail is waited for a little while.
func TestLastAnswer(t *testing.T) {
	s := newSink(t, true)
	s.hold, s.held = make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	c, err := s.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		<-s.held // the server has the mail
		cancel()
		for ending := false; !ending; time.Sleep(time.Millisecond) {
			c.conn.mu.Lock()
			ending = c.conn.ending
			c.conn.mu.Unlock()
		}
		close(s.hold)
	}()
	want(t, "result", results(c.Send(ctx, "", []string{"a@example.com"}, strings.NewReader(text))), []string{"taken"})
	want(t, "afterwards", results(c.Send(ctx, "", []string{"a@example.com"}, strings.NewReader(text))), []string{"temporary"})
}

func TestPlaces(t *testing.T) {
	for place, want := range map[string]string{
		"/run/dovecot/lmtp": "unix /run/dovecot/lmtp", "./lmtp": "unix ./lmtp", "localhost:24": "tcp localhost:24", "[::1]:24": "tcp [::1]:24",
		"localhost": "", "": "", ":24": "", "localhost:": "",
	} {
		s, err := LMTPServer(place)
		got := ""
		if err == nil {
			got = s.Network + " " + s.Address
		}
		if got != want || err == nil && !s.LMTP {
			t.Errorf("LMTP %q: %q, %v", place, got, err)
		}
	}
	for place, want := range map[string]string{
		"localhost": "localhost:25", "mail.example.com:587": "mail.example.com:587", "::1": "[::1]:25", "[::1]": "[::1]:25", "[::1]:26": "[::1]:26", "": "", ":25": "", "a b": "", "/x": "", "a:b:c": "",
	} {
		s, err := SMTPServer(place)
		got := ""
		if err == nil {
			got = s.Address
		}
		if got != want || err == nil && s.LMTP {
			t.Errorf("SMTP %q: %q, %v", place, got, err)
		}
	}
}

func TestMain(m *testing.M) {
	room.InMemory()
	runChild()
	os.Exit(postgresqltest.Main(m))
}

// A server is asked whether it takes a mail, gets none, and takes mails afterwards.
func TestAsk(t *testing.T) {
	for _, lmtp := range []bool{true, false} {
		s := newSink(t, lmtp)
		c, err := s.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		results := c.Ask("", []string{"paul@example.com", "550@example.com"})
		var refused *RefusedError
		if results[0] != nil || !errors.As(results[1], &refused) || refused.Code != 550 {
			t.Errorf("LMTP %t: %v", lmtp, results)
		}
		if len(s.all()) > 0 {
			t.Errorf("LMTP %t: it got a mail", lmtp)
		}
		if errs := c.Send(t.Context(), "", []string{"paul@example.com"}, strings.NewReader("From: a@example.com\r\n\r\nx\r\n")); errs[0] != nil {
			t.Errorf("LMTP %t: after it was asked: %v", lmtp, errs)
		}
		c.Close()
	}
}
