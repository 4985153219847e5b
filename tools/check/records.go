package check

import (
	"errors"
	"maps"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// lateEvent is an event whose free/busy has not been extended.
type lateEvent struct {
	id       stores.ID
	object   *text
	expect   itip.Expectation
	series   *series
	recorded bool // in part
}

// window tells of all events together whose free/busy has not been extended.
func (e *examination) window() error {
	end := e.preferences.WindowEnd(e.now)
	var f *Finding
	switch {
	case !e.known:
		return nil
	case len(e.late) > 0:
		f = e.addFreeBusy(freebusyWindow, stores.ID{}, "free/busy of %s, for example %q, was not extended to %s for more than a day",
			plural(len(e.late), "recurring event"), e.late[0].object.object().Summary(), end.Format(time.DateOnly))
	case e.extended && e.until.Before(end.Add(-day)) && e.providesStored():
		// They may have been recorded since, but nobody extends them.
		f = e.add(freebusyWindow, e.providersPath(), stores.ID{}, "free/busy of events that recur without end is recorded up to %s instead of %s",
			e.until.Format(time.DateOnly), end.Format(time.DateOnly))
	default:
		return nil
	}
	words := []string{"freebusy", "--store", "--publish", "--user", string(e.user)}
	if slices.ContainsFunc(e.late, func(l lateEvent) bool { return !e.provider[l.id] && !l.recorded }) {
		// Nothing but the event tells of it: it ends some day, and began after the window.
		words = append(words, "--reset")
	}
	f.Command = e.checker.command(words...)
	extend := extendRecords{note: e.extended}
	for _, late := range e.late {
		extend.ids = append(extend.ids, late.id)
	}
	if e.extended { // with all that are noted worked out to the end of the window, it can be noted
		for id := range e.provider {
			if !e.leave(id) && e.rows.hasUID(id.UID) {
				extend.ids = append(extend.ids, id)
			}
		}
	}
	f.mendBy(extend)
	return nil
}

// providesStored reports whether any event that is stored is noted as recurring without
// end.
func (e *examination) providesStored() bool {
	for id := range e.provider {
		if v := e.uids[id.UID]; v != nil && v.active {
			return true
		}
	}
	return false
}

// leftRows tells of records of events that are not stored.
func (e *examination) leftRows() error {
	for _, id := range slices.Collect(e.rows.left()) {
		if e.leave(id) || e.claimed[id] || e.blocked[e.path(stores.Key{Part: stores.Active, ID: id})] {
			continue // the event is in a file that is no use as it is, which is told
		}
		rows, v := e.rows.of(id), e.uids[id.UID]
		add := func(k *Kind, format string, args ...any) {
			e.ownWrong = e.ownWrong || k.Severity > Note
			f := e.addMany(k, e.tablePath(ownTable), id, format, args...)
			switch {
			case k.Severity == Note:
			case e.lost[id]: // its event has the occurrence again
				f.mendBy(rebuildWithout(id)...)
			default:
				f.mendBy(removeOwn(id))
			}
		}
		const text = "free/busy has %s of %s, the first at %s, and the event is not stored"
		args := []any{plural(len(rows), "record"), occurrenceName(id.RecurrenceID), clock(rows[0].start)}
		switch {
		case v != nil && v.cancelled && !v.active:
			add(freebusyCancelled, "the event is cancelled, and free/busy has %s of %s of it", plural(len(rows), "record"), occurrenceName(id.RecurrenceID))
		case calendar.URI(rows[0].organizer).Is(e.user), e.lost[id]:
			add(freebusyUnstored, text, args...)
		case v == nil && rows[0].organizer == "" && e.unpublished(rows), (v == nil || id.RecurrenceID == "") && (e.invited || e.othersHave(id, calendar.URI(rows[0].organizer))):
			add(freebusyUninvited, text, args...)
		default:
			// The user has answered what never came in here, or an occurrence that there
			// is none of.
			add(freebusyAnswered, text, args...)
		}
	}
	return nil
}

// leftOthers tells of records of the user's own events that are not stored, in what is known
// of others' free/busy. Records of events of others are what these have published.
func (e *examination) leftOthers() error {
	others, err := e.tx.Others()
	if err != nil {
		return err
	}
	broken := make(map[string]bool) // tables whose lines are not sure
	unstored := make(map[string]*Finding)
	for _, f := range e.findings {
		if f.Kind.Severity == Error {
			broken[f.Path] = true
		}
		if _, told := unstored[f.ID.UID]; f.Kind == freebusyUnstored && !told {
			unstored[f.ID.UID] = f
		}
	}
	for _, other := range others {
		which := stores.Table{Kind: stores.Other, Other: other}
		path := e.tablePath(which)
		if path != "" && (e.blocked[path] || broken[path]) {
			continue // what its lines say is not sure
		}
		table, err := e.tx.Periods(which)
		if err != nil {
			return err
		}
		first := make(map[stores.ID]freebusy.Period)
		for p := range table.All() {
			id := stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}
			if _, told := first[id]; told || p.UID == "" || !calendar.URI(p.Organizer).Is(e.user) || e.uids[p.UID] != nil || e.claimed[id] ||
				e.blocked[e.path(stores.Key{Part: stores.Active, ID: id})] {
				continue
			}
			first[id] = p
		}
		for _, id := range sortedIDs(maps.Keys(first)) {
			unstored[id.UID] = e.leftOther(unstored[id.UID], which, id, first[id].Start)
		}
	}
	return nil
}

