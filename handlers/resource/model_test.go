package resource_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// This is a model of the rules by which resources decide, written apart from the handler and from what that is made
// of. Time goes in quarters of an hour, which are counted, and all that is known stands in maps.

// slot is a quarter of an hour, counted from the beginning of a day.
type slot int

const (
	slotLength = 15 * time.Minute
	hourSlots  = 4
	daySlots   = 24 * hourSlots
)

// span is from one slot to another, which is not part of it.
type span struct{ from, to slot }

func (s span) String() string { return slotTime(s.from) + "-" + slotTime(s.to) }

// modelDay is the day of the first slot.
var modelDay = time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)

func (s slot) time() time.Time { return modelDay.Add(time.Duration(s) * slotLength) }

func slotTime(s slot) string { return s.time().Format("02T1504") }

// revision is that of an event: its sequence number, and when it was said.
type revision struct {
	sequence int
	stamp    time.Time
}

func (r revision) compare(other revision) int {
	if r.sequence != other.sequence {
		return r.sequence - other.sequence
	}
	return r.stamp.Compare(other.stamp)
}

// call is a message about an event, for one of the resources.
type call struct {
	method    string // REQUEST, CANCEL or DECLINECOUNTER
	uid       string
	organizer string
	to        string
	revision
	spans     []span
	recurs    bool     // the spans are those of a rule
	attendees []string // all, with the resource
	from      string   // the resource that has delegated it, "" if the organizer has sent it
}

func (c call) String() string {
	out := fmt.Sprintf("%s %s %d/%s for %s %v", c.method, c.uid, c.sequence, c.stamp.Format("150405"), c.to, c.spans)
	if c.recurs {
		out += " by a rule"
	}
	if c.from != "" {
		out += " delegated by " + c.from
	}
	return out
}

// reply is an answer to a call, or the call that it leads to.
type reply struct {
	to, method, status string
	start              slot
}

func (r reply) String() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", r.to, r.method, r.status, slotTime(r.start))), " ")
}

// function is a scheduling function of a resource.
type function struct {
	name   string
	most   int    // bookings at a time, of those that look at free/busy
	quota  string // of those that have one
	policy string
}

func (f function) String() string {
	switch {
	case f.quota != "":
		return strings.TrimSpace(f.name + " " + f.quota + " " + f.policy)
	case f.most > 1:
		return fmt.Sprint(f.name, " ", f.most)
	}
	return f.name
}

func (f function) looksAtFreeBusy() bool { return f.most > 0 }

// modelResource is what the model knows of a resource.
type modelResource struct {
	functions []function
	permitted func(slot) bool // nil: all times are
	offers    time.Duration   // how long an offer holds; 0: none is recorded

	stored    map[string]kept     // by uid
	cancelled map[string]revision // by uid
	booked    map[string][]span   // its own free/busy, by uid
	offered   map[string]offer    // by uid
}

// kept is an event that is stored.
type kept struct {
	revision
	status string // of the resource
}

type offer struct {
	spans   []span
	expires time.Time
}

// modelQuota is what is known under a quota.
type modelQuota struct {
	limits    map[string]int // in slots; less than 0: no limit; by group, "*" being all others
	groups    map[string]string
	delegates []string
	tables    map[string]map[booking][]span // by group, or by organizer
}

// booking is an event in a resource.
type booking struct{ uid, resource string }

// model is all of it.
type model struct {
	now       time.Time
	resources map[string]*modelResource
	quotas    map[string]*modelQuota
	busy      map[string][]span // what is known of people
}

// handle handles a call, and returns what is answered.
func (m *model) handle(c call) []reply {
	r := m.resources[c.to]
	stored, isStored := r.stored[c.uid]
	if isStored && c.compare(stored.revision) < 0 || c.compare(r.cancelled[c.uid]) < 0 {
		return nil // old
	}
	switch c.method {
	case "CANCEL":
		delete(r.stored, c.uid)
		r.cancelled[c.uid] = c.revision
		delete(r.booked, c.uid)
		m.retract(c)
		return nil
	case "DECLINECOUNTER":
		delete(r.offered, c.uid)
		return nil
	}
	if isStored && c.compare(stored.revision) == 0 {
		return nil // it has been answered
	}
	decision, spans, delegate := m.decide(c)
	to := []string{c.organizer}
	if c.from != "" {
		to = append(to, c.from)
	}
	var replies []reply
	say := func(method, status string, start slot) {
		for _, who := range to {
			replies = append(replies, reply{who, method, status, start})
		}
	}
	switch decision {
	case "ACCEPTED", "DECLINED":
		r.stored[c.uid] = kept{c.revision, decision}
		delete(r.cancelled, c.uid)
		delete(r.offered, c.uid)
		delete(r.booked, c.uid)
		if decision == "ACCEPTED" {
			r.booked[c.uid] = c.spans
			m.confirm(c)
		} else {
			m.retract(c)
		}
		say("REPLY", decision, c.spans[0].from)
	case "COUNTER":
		if r.offers > 0 {
			r.offered[c.uid] = offer{spans, m.now.Add(r.offers)}
		}
		if stored.status != "ACCEPTED" {
			m.retract(c)
		}
		say("COUNTER", "NEEDS-ACTION", spans[0].from)
	case "DELEGATED":
		if stored.status != "ACCEPTED" {
			m.retract(c)
		}
		say("REPLY", "DELEGATED", c.spans[0].from)
		replies = append(replies, reply{delegate, "REQUEST", "DELEGATED", c.spans[0].from})
	}
	return replies
}

