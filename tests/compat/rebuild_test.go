package compat

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tools/freebusy"
)

// differently says where free/busy that is worked out anew differs from what was
// recorded, and why.
var differently = map[string]string{
	"answer-later-version":        "the times of the answer are recorded, those of the invitation are stored",
	"answer-without-transparency": "what the answer calls the event is recorded, and not stored",
	"clock":                       "months pass, and with them the window",
	"reply-params":                "what the answer calls the event is recorded, and not stored",
}

// TestRebuild works out free/busy anew after each step of the recorded conversations.
// It must be what the handlers have recorded, and what the original has.
func TestRebuild(t *testing.T) {
	names, err := filepath.Glob("conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, name := range names {
		c, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if differs := rebuildAfterEach(t, c); differs == "" && differently[c.Name] != "" {
				t.Errorf("does not differ, although %s", differently[c.Name])
			} else if differs != "" && differently[c.Name] == "" {
				t.Error(differs)
			}
		})
	}
}

// rebuildAfterEach returns the first difference.
func rebuildAfterEach(t *testing.T, c *Conversation) (differs string) {
	room := newRoom(t, c)
	o, err := newOurs(room)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	maker := &freebusy.Maker{
		Store: o.store, Preferences: o.handler.Preferences, Log: slog.New(slog.DiscardHandler), Now: o.handler.Now,
		PeriodLimit: o.handler.PeriodLimit, Reset: true,
	}
	for i, s := range c.Steps {
		if s.Arrives() {
			if err := room.Lay(s.Original); err != nil {
				t.Fatal(err)
			}
		} else if _, err := o.step(s); err != nil {
			t.Logf("step %d: %v", i+1, err)
		}
		o.now = s.Clock
		err := maker.Each(context.Background(), o.store.Users(context.Background()), 1, func(r freebusy.Result) {
			if r.Err != nil {
				t.Errorf("step %d, %s: %v", i+1, r.User, r.Err)
				return
			}
			for _, p := range r.Problems {
				t.Logf("step %d, %s: %v: %v", i+1, r.User, p.ID, p.Err)
			}
			if r.Removed+r.Inserted == 0 || differs != "" {
				return
			}
			differs = fmt.Sprintf("step %d, %s: %d records removed, %d inserted; recorded\n%sworked out\n%s", i+1, r.User, r.Removed, r.Inserted,
				tableOf(t, o.store, r.User), r.Table.Append(nil))
		})
		if err != nil {
			t.Error(err)
		}
	}
	return differs
}

// tableOf returns the text of a user's own free/busy.
func tableOf(t *testing.T, store stores.Store, user calendar.URI) []byte {
	t.Helper()
	var text []byte
	err := store.View(context.Background(), user, func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{})
		if err == nil {
			text = table.Append(nil)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
