package compat

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// generated is a random conversation, and which of its outgoing messages ours
// handles where the two programs take turns.
type generated struct {
	*Conversation
	ours []bool
}

// event is a random event: how its times are written, and how it recurs. It does
// not change in a conversation; what messages say of it does.
type randomEvent struct {
	uid    string
	form   form
	start  time.Time // local
	length time.Duration
	rule   rule
	lines  string // RDATE and EXDATE
}

// form is how times are written.
type form struct {
	params string // of DTSTART
	layout string
	// east is whether the original cannot find the occurrence that a reply is for:
	// see reply-to-occurrence-east-of-utc in DEVIATIONS.md.
	east bool
}

var forms = []form{
	{"", "20060102T150405Z", false},
	{";TZID=America/New_York", "20060102T150405", false},
	{";TZID=Europe/Oslo", "20060102T150405", true},
	{";TZID=Asia/Kolkata", "20060102T150405", true},
	{"", "20060102T150405", true},
	{";VALUE=DATE", "20060102", true},
}

// rule is how an event recurs, and how far apart its occurrences usually are.
type rule struct {
	text         string
	months, days int
	within       bool // within the day: not for events of whole days
}

// The rules have no lists and no days that some months lack, which the original
// does not understand.
var rules = []rule{
	{text: ""},
	{text: "RRULE:FREQ=DAILY;COUNT=4", days: 1},
	{text: "RRULE:FREQ=WEEKLY;COUNT=5", days: 7},
	{text: "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3", days: 14},
	{text: "RRULE:FREQ=MONTHLY;COUNT=3", months: 1},
	{text: "RRULE:FREQ=MONTHLY;BYDAY=1WE;COUNT=3", days: 35},
	{text: "RRULE:FREQ=YEARLY;COUNT=2", months: 12},
	{text: "RRULE:FREQ=WEEKLY", days: 7},
	{text: "RRULE:FREQ=DAILY;INTERVAL=3", days: 3},
	{text: "RRULE:FREQ=DAILY;UNTIL=20261212T235959Z", days: 1, within: true},
	{text: "RRULE:FREQ=HOURLY;INTERVAL=8;COUNT=6", days: 1, within: true},
	{text: "RRULE:FREQ=MINUTELY;INTERVAL=90;COUNT=4", days: 1, within: true},
}

var invited = []string{"vincent", "harvey", "paul"}

// drawEvent draws an event with the given UID.
func drawEvent(t *rapid.T, uid string) randomEvent {
	e := randomEvent{uid: uid}
	e.form = rapid.SampledFrom(forms).Draw(t, "form")
	whole := e.form.layout == "20060102"
	e.start = time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)
	e.start = e.start.Add(time.Duration(rapid.IntRange(0, 48).Draw(t, "start")) * 30 * time.Minute)
	e.length = time.Duration(rapid.IntRange(1, 4).Draw(t, "length")) * 30 * time.Minute
	if whole {
		e.length *= 48
	}
	e.rule = rapid.SampledFrom(rules).Draw(t, "rule")
	if whole && e.rule.within {
		e.rule = rules[1]
	}
	if rapid.IntRange(0, 3).Draw(t, "rdate") == 3 {
		at := []string{e.at(e.start.AddDate(0, 0, 5))}
		if rapid.Bool().Draw(t, "two") {
			at = append(at, e.at(e.start.AddDate(0, 0, 8)))
		}
		e.lines += "RDATE" + e.form.params + ":" + strings.Join(at, ",") + "\n"
	}
	if rapid.IntRange(0, 3).Draw(t, "exdate") == 3 {
		e.lines += "EXDATE" + e.form.params + ":" + e.at(e.occurrence(rapid.IntRange(0, 2).Draw(t, "which"))) + "\n"
	}
	return e
}

// at writes a local time as the event's times are written.
func (e randomEvent) at(local time.Time) string { return local.Format(e.form.layout) }