// delegated returns the call to the delegate to whom a call is passed on.
func (m *model) delegated(c call, delegate string) call {
	c.from, c.to = c.to, delegate
	if m.now.After(c.stamp) {
		c.stamp = m.now
	}
	c.attendees = []string{c.from, c.to}
	return c
}

// decide returns the decision, with the times that are proposed, and the delegate.
func (m *model) decide(c call) (decision string, spans []span, delegate string) {
	decision, spans = "ACCEPTED", c.spans
	r := m.resources[c.to]
	for _, f := range r.functions {
		var said string
		proposed := spans
		switch f.name {
		case "schedule_in_freebusy":
			said = verdict(m.isFree(c, f.most, spans))
		case "schedule_corrected_in_freebusy", "schedule_next_available_in_freebusy":
			corrected, ok := r.correct(spans, c.recurs)
			free := ok && m.isFree(c, f.most, corrected)
			if ok && !free && !c.recurs && f.name == "schedule_next_available_in_freebusy" {
				corrected, free = m.nextFree(c, f.most, corrected), true
			}
			said = verdict(free)
			if free && !slices.Equal(corrected, spans) {
				said, proposed = "COUNTER", corrected
			}
		case "check_quota":
			said = verdict(m.isAllocated(c, f, spans))
		case "schedule_across_quota":
			said = verdict(m.hasNothingElse(c, f, spans))
		case "schedule_for_delegate":
			said, delegate = m.choose(c, f, spans)
		}
		switch said {
		case "DECLINED", "DELEGATED":
			return said, nil, delegate
		case "COUNTER":
			decision, spans = said, proposed
		}
	}
	return decision, spans, ""
}

func verdict(ok bool) string {
	if ok {
		return "ACCEPTED"
	}
	return "DECLINED"
}

// taken returns how many bookings and offers there are of other events, by slot.
func (m *model) taken(c call) map[slot]int {
	r := m.resources[c.to]
	taken := map[slot]int{}
	add := func(spans []span) {
		for _, s := range spans {
			for at := s.from; at < s.to; at++ {
				taken[at]++
			}
		}
	}
	for uid, spans := range r.booked {
		if uid != c.uid {
			add(spans)
		}
	}
	for uid, o := range r.offered {
		if uid != c.uid && m.now.Before(o.expires) {
			add(o.spans)
		}
	}
	return taken
}

// isFree reports whether there are fewer than most at any time.
func (m *model) isFree(c call, most int, spans []span) bool {
	taken := m.taken(c)
	for _, s := range spans {
		for at := s.from; at < s.to; at++ {
			if taken[at] >= most {
				return false
			}
		}
	}
	return true
}

// correct moves spans to permitted times, and reports whether that can be done.
func (r *modelResource) correct(spans []span, recurs bool) (corrected []span, ok bool) {
	next := func(at slot) slot {
		for r.permitted != nil && !r.permitted(at) {
			at++
		}
		return at
	}
	for _, s := range spans {
		moved := span{next(s.from), next(s.to)}
		if moved.to <= moved.from {
			moved.to = next(moved.from + s.to - s.from)
		}
		if moved != s && recurs {
			return nil, false
		}
		corrected = append(corrected, moved)
	}
	return corrected, true
}

// nextFree returns the earliest time, at permitted times, at which the resource is free, and the others who attend.
func (m *model) nextFree(c call, most int, spans []span) []span {
	permitted := m.resources[c.to].permitted
	others := map[slot]bool{}
	for _, who := range c.attendees {
		for _, s := range m.busy[who] {
			for at := s.from; at < s.to; at++ {
				others[at] = true
			}
		}
	}
	length := spans[0].to - spans[0].from
	for from := spans[0].from; ; from++ {
		s := span{from, from + length}
		fits := s == spans[0] || permitted == nil || permitted(s.from) && permitted(s.to)
		for at := s.from; at < s.to; at++ {
			fits = fits && !others[at]
		}
		if fits && m.isFree(c, most, []span{s}) {
			return []span{s}
		}
	}
}