// leftOther tells of records of an event that is not stored in what is known of another's
// free/busy. Where the user's own has that event as well, it is one finding, f.
func (e *examination) leftOther(f *Finding, which stores.Table, id stores.ID, at time.Time) *Finding {
	if f == nil {
		f = e.add(freebusyUnstored, e.tablePath(which), id, "the free/busy of %s that this user knows has %s, the first at %s, and the event is not stored",
			which.Other, occurrenceName(id.RecurrenceID), clock(at.Unix()))
	}
	return f.mendBy(&removeRecords{which, []stores.ID{id}})
}

func sortedIDs(ids func(func(stores.ID) bool)) []stores.ID {
	return slices.SortedFunc(ids, compareIDs)
}

// knownOf returns what is known of another user's free/busy, whatever the letter case of its
// name; nil if nothing is.
func (e *examination) knownOf(other calendar.URI) *freebusy.Table {
	names, err := e.tx.Others()
	if err != nil {
		return nil
	}
	name := calendar.Find(names, other)
	if name == "" {
		return nil
	}
	table, err := e.tx.Periods(stores.Table{Kind: stores.Other, Other: name})
	if err != nil {
		return nil
	}
	return table
}

// othersHave reports whether the event is in what is known of its organizer's free/busy,
// which is only recorded along with an event that is stored.
func (e *examination) othersHave(id stores.ID, organizer calendar.URI) bool {
	if organizer == "" {
		return false
	}
	table := e.knownOf(organizer)
	if table == nil {
		return false
	}
	for p := range table.All() {
		if p.UID == id.UID && p.RecurrenceID == id.RecurrenceID {
			return true
		}
	}
	return false
}

// readQueue reads the request queue.
func (e *examination) readQueue() error {
	requests, err := e.tx.Requests()
	if err != nil {
		return err
	}
	e.requests = requests
	e.waiting = make(map[stores.ID]bool)
	for _, r := range requests {
		if r.Type != counterType { // that waits for others' sake, and is the user's own
			e.waiting[r.ID] = true
		}
	}
	return nil
}

