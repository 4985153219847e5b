package calendar

import (
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-ical"
)

// Attendee is an ATTENDEE of an object (RFC 5545 section 3.8.4.1): an address
// and parameters that say how they take part.
type Attendee struct {
	URI    URI
	params ical.Params // never changed: attendees and properties share them
}

// Attendees returns the attendees in order, those named twice included.
func (o *Object) Attendees() []Attendee {
	props := o.component.Props[ical.PropAttendee]
	attendees := make([]Attendee, 0, len(props))
	for _, prop := range props {
		attendees = append(attendees, Attendee{URI: URI(prop.Value), params: prop.Params})
	}
	return attendees
}

// SetAttendees replaces the attendees.
func (o *Object) SetAttendees(attendees []Attendee) {
	o.Remove(ical.PropAttendee)
	for _, a := range attendees {
		o.component.Props.Add(&ical.Prop{Name: ical.PropAttendee, Params: a.params, Value: string(a.URI)})
	}
}

// PartStat returns the participation status in upper case, "" if there is none.
func (a Attendee) PartStat() string {
	return strings.ToUpper(a.params.Get(ical.ParamParticipationStatus))
}

// SentBy returns who acts for the attendee, "" if nobody does.
func (a Attendee) SentBy() URI {
	return URI(a.params.Get(ical.ParamSentBy))
}

// Rename replaces the addresses of organizer and attendees, and of those whom their parameters
// name, by what name returns for each. It reports whether any is another then.
func (o *Object) Rename(name func(URI) URI) (changed bool) {
	for _, property := range []string{ical.PropOrganizer, ical.PropAttendee} {
		props := o.component.Props[property]
		for i := range props {
			to, renamed := Attendee{URI: URI(props[i].Value), params: props[i].Params}.Renamed(name)
			if renamed {
				props[i].Value, props[i].Params, changed = string(to.URI), to.params, true
			}
		}
	}
	return changed
}

// Renamed returns the attendee with what name returns for each address: their own, that of who acts for
// them (SENT-BY), and those of delegates and delegators. It reports whether any is another then.
func (a Attendee) Renamed(name func(URI) URI) (_ Attendee, changed bool) {
	if to := name(a.URI); to != a.URI {
		a.URI, changed = to, true
	}
	shared := true
	for _, param := range []string{ical.ParamSentBy, ical.ParamDelegatedTo, ical.ParamDelegatedFrom} {
		for i, value := range a.params.Values(param) {
			to := name(URI(value))
			if value == "" || to == URI(value) {
				continue
			}
			if shared {
				a.params, shared = maps.Clone(a.params), false
			}
			values := slices.Clone(a.params[param])
			values[i] = string(to)
			a.params[param], changed = values, true
		}
	}
	return a, changed
}

// DelegatedTo returns to whom the attendee has delegated.
func (a Attendee) DelegatedTo() []URI { return a.uris(ical.ParamDelegatedTo) }

// DelegatedFrom returns whose delegate the attendee is.
func (a Attendee) DelegatedFrom() []URI { return a.uris(ical.ParamDelegatedFrom) }

func (a Attendee) uris(param string) []URI {
	var uris []URI
	for _, value := range a.params.Values(param) {
		uris = append(uris, URI(value))
	}
	return uris
}

// WithParams returns a's address with all parameters of from.
func (a Attendee) WithParams(from Attendee) Attendee {
	return Attendee{URI: a.URI, params: from.params}
}

// Accepted returns a with the participation status ACCEPTED, and all else as it is.
func (a Attendee) Accepted() Attendee { return a.With(ical.ParamParticipationStatus, "ACCEPTED") }

// With returns the attendee with a parameter; with the value "" without it.
func (a Attendee) With(param, value string) Attendee {
	params := maps.Clone(a.params) // which others share
	if params == nil {
		params = ical.Params{}
	}
	if params.Del(param); value != "" {
		params.Set(param, value)
	}
	return Attendee{URI: a.URI, params: params}
}
