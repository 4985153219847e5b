package compat

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// generated is a random conversation, and what is known of its messages.
type generated struct {
	*Conversation
	plans []plan
}

// plan is a message before it is known when it is sent.
type plan struct {
	act
	events []string
	stamp  time.Duration // how long before it is sent it says that it was written; less than 0: it does not say
	ours   bool          // ours handles it, if it goes out
	// needs are files of which all have to be there, or else the original does not
	// do what it should: then the message is left out.
	needs []string
	east  bool     // it is about an occurrence of an event whose occurrences the original does not find
	ids   []string // where what each event is about is stored: objects/UID or recurrences/UID/RECURRENCE-ID
}

// act is something that somebody does.
type act struct {
	from, method string
	to           string // who receives it; empty: it goes out
	component    string // empty: VEVENT
}

var opening = []act{
	{from: "paul", method: "REQUEST"},
	{from: "paul", method: "REQUEST"},
	{from: "paul", method: "REQUEST", to: "vincent"},
	{from: "paul", method: "PUBLISH"},
	{from: "vincent", method: "REQUEST"},
}

var acts = append([]act{
	{from: "paul", method: "CANCEL"},
	{from: "paul", method: "CANCEL"},
	{from: "paul", method: "ADD"},
	{from: "vincent", method: "REPLY"},
	{from: "vincent", method: "COUNTER"},
	{from: "paul", method: "REPLY"},
	{from: "simon", method: "REPLY"},
	{from: "vincent", method: "REFRESH"},
	{from: "vincent", method: "REPLY", to: "paul"},
	{from: "harvey", method: "REPLY", to: "paul"},
	{from: "vincent", method: "COUNTER", to: "paul"},
	{from: "paul", method: "DECLINECOUNTER"},
	{from: "paul", method: "CANCEL", to: "vincent"},
	{from: "paul", method: "ADD", to: "vincent"},
	{from: "calendar", method: "REQUEST"},
	{from: "calendar", method: "CANCEL"},
	{from: "calendar", method: "REPLY"},
	{from: "calendar", method: "COUNTER"},
	{from: "calendar", method: "ADD"},
	{from: "calendar", method: "DECLINECOUNTER"},
	{from: "vincent", method: "CANCEL"},
}, opening...)

// senders are other spellings of who a mail is from.
var senders = map[string][]string{
	"paul": {"Paul Boddie <paul.boddie@example.com>", "calendar@example.com, paul.boddie@example.com", "paul.boddie@example.com, vincent.vole@example.com"},
}

// invited are who may be named as attendees.
var invited = []string{"vincent", "harvey", "paul"}

// drawConversation draws two to nine messages about one event or two.
func drawConversation(t *rapid.T) generated {
	g := generated{Conversation: &Conversation{
		Name: "generated", About: "A generated conversation.", Preferences: Tree{}, Initial: Tree{},
	}}
	g.drawSettings(t)
	events := []randomEvent{drawEvent(t, "first")}
	if oneIn(t, 3, "events") {
		events = append(events, drawEvent(t, "second"))
	}
	// The first message sets the event up, so that there is something to talk about.
	first := rapid.SampledFrom(opening).Draw(t, "opening")
	g.add(t, drawPlan(t, events[:1], first, !oneIn(t, 8, "a recurrence first")))
	for _, p := range rapid.SliceOfN(rapid.Custom(func(t *rapid.T) plan {
		i := rapid.IntRange(0, len(events)-1).Draw(t, "event")
		about := events[i : i+1]
		if oneIn(t, 6, "all events") {
			about = events
		}
		if oneIn(t, 8, "recurs otherwise") {
			about = slices.Clone(about)
			about[0].recur(t)
		}
		return drawPlan(t, about, rapid.SampledFrom(acts).Draw(t, "act"), false)
	}), 1, 8).Draw(t, "messages") {
		g.add(t, p)
	}
	return g
}

// add adds a message.
func (g *generated) add(t *rapid.T, p plan) {
	s := p.step(Minutes(len(g.Steps)))
	if others := senders[p.from]; p.to == "" && others != nil && oneIn(t, 6, "sender") {
		calendar := s.Message[slices.Index(s.Message, '\n'):]
		s.Message = slices.Concat([]byte("From: "+rapid.SampledFrom(others).Draw(t, "spelling")), calendar)
	}
	g.Steps = append(g.Steps, s)
	g.plans = append(g.plans, p)
}