// occurrence is where the nth occurrence usually starts, local.
func (e randomEvent) occurrence(n int) time.Time {
	return e.start.AddDate(0, n*e.rule.months, n*e.rule.days)
}

// times gives DTSTART and DTEND.
func (e randomEvent) times(start time.Time, length time.Duration) string {
	return "DTSTART" + e.form.params + ":" + e.at(start) + "\nDTEND" + e.form.params + ":" + e.at(start.Add(length)) + "\n"
}

// drawConversation draws two to seven messages about one event or two.
func drawConversation(t *rapid.T) generated {
	g := generated{Conversation: &Conversation{
		Name: "generated", About: "A generated conversation.", Preferences: Tree{}, Initial: Tree{},
	}}
	prefer := func(user, name string, values ...string) {
		if value := rapid.SampledFrom(values).Draw(t, user+" "+name); value != "" {
			g.Preferences["mailto:"+Address(user)+"/"+name] = value + "\n"
		}
	}
	// Without a preference it would be the zone of the system that the test runs on.
	prefer("paul", "TZID", "UTC", "America/New_York", "Europe/Oslo")
	prefer("vincent", "TZID", "UTC", "America/New_York", "Asia/Tokyo")
	prefer("paul", "freebusy_sharing", "", "share")
	prefer("paul", "freebusy_publishing", "", "publish")
	prefer("vincent", "freebusy_offers", "", "P2D")
	prefer("paul", "window_size", "", "30")
	if rapid.IntRange(0, 3).Draw(t, "providers") == 3 {
		g.Initial["store/mailto:"+Address("paul")+"/freebusy-providers"] = "20261122T000000Z\n"
	}

	events := []randomEvent{drawEvent(t, "first")}
	if rapid.IntRange(0, 2).Draw(t, "events") == 2 {
		events = append(events, drawEvent(t, "second"))
	}
	// The first message sets the event up, so that there is something to talk about.
	plans := []plan{drawPlan(t, events[0], rapid.SampledFrom(opening).Draw(t, "opening"), true)}
	plans = append(plans, rapid.SliceOfN(rapid.Custom(func(t *rapid.T) plan {
		e := rapid.SampledFrom(events).Draw(t, "event")
		return drawPlan(t, e, rapid.SampledFrom(acts).Draw(t, "act"), false)
	}), 1, 6).Draw(t, "messages")...)
	for i, plan := range plans {
		g.Steps = append(g.Steps, plan.step(Minutes(i)))
		g.ours = append(g.ours, plan.ours && plan.to == "")
	}
	return g
}

// plan is a message before it is known when it is sent.
type plan struct {
	act
	text  string
	early bool // DTSTAMP is before that of the message before
	ours  bool // ours handles it, if it goes out
}

// step makes a message of the plan.
func (p plan) step(clock time.Time) *Step {
	text := p.text
	if p.early {
		text += "DTSTAMP:" + clock.Add(-90*time.Second).Format("20060102T150405Z") + "\n"
	}
	return message(p.act, clock, Compose(text))
}

// act is something that somebody does.
type act struct {
	from, method string
	to           string // who receives it; empty: it goes out
}

var opening = []act{
	{from: "paul", method: "REQUEST"},
	{from: "paul", method: "REQUEST", to: "vincent"},
	{from: "paul", method: "PUBLISH"},
	{from: "vincent", method: "REQUEST"},
}

var acts = append([]act{
	{from: "paul", method: "CANCEL"},
	{from: "paul", method: "ADD"},
	{from: "vincent", method: "REPLY"},
	{from: "vincent", method: "COUNTER"},
	{from: "paul", method: "REPLY"},
	{from: "vincent", method: "REFRESH"},
	{from: "vincent", method: "REPLY", to: "paul"},
	{from: "vincent", method: "COUNTER", to: "paul"},
	{from: "paul", method: "DECLINECOUNTER"},
	{from: "paul", method: "CANCEL", to: "vincent"},
	{from: "calendar", method: "REQUEST"},
	{from: "calendar", method: "CANCEL"},
	{from: "calendar", method: "REPLY"},
	{from: "vincent", method: "CANCEL"},
}, opening...)

