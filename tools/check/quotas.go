package check

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"imip-agent/handlers/itip"
	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// staleBookings are bookings of events that the resource does not have.
type staleBookings map[bookingKey]bool

// bookingKey says of which event a booking is, and by whom. Names are as tables have them.
type bookingKey struct {
	uid      string
	resource calendar.URI
}

// concerned returns those quotas that concern the users whom the check is of: with one of them as a delegate, or with
// something booked for one. Where the lists cannot be read nobody knows.
func (c *Checker) concerned(ctx context.Context, quotas []calendar.URI) (found []calendar.URI, err error) {
	isOne := func(user calendar.URI) bool { return slices.ContainsFunc(c.Users, user.Is) }
	for _, name := range quotas {
		has := isOne(name)
		err := c.Store.Snapshot(ctx, name, func(tx stores.Tx) error {
			if journal, ok := tx.(stores.JournalTx); ok {
				q, err := quota.Open(journal)
				if mistake := (*quota.MistakeError)(nil); errors.As(err, &mistake) {
					has = true
					return nil
				} else if err != nil {
					return err
				}
				has = has || slices.ContainsFunc(q.Delegates, isOne)
			}
			return bookings(tx, func(p freebusy.Period) { has = has || isOne(calendar.URI(p.Attendee)) })
		})
		if err != nil && !isAbsent(err) {
			return nil, err
		}
		if has {
			found = append(found, name)
		}
	}
	return found, nil
}

// bookings calls fn with each record of what is booked under a quota.
func bookings(tx stores.Tx, fn func(freebusy.Period)) error {
	groups, err := tx.Others()
	if err != nil {
		return err
	}
	for _, group := range groups {
		table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: group})
		if err != nil {
			return err
		}
		for p := range table.All() {
			fn(p)
		}
	}
	return nil
}

// staleBookings returns what is booked under a quota for events that the resource does not have.
// A handler commits the quota before the resource's own records, or with them, under the resource's lock: what
// seems to be missing there is looked for again under that lock, outside that of the quota.
func (c *Checker) staleBookings(ctx context.Context, name calendar.URI) (staleBookings, error) {
	all := make(map[bookingKey]bool)
	err := c.Store.Snapshot(ctx, name, func(tx stores.Tx) error {
		return bookings(tx, func(p freebusy.Period) { all[bookingKey{p.UID, calendar.URI(p.Attendee)}] = true })
	})
	if isAbsent(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	stale := make(staleBookings)
	for key := range all {
		there, err := c.attends(ctx, c.Resources.Snapshot, key)
		if err == nil && !there {
			there, err = c.attends(ctx, c.Resources.View, key)
		}
		if err != nil {
			return nil, err
		}
		if !there {
			stale[key] = true
		}
	}
	return stale, nil
}

// attends reports whether a resource has an event, or an occurrence of it, in which it takes part.
func (c *Checker) attends(ctx context.Context, section func(context.Context, calendar.URI, func(stores.Tx) error) error, key bookingKey) (there bool, err error) {
	if key.resource == "" {
		return false, nil
	}
	owner, err := c.Resources.Named(ctx, key.resource)
	if err != nil {
		return false, err
	}
	err = section(ctx, owner, func(tx stores.Tx) error {
		ids := []string{""}
		apart, err := tx.Recurrences(stores.Active, key.uid)
		if err != nil {
			return err
		}
		for _, id := range append(ids, apart...) {
			text, err := tx.Get(stores.Key{ID: stores.ID{UID: key.uid, RecurrenceID: id}})
			if errors.Is(err, stores.ErrNotFound) {
				continue
			} else if err != nil {
				return err
			}
			object, err := calendar.DecodeObject(text)
			there = there || err != nil || itip.TakesPart(object, key.resource)
		}
		return nil
	})
	unstorable := (*stores.UnstorableError)(nil)
	if isAbsent(err) || errors.As(err, &unstorable) {
		err = nil
	}
	return there, err
}

// quota looks at what there is of a quota.
func (e *examination) quota() error {
	if e.session != nil {
		if err := e.readFiles(e.session); err != nil {
			return err
		}
		e.files()
		if e.groundless() {
			return nil
		}
		if err := e.readTables(e.session); err != nil {
			return err
		}
		if err := e.tableFiles(); err != nil {
			return err
		}
	} else if err := e.otherTables(); err != nil {
		return err
	}
	if err := e.readRecords(); err != nil {
		return err
	}
	e.badRows()
	if err := e.quotaEvents(); err != nil {
		return err
	}
	if err := e.bookings(); err != nil {
		return err
	}
	if err := e.quotaLists(); err != nil {
		return err
	}
	e.dropCovered()
	return nil
}

// quotaEvents looks at the events that are kept, and at those that are noted as recurring without
// end.
func (e *examination) quotaEvents() error {
	for key, err := range e.tx.Keys() {
		if err != nil {
			return err
		}
		if e.blocked[e.path(key)] {
			continue
		}
		text, err := e.tx.Get(key)
		if err != nil {
			return err
		}
		e.events++
		if _, err := calendar.DecodeObject(text); err != nil {
			e.addText(eventUnreadable, key, "the event cannot be read: %v", err)
		}
	}
	providers, err := e.tx.Providers()
	if err != nil {
		return err
	}
	for _, id := range providers.Events {
		if _, err := e.tx.Get(stores.Key{ID: id}); errors.Is(err, stores.ErrNotFound) {
			e.add(providerUnstored, e.providersPath(), id, "the event is listed as recurring without end, and is not stored").
				mendBy(&provide{ids: []stores.ID{id}})
		} else if err != nil {
			return err
		}
	}
	return nil
}

// bookings looks for what is booked for events that the resource does not have.
func (e *examination) bookings() error {
	groups, err := e.tx.Others()
	if err != nil {
		return err
	}
	for _, group := range groups {
		which := stores.Table{Kind: stores.Other, Other: group}
		table, err := e.tx.Periods(which)
		if err != nil {
			return err
		}
		stale := make(map[stores.ID][]calendar.URI)
		for p := range table.All() {
			id, resource := stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}, calendar.URI(p.Attendee)
			if e.stale[bookingKey{p.UID, resource}] && !slices.Contains(stale[id], resource) {
				stale[id] = append(stale[id], resource)
			}
		}
		for _, id := range sortedIDs(maps.Keys(stale)) {
			f := e.addMany(quotaBooking, e.tablePath(which), id, "group %s has booked %s for an event that the resource does not have, or does not take part in", group, stale[id])
			for _, resource := range stale[id] { // others may have it
				f.mendBy(&removeBookings{which, []booking{{id, resource}}})
			}
		}
	}
	return nil
}

