// Package zones finds the time zone that a calendar means by a TZID, and places
// local times in it.
//
// A TZID (RFC 5545 section 3.8.3.1) is a name that the sender chose, explained
// by a VTIMEZONE in the same message. In practice it is an IANA name, a name of
// Windows, an IANA name behind a prefix, or the sender's own invention. The
// store keeps no VTIMEZONE, so every TZID has to become the name of an IANA zone,
// which [Resolver] does. Zone data is the system's, and where that is missing or
// lacks a zone, the data compiled into the program.
package zones

import (
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // for systems without zone data of their own
)

//go:generate go run gen.go

// loaded keeps the zones read so far, by name: a store's objects name the same
// few zones again and again, and reading one parses a file.
var loaded sync.Map // string → *time.Location

// Load returns the IANA zone of that name, spelled as the IANA spells it. Names
// are never taken as paths; "Local" and the empty name are no zones.
func Load(name string) (*time.Location, error) {
	if known, ok := loaded.Load(name); ok {
		return known.(*time.Location), nil
	}
	if !plainName(name) {
		return nil, fmt.Errorf("zone %q is not the name of an IANA time zone", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("cannot load zone %q: %w", name, err)
	}
	loaded.Store(name, loc)
	return loc, nil
}

// plainName tells whether name has the form of an IANA zone name: elements of
// letters, digits, '_', '-' and '+' between slashes, of which the first begins
// with a capital letter. That excludes the empty name, whatever climbs out of
// the zone directory, and its trees "posix" and "right" (which counts leap
// seconds).
func plainName(name string) bool {
	if len(name) > 64 || name == "Local" {
		return false
	}
	for i, element := range strings.Split(name, "/") {
		if element == "" || i == 0 && (element[0] < 'A' || element[0] > 'Z') {
			return false
		}
		for _, c := range []byte(element) {
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '+':
			default:
				return false
			}
		}
	}
	return true
}

// widest is more than any zone has ever been off UTC (Manila and Juneau were
// within sixteen hours of it).
const widest = 18 * time.Hour

// Place returns the instant, in loc, at which clocks in loc show the date and
// time that local shows in UTC. A time that clocks skip is read with the offset
// in force before the gap, and of a time that comes twice the first is meant
// (RFC 5545 section 3.3.5). time.Date promises neither.
//
// DEVIATION: times-that-come-twice
// DEVIATION: summer-time-after-2037
func Place(local time.Time, loc *time.Location) time.Time {
	local = local.UTC()
	if loc == time.UTC {
		return local
	}
	// Walk through the zone's offsets from before any reading of local can be.
	// The first reading that falls within the time its offset is in force is the
	// answer; the last one that came too late answers for a gap.
	at := local.Add(-widest).In(loc)
	for {
		_, offset := at.Zone()
		reading := local.Add(-time.Duration(offset) * time.Second)
		_, end := at.ZoneBounds()
		if end.IsZero() || reading.Before(end) {
			return reading.In(loc)
		}
		_, next := end.Zone()
		if local.Add(-time.Duration(next) * time.Second).Before(end) {
			return reading.In(loc) // in the gap at end
		}
		at = end
	}
}
