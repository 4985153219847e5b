package compat

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/stores/file"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/clock"
	"imip-agent/tests/room"
	"imip-agent/tests/skip"
	"imip-agent/tools/migrate/copy"
)

func TestMain(m *testing.M) {
	room.InMemory()
	os.Exit(postgresqltest.Main(m))
}

// TestReplayPostgreSQL handles the recorded conversations on a database, which must
// come to hold what the original's files do. What a database cannot hold is left out:
// damaged files, and events that are active and cancelled at once.
func TestReplayPostgreSQL(t *testing.T) {
	skip.OnOtherDays(t)
	names, err := filepath.Glob("conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	published := Room(t.TempDir())
	files, err := file.OpenPublished(file.Options{PublishDir: published.Static(), Deferred: true})
	if err != nil {
		t.Fatal(err)
	}
	store, err := postgresql.Open(t.Context(), postgresql.Options{
		ConnInfo: postgresqltest.Database(t), LockTimeout: time.Minute, Published: files,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := store.CreateSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	done, all := 0, 0
	for i, name := range names {
		if os.Getenv("IMIP_AGENT_FULL") == "" && i%5 != 0 {
			continue // one in five says enough where time is short
		}
		c, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			all++
			if err := os.RemoveAll(published.Static()); err != nil {
				t.Fatal(err)
			}
			replayDatabase(t, c, &database{t, store}, published)
			done++
		})
	}
	if done < all*3/4 {
		t.Errorf("only %d of %d conversations could be had on a database", done, all)
	}
}

// database is a store in a database, beside the files of a room.
type database struct {
	t     *testing.T
	store *postgresql.Store
}

// fill makes the database hold what the room's files do, and nothing else. It reports
// whether it can.
func (d *database) fill(room Room) bool {
	d.t.Helper()
	files, err := file.Open(file.Options{Dir: room.Store()})
	if err != nil {
		d.t.Fatal(err)
	}
	result, err := copy.Run(context.Background(), &copy.Side{Name: "room", Store: files},
		&copy.Side{Name: "database", Store: d.store, OneStatus: true},
		copy.Options{Overwrite: true, Delete: true, ForceDelete: true, Now: clock.Running(clock.Day)})
	if err != nil {
		d.t.Fatal(err)
	}
	return len(result.Issues) == 0
}

// tree returns what the database holds as the files of a room, and what is published
// in one.
func (d *database) tree(published Room) Tree {
	d.t.Helper()
	room := Room(d.t.TempDir())
	files, err := file.Open(file.Options{Dir: room.Store(), Deferred: true})
	if err != nil {
		d.t.Fatal(err)
	}
	result, err := copy.Run(context.Background(), &copy.Side{Name: "database", Store: d.store},
		&copy.Side{Name: "room", Store: files}, copy.Options{Now: clock.Running(clock.Day)})
	if err != nil || len(result.Issues) > 0 {
		d.t.Fatalf("%v %v", err, result.Issues)
	}
	for _, dir := range []string{room.Store(), room.Static(), published.Store(), published.Static()} {
		if err := makeDir(dir); err != nil {
			d.t.Fatal(err)
		}
	}
	tree, err := room.Tree()
	if err != nil {
		d.t.Fatal(err)
	}
	all, err := published.Tree()
	if err != nil {
		d.t.Fatal(err)
	}
	for path, content := range all {
		if strings.HasPrefix(path, "static/") {
			tree[path] = content
		}
	}
	return tree
}

func replayDatabase(t *testing.T, c *Conversation, d *database, published Room) {
	if strings.HasPrefix(c.Name, "damaged-") {
		t.Log("a database has no damaged files")
		return
	}
	room := Room(t.TempDir())
	if err := room.Furnish(c); err != nil {
		t.Fatal(err)
	}
	o, err := newOurs(room)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	o.handler.Store = d.store
	if !d.fill(room) {
		t.Log("its files cannot be had in a database")
		return
	}
	original := initial(t, c)
	for i, s := range c.Steps {
		original.Apply(s.Original)
		if s.Arrives() {
			tree, fresh := d.tree(published), Room(t.TempDir())
			tree.Apply(s.Original)
			if err := makeDir(fresh.Store()); err != nil {
				t.Fatal(err)
			}
			if err := write(string(fresh), tree); err != nil {
				t.Fatal(err)
			}
			if !d.fill(fresh) {
				t.Log("its files cannot be had in a database")
				return
			}
			continue
		}
		o.log.Reset()
		if status, err := o.step(s); status != s.OursStatus() {
			t.Errorf("step %d: status %d, not %d: %v", i+1, status, s.OursStatus(), err)
		}
		want := original.Expected(s.Ours)
		for path := range want {
			if both(want, path) {
				t.Log("an event is active and cancelled at once")
				return
			}
		}
		if diff := Differences(want, d.tree(published)); diff != "" {
			t.Errorf("step %d: %s\nlog:\n%s", i+1, diff, o.log.String())
			return
		}
	}
}

// both reports whether the cancelled text at path is of an event that is active as well.
func both(tree Tree, path string) bool {
	active := strings.Replace(path, "/cancellations/", "/", 1)
	_, there := tree[active]
	return there && active != path
}
