package preferences

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/calendar/zones"
	"imip-agent/stores/durable"
)

// Dir is the directory of all users' preferences. It is only read: what is not
// there is not made.
type Dir struct {
	Path     string
	Defaults Defaults
	// SystemZone is the IANA name of the system's time zone, as [SystemZone] finds
	// it; empty or unknown: UTC.
	SystemZone string

	names names
}

// Load reads a user's preferences. Settings, users and a whole directory that
// are not there have the defaults; a file that is there and cannot be read is a
// temporary error, since to go on would be to disregard what the user wants.
func (d *Dir) Load(user calendar.URI) (Preferences, error) {
	if reason := unfit(string(user)); reason != "" {
		return Preferences{}, &stores.UnstorableError{What: "user", Value: string(user), Reason: reason}
	}
	l := &loader{}
	if l.dir, l.err = d.of(user); l.err == nil {
		l.list()
	}
	return d.load(l)
}

// Default returns the preferences of a user who has set none.
func (d *Dir) Default() Preferences {
	p, _ := d.load(&loader{listed: true}) // nothing is read
	return p
}

func (d *Dir) load(l *loader) (Preferences, error) {
	p := Preferences{
		CommonName: l.text("CN", ""),
		Language:   l.text("LANG", d.Defaults.Language),
		Absent:     choose(l, "participating", d.Defaults.Participating, map[string]bool{"no": true}),
		Sharing:    choose(l, "freebusy_sharing", d.Defaults.Sharing, map[string]bool{"share": true}),
		Publishing: choose(l, "freebusy_publishing", d.Defaults.Publishing, map[string]bool{"publish": true}),
		Bundling:   choose(l, "freebusy_bundling", d.Defaults.Bundling, map[string]bool{"always": true}),
		Notifying:  choose(l, "freebusy_messages", d.Defaults.Notifying, map[string]bool{"notify": true}),
		Refreshing: choose(l, "event_refreshing", d.Defaults.Refreshing, map[string]bool{"always": true}),
		Incoming: choose(l, "incoming", d.Defaults.Incoming, map[string]Incoming{
			"message-only": MessageOnly, "message-then-summary": MessageThenSummary,
			"summary-then-message": SummaryThenMessage, "summary-only": SummaryOnly,
		}),
		// An unknown word counts as the last one: nothing is done, nobody may.
		AddResponse: choose(l, "add_method_response", d.Defaults.AddResponse, map[string]AddResponse{
			"refresh": AskForAll, "": AskForAll, "add": TakeOver, unknown: PassOver,
		}),
		Replacement: choose(l, "organiser_replacement", d.Defaults.Replacement, map[string]Replacement{
			"attendee": AttendeeReplaces, "": AttendeeReplaces, "any": AnybodyReplaces, unknown: NobodyReplaces,
		}),
		WindowSize:         l.windowSize(),
		PermittedTimes:     l.permittedTimes(),
		SchedulingFunction: l.text("scheduling_function", ""),
		ACL:                l.text("acl", ""),
	}
	l.zone(&p, d.SystemZone)
	l.offers(&p, d.Defaults.Offers)
	p.Warnings = l.warnings
	if l.err != nil {
		return Preferences{}, l.err
	}
	return p, nil
}

// unfit says why a name cannot be that of a user's directory, or "".
func unfit(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case name == "." || name == "..":
		return "it means another directory"
	case strings.Contains(name, "/"):
		return "it has a slash in it"
	case len(name) > 255:
		return "it is longer than 255 octets"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "it has control characters in it"
	}
	return ""
}

// loader reads the settings of one user. The first error stops it.
type loader struct {
	dir      string
	listed   bool     // files is what dir has; else nobody knows
	files    []string // most users have few settings, or none
	warnings []string
	err      error
}

// maxFiles is how many files of a user's directory are listed. More are no settings.
const maxFiles = 100

// list finds out which settings there are, where the directory can be listed.
func (l *loader) list() {
	dir, err := os.Open(l.dir)
	switch {
	case err == nil:
		defer dir.Close()
		l.files, err = dir.Readdirnames(maxFiles)
		l.listed = (err == nil || err == io.EOF) && len(l.files) < maxFiles
	case errors.Is(err, fs.ErrNotExist):
		l.listed = true
	}
}

func (l *loader) warn(name string, problem error, taken string) {
	l.warnings = append(l.warnings, fmt.Sprintf("preference %s: %v; used instead: %s", name, problem, taken))
}

