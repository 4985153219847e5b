package quota_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
)

// TestModel has organizers book resources under a quota in random order, and compares each verdict and all that is
// booked with a model that knows the rules, and nothing of tables. No group ever has more than its limit. What is given
// up or past comes back, and in the end nothing is left.
func TestModel(t *testing.T) {
	checks := map[string]string{"rapid.checks": "80", "rapid.seed": "1", "rapid.nofailfile": "true"}
	if os.Getenv("IMIP_AGENT_FULL") != "" {
		checks = map[string]string{"rapid.checks": "2000", "rapid.nofailfile": "true"}
	}
	flag.Visit(func(f *flag.Flag) { delete(checks, f.Name) })
	for name, value := range checks {
		was := flag.Lookup(name).Value.String()
		must(t, flag.Set(name, value))
		t.Cleanup(func() { flag.Set(name, was) })
	}
	base, number, seen := t.TempDir(), 0, map[quota.Reason]int{}
	rapid.Check(t, func(rt *rapid.T) {
		number++
		m := newModel(rt, t, filepath.Join(base, strconv.Itoa(number)))
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			m.step()
			m.check()
		}
		for reason, n := range m.seen {
			seen[reason] += n
		}
		m.end()
	})
	t.Log(seen)
	for reason := quota.Accepted; reason <= quota.Delegated; reason++ {
		if seen[reason] == 0 && !t.Failed() {
			t.Errorf("no request had the reason %d", reason)
		}
	}
}

// Who there is. The events of an organizer are numbered.
var (
	modelOrganizers = []calendar.URI{paul, vera, "mailto:zoe@example.com"}
	modelResources  = []calendar.URI{attic, barn, cave}
)

// modelBooked is a record that the model expects.
type modelBooked struct {
	table, uid, recurrenceID string
	resource                 calendar.URI
	start, end               time.Time
}

// model is a quota, and what it is to be.
type model struct {
	*rapid.T
	t         *testing.T
	journal   *file.Journal
	resources map[calendar.URI]*resource
	events    map[string]*modelEvent
	seen      map[quota.Reason]int
	clock     time.Time

	functions string                 // "check", "across", "both", "delegate", "delegate, most available"
	groups    map[string]string      // of organizers; "*": of all others
	limits    map[string]int         // of groups, in hours; less than 0: none
	delegates []calendar.URI         // in order
	booked    map[modelBooked]string // with the transparency
}

// modelEvent is the newest version of an event.
type modelEvent struct {
	organizer calendar.URI
	sequence  int
	start     time.Time
	hours     int
	days      int
}

func newModel(rt *rapid.T, t *testing.T, dir string) *model {
	m := &model{T: rt, t: t, resources: map[calendar.URI]*resource{}, events: map[string]*modelEvent{}, seen: map[quota.Reason]int{}, clock: now,
		groups: map[string]string{}, limits: map[string]int{}, booked: map[modelBooked]string{}}
	var err error
	m.journal, err = file.OpenJournal(file.Options{Dir: dir, LockTimeout: time.Minute})
	must(t, err)
	for _, uri := range modelResources {
		m.resources[uri] = newResource(uri)
	}
	m.functions = rapid.SampledFrom([]string{"check", "across", "both", "delegate", "delegate, most available"}).Draw(rt, "functions")
	names := []string{"staff", "guests of the house", "'quoted'"}
	for _, organizer := range append([]string{"*"}, text(modelOrganizers)...) {
		if group := rapid.SampledFrom(append([]string{""}, names...)).Draw(rt, "group of "+organizer); group != "" {
			m.groups[organizer] = group
		}
	}
	for _, group := range append(append([]string{"*"}, names...), text(modelOrganizers)...) {
		if hours := rapid.SampledFrom([]int{0, 0, -1, 3, 7, 20}).Draw(rt, "limit of "+group); hours != 0 {
			m.limits[group] = hours
		}
	}
	m.delegates = rapid.Permutation(modelResources).Draw(rt, "delegates")[:rapid.IntRange(0, 3).Draw(rt, "number of delegates")]
	var limits, groups, delegates [][]string
	for _, group := range slices.Sorted(maps.Keys(m.limits)) {
		limit := "*"
		if hours := m.limits[group]; hours >= 0 {
			limit = fmt.Sprintf("PT%dH", hours)
		}
		limits = append(limits, []string{group, limit})
	}
	for _, organizer := range slices.Sorted(maps.Keys(m.groups)) {
		groups = append(groups, []string{organizer, m.groups[organizer]})
	}
	for _, d := range m.delegates {
		delegates = append(delegates, []string{string(d)})
	}
	must(t, m.journal.Update(t.Context(), rooms, func(tx stores.JournalTx) error {
		return cmp.Or(tx.SetList("limits", limits), tx.SetList("groups", groups), tx.SetList("delegates", delegates))
	}))
	return m
}

