package person_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"imip-agent/handlers/deliver"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// While the records of a user are written, the connection to the mailbox server is made.
func TestConnectedAhead(t *testing.T) {
	s := newSite(t)
	place := filepath.Join(t.TempDir(), "lmtp")
	l, err := net.Listen("unix", place)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	connected := make(chan struct{}, 10)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			connected <- struct{}{}
			out, err := net.Dial("unix", s.mailbox.Place)
			if err != nil {
				in.Close()
				return
			}
			go func() { _, _ = io.Copy(out, in); out.Close() }()
			go func() { _, _ = io.Copy(in, out); in.Close() }()
		}
	}()
	if s.Mailbox, err = deliver.LMTPServer(place); err != nil {
		t.Fatal(err)
	}
	s.Store = &slow{s.Store, func() error {
		select {
		case <-connected:
			return nil
		case <-time.After(time.Minute):
			return errors.New("nobody has connected")
		}
	}}
	text := invitation()
	s.handle(text, vincent)
	if forms := s.received(vincent, text); len(forms) != 1 {
		t.Errorf("delivered %q", forms)
	}
	if n := len(connected); n > 0 {
		t.Errorf("%d more connections", n)
	}
}

// slow is a store that has something to wait for before it commits.
type slow struct {
	stores.Store
	wait func() error
}

func (s *slow) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return s.Store.Update(ctx, user, func(tx stores.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return s.wait()
	})
}
