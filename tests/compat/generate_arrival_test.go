package compat

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// Conversations in which most messages arrive: of all methods, to a user who organizes an event and to one who attends it,
// from those whose they are to send and from others.

// arriving is what arrives, and what users send themselves in between.
var arriving = slices.Concat(
	slices.Repeat([]act{
		{from: "paul", method: "REQUEST", to: "vincent"},
		{from: "vincent", method: "REPLY", to: "paul"},
		{from: "harvey", method: "REPLY", to: "paul"},
		{from: "paul", method: "REQUEST"},
		{from: "vincent", method: "REPLY"},
	}, 3),
	slices.Repeat([]act{
		{from: "paul", method: "PUBLISH", to: "vincent"},
		{from: "paul", method: "CANCEL", to: "vincent"},
		{from: "paul", method: "ADD", to: "vincent"},
		{from: "vincent", method: "COUNTER", to: "paul"},
		{from: "vincent", method: "REFRESH", to: "paul"},
		{from: "simon", method: "REPLY", to: "paul"},
		{from: "calendar", method: "PUBLISH", to: "paul"},
		{from: "calendar", method: "CANCEL", to: "paul"},
		{from: "simon", method: "REQUEST", to: "vincent"},
		{from: "vincent", method: "REQUEST", to: "harvey"}, // who delegates
		{from: "vincent", method: "REPLY", to: "paul", component: "VFREEBUSY"},
		{from: "paul", method: "PUBLISH", to: "vincent", component: "VFREEBUSY"},
		{from: "paul", method: "REQUEST", to: "vincent", component: "VFREEBUSY"},
	}, 2),
	[]act{
		{from: "paul", method: "DECLINECOUNTER", to: "vincent"},
		{from: "harvey", method: "COUNTER", to: "paul"},
		{from: "harvey", method: "REFRESH", to: "paul"},
		{from: "simon", method: "REFRESH", to: "paul"},
		{from: "simon", method: "CANCEL", to: "vincent"},
		{from: "simon", method: "PUBLISH", to: "vincent"},
		{from: "simon", method: "ADD", to: "vincent"},
		{from: "paul", method: "PUBLISH", to: "paul"},
		{from: "paul", method: "CANCEL", to: "paul"},
		{from: "harvey", method: "REPLY", to: "paul", component: "VFREEBUSY"},
		{from: "simon", method: "REQUEST", to: "vincent", component: "VFREEBUSY"},
		{from: "vincent", method: "COUNTER"},
		{from: "vincent", method: "REFRESH"},
		{from: "paul", method: "CANCEL"},
		{from: "paul", method: "PUBLISH"},
		{from: "paul", method: "ADD"},
		{from: "paul", method: "DECLINECOUNTER"},
	},
)

// drawArrivals draws three to nine messages about one event or two, most of which arrive.
func drawArrivals(t *rapid.T) generated {
	g := generated{Conversation: &Conversation{
		Name: "generated", About: "A generated conversation.", Preferences: Tree{}, Initial: Tree{},
	}}
	g.drawSettings(t)
	g.Initial = Tree{} // what no message has made
	g.drawAnswering(t)
	events := []randomEvent{drawEvent(t, "first")}
	if oneIn(t, 4, "events") {
		events = append(events, drawEvent(t, "second"))
	}
	organized := oneIn(t, 2, "organized")
	var numbers []int
	for range rapid.IntRange(3, 9).Draw(t, "messages") {
		numbers = append(numbers, len(numbers))
	}
	for _, n := range numbers {
		a := rapid.SampledFrom(arriving).Draw(t, "act")
		if n == 0 {
			a = act{from: "paul", method: "REQUEST", to: "vincent"}
			if organized {
				a.to = ""
			}
		}
		e := rapid.SampledFrom(events).Draw(t, "event")
		if oneIn(t, 12, "recurs otherwise") {
			e.recur(t)
		}
		p := drawArrival(t, e, a, n)
		g.plans = append(g.plans, p)
		g.Steps = append(g.Steps, p.step(Minutes(n)))
	}
	return g
}

