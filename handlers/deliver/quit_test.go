package deliver

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// silent returns a server that takes mails, and hangs when a client says good-bye: it does not answer, or does not even read that.
func silent(reads bool) *Server {
	return &Server{LMTP: true, Network: "tcp", Address: "silent", Patience: time.Hour, dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			lines := bufio.NewReader(theirs)
			_, _ = io.WriteString(theirs, "220 silent\r\n")
			for taking := false; ; {
				line, err := lines.ReadString('\n')
				if err != nil {
					return
				}
				switch line = strings.TrimSpace(line); {
				case taking && line != ".":
				case taking && !reads:
					_, _ = io.WriteString(theirs, "250 taken\r\n")
					return // and it reads no more
				case taking:
					taking = false
					_, _ = io.WriteString(theirs, "250 taken\r\n")
				case line == "QUIT":
				case line == "DATA":
					taking = true
					_, _ = io.WriteString(theirs, "354 go on\r\n")
				default:
					_, _ = io.WriteString(theirs, "250 well\r\n")
				}
			}
		}()
		return ours, nil
	}}
}

// A server that hangs when it is told good-bye holds nobody: a program for two seconds, and the service, which has a pool, not at all.
func TestSilentAtTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		reads bool
		pool  *Pool
		held  time.Duration
	}{
		"without an answer":                {true, nil, quitTime},
		"without reading":                  {false, nil, quitTime},
		"without an answer, with a pool":   {true, &Pool{ended: true}, 0},
		"without reading, with a pool":     {false, &Pool{ended: true}, 0},
		"at the end of the service itself": {true, new(Pool), quitTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer time.Sleep(time.Minute) // all have ended then, or the test fails
				s := silent(c.reads)
				s.Pool = c.pool
				sender := &Sender{Mailbox: s}
				began := time.Now()
				if err := sender.Hand(t.Context(), Envelope{Mailbox: true, From: "a@example.com", To: "b@example.com"}, strings.NewReader("Subject: x\r\n\r\nx\r\n")); err != nil {
					t.Fatal(err)
				}
				sender.Close()
				if c.pool != nil && !c.pool.ended {
					if held := time.Since(began); held != 0 {
						t.Errorf("held for %v before the end", held)
					}
					c.pool.Close()
				}
				if held := time.Since(began); held != c.held {
					t.Errorf("held for %v, want %v", held, c.held)
				}
			})
		})
	}
}

// Where a connection of the pool is dead, the others are closed. Nobody waits for what these say.
func TestSilentBesideTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer time.Sleep(time.Minute)
		s := silent(true)
		s.Pool = new(Pool)
		var both []*Connection
		for range 2 {
			c, err := s.Connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			both = append(both, c)
		}
		s.Pool.give(both[0])
		s.Pool.give(both[1])
		both[1].used = true // so that it is asked
		both[1].conn.Close()
		began := time.Now()
		if c := s.Pool.take(t.Context()); c != nil {
			t.Error("there is a connection that lives")
		}
		if held := time.Since(began); held != 0 {
			t.Errorf("held for %v", held)
		}
		if n := len(s.Pool.idle); n != 0 {
			t.Errorf("%d are kept", n)
		}
	})
}
