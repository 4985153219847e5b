package check_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
	"imip-agent/tools/check"
	"imip-agent/tools/migrate/copy"
)

// A journal in a database is checked, mended and put back as one in files is. It can be in the database of the store.
func TestJournalInDatabase(t *testing.T) {
	skip.OnOtherDays(t)
	const (
		rooms = "mailto:rooms@example.com"
		attic = "mailto:attic@example.com"
		cave  = "mailto:cave@example.com"
		row   = "20261202T090000Z\t20261202T100000Z\tu\tOPAQUE\t\tMeeting\tmailto:paul@example.com\t"
	)
	event := object("UID:u\nSEQUENCE:0\nSUMMARY:Meeting\nORGANIZER:mailto:paul@example.com\nATTENDEE;PARTSTAT=ACCEPTED:" + attic +
		"\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\n")
	room := compat.Room(tempDir(t))
	err := room.Furnish(&compat.Conversation{Initial: compat.Tree{
		"store/" + attic + "/objects/u":                 event,
		"store/" + attic + "/freebusy":                  strings.TrimSuffix(row, "\t") + "\n",
		"store/" + cave + "/objects/other":              strings.ReplaceAll(strings.Replace(event, "UID:u", "UID:other", 1), "ACCEPTED:"+attic, "NEEDS-ACTION:"+cave),
		"journal/" + rooms + "/limits":                  "staff PT10H\n* *\n",
		"journal/" + rooms + "/groups":                  "mailto:paul@example.com staff\n",
		"journal/" + rooms + "/delegates":               attic + "\n" + cave + "\n",
		"journal/" + rooms + "/objects/u":               event,
		"journal/" + rooms + "/freebusy-other/staff":    row + attic + "\n",
		"journal/" + rooms + "/freebusy-other/visitors": "",
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, room)
	files, err := file.OpenJournal(file.Options{Dir: room.Journal(), LockTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	where := postgresqltest.Database(t)
	store, err := postgresql.Open(t.Context(), postgresql.Options{ConnInfo: where, LockTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	journal, err := postgresql.OpenJournal(t.Context(), postgresql.Options{ConnInfo: where, LockTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	for _, create := range []func(context.Context) ([]postgresql.Missing, error){store.CreateSchema, journal.CreateSchema} {
		if _, err := create(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	result, err := copy.Run(t.Context(), &copy.Side{Name: "files", Store: p.store, Journal: files},
		&copy.Side{Name: "database", Store: store, Journal: journal, OneStatus: true, Unordered: true}, copy.Options{Now: p.clock})
	if err != nil || len(result.Issues) > 0 {
		t.Fatal(err, result.Issues)
	}
	db, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	rows := func() (all string) {
		const query = `SELECT string_agg(row::text, E'\n' ORDER BY row::text) FROM (SELECT to_jsonb(a) AS row FROM journal_freebusy_other a
			UNION ALL SELECT to_jsonb(b) FROM journal_objects b UNION ALL SELECT to_jsonb(c) FROM journal_freebusy_providers c) AS rows`
		if err := db.QueryRow(t.Context(), query).Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	checker := func(repair check.Repair, users ...calendar.URI) *check.Checker {
		c := p.checkerOf(journal.Records(), repair)
		c.Resources, c.Users, c.Rejected = store, users, nil
		return c
	}
	whole := rows()
	for _, c := range []struct {
		name, damage, want string
		repair             check.Repair // 0: nothing mends it
	}{
		{"nothing", `SELECT 1`, "", check.Safe},
		{"the resource does not have it", `UPDATE journal_freebusy_other SET object_uid = 'v'`, "quota-booking", check.Safe},
		{"another resource never had it", `INSERT INTO journal_freebusy_other (store_user, other, "start", "end", object_uid, transp, organiser, summary, attendee)
			SELECT store_user, other, "start", "end", object_uid, transp, organiser, summary, '` + cave + `' FROM journal_freebusy_other`, "quota-booking", check.Safe},
		{"twice", `INSERT INTO journal_freebusy_other SELECT * FROM journal_freebusy_other`, "table-duplicate", check.Safe},
		{"a time that is none", `UPDATE journal_freebusy_other SET "start" = 'soon'`, "table-line", check.All},
		{"an end before the start", `UPDATE journal_freebusy_other SET "end" = '20261202T080000Z'`, "table-reversed", check.Safe},
		{"an event that cannot be read", `UPDATE journal_objects SET object_text = 'nonsense'`, "event-unreadable", check.All},
		{"an event without end that is not kept", `INSERT INTO journal_freebusy_providers (store_user, object_uid) VALUES ('` + rooms + `', 'v');
			INSERT INTO journal_freebusy_provider_datetimes (store_user, "start") VALUES ('` + rooms + `', '20270301T000000Z')`, "provider-unstored", check.Safe},
		{"a delegate whom nobody knows", `INSERT INTO quota_delegates (quota, store_user) VALUES ('` + rooms + `', 'mailto:nobody@example.com')`, "quota-delegate", check.None},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := rows()
			if _, err := db.Exec(t.Context(), c.damage); err != nil {
				t.Fatal(err)
			}
			damaged := rows()
			if before != whole {
				t.Fatalf("it begins with\n%s", before)
			}
			for _, users := range [][]calendar.URI{nil, {attic}} {
				if r := run(t, checker(check.None, users...)); strings.Join(r.ids(), " ") != c.want {
					t.Errorf("of %q it finds\n%s", users, r)
				}
			}
			if r := run(t, checker(check.None, "mailto:stranger@example.com")); r.String() != "" || r.summary.Users != 0 {
				t.Errorf("of somebody else it finds\n%s", r)
			}
			if c.repair != check.None {
				repaired := run(t, checker(c.repair))
				if again := run(t, checker(check.None)); again.String() != "" {
					t.Errorf("repaired:\n%s\nafter that:\n%s", repaired, again)
				}
				if repaired.summary.Manifest != "" {
					undo(t, checker(check.None), repaired.summary.Manifest)
				}
				if back := rows(); back != damaged {
					t.Errorf("undone:\n%s\nbut it was\n%s", back, damaged)
				}
			}
			for _, table := range []string{"journal_freebusy_other", "journal_objects", "journal_freebusy_providers", "journal_freebusy_provider_datetimes", "quota_delegates", "quota_limits", "user_groups"} {
				if _, err := db.Exec(t.Context(), "DELETE FROM "+table); err != nil {
					t.Fatal(err)
				}
			}
			again, err := copy.Run(t.Context(), &copy.Side{Name: "files", Store: p.store, Journal: files},
				&copy.Side{Name: "database", Store: store, Journal: journal, OneStatus: true, Unordered: true}, copy.Options{Now: p.clock, Overwrite: true})
			if err != nil || len(again.Issues) > 0 {
				t.Fatal(err, again.Issues)
			}
		})
	}
}
