package storestest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// letter returns a letter of that name with mails.
func letter(name string, mails ...string) stores.Letter {
	l := stores.Letter{Name: name}
	for _, mail := range mails {
		l.Mails = append(l.Mails, stores.Mail(mail))
	}
	return l
}

func post(t *testing.T, s stores.Store, user calendar.URI, letters ...stores.Letter) {
	t.Helper()
	update(t, s, user, func(tx stores.Tx) {
		for _, l := range letters {
			ok(t, tx.Send(l))
		}
	})
}

// left describes the letters of a user: each name with the number of mails left.
func left(t *testing.T, s stores.Store, user calendar.URI) string {
	t.Helper()
	letters, err := s.Letters(t.Context(), user)
	ok(t, err)
	var all []string
	for _, l := range letters {
		if l.Time.IsZero() {
			t.Errorf("letter %s has no time", l.Name)
		}
		if l.Age < 0 || l.Age > time.Hour {
			t.Errorf("letter %s is %v old", l.Name, l.Age)
		}
		all = append(all, fmt.Sprintf("%s:%d", l.Name, l.Left))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func wantLeft(t *testing.T, s stores.Store, user calendar.URI, want string) {
	t.Helper()
	if got := left(t, s, user); got != want {
		t.Errorf("outbox of %s: %q, want %q", user, got, want)
	}
}

// deliver delivers a letter and returns what was sent.
func deliver(t *testing.T, s stores.Store, user calendar.URI, name string) string {
	t.Helper()
	var sent []string
	ok(t, s.Deliver(t.Context(), user, name, func(number int, mail io.Reader) error {
		text, err := io.ReadAll(mail)
		sent = append(sent, fmt.Sprintf("%d=%s", number, text))
		return err
	}))
	return strings.Join(sent, " ")
}

// A letter is committed with the other changes, or not at all.
func outboxCommit(t *testing.T, s stores.Store) {
	failed := errors.New("no luck")
	err := s.Update(t.Context(), Paul, func(tx stores.Tx) error {
		ok(t, tx.Send(letter("a", "1")))
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	ok(t, s.View(t.Context(), Paul, func(tx stores.Tx) error { return tx.Send(letter("b", "1")) }))
	wantLeft(t, s, Paul, "")

	post(t, s, Paul, letter("c", "first", "second\x00\xff"), letter("d"))
	wantLeft(t, s, Paul, "c:2 d:0")
	wantLeft(t, s, Vincent, "")
	var owing []calendar.URI
	for user, err := range s.Owing(t.Context()) {
		ok(t, err)
		owing = append(owing, user)
	}
	equal(t, "who owes letters", owing, []calendar.URI{Paul})
	if got := deliver(t, s, Paul, "c"); got != "0=first 1=second\x00\xff" {
		t.Errorf("sent %q", got)
	}
}

// Of two letters of one name the first stands, sent or not, until it is dropped.
func outboxFirst(t *testing.T, s stores.Store) {
	update(t, s, Paul, func(tx stores.Tx) {
		if sent, err := tx.Sent("a"); sent || err != nil {
			t.Errorf("sent before anything was: %v, %v", sent, err)
		}
		ok(t, tx.Send(letter("a", "one")))
		ok(t, tx.Send(letter("a", "two")))
		if sent, err := tx.Sent("a"); !sent || err != nil {
			t.Errorf("a transaction does not see its own letter: %v, %v", sent, err)
		}
	})
	post(t, s, Paul, letter("a", "three"))
	if got := deliver(t, s, Paul, "a"); got != "0=one" {
		t.Errorf("sent %q", got)
	}
	post(t, s, Paul, letter("a", "four"))
	wantLeft(t, s, Paul, "a:0")
	view(t, s, Paul, func(tx stores.Tx) {
		if sent, err := tx.Sent("a"); !sent || err != nil {
			t.Errorf("a delivered letter is not known: %v, %v", sent, err)
		}
		if sent, err := tx.Sent("b"); sent || err != nil {
			t.Errorf("a letter is known that was never sent: %v, %v", sent, err)
		}
	})
	ok(t, s.Drop(t.Context(), Paul, "a"))
	ok(t, s.Drop(t.Context(), Paul, "a"))
	wantLeft(t, s, Paul, "")
	post(t, s, Paul, letter("a", "five"))
	wantLeft(t, s, Paul, "a:1")
	ok(t, s.Drop(t.Context(), Paul, "a"))
	wantLeft(t, s, Paul, "")
}

// What has gone out does not go out again, and what has not does not stop the rest.
func outboxCrossOff(t *testing.T, s stores.Store) {
	post(t, s, Paul, letter("a", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"))
	refused := errors.New("refused")
	err := s.Deliver(t.Context(), Paul, "a", func(number int, _ io.Reader) error {
		if number == 3 || number == 11 {
			return refused
		}
		return nil
	})
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	wantLeft(t, s, Paul, "a:2")
	if got := deliver(t, s, Paul, "a"); got != "3=3 11=11" {
		t.Errorf("sent %q", got)
	}
	if got := deliver(t, s, Paul, "a"); got != "" {
		t.Errorf("sent again: %q", got)
	}

	// When the time is over, the mail that has just gone out is crossed off all the same.
	post(t, s, Paul, letter("b", "0", "1", "2"))
	ctx, cancel := context.WithCancel(t.Context())
	err = s.Deliver(ctx, Paul, "b", func(int, io.Reader) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	wantLeft(t, s, Paul, "a:0 b:2")
}

// A mail may be larger than what a store has in one place, and is neither written nor read as a
// whole. One that cannot be written stops the commit.
func outboxLarge(t *testing.T, s stores.Store) {
	large := repeatedMail{line: "0123456789 abcdefghijklmnopqrstuvwxyz \x00\xff\r\n", times: 100_000}
	post(t, s, Paul, stores.Letter{Name: "large", Mails: []io.WriterTo{large, stores.Mail(nil), stores.Mail("last")}})
	wantLeft(t, s, Paul, "large:3")
	part := errors.New("read in part")
	err := s.Deliver(t.Context(), Paul, "large", func(number int, mail io.Reader) error {
		if _, err := io.CopyN(io.Discard, mail, int64(number)); err != nil {
			return part
		}
		return part
	})
	if !errors.Is(err, part) {
		t.Errorf("got %v", err)
	}
	var sums []string
	ok(t, s.Deliver(t.Context(), Paul, "large", func(number int, mail io.Reader) error {
		sum := sha256.New()
		n, err := io.Copy(sum, mail)
		sums = append(sums, fmt.Sprintf("%d: %d octets %x", number, n, sum.Sum(nil)[:8]))
		return err
	}))
	var want []string
	for i, mail := range []io.WriterTo{large, stores.Mail(nil), stores.Mail("last")} {
		sum := sha256.New()
		n, err := mail.WriteTo(sum)
		ok(t, err)
		want = append(want, fmt.Sprintf("%d: %d octets %x", i, n, sum.Sum(nil)[:8]))
	}
	equal(t, "what was sent", sums, want)
	wantLeft(t, s, Paul, "large:0")

	broken := errors.New("no more of it can be read")
	err = s.Update(t.Context(), Vincent, func(tx stores.Tx) error {
		ok(t, tx.Put(stores.Key{ID: stores.ID{UID: "u"}}, Event("u", "", "x")))
		return tx.Send(stores.Letter{Name: "broken", Mails: []io.WriterTo{repeatedMail{line: "x", times: 1000, fails: broken}}})
	})
	if !errors.Is(err, broken) {
		t.Errorf("a mail that cannot be written: %v", err)
	}
	wantLeft(t, s, Vincent, "")
	view(t, s, Vincent, func(tx stores.Tx) {
		if _, err := tx.Get(stores.Key{ID: stores.ID{UID: "u"}}); !errors.Is(err, stores.ErrNotFound) {
			t.Errorf("the rest of the change: %v", err)
		}
	})
}

// repeatedMail is a mail of a line that is repeated, and fails after that if it has to.
type repeatedMail struct {
	line  string
	times int
	fails error
}

func (m repeatedMail) WriteTo(w io.Writer) (written int64, err error) {
	for range m.times {
		n, err := io.WriteString(w, m.line)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, m.fails
}

// A letter is delivered by one at a time, and its user is not locked meanwhile.
func outboxAlone(t *testing.T, s stores.Store) {
	post(t, s, Paul, letter("a", "1"), letter("b", "1"))
	ok(t, s.Deliver(t.Context(), Paul, "a", func(int, io.Reader) error {
		err := s.Deliver(t.Context(), Paul, "a", func(int, io.Reader) error { t.Error("delivered twice"); return nil })
		if !errors.Is(err, stores.ErrLocked) {
			t.Errorf("a second delivery: %v", err)
		}
		if got := deliver(t, s, Paul, "b"); got != "0=1" {
			t.Errorf("another letter: %q", got)
		}
		post(t, s, Paul, letter("c", "1"))
		return nil
	}))
	wantLeft(t, s, Paul, "a:0 b:0 c:1")
	// A letter that is dropped meanwhile is over.
	post(t, s, Paul, letter("d", "0", "1"))
	count := 0
	ok(t, s.Deliver(t.Context(), Paul, "d", func(int, io.Reader) error {
		count++
		return s.Drop(t.Context(), Paul, "d")
	}))
	if count != 1 {
		t.Errorf("%d mails were sent of a letter that was dropped", count)
	}
	wantLeft(t, s, Paul, "a:0 b:0 c:1")
}

func outboxNames(t *testing.T, s stores.Store) {
	for _, name := range []string{"", "-a", "A", "a/b", "..", ".a", "a b", "ä", strings.Repeat("a", 65)} {
		var unstorable *stores.UnstorableError
		for what, err := range map[string]error{
			"send":    s.Update(t.Context(), Paul, func(tx stores.Tx) error { return tx.Send(letter(name, "x")) }),
			"deliver": s.Deliver(t.Context(), Paul, name, nil),
			"drop":    s.Drop(t.Context(), Paul, name),
			"note":    s.Note(t.Context(), Paul, name),
		} {
			if !errors.As(err, &unstorable) {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
	}
	longest := strings.Repeat("0123456789abcdef", 4)
	post(t, s, Paul, letter(longest, "x"))
	wantLeft(t, s, Paul, longest+":1")
	for _, user := range []calendar.URI{Paul, Vincent, "mailto:x/../../y@example.com"} {
		if err := s.Deliver(t.Context(), user, "none", nil); !errors.Is(err, stores.ErrNotFound) {
			t.Errorf("a letter of %s that is not there: %v", user, err)
		}
		ok(t, s.Drop(t.Context(), user, "none"))
	}
}

// A note is a letter without mails, for a user with and without records. It takes the place of no other letter, and does
// not wait for the user's lock.
func outboxNotes(t *testing.T, s stores.Store) {
	noted := func(user calendar.URI, name string, want bool) {
		t.Helper()
		if got, err := s.Noted(t.Context(), user, name); got != want || err != nil {
			t.Errorf("letter %s of %s is noted: %v, %v", name, user, got, err)
		}
	}
	noted(Paul, "a", false)
	ok(t, s.Note(t.Context(), Paul, "a"))
	ok(t, s.Note(t.Context(), Paul, "a"))
	noted(Paul, "a", true)
	noted(Paul, "b", false)
	noted(Vincent, "a", false)
	wantLeft(t, s, Paul, "a:0")
	update(t, s, Vincent, func(tx stores.Tx) {
		ok(t, tx.Put(stores.Key{ID: stores.ID{UID: "u"}}, Event("u", "", "x")))
		ok(t, tx.Send(letter("c", "1")))
		ok(t, s.Note(t.Context(), Vincent, "d"))
	})
	ok(t, s.Note(t.Context(), Vincent, "c"))
	noted(Vincent, "c", true)
	wantLeft(t, s, Vincent, "c:1 d:0")
	view(t, s, Vincent, func(tx stores.Tx) {
		if sent, err := tx.Sent("d"); !sent || err != nil {
			t.Errorf("a note is not known: %v, %v", sent, err)
		}
	})
	ok(t, s.Drop(t.Context(), Paul, "a"))
	noted(Paul, "a", false)
	var unstorable *stores.UnstorableError
	if err := s.Note(t.Context(), "mailto:a\x00b@example.com", "a"); !errors.As(err, &unstorable) {
		t.Errorf("for a user of whom nothing can be stored: %v", err)
	}
	noted("mailto:a\x00b@example.com", "a", false)
}