func text(uris []calendar.URI) (all []string) {
	for _, uri := range uris {
		all = append(all, string(uri))
	}
	return all
}

func (m *model) groupOf(organizer calendar.URI) string {
	for _, who := range []string{string(organizer), "*"} {
		if group, ok := m.groups[who]; ok {
			return group
		}
	}
	return string(organizer)
}

func (m *model) limitOf(group string) (hours int, ok bool) {
	for _, name := range []string{group, "*"} {
		if hours, ok := m.limits[name]; ok {
			return hours, true
		}
	}
	return 0, false
}

// step does something.
func (m *model) step() {
	uid := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(m.T, "event")
	r := rapid.SampledFrom(modelResources).Draw(m.T, "resource")
	switch rapid.SampledFrom([]string{"ask", "ask", "ask", "ask", "occurrence", "give up", "give up an occurrence", "expire"}).Draw(m.T, "step") {
	case "ask":
		e := m.events[uid]
		if e == nil {
			e = &modelEvent{organizer: rapid.SampledFrom(modelOrganizers).Draw(m.T, "organizer"), sequence: -1}
			m.events[uid] = e
		}
		e.sequence++
		e.start = time.Date(2026, 12, 2, rapid.IntRange(8, 12).Draw(m.T, "hour"), 0, 0, 0, time.UTC)
		e.hours, e.days = rapid.IntRange(1, 3).Draw(m.T, "hours"), rapid.IntRange(1, 3).Draw(m.T, "days")
		m.ask(uid, "", r, e.start, e.hours, e.days, nil)
	case "occurrence":
		if e, at := m.occurrence(uid); e != nil {
			e.sequence++
			start := at.Add(time.Duration(rapid.IntRange(-2, 4).Draw(m.T, "by")) * time.Hour)
			m.ask(uid, form(at), r, start, rapid.IntRange(1, 3).Draw(m.T, "hours"), 1, nil)
		}
	case "give up":
		m.giveUp(uid, "", r)
	case "give up an occurrence":
		if _, at := m.occurrence(uid); !at.IsZero() {
			m.giveUp(uid, form(at), r)
		}
	case "expire":
		m.clock = m.clock.Add(time.Duration(rapid.IntRange(0, 24).Draw(m.T, "later")) * time.Hour)
		update(m.t, m.journal, func(q *quota.Quota) {
			_, err := q.Expire(m.clock, time.UTC)
			must(m.t, err)
		})
		maps.DeleteFunc(m.booked, func(b modelBooked, _ string) bool { return b.end.Before(m.clock) })
	}
}

func form(at time.Time) string { return at.Format("20060102T150405Z") }

// occurrence returns a series and one of its occurrences.
func (m *model) occurrence(uid string) (*modelEvent, time.Time) {
	e := m.events[uid]
	if e == nil || e.days < 2 {
		return nil, time.Time{}
	}
	return e, e.start.AddDate(0, 0, rapid.IntRange(0, e.days-1).Draw(m.T, "day"))
}

