package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Import says what is taken into a user's records.
type Import struct {
	User calendar.URI
	// Publish handles a message of the user's that has a calendar of that method, as if the
	// user had sent it. It returns why it took parts of it not.
	Publish func(ctx context.Context, method string, calendar []byte) (reasons []string, err error)
	// Progress is called with how many files are done, or if there is one only, how many
	// events of it; nil: never.
	Progress func(done, total int)
}

// Imported is what was taken.
type Imported struct {
	Files, Events int // events whole, with their changed occurrences
	Result            // issues: what was not taken
}

// maxFile is how large a calendar file can be, in octets.
const maxFile = 1 << 30

// Run takes the calendar files at a path in: a file, or a directory with files and vdirs.
func (m *Import) Run(ctx context.Context, path string) (*Imported, error) {
	done := &Imported{Result: Result{Users: 1}}
	paths, err := calendarFiles(path)
	if err != nil {
		return done, err
	}
	for _, path := range paths {
		progress := m.Progress
		if progress == nil {
			progress = func(int, int) {}
		}
		if len(paths) > 1 {
			progress(done.Files, len(paths))
			progress = func(int, int) {}
		}
		done.Files++
		if err := m.file(ctx, path, done, progress); err != nil {
			return done, err
		}
	}
	return done, nil
}

// calendarFiles lists the calendar files at a path, in order.
func calendarFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrNoSource, err)
	} else if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var paths []string
	err = filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		// Hidden files are programs' own, and left-overs.
		if err == nil && e.Type().IsRegular() && strings.EqualFold(filepath.Ext(path), ".ics") && !strings.HasPrefix(e.Name(), ".") {
			paths = append(paths, path)
		}
		return err
	})
	slices.Sort(paths)
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s has no calendar files: %w", path, ErrNoSource)
	}
	return paths, err
}

