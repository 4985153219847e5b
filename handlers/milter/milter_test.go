package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/d--j/go-milter"

	"imip-agent/handlers/outgoing"
	"imip-agent/handlers/spool"
	"imip-agent/handlers/submission"
)

// site is a filter that runs, and what it has taken.
type site struct {
	*submission.Gate
	t      *testing.T
	guard  *Guard
	socket string

	mu     sync.Mutex
	log    bytes.Buffer
	taken  []taken
	broken error
	panics bool
	put    func(spool.Note, io.WriterTo, int64) error // nil, or where messages go
}

type taken struct {
	spool.Note
	text string
}

// Put implements [spool.Putter].
func (s *site) Put(note spool.Note, message io.WriterTo, size int64) error {
	if s.put != nil {
		return s.put(note, message, size)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("a bug")
	}
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

func newSite(t testing.TB, limits ...func(*Guard)) *site {
	t.Helper()
	s := &site{socket: filepath.Join(t.TempDir(), "milter")}
	s.t, _ = t.(*testing.T)
	s.Gate = &submission.Gate{
		Taker: &outgoing.Later{Spool: s, Limit: 1 << 20},
		User: func(login string) (string, error) {
			switch login {
			case "paul":
				return "paul@example.com", nil
			case "broken":
				return "", errors.New("no such file")
			}
			return "", nil
		},
		Trusted: func(ip net.IP) bool { return ip.IsLoopback() },
		Log:     slog.New(slog.NewTextHandler(s, nil)),
	}
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	s.guard = &Guard{Listener: l}
	for _, limit := range limits {
		limit(s.guard)
	}
	server := NewServer(s.Gate)
	done := make(chan struct{})
	go func() { server.Serve(s.guard); close(done) }()
	t.Cleanup(func() { server.Close(); <-done })
	return s
}

// client is what a mail system has open.
type client struct {
	*milter.ClientSession
	t      *testing.T
	macros *milter.MacroBag
}

func (s *site) connect(from string) *client {
	s.t.Helper()
	c := &client{t: s.t, macros: milter.NewMacroBag()}
	var err error
	c.ClientSession, err = milter.NewClient("unix", s.socket).Session(c.macros)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	family := milter.FamilyInet
	if _, err := c.Conn("client.example.com", family, 1234, from); err != nil {
		s.t.Fatal(err)
	}
	if _, err := c.Helo("client.example.com"); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// send sends a mail, and returns what the milter says in the end, and after which step.
func (c *client) send(login, text string) (said *milter.Action, after string) {
	c.t.Helper()
	c.macros.Set(milter.MacroAuthAuthen, login)
	c.macros.Set(milter.MacroQueueId, "4bX")
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	check := func(step string, action *milter.Action, err error) bool {
		c.t.Helper()
		if err != nil {
			c.t.Fatalf("%s: %v", step, err)
		}
		said, after = action, step
		return action.Type != milter.ActionContinue
	}
	action, err := c.Mail("p@example.com", "")
	if check("MAIL", action, err) {
		return
	}
	if action, err = c.Rcpt("v@example.com", ""); check("RCPT", action, err) {
		return
	}
	if action, err = c.DataStart(); check("DATA", action, err) {
		return
	}
	for _, field := range strings.Split(strings.ReplaceAll(head, "\r\n ", "\n "), "\r\n") {
		name, value, _ := strings.Cut(field, ":")
		if action, err = c.HeaderField(name, value, nil); check("header", action, err) {
			return
		}
	}
	if action, err = c.HeaderEnd(); check("end of header", action, err) {
		return
	}
	for len(body) > 0 {
		n := min(len(body), 1000)
		if action, err = c.BodyChunk([]byte(body[:n])); err != nil {
			c.t.Fatal(err)
		}
		if action.Type != milter.ActionContinue && action.Type != milter.ActionSkip {
			return action, "body"
		}
		body = body[n:]
	}
	changes, action, err := c.End()
	check("end", action, err)
	if len(changes) > 0 {
		c.t.Errorf("the mail is changed: %v", changes)
	}
	return
}

const calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:a\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

const invitation = "From: Paul <paul@example.com>\r\nTo: vincent@example.com\r\nSubject: a\r\n  folded one\r\nX-Odd:no space\r\nX-Empty:\r\n" +
	"Content-Type: text/calendar;\r\n method=REQUEST\r\n\r\n" + calendar

const newsletter = "From: Paul <paul@example.com>\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n" +
	"--x\r\nContent-Type: text/plain\r\n\r\ntext/calendar; method=REQUEST\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>\r\n--x--\r\n"

const within = "From: Paul <paul@example.com>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
	"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n" + calendar + "--x--\r\n"

// Of mail that users send, calendars are taken as they are, and nothing else.
func TestFilter(t *testing.T) {
	for name, test := range map[string]struct {
		login, from, text string
		after             string
		user              string // whose it is; "-": nobody's that is known
	}{
		"an invitation":             {"paul", "192.0.2.1", invitation, "end", "paul@example.com"},
		"an invitation in a mail":   {"paul", "192.0.2.1", within, "end", "paul@example.com"},
		"nobody has logged in":      {"", "192.0.2.1", invitation, "MAIL", ""},
		"a login without calendar":  {"root", "192.0.2.1", invitation, "MAIL", ""},
		"a host that is trusted":    {"", "127.0.0.1", invitation, "end", "-"},
		"somebody on such a host":   {"paul", "127.0.0.1", invitation, "end", "paul@example.com"},
		"plain text":                {"paul", "192.0.2.1", "From: a@x\r\nContent-Type: text/plain\r\n\r\nhello\r\n", "end of header", ""},
		"no type":                   {"paul", "192.0.2.1", "From: a@x\r\n\r\n" + calendar, "end of header", ""},
		"several parts, no event":   {"paul", "192.0.2.1", newsletter, "end", ""},
		"a calendar without method": {"paul", "192.0.2.1", "From: a@x\r\nContent-Type: text/calendar\r\n\r\n" + calendar, "end", ""},
		"two types":                 {"paul", "192.0.2.1", "Content-Type: text/plain\r\n" + invitation, "end", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			said, after := s.connect(test.from).send(test.login, test.text)
			if said.Type != milter.ActionAccept || after != test.after {
				t.Errorf("after %s the milter says %v, want to accept after %s", after, said.Type, test.after)
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
			want := spool.Note{User: test.user, Source: "milter", Sender: "p@example.com", Mail: "4bX"}
			if test.user == "-" {
				want.User, want.Order = "", "paul@example.com"
			}
			if all[0].Note != want || all[0].text != test.text {
				t.Errorf("taken: %+v\n%q\n%q", all[0].Note, all[0].text, test.text)
			}
		})
	}
}

// What cannot be taken is accepted and counted, or refused for now, and the connection goes on.
func TestLost(t *testing.T) {
	for name, spoil := range map[string]func(*site) (login string){
		"a spool that is full":        func(s *site) string { s.broken = spool.ErrFull; return "paul" },
		"a bug":                       func(s *site) string { s.panics = true; return "paul" },
		"whose it is cannot be said":  func(s *site) string { return "broken" },
		"no place for large messages": func(s *site) string { s.Dir = "/nowhere"; return "paul" },
	} {
		for _, refuse := range []bool{false, true} {
			s := newSite(t)
			s.Refuse = refuse
			login := spoil(s)
			c := s.connect("192.0.2.1")
			want, lost := milter.ActionAccept, int64(1)
			if refuse {
				want, lost = milter.ActionTempFail, 0
			}
			text := invitation
			if s.Dir != "" {
				text += strings.Repeat("X-LONG:x\r\n", 100_000)
			}
			if said, after := c.send(login, text); said.Type != want || s.Lost() != lost {
				t.Errorf("%s: the milter says %v after %s, %d are lost", name, said.Type, after, s.Lost())
			}
			s.mu.Lock()
			s.broken, s.panics = nil, false
			s.mu.Unlock()
			if err := c.Abort(nil); err != nil {
				t.Fatal(err)
			}
			if said, _ := c.send("paul", invitation); said.Type != milter.ActionAccept || len(s.all()) != 1 {
				t.Errorf("%s: the next mail: %v, taken %+v", name, said.Type, s.all())
			}
		}
	}
}

// A message that is too large is accepted without being looked at.
func TestTooLarge(t *testing.T) {
	s := newSite(t)
	s.Most = 5000
	c := s.connect("192.0.2.1")
	if said, after := c.send("paul", within+strings.Repeat("x", 6000)); said.Type != milter.ActionAccept || after != "end" || s.Lost() != 1 {
		t.Errorf("the milter says %v after %s, %d are lost", said.Type, after, s.Lost())
	}
	if len(s.all()) > 0 {
		t.Errorf("taken: %+v", s.all())
	}
}

// A mail system waits for few answers, each of which is a round trip. Where it is told nothing of answers that it need not wait for, it
// gets one to each step.
func TestAnswers(t *testing.T) {
	const plain, multipart = "Content-Type\x00text/plain\x00", "Content-Type\x00multipart/mixed; boundary=b\x00"
	for name, c := range map[string]struct {
		protocol uint32
		field    string
		want     string // the first octets of the answers: to the offer, to MAIL, to the end of the header, and so on
	}{
		"no calendar by its header":    {0x1fffff, plain, "Oca"},
		"no calendar by its body":      {0x1fffff, multipart, "Occa"},
		"a mail system of an old time": {0, multipart, "Occcccca"},
	} {
		s := newSite(t)
		conn, err := net.Dial("unix", s.socket)
		if err != nil {
			t.Fatal(err)
		}
		packet := func(data string) string {
			return string(binary.BigEndian.AppendUint32(nil, uint32(len(data)))) + data
		}
		offer := binary.BigEndian.AppendUint32([]byte("O\x00\x00\x00\x06\x00\x00\x01\xff"), c.protocol)
		steps := packet(string(offer)) + packet("Cclient.example.com\x004\x00\x50192.0.2.1\x00") +
			packet("DM{auth_authen}\x00paul\x00") + packet("M<paul@example.com>\x00") + packet("L"+c.field) + packet("N")
		if c.field == multipart {
			steps += packet("B--b\r\n\r\nx\r\n") + packet("B--b--\r\n") + packet("E")
		}
		if _, err := io.WriteString(conn, steps+packet("Q")); err != nil {
			t.Fatal(err)
		}
		answers, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		got := ""
		for len(answers) > 4 {
			got += string(answers[4])
			answers = answers[4+binary.BigEndian.Uint32(answers):]
		}
		if got != c.want {
			t.Errorf("%s: the answers are %s, want %s", name, got, c.want)
		}
	}
}

// One connection has mails of several users, and mails that are given up: nothing of one is in another.
func TestSeveral(t *testing.T) {
	s := newSite(t)
	c := s.connect("192.0.2.1")
	again := func() {
		t.Helper()
		if err := c.Abort(nil); err != nil {
			t.Fatal(err)
		}
	}
	c.send("paul", invitation)
	again()
	c.send("", invitation)
	again()
	c.macros.Set(milter.MacroAuthAuthen, "paul")
	if _, err := c.Mail("p@example.com", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Rcpt("v@example.com", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DataStart(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.HeaderField("Content-Type", " text/calendar; method=REQUEST", nil); err != nil {
		t.Fatal(err)
	}
	again()
	c.send("paul", "From: a@x\r\n\r\nhello\r\n")
	again()
	c.send("paul", within)
	all := s.all()
	if len(all) != 2 || all[0].text != invitation || all[1].text != within {
		t.Errorf("taken: %+v", all)
	}
}

// Whoever comes next over a connection of the mail system is not trusted for who came before.
func TestNewConnection(t *testing.T) {
	s := newSite(t)
	c := s.connect("127.0.0.1")
	if err := c.Reset(c.macros); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Conn("client.example.com", milter.FamilyUnknown, 0, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Helo("client.example.com"); err != nil {
		t.Fatal(err)
	}
	if said, after := c.send("", invitation); said.Type != milter.ActionAccept || after != "MAIL" {
		t.Errorf("the milter says %v after %s", said.Type, after)
	}
	session := &session{gate: s.Gate, trusted: true}
	if err := session.NewConnection(nil); err != nil || session.trusted {
		t.Errorf("still trusted, %v", err)
	}
}

func packet(code byte, data string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(data)+1))) + string(code) + data
}

var negotiation = packet('O', "\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff")

// hostile are what clients send that want to do harm.
var hostile = map[string]string{
	"another protocol":       "EHLO example.com\r\n",
	"an empty packet":        negotiation + "\x00\x00\x00\x00",
	"a huge packet":          negotiation + "\xff\xff\xff\xffX",
	"a large packet":         negotiation + "\x10\x00\x00\x00X",
	"half a packet":          negotiation + "\x00\x00\x10\x00C",
	"half a length":          "\x00\x00",
	"a name without its end": negotiation + packet('C', "client"),
	"no address":             negotiation + packet('C', "client\x00"),
	"no port":                negotiation + packet('C', "client\x004"),
	"odd family":             negotiation + packet('C', "client\x00?"),
	"a sender without end":   negotiation + packet('M', "<p@example.com>"),
	"nothing":                negotiation + packet('M', ""),
	"an odd field":           negotiation + packet('M', "<p>\x00") + packet('L', "a\x00b\x00c\x00"),
	"a field alone":          negotiation + packet('L', "a\x00b\x00") + packet('N', "") + packet('B', "x") + packet('E', ""),
	"macros without values":  negotiation + packet('D', "M{auth_authen}") + packet('M', "<p>\x00") + packet('E', ""),
	"no macro":               negotiation + packet('D', ""),
	"no negotiation":         packet('M', "<p>\x00"),
	"negotiation twice":      negotiation + negotiation,
	"a short negotiation":    packet('O', "\x00"),
	"an unknown command":     negotiation + packet('?', "x"),
}

// Whatever clients send costs their own connection only.
func TestHostile(t *testing.T) {
	s := newSite(t)
	for name, bytes := range hostile {
		c, err := net.Dial("unix", s.socket)
		if err != nil {
			t.Fatal(name, err)
		}
		if _, err := c.Write([]byte(bytes)); err == nil {
			c.(*net.UnixConn).CloseWrite()
			io.Copy(io.Discard, c) // until the milter has had enough
		}
		c.Close()
	}
	if said, after := s.connect("192.0.2.1").send("paul", invitation); said.Type != milter.ActionAccept || after != "end" || len(s.all()) != 1 {
		t.Errorf("an honest client: %v after %s, taken %+v", said.Type, after, s.all())
	}
}

// A client that says nothing, or that takes its time over a packet, is left. There is an end to how many there can be.
func TestSlow(t *testing.T) {
	for _, begin := range []string{"", negotiation, negotiation + "\x00\x00\x10\x00C"} {
		s := newSite(t, func(g *Guard) { g.Idle, g.Slow = 50*time.Millisecond, 50*time.Millisecond })
		c, err := net.Dial("unix", s.socket)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, begin) // the milter may have left it already
		io.Copy(io.Discard, c)
		c.Close()
	}
}

// Where there are too many connections, those go that have said nothing for longest, half a packet or not. Who talks stays.
func TestTooMany(t *testing.T) {
	// Far more than connect between two messages of the honest client: the milter may read late what others have said, and they
	// seem to have said it later than that client.
	const most = 20
	s := newSite(t, func(g *Guard) { g.Most = most })
	honest := s.connect("192.0.2.1")
	for n := range 200 {
		c, err := net.Dial("unix", s.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		begin := []string{"", negotiation, negotiation + "\x00\x00\x10\x00C"}[n%3]
		if _, err := io.WriteString(c, begin); err != nil {
			t.Fatal(err)
		}
		if n%3 == 1 {
			if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
				t.Fatal(n, err)
			}
			if said, after := honest.send("paul", invitation); said.Type != milter.ActionAccept || after != "end" {
				t.Fatalf("%d: the milter says %v after %s", n, said.Type, after)
			}
		}
		if n := s.guard.Open(); n > most {
			t.Fatalf("%d are open", n)
		}
	}
}

// A listener that fails now and then because the machine lacks something.
type failing struct {
	net.Listener
	errs []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", err)}
	}
	return f.Listener.Accept()
}

// That there is no file left for a connection does not end the service.
func TestNoFiles(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g := &Guard{Listener: &failing{l, []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED}}}
	client, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := g.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	g.Listener.(*failing).errs = []error{syscall.EINVAL}
	if _, err := g.Accept(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("an error of the listener: %v", err)
	}
}

