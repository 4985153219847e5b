package draw

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imip-agent/handlers/agenda"
	"imip-agent/handlers/agenda/agendatest"
	"imip-agent/stores"
)

// sampleRequests are an invitation of days, a counter-proposal by two, and an event that is not stored.
func sampleRequests(t *testing.T) *agenda.Calendar {
	zone := agendatest.Oslo(t)
	now := time.Date(2026, 12, 2, 10, 20, 0, 0, zone)
	days := agenda.Midnight(now)
	return &agenda.Calendar{
		User: agendatest.Paul, Zone: zone, Now: now, From: days, To: days.AddDate(0, 0, 1),
		Requests: []agenda.Request{
			{
				Entry: agenda.Entry{
					ID: stores.ID{UID: "trip"}, Kind: agenda.Waiting, Summary: "Trip & dinner", Location: "Bergen", People: "Vincent Vole",
					AllDay: true, Start: days.AddDate(0, 0, -3), End: days.AddDate(0, 0, -1), Recurs: true,
				},
				Organizer: agendatest.Vincent, Since: now.Add(-200 * time.Hour),
			},
			{
				Entry: agenda.Entry{
					ID: stores.ID{UID: "review", RecurrenceID: "20261209T090000Z"}, Kind: agenda.Waiting, Changed: true,
					People: "Vincent Vole, harvey@example.com", Start: now.Add(24 * time.Hour), End: now.Add(25 * time.Hour),
				},
				Counter: true, Since: now.Add(-time.Hour),
				Proposals: []agenda.Proposal{
					{By: agendatest.Vincent, Name: "Vincent Vole", AllDay: true, Start: days, End: days.AddDate(0, 0, 2), Since: now.Add(-time.Hour)},
					{By: "mailto:harvey@example.com", Name: "harvey@example.com"},
				},
			},
			{Entry: agenda.Entry{ID: stores.ID{UID: "gone"}}, Unknown: true},
		},
	}
}

func TestRequestsText(t *testing.T) {
	var out bytes.Buffer
	if err := RequestsText(&out, sampleRequests(t), Style{}); err != nil {
		t.Fatal(err)
	}
	want := `Waiting for an answer of paul.boddie@example.com, oldest first (Europe/Oslo)

  Sun 29 Nov 2026 all day ? waiting     Trip & dinner  (Bergen; from Vincent Vole; day 1 of 2; recurs; over; since Tue 24 Nov 2026 02:20)
  Thu 3 Dec 2026 10:20–11:20 ↔ proposed    (no title)  (by Vincent Vole, harvey@example.com; changed; one occurrence; since Wed 2 Dec 2026 09:20)
      Vincent Vole proposes Wed 2 Dec 2026 to Thu 3 Dec 2026, since Wed 2 Dec 2026 09:20
      harvey@example.com proposes a time that cannot be read
  gone: the event is not stored
`
	want = strings.ReplaceAll(want, " 2026", "") // the year of the days shown
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	out.Reset()
	if err := RequestsText(&out, &agenda.Calendar{User: agendatest.Paul, Zone: time.UTC}, Style{}); err != nil || !strings.HasSuffix(out.String(), "\n  nothing\n") {
		t.Errorf("%v, %s", err, &out)
	}
}

func TestRequestsJSON(t *testing.T) {
	var out bytes.Buffer
	if err := RequestsJSON(&out, sampleRequests(t)); err != nil {
		t.Fatal(err)
	}
	want := `{"uid":"trip","type":"invitation","stored":true,"since":"2026-11-24T02:20:00+01:00","summary":"Trip & dinner","location":"Bergen","organizer":"mailto:vincent.vole@example.com","start":"2026-11-29","end":"2026-11-30","recurs":true}
{"uid":"review","recurrence":"20261209T090000Z","type":"counter","stored":true,"since":"2026-12-02T09:20:00+01:00","start":"2026-12-03T10:20:00+01:00","end":"2026-12-03T11:20:00+01:00","proposals":[{"by":"mailto:vincent.vole@example.com","name":"Vincent Vole","since":"2026-12-02T09:20:00+01:00","start":"2026-12-02","end":"2026-12-03"},{"by":"mailto:harvey@example.com","name":"harvey@example.com"}]}
{"uid":"gone","type":"invitation","stored":false}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRequestsHTML(t *testing.T) {
	var out bytes.Buffer
	if err := RequestsHTML(&out, sampleRequests(t)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<title>Waiting for an answer of paul.boddie@example.com</title>", "Trip &amp; dinner", "since Tue 24 Nov 02:20",
		`<li dir="auto">Vincent Vole proposes Wed 2 Dec to Thu 3 Dec, since Wed 2 Dec 09:20</li>`, "gone",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, &out)
		}
	}
	out.Reset()
	if err := RequestsHTML(&out, &agenda.Calendar{User: agendatest.Paul, Zone: time.UTC}); err != nil || !strings.Contains(out.String(), "Nothing waits for an answer") {
		t.Errorf("%v, %s", err, &out)
	}
}

// TestHostileRequests writes requests with hostile texts.
func TestHostileRequests(t *testing.T) {
	c := hostileCalendar(t)
	c.Requests[2].Proposals = []agenda.Proposal{{By: "mailto:" + hostile, Name: hostile}}
	var page, text, lines bytes.Buffer
	for _, err := range []error{RequestsHTML(&page, c), RequestsText(&text, c, Style{}), RequestsJSON(&lines, c)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, odd := range []string{"<script", "<img", "\x1b", "\u202e"} {
		if strings.Contains(page.String(), odd) {
			t.Errorf("there is %q on the page", odd)
		}
	}
	if strings.ContainsAny(text.String(), "\x1b\u202e") {
		t.Errorf("a control character in %q", &text)
	}
	for line := range strings.Lines(lines.String()) {
		if strings.Contains(line, "\x1b") || !json.Valid([]byte(line)) {
			t.Errorf("%q", line)
		}
	}
}
