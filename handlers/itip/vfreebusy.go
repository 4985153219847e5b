package itip

import (
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

// VFREEBUSY that the user receives: when others have time, or the question when the user has (RFC
// 5546 section 3.3).

// applyFreeBusy applies what a message says of free/busy.
func (r *Records) applyFreeBusy(c Change, side Side) (Outcome, error) {
	if int(side) >= len(freeBusyEffects) || freeBusyEffects[side] == nil {
		return Outcome{}, unknownMethod(c.Method)
	}
	steps := freeBusyEffects[side][c.Method]
	if steps == nil {
		return Outcome{Refused: UnknownMethod}, nil
	}
	u := &update{Records: r, Change: c, side: side}
	err := u.do(steps)
	if err == nil {
		err = u.finish()
	}
	return u.outcome, err
}

// recordSpan records what those who send free/busy tell of theirs: in place of all that is known of
// the time that they tell of, whatever event it came from.
func recordSpan(u *update) error {
	whose := u.speakers
	if u.Method == "PUBLISH" {
		whose = []calendar.Attendee{u.FreeBusy.Organizer}
	}
	busy := u.told()
	for _, who := range whose {
		err := u.eachOther(who.URI, func(first bool, which stores.Table) error {
			table, err := u.Periods(which)
			if err != nil {
				return err
			}
			removed, before := table.RemoveFunc(func(p freebusy.Period) bool { return overlaps(u.FreeBusy, p) }), table.Len()
			if first {
				table.InsertAll(busy)
			}
			u.did(Effect{Kind: Recorded, Table: which.Kind, Added: table.Len() - before, Removed: removed})
			return nil
		})
		if err != nil {
			return err
		}
	}
	u.silent = !u.Preferences.Notifying
	return nil
}

// told returns the records of what free/busy tells: if there are more than are kept of one event, the
// earliest that are not over.
//
// DEVIATION: free-periods. The original takes each period as busy.
// DEVIATION: free-busy-limit. The original has no limit.
func (u *update) told() (busy []freebusy.Period) {
	for _, p := range u.FreeBusy.Periods {
		if p.IsBusy() {
			busy = append(busy, freebusy.Period{Start: p.Start, End: p.End, Transp: Opaque})
		}
	}
	if limit := u.PeriodLimit; limit > 0 && len(busy) > limit {
		u.warn(Warning{Text: "the free/busy has more periods than are recorded", Limit: limit})
		busy = slices.DeleteFunc(busy, func(p freebusy.Period) bool { return p.End.Before(u.Now) })
		slices.SortFunc(busy, func(a, b freebusy.Period) int { return a.Start.Compare(b.Start) })
		busy = busy[:min(limit, len(busy))]
	}
	return busy
}

// ifShared refuses the question when the user has time, if the user does not share that.
func ifShared(u *update) error {
	if !u.Preferences.Sharing {
		return u.refuse(NotWanted)
	}
	return ifAnswerable(u)
}

// tellFreeBusy answers the question when the user has time.
//
// DEVIATION: free-busy-of-resources. The original gives another span.
func tellFreeBusy(u *update) error {
	asked := u.FreeBusy
	periods, err := busyPeriods(u.Tx, func(p freebusy.Period) bool { return overlaps(asked, p) })
	if err != nil {
		return err
	}
	u.answer(TellsFreeBusy, asked.Organizer.URI, AsAttendee, calendar.Document{Method: "REPLY", FreeBusy: []*calendar.FreeBusy{{
		UID: asked.UID, Stamp: u.Now, Organizer: asked.Organizer,
		Attendees: []calendar.Attendee{calendar.NewAttendee(u.ownAddress(), u.sentBy())},
		Start:     asked.Start, End: asked.End, // RFC 5546 section 3.3.3
		Periods: periods,
	}}})
	u.silent = true
	return nil
}

// overlaps reports whether a record is in the time that free/busy tells of, or asks for.
func overlaps(f *calendar.FreeBusy, p freebusy.Period) bool {
	begins := f.End.IsZero() || p.Start.Before(f.End)
	ends := f.Start.IsZero() || p.End.After(f.Start) || p.Start.Equal(f.Start)
	return begins && ends
}

// busyPeriods returns when the user is busy, as far as it is wanted: who organizes without attending
// has time.
func busyPeriods(tx stores.Tx, wanted func(freebusy.Period) bool) (periods []calendar.BusyPeriod, err error) {
	table, err := tx.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return nil, err
	}
	for p := range table.All() {
		if p.Transp == Opaque && wanted(p) {
			periods = append(periods, calendar.BusyPeriod{Start: p.Start, End: p.End, Type: calendar.Busy})
		}
	}
	return periods, nil
}

// OwnFreeBusy returns the user's free/busy as it goes with messages to others, in the user's name, if
// the user wants that (RFC 5546 section 3.3.1): from now to the end of the window, at least.
func OwnFreeBusy(tx stores.Tx, wants preferences.Preferences, system calendar.URI, now time.Time) (part calendar.Document, wanted bool, err error) {
	if !wants.Sharing || !wants.Bundling {
		return part, false, nil
	}
	periods, err := busyPeriods(tx, func(freebusy.Period) bool { return true })
	if err != nil {
		return part, false, err
	}
	user := tx.User()
	f := &calendar.FreeBusy{
		UID: "imip-agent-" + stamp(now) + "-" + user.Address(), Stamp: now,
		Organizer: calendar.NewAttendee(user, actsFor(user, system)),
		// DEVIATION: span-of-bundled-free-busy. The original gives that of the periods.
		Start: now.Truncate(time.Second), End: wants.WindowEnd(now).Truncate(time.Second), Periods: periods,
	}
	for _, p := range periods {
		if p.Start.Before(f.Start) {
			f.Start = p.Start
		}
		if p.End.After(f.End) {
			f.End = p.End
		}
	}
	return calendar.Document{Method: "PUBLISH", FreeBusy: []*calendar.FreeBusy{f}}, true, nil
}