// ask asks for a resource, and books it where the quota lets that. Of is who has delegated it there.
func (m *model) ask(uid, recurrenceID string, r calendar.URI, start time.Time, hours, days int, of []calendar.URI) {
	e := m.events[uid]
	lines := []string{
		"ORGANIZER:" + string(e.organizer), fmt.Sprint("SEQUENCE:", e.sequence), "DTSTART:" + form(start), "DTEND:" + form(start.Add(time.Duration(hours)*time.Hour)),
	}
	if days > 1 {
		lines = append(lines, fmt.Sprint("RRULE:FREQ=DAILY;COUNT=", days))
	}
	if recurrenceID != "" {
		lines = append(lines, "RECURRENCE-ID:"+recurrenceID)
	}
	attendees := []calendar.URI{r}
	for _, d := range of {
		lines = append(lines, fmt.Sprintf("ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=%q:%s", string(r), d), fmt.Sprintf("ATTENDEE;DELEGATED-FROM=%q:%s", string(d), r))
		attendees = nil
	}
	o := object(m.t, uid, attendees, lines...)
	b := booking(m.t, o, r)
	want := m.verdict(b, start, hours, days, of)
	var got quota.Verdict
	books := quota.InGroup
	update(m.t, m.journal, func(q *quota.Quota) {
		var err error
		switch m.functions {
		case "check":
			got, err = q.Check(b)
		case "across":
			books = quota.ByOrganizer
			got, err = q.Across(b)
		case "both":
			books |= quota.ByOrganizer
			if got, err = q.Check(b); err == nil && got.Reason == quota.Accepted {
				got, err = q.Across(b)
			}
		default:
			policy := map[string]quota.Policy{"delegate": quota.Available, "delegate, most available": quota.MostAvailable}[m.functions]
			got, err = q.ForDelegate(b, policy, m.clock)
		}
		must(m.t, err)
	})
	if got.Reason != want.Reason || got.Delegate != want.Delegate {
		m.Fatalf("%s %s of %s for %s by %s: %v %s, want %v %s (%s)", uid, recurrenceID, e.organizer, r, m.functions, got.Reason, got.Delegate, want.Reason, want.Delegate, got)
	}
	m.seen[got.Reason]++
	switch got.Reason {
	case quota.Accepted:
		m.resources[r].accept(m.t, m.journal, o, books)
		m.book(b, start, hours, days)
	case quota.Delegated:
		m.ask(uid, recurrenceID, got.Delegate, start, hours, days, append(of, r))
	default:
		m.giveUp(uid, recurrenceID, r)
	}
}

// replaces reports whether a record is of what a booking takes the place of.
func replaces(p modelBooked, b quota.Booking) bool {
	return p.uid == b.UID && (b.RecurrenceID == "" || p.recurrenceID == b.RecurrenceID || p.recurrenceID == "" && p.start.Equal(b.At))
}

// verdict is what the rules say.
func (m *model) verdict(b quota.Booking, start time.Time, hours, days int, of []calendar.URI) (v quota.Verdict) {
	organizer := m.events[b.UID].organizer
	group := m.groupOf(organizer)
	over := func(p modelBooked) bool {
		for day := range days {
			from := start.AddDate(0, 0, day)
			if p.start.Before(from.Add(time.Duration(hours)*time.Hour)) && from.Before(p.end) {
				return true
			}
		}
		return false
	}
	if m.functions != "across" {
		limit, ok := m.limitOf(group)
		sum := time.Duration(hours*days) * time.Hour
		for p := range m.booked {
			if p.table == group && !(replaces(p, b) && p.resource == b.Resource) {
				sum += p.end.Sub(p.start)
			}
		}
		switch {
		case !ok:
			return quota.Verdict{Reason: quota.NoAllocation}
		case limit >= 0 && sum > time.Duration(limit)*time.Hour:
			return quota.Verdict{Reason: quota.Exceeded}
		}
	}
	switch m.functions {
	case "across", "both":
		for p := range m.booked {
			if p.table == string(organizer) && !replaces(p, b) && over(p) {
				return quota.Verdict{Reason: quota.Unavailable}
			}
		}
	case "delegate", "delegate, most available":
		candidates := []calendar.URI{b.Resource}
		for _, d := range m.delegates {
			if len(of) == 0 && d != b.Resource {
				candidates = append(candidates, d)
			}
		}
		best, least := 0, 1000
		for i, candidate := range candidates {
			load := 0
			for p := range m.booked {
				if p.table == group && p.resource == candidate && !replaces(p, b) && over(p) {
					load++
				}
			}
			if load < least {
				best, least = i, load
			}
		}
		switch {
		case least > 0 && m.functions == "delegate":
			return quota.Verdict{Reason: quota.Unavailable}
		case best > 0:
			return quota.Verdict{Reason: quota.Delegated, Delegate: candidates[best]}
		}
	}
	return v
}

// book has the model book what is accepted.
func (m *model) book(b quota.Booking, start time.Time, hours, days int) {
	maps.DeleteFunc(m.booked, func(p modelBooked, _ string) bool { return p.resource == b.Resource && replaces(p, b) })
	organizer := m.events[b.UID].organizer
	tables := map[string]string{}
	if m.functions == "across" || m.functions == "both" {
		tables[string(organizer)] = "ORG" // the organizer is no attendee
	}
	if m.functions != "across" {
		tables[m.groupOf(organizer)] = "OPAQUE"
	}
	for day := range days {
		from := start.AddDate(0, 0, day)
		for table, transp := range tables {
			m.booked[modelBooked{table, b.UID, b.RecurrenceID, b.Resource, from, from.Add(time.Duration(hours) * time.Hour)}] = transp
		}
	}
}

