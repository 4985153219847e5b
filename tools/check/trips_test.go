package check_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
	"imip-agent/tools/check"
	"imip-agent/tools/migrate/copy"
)

// What programs for mail that arrives make of the recorded conversations comes back from a database as it was: the records,
// offers and counter-proposals, the journal, the letters with the mails that are left of them, and the notes of letters of which
// none is. A check finds no more at any station than what is known of the conversation. What a database cannot hold is left out.
func TestThereAndBack(t *testing.T) {
	skip.OnOtherDays(t)
	where := postgresqltest.Database(t)
	store, err := postgresql.Open(t.Context(), postgresql.Options{ConnInfo: where, LockTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	books, err := postgresql.OpenJournal(t.Context(), postgresql.Options{ConnInfo: where, LockTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer books.Close()
	for _, create := range []func(context.Context) ([]postgresql.Missing, error){store.CreateSchema, books.CreateSchema} {
		if _, err := create(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	database := &copy.Side{Name: "database", Store: store, Journal: books, OneStatus: true, Unordered: true}
	tripped, lettered, booked, number := 0, 0, 0, 0
	for _, c := range conversations(t) {
		if !arrives(c) || strings.HasPrefix(c.Name, "arrives-damaged") {
			continue
		}
		if number++; os.Getenv("IMIP_AGENT_FULL") == "" && number%5 != 0 && !strings.Contains(c.Name, "quota") {
			continue // one in five says enough where time is short
		}
		t.Run(c.Name, func(t *testing.T) {
			play(t, c, func(p *place, i int, want string) {
				if i == len(c.Steps)-2 {
					p.instead = broken{} // the letters of the last step stay
				}
				if i < len(c.Steps)-1 {
					return
				}
				journal, err := p.journal()
				if err != nil {
					t.Fatal(err)
				}
				empty(t, store)
				here := &copy.Side{Name: "files", Store: p.store, Journal: journal}
				anew := copy.Options{Overwrite: true, Delete: true, ForceDelete: true, Now: p.clock}
				result, err := copy.Run(t.Context(), here, database, anew)
				if err != nil {
					t.Fatal(err)
				}
				if len(result.Issues) > 0 {
					return
				}
				back := compat.Room(tempDir(t))
				if err := back.Furnish(&compat.Conversation{}); err != nil {
					t.Fatal(err)
				}
				q := newPlace(t, back)
				q.now = p.now
				other, err := q.journal()
				if err != nil {
					t.Fatal(err)
				}
				there := &copy.Side{Name: "other files", Store: q.store, Journal: other}
				if result, err := copy.Run(t.Context(), database, there, anew); err != nil || len(result.Issues) > 0 {
					t.Fatal(err, result.Issues)
				}
				was, letters := contents(t, p), lettersOf(t, p.store)
				if diff := compat.Differences(was, contents(t, q)); diff != "" {
					t.Errorf("it comes back as something else:\n%s", diff)
				}
				for _, other := range []stores.Store{store, q.store} {
					if is := lettersOf(t, other); is != letters {
						t.Errorf("of the letters\n%s\nthere come\n%s", letters, is)
					}
				}
				for station, s := range map[string]*copy.Side{"here": here, "in the database": database, "back": there} {
					if r := withoutWindow(run(t, p.published(s.Store))); strings.Join(r.ids(), " ") != want || len(r.summary.Failures) > 0 {
						t.Errorf("%s, not %q but\n%s", station, want, r)
					}
					if r := p.booked(t, s.Journal.(interface{ Records() stores.Store }).Records(), s.Store); r.String() != "" {
						t.Errorf("%s, of quotas:\n%s", station, r)
					}
				}
				tripped++
				if letters != "" {
					lettered++
				}
				for name := range was {
					if strings.HasPrefix(name, "journal/") {
						booked++
						break
					}
				}
			})
		})
	}
	t.Logf("%d conversations, %d of them with letters, %d with bookings", tripped, lettered, booked)
	if tripped == 0 || lettered == 0 || booked == 0 {
		t.Error("nothing has come there and back")
	}
}

// arrives reports whether something arrives in a conversation.
func arrives(c *compat.Conversation) bool {
	for _, s := range c.Steps {
		if s.Arrives() {
			return true
		}
	}
	return false
}

// empty drops all letters of a store: what is copied to it leaves those that are there.
func empty(t *testing.T, store stores.Store) {
	t.Helper()
	for user, err := range store.Owing(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		letters, err := store.Letters(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range letters {
			if err := store.Drop(t.Context(), user, l.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// broken is where no mail can be handed over.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("out of order") }

// booked returns what is wrong with a journal, apart from what administrators have written there.
func (p *place) booked(t *testing.T, journal, resources stores.Store) result {
	t.Helper()
	r := run(t, p.quotas(journal, resources))
	r.findings = slices.DeleteFunc(r.findings, func(f check.Finding) bool {
		return f.Kind.ID == "quota-delegate" || f.Kind.ID == "quota-group" || f.Kind.ID == "quota-list"
	})
	return r
}

// published returns a checker of a store that has the place's records, and does not look at what is published: that stays where
// it is.
func (p *place) published(store stores.Store) *check.Checker {
	c := p.checkerOf(store, check.None)
	c.PreferencesDir = p.Room.Preferences()
	return c
}

// contents returns the files of a place's store and journal, but for the outbox.
func contents(t *testing.T, p *place) compat.Tree {
	t.Helper()
	tree, err := p.Room.Tree()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range tree {
		if content == "" || strings.Contains(name, "/__outbox__/") || strings.HasPrefix(name, "static/") {
			delete(tree, name)
		}
		switch filepath.Base(name) {
		case "delegates", "groups", "limits": // a database keeps neither remarks, nor the order, nor how words are set apart
			var lines []string
			for line := range strings.Lines(content) {
				if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(line, "#") {
					lines = append(lines, strings.Join(words, " "))
				}
			}
			tree[name] = strings.Join(slices.Sorted(slices.Values(lines)), "\n")
		}
	}
	return tree
}

// lettersOf returns the letters of a store with what is left of them.
func lettersOf(t *testing.T, store stores.Store) string {
	t.Helper()
	var b strings.Builder
	for user, err := range store.Owing(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		letters, err := store.Letters(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, l := range letters {
			text := fmt.Sprintf("%s %s, %d left\n", user, l.Name, l.Left)
			err := store.Deliver(t.Context(), user, l.Name, func(number int, mail io.Reader) error {
				content, err := io.ReadAll(mail)
				text += fmt.Sprintf("%d %v %q\n", number, err, content)
				return errors.New("it stays")
			})
			if err != nil && !strings.Contains(err.Error(), "it stays") {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		b.WriteString(strings.Join(slices.Sorted(slices.Values(texts)), ""))
	}
	return b.String()
}
