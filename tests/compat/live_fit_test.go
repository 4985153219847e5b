package compat

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"imip-agent/stores/calendar"
)

// What the two programs agree about is less than what people write. Here messages of
// generated conversations are made such as both understand in the same way; what is changed
// is shown by recorded conversations instead.

var (
	statusLine  = regexp.MustCompile(`(?m)^STATUS:CANCELLED$`)
	paulsEvent  = regexp.MustCompile(`(?m)^ORGANIZER(;CN=Paul)?:(@paul|MAILTO:paul.*)$`)
	answerTimes = []string{"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE"}
	described   = []string{"ORGANIZER", "SUMMARY", "TRANSP"}
)

// agreed returns the message without what the original handles differently whatever is
// stored: events that are called off by STATUS:CANCELLED, and those that an attendee forwards.
func (p plan) agreed() plan {
	p.events, p.needs = slices.Clone(p.events), slices.Clone(p.needs)
	for i, text := range p.events {
		switch p.method {
		case "REQUEST", "PUBLISH", "ADD":
			text = statusLine.ReplaceAllString(text, "STATUS:CONFIRMED") // status-cancelled
			if p.from == "vincent" {
				text = paulsEvent.ReplaceAllString(text, `ORGANIZER;SENT-BY="@vincent":@paul`) // forwarded-invitations
				text = strings.ReplaceAll(text, `SENT-BY="@simon"`, `SENT-BY="@vincent"`)
			}
		case "CANCEL":
			if len(p.events) > 1 {
				text = statusLine.ReplaceAllString(text, "STATUS:CONFIRMED")
			} else if statusLine.MatchString(text) { // cancel-before-invitation
				uid, _, _ := strings.Cut(strings.TrimPrefix(text, "UID:"), "\n")
				p.needs = append(p.needs, "objects/"+uid)
			}
		}
		p.events[i] = text
	}
	return p
}

// agree makes the messages of a conversation such as plan.agreed has them.
func (c *generated) agree() {
	for i, p := range c.plans {
		sender := c.Steps[i].Message[:bytes.IndexByte(c.Steps[i].Message, '\n')]
		c.plans[i] = p.agreed()
		c.Steps[i] = c.plans[i].step(c.Steps[i].Clock).from(sender)
	}
}

// from gives the mail of a step a From field.
func (s *Step) from(field []byte) *Step {
	s.Message = slices.Concat(field, s.Message[bytes.IndexByte(s.Message, '\n'):])
	return s
}

// fitted returns the step with an answer that says of the event what is stored of it:
// times-of-answers.
func (p plan) fitted(room Room, s *Step) *Step {
	if s.Program == Incoming || p.method != "REPLY" && p.method != "COUNTER" {
		return s
	}
	p.events = slices.Clone(p.events)
	for i, text := range p.events {
		stored := p.stored(room, p.ids[i])
		whole := stored
		if stored == nil {
			whole = p.stored(room, "objects/"+uidOf(p.ids[i]))
		}
		if stored != nil && p.method == "REPLY" {
			text = timeLines.ReplaceAllString(text, "")
			text += storedLines(stored, answerTimes)
		}
		if whole != nil && (stored == nil || p.method == "REPLY") {
			for _, name := range described {
				if !strings.Contains("\n"+text, "\n"+name) {
					text += storedLines(whole, []string{name})
				}
			}
		}
		p.events[i] = text
	}
	// The sender may be spelled otherwise.
	return p.step(s.Clock).from(s.Message[:bytes.IndexByte(s.Message, '\n')])
}

// storedLines returns the lines of a stored object that have one of the names.
func storedLines(text []byte, names []string) (lines string) {
	depth := 0
	for _, line := range unfold(strings.ReplaceAll(string(text), "\r\n", "\n")) {
		switch name := nameOf(line); {
		case name == "BEGIN":
			depth++
		case name == "END":
			depth--
		case depth == 1 && slices.Contains(names, name): // not an alarm's
			lines += "\n" + strings.Replace(line, ";TZID=UTC:", ":", 1)
		}
	}
	return lines + "\n"
}

// stored returns a file of the user whose records the message concerns, nil if there is none.
func (p plan) stored(room Room, name string) []byte {
	text, err := os.ReadFile(filepath.Join(room.Store(), "mailto:"+Address(p.user()), filepath.FromSlash(name)))
	if err != nil {
		return nil
	}
	return text
}

// uidOf returns the UID of a name as plan.ids has them.
func uidOf(id string) string { return strings.Split(id, "/")[1] }

// overtaken tells whether ours takes a message for old that the original takes for new:
// older-than-cancelled, cancel-before-invitation.
func (p plan) overtaken(t rapid.TB, room Room, s *Step) bool {
	if s.Program == Incoming || p.method == "REFRESH" {
		return false
	}
	events := strings.Split(string(s.Message), "BEGIN:VEVENT\n")[1:]
	var whole *calendar.Object // in this message
	for i, text := range events {
		text, _, _ = strings.Cut(text, "END:VEVENT")
		message := decode(t, []byte("BEGIN:VEVENT\n"+text+"END:VEVENT\n"))
		stamped := p.method != "REPLY" && p.method != "COUNTER"
		old := func(than *calendar.Object) bool { return than != nil && message.OlderThan(than, stamped) }
		read := func(name string) *calendar.Object { return decode(t, p.stored(room, name)) }
		id, event := p.ids[i], "objects/"+uidOf(p.ids[i])
		if old(read("cancellations/"+id)) || old(read("cancellations/"+event)) || p.method == "ADD" && old(read(id)) {
			return true
		}
		if p.method == "CANCEL" && id != event && (whole != nil || read(id) == nil && read("cancellations/"+id) != nil) { // cancel-again
			return true
		}
		if id != event {
			continue
		}
		whole = message
		was := read(event)
		if p.method != "REQUEST" && p.method != "PUBLISH" || was == nil && read("cancellations/"+event) != nil || was != nil && (was.OlderThan(message, true) || message.OlderThan(was, true)) {
			continue
		}
		names, err := filepath.Glob(filepath.Join(room.Store(), "mailto:"+Address(p.user()), "cancellations/recurrences", uidOf(id), "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if old(read("cancellations/recurrences/" + uidOf(id) + "/" + filepath.Base(name))) {
				return true
			}
		}
	}
	return false
}

// decode reads an object, nil from nothing.
func decode(t rapid.TB, text []byte) *calendar.Object {
	if text == nil {
		return nil
	}
	object, err := calendar.DecodeObject(text)
	if err != nil {
		t.Fatal(err)
	}
	return object
}
