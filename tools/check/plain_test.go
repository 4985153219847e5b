package check_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
	"imip-agent/stores/file"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/stores/storestest"
	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tools/check"
	"imip-agent/tools/migrate/copy"
	"imip-agent/tools/quarantine"
)

// TestMain has a database server for the tests that ask for one.
func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		if err := children[name](os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(postgresqltest.Main(m))
}

// childVariable makes the test program one of children instead.
const childVariable = "IMIP_AGENT_CHECK_CHILD"

// children are the parts of tests that need a process of their own, by name.
var children = map[string]func(words string) error{
	"write": writeChild,
	"mend":  mendChild,
}

// child returns the command that runs one of children, which says on standard error why it
// fails.
func child(ctx context.Context, name, words string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], words)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// plain is a store of which no more is known than what every store can do, as of one in
// a database.
type plain struct{ stores.Store }

// plainDamages are kinds of damage to records, whatever they are kept in: what is done to
// them as files, and what is to be found.
var plainDamages = []struct {
	name   string
	damage func(*damager)
	want   string
	repair check.Repair
}{
	{"nothing", func(*damager) {}, "", check.All},
	{"missing record", func(d *damager) { d.drop(pauls+"freebusy", "\tmeeting\t") }, "freebusy-missing", check.Safe},
	{"record of nothing", func(d *damager) {
		d.insert(pauls+"freebusy", "20261210T090000Z\t20261210T100000Z\tghost\tOPAQUE\t\tGhost\t"+paul)
	}, "freebusy-unstored", check.Safe},
	{"reversed offer", func(d *damager) {
		d.replace(vincents+"freebusy-offers", "20261203T130000Z\t20261203T140000Z", "20261203T130000Z\t20261203T120000Z")
	}, "table-reversed", check.Safe},
	{"wrong time", func(d *damager) {
		d.replace(pauls+"freebusy", "20261205T090000Z\t20261205T100000Z", "20261205T090000Z\t20261205T110000Z")
	}, "freebusy-time", check.Safe},
	{"cancelled occurrence still busy", func(d *damager) {
		d.insert(pauls+"freebusy", "20261209T080000Z\t20261209T090000Z\tseries\tOPAQUE\t\tWeekly\t"+paul)
	}, "freebusy-cancelled", check.Safe},
	{"declined event still busy", func(d *damager) {
		d.replace(vincents+"objects/meeting", "PARTSTAT=ACCEPTED:mailto:vinc", "PARTSTAT=DECLINED:mailto:vinc")
		d.replace("static/"+vincent+"/freebusy", "FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z\r\n", "")
	}, "freebusy-declined", check.Safe},
	{"expired offer", func(d *damager) { d.replace(vincents+"freebusy-offers", "20261124T", "20261121T") }, "offer-expired", check.Safe},
	{"queue entry of nothing", func(d *damager) { d.write(pauls+"requests", d.read(pauls+"requests")+"ghost\t\t\n") }, "request-orphan", check.Safe},
	{"not noted", func(d *damager) { d.drop(pauls+"freebusy-providers", "series") }, "provider-missing", check.Safe},
	{"unreadable", func(d *damager) { d.write(pauls+"objects/.swp", "x") }, "event-unreadable", check.All},
	{"foreign", func(d *damager) { d.replace(pauls+"objects/alone", "SUMMARY", "summary") }, "event-foreign", check.All},
	{"proposal to nothing", func(d *damager) {
		d.write(pauls+"counters/objects/ghost/"+vincent, object("UID:ghost\nDTSTART:20261202T090000Z\nDURATION:PT1H\n"))
	}, "counter-orphan", check.All},
	{"published differs", func(d *damager) { d.replace("static/"+paul+"/freebusy", "20261202T090000Z/", "20261202T093000Z/") }, "published-differs", check.Safe},
}

// A store without files is checked by its records, which are mended and put back as such.
func TestPlainStore(t *testing.T) {
	testPlain(t, func(_ *testing.T, p *place) stores.Store { return plain{p.store} })
}

// A finding is told once, if a store had to read twice.
func TestRepeated(t *testing.T) {
	p := newHealthy(t)
	(&damager{t, p}).drop(pauls+"freebusy", "\tmeeting\t")
	c := p.checkerOf(storestest.Repeated{Store: plain{p.store}}, check.None)
	if r := run(t, c); !slices.Equal(r.ids(), []string{"freebusy-missing"}) {
		t.Errorf("found:\n%s", r)
	}
}

// A database is checked in the same way.
func TestPostgreSQL(t *testing.T) {
	where := postgresqltest.Database(t)
	testPlain(t, func(t *testing.T, p *place) stores.Store { return inDatabase(t, where, p) })
}