func (m *model) giveUp(uid, recurrenceID string, r calendar.URI) {
	m.resources[r].giveUp(m.t, m.journal, stores.ID{UID: uid, RecurrenceID: recurrenceID})
	at, _ := calendar.InstantOf(recurrenceID, time.UTC)
	gone := quota.Booking{ID: stores.ID{UID: uid, RecurrenceID: recurrenceID}, At: at}
	maps.DeleteFunc(m.booked, func(p modelBooked, _ string) bool { return p.resource == r && replaces(p, gone) })
}

// check compares what is booked with the model, and sums with limits.
func (m *model) check() {
	var want []string
	sums := map[string]time.Duration{}
	for p, transp := range m.booked {
		id := p.uid
		if p.recurrenceID != "" {
			id += "/" + p.recurrenceID
		}
		want = append(want, fmt.Sprintf("%s: %s %s %s-%s %s", short(p.table), id, short(string(p.resource)), p.start.Format("0102T15"), p.end.Format("0102T15"), transp))
		sums[p.table] += p.end.Sub(p.start)
	}
	slices.Sort(want)
	got := tables(m.t, m.journal)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		m.Fatalf("by %s booked\n%s\nwant\n%s", m.functions, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if m.functions == "across" {
		return
	}
	for _, organizer := range modelOrganizers {
		group := m.groupOf(organizer)
		if limit, ok := m.limitOf(group); ok && limit >= 0 && sums[group] > time.Duration(limit)*time.Hour {
			m.Fatalf("group %q has %v, and may have %d hours", group, sums[group], limit)
		}
	}
}

// end reads the journal's files as another program does, and gives everything up.
func (m *model) end() {
	before := tables(m.t, m.journal)
	lists := m.lists()
	again, err := file.OpenJournal(file.Options{Dir: m.journal.Dir(), LockTimeout: time.Minute})
	must(m.t, err)
	m.journal = again
	if after := tables(m.t, again); !slices.Equal(before, after) {
		m.Fatalf("opened again, there is\n%s\nand was\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	if after := m.lists(); !slices.Equal(lists, after) {
		m.Fatalf("opened again, the lists are %q, and were %q", after, lists)
	}
	m.checkFiles()
	for uid := range m.events {
		for _, r := range modelResources {
			m.giveUp(uid, "", r)
		}
	}
	m.check()
	if left := events(m.t, m.journal); len(left) > 0 {
		m.Fatalf("kept of events that nobody has: %q", left)
	}
}

// lists returns the quota's lists, with the names of groups as they are.
func (m *model) lists() (lines []string) {
	update(m.t, m.journal, func(q *quota.Quota) {
		for _, l := range q.Limits {
			lines = append(lines, l.Group+" "+l.String())
			if hours := m.limits[l.Group]; hours >= 0 && l.Amount != time.Duration(hours)*time.Hour {
				m.Fatalf("limit %q, want %d hours", l, hours)
			}
		}
		for _, g := range q.Groups {
			lines = append(lines, string(g.Organizer)+" "+g.Group)
		}
		lines = append(lines, text(q.Delegates)...)
	})
	if len(lines) != len(m.limits)+len(m.groups)+len(m.delegates) {
		m.Fatalf("lists %q", lines)
	}
	return lines
}

// checkFiles checks that tables have the columns and the order that all programs expect.
func (m *model) checkFiles() {
	files, err := filepath.Glob(filepath.Join(m.journal.Dir(), string(rooms), "freebusy-other", "*"))
	must(m.t, err)
	found := 0
	for _, name := range files {
		content, err := os.ReadFile(name)
		must(m.t, err)
		former := []string{}
		for line := range strings.Lines(string(content)) {
			columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			key := []string{}
			if len(columns) == 8 {
				key = []string{columns[0], columns[1], columns[2], columns[4]}
				_, startErr := time.Parse("20060102T150405Z", columns[0])
				_, endErr := time.Parse("20060102T150405Z", columns[1])
				if startErr != nil || endErr != nil || !slices.Contains(modelResources, calendar.URI(columns[7])) {
					key = nil
				}
			}
			if len(key) == 0 || slices.Compare(former, key) > 0 {
				m.Fatalf("%s: %q", name, content)
			}
			former = key
			found++
		}
	}
	if found != len(m.booked) {
		m.Fatalf("%d lines in %q, want %d", found, files, len(m.booked))
	}
}
