package main

import (
	"time"

	"imip-agent/tests/compat"
)

// catalogue returns the conversations, in full.
func catalogue() []*compat.Conversation {
	var all []*compat.Conversation
	for _, topic := range [][]*builder{
		wholeEvents(), versions(), messages(), rules(), dates(),
		occurrences(), cancellations(), replies(), counters(), system(), deviations(), times(), inputs(), spellings(), damage(),
		answers(), overtaken(), letters(), forwarded(), arrivals(), arrivingAnswers(), arrivingFreeBusy(),
		decisions(), decidedOtherwise(), bookings(), bookedOtherwise(),
	} {
		for _, b := range topic {
			all = append(all, &b.Conversation)
		}
	}
	return all
}

// builder puts a conversation together. Each step is a minute after the one
// before unless at says otherwise; an event without DTSTAMP gets the time of its
// step.
type builder struct {
	compat.Conversation
	clock time.Time
}

func conversation(name, about string) *builder {
	return &builder{
		Conversation: compat.Conversation{Name: name, About: about, Preferences: compat.Tree{}, Initial: compat.Tree{}},
		clock:        compat.Minutes(0),
	}
}

// deviates names the heading of DEVIATIONS.md that explains where ours differs.
func (b *builder) deviates(name string) *builder {
	b.Deviation = name
	return b
}

// prefers sets a preference of a user.
func (b *builder) prefers(user, name, value string) *builder {
	b.Preferences["mailto:"+compat.Address(user)+"/"+name] = value + "\n"
	return b
}

// has puts a file of a user into the store first.
func (b *builder) has(user, file, content string) *builder {
	b.Initial["store/mailto:"+compat.Address(user)+"/"+file] = content
	return b
}

// at sets the time of the next step: UTC, 2006-01-02 15:04:05.
func (b *builder) at(clock string) *builder {
	t, err := time.Parse(time.DateTime, clock)
	if err != nil {
		panic(err)
	}
	b.clock = t
	return b
}

// sends adds a message that a user sends.
func (b *builder) sends(user, method string, events ...compat.Event) *builder {
	return b.mails(string(compat.Mail(user, method, compat.Calendar(method, b.clock, events...))))
}

// mails adds an outgoing mail as it stands.
func (b *builder) mails(mail string) *builder {
	b.Steps = append(b.Steps, &compat.Step{Program: compat.Outgoing, Clock: b.clock, Message: []byte(mail)})
	b.clock = b.clock.Add(time.Minute)
	return b
}

// copied says by which address the mail system hands in the copies of the messages so far.
func (b *builder) copied(user string) *builder {
	for _, s := range b.Steps {
		s.User = "people-outgoing+" + compat.Address(user)
	}
	return b
}

// receives adds a message that a user gets from another. The original's
// imip_person handles it.
func (b *builder) receives(user, from, method string, events ...compat.Event) *builder {
	return b.arrives(user, string(compat.Mail(from, method, compat.Calendar(method, b.clock, events...))))
}

// arrives adds a mail that a user gets, as it stands. If the user is empty, the mail system does not say who that is.
func (b *builder) arrives(user, mail string) *builder {
	b.Steps = append(b.Steps, &compat.Step{
		Program: compat.Incoming,
		User:    compat.Address(user),
		Clock:   b.clock,
		Message: []byte(mail),
	})
	b.clock = b.clock.Add(time.Minute)
	return b
}

// asks adds a message that a resource gets from somebody. The original's imip_resource handles it.
func (b *builder) asks(resource, from, method string, events ...compat.Event) *builder {
	return b.reaches(resource, string(compat.Mail(from, method, compat.Calendar(method, b.clock, events...))))
}

// reaches adds a mail that a resource gets, as it stands.
func (b *builder) reaches(resource, mail string) *builder {
	b.Steps = append(b.Steps, &compat.Step{
		Program: compat.Resource,
		User:    compat.Address(resource),
		Clock:   b.clock,
		Message: []byte(mail),
	})
	b.clock = b.clock.Add(time.Minute)
	return b
}

// allots puts a file of a quota into the journal first.
func (b *builder) allots(quota, file, content string) *builder {
	b.Initial["journal/"+quota+"/"+file] = content
	return b
}

// event makes an event from blocks of content lines, and events made before: see
// compat.Compose.
func event(blocks ...any) compat.Event {
	var texts []string
	for _, block := range blocks {
		switch block := block.(type) {
		case string:
			texts = append(texts, block)
		case compat.Event:
			texts = append(texts, block.String())
		}
	}
	return compat.Compose(texts...)
}

// The events that the conversations are about. The clock stands at 22 November
// 2026, a Sunday; with the usual window of 100 days free/busy goes up to 2 March 2027.
const (
	// meeting is Paul's, with Vincent.
	meeting = `
		UID:meeting
		SEQUENCE:0
		SUMMARY:Project meeting
		DTSTART:20261202T090000Z
		DTEND:20261202T100000Z
		ORGANIZER;CN="Paul Boddie":@paul
		ATTENDEE;CN="Vincent Vole";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@vincent`

	// three is the meeting with Harvey as well, and Paul himself as an attendee.
	three = meeting + `
		ATTENDEE;CN="Harvey Horse";ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@harvey
		ATTENDEE;CN="Paul Boddie";PARTSTAT=ACCEPTED:@paul`

	// oslo puts the meeting into a zone.
	oslo = `
		DTSTART;TZID=Europe/Oslo:20261202T090000
		DTEND;TZID=Europe/Oslo:20261202T100000`

	// newYork puts it into a zone west of UTC.
	newYork = `
		DTSTART;TZID=America/New_York:20261202T090000
		DTEND;TZID=America/New_York:20261202T100000`

	// floating takes its zone away.
	floating = `
		DTSTART:20261202T090000
		DTEND:20261202T100000`

	// allDay makes it last two days.
	allDay = `
		DTSTART;VALUE=DATE:20261202
		DTEND;VALUE=DATE:20261204`

	weekly = `RRULE:FREQ=WEEKLY;COUNT=4`
)

// mailFrom is a mail whose From is given as it stands.
func mailFrom(from, method string, events ...compat.Event) []byte {
	return compat.Mail(from, method, compat.Calendar(method, compat.Minutes(0), events...))
}
