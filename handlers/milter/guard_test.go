package milter

import (
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Packets of any size come as they were sent, one after another.
func TestPackets(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "milter"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var sent strings.Builder
	for i, size := range []int{1, 30, mostKept + 1, 2, 3 * ordinary, 0, mostKept, 7, mostPacket - 1, 5} {
		sent.WriteString(packet('B', strings.Repeat(string(rune('a'+i)), size)))
	}
	failed := make(chan error, 1)
	go func() {
		c, err := net.Dial("unix", l.Addr().String())
		if err == nil {
			_, err = io.WriteString(c, sent.String())
			c.Close()
		}
		failed <- err
	}()
	c, err := (&Guard{Listener: l}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := io.ReadAll(c); err != nil || string(got) != sent.String() {
		t.Errorf("%d octets of %d, or others: %v", len(got), sent.Len(), err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

// A mail without a calendar leaves little garbage: it is what most mail is, and its mail system waits for what collects that.
func TestGarbage(t *testing.T) {
	s := newSite(t)
	c, err := net.Dial("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	said := func(n int, ask string) string {
		t.Helper()
		answer := make([]byte, n)
		if _, err := io.WriteString(c, ask); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, answer); err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	said(len(negotiation)+len("\x00\x00\x00\x02{auth_authen}\x00\x00\x00\x00\x05i\x00"), negotiation)
	begin := packet('D', "M{auth_authen}\x00paul\x00") + packet('M', "<paul@example.com>\x00")
	var header strings.Builder
	for _, field := range []string{"From\x00 paul@example.com", "To\x00 vincent@example.com", "Subject\x00 news", "MIME-Version\x00 1.0", "Content-Type\x00 text/plain"} {
		header.WriteString(packet('L', field+"\x00"))
	}
	header.WriteString(packet('N', ""))
	mails := func(n int) {
		for range n {
			if got := said(5, begin); got != packet('c', "") {
				t.Fatalf("the milter says %q to a sender", got)
			}
			if got := said(5, header.String()); got != packet('a', "") {
				t.Fatalf("the milter says %q to a header", got)
			}
		}
	}
	const many = 500
	mails(many / 10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mails(many)
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / many; each > 16_000 {
		t.Errorf("%d octets for each mail", each)
	}
}
