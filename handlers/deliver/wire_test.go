package deliver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"imip-agent/tests/skip"
)

// literal is a server that reads mails as RFC 5321 says it, octet by octet: the end is CRLF, a dot and CRLF.
type literal struct {
	lmtp, chunking bool

	mails  []string
	chunks int
}

// serve serves a client until it leaves.
func (s *literal) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	say := func(format string, args ...any) { fmt.Fprintf(conn, format+"\r\n", args...) }
	say("220 literal")
	var recipients int
	var mail []byte
	take := func() {
		s.mails = append(s.mails, string(mail))
		mail = nil
		answers := 1
		if s.lmtp {
			answers = recipients
		}
		for range answers {
			say("250 2.0.0 taken")
		}
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		switch words[0] {
		case "EHLO", "LHLO":
			say("250-literal")
			if s.chunking {
				say("250-CHUNKING")
			}
			say("250 8BITMIME")
		case "RCPT":
			recipients++
			say("250 2.1.0 ok")
		case "DATA":
			say("354 go on")
			for !bytes.HasSuffix(mail, []byte("\r\n.\r\n")) {
				octet, err := r.ReadByte()
				if err != nil {
					return
				}
				mail = append(mail, octet)
			}
			mail = bytes.TrimSuffix(mail, []byte(".\r\n"))
			mail = bytes.ReplaceAll(append([]byte("\r\n"), mail...), []byte("\r\n."), []byte("\r\n"))[2:]
			take()
		case "BDAT":
			var size int
			fmt.Sscan(words[1], &size)
			piece := make([]byte, size)
			if _, err := io.ReadFull(r, piece); err != nil {
				return
			}
			mail = append(mail, piece...)
			s.chunks++
			if len(words) == 3 {
				take()
			} else {
				say("250 2.0.0 %d octets", size)
			}
		case "QUIT":
			say("221 2.0.0 bye")
			return
		default:
			say("250 2.0.0 ok")
		}
	}
}

// through returns what comes out at a server of what is read.
func (s *literal) through(r io.Reader) (string, error) {
	served := make(chan struct{})
	server := &Server{LMTP: s.lmtp, Network: "tcp", Address: "literal", dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer close(served)
			s.serve(theirs)
		}()
		return ours, nil
	}}
	c, err := server.Connect(context.Background())
	if err != nil {
		return "", err
	}
	err = c.Send(context.Background(), "a@example.com", []string{"b@example.com"}, r)[0]
	c.Close()
	<-served
	if err == nil && len(s.mails) != 1 {
		err = fmt.Errorf("%d mails were taken", len(s.mails))
	}
	if err != nil {
		return "", err
	}
	return s.mails[0], nil
}

// ended returns a mail whose lines all end in CRLF: nothing else may change on the way.
func ended(text string) string {
	last := ""
	if !strings.HasSuffix(text, "\n") {
		text, last = strings.TrimSuffix(text, "\r"), "\r\n"
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n") + last
}

// Whatever a mail consists of, it comes out as it went in.
func TestEveryOctet(t *testing.T) {
	skip.OnOtherDays(t)
	for _, text := range []string{
		"a: b\r\r\n\r\r\n.c\r\r\n..\r\r\n.\r\r\n", // all lines were converted twice
		"a: b\n\nc\r\r\r\nd\re\r\r\n",
		"a: b\n\nc\r",
		"a: b\n\nc\r\r",
		"a: b\n\n\r.\r\n",
		".\n",
		".",
		"\r\n.\r\r\n.\r\n",
	} {
		for _, s := range []*literal{{}, {lmtp: true}, {chunking: true}, {lmtp: true, chunking: true}} {
			kind := fmt.Sprintf("%q, %+v", text, *s)
			got, err := s.through(strings.NewReader(text))
			if err != nil || got != ended(text) {
				t.Errorf("%s: %q, %v", kind, got, err)
			}
			if chunks := s.chunking && strings.Contains(text, "\r\r\n"); chunks != (s.chunks > 0) {
				t.Errorf("%s: %d chunks", kind, s.chunks)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		pieces := []string{"\r", "\n", "\r\n", "\r\r\n", ".", "..", "\x00", "\xff", "ø", "From ", "x", "BDAT 1\r\n", strings.Repeat("y", 1000), strings.Repeat("z", chunk)}
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 20).Draw(t, "text"), "")
		s := &literal{lmtp: rapid.Bool().Draw(t, "lmtp"), chunking: rapid.Bool().Draw(t, "chunking")}
		var r io.Reader = strings.NewReader(text)
		if len(text) < 1000 {
			r = iotest.OneByteReader(r)
		}
		got, err := s.through(r)
		if err != nil {
			t.Fatal(err)
		}
		if want := ended(text); got != want {
			t.Errorf("%.300q has become %.300q", want, got)
		}
	})
}

// Mails with CR CR LF get through to a server of another kind, and its answers are those to the mail.
func TestChunks(t *testing.T) {
	twice := strings.ReplaceAll(text, "\r\n", "\r\r\n")
	for _, lmtp := range []bool{true, false} {
		s := newSink(t, lmtp)
		want(t, "taken", send(t, s.Server, "a@example.com", twice, "b@example.com"), []string{"taken"})
		want(t, "taken", s.all(), []taken{{"a@example.com", "b@example.com", twice}})
		if lmtp {
			want(t, "each recipient", send(t, s.Server, "", twice, "a@example.com", "552xd@example.com", "452xe@example.com", "f@example.com"),
				[]string{"taken", "552 5.2.2 mailbox full, for good: true", "452 4.2.2 mailbox full, for good: false", "taken"})
		}
		for _, code := range []int{450, 550} {
			s.refuses("data", code)
			refused := fmt.Sprintf("%d %d.7.1 not now, for good: %v", code, code/100, code == 550)
			want(t, "refused", send(t, s.Server, "a@example.com", twice, "b@example.com"), []string{refused})
		}
		s.refuses("data", 0)
		s.smtp.MaxMessageBytes = 100
		long := twice + strings.Repeat("x", 100)
		want(t, "too long", send(t, s.Server, "a@example.com", long, "b@example.com"), []string{"552 5.3.4 Max message size exceeded, for good: true"})
		s.smtp.MaxMessageBytes = 0

		// A mail that has been read in part is none, and the connection goes on with another only after it was ended.
		before := len(s.all())
		c, err := s.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		part := io.MultiReader(strings.NewReader(twice+strings.Repeat("x", 3*chunk)), iotest.ErrReader(io.ErrUnexpectedEOF))
		want(t, "in part", results(c.Send(t.Context(), "a@example.com", []string{"b@example.com"}, part)), []string{"temporary"})
		c.Close()
		s.settle()
		if c, err = s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			want(t, "one after the other", results(c.Send(t.Context(), "a@example.com", []string{"b@example.com"}, strings.NewReader(twice))), []string{"taken"})
		}
		c.Close()
		if n := len(s.all()) - before; n != 3 {
			t.Errorf("%d mails were taken, want 3", n)
		}
	}
}

// An enhanced status code stands in each line of an answer, and is said once. Where there is none, no word is left out.
func TestAnswerOfSeveralLines(t *testing.T) {
	for text, want := range map[string]string{
		"5.1.1 there is no\n5.1.1 such user": "5.1.1 there is no\nsuch user",
		"User unknown\nUser paul has left":   "User unknown\nUser paul has left",
		"4.x full\n4.x try later":            "4.x full\n4.x try later",
		"5.1 old\n5.1 form":                  "5.1 old\n5.1 form",
		"no\nno more":                        "no\nno more",
		"":                                   "",
	} {
		if got := once(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
