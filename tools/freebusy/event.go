package freebusy

import (
	"errors"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// read reads an active event and settles its records. Recurrences of their own stand
// for its occurrences in replaced. Of an event that is orphaned, the whole is cancelled.
func (w *work) read(id stores.ID, replaced []replacement, orphaned bool) error {
	text, err := w.tx.Get(stores.Key{Part: stores.Active, ID: id})
	if errors.Is(err, stores.ErrNotFound) {
		return w.gone(id)
	} else if err != nil {
		return err
	}
	w.result.Read++
	object, err := calendar.DecodeObject(text)
	if err == nil {
		err = w.settle(id, object, replaced, orphaned)
	}
	if err != nil {
		w.result.Problems = append(w.result.Problems, Problem{ID: id, Err: err})
		if w.noted[cleaned(id)] {
			w.goOn = append(w.goOn, id) // until it can be read again
		}
	}
	return nil
}

// gone settles an event that is noted and no longer active. If it is not cancelled
// either, nothing tells what it was.
func (w *work) gone(id stores.ID) error {
	_, err := w.tx.Get(stores.Key{Part: stores.Cancelled, ID: id})
	if errors.Is(err, stores.ErrNotFound) {
		return nil
	}
	w.settled[cleaned(id)] = true
	return err
}

// settle works out the records of an event. It fails if the event's beginning is unknown.
func (w *work) settle(id stores.ID, object *calendar.Object, replaced []replacement, orphaned bool) error {
	as := cleaned(id)
	end := w.preferences.WindowEnd(w.now)
	goesOn := object.Continues(end, w.preferences.Zone)
	if goesOn { // whether they take part or not, as handlers do
		w.goOn = append(w.goOn, id)
	}
	had, recorded := w.had[as]
	expected, waiting := w.expect(object)
	if orphaned {
		// Its records went with those of the whole event; it may have been sent anew.
		expected.Optional = true
	}
	if len(expected.Transps) == 0 {
		w.settled[as] = true
		w.refused[as] = true
		return nil
	}
	if waiting && recorded && !goesOn {
		return nil // at the times that were answered
	}
	transp := expected.Transps[0]
	if slices.Contains(expected.Transps, had) || expected.Chosen && (had == itip.Opaque || had == itip.Transparent) {
		transp = had
	}
	options := calendar.PeriodOptions{Zone: w.preferences.Zone, Now: w.now, Until: end, Max: w.maker.PeriodLimit}
	series, err := w.series(id, object, replaced)
	if err != nil {
		return err
	}
	records, truncated, err := itip.SeriesRecords(series, object, id, transp, time.Time{}, options)
	var incomplete *calendar.IncompleteError
	switch {
	case errors.As(err, &incomplete):
		w.log.Warn("the periods of the event cannot all be worked out", "uid", id.UID, "recurrence", id.RecurrenceID, "reason", err)
	case err != nil:
		return err
	}
	if truncated {
		w.log.Warn("the event has more periods than are recorded", "uid", id.UID, "recurrence", id.RecurrenceID, "limit", w.maker.PeriodLimit)
	}
	w.settled[as] = true
	if expected.Optional && !recorded && (waiting || !w.begins(as, records)) {
		return nil
	}
	w.recorded[as] = true
	records = w.without(object, records, replaced)
	if recorded && !w.maker.Reset && w.maker.Other == "" && len(records) > 0 && itip.Declinable(object, w.user, records[0].Start) {
		w.declined = append(w.declined, records...)
		return nil
	}
	w.records = append(w.records, records...)
	return nil
}

// expect says what the table has of an event. A user is waiting who has yet to answer
// it: what it has then is what they answered before.
func (w *work) expect(object *calendar.Object) (expected itip.Expectation, waiting bool) {
	participant := w.user
	if w.maker.Other == "" {
		expected = itip.Expect(object, participant)
	} else {
		participant = w.maker.Other
		expected = expectOther(object, participant)
	}
	attendee, _ := itip.Attendee(object, participant)
	organizer, _ := object.Organizer()
	waiting = attendee.PartStat() == "NEEDS-ACTION" && !organizer.Is(participant)
	if waiting && w.maker.NeedsAction {
		return itip.Expectation{Transps: []string{itip.AttendingTransp(object)}}, false
	}
	return expected, waiting
}

// expectOther says what is known of another user's free/busy from an active object.
func expectOther(object *calendar.Object, other calendar.URI) itip.Expectation {
	attendee, attends := itip.Attendee(object, other)
	switch {
	case !attends:
		// Handlers record nothing; the original's tool records whom it takes to organise.
		return itip.Expectation{Transps: []string{itip.Organizing}, Optional: true}
	case attendee.PartStat() == "":
		// With or without an answer, from the organiser's side or the attendee's.
		return itip.Expectation{Transps: []string{itip.AttendingTransp(object), itip.Organizing}, Optional: true}
	case itip.TakesPart(object, other):
		return itip.Expectation{Transps: []string{itip.AttendingTransp(object)}}
	}
	return itip.Expectation{}
}

// begins reports whether an event of which there are no records is noted and has none
// before the end of the window at the time: it could not be seen that it is recorded.
func (w *work) begins(id stores.ID, records []freebusy.Period) bool {
	return w.noted[id] && !slices.ContainsFunc(records, func(p freebusy.Period) bool { return p.Start.Before(w.before) })
}

// replacement is a recurrence of its own that stands for an occurrence of its event.
type replacement struct {
	recurrenceID string
	cancelled    bool
}

// series returns an event with the occurrences stored apart that stand for all later ones
// of its occurrences. Those that stand for one only are in it where that is needed.
func (w *work) series(id stores.ID, object *calendar.Object, replaced []replacement) (*calendar.Series, error) {
	if id.RecurrenceID == "" && len(replaced) == 0 {
		return &calendar.Series{Event: object}, nil
	} else if id.RecurrenceID != "" && !object.Future() {
		return &calendar.Series{Apart: []calendar.Apart{{ID: id.RecurrenceID, Object: object}}}, nil
	}
	series, err := itip.ReadSeries(w.tx, id.UID)
	if err == nil && id.RecurrenceID == "" {
		// The records of the others may have to stay: see without.
		series.Apart = slices.DeleteFunc(series.Apart, func(a calendar.Apart) bool { return a.Object == nil })
	}
	return series, err
}

// without returns the records of an event without those of the occurrences that
// recurrences of their own stand for. It uses up records.
//
// A recurrence that is stored and not recorded has yet to be answered, and until then
// the records of its event say what was answered to that: then the record of the
// occurrence is set aside in w.doubtful.
func (w *work) without(event *calendar.Object, records []freebusy.Period, replaced []replacement) []freebusy.Period {
	if len(replaced) == 0 || len(records) == 0 {
		return records
	}
	doubtful := make(map[int64]bool, len(replaced)) // by instant; false: to be left out
	for _, r := range replaced {
		at, err := event.InstantOf(r.recurrenceID, w.preferences.Zone)
		if err != nil {
			w.log.Warn("a recurrence's time cannot be read", "recurrence", r.recurrenceID, "reason", err)
			continue
		}
		id := cleaned(stores.ID{UID: records[0].UID, RecurrenceID: r.recurrenceID})
		_, had := w.had[id]
		was, known := doubtful[at.Unix()]
		doubtful[at.Unix()] = !r.cancelled && !had && !w.recorded[id] && !w.refused[id] && (was || !known)
	}
	return slices.DeleteFunc(records, func(p freebusy.Period) bool {
		isDoubtful, replaced := doubtful[p.Start.Unix()]
		if isDoubtful {
			w.doubtful = append(w.doubtful, p)
		}
		return replaced
	})
}

// start is where a record of a whole event begins.
type start struct {
	uid string
	at  int64
}

func startOf(p freebusy.Period) start { return start{freebusy.Clean(p.UID), p.Start.Unix()} }

// confirm adds to the records the doubtful ones that the table has. Of those that may have been
// declined, it adds also what comes after all that the table has of the event; and all of them
// if more are lacking than are there, which is not why, then.
func (w *work) confirm() {
	if len(w.doubtful)+len(w.declined) == 0 {
		return
	}
	there := make(map[start]bool, len(w.doubtful)+len(w.declined))
	for _, p := range slices.Concat(w.doubtful, w.declined) {
		there[startOf(p)] = false
	}
	last := make(map[string]int64) // by UID
	for p := range w.table.All() {
		if at := startOf(p); p.RecurrenceID == "" {
			last[p.UID] = max(last[p.UID], at.at)
			if _, wanted := there[at]; wanted {
				there[at] = true
			}
		}
	}
	for _, p := range w.doubtful {
		if there[startOf(p)] {
			w.records = append(w.records, p)
		}
	}
	surplus := make(map[string]int) // of those that are there, over those that are lacking
	lacking := func(p freebusy.Period) bool { return !there[startOf(p)] && p.Start.Unix() < last[startOf(p).uid] }
	for _, p := range w.declined {
		switch {
		case lacking(p):
			surplus[p.UID]--
		case there[startOf(p)]:
			surplus[p.UID]++
		}
	}
	for _, p := range w.declined {
		if surplus[p.UID] < 0 || !lacking(p) {
			w.records = append(w.records, p)
		}
	}
}
