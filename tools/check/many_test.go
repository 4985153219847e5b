package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
	"imip-agent/tools/check"
)

// What there is much of takes no more than its share: each of these was looked at, or mended,
// in time that grows with the square of its number.
func TestMany(t *testing.T) {
	skip.OnOtherDays(t)
	const number = 20_000
	at := func(i int) string {
		begin := time.Date(2026, 12, 1, 0, i, 0, 0, time.UTC)
		return begin.Format("20060102T150405Z") + "\t" + begin.AddDate(0, 2, 0).Format("20060102T150405Z")
	}
	for _, c := range []struct {
		name   string
		damage func(*damager)
		want   string
		repair check.Repair
	}{
		{"overlapping records", func(d *damager) {
			var table strings.Builder
			for i := range number {
				fmt.Fprintf(&table, "%s\tother-%d\tOPAQUE\t\tOther\tmailto:harvey.horse@example.com\n", at(i), i)
			}
			d.write(vincents+"freebusy", table.String())
		}, "freebusy-missing freebusy-uninvited", check.All},
		{"overlapping records of one event", func(d *damager) {
			var table strings.Builder
			for i := range number {
				fmt.Fprintf(&table, "%s\tother\tOPAQUE\t\tOther\tmailto:harvey.horse@example.com\n", at(i))
			}
			d.write(vincents+"freebusy", table.String())
		}, "freebusy-missing freebusy-uninvited", check.All},
		{"records of nothing", func(d *damager) {
			var table strings.Builder
			for i := range number {
				fmt.Fprintf(&table, "%s\tghost-%d\tOPAQUE\t\tGhost\t%s\n", at(i), i, vincent)
			}
			d.write(vincents+"freebusy", table.String())
		}, "freebusy-unstored", check.Safe},
		{"queue entries of nothing", func(d *damager) {
			var queue strings.Builder
			for i := range number {
				fmt.Fprintf(&queue, "ghost-%d\t\t\n", i)
			}
			d.write(vincents+"requests", queue.String())
		}, "request-orphan", check.Safe},
		{"noted and not stored", func(d *damager) {
			var table strings.Builder
			for i := range number {
				fmt.Fprintf(&table, "ghost-%d\t\n", i)
			}
			d.write(pauls+"freebusy-providers", d.read(pauls+"freebusy-providers")+table.String())
		}, "provider-unstored", check.Safe},
		{"records twice", func(d *damager) {
			var table strings.Builder
			for i := range number {
				fmt.Fprintf(&table, "%[1]s\tother-%[2]d\tOPAQUE\t\tOther\tmailto:harvey.horse@example.com\n%[1]s\tother-%[2]d\tOPAQUE\t\tOther\tmailto:harvey.horse@example.com\n", at(i), i)
			}
			d.write(vincents+"freebusy-other/mailto:harvey.horse@example.com", table.String())
		}, "table-duplicate", check.Safe},
		{"spaces in the place of TABs", func(d *damager) {
			var table strings.Builder
			for i := range number {
				fmt.Fprintf(&table, "%s other-%d OPAQUE  Other mailto:harvey.horse@example.com\n", strings.ReplaceAll(at(i), "\t", " "), i)
			}
			d.write(vincents+"freebusy", table.String())
		}, "table-line freebusy-missing", check.Safe},
	} {
		t.Run(c.name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			makeOurs(t, room)
			p := newPlace(t, room)
			p.now = healthyTime
			d := damager{t, p}
			c.damage(&d)
			checker := p.checker(check.None)
			checker.Verbose = true
			found := run(t, checker)
			for _, id := range strings.Fields(c.want) {
				if !slices.Contains(found.ids(), id) {
					t.Errorf("no %s among %d findings", id, len(found.findings))
				}
			}
			p.check(t, c.repair)
			if r := p.check(t, check.None); len(r.findings) > 0 {
				t.Errorf("%d are left:\n%.2000s", len(r.findings), r)
			}
		})
	}
}
