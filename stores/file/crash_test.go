package file

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/storestest"
	"imip-agent/tests/skip"
)

// churnChild goes on changing the store in args[0] until it is killed.
func churnChild(args []string) error {
	s, err := Open(Options{Dir: args[0], PublishDir: args[1]})
	if err != nil {
		return err
	}
	fmt.Println("started")
	for n := 0; ; n++ {
		if err := churn(s, n); err != nil {
			return err
		}
	}
}

// churn makes round n of changes that belong together: an event, its free/busy, a letter, and
// what is published say n, and events come and go.
func churn(s *Store, n int) error {
	letter := stores.Letter{Name: fmt.Sprint("round-", n%10), Mails: []io.WriterTo{stores.Mail("first"), stores.Mail("second")}}
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		if err := tx.Send(letter); err != nil {
			return err
		}
		id := stores.ID{UID: "u"}
		if err := tx.Put(stores.Key{ID: id}, storestest.Event("u", "", strings.Repeat(fmt.Sprint(n%10), 6000))); err != nil {
			return err
		}
		one := stores.Key{ID: stores.ID{UID: "u", RecurrenceID: fmt.Sprintf("202612%02d", n%28+1)}}
		last := stores.Key{ID: stores.ID{UID: "u", RecurrenceID: fmt.Sprintf("202612%02d", (n+27)%28+1)}}
		if err := tx.Put(one, storestest.Event("u", one.RecurrenceID, "x")); err != nil {
			return err
		}
		if err := tx.Delete(last); err != nil {
			return err
		}
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		table.Remove("u", "")
		for i := range 200 {
			p := busy("u", 0)
			p.Start, p.End = p.Start.AddDate(0, 0, i), p.End.AddDate(0, 0, i)
			p.Summary = strings.Repeat(fmt.Sprint(n%10), 10)
			table.Insert(p)
		}
		return tx.Publish([]byte(strings.Repeat(fmt.Sprint(n%10), 6000)))
	})
	if err != nil {
		return err
	}
	return s.Drop(bg, paul, fmt.Sprint("round-", (n+1)%10)) // the next one is to be new
}

// A program that is killed at any point leaves no file half-written, and its work can be
// done again.
func TestKilled(t *testing.T) {
	skip.OnOtherDays(t)
	t.Parallel()
	s := openTest(t)
	began := time.Now()
	for n := 0; n < 5 || time.Since(began) < 1500*time.Millisecond; n++ {
		c := child(t, "churn", s.options.Dir, s.options.PublishDir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatalf("%q, %v", line, err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(20 * time.Millisecond))))
		c.Process.Kill()
		c.Wait()
		dir := userDir(t, s)
		wantWhole(t, s, dir)
		if err := churn(s, n); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{stagingDir, lockDir, nextDir} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				t.Errorf("%s is left", name)
			}
		}
	}
}

// wantWhole sees that every file is of one round, whichever that is.
func wantWhole(t *testing.T, s *Store, dir string) {
	t.Helper()
	if content, err := os.ReadFile(dir + "/objects/u"); err == nil {
		n := strings.Count(string(content), string(content[len("BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:")]))
		if n < 6000 || !strings.HasSuffix(string(content), "END:VEVENT\r\n") {
			t.Errorf("an event of %d octets", len(content))
		}
	}
	if content, err := os.ReadFile(s.PublishedPath(paul)); err == nil {
		if len(content) != 6000 || strings.Count(string(content), string(content[0])) != 6000 {
			t.Errorf("a calendar of %d octets", len(content))
		}
	}
	content, err := os.ReadFile(s.TablePath(paul, stores.Table{}))
	if err != nil {
		return
	}
	table, damages := freebusy.Read(content, freebusy.Plain)
	if table.Len() != 200 || len(damages) > 0 {
		t.Errorf("a table of %d periods, damaged %v", table.Len(), damages)
	}
	summary := ""
	for p := range table.All() {
		if summary != "" && p.Summary != summary {
			t.Errorf("periods of rounds %s and %s", summary, p.Summary)
		}
		summary = p.Summary
	}
	// The letter of a change is there before anything else of it.
	letters, err := s.Letters(bg, paul)
	if err != nil {
		t.Error(err)
	}
	if !slices.ContainsFunc(letters, func(l stores.LetterInfo) bool { return l.Name == "round-"+summary[:1] }) {
		t.Errorf("the table is of round %s, whose letter is missing", summary[:1])
	}
	for _, l := range letters {
		if l.Left != 2 {
			t.Errorf("letter %s has %d mails", l.Name, l.Left)
		}
	}
}
