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

// occurrence is one of those of a series, which is named by when it takes place as the series has it, or a whole event.
type occurrence struct {
	uid string
	at  slot
}

// whole is in the place of the time of an occurrence for a whole event.
const whole slot = -1

func (o occurrence) String() string {
	if o.at == whole {
		return o.uid
	}
	return o.uid + "/" + o.at.time().Format("20060102T150405Z")
}

// event returns what it is an occurrence of.
func (o occurrence) event() occurrence { return occurrence{o.uid, whole} }

// replaces reports whether a booking of another one goes when this one is booked.
func (o occurrence) replaces(other occurrence, s span) bool {
	return o.uid == other.uid && (o.at == whole || o.at == other.at || other.at == whole && s.from == o.at)
}

// call is a message about an event, for one of the resources.
type call struct {
	method string // REQUEST, CANCEL or DECLINECOUNTER
	occurrence
	organizer string
	to        string
	revision
	spans     []span
	recurs    bool     // the spans are those of a rule
	attendees []string // all, with the resource
	from      string   // the resource that has delegated it, "" if the organizer has sent it
}

func (c call) String() string {
	out := fmt.Sprintf("%s %s %d/%s for %s %v", c.method, c.occurrence, c.sequence, c.stamp.Format("150405"), c.to, c.spans)
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

	stored    map[occurrence]kept
	cancelled map[occurrence]revision
	booked    map[occurrence][]span // its own free/busy
	offered   map[occurrence]offer
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
	passed    map[booking]offer             // what is passed on to a resource, and not decided
}

// booking is an event or occurrence in a resource.
type booking struct {
	occurrence
	resource string
}

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
	stored, isStored := r.stored[c.occurrence]
	if isStored && c.compare(stored.revision) < 0 || c.compare(r.cancelled[c.occurrence]) < 0 || c.compare(r.cancelled[c.event()]) < 0 {
		return nil // old
	}
	switch c.method {
	case "CANCEL":
		if c.at == whole {
			r.forgetOccurrences(c, func(revision) bool { return false })
		}
		delete(r.stored, c.occurrence)
		r.cancelled[c.occurrence] = c.revision
		r.dropOffers(c)
		r.giveUp(c)
		m.account(c)
		for name := range m.resources {
			m.arrived(c, name)
		}
		return nil
	case "DECLINECOUNTER":
		r.dropOffers(c)
		return nil
	}
	if isStored && c.compare(stored.revision) == 0 {
		return nil // it has been answered
	}
	decision, spans, delegate := m.decide(c)
	m.arrived(c, c.to)
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
		spans = r.left(c)
		if c.at == whole {
			first := r.isFirst(c)
			r.forgetOccurrences(c, func(cancelled revision) bool { return first && c.compare(cancelled) < 0 })
		}
		r.stored[c.occurrence] = kept{c.revision, decision}
		delete(r.cancelled, c.occurrence)
		r.dropOffers(c)
		r.giveUp(c)
		if decision == "ACCEPTED" && len(spans) > 0 {
			r.booked[c.occurrence] = spans
		}
		m.account(c)
		say("REPLY", decision, c.spans[0].from)
	case "COUNTER":
		if r.offers > 0 {
			r.dropOffers(c)
			r.offered[c.occurrence] = offer{spans, m.now.Add(r.offers)}
		}
		say("COUNTER", "NEEDS-ACTION", spans[0].from)
	case "DELEGATED":
		m.pass(c, delegate)
		say("REPLY", "DELEGATED", c.spans[0].from)
		replies = append(replies, reply{delegate, "REQUEST", "DELEGATED", c.spans[0].from})
		r.dropOffers(c)
		if r.hasAccepted(c.uid) {
			if c.at == whole {
				first := r.isFirst(c)
				r.forgetOccurrences(c, func(cancelled revision) bool { return first && c.compare(cancelled) < 0 })
			}
			r.stored[c.occurrence] = kept{c.revision, decision}
			delete(r.cancelled, c.occurrence)
			r.giveUp(c)
			m.account(c)
		}
	}
	return replies
}

// hasAccepted reports whether the resource has accepted something of an event.
func (r *modelResource) hasAccepted(uid string) bool {
	for o, k := range r.stored {
		if o.uid == uid && k.status == "ACCEPTED" {
			return true
		}
	}
	return false
}

// pass notes that a call is passed on, for a day. Of each event only the last one is known.
func (m *model) pass(c call, delegate string) {
	for _, f := range m.resources[c.to].functions {
		if f.name != "schedule_for_delegate" || !slices.Contains(m.quotas[f.quota].delegates, delegate) {
			continue
		}
		q := m.quotas[f.quota]
		for name := range m.resources {
			q.forget(c, name)
		}
		q.passed[booking{c.occurrence, delegate}] = offer{m.resources[c.to].left(c), m.now.Add(24 * time.Hour)}
	}
}

// arrived forgets what was passed on of a call's event to a resource, as the quotas of the call's resource know it.
func (m *model) arrived(c call, resource string) {
	for _, f := range m.resources[c.to].functions {
		if f.quota != "" {
			m.quotas[f.quota].forget(c, resource)
		}
	}
}

