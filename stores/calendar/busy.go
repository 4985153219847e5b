package calendar

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// FreeBusy is one VFREEBUSY (RFC 5545 section 3.6.4): a question when somebody has time, an
// answer to one, or what somebody publishes of their own time (RFC 5546 section 3.3).
type FreeBusy struct {
	UID       string
	Stamp     time.Time  // DTSTAMP; zero: none
	Organizer Attendee   // who asks, or whose time is published
	Attendees []Attendee // whose time is asked for, or told
	// Start and End are between when it says something, in UTC; zero: there is no such limit.
	Start, End time.Time
	Periods    []BusyPeriod
	// Further has periods that are written after Periods. They need not all be held at once.
	// Nil: there are none. FurtherLen is about their number.
	Further    iter.Seq[BusyPeriod]
	FurtherLen int
}

// BusyPeriod is a value of FREEBUSY (RFC 5545 section 3.8.2.6).
type BusyPeriod struct {
	Start, End time.Time // in UTC
	Type       string    // FBTYPE in upper case
}

// The types of periods (RFC 5545 section 3.2.9) that are asked for by name.
const (
	Busy = "BUSY" // which a period without FBTYPE is
	Free = "FREE"
)

// IsBusy reports whether somebody has no time in the period. A type that is not known is BUSY
// (RFC 5545 section 3.2.9).
func (p BusyPeriod) IsBusy() bool { return p.Type != Free }

// NewAttendee returns a calendar user by address, and who acts for them; "": nobody.
func NewAttendee(uri, sentBy URI) Attendee {
	a := Attendee{URI: uri, params: ical.Params{}}
	if sentBy != "" {
		a.params.Set(ical.ParamSentBy, string(sentBy))
	}
	return a
}

// freeBusy returns what a VFREEBUSY is.
func (e *rawEvent) freeBusy(text string, resolve resolver) FreeBusyPart {
	f := &FreeBusy{}
	found := FreeBusyPart{FreeBusy: f, Text: text[e.start:e.end]}
	n := normaliser{resolve: resolve, warn: e.warnings.add, use: useOf(e.component)} // for the zones
	f.UID = unescapeText((&Object{e.component}).value(ical.PropUID))
	for _, prop := range e.component.Props[ical.PropOrganizer] {
		switch user := calendarUser(prop); {
		case user.URI == "":
		case f.Organizer.URI == "":
			f.Organizer = user
		case f.Organizer.URI != user.URI:
			n.warn("ORGANIZER left out, which is there already: %s", excerpt(prop.Value))
			n.otherOrganizer(f.Organizer.URI, user.URI)
		}
	}
	for _, prop := range e.component.Props[ical.PropAttendee] {
		if user := calendarUser(prop); user.URI != "" {
			f.Attendees = append(f.Attendees, user)
		}
	}
	n.limits(f, e)
	f.Periods = e.periods
	for _, prop := range e.component.Props[ical.PropFreeBusy] {
		n.busyPeriods(f, prop)
	}
	found.Warnings, found.Err, found.OtherOrganizers = e.warnings, e.err, n.organizers
	return found
}

// calendarUser returns who is named by an ORGANIZER or ATTENDEE. Their addresses are as they
// are written: the original, which takes a comma for a list's, does not read them.
func calendarUser(prop ical.Prop) Attendee {
	for name, values := range prop.Params {
		if isAddressParam[name] {
			for i, value := range values {
				values[i] = string(plainURI(value))
			}
		}
	}
	return Attendee{URI: plainURI(prop.Value), params: prop.Params}
}

// limits reads between when a VFREEBUSY says something, and when it was made. A limit that
// cannot be read is no reason to take it for none.
func (n *normaliser) limits(f *FreeBusy, e *rawEvent) {
	read := func(name string) (moment, bool) {
		prop := e.component.Props.Get(name)
		if prop == nil {
			return moment{}, false
		}
		n.zone(prop)
		m, err := readMoment(prop.Value, prop.Params)
		if err != nil && e.err == nil {
			e.err = &Error{fmt.Sprintf("the %s of the free/busy: %v", name, err)}
		}
		return m, err == nil
	}
	instant := func(name string, t time.Time) time.Time {
		if !writable(t) && e.err == nil {
			e.err = &Error{fmt.Sprintf("the %s of the free/busy: the year is %d", name, t.Year())}
		}
		return t
	}
	if m, ok := read(ical.PropDateTimeStamp); ok {
		f.Stamp = instant(ical.PropDateTimeStamp, m.instant(nil))
	}
	start, begins := read(ical.PropDateTimeStart)
	if begins {
		f.Start = instant(ical.PropDateTimeStart, start.instant(nil))
	}
	if m, ok := read(ical.PropDateTimeEnd); ok {
		f.End = instant(ical.PropDateTimeEnd, m.instant(nil))
	} else if prop := e.component.Props.Get(ical.PropDuration); prop != nil && begins { // RFC 2445 section 4.6.4
		if l, err := readDuration(prop.Value); err == nil {
			f.End = instant(ical.PropDuration, l.after(start, f.Start, nil))
		}
	}
}

