package agenda

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

// Collect returns what a user's calendar has on those days, from the user's records in a
// critical section or in a snapshot.
func Collect(ctx context.Context, tx stores.Tx, p preferences.Preferences, days Days, now time.Time) (*Calendar, error) {
	inZone := func(day time.Time) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, p.Zone)
	}
	c := &Calendar{
		User: tx.User(), Zone: p.Zone, Now: now.In(p.Zone),
		From: inZone(days.First), To: inZone(days.Last.AddDate(0, 0, 1)),
	}
	if err := (&collection{Calendar: c, tx: tx}).collect(ctx); err != nil {
		return nil, err
	}
	c.Order()
	return c, nil
}

// collection is a calendar being read.
type collection struct {
	*Calendar
	tx      stores.Tx
	table   map[stores.ID]string        // transparency by event
	apart   map[string][]calendar.Apart // what is stored apart of an event, by UID
	stored  map[stores.ID]bool          // active or cancelled
	waiting map[stores.ID]bool          // in the queue
}

func (c *collection) collect(ctx context.Context) error {
	own, err := c.tx.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return err
	}
	c.table = make(map[stores.ID]string)
	for e := range own.Events() {
		c.table[stores.ID{UID: e.UID, RecurrenceID: e.RecurrenceID}] = e.Transp
	}
	queue, err := c.tx.Requests()
	if err != nil {
		return err
	}
	c.waiting = make(map[stores.ID]bool)
	for _, r := range queue {
		c.waiting[r.ID] = c.waiting[r.ID] || r.Type == ""
	}
	var keys []stores.Key
	c.apart, c.stored = make(map[string][]calendar.Apart), make(map[stores.ID]bool)
	for key, err := range c.tx.Keys() {
		if err != nil {
			return err
		}
		keys = append(keys, key)
		if key.Part == stores.Countered {
			continue
		}
		c.stored[tableID(key.ID)] = true
		if key.RecurrenceID != "" {
			c.apart[key.UID] = append(c.apart[key.UID], calendar.Apart{ID: key.RecurrenceID, Cancelled: key.Part == stores.Cancelled})
		}
	}
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.show(key); err != nil {
			return err
		}
	}
	for p := range own.All() {
		c.showRecord(p, Busy)
	}
	offers, err := c.tx.Periods(stores.Table{Kind: stores.Offers})
	if err != nil {
		return err
	}
	for p := range offers.All() {
		if p.Expires.IsZero() || p.Expires.After(c.Now) {
			c.showRecord(p, Offered)
		}
	}
	if err := c.requests(queue); err != nil {
		return err
	}
	slices.SortStableFunc(c.Requests, func(a, b Request) int { return compare(a.Entry, b.Entry) })
	return nil
}

// tableID returns an event's id as tables have it.
func tableID(id stores.ID) stores.ID {
	return stores.ID{UID: freebusy.Clean(id.UID), RecurrenceID: freebusy.Clean(id.RecurrenceID)}
}

// read returns a stored object; nil if it cannot be read, which is noted.
func (c *collection) read(key stores.Key) (*calendar.Object, error) {
	text, err := c.tx.Get(key)
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	object, err := calendar.DecodeObject(text)
	if err != nil {
		c.problem(key.ID, err)
		return nil, nil
	}
	return object, nil
}

// problem notes what cannot be shown, once.
func (c *collection) problem(id stores.ID, err error) {
	noted := func(p Problem) bool { return p.ID == id && p.Err.Error() == err.Error() }
	if !slices.ContainsFunc(c.Problems, noted) {
		c.Problems = append(c.Problems, Problem{id, err})
	}
}

// show adds the entries of a stored text.
func (c *collection) show(key stores.Key) error {
	if key.Part == stores.Cancelled && key.RecurrenceID == "" {
		return nil
	}
	object, err := c.read(key)
	if object == nil {
		return err
	}
	entry := c.entry(key.ID, object)
	switch key.Part {
	case stores.Active:
		shown := false
		if entry.Kind, shown = c.kind(key.ID, object); !shown {
			return nil
		}
	case stores.Cancelled:
		entry.Kind = Cancelled
		entry.Changed = false
	case stores.Countered:
		entry.Kind = Proposed
		entry.People = person(object, key.Other)
	}
	spans, err := c.spans(key, object)
	if err != nil {
		c.problem(key.ID, err)
	}
	for _, span := range spans {
		c.add(entry, span.Start, span.End)
	}
	return nil
}

