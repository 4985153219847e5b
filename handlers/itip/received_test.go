package itip

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

const (
	eve    = "mailto:eve@example.com"
	dan    = "mailto:dan@example.com"
	system = "mailto:calendar@example.com"
)

// message is one that bob sends or receives.
type message struct {
	side   Side
	from   string // addresses, with commas between them
	method string // with " VFREEBUSY" for free/busy
	lines  string
}

func sent(method string, lines ...string) message {
	return message{Sent, bob, method, strings.Join(lines, "")}
}

func got(from, method string, lines ...string) message {
	return message{Received, from, method, strings.Join(lines, "")}
}

// change returns what a message says.
func (m message) change(t *testing.T) (c Change) {
	t.Helper()
	method, isFreeBusy := strings.CutSuffix(m.method, " VFREEBUSY")
	if isFreeBusy {
		calendars, err := calendar.Decode("BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nUID:busy\n" + m.lines + "\nEND:VFREEBUSY\nEND:VCALENDAR\n")
		if err != nil || len(calendars[0].FreeBusy) != 1 || calendars[0].FreeBusy[0].Err != nil {
			t.Fatalf("%+v, %v", calendars, err)
		}
		c = NewFreeBusyChange(method, calendars[0].FreeBusy[0].FreeBusy)
		c.SeveralOrganizers = len(calendars[0].FreeBusy[0].OtherOrganizers) > 0
	} else {
		var err error
		if c, _, err = NewChange(method, object(t, m.lines)); err != nil {
			t.Fatal(err)
		}
	}
	for from := range strings.SplitSeq(m.from, ",") {
		if from != "" {
			c.Senders = append(c.Senders, calendar.URI(from))
		}
	}
	return c
}

// handle applies what a message says.
func (r *room) handle(m message) Outcome {
	r.Helper()
	return r.change(m.change(r.T), m.side)
}

func (r *room) change(c Change, side Side) (o Outcome) {
	r.Helper()
	err := r.update(func(records *Records) (err error) {
		if o, err = records.Apply(c, side); err != nil {
			return err
		}
		return records.Finish()
	})
	if err != nil {
		r.Fatal(err)
	}
	return o
}

