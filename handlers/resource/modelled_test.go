package resource_test

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/resource"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
)

// Whatever organizers ask of resources, in whatever order, the handler decides and records as the model does. No
// resource is ever booked twice, no group has more than it may have, each request that counts has one answer, and
// what was answered last is what is booked.
func TestModel(t *testing.T) {
	sequences(t)
	base, err := os.MkdirTemp("/dev/shm", "imip-agent-model-")
	if err != nil {
		base = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	number := 0
	decided := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		number++
		w := newModelled(rt, filepath.Join(base, strconv.Itoa(number)))
		defer w.close()
		for _, s := range rapid.SliceOfN(rapid.Custom(drawStep), 1, 16).Draw(rt, "steps") {
			w.do(s)
		}
		for len(w.calls) > 0 {
			w.deliver(0)
		}
		for kind, n := range w.decided {
			decided[kind] += n
		}
	})
	t.Log(decided)
	for _, kind := range []string{"REPLY ACCEPTED", "REPLY DECLINED", "REPLY DELEGATED", "COUNTER NEEDS-ACTION", "nothing", "occurrence: REPLY ACCEPTED"} {
		if decided[kind] == 0 && !t.Failed() {
			t.Errorf("no call was answered by %s: %v", kind, decided)
		}
	}
}

// sequences has so many sequences tried, unless the command line says how many: a few, which are the same each time, or
// many, which are others each time.
func sequences(t *testing.T) {
	t.Helper()
	set := map[string]string{"rapid.checks": "300", "rapid.seed": "1"}
	if os.Getenv("IMIP_AGENT_FULL") != "" {
		set = map[string]string{"rapid.checks": "10000"}
	}
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || strings.HasPrefix(f.Name, "rapid.") })
	if said {
		return
	}
	for name, value := range set {
		was := flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { flag.Set(name, was) })
	}
}

// Who there is, by their URIs.
var (
	modelRooms      = []string{"mailto:attic@example.com", "mailto:barn@example.com", "mailto:cellar@example.com"}
	modelOrganizers = []string{"mailto:harvey@example.com", "mailto:paul@example.com", "mailto:vera@example.com"}
	modelQuotas     = []string{"mailto:rooms@example.com", "mailto:cars@example.com"}
)

const modelGuest = "mailto:guest@example.com"

// modelStep is what happens next.
type modelStep struct {
	kind      string
	organizer int
	event     int
	rooms     []int // which are invited, by their numbers
	guest     bool  // who is invited, too
	from      slot
	length    slot
	days      int // of a series; 1: there is none
	day       int // from 0, for an occurrence of the series that there is; -1: it is about the whole event
	number    int // of a call that is waiting, or is handed in again
}

func drawStep(rt *rapid.T) modelStep {
	s := modelStep{
		kind:      rapid.SampledFrom([]string{"REQUEST", "REQUEST", "REQUEST", "REQUEST", "CANCEL", "DECLINECOUNTER", "deliver", "again", "half an hour", "an hour", "a day"}).Draw(rt, "kind"),
		organizer: rapid.IntRange(0, len(modelOrganizers)-1).Draw(rt, "organizer"),
		event:     rapid.IntRange(0, 2).Draw(rt, "event"),
		rooms:     rapid.SampledFrom([][]int{{0}, {0}, {1}, {0, 1}, {2, 0}, {0, 1, 2}}).Draw(rt, "rooms"),
		guest:     rapid.IntRange(0, 3).Draw(rt, "guest") == 0,
		from:      slot(rapid.IntRange(9*hourSlots, 12*hourSlots).Draw(rt, "from")),
		length:    slot(rapid.IntRange(1, 6).Draw(rt, "length")),
		days:      1,
		number:    rapid.IntRange(0, 100).Draw(rt, "number"),
	}
	if rapid.Bool().Draw(rt, "recurs") {
		s.days = rapid.IntRange(2, 3).Draw(rt, "days")
	}
	s.day = rapid.SampledFrom([]int{-1, -1, 0, 1, 2}).Draw(rt, "day")
	return s
}

// waiting is a call that has not arrived yet, with its mail.
type waiting struct {
	call
	text string
}

