package stores

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"

	"imip-agent/stores/calendar"
)

// Letter is what a change of a user's records owes to others: mails that go out once the
// change is committed. A store does not look into them.
type Letter struct {
	// Name is the same for the same cause, so that handling a message again does not
	// send its answers again. See [CheckLetterName].
	Name string

	// Mails are what goes out, in this order. Each is written when the letter is put into the
	// store, at the latest when the transaction is committed, and again if that has to be
	// retried: it must be the same each time. It is not held in memory, and may be large.
	Mails []io.WriterTo
}

// Mail is a mail of a letter that is in memory.
type Mail []byte

// WriteTo implements [io.WriterTo].
func (m Mail) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(m)
	return int64(n), err
}

// LetterInfo describes a letter in an outbox.
type LetterInfo struct {
	Name string
	Left int           // mails that have not gone out
	Time time.Time     // when it was committed, or one of its mails last went out, UTC
	Age  time.Duration // how long ago that was, by the clock that Time goes by
}

// Owed is also what a [Tx] is that shows the user's outbox by itself. Who is in a critical section asks for the letters by
// [LettersOf], since a store may have no second connection for who holds one.
type Owed interface {
	// Letters returns the letters of the user, as [Outbox] does.
	Letters() ([]LetterInfo, error)
}

// LettersOf returns the letters of the user inside whose critical section it is called.
func LettersOf(ctx context.Context, outbox Outbox, tx Tx) ([]LetterInfo, error) {
	if t, ok := tx.(Owed); ok {
		return t.Letters()
	}
	return outbox.Letters(ctx, tx.User())
}

// Outbox holds the letters of a store's users. A letter is put into it by [Tx.Send], and
// stays until it is dropped, also when all its mails have gone out: as long as it is
// there, its cause is known to have been dealt with.
type Outbox interface {
	// Owing yields every user who has a letter, sent or not, in order of URI.
	Owing(ctx context.Context) iter.Seq2[calendar.URI, error]

	// Letters returns the letters of a user, sent or not, oldest first. It does not wait
	// for the user's lock.
	Letters(ctx context.Context, user calendar.URI) ([]LetterInfo, error)

	// Deliver gives each mail of a letter that has not gone out to send, with its number
	// from 0, in order. It is read as send reads it, and only until send returns. A mail for
	// which send returns nil is crossed off before the next one is given. A mail that fails
	// does not stop the others, unless ctx has ended.
	// It must be called outside of the user's critical section: sending takes time.
	//
	// While it runs nobody else delivers that letter: they get an error that matches
	// [ErrLocked]. If there is no such letter, the error matches [ErrNotFound].
	Deliver(ctx context.Context, user calendar.URI, name string, send func(number int, mail io.Reader) error) error

	// Noted reports whether there is a letter of that name, sent or not. It does not wait for the user's lock.
	Noted(ctx context.Context, user calendar.URI, name string) (bool, error)

	// Ready makes what Note needs, so that Note is one step. It is optional.
	Ready(ctx context.Context, user calendar.URI) error

	// Note leaves a letter without mails, outside of any change and without the user's lock, unless there is one of
	// that name. It is for what needs no change, and is known to have been dealt with from then on. It outlasts a
	// program that is killed, but is not synced: if the machine fails, it may be lost.
	Note(ctx context.Context, user calendar.URI, name string) error

	// Drop removes a letter, with the mails that have not gone out. If there is none,
	// that is no error.
	Drop(ctx context.Context, user calendar.URI, name string) error
}

// maxLetterName is how long the name of a letter can be: a SHA-256 digest in hexadecimal.
const maxLetterName = 64

// CheckLetterName returns an [UnstorableError] for a name that no letter can have. A name
// consists of 1 to 64 lower-case letters, digits and hyphens, and begins with no hyphen.
func CheckLetterName(name string) error {
	odd := func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') }
	if name == "" || len(name) > maxLetterName || name[0] == '-' || strings.ContainsFunc(name, odd) {
		return &UnstorableError{What: "letter", Value: name, Reason: "its name must be 1 to 64 lower-case letters, digits and hyphens"}
	}
	return nil
}
