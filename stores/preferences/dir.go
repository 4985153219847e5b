package preferences

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/calendar/zones"
)

// Dir is the directory of all users' preferences. It is only read: what is not
// there is not made.
type Dir struct {
	Path     string
	Defaults Defaults
	// SystemZone is the IANA name of the system's time zone, as [SystemZone] finds
	// it; empty or unknown: UTC.
	SystemZone string
}

// Load reads a user's preferences. Settings, users and a whole directory that
// are not there have the defaults; a file that is there and cannot be read is a
// temporary error, since to go on would be to disregard what the user wants.
func (d *Dir) Load(user calendar.URI) (Preferences, error) {
	if reason := unfit(string(user)); reason != "" {
		return Preferences{}, &stores.UnstorableError{What: "user", Value: string(user), Reason: reason}
	}
	l := loader{dir: filepath.Join(d.Path, string(user))}
	p := Preferences{
		Participating: l.choice("participating", d.Defaults.Participating, "participate", "no"),
		Sharing:       l.choice("freebusy_sharing", d.Defaults.Sharing, "share", "no"),
		Publishing:    l.choice("freebusy_publishing", d.Defaults.Publishing, "publish", "no"),
		WindowSize:    l.windowSize(),
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
	warnings []string
	err      error
}

func (l *loader) warn(name string, problem error, taken string) {
	l.warnings = append(l.warnings, fmt.Sprintf("preference %s: %v; taken instead: %s", name, problem, taken))
}

// maxValue is how much of a setting's file is read, in octets.
const maxValue = 1 << 16

// get returns a setting's value, and whether it is set.
func (l *loader) get(name string) (value string, set bool) {
	if l.err != nil {
		return "", false
	}
	data, err := read(filepath.Join(l.dir, name))
	switch {
	case err == nil:
		return strings.TrimSpace(string(data)), true
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
	case errors.Is(err, fs.ErrPermission):
		l.err = fmt.Errorf("read a preference: %w; give user %d access to it and to its directory", err, os.Geteuid())
	default:
		l.err = fmt.Errorf("read a preference: %w", err)
	}
	return "", false
}

func read(path string) ([]byte, error) {
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
	return io.ReadAll(io.LimitReader(file, maxValue))
}

// choice returns the value of a setting that is one of several words. Another
// word is kept, for it counts as not being the word that is asked for.
func (l *loader) choice(name, byDefault string, words ...string) string {
	value, set := l.get(name)
	if !set {
		return byDefault
	}
	if err := Check(name, value); err != nil {
		meaning := words[1]
		if name == "participating" { // only "no" keeps a user out
			meaning = words[0]
		}
		l.warn(name, err, meaning)
		return meaning
	}
	return value
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