// modelled is a handler beside the model.
type modelled struct {
	*resource.Handler
	rt    *rapid.T
	dir   string
	model *model
	said  bytes.Buffer
	wants map[string]preferences.Preferences

	sequences map[string]int    // of the last revision, by uid
	series    map[string][]span // when series take place, as their organizers have it
	apart     map[string]bool   // of which events there has been an occurrence by itself
	calls     []waiting         // on their way
	past      []waiting         // that have arrived
	number    int               // of mails
	few       bool              // each organizer has one event, and series have occurrences apart
	pool      bool              // most ask the first resource, which delegates to the others, for the same time
	latest    map[booking]string
	decided   map[string]int
	history   []string
	close     func()
}

func (w *modelled) Load(user calendar.URI) (preferences.Preferences, error) {
	return w.wants[string(user)], nil
}

func newModelled(rt *rapid.T, dir string) *modelled {
	w := &modelled{
		rt: rt, dir: dir, wants: map[string]preferences.Preferences{}, sequences: map[string]int{}, series: map[string][]span{}, apart: map[string]bool{}, latest: map[booking]string{}, decided: map[string]int{},
		model: &model{
			now: time.Date(2026, 11, 22, 12, 0, 1, 0, time.UTC), resources: map[string]*modelResource{}, quotas: map[string]*modelQuota{},
			busy: map[string][]span{modelGuest: {{10 * hourSlots, 11 * hourSlots}}},
		},
	}
	w.pool = rapid.Bool().Draw(rt, "pool")
	w.few = !w.pool && rapid.Bool().Draw(rt, "few")
	for _, name := range modelQuotas {
		w.drawQuota(name)
	}
	for _, name := range modelRooms {
		w.drawRoom(name)
	}
	now := func() time.Time { return w.model.now }
	aside := &rejected.Dir{Path: filepath.Join(dir, "rejected"), Max: 10, Now: now}
	options := file.Options{Dir: filepath.Join(dir, "store"), LockTimeout: time.Minute, Now: now, Rejected: aside, Deferred: true}
	store, err := file.Open(options)
	w.must(err)
	options.Dir = filepath.Join(dir, "journal")
	journal, err := file.OpenJournal(options)
	w.must(err)
	w.close = func() {
		store.Close()
		journal.Close()
		os.RemoveAll(dir)
	}
	w.Handler = &resource.Handler{
		Handler: arrival.Handler{
			Pipeline: handlers.Pipeline{
				Store: store, Preferences: w, Rejected: aside, Sender: "mailto:" + system,
				Log: slog.New(slog.DiscardHandler), Now: now, MessageLimit: 1 << 20, PeriodLimit: 1000,
			},
			Instead: &w.said, Spool: dir,
		},
		Journal: func() (stores.Journal, error) { return journal, nil },
	}
	return w
}

func (w *modelled) must(err error) {
	if err != nil {
		w.fatalf("%v", err)
	}
}

func (w *modelled) fatalf(format string, args ...any) {
	w.rt.Fatalf("%s\nthis came before:\n%s", fmt.Sprintf(format, args...), strings.Join(w.history, "\n"))
}

func (w *modelled) note(format string, args ...any) {
	w.history = append(w.history, fmt.Sprintf(format, args...))
}

// write writes a file below the directory.
func (w *modelled) write(text string, path ...string) {
	name := filepath.Join(append([]string{w.dir}, path...)...)
	err := os.MkdirAll(filepath.Dir(name), 0o700)
	if err == nil {
		err = os.WriteFile(name, []byte(text), 0o600)
	}
	w.must(err)
}

