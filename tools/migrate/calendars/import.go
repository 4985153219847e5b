package calendars

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"imip-agent/handlers"
	"imip-agent/handlers/itip"
	"imip-agent/stores/calendar"
	"imip-agent/tools/migrate"
)

// Import says what is taken into a user's records.
type Import struct {
	User calendar.URI
	// Pipeline makes the changes, whose side is [itip.Imported].
	Pipeline *handlers.Pipeline
	Log      *slog.Logger // what was repaired in the events; nil: it is not logged
	// Progress is called with how many files are done, or if there is one only, how many
	// events of it; nil: never.
	Progress func(done, total int)
}

// Imported is what was taken.
type Imported struct {
	Files          int // looked at
	Events         int // taken, whole, with their changed occurrences
	migrate.Report     // what was not taken, or not as it is
}

// Run takes the calendar files at a path in: a file, or a directory with files and vdirs.
func (m *Import) Run(ctx context.Context, path string) (*Imported, error) {
	done := new(Imported)
	paths, odd, err := calendarFiles(path)
	if err != nil {
		return done, err
	}
	for _, path := range slices.Sorted(maps.Keys(odd)) {
		m.note(done, migrate.Unstorable, path, odd[path])
	}
	progress := m.Progress
	if progress == nil {
		progress = func(int, int) {}
	}
	one := func(int, int) {}
	if len(paths) == 1 {
		one = progress
	}
	// Events of which files have parts each are taken when all the parts are known.
	scattered := m.scattered(paths)
	late := newCalendarFile()
	// Those of small files, as in a vdir, are taken when there are enough of them.
	few := newCalendarFile()
	for _, path := range paths {
		if len(paths) > 1 {
			progress(done.Files, len(paths))
		}
		done.Files++
		f, err := readCalendars(path)
		if err != nil {
			m.note(done, migrate.Damaged, path, err.Error())
			continue
		}
		for _, text := range f.problems {
			m.note(done, migrate.Damaged, path, text)
		}
		for _, name := range slices.Sorted(maps.Keys(f.others)) {
			m.note(done, migrate.Unstorable, path, fmt.Sprintf("%d %s: only VEVENT is kept", f.others[name], name))
		}
		f.uids = slices.DeleteFunc(f.uids, func(uid string) bool {
			if !scattered[uid] {
				return false
			}
			late.add(f.events[uid]...)
			return true
		})
		if len(paths) > 1 && len(f.uids) < together {
			for _, uid := range f.uids {
				few.add(f.events[uid]...)
			}
			if len(few.uids) < together {
				continue
			}
			f, few = few, newCalendarFile()
		}
		if err := m.take(ctx, f, done, one); err != nil {
			return done, err
		}
	}
	if err := m.take(ctx, few, done, one); err != nil {
		return done, err
	}
	return done, m.take(ctx, late, done, one)
}

func (m *Import) note(done *Imported, kind migrate.Kind, item, text string) {
	done.Note(migrate.Issue{Kind: kind, Part: migrate.StorePart, User: m.User, Item: item, Text: text})
}

// scattered returns the UIDs that are in more than one of several files.
func (m *Import) scattered(paths []string) map[string]bool {
	scattered := make(map[string]bool)
	if len(paths) < 2 {
		return scattered
	}
	in := make(map[string]int)
	for i, path := range paths {
		f, err := readCalendars(path)
		if err != nil {
			continue // it is told when it is to be taken
		}
		for _, uid := range f.uids {
			if first, known := in[uid]; known && first != i {
				scattered[uid] = true
			}
			in[uid] = i
		}
	}
	return scattered
}

// together is how many events are taken at once. The user's tables are read and written each
// time; on the other hand, all of the events are held in memory.
const together = 500

// take takes the events of a file in.
func (m *Import) take(ctx context.Context, f *calendarFile, done *Imported, progress func(done, total int)) error {
	taken := 0
	for uids := range slices.Chunk(f.uids, together) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		progress(taken, len(f.uids))
		taken += len(uids)
		wholes := f.wholes(uids)
		m.tell(wholes, done)
		if err := m.publish(ctx, wholes); err != nil {
			return err
		}
		if err := m.callOff(ctx, wholes); err != nil {
			return err
		}
		for _, w := range wholes {
			for _, issue := range w.refused {
				m.note(done, issue.Kind, w.String(), issue.Text)
			}
			if w.taken && len(w.refused) == 0 {
				done.Events++
			}
			delete(f.events, w.uid) // which needs memory
		}
	}
	return nil
}

// wholeEvent is what there is of a UID: an event with its changed occurrences.
type wholeEvent struct {
	uid, path string
	events    []*vevent       // to be published, the event itself before its occurrences
	calledOff []*vevent       // by messages which say only that, in the same order
	issues    []migrate.Issue // kinds and texts: what is wrong with parts
	refused   []migrate.Issue // the same: what was not taken of the rest
	taken     bool            // there is a rest, and nothing is damaged
}

func (w *wholeEvent) String() string { return fmt.Sprintf("event %q in %s", w.uid, w.path) }

// wholes puts together what there is of UIDs.
func (f *calendarFile) wholes(uids []string) []*wholeEvent {
	wholes := make([]*wholeEvent, len(uids))
	for i, uid := range uids {
		events := f.events[uid]
		w := &wholeEvent{uid: uid, path: events[0].path, taken: true}
		for _, e := range events {
			e.decode()
			w.add(e)
		}
		for _, list := range [][]*vevent{w.events, w.calledOff} {
			slices.SortStableFunc(list, func(a, b *vevent) int { return boolOrder(a.id.RecurrenceID != "", b.id.RecurrenceID != "") })
		}
		w.overtaken()
		w.taken = w.taken && len(w.events)+len(w.calledOff) > 0
		wholes[i] = w
	}
	return wholes
}

