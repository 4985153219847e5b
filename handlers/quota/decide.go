package quota

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// Booking is an event or an occurrence that a resource is asked for.
type Booking struct {
	stores.ID
	Object   *calendar.Object // as it is to be recorded
	Resource calendar.URI
	Spans    []calendar.Span // when it takes place, within the resource's window
	// At is, for an occurrence, when the occurrence of the series is that it stands for. What is
	// booked for that one goes with this booking. Zero: a whole event.
	At time.Time
}

// Reason is why a quota lets a resource accept, or not.
type Reason int

const (
	Accepted     Reason = iota
	NoAllocation        // nothing is allocated to the organizer
	Exceeded            // more is asked for than is allocated
	Unavailable         // the organizer has booked something else, or nothing is free that could be delegated to
	Delegated           // another resource is free
)

// Verdict is what a scheduling function with a quota says.
type Verdict struct {
	Reason   Reason
	Delegate calendar.URI // with Delegated

	// Why it is so, for people:
	Quota         calendar.URI  // with NoAllocation, if it has no limits at all
	Group         string        // of the organizer
	Asked, Booked time.Duration // in all, by this event and by the group
	Limit         time.Duration // negative: none
	Endless       bool          // the event has no end
	Loads         []Load        // of the candidates, in order of preference
	Collides      *freebusy.Period
}

// Load is how many bookings of a resource are in the way.
type Load struct {
	Resource calendar.URI
	Bookings int
}

// String says why it is so.
func (v Verdict) String() string {
	var b strings.Builder
	switch {
	case v.Quota != "":
		fmt.Fprintf(&b, "the quota %q has no limits, so nobody may book", string(v.Quota))
	case v.Reason == NoAllocation:
		fmt.Fprintf(&b, "group %q has no limit", v.Group)
	case v.Endless && v.Limit >= 0:
		fmt.Fprintf(&b, "the event has no end; group %q may have %s", v.Group, length(v.Limit))
	case v.Collides != nil:
		fmt.Fprintf(&b, "%q has booked %s from %s to %s", v.Group, v.Collides.Attendee,
			v.Collides.Start.Format("2006-01-02 15:04"), v.Collides.End.Format("2006-01-02 15:04 MST"))
	case v.Group != "" && v.Limit < 0:
		fmt.Fprintf(&b, "group %q may have what it wants", v.Group)
	case v.Group != "" && (v.Limit > 0 || v.Asked > 0):
		fmt.Fprintf(&b, "%s asked for, %s booked by group %q, which may have %s", length(v.Asked), length(v.Booked), v.Group, length(v.Limit))
	case v.Group != "":
		fmt.Fprintf(&b, "%q has nothing else at the time", v.Group)
	}
	for i, l := range v.Loads {
		separator := ", "
		if i == 0 {
			separator = "; in the way: "
		}
		fmt.Fprintf(&b, "%s%s %d", separator, l.Resource, l.Bookings)
	}
	return b.String()
}