func (w *modelled) drawQuota(name string) {
	q := &modelQuota{limits: map[string]int{}, groups: map[string]string{}, tables: map[string]map[booking][]span{}, passed: map[booking]offer{}}
	w.model.quotas[name] = q
	limit := rapid.SampledFrom([]int{0, 6, 12, 24, -1, -1})
	var limits, groups, delegates string
	if w.pool {
		limit = rapid.SampledFrom([]int{24, 48, -1})
	}
	for _, group := range append([]string{"staff", "*"}, modelOrganizers[:2]...) {
		if n := limit.Draw(w.rt, "limit of "+group); n != 0 {
			q.limits[group] = n
			amount := "*"
			if n > 0 {
				amount = fmt.Sprintf("PT%dM", n*15)
			}
			limits += group + " " + amount + "\n"
		}
	}
	names := []string{"", "staff", "staff", "guests"}
	if w.pool {
		names = []string{"staff"}
	}
	for _, who := range append([]string{"*"}, modelOrganizers...) {
		if group := rapid.SampledFrom(names).Draw(w.rt, "group of "+who); group != "" {
			q.groups[who] = group
			groups += who + " " + group + "\n"
		}
	}
	q.delegates = rapid.Permutation(modelRooms).Draw(w.rt, "delegates")[:rapid.SampledFrom([]int{3, 2, 1, 0}).Draw(w.rt, "number")]
	for _, d := range q.delegates {
		delegates += d + "\n"
	}
	w.note("quota %s: limits %v, groups %v, delegates %v", name, q.limits, q.groups, q.delegates)
	w.write(limits, "journal", name, "limits")
	w.write(groups, "journal", name, "groups")
	w.write(delegates, "journal", name, "delegates")
}

func (w *modelled) drawRoom(name string) {
	r := &modelResource{
		stored: map[occurrence]kept{}, cancelled: map[occurrence]revision{}, booked: map[occurrence][]span{}, offered: map[occurrence]offer{},
	}
	w.model.resources[name] = r
	var lines []string
	names := []string{
		"schedule_in_freebusy", "schedule_corrected_in_freebusy", "schedule_next_available_in_freebusy", "check_quota", "schedule_across_quota", "schedule_for_delegate",
	}
	number := rapid.IntRange(1, 3)
	if w.pool {
		names = []string{"schedule_for_delegate"}
		number = rapid.IntRange(1, 1)
	}
	for range number.Draw(w.rt, "functions") {
		f := function{name: rapid.SampledFrom(names).Draw(w.rt, "function")}
		if strings.HasSuffix(f.name, "freebusy") {
			f.most = rapid.IntRange(1, 2).Draw(w.rt, "at a time")
		} else {
			f.quota = rapid.SampledFrom(modelQuotas).Draw(w.rt, "quota")
			if w.pool {
				f.quota = modelQuotas[0]
			}
		}
		if f.name == "schedule_for_delegate" {
			f.policy = rapid.SampledFrom([]string{"", "available", "most-available"}).Draw(w.rt, "policy")
		}
		r.functions = append(r.functions, f)
		lines = append(lines, f.String())
	}
	times := ""
	switch rapid.IntRange(0, 3).Draw(w.rt, "permitted") {
	case 0:
		times = "0,30"
		r.permitted = func(s slot) bool { return s%2 == 0 }
	case 1:
		times = "9,10,12:0,30"
		r.permitted = func(s slot) bool { return s%2 == 0 && slices.Contains([]slot{9, 10, 12}, s%daySlots/hourSlots) }
	}
	if rapid.Bool().Draw(w.rt, "offers") {
		r.offers = 100 * time.Minute
	}
	w.note("%s: %q, times %q, offers for %v", name, lines, times, r.offers)
	permitted, err := preferences.ParseTimes(times)
	w.must(err)
	w.wants[name] = preferences.Preferences{
		Zone: time.UTC, WindowSize: 100, SchedulingFunction: strings.Join(lines, "\n"), PermittedTimes: permitted, Offers: r.offers,
	}
	var busy string
	for _, s := range w.model.busy[modelGuest] {
		busy += s.from.time().Format("20060102T150405Z") + "\t" + s.to.time().Format("20060102T150405Z") + "\taway\tOPAQUE\t\tAway\t" + modelGuest + "\n"
	}
	w.write(busy, "store", name, "freebusy-other", modelGuest)
}

// do has the step happen.
func (w *modelled) do(s modelStep) {
	switch s.kind {
	case "half an hour", "an hour", "a day":
		w.note("%s goes by", s.kind)
		w.model.now = w.model.now.Add(map[string]time.Duration{"half an hour": 30 * time.Minute, "an hour": time.Hour, "a day": 24 * time.Hour}[s.kind])
		w.compare()
	case "deliver":
		if len(w.calls) > 0 {
			w.deliver(s.number % len(w.calls))
		}
	case "again":
		if len(w.past) > 0 {
			w.calls = append(w.calls, w.past[s.number%len(w.past)])
		}
	default:
		w.send(s)
	}
}

