package freebusy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/handlers/quota"
	"imip-agent/handlers/resource"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

// Quotas extends what is booked under quotas, as time goes on, for events that recur beyond the
// window: as users' own free/busy, into the tables that have records of them, and for the
// resources that these name.
//
// When a resource takes place in an event is said by its own records, where it has the event, and
// else by what the journal has of it. If no record of an event is left, since all have ended and are
// expired, and the resource has accepted it, it is recorded where the functions of the resource book.
type Quotas struct {
	Journal     stores.Journal
	Store       stores.Store
	Preferences preferences.Source
	Log         *slog.Logger
	Now         func() time.Time
	PeriodLimit int  // records of one event; 0: calendar.DefaultMaxPeriods
	Keep        bool // store the result
}

// QuotaResult is what has been made of one quota.
type QuotaResult struct {
	Quota    calendar.URI
	Until    time.Time // the end of the window, UTC
	Inserted int       // records
	Noted    int       // events that recur beyond the window
	Problems []Problem

	Groups []calendar.URI                   // in order
	Tables map[calendar.URI]*freebusy.Table // as they are to be
}

// record is a record of a table of a quota, that is to be.
type record struct {
	group calendar.URI
	freebusy.Period
}

// booked is what a resource has of an event in a table.
type booked struct {
	id     stores.ID
	group  calendar.URI
	last   time.Time // when the last record begins; zero: none is left
	transp string    // of that
}

// extends reports whether a period is to be recorded.
func (b booked) extends(p freebusy.Period, now time.Time) bool {
	return p.Start.After(b.last) && !(b.last.IsZero() && p.End.Before(now))
}

// Extend extends what is booked under a quota. Resources are read one after the other, each
// inside its critical section, and the quota inside that.
func (m *Quotas) Extend(ctx context.Context, name calendar.URI) (r QuotaResult, err error) {
	now := m.Now().UTC()
	r = QuotaResult{Quota: name}
	var resources []calendar.URI
	err = m.Journal.View(ctx, name, func(tx stores.JournalTx) (err error) {
		resources, err = m.resources(tx, now, &r)
		return err
	})
	if err != nil {
		return r, err
	}
	var fresh []record
	for _, resource := range resources {
		settings, err := m.Preferences.Load(resource)
		if err != nil {
			return r, fmt.Errorf("of resource %q: %w", string(resource), err)
		}
		if end := settings.WindowEnd(now).Truncate(time.Second); r.Until.IsZero() || end.Before(r.Until) {
			r.Until = end
		}
		owner, err := m.Store.Named(ctx, resource)
		if err != nil {
			return r, err
		}
		var added []record
		err = m.Store.View(ctx, owner, func(own stores.Tx) error {
			section := m.Journal.View
			if m.Keep {
				section = m.Journal.Update
			}
			return section(ctx, name, func(tx stores.JournalTx) (err error) {
				added, err = m.extend(tx, own, resource, settings, now, &r)
				return err
			})
		})
		if err != nil {
			return r, fmt.Errorf("of resource %q: %w", string(resource), err)
		}
		fresh = append(fresh, added...)
	}
	if r.Until.IsZero() {
		r.Until = now.AddDate(0, 0, preferences.DefaultWindowSize).Truncate(time.Second)
	}
	r.Inserted = len(fresh)
	section := m.Journal.View
	if m.Keep {
		section = m.Journal.Update
	}
	return r, section(ctx, name, func(tx stores.JournalTx) error { return m.finish(tx, now, fresh, &r) })
}

// wanted returns the events that are noted as recurring beyond the window, or, where nothing is
// noted yet, all.
func wanted(tx stores.JournalTx) (ids []stores.ID, err error) {
	providers, err := tx.Providers()
	if err != nil || !providers.Until.IsZero() {
		return providers.Events, err
	}
	for key, err := range tx.Keys() {
		if err != nil {
			return nil, err
		}
		if key.Part == stores.Active {
			ids = append(ids, key.ID)
		}
	}
	slices.SortFunc(ids, func(a, b stores.ID) int {
		return slices.Compare([]string{a.UID, a.RecurrenceID}, []string{b.UID, b.RecurrenceID})
	})
	return ids, nil
}

// stored returns what the journal has of an event; nil: nothing that can be read.
func stored(tx stores.Records, id stores.ID) (*calendar.Object, error) {
	text, err := tx.Get(stores.Key{ID: id})
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return calendar.DecodeObject(text)
}

// resources returns who has records of events that recur beyond the window.
func (m *Quotas) resources(tx stores.JournalTx, now time.Time, r *QuotaResult) (resources []calendar.URI, err error) {
	ids, err := wanted(tx)
	if err != nil {
		return nil, err
	}
	recur := make(map[stores.ID]bool)
	for _, id := range ids {
		object, err := stored(tx, id)
		if unreadable := (*calendar.Error)(nil); errors.As(err, &unreadable) {
			r.Problems = append(r.Problems, Problem{ID: id, Err: err})
			continue
		} else if err != nil {
			return nil, err
		}
		if object == nil || !object.Continues(now, time.UTC) {
			continue
		}
		recur[cleaned(id)] = true
		for _, a := range object.Attendees() {
			if a.PartStat() != "ACCEPTED" || slices.ContainsFunc(resources, a.URI.Is) {
				continue
			}
			settings, err := m.Preferences.Load(a.URI)
			if unstorable := (*stores.UnstorableError)(nil); errors.As(err, &unstorable) {
				continue // nobody here
			} else if err != nil {
				return nil, fmt.Errorf("of resource %q: %w", string(a.URI), err)
			}
			if books(a.URI, settings, tx.User()) != 0 {
				resources = append(resources, a.URI)
			}
		}
	}
	groups, err := tx.Others()
	if err != nil {
		return nil, err
	}
	for _, group := range groups {
		table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: group})
		if err != nil {
			return nil, err
		}
		for p := range table.All() {
			resource := calendar.URI(p.Attendee)
			if resource != "" && recur[stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}] && !slices.ContainsFunc(resources, resource.Is) {
				resources = append(resources, resource)
			}
		}
	}
	slices.Sort(resources)
	return resources, nil
}