// quotaLists looks at limits, groups and delegates.
func (e *examination) quotaLists() error {
	tx, ok := e.tx.(stores.JournalTx)
	if !ok {
		return nil
	}
	q, err := quota.Open(tx)
	if list := (*stores.ListError)(nil); errors.As(err, &list) {
		path := ""
		if filepath.IsAbs(list.List) {
			path = list.List
		}
		e.add(quotaList, path, stores.ID{}, "%v: correct the line", list)
		return nil
	} else if err != nil {
		return err
	}
	name := string(e.user)
	for _, d := range q.Delegates {
		known, err := e.checker.isResource(e.ctx, d)
		if err != nil {
			return err
		}
		if !known {
			e.add(quotaDelegate, "", stores.ID{}, "the delegate %s has neither records nor preferences", d).Command =
				e.command("quota", "delegates", name, "--remove", string(d))
		}
	}
	for _, l := range q.Limits {
		member := slices.ContainsFunc(q.Groups, func(m quota.Member) bool { return m.Group == l.Group })
		if l.Group != quota.Everybody && !member && calendar.URI(l.Group).Address() == "" {
			e.add(quotaGroup, "", stores.ID{}, "the group %q has a limit, and no members", l.Group).Command =
				e.command("quota", "limits", name, "--remove", l.Group)
		}
	}
	told := make(map[string]bool)
	for _, m := range q.Groups {
		if _, ok := q.LimitOf(m.Group); !ok && !told[m.Group] && len(q.Limits) > 0 {
			told[m.Group] = true
			e.add(quotaGroup, "", stores.ID{}, "the group %q has members, and no limit: they can book nothing", m.Group).Command =
				e.command("quota", "limits", name, m.Group, "LIMIT")
		}
	}
	return e.exceeded(q)
}

// exceeded looks for groups that have booked more than they may.
func (e *examination) exceeded(q *quota.Quota) error {
	groups, err := q.Others()
	if err != nil {
		return err
	}
	for _, group := range groups {
		if calendar.URI(group).Address() != "" && q.GroupOf(group) != string(group) {
			continue // what the organizer has at a time: schedule_across_quota
		}
		which := stores.Table{Kind: stores.Other, Other: group}
		table, err := q.Periods(which)
		if err != nil {
			return err
		}
		limit, ok := q.LimitOf(string(group))
		if booked := quota.Total(table); ok && limit.Amount >= 0 && booked > limit.Amount {
			e.add(quotaExceeded, e.tablePath(which), stores.ID{}, "the group %s has booked %s, and its limit is %s", group, quota.Limit{Amount: booked}, limit).Command =
				e.command("quota", "show", string(e.user))
		}
	}
	return nil
}

// isResource reports whether somebody has records or preferences.
func (c *Checker) isResource(ctx context.Context, user calendar.URI) (bool, error) {
	owner, err := c.Resources.Named(ctx, user)
	if err != nil {
		return false, err
	}
	for known, err := range c.Resources.Users(ctx) {
		if isAbsent(err) {
			break
		} else if err != nil {
			return false, err
		}
		if known == owner {
			return true, nil
		}
	}
	if c.PreferencesDir == "" {
		return false, nil
	}
	_, err = os.Stat(filepath.Join(c.PreferencesDir, string(user)))
	return err == nil, nil
}