// A database can have rows that no table has which is copied to it.
func TestPostgreSQLRows(t *testing.T) {
	p := newHealthy(t)
	where := postgresqltest.Database(t)
	store := inDatabase(t, where, p)
	whole := records(t, store)
	db, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	rows := func() (all string) {
		const query = `SELECT string_agg(row::text, E'\n' ORDER BY row::text) FROM
			(SELECT to_jsonb(a) AS row FROM freebusy a UNION ALL SELECT to_jsonb(b) FROM freebusy_offers b UNION ALL SELECT to_jsonb(c) FROM freebusy_other c) AS rows`
		if err := db.QueryRow(t.Context(), query).Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	for _, c := range []struct {
		name, query, want string
		repair            check.Repair
	}{
		{"twice", `INSERT INTO freebusy SELECT * FROM freebusy WHERE object_uid = 'meeting' AND store_user = $1`, "table-duplicate", check.Safe},
		{"twice in another's table", `INSERT INTO freebusy_other SELECT * FROM freebusy_other WHERE object_uid = 'meeting' AND store_user = $1`, "table-duplicate", check.Safe},
		{"twice in the offers", `INSERT INTO freebusy_offers SELECT * FROM freebusy_offers WHERE store_user = $1`, "table-duplicate", check.Safe},
		{"bad time", `UPDATE freebusy SET "start" = 'soon' WHERE object_uid = 'meeting' AND store_user = $1`, "table-line", check.Safe},
		{"bad time of nothing", `INSERT INTO freebusy (store_user, "start", "end") VALUES ($1, '', NULL)`, "table-line", check.Safe},
		{"record without a UID", `INSERT INTO freebusy (store_user, "start", "end", transp, organiser) VALUES ($1, '20261202T090000Z', '20261202T100000Z', 'OPAQUE', $1)`, "freebusy-unstored", check.Safe},
		{"bad time in another's table", `INSERT INTO freebusy_other (store_user, other, "start", "end", object_uid) VALUES ($1, 'mailto:x@example.com', '2026', '', 'x')`, "table-line", check.All},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := db.Exec(t.Context(), c.query, vincent); err != nil {
				t.Fatal(err)
			}
			damaged := rows()
			checker := func(repair check.Repair) *check.Checker { return p.checkerOf(store, repair) }
			if r := run(t, checker(check.None)); !slices.Equal(r.ids(), strings.Fields(c.want)) {
				t.Fatalf("found:\n%s", r)
			}
			repaired := run(t, checker(c.repair))
			if again := run(t, checker(check.None)); again.String() != "" || repaired.summary.Mended == 0 {
				t.Fatalf("repaired:\n%s\nafter that:\n%s", repaired, again)
			}
			if after := records(t, store); after != whole {
				t.Errorf("after the repair:\n%s\nbut before the damage it was\n%s", after, whole)
			}
			undo(t, checker(check.None), repaired.summary.Manifest)
			if back := rows(); back != damaged {
				t.Errorf("undone:\n%s\nbut it was\n%s", back, damaged)
			}
			run(t, checker(c.repair))
		})
	}
}

// The command for a user who is no URI, which --user reads as a mail address, is one for everybody.
func TestPostgreSQLUserNoURI(t *testing.T) {
	p := newHealthy(t)
	where := postgresqltest.Database(t)
	store := inDatabase(t, where, p)
	db, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	if _, err := db.Exec(t.Context(), `INSERT INTO freebusy (store_user, "start", "end") VALUES ('junk', '', NULL)`); err != nil {
		t.Fatal(err)
	}
	r := run(t, p.checkerOf(store, check.None))
	if !slices.Equal(r.ids(), []string{"table-line"}) {
		t.Fatalf("found:\n%s", r)
	}
	if command := r.findings[0].Command; command != "imip-agent check --repair=safe" {
		t.Errorf("the command is %q", command)
	}
	run(t, p.checkerOf(store, check.Safe))
	if r := run(t, p.checkerOf(store, check.None)); r.String() != "" {
		t.Errorf("after the repair:\n%s", r)
	}
}

// checkerOf returns a checker of a store that has the place's records.
func (p *place) checkerOf(store stores.Store, repair check.Repair) *check.Checker {
	c := p.checker(repair)
	c.Store = store
	return c
}

