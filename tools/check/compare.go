package check

import (
	"errors"
	"slices"
	"strings"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// day is how long free/busy of recurring events may have gone without being extended.
const day = 24 * time.Hour

// compare compares the records of an event with what its object says.
func (e *eventLook) compare(s *series, id stores.ID, object *text, expect itip.Expectation) {
	rows := e.take(id)
	if e.leave(id) || !e.known {
		return
	}
	if len(expect.Transps) == 0 {
		if len(rows) > 0 {
			e.declined(id, rows, "the event").mendBy(removeOwn(id))
		}
		return
	}
	if len(rows) == 0 && expect.Optional {
		return
	}
	s.partly = ""
	d, ok := e.difference(s, id, object, rows)
	if ok && s.partly == "" && e.doubtful(s, id, object, expect, rows, d) {
		return
	}
	// Where nothing is recorded, it may never have been answered, or been left.
	if object.recursForever() && (len(rows) > 0 || object.organizedBy().Is(e.user) && !expect.Left) {
		e.provided(id)
	}
	switch {
	case !ok:
		return
	case s.partly == "":
	case len(d.missing)+len(d.late)+len(d.extra) > 0 && !e.answers(object.organizedBy(), rows):
		// What was recorded was read from something else.
		e.addText(eventTimes, stores.Key{Part: stores.Active, ID: id}, "the event's times can be read only in part, and free/busy differs: %s", s.partly)
		return
	default:
		e.add(eventPartly, e.path(stores.Key{Part: stores.Active, ID: id}), id, "the event's times can be read only in part: %s", s.partly)
		if e.doubtful(s, id, object, expect, rows, d) {
			return
		}
	}
	e.judge(s, id, object, expect, rows, d)
}

// judge tells what a difference means.
func (e *eventLook) judge(s *series, id stores.ID, object *text, expect itip.Expectation, rows []row, d difference) {
	if len(d.late) > 0 {
		e.late = append(e.late, lateEvent{id, object, expect, s, len(rows) > 0})
	}
	for _, r := range d.cancelled {
		rid := s.separate[r.start]
		f := e.addFreeBusy(freebusyCancelled, stores.ID{UID: id.UID, RecurrenceID: rid}, "the occurrence %s is cancelled, and free/busy has it at %s", rid, clock(r.start))
		f.mendBy(removeStarting{id, r.start})
	}
	switch missing, extra := len(d.missing), len(d.extra); {
	case missing > 0 && extra > 0:
		is, should := clock(d.extra[0].start), clock(d.missing[0].start)
		if is == should {
			is, should = is+" until "+clock(d.extra[0].end), "until "+clock(d.missing[0].end)
		} else {
			should = "at " + should
		}
		e.addFreeBusy(freebusyTime, id, "free/busy has the event at %s and not %s%s", is, should, andMore(max(missing, extra))).mendBy(rebuild(id))
		return
	case missing > 0:
		e.ownLost = e.ownLost || len(rows) == 0 || object.organizedBy().Is(e.user)
		e.addFreeBusy(freebusyMissing, id, "free/busy lacks the event at %s%s", clock(d.missing[0].start), andMore(missing)).mendBy(rebuild(id))
		return
	case extra > 0:
		e.addFreeBusy(freebusyExtra, id, "free/busy has the event at %s, when it does not take place%s", clock(d.extra[0].start), andMore(extra)).mendBy(rebuild(id))
		return
	case len(d.absent) > 0:
		e.addFreeBusy(freebusyAbsent, id, "free/busy lacks %s of the event, the first at %s, which the user may have declined", plural(len(d.absent), "occurrence"), clock(d.absent[0].start))
	}
	e.transparency(id, object, expect, rows)
}

// transparency looks at how busy the records of an event make the user.
func (e *eventLook) transparency(id stores.ID, object *text, expect itip.Expectation, rows []row) {
	if !slices.ContainsFunc(rows, func(r row) bool { return !slices.Contains(expect.Transps, r.transp) }) {
		e.words(id, object, rows)
		return
	}
	there := make([]string, len(rows))
	for i, r := range rows {
		there[i] = r.transp
	}
	should := expect.Transp(there...)
	wrong := slices.IndexFunc(there, func(t string) bool { return t != should })
	if wrong < 0 || e.isSentBefore(object, rows) {
		should = there[0]
		e.addFreeBusy(freebusyChosen, id, "free/busy has the event as %s instead of %s, perhaps because the user answered so", should, expect.Transps[0])
		return
	}
	f := e.addFreeBusy(freebusyTransp, id, "free/busy has the event at %s as %s instead of %s", clock(rows[wrong].start), there[wrong], should)
	f.mendBy(rebuild(id))
}

// words looks at what the records of an event call it. Of others' events that is what the
// user's answer did, which is not kept.
func (e *eventLook) words(id stores.ID, object *text, rows []row) {
	if !object.organizedBy().Is(e.user) {
		return
	}
	summary := freebusy.Clean(object.summed())
	wrong := slices.IndexFunc(rows, func(r row) bool { return r.summary != summary || !calendar.URI(r.organizer).Is(e.user) })
	if wrong < 0 || e.told[id] {
		return // or what the event says is not sure
	}
	r := rows[wrong]
	f := e.addFreeBusy(freebusyText, id, "free/busy has the event at %s as %.60q of %s instead of %.60q of the user", clock(r.start), r.summary, r.organizer, summary)
	f.mendBy(rebuild(id))
}

func andMore(n int) string {
	if n == 1 {
		return ""
	}
	return ", and " + plural(n-1, "more record")
}

// difference is how the records of an event differ from what its object says.
type difference struct {
	missing   []row // no record, where the event is
	absent    []row // the same, and the user may have declined
	late      []row // the same, but only for want of extending
	extra     []row // records where the event is not
	cancelled []row // the same, of occurrences that are cancelled
}

// difference compares records with an object. It is not ok if nobody can say what the
// records should be.
func (e *eventLook) difference(s *series, id stores.ID, object *text, rows []row) (d difference, ok bool) {
	end := e.end()
	spans, truncated, ok := e.spans(s, id, object, end, e.now)
	if !ok {
		return d, false
	}
	expected := func(until time.Time) []row {
		found, _, _ := e.spans(s, id, object, until, e.now)
		return found
	}
	if truncated && len(rows) > 0 {
		expected = func(until time.Time) []row { return e.spansSince(s, id, object, until, rows) }
		spans = expected(end)
	}
	missing, extra := subtract(spans, rows), subtract(rows, spans)
	if n := len(extra); n > 0 {
		// What was recorded in a larger window is right, too.
		if last := time.Unix(extra[n-1].start, 0); !last.Before(end.Add(-2 * day)) {
			extra = subtract(extra, expected(last.Add(2*day)))
		}
	}
	if truncated && len(rows)+len(s.separate) >= e.limit {
		// There is no room for what comes after the last one.
		missing = slices.DeleteFunc(missing, func(r row) bool { return r.start >= rows[len(rows)-1].start })
	}
	d.extra = extra
	if id.RecurrenceID == "" {
		e.occurrences(s, &d, &missing)
	}
	missing = slices.DeleteFunc(missing, func(r row) bool {
		line := e.torn.cutOff(r, e.cut)
		if line != "" {
			e.cut[line]++
		}
		return line != ""
	})
	d.missing = missing
	if len(missing) > 0 {
		e.tail(s, id, object, rows, &d)
	}
	if len(d.extra) == 0 && len(d.missing) > 0 && e.declinable(object, rows, d.missing) {
		d.missing, d.absent = nil, d.missing
	}
	return d, true
}

// declinable reports whether the user may have declined all the occurrences that are missing.
// If more are than are left, that is not why.
func (e *eventLook) declinable(object *text, rows, missing []row) bool {
	return !object.simple && len(missing) <= len(rows) && !slices.ContainsFunc(missing, func(r row) bool {
		return !itip.Declinable(object.object(), e.user, time.Unix(r.start, 0))
	})
}

// spans returns when an event is, by its object, as far as a table can hold it, without
// the occurrences that are stored separately.
func (e *eventLook) spans(s *series, id stores.ID, object *text, until, now time.Time) (rows []row, truncated, ok bool) {
	return e.spansWith(s, id, object, e.options(until, now))
}

func (e *eventLook) spansWith(s *series, id stores.ID, object *text, o calendar.PeriodOptions) (rows []row, truncated, ok bool) {
	if object.simple {
		if s.separate[object.span.start] != "" {
			return nil, false, true
		}
		return []row{object.span}, false, true
	}
	series, err := e.series(s, id, object)
	if err != nil {
		return nil, false, false
	}
	times, err := series.Times(o)
	var incomplete *calendar.IncompleteError
	switch {
	case err != nil:
		return nil, false, false
	case errors.As(times.Incomplete, &incomplete):
		s.partly = strings.Join(incomplete.Reasons, "; ")
	default:
		s.partly = object.object().UnreadLength()
	}
	found := times.Own()
	rows = make([]row, 0, len(found))
	for _, span := range found {
		if recordable(span) {
			rows = append(rows, row{start: span.Start.Unix(), end: span.End.Unix()})
		}
	}
	return rows, times.Truncated, true
}

// series returns an event or an occurrence with what else of it says when it is.
func (e *eventLook) series(s *series, id stores.ID, object *text) (*itip.Series, error) {
	var apart []calendar.Apart
	for rid, o := range s.recurrences {
		apart = append(apart, calendar.Apart{ID: rid, Cancelled: !o.active})
	}
	if s.ranged {
		return itip.ReadSeries(e.tx, id, object.object(), apart)
	}
	return itip.NewSeries(id, object.object(), apart...), nil
}

// spansSince returns when an event is that has more periods than are recorded, from the first of
// its records on: those recorded are the earliest that were not over at the time. More than the
// limit are right where others have recorded them.
func (e *eventLook) spansSince(s *series, id stores.ID, object *text, until time.Time, rows []row) []row {
	first := rows[0]
	before := func(r row) bool { return r.start < first.start || r.start == first.start && r.end < first.end }
	most := max(e.limit, len(rows))
	for n := most + 1000; ; n *= 2 {
		o := e.options(until, time.Unix(first.start, 0))
		o.Max = n
		spans, more, _ := e.spansWith(s, id, object, o)
		// Where periods overlap, some were over then that end after the first begins.
		spans = slices.DeleteFunc(spans, before)
		if !more || len(spans) >= most || n > 8*most {
			return spans[:min(len(spans), most)]
		}
	}
}

// recordable reports whether a table can hold a period.
func recordable(span calendar.Span) bool {
	return span.Start.Unix() >= earliest && span.End.Year() <= 9999
}

// earliest is the first instant that a table can hold: the year 1900.
const earliest = -2208988800

// subtract returns the rows of a that are not in b by time; both are in order.
func subtract(a, b []row) []row {
	var left []row
	for _, r := range a {
		for len(b) > 0 && (b[0].start < r.start || b[0].start == r.start && b[0].end < r.end) {
			b = b[1:]
		}
		if len(b) > 0 && b[0].start == r.start && b[0].end == r.end {
			continue
		}
		left = append(left, r)
	}
	return left
}

// occurrences sorts out what has to do with the occurrences of a whole event.
func (e *eventLook) occurrences(s *series, d *difference, missing *[]row) {
	d.extra = slices.DeleteFunc(d.extra, func(r row) bool {
		rid := s.separate[r.start]
		if rid == "" {
			return false
		}
		o := s.recurrences[rid]
		switch {
		case e.waiting[stores.ID{UID: s.uid, RecurrenceID: rid}], slices.Contains(s.unclear, rid):
			return true
		case o.cancelled:
			d.cancelled = append(d.cancelled, r)
			return true
		}
		return !e.rows.has(stores.ID{UID: s.uid, RecurrenceID: rid}) // see coveredByEvent
	})
	// So do those of an occurrence that is in a file of another name.
	for id := range e.claimed {
		if at, err := s.instantOf(id.RecurrenceID, e.preferences.Zone); id.UID == s.uid && err == nil {
			elsewhere := func(r row) bool { return r.start == at.Unix() }
			*missing = slices.DeleteFunc(*missing, elsewhere)
			d.extra = slices.DeleteFunc(d.extra, elsewhere)
		}
	}
	// Records of an occurrence that is not stored any more stand for the event's own.
	for rid := range e.rows.recurrences(s.uid) {
		if rid == "" || s.recurrences[rid] != nil {
			continue
		}
		at, err := calendar.InstantOf(rid, e.preferences.Zone)
		if err != nil {
			continue
		}
		before := len(*missing)
		*missing = slices.DeleteFunc(*missing, func(r row) bool { return r.start == at.Unix() })
		if len(*missing) < before {
			e.lost[stores.ID{UID: s.uid, RecurrenceID: rid}] = true
		}
	}
}

// tail takes what is missing only because the window has moved on since the event was
// recorded out of what is missing.
func (e *eventLook) tail(s *series, id stores.ID, object *text, rows []row, d *difference) {
	if object.simple || !object.object().Has("RRULE") {
		return
	}
	end := e.end()
	recorded := int64(-1 << 62) // up to where the event must have been recorded
	for _, r := range rows {
		if r.start <= end.Unix() {
			recorded = max(recorded, r.start)
		}
	}
	// It was recorded after it was sent, with the window of that time.
	if stamp, ok := object.object().Stamp(); ok {
		if sent, err := calendar.InstantOf(stamp, time.UTC); err == nil && !sent.After(e.now) {
			recorded = max(recorded, e.preferences.WindowEnd(sent).Add(-slack).Unix())
		}
	}
	late := slices.IndexFunc(d.missing, func(r row) bool { return r.start > recorded })
	if late < 0 {
		return
	}
	due, _, _ := e.spans(s, id, object, end.Add(-day), e.now)
	// The window is for the rule alone: RDATE is recorded up to its end.
	was, _, _ := e.spans(s, id, object, time.Unix(recorded, 0), e.now)
	after := subtract(d.missing[late:], was)
	d.missing = subtract(d.missing, after)
	d.late = slices.DeleteFunc(after, func(r row) bool { return len(subtract([]row{r}, due)) > 0 })
}

// slack is more than a zone's clock differs from UTC.
const slack = 15 * time.Hour