func (q *modelQuota) forget(c call, resource string) {
	for b := range q.passed {
		if b.resource == resource && b.uid == c.uid && (c.at == whole || c.at == b.at) {
			delete(q.passed, b)
		}
	}
}

// isFirst reports whether nothing is known of a whole event but of its occurrences.
func (r *modelResource) isFirst(c call) bool {
	_, stored := r.stored[c.occurrence]
	_, cancelled := r.cancelled[c.occurrence]
	return !stored && !cancelled
}

// left returns the times of a call without those of occurrences that are called off already, by what has overtaken it.
func (r *modelResource) left(c call) (spans []span) {
	for _, s := range c.spans {
		cancelled, ok := r.cancelled[occurrence{c.uid, s.from}]
		if c.at != whole || !r.isFirst(c) || !ok || c.compare(cancelled) > 0 {
			spans = append(spans, s)
		}
	}
	return spans
}

// forgetOccurrences forgets what is stored of an event's occurrences, but some that are cancelled.
func (r *modelResource) forgetOccurrences(c call, stays func(revision) bool) {
	for o := range r.stored {
		if o.uid == c.uid && o.at != whole {
			delete(r.stored, o)
		}
	}
	for o, revision := range r.cancelled {
		if o.uid == c.uid && o.at != whole && !stays(revision) {
			delete(r.cancelled, o)
		}
	}
}

// giveUp removes from free/busy what the call replaces.
func (r *modelResource) giveUp(c call) {
	for o, spans := range r.booked {
		if left := without(c, o, spans); len(left) == 0 {
			delete(r.booked, o)
		} else {
			r.booked[o] = left
		}
	}
}

// dropOffers removes what is offered of it.
func (r *modelResource) dropOffers(c call) {
	for o, offered := range r.offered {
		if offered.spans = without(c, o, offered.spans); len(offered.spans) == 0 {
			delete(r.offered, o)
		} else {
			r.offered[o] = offered
		}
	}
}

// without returns the times of an event or occurrence that the call does not replace.
func without(c call, o occurrence, spans []span) (left []span) {
	for _, s := range spans {
		if !c.replaces(o, s) {
			left = append(left, s)
		}
	}
	return left
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
	r := m.resources[c.to]
	decision, spans = "ACCEPTED", r.left(c)
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
	for o, spans := range r.booked {
		add(without(c, o, spans))
	}
	for o, offered := range r.offered {
		if m.now.Before(offered.expires) {
			add(without(c, o, offered.spans))
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
		if b.resource == c.to {
			spans = without(c, b.occurrence, spans)
		}
		sum += total(spans)
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
		if overlap(spans, without(c, b.occurrence, others)) {
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
			if b.resource != candidate {
				continue
			}
			for _, s := range without(c, b.occurrence, others) {
				if overlap([]span{s}, spans) {
					load++
				}
			}
		}
		for b, passed := range q.passed {
			if c.from != "" || b.resource != candidate || !m.now.Before(passed.expires) {
				continue
			}
			for _, s := range without(c, b.occurrence, passed.spans) {
				if overlap([]span{s}, spans) && !slices.Contains(q.tables[q.group(c.organizer)][b], s) {
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

// account has the quotas of the resource's functions hold what it has booked of the call's event.
func (m *model) account(c call) {
	r := m.resources[c.to]
	for _, f := range r.functions {
		if f.quota == "" {
			continue
		}
		for _, table := range m.quotas[f.quota].tables {
			for b := range table {
				if b.uid == c.uid && b.resource == c.to {
					delete(table, b)
				}
			}
		}
	}
	for _, f := range r.functions {
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
		for o, spans := range r.booked {
			if o.uid == c.uid {
				q.tables[name][booking{o, c.to}] = spans
			}
		}
	}
}

// records returns all records there are, each with the name of its table. Of offers, those that hold.
func (m *model) records() (lines []string) {
	add := func(table string, o occurrence, more string, spans []span) {
		for _, s := range spans {
			lines = append(lines, strings.TrimSpace(fmt.Sprint(table, ": ", o, " ", s, " ", more)))
		}
	}
	for name, r := range m.resources {
		for o, spans := range r.booked {
			add(name, o, "", spans)
		}
		for o, offered := range r.offered {
			if m.now.Before(offered.expires) {
				add(name+" offers", o, "", offered.spans)
			}
		}
		for o, k := range r.stored {
			lines = append(lines, fmt.Sprint(name, " has ", o, " ", k.sequence, " ", k.status))
		}
		for o := range r.cancelled {
			lines = append(lines, fmt.Sprint(name, " has cancelled ", o))
		}
	}
	for name, q := range m.quotas {
		for b, passed := range q.passed {
			if m.now.Before(passed.expires) {
				add(name+" on the way", b.occurrence, b.resource, passed.spans)
			}
		}
		for group, table := range q.tables {
			for b, spans := range table {
				add(name+" of "+group, b.occurrence, b.resource, spans)
			}
		}
	}
	slices.Sort(lines)
	return lines
}