// queue looks at the request queue.
func (e *examination) queue() error {
	path := ""
	if files := e.checker.files(); files != nil {
		path = files.RequestsPath(e.user)
	}
	seen := make(map[stores.Request]bool)
	for _, r := range e.requests {
		if r.Type != "" && r.Type != counterType {
			e.addMany(requestType, path, r.ID, "the request queue has %s with the type %.40q", occurrenceName(r.RecurrenceID), r.Type).mendBy(retype{})
			continue
		}
		drop := func(k *Kind, format string, args ...any) {
			e.addMany(k, path, r.ID, format, args...).mendBy(&dequeue{[]stores.Request{r}})
		}
		if seen[r] {
			e.addMany(requestDuplicate, path, r.ID, "the request queue has %s twice", occurrenceName(r.RecurrenceID)).mendBy(dequeueTwice{})
			continue
		}
		seen[r] = true
		is := e.standing(r.ID, r.Type == counterType)
		if r.Type == counterType && (is == there || is == replaced) && !e.countered(r.ID) {
			drop(requestOrphan, "the request queue has a counter-proposal to %s, and there is none", occurrenceName(r.RecurrenceID))
			continue
		}
		switch is {
		case absent:
			drop(requestOrphan, "the request queue has %s, and the event is not stored", occurrenceName(r.RecurrenceID))
		case called:
			drop(requestCancelled, "the request queue has %s, which is cancelled", occurrenceName(r.RecurrenceID))
		case replaced:
			text := "the request queue has %s, which is no longer stored apart from its event"
			if r.Type == counterType {
				text = "the request queue has counter-proposals to %s, which is cancelled"
			}
			e.addMany(requestReplaced, path, r.ID, text, occurrenceName(r.RecurrenceID))
		case missed:
			drop(requestOrphan, "the request queue has %s, and the event that is stored does not recur", occurrenceName(r.RecurrenceID))
		case over:
			drop(requestPast, "the request queue has %s, which is over", occurrenceName(r.RecurrenceID))
		}
	}
	return nil
}

// counterType is the type of a request that stands for counter-proposals.
const counterType = "COUNTER"

// countered reports whether there are counter-proposals to an event, or to an occurrence.
func (e *examination) countered(id stores.ID) bool {
	v := e.uids[id.UID]
	return v != nil && slices.ContainsFunc(v.counters, func(key stores.Key) bool { return key.ID == id })
}

// standing is what has become of an event.
type standing int

const (
	there standing = iota
	absent
	called // off
	over
	replaced // a message has taken the occurrence away, and left what waits for it
	missed   // the event is there, and has never had occurrences
)

// standing says what has become of an event. An occurrence can be one of its event's that
// is not stored separately.
func (e *examination) standing(id stores.ID, ofParent bool) standing {
	v := e.uids[id.UID]
	if v == nil {
		return absent
	}
	if id.RecurrenceID == "" {
		switch {
		case v.active:
			return e.overOrThere(stores.Key{Part: stores.Active, ID: id})
		case v.cancelled:
			return called
		}
		return absent
	}
	switch o := v.recurrences[id.RecurrenceID]; {
	case o != nil && o.active:
		return e.overOrThere(stores.Key{Part: stores.Active, ID: id})
	case o != nil && o.cancelled && !ofParent:
		return called
	case o != nil && o.cancelled, v.cancelled && !v.active:
		return replaced
	case !v.active:
		return absent
	case !ofParent:
		return e.replaced(id.UID)
	}
	if at, err := calendar.InstantOf(id.RecurrenceID, e.preferences.Zone); err == nil && at.Add(2*day).Before(e.now) {
		return over
	}
	return there
}

// replaced says what has become of an occurrence that is not stored, and whose event is. A
// REQUEST for the whole event takes what is stored of its occurrences away, and leaves their
// entries in the queue.
func (e *examination) replaced(uid string) standing {
	text, err := e.tx.Get(stores.Key{Part: stores.Active, ID: stores.ID{UID: uid}})
	if err != nil {
		return there // which is told elsewhere
	}
	if object, err := calendar.DecodeObject(text); err == nil && !object.Recurs() {
		if updates, known := object.Sequence(); !known || updates == 0 {
			return missed
		} // it has recurred before an update
	}
	return replaced
}