// drawAnswering draws the preferences that say how messages that arrive are handled.
func (g *generated) drawAnswering(t *rapid.T) {
	for _, user := range []string{"paul", "vincent"} {
		for _, preference := range [][]string{
			{"incoming", "", "message-only", "summary-then-message", "message-then-summary", "summary-only", "summary-wraps-message", "all"},
			{"event_refreshing", "", "always", "always", "never", "often"},
			{"add_method_response", "", "add", "add", "add", "refresh", "ignore", "perhaps"},
			{"organiser_replacement", "", "any", "attendee", "never", "nobody"},
			{"freebusy_sharing", "", "share", "share", "no"},
			{"freebusy_bundling", "", "", "always", "never"},
			{"freebusy_publishing", "", "publish", "no"},
			{"freebusy_messages", "", "notify", "none"},
		} {
			if value := rapid.SampledFrom(preference[1:]).Draw(t, user+" "+preference[0]); value != "" {
				g.Preferences["mailto:"+Address(user)+"/"+preference[0]] = value + "\n"
			}
		}
	}
}

// drawArrival draws the nth message, which somebody who mostly keeps to iTIP writes.
func drawArrival(t *rapid.T, e randomEvent, a act, n int) plan {
	p := plan{act: a, ours: true}
	if a.component == "VFREEBUSY" {
		p.events = []string{drawBusy(t, a, n)}
		p.ids = []string{"objects/busy"}
		return p
	}
	if oneIn(t, 8, "stamp") {
		p.stamp = 90 * time.Second
	}
	whole := n == 0 || a.method == "ADD" || !oneIn(t, 3, "whole")
	p.drawOf(t, e, whole, n)
	if whole && n > 0 && a.method != "ADD" && e.rule.text != "" && oneIn(t, 10, "a recurrence as well") {
		p.drawOf(t, e, false, n)
	}
	return p
}

// drawOf draws what the message says of an event or an occurrence.
func (p *plan) drawOf(t *rapid.T, e randomEvent, whole bool, n int) {
	answers := p.method == "REPLY" || p.method == "COUNTER" || p.method == "REFRESH"
	text := "UID:" + e.uid + "\n"
	switch {
	case p.from == "simon" && !answers:
		text += "ORGANIZER:@simon\n"
	case p.from == "calendar":
		text += `ORGANIZER;SENT-BY="@calendar":@paul` + "\n"
	default:
		text += rapid.SampledFrom([]string{"ORGANIZER:@paul\n", "ORGANIZER;CN=Paul:@paul\n"}).Draw(t, "organizer")
	}
	text += rapid.SampledFrom([]string{"SUMMARY:Version 0\n", "SUMMARY:Møte\\, to\n", ""}).Draw(t, "summary")
	versions := 8
	if p.method == "CANCEL" { // in a version of its own
		versions = 7
	}
	switch rapid.IntRange(0, versions-1).Draw(t, "sequence") {
	case 7:
		text += "SEQUENCE:0\n"
	case 6: // none
	default:
		text += fmt.Sprintf("SEQUENCE:%d\n", n)
	}
	text += rapid.SampledFrom([]string{"", "", "", "TRANSP:OPAQUE\n", "TRANSP:TRANSPARENT\n"}).Draw(t, "transp")
	start, occurrence := e.start, e.start
	if !whole {
		start = e.occurrence(rapid.IntRange(0, 3).Draw(t, "occurrence"))
		occurrence = start
		text += "RECURRENCE-ID" + e.form.params + ":" + e.at(start) + "\n"
		p.east = e.form.east
		if e.form.east && p.to == "" && answers {
			p.needs = append(p.needs, "recurrences/"+e.uid+"/"+e.recurrenceID(start))
		}
	}
	switch {
	case p.method == "ADD":
		start = start.AddDate(0, 0, 20+rapid.IntRange(0, 2).Draw(t, "added"))
	case p.method != "REPLY" && oneIn(t, 3, "moved"):
		start = start.AddDate(0, 0, rapid.IntRange(0, 2).Draw(t, "by")).Add(2 * time.Hour)
	}
	for whole && e.shortened(start) {
		start = start.AddDate(0, 0, -1)
	}
	text += e.drawTimes(t, start)
	if whole && p.method != "ADD" {
		text += e.rule.text + "\n" + e.lines
	}
	p.events = append(p.events, text+drawParticipants(t, p.act))
	id := "objects/" + e.uid
	switch {
	case p.method == "ADD":
		id = "recurrences/" + e.uid + "/" + e.recurrenceID(start)
	case !whole:
		id = "recurrences/" + e.uid + "/" + e.recurrenceID(occurrence)
	}
	p.ids = append(p.ids, id)
}