// send has an organizer send a message to resources, to each a mail. Those of one step in two arrive at once.
func (w *modelled) send(s modelStep) {
	organizer := modelOrganizers[s.organizer]
	switch {
	case w.pool:
		s.event = s.number % 6
	case w.few:
		s.event = 0
	}
	c := call{method: s.kind, organizer: organizer, occurrence: occurrence{fmt.Sprintf("%s-%d", short(organizer), s.event), whole}, recurs: s.days > 1}
	if s.kind != "DECLINECOUNTER" {
		w.sequences[c.uid]++
	}
	if w.pool && s.number%4 > 0 {
		s.rooms, s.from, s.days = []int{0}, 9*hourSlots+s.from%4, 1
		c.recurs = false
	}
	c.revision = revision{w.sequences[c.uid], w.model.now}
	series, sent := w.series[c.uid]
	if w.few && sent && s.days > 1 != (series != nil) { // what recurs always does
		s.days = 3 - min(s.days, 2)
		c.recurs = s.days > 1
	}
	if w.few && s.day >= 0 && s.day < len(series) {
		c.at, c.recurs, s.days = series[s.day].from, false, 1
		w.apart[c.uid] = true
		s.from += slot(s.day) * daySlots
	}
	for day := range slot(s.days) {
		from := s.from + day*daySlots
		c.spans = append(c.spans, span{from, from + s.length})
	}
	if c.at == whole && c.method == "REQUEST" {
		w.series[c.uid] = nil
		if c.recurs {
			w.series[c.uid] = c.spans
		}
	}
	for _, n := range s.rooms {
		c.attendees = append(c.attendees, modelRooms[n])
	}
	if s.guest {
		c.attendees = append(c.attendees, modelGuest)
	}
	for _, n := range s.rooms {
		c.to = modelRooms[n]
		w.calls = append(w.calls, waiting{c, c.compose()})
	}
	if s.number%2 == 0 {
		for range s.rooms {
			w.deliver(len(w.calls) - 1)
		}
	}
}

func short(uri string) string {
	return strings.TrimSuffix(strings.TrimPrefix(uri, "mailto:"), "@example.com")
}

// compose returns the call as its organizer sends it.
func (c call) compose() string {
	at := func(s slot) string { return s.time().Format("20060102T150405Z") }
	lines := []string{
		"BEGIN:VEVENT", "UID:" + c.uid, "DTSTAMP:" + c.stamp.Format("20060102T150405Z"), fmt.Sprint("SEQUENCE:", c.sequence), "ORGANIZER:" + c.organizer,
		"SUMMARY:Meeting", "DTSTART:" + at(c.spans[0].from), "DTEND:" + at(c.spans[0].to),
	}
	if c.recurs {
		lines = append(lines, fmt.Sprint("RRULE:FREQ=DAILY;COUNT=", len(c.spans)))
	}
	if c.at != whole {
		lines = append(lines, "RECURRENCE-ID:"+at(c.at))
	}
	for _, a := range c.attendees {
		lines = append(lines, "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:"+a)
	}
	return message(strings.TrimPrefix(c.organizer, "mailto:"), c.method, strings.Join(append(lines, "END:VEVENT", ""), "\r\n"))
}

// deliver hands in a call that is waiting, which the handler must answer as the model does.
func (w *modelled) deliver(n int) {
	next := w.calls[n]
	w.calls = slices.Delete(w.calls, n, n+1)
	w.past = append(w.past, next)
	w.number++
	w.note("at %s %s", w.model.now.Format("150405"), next)
	w.said.Reset()
	w.Recipients = []string{strings.TrimPrefix(next.to, "mailto:")}
	err := w.Handle(w.rt.Context(), strings.NewReader(fmt.Sprintf("X-Number: %d\r\n%s", w.number, next.text)))
	w.must(err)
	want := w.model.handle(next.call)
	var got []reply
	for _, mail := range strings.Split(w.said.String(), "mail from <")[1:] {
		r := read(mail, next.to)
		got = append(got, r)
		if r.method == "REQUEST" {
			w.calls = append(w.calls, waiting{w.model.delegated(next.call, r.to), mail[strings.Index(mail, "\n")+1:]})
		}
	}
	order := func(a, b reply) int { return strings.Compare(a.String(), b.String()) }
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	if !slices.Equal(got, want) {
		w.fatalf("answers %v, want %v\n%s", got, want, &w.said)
	}
	w.note("    %v", got)
	w.answered(next.call, got)
	w.compare()
}

