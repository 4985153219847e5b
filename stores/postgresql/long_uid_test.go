package postgresql

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/skip"
)

// A UID that is too long for an index is refused before the database does so in the
// middle of a message. Without indexes, as the original's schema is, there is no limit.
func TestLongUID(t *testing.T) {
	skip.OnOtherDays(t)
	ctx := context.Background()
	s := open(t, postgresqltest.Database(t), false)
	if _, err := s.CreateSchema(ctx); err != nil {
		t.Fatal(err)
	}
	uid := "" // too long even when it is compressed
	for sum := sha512.Sum512(nil); len(uid) < 8000; sum = sha512.Sum512(sum[:]) {
		uid += hex.EncodeToString(sum[:])
	}
	put := func(uid string) error {
		return s.Update(ctx, "mailto:paul@example.com", func(tx stores.Tx) error {
			return tx.Put(stores.Key{ID: stores.ID{UID: uid}}, []byte("BEGIN:VEVENT\r\nEND:VEVENT\r\n"))
		})
	}
	var unstorable *stores.UnstorableError
	if err := put(uid); !errors.As(err, &unstorable) {
		t.Errorf("ours: got %v, want an UnstorableError", err)
	}
	if err := put(uid[:maxUID]); err != nil {
		t.Errorf("one that is just short enough: %v", err)
	}
	insert := `INSERT INTO objects (store_user, object_uid, object_text, status) VALUES ('mailto:paul@example.com', $1, 'x', 'active')`
	if _, err := s.pool.Exec(ctx, insert, uid); err == nil {
		t.Error("the index takes it, so that there is no need to refuse it")
	}
	if _, err := s.pool.Exec(ctx, `DROP INDEX imip_agent_objects`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(ctx, insert, uid); err != nil {
		t.Errorf("without indexes: %v", err)
	}
}
