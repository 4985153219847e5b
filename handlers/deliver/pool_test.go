package deliver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// host is an LMTP server that does with its first connection, after a mail, what it is told to.
type host struct {
	*Server
	after map[string]string // answers of the first connection to commands after its first mail; "": none. Nil: as ever

	mu       sync.Mutex
	sessions int
	open     int
	mails    []string
	gone     chan struct{} // closed when the first connection has ended
}

func newHost(t *testing.T, leaves bool, after map[string]string) *host {
	t.Helper()
	h := &host{after: after, gone: make(chan struct{})}
	place := filepath.Join(t.TempDir(), "lmtp")
	l, err := net.Listen("unix", place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if h.Server, err = LMTPServer(place); err != nil {
		t.Fatal(err)
	}
	h.Pool, h.Patience = new(Pool), time.Minute
	t.Cleanup(h.Pool.Close)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.sessions++
			h.open++
			first := h.sessions == 1
			h.mu.Unlock()
			go h.serve(c, first, leaves)
		}
	}()
	return h
}

func (h *host) serve(c net.Conn, first, leaves bool) {
	defer func() {
		c.Close()
		h.mu.Lock()
		h.open--
		h.mu.Unlock()
		if first {
			close(h.gone)
		}
	}()
	lines := bufio.NewScanner(c)
	had := false
	say := func(answer string) { _, _ = io.WriteString(c, answer+"\r\n") }
	say("220 host")
	for lines.Scan() {
		command, _, _ := strings.Cut(lines.Text(), " ")
		if answer, is := h.after[command]; is && first && had {
			if answer != "" {
				say(answer)
			}
			continue
		}
		switch command {
		case "DATA":
			say("354 go on")
			var text []string
			for lines.Scan() && lines.Text() != "." {
				text = append(text, lines.Text())
			}
			h.mu.Lock()
			h.mails = append(h.mails, strings.Join(text, "\n"))
			h.mu.Unlock()
			had = true
			say("250 taken")
			if first && leaves {
				return
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 well")
		}
	}
}

// hand hands over a mail by a sender of its own.
func (h *host) hand(ctx context.Context, text string) error {
	s := &Sender{Mailbox: h.Server}
	defer s.Close()
	return s.Hand(ctx, Envelope{Mailbox: true, From: "a@example.com", To: "b@example.com"}, strings.NewReader(text))
}

func (h *host) want(t *testing.T, sessions, open int, mails ...string) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sessions != sessions || h.open != open || fmt.Sprint(h.mails) != fmt.Sprint(mails) {
		t.Errorf("%d sessions, %d open, mails %q; want %d, %d, %q", h.sessions, h.open, h.mails, sessions, open, mails)
	}
}

// settle waits until so many connections are open.
func (h *host) settle(t *testing.T, open int) {
	t.Helper()
	for range 6000 {
		h.mu.Lock()
		n := h.open
		h.mu.Unlock()
		if n == open {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("there are not %d connections", open)
}

// One mail after another goes by the same connection, until nobody wants it any more.
func TestPool(t *testing.T) {
	h := newHost(t, false, nil)
	for _, text := range []string{"one", "two", "three"} {
		if err := h.hand(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	h.want(t, 1, 1, "one", "two", "three")
	h.Pool.expire(h.Pool.idle[0].Connection)
	h.settle(t, 0)
	if err := h.hand(t.Context(), "four"); err != nil {
		t.Fatal(err)
	}
	h.want(t, 2, 1, "one", "two", "three", "four")
	h.Pool.Close()
	h.settle(t, 0)
	if err := h.hand(t.Context(), "five"); err != nil {
		t.Fatal(err)
	}
	h.settle(t, 0)
	h.want(t, 3, 0, "one", "two", "three", "four", "five")
}

// A connection whose server has left, or does not answer, or wants no more, is replaced, and each mail is sent once.
func TestPoolDead(t *testing.T) {
	for name, c := range map[string]struct {
		leaves   bool
		after    map[string]string
		patience time.Duration
	}{
		"it has left":   {leaves: true},
		"it is silent":  {after: map[string]string{"RSET": "", "QUIT": ""}, patience: 100 * time.Millisecond},
		"it has enough": {after: map[string]string{"RSET": "421 too many mails"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, c.leaves, c.after)
			if err := h.hand(t.Context(), "one"); err != nil {
				t.Fatal(err)
			}
			if c.leaves {
				<-h.gone
			}
			if c.patience > 0 {
				h.Pool.idle[0].client.CommandTimeout = c.patience
			}
			for _, text := range []string{"two", "three"} {
				if err := h.hand(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			<-h.gone
			h.want(t, 2, 1, "one", "two", "three")
		})
	}
}

// What is begun by a connection that was kept is not sent again by another one: nobody knows whether it was taken.
func TestPoolUnanswered(t *testing.T) {
	h := newHost(t, false, map[string]string{"DATA": "421 not now"})
	if err := h.hand(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	var refused *RefusedError
	if err := h.hand(t.Context(), "two"); err == nil || errors.As(err, &refused) {
		t.Errorf("error %v", err)
	}
	<-h.gone // it is not kept
	h.want(t, 1, 0, "one")
}

// A connection that was used so often is not kept. Nor is one whose time is over.
func TestPoolUsed(t *testing.T) {
	h := newHost(t, false, nil)
	for range mostMails + 1 {
		if err := h.hand(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	h.settle(t, 1)
	if h.sessions != 2 {
		t.Errorf("%d sessions", h.sessions)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &Sender{Mailbox: h.Server}
	if err := s.Hand(ctx, Envelope{Mailbox: true, To: "b@example.com"}, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	cancel()
	h.settle(t, 0) // it is cut at once
	s.Close()
	if n := len(h.Pool.idle); n > 0 {
		t.Errorf("%d are kept", n)
	}
}

// Many at once use no connection together, and leave no more than may be kept.
func TestPoolCrowd(t *testing.T) {
	h := newHost(t, false, nil)
	var wg sync.WaitGroup
	for i := range 2 * mostIdle {
		wg.Go(func() {
			for n := range 10 {
				if err := h.hand(t.Context(), fmt.Sprint(i, "-", n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	found := map[string]int{}
	for _, mail := range h.mails {
		found[mail]++
	}
	if len(found) != 20*mostIdle || len(h.mails) != len(found) {
		t.Errorf("%d mails, %d different", len(h.mails), len(found))
	}
	if n := len(h.Pool.idle); n == 0 || n > mostIdle {
		t.Errorf("%d connections are kept", n)
	}
	h.settle(t, len(h.Pool.idle))
}