// drawParticipants draws who is named in a message, and how.
func drawParticipants(t *rapid.T, a act) string {
	status := func(all ...string) string {
		return ";PARTSTAT=" + rapid.SampledFrom(all).Draw(t, "status")
	}
	answer := func(who string) string {
		return status("ACCEPTED", "ACCEPTED", "DECLINED", "TENTATIVE") + ":@" + who + "\n"
	}
	switch {
	case a.method == "REPLY" || a.method == "COUNTER" || a.method == "REFRESH":
		switch {
		case a.from == "simon" && oneIn(t, 2, "for another"):
			return `ATTENDEE;SENT-BY="@simon"` + answer("vincent")
		case a.from == "simon":
			return `ATTENDEE;DELEGATED-FROM="@vincent"` + answer("simon")
		case a.method == "REPLY" && oneIn(t, 5, "delegates"):
			return "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"@simon\":@" + a.from + "\nATTENDEE;DELEGATED-FROM=\"@" + a.from + "\";PARTSTAT=NEEDS-ACTION:@simon\n"
		}
		all := "ATTENDEE" + answer(a.from)
		if oneIn(t, 6, "others") { // who do not speak
			all += "ATTENDEE" + answer("paul") + "ATTENDEE" + answer(map[string]string{"vincent": "harvey", "harvey": "vincent"}[a.from])
		}
		return all
	case a.method == "DECLINECOUNTER":
		return "ATTENDEE:@vincent\n"
	case a.from == "vincent" && a.method == "REQUEST":
		return "ATTENDEE;PARTSTAT=ACCEPTED:@paul\nATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"@harvey\":@vincent\nATTENDEE;PARTSTAT=NEEDS-ACTION;DELEGATED-FROM=\"@vincent\":@harvey\n"
	}
	all := ""
	for _, who := range []string{"vincent", "harvey", "paul", "simon"} {
		if who == "vincent" && a.to == "vincent" && !oneIn(t, 12, "others only") || rapid.IntRange(0, 3).Draw(t, "names "+who) > map[string]int{"simon": 2}[who] {
			all += "ATTENDEE" + status("NEEDS-ACTION", "NEEDS-ACTION", "ACCEPTED", "ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED") + ":@" + who + "\n"
		}
	}
	if all == "" {
		all = "ATTENDEE:@vincent\n"
	}
	return all
}

// drawBusy draws what somebody says of their time, or asks for.
func drawBusy(t *rapid.T, a act, n int) string {
	day := time.Date(2026, 12, 1+rapid.IntRange(0, 8).Draw(t, "from"), 0, 0, 0, 0, time.UTC)
	text := fmt.Sprintf("UID:busy\nDTSTART:%s\nDTEND:%s\n", day.Format(inUTC), day.AddDate(0, 0, rapid.IntRange(1, 9).Draw(t, "for")).Format(inUTC))
	organizer := a.from
	if a.method == "REPLY" {
		organizer = a.to
		text += "ATTENDEE:@" + a.from + "\n"
	} else if a.method == "REQUEST" {
		text += "ATTENDEE:@" + a.to + "\n"
	}
	text += "ORGANIZER:@" + organizer + "\n"
	if a.method != "REQUEST" {
		for range rapid.IntRange(0, 3).Draw(t, "periods") {
			at := day.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "busy")) * 2 * time.Hour)
			value := at.Format(inUTC) + "/" + at.Add(time.Hour).Format(inUTC)
			if oneIn(t, 3, "for an hour") {
				value = at.Format(inUTC) + "/PT1H"
			}
			text += rapid.SampledFrom([]string{"FREEBUSY", "FREEBUSY;FBTYPE=BUSY", "FREEBUSY;FBTYPE=BUSY-TENTATIVE"}).Draw(t, "type") + ":" + value + "\n"
		}
	}
	return text
}

// isBusy reports whether the message is about somebody's time, and no event.
func (p plan) isBusy() bool { return p.component == "VFREEBUSY" }

// isToOneself reports whether the message tells a user's own records what they have sent to others.
func (p plan) isToOneself() bool {
	return p.to == "paul" && (p.method == "PUBLISH" || p.method == "CANCEL") && !p.isBusy()
}

// component returns the calendar of a step with its events as these components.
func (s *Step) component(name string) *Step {
	if name != "" {
		s.Message = []byte(strings.ReplaceAll(string(s.Message), ":VEVENT\n", ":"+name+"\n"))
	}
	return s
}