// MaxFile is how long a setting's file can be, in octets. Access control lists can be long.
const MaxFile = 1 << 20

var errLong = fmt.Errorf("it is longer than %d octets: shorten it", MaxFile)

// get returns a setting's value, and whether it is set.
func (l *loader) get(name string) (value string, set bool) {
	if l.err != nil || l.listed && !slices.Contains(l.files, name) {
		return "", false
	}
	data, err := ReadFile(filepath.Join(l.dir, name))
	switch {
	case err == nil:
		return strings.TrimSpace(string(data)), true
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
	case errors.Is(err, errLong) && name != "scheduling_function" && name != "acl": // without these, a resource would accept more
		l.warn(name, errLong, "what counts without it")
	case errors.Is(err, fs.ErrPermission):
		l.err = fmt.Errorf("read a preference: %w; give %s access to it and to its directory", err, durable.Who())
	default:
		l.err = fmt.Errorf("read a preference: %w", err)
	}
	return "", false
}

// ReadFile reads a setting's file, or a file that a setting names, to its end. It fails if that is no file, or
// longer than any setting.
func ReadFile(path string) ([]byte, error) {
	// A pipe in the place of the file must not keep the mail waiting.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("it is not a file: move it away")}
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err == nil && len(data) > MaxFile {
		err = &fs.PathError{Op: "read", Path: path, Err: errLong}
	}
	return data, err
}

// unknown is the key, among what words mean, of any other word.
const unknown = "*"

// choose returns what the word means that is set for a setting, or else by default. A word
// without a meaning has that of unknown, or else the zero value, and is warned of.
func choose[T any](l *loader, name, byDefault string, means map[string]T) T {
	word, set := l.get(name)
	if !set {
		word = byDefault
	} else if err := Check(name, word); err != nil {
		l.warn(name, err, "the preference counts as "+l.fallback(name))
	}
	if meaning, ok := means[word]; ok && (word != "" || !set) {
		return meaning
	}
	return means[unknown]
}

// fallback returns the word that a word which means nothing counts as.
func (l *loader) fallback(name string) string { return fallbacks[name] }

// text returns a setting that is any text.
func (l *loader) text(name, byDefault string) string {
	value, set := l.get(name)
	if !set || value == "" && name == "LANG" {
		return byDefault
	}
	if err := Check(name, value); err != nil && name != "scheduling_function" && name != "acl" {
		l.warn(name, err, "the default")
		return byDefault
	}
	return value
}

// permittedTimes returns the times at which events may begin and end. All may if the
// setting cannot be read: so the original, observed.
func (l *loader) permittedTimes() Times {
	value, set := l.get("permitted_times")
	if !set || value == "" {
		return Times{}
	}
	times, err := ParseTimes(value)
	if err != nil {
		l.warn("permitted_times", err, "all times are permitted")
	}
	return times
}

func (l *loader) windowSize() int {
	value, set := l.get("window_size")
	if !set {
		return DefaultWindowSize
	}
	if err := window(value); err != nil {
		// DEVIATION: window-size-out-of-range. The original's window ends before it
		// begins for a negative number, and beyond the calendar for a huge one.
		l.warn("window_size", err, strconv.Itoa(DefaultWindowSize))
		return DefaultWindowSize
	}
	days, _ := strconv.Atoi(value) // window accepts only what Atoi reads
	return days
}

func (l *loader) zone(p *Preferences, system string) {
	loc, err := zones.Load(system)
	if p.TZID, p.Zone = system, loc; err != nil {
		loc, _ = zones.Load("UTC") // the program brings it along
		p.TZID, p.Zone = "UTC", loc
	}
	value, set := l.get("TZID")
	if !set || value == "" {
		return
	}
	if err := zone(value); err != nil {
		// DEVIATION: invalid-tzid-preference. The original takes UTC.
		l.warn("TZID", err, p.TZID)
		return
	}
	if loc, err := zones.Load(value); err == nil {
		p.TZID, p.Zone = value, loc
	}
}

func (l *loader) offers(p *Preferences, byDefault string) {
	value, set := l.get("freebusy_offers")
	if !set {
		value = byDefault
	}
	if value == "" {
		return
	}
	length, err := ParseDuration(value)
	if err != nil {
		l.warn("freebusy_offers", fmt.Errorf("%.60q: %w", value, err), "none, offers are not recorded")
		return
	}
	p.Offers = length
}
