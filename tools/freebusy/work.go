package freebusy

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

// work is one user's free/busy being worked out, inside one critical section.
type work struct {
	maker       *Maker
	tx          stores.Tx
	log         *slog.Logger
	now         time.Time
	user        calendar.URI
	preferences preferences.Preferences

	table  *freebusy.Table
	had    map[stores.ID]string // the transparency of the records in it, by event
	noted  map[stores.ID]bool   // the events noted as recurring beyond the window
	before time.Time            // the end of the window when they were noted

	waiting map[stores.ID]bool // the events and occurrences in the request queue, for the user's own answer

	settled  map[stores.ID]bool // events whose records are replaced
	recorded map[stores.ID]bool // those of them that are recorded
	refused  map[stores.ID]bool // those of them that are not, by what the user has answered
	records  []freebusy.Period  // what replaces them
	doubtful []freebusy.Period  // what replaces them, if the table has something in its place
	declined []freebusy.Period  // the same, of what the user may have declined; or if it is new
	goOn     []stores.ID        // events that recur beyond the window

	result Result
}

func (m *Maker) begin(tx stores.Tx, user calendar.URI, settings preferences.Preferences) *work {
	now := m.Now().UTC()
	return &work{
		maker: m, tx: tx, log: m.Log.With("user", string(user)), now: now, user: user, preferences: settings,
		had: make(map[stores.ID]string), settled: make(map[stores.ID]bool),
		recorded: make(map[stores.ID]bool), refused: make(map[stores.ID]bool),
		result: Result{User: user, Until: settings.WindowEnd(now).Truncate(time.Second)},
	}
}

// which is the table that is worked out.
func (w *work) which() stores.Table {
	if w.maker.Other != "" {
		return stores.Table{Kind: stores.Other, Other: w.maker.Other}
	}
	return stores.Table{Kind: stores.Own}
}

// make brings the table up to date.
func (w *work) make(ctx context.Context) (err error) {
	if w.table, err = w.tx.Periods(w.which()); err != nil {
		return err
	}
	if !w.maker.Keep {
		w.table = freebusy.New(freebusy.Plain, slices.Collect(w.table.All())...)
	}
	var providers stores.Providers
	if w.maker.Other == "" {
		if providers, err = w.tx.Providers(); err != nil {
			return err
		}
		queue, err := w.tx.Requests()
		if err != nil {
			return err
		}
		w.waiting = make(map[stores.ID]bool, len(queue))
		for _, request := range queue {
			if request.Type == "" { // else it is others' proposals to the user's own event
				w.waiting[request.ID] = true
			}
		}
	}
	w.before = providers.Until
	w.noted = make(map[stores.ID]bool, len(providers.Events))
	for _, id := range providers.Events {
		w.noted[cleaned(id)] = true
	}
	// A window that has become smaller leaves records beyond its end. The original reads
	// all events then as well, observed.
	if w.result.Rebuilt = w.maker.Reset || w.before.IsZero() || w.result.Until.Before(w.before); w.result.Rebuilt {
		err = w.readAll(ctx)
	} else {
		wanted := slices.Concat(providers.Events, w.running())
		known := make(map[string]bool, len(wanted))
		for _, id := range wanted {
			known[freebusy.Clean(id.UID)] = true
		}
		w.remember(func(id stores.ID) bool { return known[id.UID] })
		err = w.readNoted(ctx, wanted)
	}
	if err != nil {
		return err
	}
	w.confirm()
	w.table.RemoveEvents(func(e freebusy.Event) bool {
		return w.settled[stores.ID{UID: e.UID, RecurrenceID: e.RecurrenceID}]
	})
	w.table.InsertAll(w.records)
	removed, inserted := w.table.Changes()
	w.result.Table, w.result.Removed, w.result.Inserted = w.table, len(removed), len(inserted)
	return nil
}

// remember notes which of the events that are wanted there are records of.
func (w *work) remember(wanted func(stores.ID) bool) {
	for e := range w.table.Events() {
		id := stores.ID{UID: e.UID, RecurrenceID: e.RecurrenceID}
		if wanted(id) {
			w.had[id] = e.Transp
		}
	}
}

// cleaned returns an event's id as its records have it.
func cleaned(id stores.ID) stores.ID {
	return stores.ID{UID: freebusy.Clean(id.UID), RecurrenceID: freebusy.Clean(id.RecurrenceID)}
}