// undo puts back all that a repair has changed.
func undo(t *testing.T, c *check.Checker, manifest string) {
	t.Helper()
	err := quarantine.Undo{Store: c.Store}.Run(context.Background(), manifest, func(u quarantine.Undone) {
		if u.Err != nil {
			t.Errorf("undo %s: %v", u.Path, u.Err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inDatabase makes a database hold what the files of a place do, and nothing else. What is
// published stays in files.
func inDatabase(t *testing.T, where string, p *place) *postgresql.Store {
	t.Helper()
	store, result := toDatabase(t, where, p)
	if len(result.Issues) > 0 {
		t.Fatalf("copying to the database: %v", result.Issues)
	}
	return store
}

// toDatabase does the same as far as a database can hold it.
func toDatabase(t *testing.T, where string, p *place) (*postgresql.Store, *copy.Result) {
	t.Helper()
	published, err := file.OpenPublished(file.Options{PublishDir: p.Room.Static()})
	if err != nil {
		t.Fatal(err)
	}
	store, err := postgresql.Open(t.Context(), postgresql.Options{ConnInfo: where, LockTimeout: time.Minute, Published: published})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if _, err := store.CreateSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	result, err := copy.Run(t.Context(), &copy.Side{Name: "files", Store: p.store},
		&copy.Side{Name: "database", Store: store, OneStatus: true},
		copy.Options{Overwrite: true, Delete: true, ForceDelete: true, Now: clock.Running(clock.Day)})
	if err != nil {
		t.Fatal(err)
	}
	return store, result
}

// testPlain does each damage to the files of a healthy store, and has the store of the
// same records that open returns checked, mended and put back.
func testPlain(t *testing.T, open func(*testing.T, *place) stores.Store) {
	healthy := compat.Room(tempDir(t))
	makeOurs(t, healthy)
	for _, c := range plainDamages {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, copyRoom(t, healthy))
			p.now = healthyTime
			c.damage(&damager{t, p})
			store := open(t, p)
			damaged := records(t, store)
			checker := func(repair check.Repair) *check.Checker { return p.checkerOf(store, repair) }
			if r := run(t, checker(check.None)); !slices.Equal(r.ids(), strings.Fields(c.want)) {
				t.Fatalf("found:\n%s", r)
			}
			r := run(t, checker(c.repair))
			if !slices.Equal(r.ids(), suffixed(strings.Fields(c.want), " mended")) {
				t.Fatalf("mended:\n%s", r)
			}
			if again := run(t, checker(check.None)); again.String() != "" {
				t.Fatalf("after the repair:\n%s", again)
			}
			if c.want == "" {
				return
			}
			undo(t, checker(check.None), r.summary.Manifest)
			if back := records(t, store); back != damaged {
				t.Errorf("undone:\n%s\nbut it was\n%s", back, damaged)
			}
		})
	}
}

// What was changed in a store without files after a repair stays when the repair is undone,
// and is told.
func TestPlainUndoLater(t *testing.T) {
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	d := damager{t, p}
	d.drop(pauls+"freebusy", "\tmeeting\t")
	d.write(pauls+"requests", d.read(pauls+"requests")+"ghost\t\t\n")
	d.drop(pauls+"freebusy-providers", "series")
	d.replace(pauls+"objects/alone", "SUMMARY", "summary")
	checker := p.checkerOf(plain{p.store}, check.All)
	r := run(t, checker)
	if r.summary.Mended != 4 {
		t.Fatalf("%s%+v", r, r.summary)
	}
	s := scene{from: "paul.boddie@example.com", method: "REQUEST", lines: "UID:later\nDTSTART:20261212T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\n" +
		"ORGANIZER:" + paul + "\nATTENDEE;PARTSTAT=ACCEPTED:" + paul + "\n"}
	d.must(p.handle(s.message(p.now)))
	d.write(pauls+"requests", d.read(pauls+"requests")+"later\t\t\n")
	d.replace(pauls+"objects/alone", "For others", "For all")
	before := snapshot(t, room)
	refused := 0
	err := quarantine.Undo{Store: checker.Store}.Run(context.Background(), r.summary.Manifest, func(u quarantine.Undone) {
		if errors.Is(u.Err, quarantine.ErrLater) {
			refused++
		}
	})
	if err != nil || refused < 4 {
		t.Errorf("%d refused, %v", refused, err)
	}
	for _, path := range changed(before, snapshot(t, room)) {
		t.Errorf("undoing has changed %q", path)
	}
}

// records returns all that Paul and Vincent have, as text.
func records(t *testing.T, store stores.Store) string {
	t.Helper()
	var b strings.Builder
	for user, err := range store.Users(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		err := store.View(context.Background(), user, func(tx stores.Tx) error {
			var texts []string
			for key, err := range tx.Keys() {
				if err != nil {
					return err
				}
				text, err := tx.Get(key)
				if err != nil {
					return err
				}
				texts = append(texts, string(text))
			}
			slices.Sort(texts)
			b.WriteString(strings.Join(texts, "\n"))
			tables := []stores.Table{{Kind: stores.Own}, {Kind: stores.Offers}}
			others, err := tx.Others()
			if err != nil {
				return err
			}
			for _, other := range others {
				tables = append(tables, stores.Table{Kind: stores.Other, Other: other})
			}
			for _, which := range tables {
				table, err := tx.Periods(which)
				if err != nil {
					return err
				}
				b.Write(table.Append(nil))
			}
			requests, err := tx.Requests()
			if err != nil {
				return err
			}
			for _, r := range requests {
				b.WriteString(r.UID + " " + r.RecurrenceID + " " + r.Type + "\n")
			}
			providers, err := tx.Providers()
			if err != nil {
				return err
			}
			for _, id := range providers.Events {
				b.WriteString("provided " + id.UID + "\n")
			}
			calendar, err := tx.Published()
			b.Write(calendar)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}