// read reads an answer, of that resource.
func read(mail, resource string) reply {
	envelope, text, _ := strings.Cut(mail, "\n")
	_, to, _ := strings.Cut(envelope, "for <")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n ", ""), "\r\n", "\n")
	r := reply{to: "mailto:" + strings.TrimSuffix(to, ">"), status: "NEEDS-ACTION"}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, _ := strings.Cut(line, ":")
		switch {
		case name == "METHOD":
			r.method = value
		case name == "DTSTART":
			at, _ := time.Parse("20060102T150405Z", value)
			r.start = slot(at.Sub(modelDay) / slotLength)
		case strings.HasPrefix(line, "ATTENDEE") && strings.HasSuffix(line, ":"+resource):
			if _, after, ok := strings.Cut(line, "PARTSTAT="); ok {
				r.status = after[:strings.IndexAny(after, ";:")]
			}
		}
	}
	return r
}

// answered checks what must be so whatever the rules are.
func (w *modelled) answered(c call, replies []reply) {
	b := booking{c.event(), c.to}
	kind := "nothing"
	mine := 0
	for _, r := range replies {
		if r.to == c.organizer {
			mine++
			kind = r.method + " " + r.status
		}
	}
	w.decided[kind]++
	if c.at != whole {
		w.decided["occurrence: "+kind]++
	}
	switch {
	case mine > 1:
		w.fatalf("the organizer has %d answers", mine)
	case w.apart[c.uid]:
		w.latest[b] = "" // it has occurrences: the model says what is booked
	case kind == "REPLY ACCEPTED":
		w.latest[b] = fmt.Sprint(c.spans)
	case kind == "REPLY DECLINED", kind == "REPLY DELEGATED":
		delete(w.latest, b)
	case c.method == "CANCEL" && c.compare(w.model.resources[c.to].cancelled[c.occurrence]) == 0:
		delete(w.latest, b)
	}
}

// record is a record of a table.
type record struct {
	span
	booking
	expires time.Time
}

func (w *modelled) table(resource string, path ...string) (records []record) {
	text, err := os.ReadFile(filepath.Join(append([]string{w.dir}, path...)...))
	if err != nil && !os.IsNotExist(err) {
		w.must(err)
	}
	at := func(text string) time.Time {
		at, err := time.Parse("20060102T150405Z", text)
		w.must(err)
		return at
	}
	for line := range strings.Lines(string(text)) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		r := record{booking: booking{occurrence{columns[2], whole}, resource}}
		if columns[4] != "" {
			r.at = slot(at(columns[4]).Sub(modelDay) / slotLength)
		}
		r.from, r.to = slot(at(columns[0]).Sub(modelDay)/slotLength), slot(at(columns[1]).Sub(modelDay)/slotLength)
		switch {
		case path[len(path)-1] == "freebusy-offers" && resource == "":
			r.resource, r.expires = columns[6], at(columns[7])
		case len(columns) > 7 && resource == "":
			r.resource = columns[7]
		case len(columns) > 7 && columns[7] != "":
			r.expires = at(columns[7])
		}
		records = append(records, r)
	}
	return records
}

// names returns what there is in a directory.
func (w *modelled) names(path ...string) (names []string) {
	all, err := os.ReadDir(filepath.Join(append([]string{w.dir}, path...)...))
	if err != nil && !os.IsNotExist(err) {
		w.must(err)
	}
	for _, entry := range all {
		names = append(names, entry.Name())
	}
	return names
}

// object is the file of an event or occurrence.
type object struct{ name, path string }