// drawSettings draws users' preferences, and what is in the store.
func (g *generated) drawSettings(t *rapid.T) {
	prefer := func(user, name string, values ...string) {
		if value := rapid.SampledFrom(values).Draw(t, user+" "+name); value != "" {
			g.Preferences["mailto:"+Address(user)+"/"+name] = value + "\n"
		}
	}
	// Without a preference it would be the zone of the system that the test runs on.
	prefer("paul", "TZID", "UTC", "America/New_York", "Europe/Oslo")
	prefer("vincent", "TZID", "UTC", "America/New_York", "Asia/Tokyo")
	prefer("simon", "TZID", "UTC")
	prefer("paul", "freebusy_sharing", "", "share")
	prefer("paul", "freebusy_publishing", "", "publish")
	prefer("vincent", "freebusy_offers", "", "P2D", "PT30M")
	prefer("paul", "freebusy_offers", "", "", "P1D")
	prefer("paul", "window_size", "", "30", "400")
	prefer("paul", "participating", "", "", "", "", "", "", "", "no")
	has := func(user, name, content string) {
		g.Initial["store/mailto:"+Address(user)+"/"+name] = content
	}
	if oneIn(t, 4, "providers") {
		has("paul", "freebusy-providers", "20261122T000000Z\n")
	}
	if oneIn(t, 6, "busy") {
		has("paul", "freebusy", "20261202T080000Z\t20261202T100000Z\tbusy\tOPAQUE\t\tBusy\tmailto:paul.boddie@example.com\n"+
			"20270601T090000Z\t20270601T100000Z\tfirst\tOPAQUE\t20270601T090000Z\tOld\tmailto:paul.boddie@example.com\n")
	}
	if oneIn(t, 6, "queue") {
		has("paul", "requests", "first\t\nfirst\t20261209T090000Z\tCOUNTER\nsecond\t\tCOUNTER\n")
	}
}

// step makes a message of the plan.
func (p plan) step(clock time.Time) *Step {
	var events []Event
	for _, text := range p.events {
		switch {
		case p.stamp < 0:
			text += "\n" + noStamp
		case p.stamp > 0:
			text += "\nDTSTAMP:" + clock.Add(-p.stamp).Format(inUTC)
		}
		events = append(events, Compose(text))
	}
	return message(p.act, clock, events...).component(p.component)
}

func message(a act, clock time.Time, events ...Event) *Step {
	s := &Step{Program: Outgoing, Clock: clock, Message: Mail(a.from, a.method, Calendar(a.method, clock, events...))}
	if a.to != "" {
		s.Program, s.User = Incoming, Address(a.to)
	}
	return s
}

// drawPlan draws a message about some events.
func drawPlan(t *rapid.T, events []randomEvent, a act, first bool) plan {
	p := plan{act: a, ours: rapid.IntRange(0, 2).Draw(t, "ours") > 0}
	p.stamp = rapid.SampledFrom([]time.Duration{0, 0, 0, 0, 90 * time.Second, -1}).Draw(t, "stamp")
	for _, e := range events {
		whole := first || a.method == "ADD" || rapid.IntRange(0, 2).Draw(t, "whole") < 2
		p.drawEvent(t, e, whole)
		if whole && !first && a.method != "ADD" && oneIn(t, 6, "a recurrence as well") {
			p.drawEvent(t, e, false)
		}
	}
	return p
}

