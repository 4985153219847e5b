package check

import (
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/tools/quarantine"
)

// tableWork is what is to be done to a free/busy table: all of it in one go, as both the
// table and what is wrong in it can be large.
type tableWork struct {
	removed  idSet              // events whose records go
	rebuilt  map[stores.ID]bool // events whose records are made anew
	extended map[stores.ID]bool // events that get the records that are missing
	single   map[stores.ID]bool // events of whose equal records one stays
	forward  map[stores.ID]bool // events whose records go that end before they start
	starting map[start]bool     // records that go
	booked   map[booking]bool   // of a quota: records of resources that go
}

// idSet is a set of events, which can be a million: a map of them would take twice the memory.
type idSet struct {
	ids    []stores.ID
	sorted bool
}

func (s *idSet) add(ids ...stores.ID) {
	s.ids = append(s.ids, ids...)
	s.sorted = false
}

func (s *idSet) has(id stores.ID) bool {
	if !s.sorted {
		slices.SortFunc(s.ids, compareIDs)
		s.sorted = true
	}
	_, found := slices.BinarySearchFunc(s.ids, id, compareIDs)
	return found
}

// start says where a record of an event begins.
type start struct {
	id stores.ID
	at int64 // seconds since 1970
}

// booking is an event that a resource has booked under a quota. The name is as tables have it.
type booking struct {
	id       stores.ID
	resource calendar.URI
}

// table returns what is to be done to one of the user's tables, which has been kept.
func (m *mender) table(f *Finding, which stores.Table) (*tableWork, error) {
	if err := m.keep(f, quarantine.Table(m.tablePath(which), which)); err != nil {
		return nil, err
	}
	if which.Kind == stores.Own {
		m.ownChanged = true
	}
	work := m.tables[which]
	if work == nil {
		ids := func() map[stores.ID]bool { return make(map[stores.ID]bool) }
		work = &tableWork{rebuilt: ids(), extended: ids(), single: ids(), forward: ids(), starting: make(map[start]bool), booked: make(map[booking]bool)}
		if m.tables == nil {
			m.tables = make(map[stores.Table]*tableWork)
		}
		m.tables[which] = work
	}
	return work, nil
}

func (m *mender) own(f *Finding) (*tableWork, error) {
	return m.table(f, ownTable)
}

// removeFrom removes the records of events from a table.
func (m *mender) removeFrom(f *Finding, which stores.Table, ids ...stores.ID) error {
	work, err := m.table(f, which)
	if err != nil {
		return err
	}
	work.removed.add(ids...)
	return nil
}

// removeStarting removes the records of an event that start at an instant.
func (m *mender) removeStarting(f *Finding, id stores.ID, at int64) error {
	work, err := m.own(f)
	if err == nil {
		work.starting[start{id, at}] = true
	}
	return err
}

// removeBookings removes what resources have booked under a quota.
func (m *mender) removeBookings(f *Finding, which stores.Table, what []booking) error {
	work, err := m.table(f, which)
	if err != nil {
		return err
	}
	for _, b := range what {
		work.booked[b] = true
	}
	return nil
}

// rebuild makes the records of events anew.
func (m *mender) rebuild(f *Finding, ids []stores.ID) error {
	work, err := m.own(f)
	if err != nil {
		return err
	}
	for _, id := range ids {
		work.rebuilt[id] = true
	}
	return nil
}

// extend adds the records of events that are missing at the end of the window, and notes that all up
// to there are worked out.
func (m *mender) extend(f *Finding, ids []stores.ID, note bool) error {
	work, err := m.own(f)
	if err != nil {
		return err
	}
	for _, id := range ids {
		work.extended[id] = true
	}
	if !note {
		return nil
	}
	return m.noteWindow(f)
}

// unique leaves one of several equal records of events.
func (m *mender) unique(f *Finding, which stores.Table, ids []stores.ID) error {
	work, err := m.table(f, which)
	if err != nil {
		return err
	}
	for _, id := range ids {
		work.single[id] = true
	}
	if path := m.tablePath(which); path != "" && m.session != nil {
		m.session.Rewrite(path) // also if no record has changed but for its number
	}
	return nil
}

// removeReversed removes the records of events that end before they start.
func (m *mender) removeReversed(f *Finding, which stores.Table, ids []stores.ID) error {
	work, err := m.table(f, which)
	if err != nil {
		return err
	}
	for _, id := range ids {
		work.forward[id] = true
	}
	return nil
}

// writeTables does what is to be done to the tables.
func (m *mender) writeTables() error {
	for which, work := range m.tables {
		table, err := m.tx.Periods(which)
		if err != nil {
			return err
		}
		m.apply(work, table)
	}
	return nil
}

// apply does what is to be done to a table.
func (m *mender) apply(w *tableWork, table *freebusy.Table) {
	var records []freebusy.Period
	transps := make(map[stores.ID][]string) // of the records that there are
	for p := range table.All() {
		id := stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}
		switch {
		case w.rebuilt[id] || w.extended[id]:
			transps[id] = append(transps[id], p.Transp)
		case w.removed.has(id), w.booked[booking{id, calendar.URI(p.Attendee)}]:
		case w.single[id] && !(w.forward[id] && p.End.Before(p.Start)):
			records = append(records, p)
		}
	}
	table.RemoveFunc(func(p freebusy.Period) bool {
		id := stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}
		return w.removed.has(id) || w.rebuilt[id] || w.single[id] || w.forward[id] && p.End.Before(p.Start) ||
			len(w.starting) > 0 && w.starting[start{id, p.Start.Unix()}] ||
			len(w.booked) > 0 && w.booked[booking{id, calendar.URI(p.Attendee)}]
	})
	for _, ids := range []map[stores.ID]bool{w.rebuilt, w.extended} {
		for id := range ids {
			records = append(records, m.expected(id, transps[id])...)
		}
	}
	table.InsertAll(records)
}

// expected returns the records that an event should have, none if it should have none or
// is not stored. Where several transparencies are right, it is that of most that are there.
func (m *mender) expected(id stores.ID, there []string) []freebusy.Period {
	text, err := m.tx.Get(stores.Key{Part: stores.Active, ID: id})
	if err != nil {
		return nil
	}
	object, err := calendar.DecodeObject(text)
	if err != nil {
		return nil
	}
	apart, err := itip.Apart(m.tx, id.UID)
	if err != nil {
		return nil
	}
	if v := m.uids[id.UID]; v != nil { // also those that repairs have moved away
		for rid := range v.recurrences {
			if !slices.ContainsFunc(apart, func(a calendar.Apart) bool { return a.ID == rid }) {
				apart = append(apart, calendar.Apart{ID: rid})
			}
		}
	}
	series, err := itip.ReadSeries(m.tx, id, object, apart)
	if err != nil {
		return nil
	}
	busy, err := series.Busy(m.user, m.options(m.end(), m.now))
	if err != nil || len(busy.Transps) == 0 {
		return nil
	}
	return series.Records(busy.Own(), busy.Transp(there...), time.Time{})
}