// busyPeriods reads the periods of a FREEBUSY, each with an end or a length.
//
// DEVIATION: lists-of-free-busy. The original fails on a list for ever.
func (n *normaliser) busyPeriods(f *FreeBusy, prop ical.Prop) {
	kind := strings.ToUpper(strings.TrimSpace(prop.Params.Get(ical.ParamFreeBusyType)))
	if kind == "" {
		kind = Busy
	}
	prop.Value = strings.ToUpper(withoutSpace(prop.Value))
	n.zone(&prop)
	for value := range strings.SplitSeq(prop.Value, ",") {
		if value == "" {
			continue
		}
		p, ok := busyPeriod(value, prop.Params)
		if !ok || !writable(p.Start) || !writable(p.End) {
			n.warn("FREEBUSY: %s left out, which is no period", excerpt(value))
			continue
		}
		p.Type = kind
		f.Periods = append(f.Periods, p)
	}
}

// writable reports whether an instant has a year of four digits, as a time of iCalendar needs. Also of one that is
// written so, a zone can make another.
func writable(t time.Time) bool { return t.IsZero() || t.Year() >= 0 && t.Year() <= 9999 }

// usualPeriod reads a FREEBUSY that is written as most are, this program's own among them: of
// the type BUSY, and with one period from an instant to another. There may be thousands.
func usualPeriod(text string) (p BusyPeriod, ok bool) {
	value, ok := strings.CutPrefix(text, "FREEBUSY;FBTYPE=BUSY:")
	if !ok || len(value) != 2*len(formUTC)+1 || value[len(formUTC)] != '/' {
		return p, false
	}
	start, err := time.Parse(formUTC, value[:len(formUTC)])
	end, errEnd := time.Parse(formUTC, value[len(formUTC)+1:])
	return BusyPeriod{Start: start, End: end, Type: Busy}, err == nil && errEnd == nil && !end.Before(start)
}

// busyPeriod reads a period (RFC 5545 section 3.3.9).
func busyPeriod(value string, params ical.Params) (p BusyPeriod, ok bool) {
	first, last, _ := strings.Cut(value, "/")
	start, err := readMoment(first, params)
	if err != nil {
		return p, false
	}
	p.Start = start.instant(nil)
	if strings.Contains(last, "P") {
		if strings.HasPrefix(last, "-") { // it is positive
			return p, false
		}
		l, err := readDuration(last)
		p.End = l.after(start, p.Start, nil)
		return p, err == nil
	}
	end, err := readMoment(last, params)
	if err != nil {
		return p, false
	}
	p.End = end.instant(nil)
	return p, !p.End.Before(p.Start)
}

// size returns about how many octets write makes.
func (f *FreeBusy) size() int {
	const line = len("FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z\r\n")
	return 512 + line*(len(f.Periods)+f.FurtherLen) + 100*len(f.Attendees)
}

// write writes the VFREEBUSY.
func (f *FreeBusy) write(w *lineWriter) {
	w.line("BEGIN:", ical.CompFreeBusy)
	users := slices.Concat([]Attendee{f.Organizer}, f.Attendees)
	for i, user := range users {
		name := ical.PropAttendee
		if i == 0 {
			name = ical.PropOrganizer
		}
		if user.URI != "" {
			w.property(&ical.Prop{Name: name, Params: user.params, Value: string(user.URI)})
		}
	}
	if f.UID != "" {
		w.property(&ical.Prop{Name: ical.PropUID, Value: encodeText(f.UID)})
	}
	for _, limit := range []struct {
		name string
		at   time.Time
	}{{ical.PropDateTimeStamp, f.Stamp}, {ical.PropDateTimeStart, f.Start}, {ical.PropDateTimeEnd, f.End}} {
		if !limit.at.IsZero() {
			w.line(limit.name, ":", string(AppendUTC(nil, limit.at)))
		}
	}
	for _, p := range f.Periods {
		p.write(w)
	}
	if f.Further != nil {
		for p := range f.Further {
			p.write(w)
		}
	}
	w.line("END:", ical.CompFreeBusy)
}

// write writes the period as a property.
func (p BusyPeriod) write(w *lineWriter) {
	kind := p.Type
	if kind == "" {
		kind = Busy
	}
	w.text(ical.PropFreeBusy + ";" + ical.ParamFreeBusyType + "=")
	w.param(ical.ParamFreeBusyType, kind)
	w.text(":")
	value := append(AppendUTC(make([]byte, 0, 2*len(formUTC)+1), p.Start), '/')
	w.text(string(AppendUTC(value, p.End)))
	w.end()
}

// AppendUTC appends an instant as a date-time in UTC (RFC 5545 section 3.3.5, form 2).
func AppendUTC(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return append(dst,
		byte('0'+year/1000%10), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10),
		byte('0'+month/10), byte('0'+month%10), byte('0'+day/10), byte('0'+day%10), 'T',
		byte('0'+hour/10), byte('0'+hour%10), byte('0'+minute/10), byte('0'+minute%10),
		byte('0'+second/10), byte('0'+second%10), 'Z')
}
