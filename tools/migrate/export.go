package migrate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Export says how users' events are written for other calendar software.
type Export struct {
	Form  string         // "ics": one calendar a user; "vdir": one file an event, in a directory for each user
	Dir   string         // where to; empty: to Out
	Out   io.Writer      // for the form "ics"
	Users []calendar.URI // none: everybody
	// NoInvite marks organizers and attendees so that servers into which this is imported
	// do not send invitations (RFC 6638 section 7.1).
	NoInvite bool
	// Overwrite allows writing where there are other calendar files. Delete removes those of
	// events and users that are no more: what an export wrote, and with Overwrite also what
	// others have put among a user's events.
	Overwrite, Delete bool
	// Name returns how a user's calendar is called; empty: by the address.
	Name func(calendar.URI) string
	// Zone returns a user's zone, for dates and times without one; nil: UTC.
	Zone func(calendar.URI) *time.Location
	Now  time.Time
	// Progress is called with how many users are done; nil: never.
	Progress func(done, total int)
}

// Exported is what was written.
type Exported struct {
	Events int // whole events, with their changed occurrences
	Result
}

// Run writes the events of a store's users.
func (x *Export) Run(ctx context.Context, from stores.Store) (*Exported, error) {
	done := new(Exported)
	users, err := names(ctx, from)
	if err != nil {
		return done, noSource(err)
	}
	if x.Delete && x.Dir != "" && len(x.Users) == 0 {
		if err := x.forgetOthers(users); err != nil {
			done.note(Issue{Kind: Failed, Part: storePart, Text: err.Error()})
		}
	}
	if len(x.Users) > 0 {
		for _, user := range x.Users {
			if !slices.Contains(users, user) {
				done.note(Issue{Kind: Unknown, Part: storePart, User: user, Text: "the store has nothing of that user"})
			}
		}
		users = slices.DeleteFunc(users, func(user calendar.URI) bool { return !slices.Contains(x.Users, user) })
	}
	for _, user := range users {
		if x.Progress != nil {
			x.Progress(done.Users, len(users))
		}
		done.Users++
		err := x.user(ctx, from, user, done)
		switch {
		case errors.Is(err, stores.ErrAway), ctx.Err() != nil:
			return done, err
		case errors.Is(err, errNotEmpty):
			done.note(Issue{Kind: Conflict, Part: storePart, User: user, Text: err.Error()})
		case errors.Is(err, stores.ErrLocked):
			done.note(Issue{Kind: Locked, Part: storePart, User: user, Text: err.Error()})
		case err != nil:
			done.note(Issue{Kind: Failed, Part: storePart, User: user, Text: err.Error()})
		}
	}
	if len(x.Users) > 0 && done.Users == 0 {
		return done, fmt.Errorf("the store has nothing of the users who were named: %w", ErrNoSource)
	}
	return done, nil
}

// component is a stored event as it is exported.
type component struct {
	id        stores.ID
	cancelled bool
	lines     []string // VEVENT
	recurs    bool     // has occurrences to be taken out by EXDATE
	object    *calendar.Object
}