// state returns all that is stored, each thing in a line.
func (r *room) state() (all []string) {
	r.Helper()
	err := r.update(func(records *Records) (err error) {
		all, err = stateOf(records)
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return all
}

func stateOf(records *Records) (all []string, err error) {
	add := func(format string, args ...any) {
		all = append(all, strings.TrimRight(strings.ReplaceAll(fmt.Sprintf(format, args...), "@example.com", ""), " "))
	}
	for key, err := range records.Keys() {
		if err != nil {
			return nil, err
		}
		text, err := records.Get(key)
		if err != nil {
			return nil, err
		}
		o, err := calendar.DecodeObject(text)
		if err != nil {
			return nil, err
		}
		id := strings.TrimSuffix(key.UID+"/"+key.RecurrenceID, "/")
		add("%s %s %s", []string{"active", "cancelled", "counter"}[key.Part], strings.Trim(id+" "+string(key.Other), " "), inShort(o))
	}
	requests, err := records.Requests()
	if err != nil {
		return nil, err
	}
	for _, q := range requests {
		add("request %s %s", strings.TrimSuffix(q.UID+"/"+q.RecurrenceID, "/"), q.Type)
	}
	others, err := records.Others()
	if err != nil {
		return nil, err
	}
	tables := []stores.Table{{Kind: stores.Own}, {Kind: stores.Offers}}
	for _, other := range others {
		tables = append(tables, stores.Table{Kind: stores.Other, Other: other})
	}
	for _, which := range tables {
		table, err := records.Periods(which)
		if err != nil {
			return nil, err
		}
		for p := range table.All() {
			name := strings.Trim([]string{"busy", "offered", "known of"}[which.Kind]+" "+strings.TrimPrefix(string(which.Other), "mailto:"), " ")
			add("%s %s-%s %s", name, p.Start.Format("02 1504"), p.End.Format("02 1504"), strings.TrimSuffix(p.UID+"/"+p.RecurrenceID, "/")+" "+p.Transp+" "+strings.TrimPrefix(p.Organizer, "mailto:"))
		}
	}
	slices.Sort(all)
	return all, nil
}

// inShort says in short what an object is.
func inShort(o *calendar.Object) string {
	sequence, _ := o.Sequence()
	organizer, _ := o.Organizer()
	words := []string{fmt.Sprint(sequence), "by", strings.TrimPrefix(string(organizer), "mailto:")}
	if sentBy := o.OrganizerSentBy(); sentBy != "" {
		words = append(words, "("+strings.TrimPrefix(string(sentBy), "mailto:")+")")
	}
	var attendees []string
	for _, a := range o.Attendees() {
		attendees = append(attendees, strings.TrimSuffix(strings.TrimPrefix(string(a.URI), "mailto:")+"="+a.PartStat(), "="))
	}
	slices.Sort(attendees)
	words = append(append(words, "at", strings.TrimPrefix(o.Value("DTSTART"), "202612")), attendees...)
	if o.Summary() != "" {
		words = append(words, fmt.Sprintf("%q", o.Summary()))
	}
	return strings.Join(words, " ")
}

// difference returns what was stored and is not, after "-", and what is and was not, after "+".
func difference(before, after []string) (lines []string) {
	for _, line := range before {
		if !slices.Contains(after, line) {
			lines = append(lines, "- "+line)
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			lines = append(lines, "+ "+line)
		}
	}
	return lines
}

// answers says in short what is to be sent, each answer in a line.
func answers(o Outcome) (lines []string) {
	for _, a := range o.Answers {
		words := []string{"> " + string(a.To), []string{"asks", "updates", "refreshes", "tells"}[a.Kind], []string{"organizer", "attendee"}[a.As]}
		for _, d := range a.Parts {
			words = append(words, d.Method)
			for _, object := range d.Objects {
				id, _ := object.RecurrenceID()
				words = append(words, strings.TrimSuffix(object.UID()+"/"+id, "/"), "["+inShort(object)+"]")
			}
			for _, f := range d.FreeBusy {
				words = append(words, f.UID, "["+string(f.Organizer.URI)+"("+string(f.Organizer.SentBy())+")")
				for _, attendee := range f.Attendees {
					words = append(words, string(attendee.URI)+"("+string(attendee.SentBy())+")")
				}
				for _, p := range append([]calendar.BusyPeriod{{Start: f.Start, End: f.End}}, f.Periods...) {
					words = append(words, strings.ReplaceAll(p.Start.Format("0102 1504-")+p.End.Format("0102 1504"), "0101 0000", ""))
				}
				words[len(words)-1] += "]"
			}
		}
		line := strings.NewReplacer("@example.com", "", "mailto:", "").Replace(strings.Join(words, " "))
		lines = append(lines, line)
	}
	return lines
}

// Lines of the events of these tests.
const (
	byAnn    = "ORGANIZER:" + ann + "\nATTENDEE;PARTSTAT=ACCEPTED:" + ann + "\nATTENDEE;PARTSTAT=NEEDS-ACTION:" + bob + "\nATTENDEE:" + eve + "\n"
	byBob    = "ORGANIZER:" + bob + "\nATTENDEE;PARTSTAT=ACCEPTED:" + bob + "\nATTENDEE;PARTSTAT=ACCEPTED:" + eve + "\nATTENDEE;PARTSTAT=ACCEPTED:" + dan + "\n"
	at9      = "DTSTART:20261202T090000Z\nDTEND:20261202T100000Z\n"
	on9      = second + "DTSTART:20261209T090000Z\nDTEND:20261209T100000Z\n"
	moved    = second + "DTSTART:20261209T150000Z\nDTEND:20261209T160000Z\n"
	third    = "RECURRENCE-ID:20261216T090000Z\nDTSTART:20261216T090000Z\nDTEND:20261216T100000Z\n"
	accepts  = "ORGANIZER:" + ann + "\nATTENDEE;PARTSTAT=ACCEPTED:" + bob + "\n"
	toBob    = "ORGANIZER:" + bob + "\n"
	accepted = toBob + "ATTENDEE;PARTSTAT=ACCEPTED:" + eve + "\n"
	declined = toBob + "ATTENDEE;PARTSTAT=DECLINED:" + eve + "\n"
	untimed  = "SEQUENCE:1\nDTSTAMP:20261122T113000Z\n"
	latest   = "SEQUENCE:3\nDTSTAMP:20261122T113000Z\n"
)

// What messages change that bob receives, what is to be sent, and what the user learns.
func TestReceived(t *testing.T) {
	series := got(ann, "REQUEST", byAnn, version, at9, weekly)
	agreed := sent("REPLY", accepts, version, at9)
	ownSeries := sent("REQUEST", byBob, version, at9, weekly)
	ownEvent := sent("REQUEST", byBob, version, at9)
	for _, c := range []struct {
		name   string
		wants  func(*preferences.Preferences)
		before []message
		message
		want []string
		news NewsKind
	}{
		{"invited", nil, nil, got(ann, "REQUEST", byAnn, version, at9), []string{
			"+ active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ known of ann 02 0900-02 1000 meeting OPAQUE ann",
			"+ request meeting"}, Invitation},
		{"an event changed, that was answered", nil, []message{series, agreed}, got(ann, "REQUEST", byAnn, newer, "TRANSP:TRANSPARENT\n", at9), []string{
			"- active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=ACCEPTED eve",
			"- known of ann 02 0900-02 1000 meeting OPAQUE ann", "- known of ann 09 0900-09 1000 meeting OPAQUE ann", "- known of ann 16 0900-16 1000 meeting OPAQUE ann",
			"+ active meeting 2 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ known of ann 02 0900-02 1000 meeting TRANSPARENT ann",
			"+ request meeting"}, Invitation},
		{"an organizer who does not attend", nil, []message{series}, got(ann, "REQUEST", strings.Replace(byAnn, "ATTENDEE;PARTSTAT=ACCEPTED:"+ann+"\n", "", 1), newer, at9), []string{
			"- active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"- known of ann 02 0900-02 1000 meeting OPAQUE ann", "- known of ann 09 0900-09 1000 meeting OPAQUE ann", "- known of ann 16 0900-16 1000 meeting OPAQUE ann",
			"+ active meeting 2 by ann at 02T090000Z bob=NEEDS-ACTION eve"}, Invitation},
		{"the very revision that was answered", nil, []message{series, agreed}, series, nil, Invitation},
		{"an occurrence moved", nil, []message{series, agreed}, got(ann, "REQUEST", byAnn, newer, moved), []string{
			"- known of ann 09 0900-09 1000 meeting OPAQUE ann",
			"+ active meeting/20261209T090000Z 2 by ann at 09T150000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ known of ann 09 1500-09 1600 meeting/20261209T090000Z OPAQUE ann",
			"+ request meeting/20261209T090000Z"}, Invitation},
		{"an event sent again drops its occurrences", nil, []message{series, got(ann, "REQUEST", byAnn, version, moved), got(ann, "CANCEL", byAnn, version, third)},
			got(ann, "REQUEST", byAnn, newer, at9, weekly), []string{
				"- active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
				"- active meeting/20261209T090000Z 1 by ann at 09T150000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
				"- cancelled meeting/20261216T090000Z 1 by ann at 16T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
				"- known of ann 09 1500-09 1600 meeting/20261209T090000Z OPAQUE ann",
				"- request meeting/20261209T090000Z",
				"+ active meeting 2 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
				"+ known of ann 09 0900-09 1000 meeting OPAQUE ann", "+ known of ann 16 0900-16 1000 meeting OPAQUE ann"}, Invitation},
		{"an occurrence takes place after all", nil, []message{series, got(ann, "CANCEL", byAnn, version, on9)}, got(ann, "REQUEST", byAnn, newer, on9), []string{
			"- cancelled meeting/20261209T090000Z 1 by ann at 09T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ active meeting/20261209T090000Z 2 by ann at 09T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ known of ann 09 0900-09 1000 meeting/20261209T090000Z OPAQUE ann",
			"+ request meeting/20261209T090000Z"}, Invitation},
		{"an invitation to what waits already", nil, []message{series}, got(ann, "REQUEST", byAnn, newer, at9, weekly), []string{
			"- active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ active meeting 2 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve"}, Invitation},
		{"invited by who acts for the organizer", nil, nil, got(dan, "REQUEST", strings.Replace(byAnn, "ORGANIZER", "ORGANIZER;SENT-BY=\""+dan+"\"", 1), version, at9), []string{
			"+ active meeting 1 by ann (dan) at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ known of ann 02 0900-02 1000 meeting OPAQUE ann",
			"+ request meeting"}, Invitation},
		{"delegated to the user", nil, nil, got(eve, "REQUEST", "ORGANIZER:", ann, "\nATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\""+bob+"\":"+eve+"\nATTENDEE;DELEGATED-FROM=\""+eve+"\":"+bob+"\n", version, at9), []string{
			"+ active meeting 1 by ann at 02T090000Z bob eve=DELEGATED",
			"+ request meeting"}, Invitation},
		{"an attendee becomes the organizer", nil, []message{series}, got(eve, "REQUEST", strings.Replace(byAnn, "ORGANIZER:"+ann, "ORGANIZER:"+eve, 1), newer, at9), []string{
			"- active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ active meeting 2 by eve at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ known of eve 02 0900-02 1000 meeting OPAQUE eve"}, Invitation},
		{"anybody becomes the organizer", func(p *preferences.Preferences) { p.Replacement = preferences.AnybodyReplaces }, []message{series},
			got(dan, "REQUEST", strings.Replace(byAnn, "ORGANIZER:"+ann, "ORGANIZER:"+dan, 1), newer, at9), []string{
				"- active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
				"+ active meeting 2 by dan at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve"}, Invitation},

		{"published", nil, nil, got(ann, "PUBLISH", byAnn, version, at9), []string{
			"+ active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ known of ann 02 0900-02 1000 meeting OPAQUE ann"}, Details},
		{"published to oneself", nil, []message{got(eve, "COUNTER", accepted, version, at9)}, got(system, "PUBLISH", "ORGANIZER;SENT-BY=\""+system+"\":", bob, "\nATTENDEE:", eve, "\n", version, at9, weekly), []string{
			"+ active meeting 1 by bob (calendar) at 02T090000Z eve",
			"+ busy 02 0900-02 1000 meeting ORG bob", "+ busy 09 0900-09 1000 meeting ORG bob", "+ busy 16 0900-16 1000 meeting ORG bob"}, Details},
		{"published to oneself again, with what is stored apart", nil, []message{ownSeries, got(eve, "REPLY", declined, version, on9), got(eve, "COUNTER", accepted, version, moved)},
			got(bob, "PUBLISH", byBob, newer, at9, weekly), []string{
				"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED",
				"+ active meeting 2 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED"}, Details},

		{"published to oneself as what does not take place", nil, []message{ownSeries, got(eve, "REPLY", declined, version, on9), got(eve, "COUNTER", accepted, version, at9)},
			got(bob, "PUBLISH", byBob, newer, at9, weekly, "STATUS:CANCELLED\n"), []string{
				"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED",
				"- active meeting/20261209T090000Z 1 by bob at 09T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED",
				"- busy 02 0900-02 1000 meeting OPAQUE bob", "- busy 09 0900-09 1000 meeting/20261209T090000Z OPAQUE bob", "- busy 16 0900-16 1000 meeting OPAQUE bob",
				"- counter meeting mailto:eve 1 by bob at 02T090000Z eve=ACCEPTED",
				"- known of dan 09 0900-09 1000 meeting/20261209T090000Z OPAQUE bob",
				"- request meeting COUNTER",
				"+ cancelled meeting 2 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED"}, Cancellation},
		{"called off", nil, []message{series, agreed, got(ann, "REQUEST", byAnn, newer, moved), got(ann, "CANCEL", byAnn, version, third)}, got(ann, "CANCEL", byAnn, latest, at9), []string{
			"- active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=ACCEPTED eve",
			"- active meeting/20261209T090000Z 2 by ann at 09T150000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"- busy 02 0900-02 1000 meeting OPAQUE ann", "- busy 09 0900-09 1000 meeting OPAQUE ann",
			"- cancelled meeting/20261216T090000Z 1 by ann at 16T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"- known of ann 02 0900-02 1000 meeting OPAQUE ann", "- known of ann 09 1500-09 1600 meeting/20261209T090000Z OPAQUE ann",
			"- request meeting/20261209T090000Z",
			"+ cancelled meeting 3 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve"}, Cancellation},
		{"an occurrence called off, for this user, shortly", nil, []message{series, agreed}, got(ann, "CANCEL", "ORGANIZER:", ann, "\nATTENDEE:", bob, "\n", newer, second), []string{
			"- busy 09 0900-09 1000 meeting OPAQUE ann",
			"- known of ann 09 0900-09 1000 meeting OPAQUE ann",
			"+ cancelled meeting/20261209T090000Z 2 by ann at  bob"}, Cancellation},
		{"called off without attendees", nil, []message{series}, got(ann, "CANCEL", "ORGANIZER:", ann, "\n", newer), []string{
			"- active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"- request meeting",
			"+ cancelled meeting 2 by ann at"}, Cancellation},
		{"called off before the invitation", nil, nil, got(ann, "CANCEL", byAnn, newer, at9), []string{
			"+ cancelled meeting 2 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve"}, Cancellation},
		{"called off by STATUS", nil, []message{series}, got(ann, "REQUEST", byAnn, newer, at9, "STATUS:CANCELLED\n"), []string{
			"- active meeting 1 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"- known of ann 02 0900-02 1000 meeting OPAQUE ann", "- known of ann 09 0900-09 1000 meeting OPAQUE ann", "- known of ann 16 0900-16 1000 meeting OPAQUE ann",
			"- request meeting",
			"+ cancelled meeting 2 by ann at 02T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve"}, Cancellation},
		{"all later occurrences called off", nil, []message{series, agreed, got(ann, "REQUEST", byAnn, version, third)},
			got(ann, "CANCEL", byAnn, newer, strings.Replace(on9, "RECURRENCE-ID", "RECURRENCE-ID;RANGE=THISANDFUTURE", 1)), []string{
				"- active meeting/20261216T090000Z 1 by ann at 16T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
				"- busy 09 0900-09 1000 meeting OPAQUE ann", "- busy 16 0900-16 1000 meeting OPAQUE ann",
				"- known of ann 09 0900-09 1000 meeting OPAQUE ann", "- known of ann 16 0900-16 1000 meeting/20261216T090000Z OPAQUE ann",
				"- request meeting/20261216T090000Z",
				"+ cancelled meeting/20261209T090000Z 2 by ann at 09T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
				"+ cancelled meeting/20261216T090000Z 1 by ann at 16T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve"}, Cancellation},
		{"called off to oneself", nil, []message{ownSeries, got(eve, "REPLY", declined, version, on9), got(eve, "COUNTER", accepted, version, third), got(eve, "COUNTER", accepted, version, at9), got(dan, "REPLY", toBob, "ATTENDEE;PARTSTAT=TENTATIVE:", dan, "\n", version, at9)},
			got(system, "CANCEL", strings.Replace(byBob, "ORGANIZER", "ORGANIZER;SENT-BY=\""+system+"\"", 1), newer, at9), []string{
				"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=TENTATIVE eve=ACCEPTED",
				"- active meeting/20261209T090000Z 1 by bob at 09T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED",
				"- busy 02 0900-02 1000 meeting OPAQUE bob", "- busy 09 0900-09 1000 meeting/20261209T090000Z OPAQUE bob", "- busy 16 0900-16 1000 meeting OPAQUE bob",
				"- counter meeting mailto:eve 1 by bob at 02T090000Z eve=ACCEPTED", "- counter meeting/20261216T090000Z mailto:eve 1 by bob at 16T090000Z eve=ACCEPTED",
				"- known of dan 02 0900-02 1000 meeting OPAQUE bob", "- known of dan 09 0900-09 1000 meeting/20261209T090000Z OPAQUE bob", "- known of dan 16 0900-16 1000 meeting OPAQUE bob",
				"- request meeting COUNTER", "- request meeting/20261216T090000Z COUNTER",
				"+ cancelled meeting 2 by bob (calendar) at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED"}, Cancellation},

		{"answered", nil, []message{ownSeries}, got(eve, "REPLY", toBob, "ATTENDEE;PARTSTAT=TENTATIVE:", eve, "\nATTENDEE;PARTSTAT=DECLINED:", dan, "\n", version, at9), []string{
			"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED",
			"+ active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=TENTATIVE",
			"+ known of eve 02 0900-02 1000 meeting OPAQUE bob", "+ known of eve 09 0900-09 1000 meeting OPAQUE bob", "+ known of eve 16 0900-16 1000 meeting OPAQUE bob"}, Answered},
		{"declined, without times", nil, []message{ownEvent, got(eve, "REPLY", accepted, untimed)}, got(eve, "REPLY", declined, untimed), []string{
			"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED",
			"- known of eve 02 0900-02 1000 meeting OPAQUE bob",
			"+ active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED"}, Answered},
		{"answered without a status", nil, []message{ownEvent}, got(eve, "REPLY", toBob, "ATTENDEE:", eve, "\n", version, at9), []string{
			"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED",
			"+ active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve",
			"+ known of eve 02 0900-02 1000 meeting ORG bob"}, Answered},
		{"answered by who acts for an attendee", nil, []message{ownEvent}, got(ann, "REPLY", toBob, "ATTENDEE;SENT-BY=\"", ann, "\";PARTSTAT=DECLINED:", eve, "\n", version, at9), []string{
			"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED",
			"+ active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED"}, Answered},
		{"delegated", nil, []message{ownEvent, got(eve, "REPLY", accepted, version, at9)}, got(eve, "REPLY", toBob, "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"", ann, "\":", eve, "\n", version, at9), []string{
			"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED",
			"- known of eve 02 0900-02 1000 meeting OPAQUE bob",
			"+ active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=DELEGATED"}, Answered},
		{"answered by a delegate", nil, []message{ownEvent, got(eve, "REPLY", toBob, "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"", ann, "\":", eve, "\n", version, at9)},
			got(ann, "REPLY", toBob, "ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM=\"", eve, "\":", ann, "\n", version, at9), []string{
				"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=DELEGATED",
				"+ active meeting 1 by bob at 02T090000Z ann=ACCEPTED bob=ACCEPTED dan=ACCEPTED eve=DELEGATED",
				"+ known of ann 02 0900-02 1000 meeting OPAQUE bob"}, Answered},
		{"an occurrence answered, which is as its event has it", nil, []message{ownSeries, got(eve, "REPLY", accepted, version, at9)},
			got(eve, "REPLY", declined, "SEQUENCE:9\nSUMMARY:Buy this\nATTENDEE:", dan, "\n", moved), []string{
				"- busy 09 0900-09 1000 meeting OPAQUE bob",
				"- known of eve 09 0900-09 1000 meeting OPAQUE bob",
				"+ active meeting/20261209T090000Z 1 by bob at 09T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED",
				"+ busy 09 0900-09 1000 meeting/20261209T090000Z OPAQUE bob",
				"+ known of dan 09 0900-09 1000 meeting/20261209T090000Z OPAQUE bob",
				"> dan updates organizer REQUEST meeting/20261209T090000Z [1 by bob (calendar) at 09T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED]"}, Answered},
		{"an occurrence answered that is stored apart", nil, []message{ownSeries, got(eve, "REPLY", declined, version, on9)}, got(eve, "REPLY", accepted, untimed, second), []string{
			"- active meeting/20261209T090000Z 1 by bob at 09T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED",
			"+ active meeting/20261209T090000Z 1 by bob at 09T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED",
			"+ known of eve 09 0900-09 1000 meeting/20261209T090000Z OPAQUE bob"}, Answered},
		{"answered by who is not invited", nil, []message{ownSeries}, got(ann, "REPLY", toBob, "ATTENDEE;PARTSTAT=ACCEPTED:", ann, "\n", version, at9), nil, Answered},
		{"an occurrence answered by who is not invited", nil, []message{ownSeries}, got(ann, "REPLY", toBob, "ATTENDEE;PARTSTAT=ACCEPTED:", ann, "\n", version, on9), nil, Answered},

		{"another time proposed", nil, []message{ownEvent}, got(eve, "COUNTER", toBob, "ATTENDEE;PARTSTAT=TENTATIVE:", eve, "\nATTENDEE:", dan, "\n", version, "DTSTART:20261203T090000Z\n"), []string{
			"- active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED",
			"+ active meeting 1 by bob at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=TENTATIVE",
			"+ counter meeting mailto:eve 1 by bob at 03T090000Z dan eve=TENTATIVE",
			"+ request meeting COUNTER"}, Proposal},
		{"another time proposed in other letters", nil, []message{ownEvent, got(eve, "COUNTER", accepted, version, at9)}, got("mailto:EVE@example.com", "COUNTER", strings.Replace(accepted, "eve", "EVE", 1), version, "DTSTART:20261203T090000Z\n"), []string{
			"- counter meeting mailto:eve 1 by bob at 02T090000Z eve=ACCEPTED",
			"+ counter meeting mailto:eve 1 by bob at 03T090000Z EVE=ACCEPTED"}, Proposal},
		{"another time proposed of an occurrence", nil, []message{ownSeries}, got(eve, "COUNTER", accepted, version, moved), []string{
			"+ counter meeting/20261209T090000Z mailto:eve 1 by bob at 09T150000Z eve=ACCEPTED",
			"+ request meeting/20261209T090000Z COUNTER"}, Proposal},
		{"proposed by who is not invited", nil, []message{ownEvent}, got(ann, "COUNTER", toBob, "ATTENDEE:", ann, "\n", version, at9), nil, Proposal},
		{"a proposal turned down", func(p *preferences.Preferences) { p.Offers = 1e12 }, []message{series, sent("COUNTER", accepts, version, moved), sent("COUNTER", accepts, version, "DTSTART:20261203T090000Z\n")},
			got(ann, "DECLINECOUNTER", "ORGANIZER:", ann, "\nATTENDEE:", bob, "\n", newer), []string{
				"- offered 03 0900-03 0900 meeting OPAQUE ann", "- offered 09 1500-09 1600 meeting/20261209T090000Z OPAQUE ann"}, DeclinedProposal},
		{"a proposal turned down for an occurrence", func(p *preferences.Preferences) { p.Offers = 1e12 }, []message{series, sent("COUNTER", accepts, version, moved)},
			got(ann, "DECLINECOUNTER", byAnn, newer, on9), []string{"- offered 09 1500-09 1600 meeting/20261209T090000Z OPAQUE ann"}, DeclinedProposal},

		{"added, and asked for", nil, []message{series}, got(ann, "ADD", byAnn, newer, "DTSTART:20261211T090000Z\nDTEND:20261211T100000Z\n"), []string{
			"> ann asks attendee REFRESH meeting [0 by ann at  bob=NEEDS-ACTION]"}, Silence},
		{"added to nothing", func(p *preferences.Preferences) { p.AddResponse = preferences.TakeOver }, nil, got(ann, "ADD", byAnn, newer, at9), []string{
			"> ann asks attendee REFRESH meeting [0 by ann at  bob=NEEDS-ACTION]"}, Silence},
		{"added, and taken over", func(p *preferences.Preferences) { p.AddResponse = preferences.TakeOver }, []message{series}, got(ann, "ADD", byAnn, newer, "DTSTART:20261211T090000Z\nDTEND:20261211T100000Z\n"), []string{
			"+ active meeting/20261211T090000Z 2 by ann at 11T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve",
			"+ known of ann 11 0900-11 1000 meeting/20261211T090000Z OPAQUE ann",
			"+ request meeting/20261211T090000Z"}, Addition},
		{"added as called off", func(p *preferences.Preferences) { p.AddResponse = preferences.TakeOver }, []message{series},
			got(ann, "ADD", byAnn, newer, "STATUS:CANCELLED\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z\n"), []string{
				"- known of ann 09 0900-09 1000 meeting OPAQUE ann",
				"+ cancelled meeting/20261209T090000Z 2 by ann at 09T090000Z ann=ACCEPTED bob=NEEDS-ACTION eve"}, Cancellation},

		{"asked for", nil, []message{ownEvent}, got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n", version), nil, Question},
		{"asked for, and sent", func(p *preferences.Preferences) { p.Refreshing = true }, []message{ownSeries, got(eve, "REPLY", declined, version, on9), sent("CANCEL", byBob, newer, third)},
			got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n", version), []string{
				"> eve refreshes organizer REQUEST meeting [1 by bob (calendar) at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED]" +
					" REQUEST meeting/20261209T090000Z [1 by bob (calendar) at 09T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED]" +
					" CANCEL meeting/20261216T090000Z [2 by bob (calendar) at 16T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED]"}, Silence},
		{"an occurrence asked for", func(p *preferences.Preferences) { p.Refreshing = true }, []message{ownSeries, got(eve, "REPLY", declined, version, on9)},
			got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n", version, second), []string{
				"> eve refreshes organizer REQUEST meeting/20261209T090000Z [1 by bob (calendar) at 09T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED]"}, Silence},
		{"an occurrence asked for that is not stored apart", func(p *preferences.Preferences) { p.Refreshing = true }, []message{ownSeries, got(eve, "REPLY", declined, version, on9)},
			got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n", version, "RECURRENCE-ID:20261202T090000Z\n"), []string{
				"> eve refreshes organizer REQUEST meeting [1 by bob (calendar) at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED]" +
					" REQUEST meeting/20261209T090000Z [1 by bob (calendar) at 09T090000Z bob=ACCEPTED dan=ACCEPTED eve=DECLINED]"}, Silence},
		{"a cancelled occurrence asked for", func(p *preferences.Preferences) { p.Refreshing = true }, []message{ownSeries, sent("CANCEL", byBob, newer, third)},
			got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n", version, "RECURRENCE-ID:20261216T090000Z\n"), []string{
				"> eve refreshes organizer CANCEL meeting/20261216T090000Z [2 by bob (calendar) at 16T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED]"}, Silence},
		{"a cancelled event asked for", func(p *preferences.Preferences) { p.Refreshing = true }, []message{ownEvent, sent("CANCEL", byBob, newer, at9)},
			got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n", version), []string{
				"> eve refreshes organizer CANCEL meeting [2 by bob (calendar) at 02T090000Z bob=ACCEPTED dan=ACCEPTED eve=ACCEPTED]"}, Silence},
		{"asked for by who does not attend", func(p *preferences.Preferences) { p.Refreshing = true }, []message{ownEvent}, got(ann, "REFRESH", toBob, "ATTENDEE:", ann, "\n", version), nil, Question},

		{"free/busy published", nil, []message{series}, got(ann, "PUBLISH VFREEBUSY", "ORGANIZER:", ann, "\nDTSTART:20261202T093000Z\nDTEND:20261209T090000Z\nFREEBUSY:20261203T090000Z/PT1H,20261204T090000Z/PT1H\nFREEBUSY;FBTYPE=FREE:20261205T090000Z/PT1H\n"), []string{
			"- known of ann 02 0900-02 1000 meeting OPAQUE ann",
			"+ known of ann 03 0900-03 1000  OPAQUE", "+ known of ann 04 0900-04 1000  OPAQUE"}, Silence},
		{"free/busy published, without an end", func(p *preferences.Preferences) { p.Notifying = true }, []message{series}, got(ann, "PUBLISH VFREEBUSY", "ORGANIZER:", ann, "\nDTSTART:20261209T090000Z\n"), []string{
			"- known of ann 09 0900-09 1000 meeting OPAQUE ann", "- known of ann 16 0900-16 1000 meeting OPAQUE ann"}, BusyTimes},
		{"free/busy told", nil, []message{ownSeries, got(eve, "REPLY", accepted, version, at9)}, got(eve, "REPLY VFREEBUSY", toBob, "ATTENDEE:", eve, "\nATTENDEE:", dan, "\nDTEND:20261209T090000Z\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20261203T090000Z/PT1H\n"), []string{
			"- known of eve 02 0900-02 1000 meeting OPAQUE bob",
			"+ known of eve 03 0900-03 1000  OPAQUE"}, Silence},
		{"free/busy asked for, where the user does not attend", nil, []message{sent("REQUEST", "ORGANIZER:", bob, "\nATTENDEE:", eve, "\n", version, at9)},
			got(eve, "REQUEST VFREEBUSY", "ORGANIZER:", eve, "\nATTENDEE:", bob, "\n"), []string{"> eve tells attendee REPLY busy [eve() bob(calendar) -]"}, Silence},
		{"free/busy asked for", nil, []message{ownSeries},
			got(eve, "REQUEST VFREEBUSY", "ORGANIZER:", eve, "\nATTENDEE:", bob, "\nATTENDEE:", dan, "\nDTSTART:20261202T093000Z\nDTEND:20261210T000000Z\n"), []string{
				"> eve tells attendee REPLY busy [eve() bob(calendar) 1202 0930-1210 0000 1202 0900-1202 1000 1209 0900-1209 1000]"}, Silence},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t)
			if c.wants != nil {
				c.wants(&r.wants)
			}
			for _, m := range c.before {
				r.handle(m)
			}
			before := r.state()
			o := r.handle(c.message)
			after := r.state()
			if got := append(difference(before, after), answers(o)...); !slices.Equal(got, c.want) {
				t.Errorf("%s\n%s\nwant\n%s", o, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if o.News.Kind != c.news {
				t.Errorf("news %d, want %d", o.News.Kind, c.news)
			}
			// Once more leaves the same.
			r.handle(c.message)
			if again := difference(after, r.state()); len(again) > 0 {
				t.Errorf("once more:\n%s", strings.Join(again, "\n"))
			}
		})
	}
}

