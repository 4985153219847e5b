package check_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
	"imip-agent/tools/freebusy"
)

// watch returns an invitation of Paul's to an event that recurs every hour.
func watch(start time.Time, hours int) string {
	const layout = "20060102T150405Z"
	return "UID:watch\nSUMMARY:Watch\nDTSTART:" + start.Format(layout) + "\nDTEND:" + start.Add(time.Duration(hours)*time.Hour).Format(layout) +
		"\nRRULE:FREQ=HOURLY\nORGANIZER:" + paul + "\nATTENDEE;PARTSTAT=ACCEPTED:" + paul + "\nSEQUENCE:0\n"
}

// A series with more occurrences than are recorded is whole as our handler records it, and as
// it is extended, also if each overlaps the next; and as the original records it, which knows no
// limit.
func TestPeriodLimit(t *testing.T) {
	const limit = 500 // hours, in a window of 10 days
	for _, c := range []struct {
		name  string
		days  int // it began so many before now
		hours int // it lasts
	}{
		{"for years", 3000, 1},
		{"for years, each overlapping the next", 3000, 9},
		{"up to the limit by and by", 9, 1},
		{"up to the limit by and by, each overlapping the next", 9, 30},
		{"each overlapping more than the limit allows", 3000, 2000},
	} {
		t.Run(c.name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			if err := room.Furnish(&compat.Conversation{Preferences: compat.Tree{paul + "/window_size": "10"}}); err != nil {
				t.Fatal(err)
			}
			p := newPlace(t, room)
			p.limit = limit
			invitation := scene{from: "paul.boddie@example.com", method: "REQUEST", lines: watch(p.now.AddDate(0, 0, -c.days).Truncate(time.Hour), c.hours)}
			if err := p.handle(invitation.message(p.now)); err != nil {
				t.Fatal(err)
			}
			checker := func() *check.Checker {
				checker := p.checker(check.None)
				checker.PeriodLimit = limit
				return checker
			}
			nightly := freebusy.Maker{
				Store: p.store, Preferences: p.preferences(), Log: slog.New(slog.DiscardHandler), Now: p.clock, Keep: true, PeriodLimit: limit,
			}
			for day := range 8 {
				if r := run(t, checker()); r.String() != "" {
					t.Fatalf("on day %d:\n%s", day, r)
				}
				p.now = p.now.Add(11*time.Hour + 30*time.Minute)
				if r := run(t, checker()); r.String() != "" {
					t.Fatalf("half of day %d later:\n%s", day, r)
				}
				p.now = p.now.Add(12*time.Hour + 30*time.Minute)
				if day%3 == 2 { // it is late, and has to catch up
					p.now = p.now.Add(36 * time.Hour)
				}
				if r := nightly.User(t.Context(), paul); r.Err != nil {
					t.Fatal(r.Err)
				}
			}
			d := damager{t, p}
			lines := strings.SplitAfter(d.read(pauls+"freebusy"), "\n")
			d.write(pauls+"freebusy", strings.Join(slices.Delete(lines, 40, 42), ""))
			if r := run(t, checker()); !slices.Equal(r.ids(), []string{"freebusy-missing"}) {
				t.Errorf("without two records:\n%s", r)
			}
			mend := p.checker(check.Safe)
			mend.PeriodLimit = limit
			if r := run(t, mend); !slices.Equal(r.ids(), []string{"freebusy-missing mended"}) {
				t.Errorf("the repair:\n%s", r)
			}
			if r := run(t, checker()); r.String() != "" {
				t.Errorf("after the repair:\n%s", r)
			}
		})
	}
}

// What the original has recorded of a series goes on beyond the limit, and is right.
func TestBeyondPeriodLimit(t *testing.T) {
	room := compat.Room(tempDir(t))
	if err := room.Furnish(&compat.Conversation{Preferences: compat.Tree{paul + "/window_size": "10"}}); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, room)
	d := damager{t, p}
	begin := p.now.AddDate(0, 0, -100).Truncate(time.Hour)
	d.write(pauls+"objects/watch", object(watch(begin, 1)))
	var table strings.Builder
	for at := begin; at.Before(p.now.AddDate(0, 0, 10)); at = at.Add(time.Hour) {
		fmt.Fprintf(&table, "%s\t%s\twatch\tOPAQUE\t\tWatch\t%s\n", at.Format("20060102T150405Z"), at.Add(time.Hour).Format("20060102T150405Z"), paul)
	}
	d.write(pauls+"freebusy", table.String())
	checker := p.checker(check.None)
	checker.PeriodLimit = 500
	if r := run(t, checker); r.String() != "" {
		t.Errorf("found:\n%s", r)
	}
}

// Dates that have been added to an event, more than are recorded, are found.
func TestManyDates(t *testing.T) {
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	d := damager{t, p}
	var dates strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&dates, ",\r\n %s", time.Date(2027, 1, 1, 0, 10*i, 0, 0, time.UTC).Format("20060102T150405Z"))
	}
	d.replace(pauls+"objects/alone", "SUMMARY", "RDATE:20270101T000500Z"+dates.String()+"\r\nSUMMARY")
	if r := p.check(t, check.None); !slices.Equal(r.ids(), []string{"freebusy-missing"}) {
		t.Errorf("found:\n%s", r)
	}
}

// Rules of a resource that are too long to be read stay where they are: without them, it would accept more.
func TestPreferencesTooLong(t *testing.T) {
	for _, name := range []string{"scheduling_function", "acl"} {
		t.Run(name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			long := "same_domain_only\n" + strings.Repeat("# who is who\n", 100_000)
			if err := room.Furnish(&compat.Conversation{Preferences: compat.Tree{"mailto:room@example.com/" + name: long}}); err != nil {
				t.Fatal(err)
			}
			p := newPlace(t, room)
			for _, repair := range []check.Repair{check.All, check.None} {
				r := p.check(t, repair)
				if len(r.findings) != 1 || r.findings[0].Kind.ID != "preference-value" || r.findings[0].State == check.Mended || !strings.Contains(r.findings[0].Text, "longer than") {
					t.Errorf("found %q", r.String())
				}
			}
		})
	}
}
