package calendar

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// object returns the object with these content lines.
func object(t *testing.T, lines ...string) *Object {
	t.Helper()
	o, err := DecodeObject([]byte("BEGIN:VEVENT\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n"))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRecurrenceID(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       string // "!" for an error
	}{
		{"none", "A:1", ""},
		{"date", "RECURRENCE-ID;VALUE=DATE:20261202", "20261202"},
		{"date without VALUE", "RECURRENCE-ID:20261202", "20261202"},
		{"floating", "RECURRENCE-ID:20261202T090000", "20261202T090000"},
		{"UTC", "RECURRENCE-ID:20261202T090000Z", "20261202T090000Z"},
		{"UTC as the original writes it", "RECURRENCE-ID;TZID=UTC:20261202T090000Z", "20261202T090000Z"},
		{"with a zone: the instant", "RECURRENCE-ID;TZID=Europe/Oslo:20261202T090000", "20261202T080000Z"},
		{"in summer", "RECURRENCE-ID;TZID=Europe/Oslo:20260702T090000", "20260702T070000Z"},
		{"before UTC's day", "RECURRENCE-ID;TZID=Asia/Tokyo:20261202T030000", "20261201T180000Z"},
		{"date with a zone: the start of the day", "RECURRENCE-ID;TZID=Europe/Oslo;VALUE=DATE:20261202", "20261201T230000Z"},
		{"a day that begins in a gap", "RECURRENCE-ID;TZID=America/Sao_Paulo;VALUE=DATE:20171015", "20171015T030000Z"},
		{"in a gap: the offset before it", "RECURRENCE-ID;TZID=Europe/Oslo:20270328T023000", "20270328T013000Z"},
		{"a time that comes twice: the first", "RECURRENCE-ID;TZID=Europe/Oslo:20271031T023000", "20271031T003000Z"},
		{"a name of Windows", "RECURRENCE-ID;TZID=W. Europe Standard Time:20261202T090000", "20261202T080000Z"},
		{"an unknown zone: floating", "RECURRENCE-ID;TZID=Nowhere:20261202T090000", "20261202T090000"},
		{"with RANGE", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261202T090000Z", "20261202T090000Z"},
		{"lower case", "RECURRENCE-ID:20261202t090000z", "20261202T090000Z"},
		{"empty", "RECURRENCE-ID:", "!"},
		{"no date", "RECURRENCE-ID:tomorrow", "!"},
		{"no such day", "RECURRENCE-ID:20260230", "!"},
		{"no such hour", "RECURRENCE-ID:20261202T250000", "!"},
		{"no seconds", "RECURRENCE-ID:20261202T0900", "!"},
		{"two", "RECURRENCE-ID:20261202,20261203", "!"},
		{"a path", "RECURRENCE-ID:../../../x", "!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := object(t, c.line).RecurrenceID()
			if err != nil {
				got = "!"
			}
			if got != c.want {
				t.Errorf("%q (%v), want %q", got, err, c.want)
			}
		})
	}
}

