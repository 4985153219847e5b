package compat

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"imip-agent/stores/calendar"
)

// comparable tells whether ours is to make of a message that arrives what the original makes of it. Else it is a
// deviation.
func (p plan) comparable(t rapid.TB, room Room, s *Step) bool {
	setting, err := os.ReadFile(filepath.Join(room.Preferences(), "mailto:"+Address(p.to), "participating"))
	if err == nil && strings.TrimSpace(string(setting)) == "no" {
		return false // lost-mail
	}
	if p.isBusy() {
		return true
	}
	for i, text := range strings.Split(string(s.Message), "BEGIN:VEVENT\n")[1:] {
		text, _, _ = strings.Cut(text, "END:VEVENT")
		if !p.comparableAs(t, room, p.ids[i], decode(t, []byte("BEGIN:VEVENT\n"+text+"END:VEVENT\n"))) {
			return false
		}
	}
	return true
}

// comparableAs is comparable for an event or an occurrence in the message, of that id.
func (p plan) comparableAs(t rapid.TB, room Room, id string, message *calendar.Object) bool {
	stored := func(name string) *calendar.Object { return decode(t, p.stored(room, name)) }
	event := "objects/" + uidOf(id)
	is, parent := stored(id), stored(event)
	by, _ := message.Organizer()
	switch {
	case !message.HasStart(), !message.Has("DTEND") && !message.Has("DURATION"):
		return false // lost-mail
	case p.method != "REPLY" && message.Status() == "CANCELLED":
		return false // status-cancelled
	case message.OrganizerSentBy() != "" && !p.isToOneself():
		return false // lost-mail
	case is == nil && p.organizedOtherwise(t, room, uidOf(id), by):
		return false // organizer-of-occurrences
	case is != nil && message.Compare(is, true) == 0:
		return false // repeated-invitations
	}
	for _, name := range []string{"cancellations/" + id, "cancellations/" + event} {
		if cancelled := stored(name); cancelled != nil && message.OlderThan(cancelled, true) {
			return false // older-than-cancelled
		}
	}
	named := slices.ContainsFunc(message.Attendees(), func(a calendar.Attendee) bool { return a.URI.Is(calendar.NewURI(Address(p.to))) })
	speakers := slices.DeleteFunc(message.Attendees(), func(a calendar.Attendee) bool {
		from := calendar.NewURI(Address(p.from))
		return !a.URI.Is(from) && !a.SentBy().Is(from)
	})
	answered := is
	if is == nil {
		answered = parent
	}
	switch p.method {
	case "CANCEL":
		if p.isToOneself() {
			return id != event || !p.has(room, "recurrences/"+uidOf(id)) // cancellations-to-oneself
		}
		return named // lost-mail
	case "PUBLISH":
		// publications-to-oneself
		return !p.isToOneself() || stored("cancellations/"+id) == nil && (is == nil || !message.OlderThan(is, true))
	case "REPLY":
		if is == nil && answered != nil && (p.east || len(message.Attendees()) > len(speakers) || message.OlderThan(parent, true) || redefines(t, message, parent)) {
			return false // reply-to-occurrence-east-of-utc, reply-defines-occurrence
		}
		return answered == nil || invites(answered, speakers) // uninvited-answers
	case "COUNTER":
		if is != nil && message.OlderThan(is, false) {
			return false // old-counters
		}
		return answered != nil && (is != nil || stored("cancellations/"+id) == nil) && invites(answered, speakers) // counters-to-what-is-gone
	case "REFRESH":
		return is != nil // refresh-of-what-is-gone
	case "DECLINECOUNTER":
		return answered != nil && (is == nil || !message.OlderThan(is, true)) // declines-of-nothing
	case "ADD":
		return parent == nil || !message.OlderThan(parent, true) // late-additions
	}
	return true
}

// invites reports whether one of those who answer an event is invited, or their delegate.
func invites(event *calendar.Object, speakers []calendar.Attendee) bool {
	return slices.ContainsFunc(speakers, func(a calendar.Attendee) bool {
		return slices.ContainsFunc(event.Attendees(), func(b calendar.Attendee) bool {
			return a.URI.Is(b.URI) || slices.ContainsFunc(a.DelegatedFrom(), b.URI.Is) && slices.ContainsFunc(b.DelegatedTo(), a.URI.Is)
		})
	})
}

// has reports whether there is something of the user whose records the message concerns.
func (p plan) has(room Room, name string) bool {
	_, err := os.Stat(filepath.Join(room.Store(), "mailto:"+Address(p.user()), filepath.FromSlash(name)))
	return err == nil
}

// organizedOtherwise reports whether something is stored of an event that somebody else organizes.
func (p plan) organizedOtherwise(t rapid.TB, room Room, uid string, organizer calendar.URI) bool {
	user := filepath.Join(room.Store(), "mailto:"+Address(p.user()))
	for _, pattern := range []string{"objects/" + uid, "recurrences/" + uid + "/*", "cancellations/objects/" + uid, "cancellations/recurrences/" + uid + "/*"} {
		names, err := filepath.Glob(filepath.Join(user, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if by, _ := decode(t, text).Organizer(); !by.Is(organizer) {
				return true
			}
		}
	}
	return false
}

// fittedArrival returns the step with an answer to an occurrence that is not stored apart which says of it what the
// series does: reply-defines-occurrence.
func (p plan) fittedArrival(room Room, s *Step) *Step {
	if p.method != "REPLY" || p.isBusy() {
		return s
	}
	p.events = slices.Clone(p.events)
	for i, text := range p.events {
		whole := p.stored(room, "objects/"+uidOf(p.ids[i]))
		if !strings.HasPrefix(p.ids[i], "recurrences/") || whole == nil || p.stored(room, p.ids[i]) != nil {
			continue
		}
		p.events[i] = describedLines.ReplaceAllString(text, "") + storedLines(whole, []string{"ORGANIZER", "SUMMARY", "TRANSP", "SEQUENCE"})
	}
	return p.step(s.Clock).from(s.Message[:bytes.IndexByte(s.Message, '\n')])
}

var describedLines = regexp.MustCompile(`(?m)^(ORGANIZER|SUMMARY|TRANSP|SEQUENCE)[;:].*\n`)

// redefines reports whether an answer says of an occurrence when it is otherwise than its event does.
func redefines(t rapid.TB, message, event *calendar.Object) bool {
	at, err := event.InstantFor(message, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	occurrence, err := event.Occurrence(at, time.UTC)
	if occurrence == nil || err != nil {
		return false
	}
	is, _, err := message.Periods(calendar.PeriodOptions{Zone: time.UTC})
	should, _, _ := occurrence.Periods(calendar.PeriodOptions{Zone: time.UTC})
	return err != nil || !slices.Equal(is, should) || message.Has("DURATION") != occurrence.Has("DURATION")
}