// readAll reads all active events.
func (w *work) readAll(ctx context.Context) error {
	var active []stores.ID
	isActive, isCancelled := make(map[stores.ID]bool), make(map[stores.ID]bool)
	separate := make(map[string][]calendar.Apart) // by UID
	for key, err := range w.tx.Keys() {
		if err != nil {
			return err
		}
		switch key.Part {
		case stores.Active:
			active = append(active, key.ID)
			isActive[key.ID] = true
		case stores.Cancelled:
			isCancelled[key.ID] = true
		default:
			continue
		}
		if key.RecurrenceID != "" {
			separate[key.UID] = append(separate[key.UID], calendar.Apart{ID: key.RecurrenceID, Cancelled: key.Part == stores.Cancelled})
		}
	}
	// Tables can have a million records, of events that are not stored.
	stored := make(map[string]bool, len(isActive)+len(isCancelled))
	for _, ids := range []map[stores.ID]bool{isActive, isCancelled} {
		for id := range ids {
			stored[freebusy.Clean(id.UID)] = true
		}
	}
	w.remember(func(id stores.ID) bool { return stored[id.UID] })
	slices.SortFunc(active, func(a, b stores.ID) int {
		// What is known of its recurrences decides on the occurrences of a whole event.
		return cmp.Or(cmp.Compare(a.UID, b.UID), -cmp.Compare(a.RecurrenceID, b.RecurrenceID))
	})
	for _, id := range active {
		if err := ctx.Err(); err != nil {
			return err
		}
		whole := stores.ID{UID: id.UID}
		orphaned := id.RecurrenceID != "" && isCancelled[whole] && !isActive[whole]
		if err := w.read(id, separate[id.UID], orphaned); err != nil {
			return err
		}
	}
	maps.DeleteFunc(isCancelled, func(id stores.ID, _ bool) bool { return isActive[id] })
	w.forget(isActive, isCancelled)
	return nil
}

// forget has the records removed of events that are cancelled, and of the recurrences of
// such events, unless they are stored as active themselves.
func (w *work) forget(active, cancelled map[stores.ID]bool) {
	for _, ids := range []map[stores.ID]bool{active, cancelled} {
		for id := range ids {
			if as := cleaned(id); as != id {
				ids[as] = true
			}
		}
	}
	for id := range w.had {
		if cancelled[id] || cancelled[stores.ID{UID: id.UID}] && !active[id] {
			w.settled[id] = true
		}
	}
}

// running returns the events that are not noted, but whose records go on in the same
// rhythm up to the end of the window when it was last worked out: a rule with UNTIL or
// COUNT may have more to come, and handlers note only those without end.
func (w *work) running() (ids []stores.ID) {
	type series struct {
		last    time.Time
		longest time.Duration // between two records
	}
	all := make(map[string]series)  // what has more than one record
	first := make(map[string]int32) // the number of the first record of everything, of which there can be a million
	for number := range w.table.Len() {
		e := w.table.EventAt(number)
		if e.RecurrenceID != "" {
			continue
		}
		before, known := first[e.UID]
		if !known {
			first[e.UID] = int32(number)
			continue
		}
		s, ok := all[e.UID]
		if !ok {
			s.last = w.table.At(int(before)).Start
		}
		start := w.table.At(number).Start
		s.longest = max(s.longest, start.Sub(s.last))
		s.last = start
		all[e.UID] = s
	}
	for uid, s := range all {
		id := stores.ID{UID: uid}
		// Twice, since an occurrence may have been replaced or left out.
		if s.longest > 0 && !w.noted[id] && s.last.Add(2*s.longest).After(w.before) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b stores.ID) int { return cmp.Compare(a.UID, b.UID) })
	return ids
}

// readNoted reads the events that are noted as recurring beyond the window, or look like
// it.
func (w *work) readNoted(ctx context.Context, noted []stores.ID) error {
	seen := make(map[stores.ID]bool, len(noted))
	for _, id := range noted {
		if seen[id] {
			continue
		}
		seen[id] = true
		if err := ctx.Err(); err != nil {
			return err
		}
		apart, err := itip.Apart(w.tx, id.UID)
		if err != nil {
			return err
		}
		orphaned := false
		if id.RecurrenceID != "" {
			if orphaned, err = w.orphaned(id); err != nil {
				return err
			}
		}
		if err := w.read(id, apart, orphaned); err != nil {
			return err
		}
	}
	return nil
}

// orphaned reports whether the whole event of a recurrence is cancelled.
func (w *work) orphaned(id stores.ID) (bool, error) {
	_, err := w.tx.Get(stores.Key{Part: stores.Active, ID: stores.ID{UID: id.UID}})
	if !errors.Is(err, stores.ErrNotFound) {
		return false, err
	}
	_, err = w.tx.Get(stores.Key{Part: stores.Cancelled, ID: stores.ID{UID: id.UID}})
	if errors.Is(err, stores.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// finish stores and publishes the result, as far as that is wanted.
func (w *work) finish() error {
	if w.maker.Publish && w.preferences.Publishes() {
		if err := w.tx.Publish(freebusy.Published(string(w.user), w.now, w.table)); err != nil {
			return err
		}
		w.result.Published = true
	}
	w.result.Noted = len(w.goOn)
	// Users have directories, and not every directory in a store is a user's.
	nothing := w.before.IsZero() && w.result.Read == 0 && w.table.Len() == 0 && w.result.Removed == 0
	if !w.maker.Keep || w.maker.Other != "" || nothing {
		return nil
	}
	return w.tx.SetProviders(stores.Providers{Until: w.result.Until, Events: w.goOn})
}
