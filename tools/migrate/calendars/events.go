package calendars

import (
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// vevent is a VEVENT in a calendar file: a whole event, or a changed occurrence of one.
type vevent struct {
	*calendar.Entry
	path string // of the file

	// What decode makes of it.
	object   *calendar.Object
	id       stores.ID
	warnings []string // what was repaired
	unknown  []string // TZIDs of which nobody knows what they mean
	err      error    // why it cannot be taken
}

// calendarFile is a file taken apart.
type calendarFile struct {
	uids     []string // in order of appearance
	events   map[string][]*vevent
	others   map[string]int // components that are not kept, by name
	problems []string
}

func newCalendarFile() *calendarFile {
	return &calendarFile{events: make(map[string][]*vevent), others: make(map[string]int)}
}

// split takes the text of a calendar file apart.
func split(path, text string) *calendarFile {
	found := calendar.NewFile(text)
	f := &calendarFile{events: make(map[string][]*vevent), others: found.Others, problems: found.Problems}
	for _, entry := range found.Entries {
		f.add(&vevent{Entry: entry, path: path})
	}
	return f
}

// add adds an event.
func (f *calendarFile) add(events ...*vevent) {
	for _, e := range events {
		if f.events[e.UID] == nil {
			f.uids = append(f.uids, e.UID)
		}
		f.events[e.UID] = append(f.events[e.UID], e)
	}
}

// serverParams are parameters that tell a server how to send messages; they mean nothing
// in a store (RFC 6638 section 7).
var serverParams = []string{"SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"}

// decode finds out what the event is.
func (e *vevent) decode() {
	found := e.Entry.Decode()
	e.warnings, e.unknown = found.Warnings, found.UnknownZones
	if e.err = found.Err; e.err != nil {
		return
	}
	e.object = found.Object
	for _, param := range serverParams {
		e.object.SetParam(param, "", "ORGANIZER", "ATTENDEE")
	}
	e.id.UID = e.object.UID()
	e.id.RecurrenceID, e.err = e.object.RecurrenceID()
}

// cancelled reports whether the event's STATUS says that it is called off.
func (e *vevent) cancelled() bool { return e.object.Status() == "CANCELLED" }