// user writes a user's events.
func (x *Export) user(ctx context.Context, from stores.Store, user calendar.URI, done *Exported) error {
	byUID := make(map[string][]component)
	var keep []string // files of events that cannot be exported, but are not gone
	issue := func(id stores.ID, text string) {
		item := key{kind: event, uid: id.UID, recurrenceID: id.RecurrenceID}
		done.note(Issue{Kind: Damaged, Part: storePart, User: user, Item: item.String(), Text: text})
		keep = append(keep, itemName(id.UID))
	}
	type unread struct {
		id  stores.ID
		err error
	}
	var unreadable []unread
	err := from.View(ctx, user, func(tx stores.Tx) error {
		clear(byUID) // a try before this one counts for nothing
		unreadable = nil
		for k, err := range tx.Keys() {
			if err != nil {
				return err
			}
			if k.Part == stores.Countered {
				continue // somebody else's proposal is no event of the user's
			}
			content, err := tx.Get(k)
			if err != nil {
				return err
			}
			object, err := calendar.DecodeObject(content)
			if err != nil {
				unreadable = append(unreadable, unread{k.ID, err})
				continue
			}
			byUID[k.UID] = append(byUID[k.UID], component{
				id: k.ID, cancelled: k.Part == stores.Cancelled, lines: unfold(string(object.Encode())),
				recurs: object.Has("RRULE") || object.Has("RDATE"), object: object,
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, u := range unreadable {
		issue(u.id, u.err.Error())
	}
	uids := make([]string, 0, len(byUID))
	for uid := range byUID {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	files := make(map[string][]byte)
	var all []string
	zones := make(map[string]time.Time)
	zone := time.UTC
	if x.Zone != nil {
		zone = x.Zone(user)
	}
	for _, uid := range uids {
		if x.Form == "vdir" {
			zones = make(map[string]time.Time)
		}
		lines := x.event(byUID[uid], zones, zone, issue)
		if len(lines) == 0 {
			continue
		}
		if x.Form == "vdir" {
			files[itemName(uid)] = fold(x.calendar(lines, zones, ""))
		}
		all = append(all, lines...)
		done.Events++
	}
	name := strings.TrimPrefix(string(user), "mailto:")
	if x.Name != nil && x.Name(user) != "" {
		name = x.Name(user)
	}
	if x.Form == "vdir" {
		files["displayname"] = []byte(name)
		return x.writeDir(filepath.Join(x.Dir, fileName(user)), files, keep)
	}
	path := filepath.Join(x.Dir, fileName(user)+".ics")
	switch {
	case len(all) > 0: // a calendar has at least one component, RFC 5545 section 3.6
	case x.Dir != "" && x.Delete && len(keep) == 0:
		return x.forget(path)
	default:
		return nil
	}
	text := fold(x.calendar(all, zones, name))
	if x.Dir == "" {
		_, err := x.Out.Write(text)
		return err
	}
	if old, err := os.ReadFile(path); err == nil && !bytes.Equal(old, text) && !x.Overwrite {
		return fmt.Errorf("%s: %w", path, errNotEmpty)
	}
	return x.write(path, text)
}

var errNotEmpty = errors.New("there are calendar files already, which --overwrite would replace")

// event returns the components of an event: the whole of it with its changed occurrences,
// and without those that are cancelled. zones takes the zones used, with the earliest time;
// issue takes what cannot be exported; zone is the user's.
func (x *Export) event(components []component, zones map[string]time.Time, zone *time.Location, issue func(stores.ID, string)) []string {
	// An event can be active and cancelled at once; the active one counts.
	slices.SortFunc(components, func(a, b component) int {
		return cmp.Or(cmp.Compare(a.id.RecurrenceID, b.id.RecurrenceID), boolOrder(a.cancelled, b.cancelled))
	})
	components = slices.CompactFunc(components, func(a, b component) bool { return a.id == b.id })
	var parent *component
	if first := &components[0]; first.id.RecurrenceID == "" {
		parent = first
	}
	var excluded, lines []string
	components = slices.DeleteFunc(components, func(c component) bool {
		if c.id.RecurrenceID == "" || !c.cancelled || !parent.exports() || !parent.recurs || parent.cancelled {
			return false
		}
		line, ok := exclusion(parent.object, c.id.RecurrenceID, zone)
		if ok {
			excluded = append(excluded, line.String())
		}
		return ok
	})
	for _, c := range components {
		if !c.exports() {
			issue(c.id, "not exported: it has no "+strings.Join(c.lacks(), " and no "))
			continue
		}
		last := c.endOfProperties()
		switch {
		case c.id.RecurrenceID == "":
			c.lines = slices.Insert(slices.Clone(c.lines), last, excluded...)
		case !c.object.Has("RECURRENCE-ID"): // else it would stand for the whole event
			line := contentLine{name: "RECURRENCE-ID", value: c.id.RecurrenceID}
			if len(line.value) == len(dateForm) {
				line.params = []string{"VALUE=DATE"}
			}
			c.lines = slices.Insert(slices.Clone(c.lines), last, line.String())
		}
		lines = append(lines, x.component(c, zones)...)
	}
	return lines
}

// exports reports whether there is a component that other programs can take.
func (c *component) exports() bool { return c != nil && len(c.lacks()) == 0 }

// endOfProperties returns the line before which properties can be added: alarms come after
// them (RFC 5545 section 3.6.1).
func (c *component) endOfProperties() int {
	for i, line := range c.lines[1:] {
		if name := parseLine(line).name; name == "BEGIN" || name == "END" {
			return i + 1
		}
	}
	return len(c.lines)
}

// lacks returns what a component must have, and has not (RFC 5545 section 3.6.1).
func (c *component) lacks() []string {
	var names []string
	if c.object.UID() == "" {
		names = append(names, "UID")
	}
	if !c.object.HasStart() {
		names = append(names, "DTSTART that can be read")
	}
	return names
}

// The forms of values (RFC 5545 sections 3.3.4 and 3.3.5), of which a time in UTC has a Z.
const (
	dateForm = "20060102"
	timeForm = "20060102T150405"
)

// exclusion returns the EXDATE that takes an occurrence out of an event, for a user in a zone:
// in the form of the event's DTSTART, to which others compare it (RFC 5545 section 3.8.5.1).
func exclusion(of *calendar.Object, recurrenceID string, zone *time.Location) (contentLine, bool) {
	var start contentLine
	for _, line := range unfold(string(of.Encode())) {
		if start = parseLine(line); start.name == "DTSTART" {
			break
		}
	}
	exdate := contentLine{name: "EXDATE", params: start.params}
	own, utc := zone, strings.HasSuffix(start.value, "Z")
	if tzid := start.param("TZID"); utc {
		own = time.UTC
	} else if tzid != "" {
		location, err := time.LoadLocation(tzid)
		if err != nil {
			return exdate, false
		}
		own = location
	}
	_, clock, timed := strings.Cut(start.value, "T")
	if _, err := time.Parse(dateForm, recurrenceID); err == nil { // that day's occurrence
		exdate.value = recurrenceID
		if timed {
			exdate.value += "T" + clock
		}
		return exdate, true
	}
	at, err := calendar.InstantOf(recurrenceID, zone)
	if local, localErr := time.ParseInLocation(timeForm, recurrenceID, own); err == nil && localErr == nil && own != zone {
		// A time without a zone is the user's, unless only the event's own can be meant. The
		// errors are of what would come besides.
		users, _ := of.OccursAt(at, zone)
		events, _ := of.OccursAt(local.UTC(), zone)
		if !users && events {
			at = local
		}
	}
	switch {
	case err != nil:
		return exdate, false
	case !timed:
		exdate.value = at.In(zone).Format(dateForm)
	case utc:
		exdate.value = at.UTC().Format(timeForm) + "Z"
	default:
		exdate.value = at.In(own).Format(timeForm)
	}
	return exdate, true
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// component returns a VEVENT as other programs expect it.
func (x *Export) component(c component, zones map[string]time.Time) []string {
	var lines []string
	depth, end := 0, c.endOfProperties()
	for i, line := range c.lines {
		if i == end {
			if !c.object.Has("DTSTAMP") { // RFC 5545 section 3.6.1: it must be there
				lines = append(lines, "DTSTAMP:"+x.Now.UTC().Format(stamp))
			}
			if c.cancelled {
				lines = append(lines, "STATUS:CANCELLED")
			}
		}
		l := parseLine(line)
		switch {
		case l.name == "BEGIN":
			depth++
		case l.name == "END":
			depth--
		case depth != 1:
		case l.name == "STATUS" && c.cancelled:
			continue
		case l.name == "ORGANIZER", l.name == "ATTENDEE":
			if x.NoInvite {
				l = l.without("SCHEDULE-AGENT")
				l.params = append(l.params, "SCHEDULE-AGENT=CLIENT")
				line = l.String()
			}
		case l.param("TZID") != "":
			line = zoned(l, zones).String()
		}
		lines = append(lines, line)
	}
	return lines
}

// zoned notes the zone of a property. A UTC time has none (RFC 5545 section 3.2.19), and
// what is no zone is left out, so that the time floats.
func zoned(l contentLine, zones map[string]time.Time) contentLine {
	if strings.HasSuffix(l.value, "Z") {
		return l.without("TZID")
	}
	zone := l.param("TZID")
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return l.without("TZID")
	}
	at, err := time.Parse("20060102", l.value[:min(8, len(l.value))])
	if err != nil {
		at = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if earliest, known := zones[zone]; !known || at.Before(earliest) {
		zones[zone] = at
	}
	return l
}

// product is by which what this program wrote is known.
const product = "PRODID:-//imip-agent//NONSGML imip-agent//EN"

// calendar returns a whole VCALENDAR.
func (x *Export) calendar(events []string, zones map[string]time.Time, name string) []string {
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", product}
	if name != "" {
		lines = append(lines, "X-WR-CALNAME:"+strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", " ", "\r", " ").Replace(name))
	}
	names := make([]string, 0, len(zones))
	for zone := range zones {
		names = append(names, zone)
	}
	slices.Sort(names)
	for _, zone := range names {
		if location, err := time.LoadLocation(zone); err == nil {
			lines = append(lines, timezone(location, zones[zone])...)
		}
	}
	return append(append(lines, events...), "END:VCALENDAR")
}

// plainName is a name that every file system and server takes.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_@+=-][A-Za-z0-9_@+=.-]{0,199}$`)

// itemName returns the name of an event's file, the same each time.
func itemName(uid string) string {
	if plainName.MatchString(uid) && !strings.HasSuffix(uid, ".ics") {
		return uid + ".ics"
	}
	sum := sha256.Sum256([]byte(uid))
	return hex.EncodeToString(sum[:16]) + ".ics"
}

// fileName returns how a user's calendar is called as a file: by the address, which only one
// user has, or else by what stands for the URI.
func fileName(user calendar.URI) string {
	name, mailto := strings.CutPrefix(string(user), "mailto:")
	if mailto && plainName.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(user))
	return hex.EncodeToString(sum[:16])
}

// writeDir writes a vdir. Files that are the same already stay untouched, so that programs
// which look at their times see nothing new; those to keep are not deleted.
func (x *Export) writeDir(dir string, files map[string][]byte, keep []string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var gone []string
	for _, e := range entries {
		content, known := files[e.Name()]
		if !strings.HasSuffix(e.Name(), ".ics") {
			continue
		}
		old, err := os.ReadFile(filepath.Join(dir, e.Name()))
		switch {
		case known && (x.Overwrite || err == nil && bytes.Equal(old, content)):
		case !known && slices.Contains(keep, e.Name()):
		case !known && x.Delete && (x.Overwrite || isOurs(old)):
			gone = append(gone, e.Name())
		case !known && x.Overwrite:
		default:
			return fmt.Errorf("%s: %w", dir, errNotEmpty)
		}
	}
	for name, content := range files {
		if old, err := os.ReadFile(filepath.Join(dir, name)); err == nil && bytes.Equal(old, content) {
			continue
		}
		if err := x.write(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	for _, name := range gone {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// isOurs reports whether a calendar file is one that an export wrote.
func isOurs(content []byte) bool { return bytes.Contains(content, []byte("\r\n"+product+"\r\n")) }

// forget removes the calendar of a user without events, if there is one.
func (x *Export) forget(path string) error {
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !x.Overwrite && !isOurs(old):
		return fmt.Errorf("%s: %w", path, errNotEmpty)
	}
	return os.Remove(path)
}

// forgetOthers removes the calendars of users who are not in the store any more. What no
// export wrote stays. Without any users, the store is rather the wrong one.
func (x *Export) forgetOthers(users []calendar.URI) error {
	entries, err := os.ReadDir(x.Dir)
	if len(users) == 0 || errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	have := make(map[string]bool, len(users))
	for _, user := range users {
		have[fileName(user)] = true
	}
	for _, e := range entries {
		path := filepath.Join(x.Dir, e.Name())
		name, calendar := strings.CutSuffix(e.Name(), ".ics")
		var err error
		switch {
		case x.Form == "vdir" && e.IsDir() && !have[e.Name()]:
			err = forgetDir(path)
		case x.Form == "ics" && e.Type().IsRegular() && calendar && !have[name]:
			err = forgetFile(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetFile removes a calendar file that an export wrote.
func forgetFile(path string) error {
	old, err := os.ReadFile(path)
	if err != nil || !isOurs(old) {
		return err
	}
	return os.Remove(path)
}

// forgetDir removes what exports wrote into a vdir, and the vdir if nothing else is in it.
func forgetDir(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "displayname")); errors.Is(err, fs.ErrNotExist) {
		return nil // it is no vdir of ours
	} else if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), ".ics") {
			if err := forgetFile(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if entries, err = os.ReadDir(dir); err != nil || len(entries) != 1 {
		return err
	}
	return errors.Join(os.Remove(filepath.Join(dir, "displayname")), os.Remove(dir))
}

// write writes a file whole, by rename from a name that calendar programs pass over.
func (x *Export) write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails if all went well
	_, err = f.Write(content)
	if chmodErr := f.Chmod(0o644); err == nil {
		err = chmodErr
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