// overOrThere reports whether all of an event is in the past.
func (e *examination) overOrThere(key stores.Key) standing {
	text, err := e.tx.Get(key)
	if err != nil {
		return there // which is told elsewhere
	}
	object, err := calendar.DecodeObject(text)
	if err != nil || object.RecursForever() {
		return there
	}
	spans, truncated, err := object.Periods(e.options(time.Time{}, e.now))
	var broken *calendar.Error
	if errors.As(err, &broken) || truncated || len(spans) == 0 {
		return there
	}
	for _, span := range spans {
		if span.End.After(e.now) {
			return there
		}
	}
	return over
}

// counters looks at the counter-proposals to an event.
func (e *examination) counters(v *event) {
	for _, key := range v.counters {
		if proposal, unusable := e.read(key); unusable || proposal == nil {
			continue
		}
		switch e.standing(key.ID, true) {
		case absent:
			e.addText(counterOrphan, key, "the counter-proposal of %s is to an event that is not stored", key.Other)
		case replaced:
			e.add(counterLeft, e.path(key), key.ID, "the counter-proposal of %s is to a cancelled occurrence", key.Other)
		case called:
			e.addText(counterCancelled, key, "the counter-proposal of %s is to an event that is cancelled", key.Other)
		case over:
			e.addText(counterPast, key, "the counter-proposal of %s is to an event that is over", key.Other)
		}
	}
}

// readProviders reads which events are noted as recurring without end.
func (e *examination) readProviders() error {
	providers, err := e.tx.Providers()
	if err != nil {
		return err
	}
	e.extended, e.until = !providers.Until.IsZero(), providers.Until
	e.provider = make(map[stores.ID]bool, len(providers.Events))
	for _, id := range providers.Events {
		if e.provider[id] {
			e.addMany(tableDuplicate, e.providersPath(), id, "%s is listed twice as recurring without end", occurrenceName(id.RecurrenceID)).
				mendBy(&provide{[]stores.ID{id}, true})
		}
		e.provider[id] = true
	}
	return nil
}

func (e *examination) providersPath() string {
	if files := e.checker.files(); files != nil {
		return files.ProvidersPath(e.user)
	}
	return ""
}

// provided sees that an event that recurs without end is noted, where that is kept.
func (e *examination) provided(id stores.ID) {
	if !e.extended || e.provider[id] {
		return
	}
	e.add(providerMissing, e.providersPath(), id, "the event recurs without end, is not listed, and will not be extended").
		mendBy(&provide{[]stores.ID{id}, true})
}

// providers looks at the events that are noted as recurring without end.
func (e *examination) providers() error {
	for _, id := range sortedIDs(maps.Keys(e.provider)) {
		v := e.uids[id.UID]
		stored := v != nil && (id.RecurrenceID == "" && v.active || v.recurrences[id.RecurrenceID] != nil && v.recurrences[id.RecurrenceID].active)
		if stored || e.rows.has(id) || v == nil && e.torn.any() {
			continue // also one that was answered without having come in
		}
		e.addMany(providerUnstored, e.providersPath(), id, "%s is listed as recurring without end, and is not stored", occurrenceName(id.RecurrenceID)).
			mendBy(&provide{[]stores.ID{id}, false})
	}
	return nil
}

// offers looks for offers that have expired.
func (e *examination) offers() error {
	which := stores.Table{Kind: stores.Offers}
	table, err := e.tx.Periods(which)
	if err != nil {
		return err
	}
	expired := 0
	for p := range table.All() {
		if !p.Expires.IsZero() && !p.Expires.After(e.now) {
			expired++
		}
	}
	if expired > 0 {
		e.add(offerExpired, e.tablePath(which), stores.ID{}, "%s", expiredText(expired)).mendBy(dropExpired{})
	}
	return nil
}

func expiredText(n int) string {
	if n == 1 {
		return "an offered period has expired"
	}
	return plural(n, "offered period") + " have expired"
}
