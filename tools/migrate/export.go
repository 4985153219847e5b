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
	// Overwrite allows writing where there are calendar files; Delete removes those of
	// events that are no more.
	Overwrite, Delete bool
	// Name returns how a user's calendar is called; empty: by the address.
	Name func(calendar.URI) string
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
	if len(x.Users) > 0 {
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
}

// user writes a user's events.
func (x *Export) user(ctx context.Context, from stores.Store, user calendar.URI, done *Exported) error {
	byUID := make(map[string][]component)
	issue := func(k stores.Key, text string) {
		item := key{kind: event, uid: k.UID, recurrenceID: k.RecurrenceID}
		done.note(Issue{Kind: Damaged, Part: storePart, User: user, Item: item.String(), Text: text})
	}
	err := from.View(ctx, user, func(tx stores.Tx) error {
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
				issue(k, err.Error())
				continue
			}
			byUID[k.UID] = append(byUID[k.UID], component{
				id: k.ID, cancelled: k.Part == stores.Cancelled, lines: unfold(string(object.Encode())),
				recurs: object.Has("RRULE") || object.Has("RDATE"),
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	uids := make([]string, 0, len(byUID))
	for uid := range byUID {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	files := make(map[string][]byte)
	var all []string
	zones := make(map[string]time.Time)
	for _, uid := range uids {
		if x.Form == "vdir" {
			zones = make(map[string]time.Time)
		}
		lines := x.event(byUID[uid], zones)
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
		return x.writeDir(filepath.Join(x.Dir, fileName(user)), files)
	}
	if len(all) == 0 {
		return nil // a calendar has at least one component, RFC 5545 section 3.6
	}
	text := fold(x.calendar(all, zones, name))
	if x.Dir == "" {
		_, err := x.Out.Write(text)
		return err
	}
	path := filepath.Join(x.Dir, fileName(user)+".ics")
	if old, err := os.ReadFile(path); err == nil && !bytes.Equal(old, text) && !x.Overwrite {
		return fmt.Errorf("%s: %w", path, errNotEmpty)
	}
	return x.write(path, text)
}

var errNotEmpty = errors.New("there are calendar files already, which --overwrite would replace")

// event returns the components of an event: the whole of it with its changed occurrences,
// and without those that are cancelled. zones takes the zones used, with the earliest time.
func (x *Export) event(components []component, zones map[string]time.Time) []string {
	// An event can be active and cancelled at once; the active one counts.
	slices.SortFunc(components, func(a, b component) int {
		return cmp.Or(cmp.Compare(a.id.RecurrenceID, b.id.RecurrenceID), boolOrder(a.cancelled, b.cancelled))
	})
	components = slices.CompactFunc(components, func(a, b component) bool { return a.id == b.id })
	parent := slices.IndexFunc(components, func(c component) bool { return c.id.RecurrenceID == "" })
	var excluded, lines []string
	for i, c := range components {
		if i == parent || !c.cancelled || parent < 0 || !components[parent].recurs || components[parent].cancelled {
			continue
		}
		for _, line := range c.lines {
			if l := parseLine(line); l.name == "RECURRENCE-ID" {
				l = l.without("RANGE")
				l.name = "EXDATE"
				excluded = append(excluded, l.String())
				components[i].lines = nil
				break
			}
		}
	}
	for i, c := range components {
		if c.lines == nil {
			continue
		}
		if i == parent {
			c.lines = append(c.lines[:len(c.lines)-1:len(c.lines)-1], append(excluded, "END:VEVENT")...)
		}
		lines = append(lines, x.component(c, zones)...)
	}
	return lines
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
	depth, stamped := 0, false
	for _, line := range c.lines {
		l := parseLine(line)
		switch {
		case l.name == "BEGIN":
			depth++
		case l.name == "END":
			if depth--; depth == 0 {
				if !stamped { // RFC 5545 section 3.6.1: it must be there
					lines = append(lines, "DTSTAMP:"+x.Now.UTC().Format(stamp))
				}
				if c.cancelled {
					lines = append(lines, "STATUS:CANCELLED")
				}
			}
		case depth != 1:
		case l.name == "DTSTAMP":
			stamped = true
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

// calendar returns a whole VCALENDAR.
func (x *Export) calendar(events []string, zones map[string]time.Time, name string) []string {
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//imip-agent//NONSGML imip-agent//EN"}
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

// fileName returns how a user's calendar is called as a file.
func fileName(user calendar.URI) string {
	name := strings.TrimPrefix(string(user), "mailto:")
	if plainName.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(user))
	return hex.EncodeToString(sum[:16])
}

// writeDir writes a vdir. Files that are the same already stay untouched, so that programs
// which look at their times see nothing new.
func (x *Export) writeDir(dir string, files map[string][]byte) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".ics") && !x.Overwrite {
			old, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if content, known := files[e.Name()]; err != nil || !known || !bytes.Equal(old, content) {
				return fmt.Errorf("%s: %w", dir, errNotEmpty)
			}
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
	for _, e := range entries {
		if _, known := files[e.Name()]; !known && x.Delete && strings.HasSuffix(e.Name(), ".ics") {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
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
