package quota_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// What is passed on to a resource is in the way there until the resource has decided, the organizer has called it off, or
// a day is over; but not of itself, nor of what the resource gets from others that pass on.
func TestPass(t *testing.T) {
	const day = 24 * time.Hour
	three := lists{"groups": "* staff", "limits": "staff *", "delegates": string(attic) + "\n" + string(cave) + "\n" + string(barn)}
	passed := func(uid string, lines ...string) func(testing.TB, *quota.Quota) {
		return func(t testing.TB, q *quota.Quota) {
			must(t, q.Pass(booking(t, object(t, uid, []calendar.URI{attic}, lines...), attic), cave, now))
		}
	}
	type step = func(testing.TB, *quota.Quota)
	id := stores.ID{UID: "o"}
	for _, c := range []struct {
		name  string
		steps []step
		uid   string
		later time.Duration
		want  calendar.URI
	}{
		{"on its way", []step{passed("o")}, "u", 0, barn},
		{"it overlaps", []step{passed("o", "DTSTART:20261202T095900Z", "DTEND:20261202T110000Z")}, "u", day - time.Second, barn},
		{"it touches", []step{passed("o", "DTSTART:20261202T100000Z", "DTEND:20261202T110000Z")}, "u", 0, cave},
		{"it has moved", []step{passed("o"), passed("o", "DTSTART:20261202T120000Z", "DTEND:20261202T130000Z")}, "u", 0, cave},
		{"itself again", []step{passed("o")}, "o", 0, cave},
		{"expired", []step{passed("o")}, "u", day, cave},
		{"declined there", []step{passed("o"), func(t testing.TB, q *quota.Quota) {
			must(t, q.Retract(id, cave, freebusy.New(freebusy.Plain), false))
		}}, "u", 0, cave},
		{"another has declined", []step{passed("o"), func(t testing.TB, q *quota.Quota) {
			must(t, q.Retract(id, attic, freebusy.New(freebusy.Plain), false))
		}}, "u", 0, barn},
		{"called off", []step{passed("o"), func(t testing.TB, q *quota.Quota) {
			must(t, q.Retract(id, attic, freebusy.New(freebusy.Plain), true))
		}}, "u", 0, cave},
		{"accepted there, and counted once", []step{passed("o"), func(t testing.TB, q *quota.Quota) {
			o := object(t, "o", []calendar.URI{cave})
			own := freebusy.New(freebusy.Plain, period("o", 2, 9, 10, ""))
			must(t, q.Confirm(booking(t, o, cave), own, quota.InGroup))
			must(t, q.Retract(id, cave, freebusy.New(freebusy.Plain), false))
		}}, "u", 0, cave},
		{"to what is no delegate", []step{func(t testing.TB, q *quota.Quota) {
			must(t, q.Pass(booking(t, object(t, "o", []calendar.URI{attic}), attic), "mailto:car@example.com", now))
			if table, err := q.Periods(stores.Table{Kind: stores.Offers}); err != nil || table.Len() > 0 {
				t.Errorf("%d are noted: %v", table.Len(), err)
			}
		}}, "u", 0, cave},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := journal(t)
			three.set(t, j)
			fill(t, j, "staff", period("taken", 2, 9, 10, attic))
			for _, step := range c.steps {
				update(t, j, func(q *quota.Quota) { step(t, q) })
			}
			update(t, j, func(q *quota.Quota) {
				v, err := q.ForDelegate(booking(t, object(t, c.uid, []calendar.URI{attic}), attic), quota.Available, now.Add(c.later))
				must(t, err)
				if v.Reason != quota.Delegated || v.Delegate != c.want {
					t.Errorf("%s (%s), want %s", v.Delegate, v, c.want)
				}
				line := "ATTENDEE;DELEGATED-FROM=\"" + string(attic) + "\":" + string(cave)
				v, err = q.ForDelegate(booking(t, object(t, c.uid, nil, line), cave), quota.Available, now.Add(c.later))
				must(t, err)
				if v.Reason != quota.Accepted {
					t.Errorf("what is passed on to it is not accepted: %s", v)
				}
			})
		})
	}
}

// The original does not say that it has decided. What it has booked counts once.
func TestPassedAndBooked(t *testing.T) {
	j := journal(t)
	lists{"groups": "* staff", "limits": "staff *", "delegates": string(attic) + "\n" + string(cave)}.set(t, j)
	fill(t, j, "staff", period("o", 2, 9, 10, cave))
	update(t, j, func(q *quota.Quota) {
		must(t, q.Pass(booking(t, object(t, "o", []calendar.URI{attic}), attic), cave, now))
		v, err := q.ForDelegate(booking(t, object(t, "u", []calendar.URI{attic}), attic), quota.MostAvailable, now)
		must(t, err)
		if !slices.Equal(v.Loads, []quota.Load{{Resource: attic}, {Resource: cave, Bookings: 1}}) {
			t.Errorf("loads %v", v.Loads)
		}
	})
}

// What is over, or kept no longer, is removed by Expire.
func TestExpirePassed(t *testing.T) {
	j := journal(t)
	lists{"groups": "* staff", "limits": "staff *", "delegates": string(attic) + "\n" + string(cave)}.set(t, j)
	for _, c := range []struct {
		later time.Duration
		want  string
	}{{0, "a b"}, {10 * time.Hour, "b"}, {24 * time.Hour, ""}} {
		update(t, j, func(q *quota.Quota) {
			if c.later == 0 {
				must(t, q.Pass(booking(t, object(t, "a", []calendar.URI{attic}, "DTSTART:20261201T080000Z", "DTEND:20261201T090000Z"), attic), cave, now))
				must(t, q.Pass(booking(t, object(t, "b", []calendar.URI{attic}), attic), cave, now))
			}
			_, err := q.Expire(now.Add(c.later), time.UTC)
			must(t, err)
			table, err := q.Periods(stores.Table{Kind: stores.Offers})
			must(t, err)
			var left []string
			for p := range table.All() {
				left = append(left, p.UID)
			}
			if got := strings.Join(left, " "); got != c.want {
				t.Errorf("after %v there is %q, want %q", c.later, got, c.want)
			}
		})
	}
}
