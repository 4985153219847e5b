package postgresql

import (
	"context"
	"errors"
	"strings"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/skip"
)

// A text that is larger than any of ours is not read: the error says which, and what to do.
func TestOversize(t *testing.T) {
	skip.OnOtherDays(t)
	ctx := context.Background()
	s := open(t, postgresqltest.Database(t), false)
	if _, err := s.CreateSchema(ctx); err != nil {
		t.Fatal(err)
	}
	_, err := s.pool.Exec(ctx, `INSERT INTO objects (store_user, object_uid, object_text, status)
		VALUES ('mailto:paul@example.com', 'u', repeat('x', $1), 'active'), ('mailto:paul@example.com', 'none', NULL, 'active')`, maxText+1)
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(ctx, "mailto:paul@example.com", func(tx stores.Tx) error {
		if text, err := tx.Get(stores.Key{ID: stores.ID{UID: "none"}}); err != nil || len(text) > 0 {
			t.Errorf("a text that is NULL: %q, %v", text, err)
		}
		_, err := tx.Get(stores.Key{ID: stores.ID{UID: "u"}})
		return err
	})
	if err == nil || errors.Is(err, stores.ErrNotFound) || !strings.Contains(err.Error(), `"u" of mailto:paul@example.com from objects: it has 50331649 octets`) {
		t.Errorf("%v", err)
	}
}

// Nor is it sent where all texts are asked for: the others before it are, and then the error
// comes.
func TestOversizeAmongAll(t *testing.T) {
	skip.OnOtherDays(t)
	ctx := context.Background()
	s := open(t, postgresqltest.Database(t), false)
	if _, err := s.CreateSchema(ctx); err != nil {
		t.Fatal(err)
	}
	_, err := s.pool.Exec(ctx, `INSERT INTO objects (store_user, object_uid, object_text, status)
		VALUES ('mailto:paul@example.com', 'small', 'x', 'active'), ('mailto:paul@example.com', 'none', NULL, 'active')`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.pool.Exec(ctx, `INSERT INTO recurrences (store_user, object_uid, object_recurrenceid, object_text, status)
		VALUES ('mailto:paul@example.com', 'u', '20261202T090000Z', repeat('x', $1), 'active')`, maxText+1)
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	seen := 0
	err = s.View(ctx, "mailto:paul@example.com", func(tx stores.Tx) error {
		for text, err := range tx.(stores.Bulk).Texts() {
			if failed = err; err != nil {
				break
			}
			seen += 1 + len(text.Content)
		}
		for _, err := range tx.Keys() {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || seen != 3 || failed == nil || !strings.Contains(failed.Error(), `"u" of mailto:paul@example.com from recurrences: it has 50331649 octets`) {
		t.Errorf("%d, %v, %v", seen, failed, err)
	}
}
