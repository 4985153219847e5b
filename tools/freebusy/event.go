package freebusy

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// read reads an active event and settles its records. What is stored apart of the event is apart.
// Of an occurrence that is orphaned, the whole event is cancelled.
func (w *work) read(id stores.ID, apart []calendar.Apart, orphaned bool) error {
	text, err := w.tx.Get(stores.Key{Part: stores.Active, ID: id})
	if errors.Is(err, stores.ErrNotFound) {
		return w.gone(id)
	} else if err != nil {
		return err
	}
	w.result.Read++
	object, err := calendar.DecodeObject(text)
	if err == nil {
		err = w.settle(id, object, apart, orphaned)
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
func (w *work) settle(id stores.ID, object *calendar.Object, apart []calendar.Apart, orphaned bool) error {
	as := cleaned(id)
	end := w.preferences.WindowEnd(w.now)
	goesOn := object.Continues(end, w.preferences.Zone)
	if goesOn { // whether they take part or not, as handlers do
		w.goOn = append(w.goOn, id)
	}
	had, recorded := w.had[as]
	expected := w.expect(id, object)
	if orphaned {
		// Its records went with those of the whole event; it may have been sent anew.
		expected.Optional = true
	}
	if len(expected.Transps) == 0 {
		w.settled[as] = true
		w.refused[as] = true
		return nil
	}
	if expected.Waiting && recorded && !goesOn {
		return nil // at the times that were answered
	}
	series, err := itip.ReadSeries(w.tx, id, object, apart)
	if err != nil {
		return err
	}
	times, err := series.Times(calendar.PeriodOptions{Zone: w.preferences.Zone, Now: w.now, Until: end, Max: w.maker.PeriodLimit})
	if err != nil {
		return err
	}
	for _, warning := range times.Warnings {
		warning.Recurrence = cmp.Or(warning.Recurrence, id.RecurrenceID)
		w.log.With("uid", id.UID).Warn(warning.Text, warning.Attributes()...)
	}
	records := series.Records(times.Spans, expected.Transp(had), time.Time{})
	w.settled[as] = true
	if expected.Optional && !recorded && (expected.Waiting || !w.begins(as, records)) {
		return nil
	}
	w.recorded[as] = true
	records = w.without(&times, records)
	if recorded && !w.maker.Reset && w.maker.Other == "" && len(records) > 0 && itip.Declinable(object, w.user, records[0].Start) {
		w.declined = append(w.declined, records...)
		return nil
	}
	w.records = append(w.records, records...)
	return nil
}

// expect says what the table has of an event. What waits in the request queue has yet to be answered, whatever the
// organizer says of the user in it.
func (w *work) expect(id stores.ID, object *calendar.Object) (e itip.Expectation) {
	if w.maker.Other == "" {
		e = itip.Expect(object, w.user)
	} else {
		e = itip.ExpectOther(object, w.maker.Other)
	}
	organizer, _ := object.Organizer()
	waits := w.waiting[id] && !organizer.Is(w.user)
	attending := itip.AttendingTransp(object)
	switch _, recorded := w.had[cleaned(id)]; {
	case w.maker.NeedsAction && (e.Waiting || waits && len(e.Transps) > 0):
		return itip.Expectation{Transps: []string{attending}}
	case waits && recorded:
		return itip.Expectation{Transps: []string{attending}, Waiting: true, Chosen: true}
	case waits:
		e.Waiting, e.Optional = true, true
	}
	return e
}

// begins reports whether an event of which there are no records is noted and has none
// before the end of the window at the time: it could not be seen that it is recorded.
func (w *work) begins(id stores.ID, records []freebusy.Period) bool {
	return w.noted[id] && !slices.ContainsFunc(records, func(p freebusy.Period) bool { return p.Start.Before(w.before) })
}

// without returns the records of an event without those of the occurrences that
// recurrences of their own stand for. It uses up records.
//
// A recurrence that is stored and not recorded has yet to be answered, and until then
// the records of its event say what was answered to that: then the record of the
// occurrence is set aside in w.doubtful.
func (w *work) without(times *itip.Times, records []freebusy.Period) []freebusy.Period {
	return slices.DeleteFunc(records, func(p freebusy.Period) bool {
		apart := times.Apart(p.Start)
		if len(apart) > 0 && !slices.ContainsFunc(apart, func(a calendar.Apart) bool { return !w.unanswered(p.UID, a) }) {
			w.doubtful = append(w.doubtful, p)
		}
		return len(apart) > 0
	})
}

// unanswered reports whether an occurrence that is stored apart has yet to be answered.
func (w *work) unanswered(uid string, a calendar.Apart) bool {
	id := cleaned(stores.ID{UID: uid, RecurrenceID: a.ID})
	_, had := w.had[id]
	return !a.Cancelled && !had && !w.recorded[id] && !w.refused[id]
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
