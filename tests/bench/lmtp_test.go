package bench

import (
	"fmt"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/mailbox"
	"imip-agent/tests/program"
)

// What BenchmarkLMTP hands in at a time: so many messages, of which so many are on their way at once, as Postfix has it.
const (
	lmtpMessages = 300
	lmtpAtOnce   = 20
)

// BenchmarkLMTP gives messages for so many users to the program, as pipe(8) does, and to the service by LMTP, in turns, each with
// a store and a mailbox server of its own. It reports the medians of what they handle in a second, and how many times more
// the service handles. A round takes seconds, so give it -benchtime 3x. The original's program, where it is installed, is given the
// messages once, but for those of one user: it waits for a second where another program holds the lock.
//
// The pipe is the program alone: what Postfix does for each mail that it pipes, with a process of pipe(8) and a copy of the
// mail, is left out. So is what it does to hand in by LMTP, but for the protocol. Who hands in, and the mailbox server,
// run in the process of the test, on the same processors.
func BenchmarkLMTP(b *testing.B) {
	for _, c := range []struct {
		name    string
		users   int
		compose func(string, int, string) []byte
	}{
		{"users=100", 100, request}, {"users=1", 1, request}, {"mail,users=100", 100, letter},
	} {
		b.Run(c.name, func(b *testing.B) {
			pipe, service := newPiped(b), newServed(b)
			var original *piped
			if c.users > 1 {
				original = newOriginal(b)
			}
			var piped, served []float64
			n := 0
			round := func(deliver func(to string, text []byte) error) float64 {
				next := make(chan int)
				var wg sync.WaitGroup
				began := time.Now()
				for range lmtpAtOnce {
					wg.Go(func() {
						for i := range next {
							to := fmt.Sprintf("user%d@example.com", i%c.users)
							text := c.compose(fmt.Sprintf("bench-%d-%d", n, i), i, "")
							if err := deliver(to, []byte(strings.ReplaceAll(string(text), "vincent.vole@example.com", to))); err != nil {
								b.Error(err)
							}
						}
					})
				}
				for i := range lmtpMessages {
					next <- i
				}
				close(next)
				wg.Wait()
				n++
				return lmtpMessages / time.Since(began).Seconds()
			}
			for b.Loop() {
				piped = append(piped, round(pipe.deliver))
				served = append(served, round(service.deliver))
			}
			if original != nil {
				rate := round(original.deliver)
				n-- // it has a mailbox server of its own
				b.ReportMetric(rate, "original/s")
			}
			middle := func(rates []float64) float64 { slices.Sort(rates); return rates[len(rates)/2] }
			b.ReportMetric(middle(piped), "piped/s")
			b.ReportMetric(middle(served), "served/s")
			b.ReportMetric(middle(served)/middle(piped), "times")
			b.ReportMetric(0, "ns/op")
			for name, box := range map[string]*mailbox.Server{"pipe": pipe.box, "service": service.box} {
				if got := len(box.Taken()); got != n/2*lmtpMessages {
					b.Errorf("the %s has delivered %d mails of %d", name, got, n/2*lmtpMessages)
				}
			}
		})
	}
}

// behind is a room, and the mailbox server behind it.
type behind struct {
	path, dir string // the program, and the directory that it runs in
	room      compat.Room
	box       *mailbox.Server
}

func newBehind(b *testing.B, path, settings string) behind {
	b.Helper()
	p := behind{path: path, room: compat.Room(b.TempDir())}
	var err error
	if err := p.room.Furnish(&compat.Conversation{}); err != nil {
		b.Fatal(err)
	}
	if p.box, err = mailbox.LMTP(filepath.Join(b.TempDir(), "lmtp")); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.box.Close)
	if err := program.Settings(p.room, settings+"MAILBOX_SERVER = '"+p.box.Place+"'\n"); err != nil {
		b.Fatal(err)
	}
	return p
}

// piped runs a program for each message.
type piped struct{ behind }

func newPiped(b *testing.B) piped { return piped{newBehind(b, build(b, "imip_person"), "")} }

// newOriginal returns nil if the original is not installed.
func newOriginal(b *testing.B) *piped {
	b.Helper()
	dir, ok := compat.FindPeer()
	if !ok {
		return nil
	}
	p := piped{newBehind(b, filepath.Join(dir, "bin", compat.Incoming), "")}
	p.dir = filepath.Join(dir, "etc")
	return &p
}

func build(b *testing.B, name string) (path string) {
	b.Helper()
	path, err := program.BuildShipped(b.TempDir(), name)
	if err != nil {
		b.Fatal(err)
	}
	return path
}

func (p piped) deliver(to string, text []byte) error {
	cmd, stderr := program.Command(p.path, clock.Today(), p.room, text, "-o", to, "-l", p.box.Place)
	cmd.Dir = p.dir
	if status := program.Status(cmd, cmd.Run()); status != 0 {
		return fmt.Errorf("status %d: %s", status, stderr)
	}
	return nil
}

// served is a service. Its connections are used again, as Postfix does where there are many mails.
type served struct {
	behind
	free chan *client
	lmtp string
}

func newServed(b *testing.B) served {
	b.Helper()
	dir, err := os.MkdirTemp("", "lmtp") // short enough for a socket
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	s := served{free: make(chan *client, lmtpAtOnce), lmtp: filepath.Join(dir, "lmtp")}
	s.behind = newBehind(b, build(b, "imip-agent"), "MILTER_SOCKET = None\nMETRICS_ADDRESS = None\nLMTP_SOCKET = '"+s.lmtp+"'\n")
	cmd, stderr := program.Command(s.path, clock.Today(), s.room, nil, "serve")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if status := program.Status(cmd, cmd.Wait()); status != 0 {
			b.Errorf("status %d: %s", status, stderr)
		}
	})
	for range 6000 {
		conn, err := net.Dial("unix", s.lmtp)
		if err == nil {
			conn.Close()
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatalf("the service takes no connections: %s", stderr)
	return s
}

func (s served) deliver(to string, text []byte) (err error) {
	var c *client
	select {
	case c = <-s.free:
		err = c.say("RSET", 250)
	default:
		c, err = dial(s.lmtp)
	}
	if err != nil {
		return err
	}
	if err := c.say("MAIL FROM:<paul.boddie@example.com>\r\nRCPT TO:<"+to+">\r\nDATA", 250, 250, 354); err != nil {
		return err
	}
	w := c.text.DotWriter()
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if _, _, err := c.text.ReadResponse(250); err != nil {
		return err
	}
	s.free <- c
	return nil
}

// client is a connection of a mail system. Like Postfix's, it has greeted once, asks with a RSET whether the server is still there,
// and then sends the whole envelope at once (PIPELINING).
type client struct{ text *textproto.Conn }

func dial(socket string) (*client, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	c := &client{textproto.NewConn(conn)}
	if _, _, err := c.text.ReadResponse(220); err != nil {
		return nil, err
	}
	return c, c.say("LHLO localhost", 250)
}

// say sends commands, and reads an answer of each code.
func (c *client) say(commands string, codes ...int) error {
	if err := c.text.PrintfLine("%s", commands); err != nil {
		return err
	}
	for _, code := range codes {
		if _, _, err := c.text.ReadResponse(code); err != nil {
			return err
		}
	}
	return nil
}
