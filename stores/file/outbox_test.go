package file

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"imip-agent/stores"
)

// interrupted leaves the store as a program does that is killed when the letter of a change is in the
// outbox, and nothing else of the change is done.
func interrupted(t *testing.T, s *Store, letter stores.Letter) {
	t.Helper()
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		return tx.Put(stores.Key{ID: stores.ID{UID: "before"}}, []byte("BEGIN:VEVENT\r\nEND:VEVENT\r\n"))
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := openDirectory(filepath.Join(s.options.Dir, string(paul)))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	g := s.stage(bg, d, stagingDir)
	defer g.close()
	if err := errors.Join(g.write([]stores.Letter{letter}, nil), g.sendLetters([]stores.Letter{letter})); err != nil {
		t.Fatal(err)
	}
}

// A change that was interrupted is not taken for made because its letter is there. Made again, it owes what it
// owed at first.
func TestInterruptedLetter(t *testing.T) {
	s := openTest(t)
	interrupted(t, s, stores.Letter{Name: "letter", Mails: []io.WriterTo{stores.Mail("first"), stores.Mail("second")}})
	sent := func() (there bool) {
		err := s.View(bg, paul, func(tx stores.Tx) (err error) {
			there, err = tx.Sent("letter")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return there
	}
	if sent() {
		t.Error("the change counts as made")
	}
	for range 2 {
		err := s.Update(bg, paul, func(tx stores.Tx) error {
			if err := tx.Send(stores.Letter{Name: "letter", Mails: []io.WriterTo{stores.Mail("other")}}); err != nil {
				return err
			}
			if there, err := tx.Sent("letter"); !there || err != nil {
				t.Errorf("the transaction does not see its letter: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !sent() {
			t.Error("the change does not count as made")
		}
	}
	var mails []string
	err := s.Deliver(bg, paul, "letter", func(_ int, mail io.Reader) error {
		text, err := io.ReadAll(mail)
		mails = append(mails, string(text))
		return err
	})
	if err != nil || !slices.Equal(mails, []string{"first", "second"}) {
		t.Errorf("mails %q: %v", mails, err)
	}
	if !sent() {
		t.Error("the change does not count as made once its mails are gone")
	}
	entries, err := os.ReadDir(filepath.Join(s.options.Dir, string(paul), outboxDir, "letter"))
	if err != nil || len(entries) > 0 {
		t.Errorf("left in the letter: %v, %v", entries, err)
	}
}