// What the original takes a value for was read off it: it knows the escapes of
// comma, semicolon and line break, and leaves any other backslash where it is.
func TestTexts(t *testing.T) {
	for _, c := range []struct{ value, uid, summary string }{
		{`plain`, "plain", "plain"},
		{`a\,b\;c`, "a,b;c", "a,b;c"},
		{`a,b;c`, "a,b;c", "a,b;c"},
		{`a\nb\Nc`, "a\nb\nc", "a\nb\nc"},
		{`a\\b`, `a\\b`, `a\b`},
		{`a\b`, `a\b`, `a\b`},
		{`a\\\b`, `a\\\b`, `a\\b`},
		{`a\\\,b`, `a\\,b`, `a\,b`},
		{`a\\nb`, "a\\\nb", `a\nb`},
		{`a\:b\"`, `a\:b\"`, `a\:b\"`},
		{`a\`, `a\`, `a\`},
		{` a `, " a ", " a "},
		{``, "", ""},
	} {
		o := object(t, "UID:"+c.value, "SUMMARY:"+c.value)
		if got := o.UID(); got != c.uid {
			t.Errorf("UID:%s is %q, want %q", c.value, got, c.uid)
		}
		if got := o.Summary(); got != c.summary {
			t.Errorf("SUMMARY:%s is %q, want %q", c.value, got, c.summary)
		}
	}
	for _, text := range []string{"", "plain", `a,b;c\d` + "\ne", `\n`, `\\`, "\n\n"} {
		if got := unescapeText(encodeText(text)); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestAccessors(t *testing.T) {
	full := object(t, "SEQUENCE:2", "DTSTAMP:20261101T000000Z", "TRANSP:transparent", `ORGANIZER;SENT-BY="MAILTO:s@x":MAILTO:o@x`)
	bare := object(t, "A:1")

	type facts struct {
		Sequence       int
		Stamp, Transp  string
		Organizer, By  URI
		HasS, HasD, Is bool
		Has            bool
	}
	of := func(o *Object) (f facts) {
		f.Sequence, f.HasS = o.Sequence()
		f.Stamp, f.HasD = o.Stamp()
		f.Organizer, f.Is = o.Organizer()
		f.By, f.Transp, f.Has = o.OrganizerSentBy(), o.Transp(), o.Has("dtstamp")
		return f
	}
	want := facts{2, "20261101T000000Z", "TRANSPARENT", "mailto:o@x", "mailto:s@x", true, true, true, true}
	if diff := cmp.Diff(want, of(full)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(facts{}, of(bare)); diff != "" {
		t.Errorf("nothing there (-want +got)\n%s", diff)
	}
}

func TestSequence(t *testing.T) {
	for _, c := range []struct {
		line string
		want int
		ok   bool
	}{
		{"SEQUENCE:0", 0, true},
		{"SEQUENCE:-1", -1, true},
		{"SEQUENCE:99999999999999999999", math.MaxInt, true}, // beyond 64 bits, and newer than all others
		{"SEQUENCE:-99999999999999999999", math.MinInt, true},
		{"SEQUENCE:first", 0, false}, // no number
		{"SEQUENCE:", 0, false},      // no number
		{"SUMMARY:1", 0, false},      // there is none
	} {
		if got, ok := object(t, c.line).Sequence(); got != c.want || ok != c.ok {
			t.Errorf("%s: %d, %v; want %d, %v", c.line, got, ok, c.want, c.ok)
		}
	}
}

func TestChanges(t *testing.T) {
	lines := []string{"DTSTART;TZID=Europe/Oslo:20261202T090000", "EXDATE:20261202", "EXDATE:20261203", "RRULE:FREQ=DAILY", "X-A;X-B=1:2", "BEGIN:VALARM\nA:1\nEND:VALARM"}
	other := object(t, "EXDATE;X-B=3:20261204", "SEQUENCE:3", "SUMMARY:x")
	for _, c := range []struct {
		name   string
		change func(o *Object)
		want   []string
	}{
		{"nothing", func(o *Object) {}, lines},
		{"remove", func(o *Object) { o.Remove("rrule", "EXDATE", "NONE") }, []string{lines[0], lines[4], lines[5]}},
		{"copy: replaces, adds, and removes what the other lacks", func(o *Object) { o.CopyFrom(other, "exdate", "SEQUENCE", "RRULE", "NONE") },
			[]string{lines[0], "EXDATE;X-B=3:20261204", "SEQUENCE:3", lines[4], lines[5]}},
		{"recur at the start", func(o *Object) { o.RecurAtStart() },
			[]string{lines[0], lines[1], lines[2], "RECURRENCE-ID;TZID=Europe/Oslo:20261202T090000", lines[3], lines[4], lines[5]}},
		{"recur without a start", func(o *Object) { o.Remove("DTSTART"); o.RecurAtStart() }, lines[1:]},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := object(t, lines...)
			clone := o.Clone()
			c.change(clone)
			if diff := cmp.Diff(strings.Join(c.want, "\n"), contents(clone)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(strings.Join(lines, "\n"), contents(o)); diff != "" {
				t.Errorf("the original of the clone changed (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff("EXDATE;X-B=3:20261204\nSEQUENCE:3\nSUMMARY:x", contents(other)); diff != "" {
				t.Errorf("the other changed (-want +got)\n%s", diff)
			}
		})
	}
}

func TestAttendees(t *testing.T) {
	o := object(t,
		`ATTENDEE;PARTSTAT=accepted;CN="B, A":MAILTO:a@x`,
		`ATTENDEE;DELEGATED-TO="mailto:c@x","MAILTO:d@x";SENT-BY="mailto:s@x":mailto:b@x`,
		`ATTENDEE;DELEGATED-FROM="mailto:b@x":c@x`,
		`ATTENDEE:mailto:a@x`)
	type facts struct {
		URI      URI
		PartStat string
		SentBy   URI
		To, From []URI
	}
	of := func(attendees []Attendee) (all []facts) {
		for _, a := range attendees {
			all = append(all, facts{a.URI, a.PartStat(), a.SentBy(), a.DelegatedTo(), a.DelegatedFrom()})
		}
		return all
	}
	attendees := o.Attendees()
	if diff := cmp.Diff([]facts{
		{URI: "mailto:a@x", PartStat: "ACCEPTED"},
		{URI: "mailto:b@x", SentBy: "mailto:s@x", To: []URI{"mailto:c@x", "mailto:d@x"}},
		{URI: "mailto:c@x", From: []URI{"mailto:b@x"}},
		{URI: "mailto:a@x"},
	}, of(attendees)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	clone := o.Clone()
	clone.SetAttendees([]Attendee{attendees[2], attendees[3].WithParams(attendees[0]), {URI: "mailto:new@x"}})
	if diff := cmp.Diff(`ATTENDEE;DELEGATED-FROM="mailto:b@x":mailto:c@x`+"\n"+
		`ATTENDEE;CN="B, A";PARTSTAT=ACCEPTED:mailto:a@x`+"\nATTENDEE:mailto:new@x", contents(clone)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(of(attendees), of(o.Attendees())); diff != "" {
		t.Errorf("the original of the clone changed\n%s", diff)
	}
	clone.SetAttendees(nil)
	if clone.Has("ATTENDEE") || len(clone.Attendees()) != 0 {
		t.Error("attendees are left")
	}
}

func TestNewURI(t *testing.T) {
	for _, c := range []struct {
		text         string
		uri, address string
	}{
		{"mailto:a@x", "mailto:a@x", "a@x"},
		{"MAILTO:A@X", "mailto:A@X", "A@X"},
		{" mailto: a@x ", "mailto:a@x", "a@x"},
		{"a@x", "mailto:a@x", "a@x"},
		{"a:b@x", "a:b@x", ""},
		{"a@x:25", "mailto:a@x:25", "a@x:25"},
		{"urn:uuid:1", "urn:uuid:1", ""},
		{"  ", "", ""},
	} {
		uri := NewURI(c.text)
		if string(uri) != c.uri || uri.Address() != c.address {
			t.Errorf("%q is %q, %q; want %q, %q", c.text, uri, uri.Address(), c.uri, c.address)
		}
	}
}

func TestSameRevision(t *testing.T) {
	const stamp, before = "DTSTAMP:20261122T120000Z", "DTSTAMP:20261122T110000Z"
	for _, c := range []struct {
		is, was []string
		same    bool
	}{
		{[]string{"SEQUENCE:1", stamp}, []string{"SEQUENCE:1", stamp}, true},
		{[]string{"SEQUENCE:1", stamp}, []string{"SEQUENCE:1", before}, false},
		{[]string{"SEQUENCE:1", stamp}, []string{"SEQUENCE:2", stamp}, false},
		{[]string{stamp}, []string{"SEQUENCE:0", stamp}, true},
		{[]string{"SEQUENCE:1"}, []string{"SEQUENCE:1"}, false}, // nobody can tell
	} {
		is, was := object(t, c.is...), object(t, c.was...)
		if is.SameRevision(was) != c.same || was.SameRevision(is) != c.same {
			t.Errorf("%q and %q: %v", c.is, c.was, !c.same)
		}
	}
}

func TestOlderThan(t *testing.T) {
	const stamp, before = "DTSTAMP:20261122T120000Z", "DTSTAMP:20261122T110000Z"
	for _, c := range []struct {
		is, was      []string
		older, plain bool // with DTSTAMP, without
	}{
		{[]string{"SEQUENCE:1", before}, []string{"SEQUENCE:2", before}, true, true},
		{[]string{"SEQUENCE:2", before}, []string{"SEQUENCE:1", stamp}, false, false},
		{[]string{"SEQUENCE:1", before}, []string{"SEQUENCE:1", stamp}, true, false},
		{[]string{"SEQUENCE:1", stamp}, []string{"SEQUENCE:1", stamp}, false, false},
		{[]string{"SEQUENCE:1"}, []string{"SEQUENCE:1", stamp}, true, false},
		{[]string{"SEQUENCE:1", stamp}, []string{"SEQUENCE:1"}, false, false},
		{[]string{before}, []string{"SEQUENCE:1", stamp}, false, false},
		{[]string{"SEQUENCE:1", before}, []string{stamp}, false, false},
	} {
		is, was := object(t, c.is...), object(t, c.was...)
		if got := is.OlderThan(was, true); got != c.older {
			t.Errorf("%q older than %q: %v", c.is, c.was, got)
		}
		if got := is.OlderThan(was, false); got != c.plain {
			t.Errorf("%q older than %q but for DTSTAMP: %v", c.is, c.was, got)
		}
		for _, stamped := range []bool{true, false} {
			if there, back := is.Compare(was, stamped), was.Compare(is, stamped); there != -back {
				t.Errorf("%q against %q: %d, and the other way round %d", c.is, c.was, there, back)
			}
		}
	}
}
