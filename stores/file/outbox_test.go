package file

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/storestest"
)

// interrupted leaves the store as a program does that is killed when the letter of a change is in the
// outbox, and nothing else of the change is done. The letter carries the files.
func interrupted(t *testing.T, s *Store, letter stores.Letter, files ...file) {
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
	if err := errors.Join(g.write([]stores.Letter{letter}, files), g.sendLetters([]stores.Letter{letter})); err != nil {
		t.Fatal(err)
	}
}

// A change that was interrupted is not taken for made because its letter is there. Made again, it owes what it
// owed at first.
func TestInterruptedLetter(t *testing.T) {
	t.Run("alone", func(t *testing.T) { testInterruptedLetter(t) })
	t.Run("with files", func(t *testing.T) {
		testInterruptedLetter(t, file{ownTable, []byte("lost")}, file{place{"objects", "lost"}, []byte("lost")}, file{place{"objects", "last"}, []byte("lost")})
	})
}

func testInterruptedLetter(t *testing.T, files ...file) {
	s := openTest(t)
	interrupted(t, s, stores.Letter{Name: "letter", Mails: []io.WriterTo{stores.Mail("first"), stores.Mail("second")}}, files...)
	for _, name := range []string{"objects/lost", "objects/last", "freebusy"} {
		if _, err := os.Stat(filepath.Join(s.options.Dir, string(paul), name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
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
	if entries, err := os.ReadDir(filepath.Join(s.options.Dir, string(paul), outboxDir, "letter")); err != nil || len(entries) != 2 {
		t.Errorf("in the letter: %v, %v", entries, err)
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

// A letter carries the files of its change, and nothing of them is left when the change is made.
func TestCarried(t *testing.T) {
	s := openTest(t)
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		table.Insert(busy("u", 1))
		return errors.Join(tx.Put(stores.Key{ID: stores.ID{UID: "u"}}, storestest.Event("u", "", "x")),
			tx.Send(stores.Letter{Name: "letter", Mails: []io.WriterTo{stores.Mail("first"), stores.Mail("second")}}))
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(s.options.Dir, string(paul))
	for name, want := range map[string][]string{
		"": {outboxDir, "freebusy", "objects"}, outboxDir: {"letter"}, outboxDir + "/letter": {"0", "1"}, "objects": {"u"},
	} {
		entries, err := os.ReadDir(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, e := range entries {
			found = append(found, e.Name())
		}
		if !slices.Equal(found, want) {
			t.Errorf("in %q are %q, want %q", name, found, want)
		}
	}
}

// A change counts as made only when its names are synced: each of them can be the old one until then, whichever of the others
// are new.
func TestUnsyncedLetter(t *testing.T) {
	for _, carried := range []bool{false, true} {
		s := openTest(t)
		fill(t, s)
		d, err := openDirectory(filepath.Join(s.options.Dir, string(paul)))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		c := &changes{
			letters: []stores.Letter{{Name: "letter", Mails: []io.WriterTo{stores.Mail("first")}}},
			tables:  []file{{ownTable, []byte("table")}},
			texts:   []file{{place{"objects", "u9"}, []byte("text")}},
		}
		if !carried {
			c.letters = append(c.letters, stores.Letter{Name: "other"})
		}
		g := s.stage(bg, d, stagingDir)
		defer g.close()
		if err := g.write(c.letters, append(slices.Clone(c.tables), c.texts...)); err != nil {
			t.Fatal(err)
		}
		if g.carried != carried {
			t.Errorf("carried: %v", g.carried)
		}
		if err := errors.Join(g.sendLetters(c.letters), g.rename(c.tables), g.rename(c.texts)); err != nil {
			t.Fatal(err)
		}
		if !d.exists("objects/u9") || !d.exists(outboxDir+"/letter/"+unfinished) {
			t.Errorf("carried: %v: it counts as made before its names are synced", carried)
		}
		g.touched["missing"] = true
		if err := g.last(c, nil); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("a directory that cannot be synced: %v", err)
		}
		if !d.exists("objects/u9") || !d.exists(outboxDir+"/letter/"+unfinished) {
			t.Errorf("carried: %v: it counts as made", carried)
		}
		delete(g.touched, "missing")
		if err := g.last(c, nil); err != nil || d.exists(outboxDir+"/letter/"+unfinished) {
			t.Errorf("carried: %v: it does not count as made: %v", carried, err)
		}
	}
}