// length returns a length for people: 1h30m0s is 1h30m.
func length(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// own returns what tells the records that this booking takes the place of. They do not count.
func (b *Booking) own() func(freebusy.Period) bool {
	uid, recurrenceID := freebusy.Clean(b.UID), freebusy.Clean(b.RecurrenceID)
	future := b.Object.Future()
	return func(p freebusy.Period) bool {
		switch {
		case p.UID != uid:
			return false
		case recurrenceID == "", p.RecurrenceID == recurrenceID:
			return true
		}
		return p.RecurrenceID == "" && !b.At.IsZero() && (p.Start.Equal(b.At) || future && p.Start.After(b.At))
	}
}

// Check decides as check_quota does: by how much the organizer's group has booked.
func (q *Quota) Check(b Booking) (Verdict, error) {
	v, _, err := q.check(b)
	return v, err
}

func (q *Quota) check(b Booking) (v Verdict, table *freebusy.Table, err error) {
	organizer, _ := b.Object.Organizer()
	v.Group = q.GroupOf(organizer)
	limit, ok := q.LimitOf(v.Group)
	if !ok || badName(v.Group) != "" { // of whom nothing could be recorded
		v.Reason = NoAllocation
		if len(q.Limits) == 0 {
			v.Quota = q.User()
		}
		return v, freebusy.New(freebusy.Attended), nil
	}
	which, err := q.table(v.Group)
	if err != nil {
		return v, nil, err
	}
	if table, err = q.Periods(which); err != nil {
		return v, nil, err
	}
	own := b.own()
	asked, booked := int64(0), int64(0) // seconds, of which a year has few enough
	for _, s := range b.Spans {
		asked += s.End.Unix() - s.Start.Unix()
	}
	for p := range table.All() {
		if !own(p) || !calendar.URI(p.Attendee).Is(b.Resource) {
			booked += p.End.Unix() - p.Start.Unix()
		}
	}
	v.Asked, v.Booked, v.Limit = seconds(asked), seconds(booked), limit.Amount
	switch {
	case limit.Amount < 0:
	case b.RecurrenceID == "" && b.Object.RecursForever():
		v.Endless = true
		v.Reason = Exceeded
	case asked+booked > int64(limit.Amount/time.Second):
		v.Reason = Exceeded
	}
	return v, table, nil
}

// Total returns how much is booked in a table.
func Total(table *freebusy.Table) time.Duration {
	total := int64(0)
	for p := range table.All() {
		total += p.End.Unix() - p.Start.Unix()
	}
	return seconds(total)
}

// seconds returns a number of seconds, or the greatest length that there is.
func seconds(n int64) time.Duration {
	return time.Duration(min(n, math.MaxInt64/int64(time.Second))) * time.Second
}

// Across decides as schedule_across_quota does: the organizer has nothing else under the quota at
// the time, in whatever resource.
func (q *Quota) Across(b Booking) (v Verdict, err error) {
	organizer, _ := b.Object.Organizer()
	v.Group = string(organizer)
	if badName(v.Group) != "" {
		v.Reason = NoAllocation
		return v, nil
	}
	which, err := q.table(v.Group)
	if err != nil {
		return v, err
	}
	table, err := q.Periods(which)
	if err != nil {
		return v, err
	}
	own, hits := b.own(), overlapping(b.Spans)
	for p := range table.All() {
		if !own(p) && hits(p) {
			v.Reason, v.Collides = Unavailable, &p
			break
		}
	}
	return v, nil
}

// overlapping returns what tells the records that overlap one of the periods. Those that only
// touch one do not.
func overlapping(spans []calendar.Span) func(freebusy.Period) bool {
	spans = slices.SortedFunc(slices.Values(spans), func(a, b calendar.Span) int { return a.Start.Compare(b.Start) })
	ends := make([]time.Time, len(spans)) // the last end up to there
	for i, s := range spans {
		if ends[i] = s.End; i > 0 && ends[i-1].After(s.End) {
			ends[i] = ends[i-1]
		}
	}
	return func(p freebusy.Period) bool {
		n, _ := slices.BinarySearchFunc(spans, p.End, func(s calendar.Span, end time.Time) int {
			return cmp.Or(s.Start.Compare(end), 1) // those that begin at the end are not before it
		})
		return n > 0 && ends[n-1].After(p.Start)
	}
}

// Policy says how schedule_for_delegate chooses.
type Policy int

const (
	Available     Policy = iota // "available": the resource itself if it is free, else the first that is
	MostAvailable               // "most-available": which has least in the way, the resource itself first
)

// ParsePolicy returns the policy that words name. Without any, and for those that nobody knows, it
// is Available.
func ParsePolicy(words ...string) (p Policy) {
	for _, word := range words {
		switch word {
		case "available":
			p = Available
		case "most-available":
			p = MostAvailable
		}
	}
	return p
}

// UnknownPolicies returns those of the words after the name of a quota that are no policy.
func UnknownPolicies(words ...string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return word == "available" || word == "most-available" })
}

// ForDelegate decides as schedule_for_delegate does: where the quota allows it, for the resource or
// for one of its delegates. What is passed on to a resource now is in the way there, too, but not of what
// somebody has passed on to it.
func (q *Quota) ForDelegate(b Booking, policy Policy, now time.Time) (Verdict, error) {
	v, table, err := q.check(b)
	if err != nil || v.Reason != Accepted {
		return v, err
	}
	v.Loads = []Load{{Resource: b.Resource}}
	self, _ := itip.Attendee(b.Object, b.Resource)
	passedHere := len(self.DelegatedFrom()) > 0
	if !passedHere {
		for _, d := range q.Delegates {
			_, attends := itip.Attendee(b.Object, d)
			twice := slices.ContainsFunc(v.Loads, func(l Load) bool { return l.Resource.Is(d) })
			if !attends && !twice {
				v.Loads = append(v.Loads, Load{Resource: d})
			}
		}
	}
	numbers := make(map[calendar.URI]int, len(v.Loads))
	for i, l := range v.Loads {
		numbers[l.Resource.Folded()] = i
	}
	own, hits := b.own(), overlapping(b.Spans)
	type counted struct {
		uid       string
		candidate int
		at        instant
	}
	known := make(map[counted]bool) // what is passed on may be booked by now: the original does not say so
	count := func(p freebusy.Period) {
		i, ok := numbers[calendar.URI(p.Attendee).Folded()]
		if c := (counted{p.UID, i, instantOf(p)}); ok && !own(p) && !known[c] && hits(p) {
			known[c] = true
			v.Loads[i].Bookings++
		}
	}
	for p := range table.All() {
		count(p)
	}
	if !passedHere {
		if err := q.onTheirWay(now, count); err != nil {
			return v, err
		}
	}
	chosen := slices.IndexFunc(v.Loads, func(l Load) bool { return l.Bookings == 0 })
	if policy == MostAvailable && chosen < 0 {
		chosen = 0
		for i, l := range v.Loads {
			if l.Bookings < v.Loads[chosen].Bookings {
				chosen = i
			}
		}
	}
	switch {
	case chosen < 0:
		v.Reason = Unavailable
	case chosen > 0:
		v.Reason, v.Delegate = Delegated, v.Loads[chosen].Resource
	}
	return v, nil
}