// An occurrence of an event that ends when it begins says so, too: the original reads none without an end.
func TestOccurrenceWithoutLength(t *testing.T) {
	for ends, want := range map[string]bool{"DTEND:20261202T090000Z\n": true, "DURATION:PT0S\n": true, "": false} {
		r := newRoom(t)
		r.handle(sent("REQUEST", byBob, version, "DTSTART:20261202T090000Z\n", ends, weekly))
		r.handle(got(eve, "REPLY", accepted, version, second))
		err := r.update(func(records *Records) error {
			text, err := records.Get(stores.Key{Part: stores.Active, ID: stores.ID{UID: "meeting", RecurrenceID: "20261209T090000Z"}})
			if strings.Contains(string(text), "DTEND:20261209T090000Z") != want {
				t.Errorf("of an event with %q: %s", ends, text)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// The occurrence that an answer makes one of its own is of the answer's time, unless that is to an older version or from
// the future.
func TestStampOfOccurrence(t *testing.T) {
	const later = "DTSTAMP:20261122T113000Z"
	for version, want := range map[string]string{
		"SEQUENCE:1\n" + later:                 later,
		later:                                  later,
		"SEQUENCE:7\n" + later:                 later,
		"SEQUENCE:0\n" + later:                 "DTSTAMP:20261122T110000Z",
		"SEQUENCE:1\nDTSTAMP:20261122T100000Z": "DTSTAMP:20261122T110000Z",
		"SEQUENCE:1\nDTSTAMP:20990101T000000Z": "DTSTAMP:20261122T110000Z",
		"SEQUENCE:1":                           "DTSTAMP:20261122T110000Z",
	} {
		r := newRoom(t)
		r.handle(sent("REQUEST", byBob, "SEQUENCE:1\nDTSTAMP:20261122T110000Z\n", at9, weekly))
		r.handle(got(eve, "REPLY", accepted, version+"\n", on9))
		err := r.update(func(records *Records) error {
			text, err := records.Get(stores.Key{Part: stores.Active, ID: stores.ID{UID: "meeting", RecurrenceID: "20261209T090000Z"}})
			if !strings.Contains(string(text), want) || !strings.Contains(string(text), "SEQUENCE:1") {
				t.Errorf("after %q: %s", version, text)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