// drawPlan draws a message about an event. A first one is about the whole of it.
func drawPlan(t *rapid.T, e randomEvent, a act, first bool) plan {
	whole := first || rapid.IntRange(0, 2).Draw(t, "whole") < 2
	switch a.method {
	case "ADD":
		whole = true
	case "REPLY", "COUNTER":
		whole = whole || e.form.east
	}

	text := "UID:" + e.uid + "\nORGANIZER:@paul\n"
	text += fmt.Sprintf("SUMMARY:Version %d\n", rapid.IntRange(0, 2).Draw(t, "summary"))
	if sequence := rapid.IntRange(-1, 3).Draw(t, "sequence"); sequence >= 0 || a.method == "CANCEL" {
		sequence = max(0, sequence)
		text += fmt.Sprintf("SEQUENCE:%d\n", sequence)
	}
	early := rapid.IntRange(0, 5).Draw(t, "early") == 5
	text += rapid.SampledFrom([]string{"", "", "TRANSP:OPAQUE\n", "TRANSP:TRANSPARENT\n"}).Draw(t, "transp")

	// The times, those of the whole event or of an occurrence, as planned or moved.
	start := e.start
	if !whole {
		start = e.occurrence(rapid.IntRange(0, 3).Draw(t, "occurrence"))
		text += "RECURRENCE-ID" + e.form.params + ":" + e.at(start) + "\n"
	}
	if a.method == "ADD" {
		start = start.AddDate(0, 0, 20+rapid.IntRange(0, 2).Draw(t, "added"))
	} else if rapid.IntRange(0, 2).Draw(t, "moved") == 2 {
		// Whole events stay where they are, so that occurrences are where they were.
		if !whole || e.rule.text == "" || a.method == "COUNTER" {
			start = start.AddDate(0, 0, rapid.IntRange(0, 2).Draw(t, "by"))
			start = start.Add(2 * time.Hour)
		}
	}
	text += e.times(start, e.length)
	if whole && a.method != "ADD" {
		text += e.rule.text + "\n" + e.lines
	}
	text += drawAttendees(t, a)
	return plan{act: a, text: text, early: early, ours: rapid.IntRange(0, 2).Draw(t, "ours") > 0}
}

// drawAttendees draws who is named in a message, and how.
func drawAttendees(t *rapid.T, a act) string {
	partstat := func() string {
		return rapid.SampledFrom([]string{"", ";PARTSTAT=ACCEPTED", ";PARTSTAT=DECLINED", ";PARTSTAT=TENTATIVE", ";PARTSTAT=NEEDS-ACTION"}).Draw(t, "partstat")
	}
	switch a.method {
	case "REPLY", "COUNTER", "REFRESH":
		who, by := a.from, ""
		if who == "calendar" {
			who, by = "vincent", `;SENT-BY="@calendar"`
		}
		return "ATTENDEE" + by + partstat() + ":@" + who + "\n"
	case "DECLINECOUNTER":
		return "ATTENDEE:@vincent\n"
	}
	var out string
	for _, who := range invited {
		// Somebody has to be named, since without attendees nothing is cancelled.
		if (who == "vincent" && a.method != "CANCEL") || rapid.IntRange(0, 3).Draw(t, "names "+who) > 0 {
			out += "ATTENDEE" + partstat() + ":@" + who + "\n"
		}
	}
	if out == "" {
		out = "ATTENDEE:@vincent\n"
	}
	return out
}

func message(a act, clock time.Time, event Event) *Step {
	s := &Step{Program: Outgoing, Clock: clock, Message: Mail(a.from, a.method, Calendar(a.method, clock, event))}
	if a.to != "" {
		s.Program, s.User = Incoming, Address(a.to)
	}
	return s
}