// add adds an event or an occurrence of it, or what is wrong with it.
func (w *wholeEvent) add(e *vevent) {
	issue := func(kind migrate.Kind, format string, args ...any) {
		w.issues = append(w.issues, migrate.Issue{Kind: kind, Text: fmt.Sprintf(format, args...)})
	}
	switch e.Method() {
	case "ADD", "COUNTER", "DECLINECOUNTER", "REFRESH", "REPLY":
		// RFC 5546 section 1.4: these have parts of events that somebody else has.
		issue(migrate.Unstorable, "METHOD:%s makes it a message about an event, not an event", e.Method())
		return
	}
	if e.err != nil {
		w.taken = false
		issue(migrate.Unstorable, "%s", e.err)
		return
	}
	for _, zone := range e.unknown {
		issue(migrate.Damaged, "imported in the user's local time, since the time zone %.60q is unknown", zone)
	}
	if e.Method() == "CANCEL" {
		w.calledOff = append(w.calledOff, e)
		return
	}
	i := slices.IndexFunc(w.events, func(other *vevent) bool { return other.id == e.id })
	if i < 0 {
		w.events = append(w.events, e)
		return
	}
	// Of several the last one counts, unless it is an older one.
	other := w.events[i]
	same := string(other.object.Encode()) == string(e.object.Encode())
	if !e.object.OlderThan(other.object, true) {
		w.events[i], e, other = e, other, e
	}
	if !same {
		issue(migrate.Unstorable, "%s in %s is left out, since %s in %s counts", e.title(), e.path, other.title(), other.path)
	}
}

// title says which one of several that are called the same an event is.
func (e *vevent) title() string {
	start := ""
	if value := e.object.Value("DTSTART"); value != "" {
		start = " at " + value
	}
	return fmt.Sprintf("%.60q%s", e.object.Summary(), start)
}

// tell lists what is known to be wrong with events, and logs what was repaired in them.
func (m *Import) tell(wholes []*wholeEvent, done *Imported) {
	for _, w := range wholes {
		for _, issue := range w.issues {
			m.note(done, issue.Kind, w.String(), issue.Text)
		}
		for _, e := range slices.Concat(w.events, w.calledOff) {
			for _, warning := range e.warnings {
				if m.Log != nil {
					m.Log.Warn(warning, "user", string(m.User), "uid", e.id.UID)
				}
			}
		}
	}
}

// message is a message that would have made the user's records what they are to be.
type message struct {
	method string
	events []*vevent
	// everybody says that everybody's attendance is called off, which is so without
	// attendees (RFC 5546 section 3.2.5).
	everybody bool
}

// messages returns the messages for events: all are published, those in which the user has
// no part are answered so, and what is called off is cancelled then.
func (m *Import) messages(events []*vevent) []message {
	if len(events) == 0 {
		return nil
	}
	messages := []message{{method: "PUBLISH", events: events}}
	absent := make(map[string]bool)
	for _, e := range events {
		if organizer, _ := e.object.Organizer(); !organizer.Is(m.User) && m.answered(e) && !itip.TakesPart(e.object, m.User) {
			absent[e.id.UID] = true
		}
	}
	if len(absent) > 0 {
		// Who publishes an event has it in their free/busy, whatever it says of them.
		replies := slices.DeleteFunc(slices.Clone(events), func(e *vevent) bool { return !absent[e.id.UID] || !m.answered(e) })
		messages = append(messages, message{method: "REPLY", events: replies})
	}
	// Occurrences first: against the cancellation of their event theirs may be an old one.
	for _, e := range slices.Backward(events) {
		if e.cancelled() {
			messages = append(messages, message{"CANCEL", []*vevent{e}, true})
		}
	}
	// That takes the occurrences as well, of which some take place all the same.
	return append(messages, m.messages(takingPlace(events))...)
}

// takingPlace returns the occurrences that are not called off, although their event is: what a
// changed occurrence has stands in place of what its event has, its STATUS included (RFC 5545
// section 3.8.4.4). Those that are older than the cancellation of their event are overtaken by it
// (RFC 5546 section 2.1.5), which whoever handles them knows.
func takingPlace(events []*vevent) []*vevent {
	off := make(map[string]bool)
	for _, e := range events {
		off[e.id.UID] = off[e.id.UID] || e.cancelled() && e.id.RecurrenceID == ""
	}
	var taking []*vevent
	for _, e := range events {
		if e.id.RecurrenceID != "" && !e.cancelled() && off[e.id.UID] {
			taking = append(taking, e)
		}
	}
	return taking
}

// overtaken notes which occurrences are called off with their event, because its cancellation is
// newer.
func (w *wholeEvent) overtaken() {
	if len(w.events) == 0 || w.events[0].id.RecurrenceID != "" {
		return
	}
	for _, e := range takingPlace(w.events) {
		if e.object.OlderThan(w.events[0].object, true) {
			w.issues = append(w.issues, migrate.Issue{Kind: migrate.Unstorable, Text: fmt.Sprintf("the occurrence %s is cancelled with its event: it is older than the cancellation", e.id.RecurrenceID)})
		}
	}
}

// answered reports whether an event tells what the user has answered, or that they have not.
func (m *Import) answered(e *vevent) bool {
	attendee, ok := itip.Attendee(e.object, m.User)
	return ok && attendee.PartStat() != ""
}