// file takes a calendar file in, event by event.
func (m *Import) file(ctx context.Context, path string, done *Imported, progress func(done, total int)) error {
	issue := func(kind Kind, item, text string) {
		done.note(Issue{Kind: kind, Part: storePart, User: m.User, Item: item, Text: text})
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("it is larger than %d octets", maxFile)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		issue(Damaged, path, err.Error())
		return nil
	}
	parsed := split(string(data))
	for _, text := range parsed.problems {
		issue(Damaged, path, text)
	}
	for name, n := range parsed.others {
		issue(Unstorable, path, fmt.Sprintf("%d %s: only VEVENT is kept", n, name))
	}
	taken := 0
	for uids := range slices.Chunk(parsed.uids, together) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		progress(taken, len(parsed.uids))
		taken += len(uids)
		done.Events += len(uids)
		whole, err := m.publishTogether(ctx, parsed, uids)
		switch {
		case err != nil:
			return err
		case whole:
			continue
		}
		for _, uid := range uids {
			err := m.publish(ctx, parsed.messages(uid), func(kind Kind, text string) { issue(kind, fmt.Sprintf("event %q in %s", uid, path), text) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// together is how many events are published at once, which takes a tenth of the time.
const together = 64

// publishTogether takes several events in, and reports whether it took all of all of them.
// If not, it cannot tell of which, and what it took does no harm when it is taken in again.
func (m *Import) publishTogether(ctx context.Context, parsed *calendarFile, uids []string) (whole bool, err error) {
	var events []vevent
	var cancels []outgoing
	for _, uid := range uids {
		messages := parsed.messages(uid)
		cancels = append(cancels, messages[1:]...)
		events = append(events, parsed.inOrder(uid)...)
	}
	failed := false
	note := func(Kind, string) { failed = true }
	if err := m.publish(ctx, append([]outgoing{parsed.message("PUBLISH", events)}, cancels...), note); err != nil {
		return false, err
	}
	return !failed, nil
}

// publish hands messages in, one after the other, and notes what was not taken. An error says
// that there is no point in going on.
func (m *Import) publish(ctx context.Context, messages []outgoing, note func(Kind, string)) error {
	for _, message := range messages {
		reasons, err := m.Publish(ctx, message.method, fold(message.lines))
		switch {
		case errors.Is(err, stores.ErrAway), errors.Is(err, stores.ErrLocked), ctx.Err() != nil && err != nil:
			return err
		case err != nil:
			note(Failed, err.Error())
		}
		for _, reason := range reasons {
			note(Unstorable, reason)
		}
	}
	return nil
}

// vevent is an event in a calendar file.
type vevent struct {
	lines      []string
	zones      []string // TZIDs in it
	recurrence bool
	cancelled  bool
}

// calendarFile is a file taken apart.
type calendarFile struct {
	uids     []string // in order of appearance
	events   map[string][]vevent
	zones    map[string][]string // VTIMEZONE by TZID
	others   map[string]int      // components that are not kept, by name
	problems []string
}

// split takes a calendar file apart. It reads past what it does not understand.
func split(text string) *calendarFile {
	f := &calendarFile{events: make(map[string][]vevent), zones: make(map[string][]string), others: make(map[string]int)}
	text = strings.TrimPrefix(text, "\uFEFF")
	var stack []string
	var current []string // lines of the component at depth 2
	calendars := 0
	for _, line := range unfold(text) {
		l := parseLine(line)
		name := strings.ToUpper(strings.TrimSpace(l.value))
		switch {
		case l.name == "BEGIN":
			if name == "VCALENDAR" {
				if len(stack) > 0 {
					f.problems = append(f.problems, "a calendar ends half-way: "+strings.Join(stack, ", "))
				}
				calendars++
				stack, current = nil, nil
			}
			stack = append(stack, name)
			if len(stack) == 2 {
				current = nil
			}
		case l.name == "END" && len(stack) > 0 && stack[len(stack)-1] == name:
			stack = stack[:len(stack)-1]
			if len(stack) == 1 {
				f.add(name, append(current, line))
				current = nil
				continue
			}
		case l.name == "END":
			f.problems = append(f.problems, fmt.Sprintf("END:%.30q where there is no such component", name))
			continue
		}
		if len(stack) >= 2 {
			current = append(current, line)
		}
	}
	switch {
	case calendars == 0:
		f.problems = append(f.problems, "it is no calendar: there is no BEGIN:VCALENDAR")
	case len(stack) > 0:
		f.problems = append(f.problems, "it ends half-way: "+strings.Join(stack, ", "))
	}
	return f
}

// serverParams are parameters that tell a server how to send messages; they mean nothing
// in a store (RFC 6638 section 7).
var serverParams = []string{"SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"}

// add adds a component.
func (f *calendarFile) add(name string, lines []string) {
	switch name {
	case "VTIMEZONE":
		for _, line := range lines {
			if l := parseLine(line); l.name == "TZID" {
				f.zones[l.value] = lines
				return
			}
		}
	case "VEVENT":
		var e vevent
		uid, depth := "", 0
		for _, line := range lines {
			l := parseLine(line)
			switch {
			case l.name == "BEGIN":
				depth++
			case l.name == "END":
				depth--
			case depth != 1:
			case l.name == "UID":
				uid = l.value
			case l.name == "RECURRENCE-ID":
				e.recurrence = true
			case l.name == "STATUS":
				e.cancelled = strings.EqualFold(strings.TrimSpace(l.value), "CANCELLED")
			case l.name == "ORGANIZER", l.name == "ATTENDEE":
				line = l.without(serverParams...).String()
			}
			if zone := l.param("TZID"); zone != "" {
				e.zones = append(e.zones, zone)
			}
			e.lines = append(e.lines, line)
		}
		if uid == "" {
			f.problems = append(f.problems, "an event without UID")
			return
		}
		if f.events[uid] == nil {
			f.uids = append(f.uids, uid)
		}
		f.events[uid] = append(f.events[uid], e)
	default:
		f.others[name]++
	}
}

// outgoing is a message that would have made the user's records what they are to be.
type outgoing struct {
	method string
	lines  []string
}

// messages returns the messages for an event: all of it is published, and what is called
// off is cancelled then.
func (f *calendarFile) messages(uid string) []outgoing {
	events := f.inOrder(uid)
	messages := []outgoing{f.message("PUBLISH", events)}
	for _, e := range events {
		if !e.cancelled {
			continue
		}
		// Without attendees, everybody's attendance is called off (RFC 5546 section 3.2.5).
		e.lines = slices.DeleteFunc(slices.Clone(e.lines), func(line string) bool { return parseLine(line).name == "ATTENDEE" })
		messages = append(messages, f.message("CANCEL", []vevent{e}))
	}
	return messages
}

// inOrder returns the whole event before its changed occurrences.
func (f *calendarFile) inOrder(uid string) []vevent {
	events := slices.Clone(f.events[uid])
	slices.SortStableFunc(events, func(a, b vevent) int { return boolOrder(a.recurrence, b.recurrence) })
	return events
}

func (f *calendarFile) message(method string, events []vevent) outgoing {
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//imip-agent//NONSGML imip-agent//EN", "METHOD:" + method}
	var zones []string
	for _, e := range events {
		zones = append(zones, e.zones...)
	}
	slices.Sort(zones)
	for _, zone := range slices.Compact(zones) {
		lines = append(lines, f.zones[zone]...)
	}
	for _, e := range events {
		lines = append(lines, e.lines...)
	}
	return outgoing{method, append(lines, "END:VCALENDAR")}
}