// stored returns the objects in a directory.
func (w *modelled) stored(path ...string) (all []object) {
	for _, uid := range w.names(append(path, "objects")...) {
		all = append(all, object{uid, filepath.Join("objects", uid)})
	}
	for _, uid := range w.names(append(path, "recurrences")...) {
		for _, at := range w.names(append(path, "recurrences", uid)...) {
			all = append(all, object{uid + "/" + at, filepath.Join("recurrences", uid, at)})
		}
	}
	return all
}

// compare compares what is stored with the model, and looks for what must never be.
func (w *modelled) compare() {
	var lines []string
	for name, r := range w.model.resources {
		own := w.table(name, "store", name, "freebusy")
		for _, b := range own {
			lines = append(lines, fmt.Sprintf("%s: %s %s", name, b.occurrence, b.span))
		}
		w.checkBookings(name, r, own)
		for _, b := range w.table(name, "store", name, "freebusy-offers") {
			if w.model.now.Before(b.expires) {
				lines = append(lines, fmt.Sprintf("%s offers: %s %s", name, b.occurrence, b.span))
			}
		}
		for _, o := range w.stored("store", name) {
			text, err := os.ReadFile(filepath.Join(w.dir, "store", name, o.path))
			w.must(err)
			stored := read("\n"+string(text), name)
			_, after, _ := strings.Cut(string(text), "\r\nSEQUENCE:")
			sequence, _, _ := strings.Cut(after, "\r\n")
			lines = append(lines, fmt.Sprintf("%s has %s %s %s", name, o.name, sequence, stored.status))
		}
		for _, o := range w.stored("store", name, "cancellations") {
			lines = append(lines, fmt.Sprintf("%s has cancelled %s", name, o.name))
		}
	}
	for name, q := range w.model.quotas {
		for _, b := range w.table("", "journal", name, "freebusy-offers") {
			if w.model.now.Before(b.expires) {
				lines = append(lines, fmt.Sprintf("%s on the way: %s %s %s", name, b.occurrence, b.span, b.resource))
			}
		}
		sums := map[string]int{}
		for _, group := range w.names("journal", name, "freebusy-other") {
			for _, b := range w.table("", "journal", name, "freebusy-other", group) {
				lines = append(lines, fmt.Sprintf("%s of %s: %s %s %s", name, group, b.occurrence, b.span, b.resource))
				sums[group] += int(b.to - b.from)
			}
		}
		w.checkSums(name, q, sums)
	}
	slices.Sort(lines)
	if want := w.model.records(); !slices.Equal(lines, want) {
		w.fatalf("there is\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// checkBookings checks that there are never more bookings at a time than the resource's functions allow, and that there
// are those that were answered last.
func (w *modelled) checkBookings(name string, r *modelResource, own []record) {
	most := len(own)
	for _, f := range r.functions {
		if f.looksAtFreeBusy() {
			most = min(most, f.most)
		}
	}
	booked := map[booking][]span{}
	for _, b := range own {
		b.booking.at = whole
		booked[b.booking] = append(booked[b.booking], b.span)
		at := 0
		for _, other := range own {
			if other.from <= b.from && b.from < other.to {
				at++
			}
		}
		if at > most {
			w.fatalf("%s has %d bookings at %s, and may have %d", name, at, slotTime(b.from), most)
		}
	}
	for b, spans := range booked {
		if latest, ok := w.latest[b]; !ok || latest != "" && latest != fmt.Sprint(spans) {
			w.fatalf("%s is booked in %s for %v, and the last answer is %q", b.uid, name, spans, w.latest[b])
		}
	}
	for b := range maps.Keys(w.latest) {
		if b.resource == name && booked[b] == nil && w.latest[b] != "" {
			w.fatalf("%s is not booked in %s, and was accepted", b.uid, name)
		}
	}
}

// checkSums checks that no group has more than its limit, where all functions that book for it look at that.
func (w *modelled) checkSums(name string, q *modelQuota, sums map[string]int) {
	for _, r := range w.model.resources {
		for _, f := range r.functions {
			if f.name == "schedule_across_quota" && f.quota == name {
				return
			}
		}
	}
	for group, sum := range sums {
		limit, ok := q.limits[group]
		if !ok {
			limit, ok = q.limits["*"]
		}
		if !ok || limit >= 0 && sum > limit {
			w.fatalf("%s: group %s has %d quarters of an hour, and may have %d", name, group, sum, limit)
		}
	}
}