// group returns the group of an organizer.
func (q *modelQuota) group(organizer string) string {
	for _, who := range []string{organizer, "*"} {
		if group := q.groups[who]; group != "" {
			return group
		}
	}
	return organizer
}

// isAllocated reports whether the group of the organizer may book so much more.
func (m *model) isAllocated(c call, f function, spans []span) bool {
	q := m.quotas[f.quota]
	group := q.group(c.organizer)
	limit, ok := q.limits[group]
	if !ok {
		limit, ok = q.limits["*"]
	}
	sum := total(spans)
	for b, spans := range q.tables[group] {
		if b != (booking{c.uid, c.to}) {
			sum += total(spans)
		}
	}
	return ok && (limit < 0 || sum <= limit)
}

func total(spans []span) (sum int) {
	for _, s := range spans {
		sum += int(s.to - s.from)
	}
	return sum
}

func overlap(a, b []span) bool {
	for _, s := range a {
		for _, t := range b {
			if s.from < t.to && t.from < s.to {
				return true
			}
		}
	}
	return false
}

// hasNothingElse reports whether the organizer has booked nothing else then.
func (m *model) hasNothingElse(c call, f function, spans []span) bool {
	for b, others := range m.quotas[f.quota].tables[c.organizer] {
		if b.uid != c.uid && overlap(spans, others) {
			return false
		}
	}
	return true
}

// choose returns what the function says that chooses a delegate.
func (m *model) choose(c call, f function, spans []span) (said, delegate string) {
	if !m.isAllocated(c, f, spans) {
		return "DECLINED", ""
	}
	q := m.quotas[f.quota]
	candidates := []string{c.to}
	if c.from == "" {
		for _, d := range q.delegates {
			if !slices.Contains(c.attendees, d) {
				candidates = append(candidates, d)
			}
		}
	}
	least, chosen := 0, ""
	for _, candidate := range candidates {
		load := 0
		for b, others := range q.tables[q.group(c.organizer)] {
			if b.uid == c.uid || b.resource != candidate {
				continue
			}
			for _, s := range others {
				if overlap([]span{s}, spans) {
					load++
				}
			}
		}
		if f.policy != "most-available" && load > 0 {
			continue
		}
		if chosen == "" || load < least {
			least, chosen = load, candidate
		}
	}
	switch chosen {
	case "":
		return "DECLINED", ""
	case c.to:
		return "ACCEPTED", ""
	}
	return "DELEGATED", chosen
}

// confirm books the call under the quotas of the resource's functions.
func (m *model) confirm(c call) {
	m.retract(c)
	for _, f := range m.resources[c.to].functions {
		if f.quota == "" {
			continue
		}
		q := m.quotas[f.quota]
		name := q.group(c.organizer)
		if f.name == "schedule_across_quota" {
			name = c.organizer
		}
		if q.tables[name] == nil {
			q.tables[name] = map[booking][]span{}
		}
		q.tables[name][booking{c.uid, c.to}] = c.spans
	}
}

// retract gives back what the call had booked.
func (m *model) retract(c call) {
	for _, f := range m.resources[c.to].functions {
		if f.quota == "" {
			continue
		}
		for _, table := range m.quotas[f.quota].tables {
			delete(table, booking{c.uid, c.to})
		}
	}
}

// records returns all records there are, each with the name of its table. Of offers, those that hold.
func (m *model) records() (lines []string) {
	add := func(table, uid, more string, spans []span) {
		for _, s := range spans {
			lines = append(lines, strings.TrimSpace(fmt.Sprint(table, ": ", uid, " ", s, " ", more)))
		}
	}
	for name, r := range m.resources {
		for uid, spans := range r.booked {
			add(name, uid, "", spans)
		}
		for uid, o := range r.offered {
			if m.now.Before(o.expires) {
				add(name+" offers", uid, "", o.spans)
			}
		}
		for uid, k := range r.stored {
			lines = append(lines, fmt.Sprint(name, " has ", uid, " ", k.sequence, " ", k.status))
		}
		for uid := range r.cancelled {
			lines = append(lines, fmt.Sprint(name, " has cancelled ", uid))
		}
	}
	for name, q := range m.quotas {
		for group, table := range q.tables {
			for b, spans := range table {
				add(name+" of "+group, b.uid, b.resource, spans)
			}
		}
	}
	slices.Sort(lines)
	return lines
}
