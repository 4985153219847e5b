package calendars

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// component is a stored event as it is exported.
type component struct {
	id        stores.ID
	cancelled bool
	object    *calendar.Object
}

// event returns the components of an event: the whole of it with its changed occurrences,
// and without those that are cancelled. issue takes what cannot be exported; zone is the user's.
func (x *Export) event(components []component, zone *time.Location, issue func(stores.ID, string)) []*calendar.Object {
	// An event can be active and cancelled at once; the active one counts.
	slices.SortFunc(components, func(a, b component) int {
		return cmp.Or(cmp.Compare(a.id.RecurrenceID, b.id.RecurrenceID), boolOrder(a.cancelled, b.cancelled))
	})
	components = slices.CompactFunc(components, func(a, b component) bool { return a.id == b.id })
	var parent *component
	if first := components[0]; first.id.RecurrenceID == "" {
		parent = &first
	}
	components = slices.DeleteFunc(components, func(c component) bool {
		if c.id.RecurrenceID == "" || !c.cancelled || !parent.exports() || !parent.object.Recurs() || parent.cancelled {
			return false
		}
		return parent.object.Exclude(c.id.RecurrenceID, zone) == nil
	})
	var objects []*calendar.Object
	for _, c := range components {
		if parent != nil {
			c.object.Align(parent.object, zone)
		}
		if parent != nil && parent.cancelled && c.id.RecurrenceID != "" && c.object.OlderThan(parent.object, true) {
			c.cancelled = true // with its event; a newer one takes place (RFC 5546 section 2.1.5)
		}
		if !c.exports() {
			issue(c.id, "not exported: it has no "+strings.Join(c.lacks(), " and no "))
			continue
		}
		if c.id.RecurrenceID != "" && !c.object.Has("RECURRENCE-ID") { // else it would stand for the whole event
			c.object.SetRecurrenceID(c.id.RecurrenceID)
		}
		x.complete(c)
		objects = append(objects, c.object)
	}
	return objects
}

// exports reports whether there is a component that other programs can take.
func (c *component) exports() bool { return c != nil && len(c.lacks()) == 0 }

// lacks returns what a component must have, and has not (RFC 5545 section 3.6.1).
func (c *component) lacks() []string {
	var names []string
	if c.object.UID() == "" {
		names = append(names, "UID")
	}
	if !c.object.HasStart() {
		names = append(names, "readable DTSTART")
	}
	return names
}

// complete adds what other programs expect of a component.
func (x *Export) complete(c component) {
	if !c.object.Has("DTSTAMP") { // RFC 5545 section 3.6.1: it must be there
		c.object.Set("DTSTAMP", string(calendar.AppendUTC(nil, x.Now)))
	}
	if c.cancelled {
		c.object.Set("STATUS", "CANCELLED")
	}
	if x.NoInvite {
		c.object.SetParam("SCHEDULE-AGENT", "CLIENT", "ORGANIZER", "ATTENDEE")
	}
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

// product is by which what this program wrote is known.
const product = "PRODID:" + calendar.Product