// There is an end to what large packets take together. Small ones get through.
func TestLargePackets(t *testing.T) {
	s := newSite(t)
	begin := "\x00\x3f\xff\xffL" // 4 MB
	var open []net.Conn
	for range 3 * mostLarge / mostPacket {
		c, err := net.Dial("unix", s.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, negotiation+begin); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	closed := func() bool { return s.guard.Open() <= mostLarge/mostPacket+1 }
	for began := time.Now(); !closed(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("%d are open", s.guard.Open())
		}
	}
	if said, after := s.connect("192.0.2.1").send("paul", invitation); said.Type != milter.ActionAccept || after != "end" {
		t.Errorf("the milter says %v after %s", said.Type, after)
	}
	for _, c := range open {
		c.Close()
	}
	for began := time.Now(); s.guard.room.Load() != 0; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("%d octets are not given back", s.guard.room.Load())
		}
	}
}

// FuzzPackets sends anything: the process must live.
func FuzzPackets(f *testing.F) {
	for _, bytes := range hostile {
		f.Add([]byte(bytes))
	}
	f.Add([]byte(negotiation + packet('C', "c\x004\x00\x19192.0.2.1\x00") + packet('D', "M{auth_authen}\x00paul\x00") + packet('M', "<p>\x00") +
		packet('L', "Content-Type\x00 text/calendar; method=REQUEST\x00") + packet('N', "") + packet('B', calendar) + packet('E', "")))
	s := newSite(f)
	f.Fuzz(func(t *testing.T, bytes []byte) {
		c, err := net.Dial("unix", s.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(bytes); err == nil {
			c.(*net.UnixConn).CloseWrite()
			io.Copy(io.Discard, c)
		}
	})
}