// drawEvent draws what the message says of an event, or of an occurrence.
func (p *plan) drawEvent(t *rapid.T, e randomEvent, whole bool) {
	text := "UID:" + e.uid + "\n"
	text += rapid.SampledFrom(p.organizers()).Draw(t, "organizer")
	text += rapid.SampledFrom([]string{"SUMMARY:Version 0\n", "SUMMARY:Version 1\n", "SUMMARY:Møte\\, to\n", ""}).Draw(t, "summary")
	if sequence := rapid.IntRange(-1, 3).Draw(t, "sequence"); sequence >= 0 {
		text += fmt.Sprintf("SEQUENCE:%d\n", sequence)
	}
	text += rapid.SampledFrom([]string{"", "", "TRANSP:OPAQUE\n", "TRANSP:TRANSPARENT\n"}).Draw(t, "transp")
	text += rapid.SampledFrom([]string{"", "", "", "STATUS:CANCELLED\nCATEGORIES:A,B\n", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM\n"}).Draw(t, "more")

	// The times, those of the whole event or of an occurrence, as planned or moved.
	start, occurrence := e.start, e.start
	if !whole {
		start = e.occurrence(rapid.IntRange(0, 3).Draw(t, "occurrence"))
		occurrence = start
		text += "RECURRENCE-ID" + e.form.params + ":" + e.at(start) + "\n"
		if e.form.east && (p.method == "REPLY" || p.method == "COUNTER") {
			p.needs = append(p.needs, "recurrences/"+e.uid+"/"+e.recurrenceID(start))
		}
	}
	if p.method == "ADD" {
		start = start.AddDate(0, 0, 20+rapid.IntRange(0, 2).Draw(t, "added"))
	} else if oneIn(t, 3, "moved") {
		start = start.AddDate(0, 0, rapid.IntRange(0, 2).Draw(t, "by"))
		start = start.Add(2 * time.Hour)
	}
	for whole && e.shortened(start) {
		start = start.AddDate(0, 0, -1)
	}
	if p.method != "CANCEL" || !oneIn(t, 4, "no times") {
		text += e.drawTimes(t, start)
	}
	if whole && p.method != "ADD" {
		text += e.rule.text + "\n" + e.lines
	}
	p.events = append(p.events, text+drawAttendees(t, p.act))
	id := "objects/" + e.uid
	if p.method == "ADD" {
		id = "recurrences/" + e.uid + "/" + e.recurrenceID(start)
	} else if !whole {
		id = "recurrences/" + e.uid + "/" + e.recurrenceID(occurrence)
	}
	p.ids = append(p.ids, id)
}

// organizers are how the organizer may be named.
func (p *plan) organizers() []string {
	all := []string{"ORGANIZER:@paul\n", "ORGANIZER:@paul\n", "ORGANIZER;CN=Paul:@paul\n", `ORGANIZER;SENT-BY="@simon":@paul` + "\n"}
	switch {
	case p.method != "CANCEL":
		all = append(all, "ORGANIZER:MAILTO:paul.boddie@example.com\n")
	case p.from == "vincent":
		all = append(all, "ORGANIZER:@harvey\n")
	}
	return all
}

// drawAttendees draws who is named in a message, and how.
func drawAttendees(t *rapid.T, a act) string {
	partstat := func() string {
		return rapid.SampledFrom([]string{"", ";PARTSTAT=ACCEPTED", ";PARTSTAT=ACCEPTED", ";PARTSTAT=DECLINED", ";PARTSTAT=TENTATIVE", ";PARTSTAT=NEEDS-ACTION", ";PARTSTAT=DELEGATED"}).Draw(t, "partstat")
	}
	switch a.method {
	case "REPLY", "COUNTER", "REFRESH":
		who, by := a.from, ""
		if who == "calendar" || who == "simon" {
			who, by = "vincent", `;SENT-BY="@`+who+`"`
		}
		out := "ATTENDEE" + by + partstat() + ":@" + who + "\n"
		if oneIn(t, 5, "delegates") {
			out = "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"@simon\"" + by + ":@" + who + "\n"
			if rapid.Bool().Draw(t, "names the delegate") {
				out += "ATTENDEE;DELEGATED-FROM=\"@" + who + "\"" + partstat() + ":@simon\n"
			}
		}
		if oneIn(t, 5, "another") {
			out += "ATTENDEE" + partstat() + ":@" + rapid.SampledFrom([]string{"harvey", who}).Draw(t, "who else") + "\n"
		}
		return out
	case "DECLINECOUNTER":
		return "ATTENDEE:@" + rapid.SampledFrom([]string{"vincent", "vincent", "harvey"}).Draw(t, "declined") + "\n"
	}
	var out string
	all := oneIn(t, 3, "all")
	for _, who := range invited {
		// Somebody has to be named, since without attendees nothing is cancelled.
		if all || (who == "vincent" && a.method != "CANCEL") || rapid.IntRange(0, 3).Draw(t, "names "+who) > 0 {
			out += "ATTENDEE" + partstat() + ":@" + who + "\n"
		}
	}
	if out == "" {
		out = "ATTENDEE:@vincent\n"
	}
	if oneIn(t, 6, "twice") {
		out += "ATTENDEE;CN=Again" + partstat() + ":@" + rapid.SampledFrom(invited).Draw(t, "who twice") + "\n"
	}
	return out
}