// books says where a resource records under a quota what it accepts.
func books(user calendar.URI, settings preferences.Preferences, name calendar.URI) quota.Books {
	functions, err := resource.ReadFunctions(settings.SchedulingFunction)
	if err != nil {
		return 0 // it accepts nothing until that is corrected
	}
	return functions.Books(user, name)
}

// rebooked returns where an event is to be recorded of which no record is left.
func rebooked(tx stores.JournalTx, own stores.Tx, user calendar.URI, settings preferences.Preferences, id stores.ID) (places []booked, err error) {
	in := books(user, settings, tx.User())
	if in == 0 {
		return nil, nil
	}
	object, err := stored(own, id)
	if err != nil || object == nil {
		return nil, err
	}
	if self, _ := itip.Attendee(object, user); self.PartStat() != "ACCEPTED" {
		return nil, nil
	}
	q, err := quota.Open(tx)
	if err != nil {
		return nil, err
	}
	all, err := q.Places(object, in)
	for _, place := range all {
		places = append(places, booked{id: id, group: place.Other, transp: cmp.Or(place.Transp, itip.AttendingTransp(object))})
	}
	return places, err
}

// extend adds records of a resource.
func (m *Quotas) extend(tx stores.JournalTx, own stores.Tx, resource calendar.URI, settings preferences.Preferences, now time.Time, r *QuotaResult) (added []record, err error) {
	ids, err := wanted(tx)
	if err != nil {
		return nil, err
	}
	groups, err := tx.Others()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		var places []booked
		for _, group := range groups {
			table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: group})
			if err != nil {
				return nil, err
			}
			b := booked{id: id, group: group}
			for p := range table.All() {
				if (stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}) == cleaned(id) && calendar.URI(p.Attendee).Is(resource) {
					b.last, b.transp = p.Start, p.Transp
				}
			}
			if !b.last.IsZero() {
				places = append(places, b)
			}
		}
		if len(places) == 0 {
			places, err = rebooked(tx, own, resource, settings, id)
		}
		if err == nil && len(places) == 0 {
			continue
		}
		var records []freebusy.Period
		if err == nil {
			records, err = m.records(tx, own, id, settings, now)
		}
		unreadable, mistake := (*calendar.Error)(nil), (*quota.MistakeError)(nil)
		if errors.As(err, &unreadable) || errors.As(err, &mistake) {
			r.Problems = append(r.Problems, Problem{ID: id, Err: err})
			continue
		} else if err != nil {
			return nil, err
		}
		for _, b := range places {
			table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: b.group})
			if err != nil {
				return nil, err
			}
			for _, p := range records {
				if !b.extends(p, now) {
					continue
				}
				p.Attendee, p.Transp = string(resource), b.transp
				if b.last.IsZero() {
					p.Attendee = string(own.User())
				}
				if table.Insert(p) {
					added = append(added, record{b.group, p})
				}
			}
		}
	}
	return added, nil
}

// records returns when an event takes place within the window, by the resource's own records,
// or where these have nothing of it, by the journal's.
func (m *Quotas) records(tx stores.JournalTx, own stores.Tx, id stores.ID, settings preferences.Preferences, now time.Time) ([]freebusy.Period, error) {
	var from stores.Records = own
	object, err := stored(own, id)
	if err == nil && object == nil {
		if _, err := own.Get(stores.Key{Part: stores.Cancelled, ID: id}); err == nil {
			return nil, nil // it is called off, and the booking is on its way out
		}
		from = tx
		object, err = stored(tx, id)
	}
	if err != nil || object == nil {
		return nil, err
	}
	apart, err := itip.Apart(from, id.UID)
	if err != nil {
		return nil, err
	}
	series, err := itip.ReadSeries(from, id, object, apart)
	if err != nil {
		return nil, err
	}
	times, err := series.Times(calendar.PeriodOptions{Zone: settings.Zone, Now: now, Until: settings.WindowEnd(now), Max: m.PeriodLimit})
	if err != nil {
		return nil, err
	}
	return series.Records(times.Own(), "", time.Time{}), nil
}

// finish notes which events recur beyond the window, and takes the tables into the result.
func (m *Quotas) finish(tx stores.JournalTx, now time.Time, fresh []record, r *QuotaResult) (err error) {
	ids, err := wanted(tx)
	if err != nil {
		return err
	}
	var goOn []stores.ID
	for _, id := range ids {
		object, err := stored(tx, id)
		unreadable := (*calendar.Error)(nil)
		if err != nil && !errors.As(err, &unreadable) {
			return err
		}
		if err != nil || object != nil && object.Continues(r.Until, time.UTC) {
			goOn = append(goOn, id)
		}
	}
	r.Noted = len(goOn)
	if r.Groups, err = tx.Others(); err != nil {
		return err
	}
	r.Tables = make(map[calendar.URI]*freebusy.Table)
	for _, group := range r.Groups {
		if r.Tables[group], err = tx.Periods(stores.Table{Kind: stores.Other, Other: group}); err != nil {
			return err
		}
	}
	if m.Keep {
		return tx.SetProviders(stores.Providers{Until: r.Until, Events: goOn})
	}
	for _, f := range fresh {
		if table := r.Tables[f.group]; table != nil {
			table.Insert(f.Period)
		}
	}
	return nil
}
