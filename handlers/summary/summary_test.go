package summary

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"imip-agent/stores/calendar"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// event returns an event with those lines.
func event(t testing.TB, lines ...string) *calendar.Object {
	t.Helper()
	text := "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20261122T120000Z\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n"
	o, err := calendar.DecodeObject([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return o
}

const (
	organizer = `ORGANIZER;CN=Paul Boddie:mailto:paul.boddie@example.com`
	vincent   = "mailto:vincent.vole@example.com"
	lunch     = "SUMMARY:Lunch"
	oslo      = ";TZID=Europe/Oslo:"
)

// attends returns the line of an attendee.
func attends(name, address, status string, more ...string) string {
	return "ATTENDEE;CN=" + name + ";PARTSTAT=" + status + strings.Join(more, "") + ":mailto:" + address
}

// scene is news of which the text is looked at in each language.
type scene struct {
	reason string
	news   News
}

func scenes(t testing.TB) []scene {
	noon := []string{organizer, lunch, "DTSTART" + oslo + "20261123T120000", "DTEND" + oslo + "20261123T130000"}
	with := func(more ...string) *calendar.Object {
		return event(t, append(append([]string{}, noon...), more...)...)
	}
	stored := with("LOCATION:Kafé", attends("Vincent Vole", "vincent.vole@example.com", "NEEDS-ACTION"))
	series := func(rule string, more ...string) *calendar.Object {
		return event(t, append([]string{organizer, "SUMMARY:Seminar", "DTSTART" + oslo + "20261124T090000", "DURATION:PT1H30M", "RRULE:" + rule}, more...)...)
	}
	answer := func(status string, more ...string) News {
		return News{Kind: Reply, Object: event(t, organizer, attends("Vincent Vole", "vincent.vole@example.com", status, more...)), Stored: stored, Senders: []calendar.URI{vincent}}
	}
	const hour = "DTSTART:20261123T110000Z"
	return []scene{
		{"an invitation", News{Kind: Invitation, Object: with("LOCATION:Kafé, 2. etasje"), Link: "https://example.com/calendar/u"}},
		{"a change", News{Kind: Update, Object: with()}},
		{"an invitation to one occurrence", News{Kind: Invitation, Object: with("RECURRENCE-ID" + oslo + "20261123T120000")}},
		{"one occurrence is moved", News{Kind: Update, Object: with("RECURRENCE-ID" + oslo + "20261124T120000")}},
		{"every week on some days", News{Kind: Invitation, Object: series("FREQ=WEEKLY;BYDAY=TH,TU,SU;UNTIL=20261231T225959Z")}},
		{"every second day", News{Kind: Invitation, Object: series("FREQ=DAILY;INTERVAL=2;COUNT=10")}},
		{"every month", News{Kind: Invitation, Object: series("FREQ=MONTHLY")}},
		{"every third year", News{Kind: Invitation, Object: series("FREQ=YEARLY;INTERVAL=3")}},
		{"the last Friday of each month", News{Kind: Invitation, Object: series("FREQ=MONTHLY;BYDAY=-1FR")}},
		{"several days", News{Kind: Invitation, Object: event(t, organizer, lunch, "DTSTART:20261123T110000Z", "DTEND:20261123T120000Z", "RDATE:20261125T110000Z")}},
		{"a whole day", News{Kind: Invitation, Object: event(t, organizer, "SUMMARY:Holiday", "DTSTART;VALUE=DATE:20270517")}},
		{"whole days", News{Kind: Invitation, Object: event(t, organizer, "SUMMARY:Fair", "DTSTART;VALUE=DATE:20270301", "DTEND;VALUE=DATE:20270304")}},
		{"overnight, in another zone", News{Kind: Invitation, Object: event(t, organizer, "SUMMARY:Night train", "DTSTART;TZID=America/New_York:20261024T170000", "DTEND;TZID=America/New_York:20261025T030000")}},
		{"until midnight", News{Kind: Invitation, Object: event(t, organizer, "SUMMARY:Party", "DTSTART"+oslo+"20261231T200000", "DTEND"+oslo+"20270101T000000")}},
		{"no length", News{Kind: Invitation, Object: event(t, organizer, "SUMMARY:Start", hour)}},
		{"called off", News{Kind: Cancellation, Object: with(), Link: "https://example.com/calendar/u"}},
		{"an occurrence is called off, which the message only names", News{Kind: Cancellation, Object: event(t, organizer, "RECURRENCE-ID"+oslo+"20261201T090000"), Stored: series("FREQ=WEEKLY", "LOCATION:Aula")}},
		{"a whole day of a series is called off", News{Kind: Cancellation, Object: event(t, organizer, "SUMMARY:Duty", "RECURRENCE-ID;VALUE=DATE:20261201")}},
		{"accepted", answer("ACCEPTED")},
		{"declined", answer("DECLINED")},
		{"tentative", answer("TENTATIVE")},
		{"delegated", answer("DELEGATED", ";DELEGATED-TO=\"mailto:harald@example.com\"")},
		{"delegated to nobody", answer("DELEGATED")},
		{"neither", answer("NEEDS-ACTION")},
		{"one occurrence is declined", News{Kind: Reply, Object: event(t, organizer, "RECURRENCE-ID"+oslo+"20261201T090000", attends("", "vincent.vole@example.com", "DECLINED")), Stored: series("FREQ=WEEKLY"), Senders: []calendar.URI{vincent}}},
		{"two answers", News{Kind: Reply, Object: with(attends("Vincent Vole", "vincent.vole@example.com", "ACCEPTED"), attends("Harald Hare", "harald@example.com", "TENTATIVE")), Senders: []calendar.URI{vincent, "mailto:HARALD@example.com"}}},
		{"a proposal", News{Kind: Proposal, Object: with(attends("Vincent Vole", "vincent.vole@example.com", "TENTATIVE")), Stored: stored, Senders: []calendar.URI{vincent}, Link: "https://example.com/u"}},
		{"a proposal for one occurrence", News{Kind: Proposal, Object: with("RECURRENCE-ID" + oslo + "20261124T120000"), Senders: []calendar.URI{vincent}}},
		{"a proposal is declined", News{Kind: ProposalRefused, Object: with()}},
		{"a proposal for one occurrence is declined", News{Kind: ProposalRefused, Object: event(t, organizer, "RECURRENCE-ID"+oslo+"20261124T120000"), Stored: stored}},
		{"an addition", News{Kind: Addition, Object: with()}},
		{"details", News{Kind: Details, Object: with()}},
		{"details of one occurrence", News{Kind: Details, Object: with("RECURRENCE-ID" + oslo + "20261123T120000")}},
		{"a request for details", News{Kind: DetailsRequest, Object: event(t, organizer, attends("", "vincent.vole@example.com", "ACCEPTED")), Stored: stored, Senders: []calendar.URI{vincent}}},
		{"a request for details of one occurrence", News{Kind: DetailsRequest, Object: event(t, organizer, "RECURRENCE-ID"+oslo+"20261123T120000"), Stored: stored, Senders: []calendar.URI{vincent}}},
		{"all later occurrences are moved, too", News{Kind: Update, Object: with("RECURRENCE-ID;RANGE=THISANDFUTURE" + oslo + "20261124T120000")}},
		{"all later occurrences are called off, too", News{Kind: Cancellation, Object: event(t, organizer, "RECURRENCE-ID;RANGE=THISANDFUTURE"+oslo+"20261201T090000"), Stored: series("FREQ=WEEKLY")}},
		{"all later occurrences are declined, too", News{Kind: Reply, Object: event(t, organizer, "RECURRENCE-ID;RANGE=THISANDFUTURE"+oslo+"20261201T090000", attends("", "vincent.vole@example.com", "DECLINED")), Stored: series("FREQ=WEEKLY"), Senders: []calendar.URI{vincent}}},
		{"the only one of a series", News{Kind: Invitation, Object: series("FREQ=WEEKLY;COUNT=1")}},
		{"the only one of a series, and others", News{Kind: Invitation, Object: series("FREQ=WEEKLY;COUNT=1", "RDATE"+oslo+"20261203T090000")}},
		{"busy", News{Kind: Busy, Senders: []calendar.URI{vincent}, From: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)}},
		{"busy from some time", News{Kind: Busy, Senders: []calendar.URI{vincent}, From: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}},
		{"busy until some time", News{Kind: Busy, Senders: []calendar.URI{vincent}, Until: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}},
		{"busy", News{Kind: Busy, Senders: []calendar.URI{vincent}}},
		{"nobody has answered", News{Kind: Reply, Object: with()}},
		{"nearly nothing", News{Kind: Cancellation, Object: event(t)}},
	}
}

// TestTexts compares the texts in each language with what somebody has read who speaks it:
// testdata/LANGUAGE.txt.
func TestTexts(t *testing.T) {
	for _, language := range []string{"en", "nb", "da", "de"} {
		r := Reader{User: "mailto:paul.boddie@example.com", Zone: zone(t, "Europe/Oslo"), Language: language}
		var b strings.Builder
		for _, s := range scenes(t) {
			if s.news.of() == organizers {
				r.User = vincent
			} else {
				r.User = "mailto:Paul.Boddie@example.com"
			}
			b.WriteString("== " + s.reason + "\n" + r.Text(s.news))
		}
		b.WriteString("== titles\n")
		for _, method := range []string{"REQUEST", "CANCEL", "REPLY", "COUNTER", "DECLINECOUNTER", "ADD", "REFRESH", "PUBLISH"} {
			b.WriteString(Title(method, false, language) + "\n")
		}
		b.WriteString(Title("REQUEST", true, language) + "\n" + Title("REPLY", true, language) + "\n")
		b.WriteString("== decisions\n")
		for d := Scheduled; d <= QuotaExhausted; d++ {
			b.WriteString(d.Sentence(language) + "\n")
		}
		name := "testdata/" + language + ".txt"
		if *update {
			if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", language, diff)
		}
		if strings.ContainsAny(b.String(), "{}") {
			t.Errorf("%s: a name in braces is left", language)
		}
	}
}

func TestLanguages(t *testing.T) {
	for language, want := range map[string]string{
		"nb_NO.UTF-8": "Invitasjon", "nb": "Invitasjon", "no_NO": "Invitasjon", "nn_NO": "Invitasjon", "NB-no": "Invitasjon", "da_DK": "Invitation", "de_AT@euro": "Einladung", "de": "Einladung", " de_DE.utf8": "Einladung",
		"": "Invitation", "C": "Invitation", "C.UTF-8": "Invitation", "en_GB": "Invitation", "fr_FR": "Invitation", "den": "Invitation",
	} {
		if got := Title("REQUEST", false, language); got != want {
			t.Errorf("%q: %q, want %q", language, got, want)
		}
	}
}

func TestLink(t *testing.T) {
	for _, test := range []struct{ url, path, uid, recurrence, want string }{
		{"https://example.com", "calendar", "u@example.com", "", "https://example.com/calendar/u@example.com"},
		{"https://example.com/", "/calendar/", "u", "20261123T110000Z", "https://example.com/calendar/u/20261123T110000Z"},
		{"https://example.com//", "", "a/b?c#d%e f\"<ø>", "", "https://example.com/a%2Fb%3Fc%23d%25e%20f%22%3C%C3%B8%3E"},
		{"https://example.com/x", "a/b", "-._~!$&'()*+,;=:@", "", "https://example.com/x/a/b/-._~!$&'()*+,;=:@"},
	} {
		if got := Link(test.url, test.path, test.uid, test.recurrence); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// What comes from a message stands in one line each, shows what it is, and changes nothing else.
func TestForeignText(t *testing.T) {
	r := Reader{User: vincent, Language: "en"}
	got := r.Text(News{Kind: Invitation, Link: "https://example.com/{who}", Object: event(t, `ORGANIZER;CN="Your boss <boss@example.com>":mailto:mallory@example.com`,
		`SUMMARY:{who}\n\nClick\u202e here\, {event} `+"\t\u202e\u2066x\u0000", "LOCATION:"+strings.Repeat("langt ", 100), "DTSTART:20261123T110000Z")},
		News{Kind: Cancellation, Object: event(t, organizer, `SUMMARY: \n `)})
	want := "Your boss <boss@example.com> <mallory@example.com> invites you to “{who} Click\\u202e here, {event} x”.\n" +
		"When: Monday 23 November 2026, 11:00 (UTC)\nWhere: " + strings.TrimSpace(strings.Repeat("langt ", 50)) + "…\nIn your calendar: https://example.com/{who}\n" +
		"\nPaul Boddie <paul.boddie@example.com> has called off “(no title)”.\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestZones looks at dates that are others where the reader is.
func TestZones(t *testing.T) {
	for name, want := range map[string]string{
		"Pacific/Auckland":    "When: Tuesday 24 November 2026, 00:00–01:00 (Pacific/Auckland)",
		"America/Los_Angeles": "When: Monday 23 November 2026, 03:00–04:00 (America/Los_Angeles)",
		"UTC":                 "When: Monday 23 November 2026, 11:00–12:00 (UTC)",
	} {
		r := Reader{User: vincent, Zone: zone(t, name)}
		timed := r.Text(News{Kind: Invitation, Object: event(t, "DTSTART:20261123T110000Z", "DTEND:20261123T120000Z")})
		if !strings.Contains(timed, want+"\n") {
			t.Errorf("%s: %s", name, timed)
		}
		day := r.Text(News{Kind: Invitation, Object: event(t, "DTSTART;VALUE=DATE:20261123")})
		if !strings.Contains(day, "When: Monday 23 November 2026, all day\n") {
			t.Errorf("%s: %s", name, day)
		}
		floating := r.Text(News{Kind: Invitation, Object: event(t, "DTSTART:20261123T110000")})
		if !strings.Contains(floating, "When: Monday 23 November 2026, 11:00 (") {
			t.Errorf("%s: %s", name, floating)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("Lunch", "FREQ=WEEKLY;BYDAY=MO,TU", "20261123T110000", "20261123", "Paul", 0)
	f.Add("{who}\n", "FREQ=YEARLY;INTERVAL=-1;UNTIL=1", "00010101", "99991231T235960Z", "<\u202e>", 3)
	f.Fuzz(func(t *testing.T, title, rule, start, id, name string, kind int) {
		text := "BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:" + title + "\r\nRRULE:" + rule + "\r\nDTSTART:" + start + "\r\nRECURRENCE-ID:" + id + "\r\nATTENDEE;CN=" + name + ":mailto:a@example.com\r\nEND:VEVENT\r\n"
		o, err := calendar.DecodeObject([]byte(text))
		if err != nil {
			return
		}
		for _, language := range []string{"en", "de"} {
			r := Reader{User: vincent, Language: language, Zone: time.FixedZone("", 3600)}
			n := News{Kind: Kind(kind&15) % (Busy + 1), Object: o, Stored: o, Senders: []calendar.URI{"mailto:a@example.com"}}
			got := r.Text(n)
			if got == "" || !strings.HasSuffix(got, "\n") || strings.Contains(got, "\n\n") {
				t.Errorf("text %q", got)
			}
			if strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
				t.Errorf("a control character in %q", got)
			}
		}
	})
}