// entry returns what all occurrences of an event have in common.
func (c *collection) entry(id stores.ID, object *calendar.Object) Entry {
	entry := Entry{
		ID: id, AllDay: object.AllDay(), Recurs: object.Recurs(),
		Summary: object.Summary(), Location: object.Location(),
		Attendees: object.Attendees(), Description: object.Description(),
	}
	if organizer, ok := object.Organizer(); ok && !organizer.Is(c.User) {
		entry.People = person(object, organizer)
	}
	if attendee, _ := itip.Attendee(object, c.User); gone(attendee.PartStat()) {
		entry.Answer = strings.ToLower(attendee.PartStat())
	}
	if id.RecurrenceID == "" {
		return entry
	}
	entry.Changed = true
	start, err := object.Start(c.Zone)
	if at, e := calendar.InstantOf(id.RecurrenceID, c.Zone); err == nil && e == nil && !at.Equal(start) {
		entry.Moved = at.In(c.Zone)
	}
	return entry
}

// person returns a user's name, as the object has it, or else their address.
func person(object *calendar.Object, uri calendar.URI) string {
	called := ""
	if organizer, _ := object.Organizer(); organizer.Is(uri) {
		called = object.OrganizerName()
	}
	if attendee, ok := itip.Attendee(object, uri); ok && called == "" {
		called = attendee.Name()
	}
	if called != "" {
		return called
	}
	return Name(uri)
}

// kind says what an active event is to the user, and whether it is shown at all. What
// they have declined or delegated is not, unless it is their own event, which takes place
// all the same, or their free/busy has it.
func (c *collection) kind(id stores.ID, object *calendar.Object) (kind Kind, shown bool) {
	recorded, isRecorded := c.table[tableID(id)]
	expect := itip.Expect(object, c.User)
	transp := cmp.Or(expect.Transp(recorded), recorded)
	attendee, attends := itip.Attendee(object, c.User)
	status := attendee.PartStat()
	organizer, _ := object.Organizer()
	switch {
	case gone(status) && !isRecorded:
		return Organized, organizer.Is(c.User)
	case expect.Waiting, !organizer.Is(c.User) && status == "" && !isRecorded && (attends || c.waiting[id]):
		return Waiting, true
	case organizer.Is(c.User) && status == "", !attends && recorded == itip.Organizing:
		return Organized, true
	case transp == itip.Transparent:
		return Transparent, true
	case status == "TENTATIVE", object.Status() == "TENTATIVE":
		return Tentative, true
	}
	return Busy, attends || isRecorded
}

// gone reports whether a participation status says that the attendee stays away (RFC 5545
// section 3.2.12).
func gone(status string) bool { return status == "DECLINED" || status == "DELEGATED" }

// spans returns the event's periods that touch the days shown, without the occurrences
// that others stand for.
func (c *collection) spans(key stores.Key, object *calendar.Object) ([]calendar.Span, error) {
	series := itip.NewSeries(key.ID, object)
	if key.Part == stores.Active {
		var err error
		if series, err = itip.ReadSeries(c.tx, key.ID, object, c.apart[key.UID]); err != nil {
			return nil, err
		}
	}
	times, err := series.Times(calendar.PeriodOptions{Zone: c.Zone, Now: c.From, Until: c.To.AddDate(0, 0, 2)})
	return times.Own(), err
}

// add adds an entry at a time, if that is on the days shown.
func (c *collection) add(entry Entry, start, end time.Time) {
	entry.Start, entry.End = start.In(c.Zone), end.In(c.Zone)
	ends := end.After(c.From) || !end.After(start) && !start.Before(c.From)
	if start.Before(c.To) && ends {
		c.Entries = append(c.Entries, entry)
	}
}

// showRecord adds a record of a table, unless it is of the user's own and its event is
// stored, and so shown already.
func (c *collection) showRecord(p freebusy.Period, kind Kind) {
	id := stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}
	if kind == Busy && c.stored[id] {
		return
	}
	switch {
	case kind != Busy:
	case p.Transp == itip.Organizing:
		kind = Organized
	case p.Transp == itip.Transparent:
		kind = Transparent
	}
	entry := Entry{ID: id, Kind: kind, Summary: p.Summary}
	if organizer := calendar.URI(p.Organizer); !organizer.Is(c.User) {
		entry.People = Name(organizer)
	}
	start, end := p.Start.In(c.Zone), p.End.In(c.Zone)
	entry.AllDay = start.Before(end) && start.Equal(Midnight(start)) && end.Equal(Midnight(end))
	c.add(entry, start, end)
}
