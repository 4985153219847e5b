package check_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"imip-agent/stores"
	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// plain is a store of which no more is known than what every store can do, as of one in
// a database.
type plain struct{ stores.Store }

// A store without files is checked by its records, which are mended and put back as such.
func TestPlainStore(t *testing.T) {
	healthy := compat.Room(tempDir(t))
	makeOurs(t, healthy)
	for _, c := range []struct {
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
		{"expired offer", func(d *damager) { d.replace(vincents+"freebusy-offers", "20261124T", "20261121T") }, "offer-expired", check.Safe},
		{"queue entry of nothing", func(d *damager) { d.write(pauls+"requests", d.read(pauls+"requests")+"ghost\t\t\n") }, "request-orphan", check.Safe},
		{"not noted", func(d *damager) { d.drop(pauls+"freebusy-providers", "series") }, "provider-missing", check.Safe},
		{"unreadable", func(d *damager) { d.write(pauls+"objects/.swp", "x") }, "event-unreadable", check.All},
		{"foreign", func(d *damager) { d.replace(pauls+"objects/alone", "SUMMARY", "summary") }, "event-foreign", check.All},
		{"proposal to nothing", func(d *damager) {
			d.write(pauls+"counters/objects/ghost/"+vincent, object("UID:ghost\nDTSTART:20261202T090000Z\nDURATION:PT1H\n"))
		}, "counter-orphan", check.All},
		{"published differs", func(d *damager) { d.replace("static/"+paul+"/freebusy", "20261202T090000Z/", "20261202T093000Z/") }, "published-differs", check.Safe},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, copyRoom(t, healthy))
			p.now = healthyTime
			c.damage(&damager{t, p})
			damaged := records(t, p)
			checker := func(repair check.Repair) *check.Checker {
				k := p.checker(repair)
				k.Store = plain{p.store}
				return k
			}
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
			err := checker(check.None).Undo(context.Background(), r.summary.Manifest, func(u check.Undone) {
				if u.Err != nil {
					t.Errorf("undo %s: %v", u.Path, u.Err)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if back := records(t, p); back != damaged {
				t.Errorf("undone:\n%s\nbut it was\n%s", back, damaged)
			}
		})
	}
}

// records returns all that Paul and Vincent have, as text.
func records(t *testing.T, p *place) string {
	t.Helper()
	var b strings.Builder
	for user, err := range p.store.Users(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		err := p.store.View(context.Background(), user, func(tx stores.Tx) error {
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
			for _, kind := range []stores.TableKind{stores.Own, stores.Offers} {
				table, err := tx.Periods(stores.Table{Kind: kind})
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
