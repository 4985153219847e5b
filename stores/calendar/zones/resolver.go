package zones

import (
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// Resolver finds the IANA zones that the TZIDs of one calendar mean. It is for
// one goroutine.
type Resolver struct {
	defined  map[string]*ical.Component // the calendar's VTIMEZONEs, by clean TZID
	resolved map[string]*resolution     // TZIDs seen so far
	matches  int                        // VTIMEZONEs that had to be held against the zones
}

// maxMatches is how many VTIMEZONEs of a calendar are held against the zones,
// which takes its time. No event is in more invented zones than that.
const maxMatches = 20

// maxNames is how many names of a calendar are looked into. Beyond that, only names
// spelled as by the IANA or Windows are known.
const maxNames = 2000

// NewResolver returns a resolver for a calendar that has these VTIMEZONE
// components (RFC 5545 section 3.6.5). They may be malformed. Of several for
// one TZID the first counts.
func NewResolver(vtimezones []*ical.Component) *Resolver {
	r := &Resolver{defined: map[string]*ical.Component{}, resolved: map[string]*resolution{}}
	for _, component := range vtimezones {
		if component == nil {
			continue
		}
		for _, prop := range component.Props[ical.PropTimezoneID] {
			if key := strings.ToLower(clean(prop.Value)); r.defined[key] == nil {
				r.defined[key] = component
			}
		}
	}
	return r
}

// Zone is what a TZID means.
type Zone struct {
	IANA  string // the IANA's name of the zone; "" if there is none
	Guess string // on what it is a guess, if it is one

	described *definition
}

// Described tells whether no zone is the one that is meant, but a VTIMEZONE says what
// its offsets are: see [Zone.Place].
func (z Zone) Described() bool { return z.IANA == "" && z.described != nil }

// Place returns the instant at which clocks in a described zone show the date and time
// that local shows in UTC, as the function [Place] does it.
func (z Zone) Place(local time.Time) time.Time {
	return time.Unix(z.described.place(local.Unix()), 0).UTC()
}

// resolution is what is known of a TZID, whenever it is used.
type resolution struct {
	zone    Zone
	choices *candidates // the zone depends on when it is used
}

// Resolve returns the IANA name of the zone that tzid means, and whether there
// is one, whenever it is used.
func (r *Resolver) Resolve(tzid string) (iana string, ok bool) {
	zone := r.Find(tzid, Use{})
	return zone.IANA, zone.IANA != ""
}

// Find returns the zone that tzid means when it is used. An IANA name, links
// included, stands for itself, whatever the calendar's VTIMEZONE of that name
// says, and so does a name of Windows. Other names are looked for by what their
// VTIMEZONE says: it is a zone that has these offsets when it is used, or none. If
// there is no VTIMEZONE, they are tried as names that Windows shows, in its
// languages, and then by what can be guessed from a place or an offset in the name.
func (r *Resolver) Find(tzid string, use Use) Zone {
	known, seen := r.resolved[tzid]
	if !seen {
		if len(r.resolved) == maxNames {
			iana, _ := spelled(tzid)
			return Zone{IANA: iana}
		}
		name := clean(tzid)
		component := r.defined[strings.ToLower(name)]
		if component == nil {
			// VTIMEZONEs of one name and several versions are told apart by number.
			component = r.defined[strings.ToLower(unnumbered(name))]
		}
		known = r.resolve(name, component)
		r.resolved[tzid] = known
	}
	zone := known.zone
	if known.choices != nil {
		if iana, ok := known.choices.choose(use); ok {
			zone = Zone{IANA: iana}
		}
	}
	if old := renamed[zone.IANA]; old != "" {
		zone.IANA = old
	}
	return zone
}

// longest is more octets than any name of a zone has.
const longest = 200

// resolve looks for the zone of a clean name, and of its VTIMEZONE, if there is one.
func (r *Resolver) resolve(name string, component *ical.Component) *resolution {
	if len(name) > longest {
		if component == nil {
			return &resolution{}
		}
		name = "" // it is the VTIMEZONE's, that is all
	}
	if iana, ok := byName(name); ok {
		return &resolution{zone: Zone{IANA: iana}}
	}
	lost := []int(nil)
	if component != nil {
		for _, hint := range []string{"X-LIC-LOCATION", "TZURL"} {
			for _, prop := range component.Props[hint] {
				if iana, ok := byName(strings.TrimSuffix(clean(prop.Value), ".ics")); ok {
					return &resolution{zone: Zone{IANA: iana}}
				}
			}
		}
		if r.matches++; r.matches <= maxMatches {
			if c := newCandidates(component); c != nil && c.d != nil {
				return &resolution{zone: Zone{described: c.d}, choices: c}
			} else if c != nil {
				lost = c.lost
			}
		}
	}
	zone := guess(name)
	if lost != nil && (zone.IANA == "" || zone.Guess != "") {
		if iana, ok := byOffsets(lost); ok {
			zone = Zone{IANA: iana, Guess: "its two offsets, as nothing says when each of them holds"}
		}
	}
	return &resolution{zone: zone}
}

// guess looks for a zone by what a name says beside being one.
func guess(name string) Zone {
	if bare := unnumbered(name); bare != name {
		if iana, ok := byName(bare); ok {
			return Zone{IANA: iana}
		}
	}
	offset, rest := cutOffset(name)
	if iana, ok := names().byPlace(rest); ok {
		return Zone{IANA: iana}
	}
	if offset != "" {
		if iana, ok := byRegion(offset, rest); ok {
			return Zone{IANA: iana}
		}
		if iana, ok := byOffset(offset); ok {
			zone := Zone{IANA: iana}
			if rest != "" {
				zone.Guess = "the offset in its name"
			}
			return zone
		}
	}
	return Zone{}
}

// byName returns the zone that goes by the name: the IANA's, one of Windows, or
// either behind a prefix, as of libical ("/freeassociation.sourceforge.net/
// Tzfile/Europe/Oslo"), Mozilla ("/mozilla.org/20050126_1/Europe/Oslo") or
// Microsoft ("tzone://Microsoft/Utc").
func byName(name string) (string, bool) {
	if iana, ok := spelled(name); ok {
		return iana, true
	}
	return names().byName(name)
}

// byName is byName for names in any spelling.
func (x *index) byName(name string) (string, bool) {
	for rest, more := name, true; more; _, rest, more = strings.Cut(rest, "/") {
		// libical's older zones end in a version of their own before the name:
		// "/softwarestudio.org/Olson_20011030_5/America/New_York".
		rest = strings.TrimLeft(rest, "/")
		if iana, ok := x.byIANA(rest); ok {
			return iana, true
		}
		if iana := abbreviations[strings.ToLower(rest)]; iana != "" {
			return iana, true
		}
	}
	if iana, ok := x.byWindows(name); ok {
		return iana, true
	}
	if offset, rest := cutOffset(name); offset != "" && rest != "" {
		if iana, ok := x.byIANA(rest); ok { // "(GMT+01:00) Europe/Oslo"
			return iana, true
		}
		return x.byWindows(rest)
	}
	return "", false
}

// clean strips a TZID of what does not belong to the name: white space, quotes
// that a program took for part of it, and the escapes of TEXT (RFC 5545 section
// 3.3.11), which a property value has and a parameter value must not.
func clean(tzid string) string {
	tzid = strings.Trim(strings.TrimSpace(tzid), "\"' \t")
	tzid = strings.ReplaceAll(tzid, `\`, "")
	return strings.Join(strings.Fields(tzid), " ")
}
