package agenda_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imip-agent/handlers/agenda"
	"imip-agent/handlers/agenda/agendatest"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// stamped is an event with another DTSTAMP than others have.
func stamped(stamp, event string) string {
	return strings.Replace(event, "DTSTAMP:20261122T120000Z", stamp, 1)
}

// TestRequests lists what awaits an answer.
func TestRequests(t *testing.T) {
	own := "ORGANIZER:" + string(agendatest.Paul)
	weekly := agendatest.Event("weekly", "Weekly", "20261202T100000", "20261202T110000", "RRULE:FREQ=WEEKLY;COUNT=4", own)
	counter := func(uid, recurrenceID string, other calendar.URI) stores.Key {
		return stores.Key{Part: stores.Countered, ID: stores.ID{UID: uid, RecurrenceID: recurrenceID}, Other: other}
	}
	const harvey calendar.URI = "mailto:harvey.horse@example.com"
	store := agendatest.Lay(t, map[stores.Key]string{
		agendatest.Active("new", ""):     stamped("DTSTAMP:20261124T080000Z", agendatest.Event("new", "New", "20261203T100000", "20261203T110000", agendatest.Is("NEEDS-ACTION"))),
		agendatest.Active("old", ""):     stamped("DTSTAMP:20261101T080000Z", agendatest.Event("old", "Old", "20261110", "20261112", agendatest.Is("NEEDS-ACTION"))),
		agendatest.Active("unknown", ""): stamped("X-NO:STAMP", agendatest.Event("unknown", "Since when is unknown", "20261203T100000", "20261203T110000")),
		agendatest.Active("series", ""):  stamped("DTSTAMP:20261102T080000Z", agendatest.Event("series", "Series", "20261112T100000", "20261112T110000", "RRULE:FREQ=WEEKLY", agendatest.Is("NEEDS-ACTION"))),
		agendatest.Active("weekly", ""):  weekly,
		agendatest.Active("broken", ""):  "BEGIN:VEVENT\r\nUID:broken\r\n",
		// The event is older than what is proposed.
		counter("weekly", "", harvey): stamped("DTSTAMP:20261123T080000Z", agendatest.Event("weekly", "Weekly", "20261204", "20261205", own)),
		counter("weekly", "", agendatest.Vincent): stamped("DTSTAMP:20261123T090000Z", agendatest.Event("weekly", "Weekly", "20261203T120000", "20261203T130000",
			own, "ATTENDEE;CN=Vincent Vole:"+string(agendatest.Vincent))),
		// One occurrence, which is not stored apart.
		counter("weekly", "20261209T090000Z", agendatest.Vincent): stamped("DTSTAMP:20261123T070000Z", agendatest.Event("weekly", "Weekly", "20261210T120000", "20261210T130000",
			own, "RECURRENCE-ID;TZID=Europe/Oslo:20261209T100000")),
		counter("broken", "", agendatest.Vincent): "BEGIN:VEVENT\r\nUID:broken\r\n",
	})
	err := store.Update(t.Context(), agendatest.Paul, func(tx stores.Tx) error {
		return tx.SetRequests([]stores.Request{
			{ID: stores.ID{UID: "unknown"}},
			{ID: stores.ID{UID: "new"}},
			{ID: stores.ID{UID: "weekly"}, Type: "COUNTER"},
			{ID: stores.ID{UID: "weekly", RecurrenceID: "20261209T090000Z"}, Type: "COUNTER"},
			{ID: stores.ID{UID: "weekly", RecurrenceID: "20261208T090000Z"}, Type: "COUNTER"},
			{ID: stores.ID{UID: "old"}},
			{ID: stores.ID{UID: "series"}},
			{ID: stores.ID{UID: "gone"}},
			{ID: stores.ID{UID: "broken"}, Type: "COUNTER"},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	var c *agenda.Calendar
	err = store.Snapshot(t.Context(), agendatest.Paul, func(tx stores.Tx) (err error) {
		c, err = agenda.Requests(t.Context(), tx, preferences.Preferences{Zone: agendatest.Oslo(t)}, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Format("2 Jan 15:04")
	}
	var got []string
	for _, r := range c.Requests {
		line := fmt.Sprintf("%s %s since %s, %s to %s, by %s", strings.TrimSpace(r.UID+" "+r.RecurrenceID), r.Summary, at(r.Since), at(r.Start), at(r.End), r.People)
		if r.Counter {
			line += ", counter"
		}
		if r.Unknown {
			line += ", unknown"
		}
		got = append(got, line)
		for _, p := range r.Proposals {
			got = append(got, fmt.Sprintf("  %s since %s, %s to %s, %v", p.Name, at(p.Since), at(p.Start), at(p.End), p.AllDay))
		}
	}
	want := []string{
		"old Old since 1 Nov 09:00, 10 Nov 00:00 to 12 Nov 00:00, by Vincent Vole",
		"series Series since 2 Nov 09:00, 3 Dec 10:00 to 3 Dec 11:00, by Vincent Vole",
		"weekly 20261209T090000Z Weekly since 23 Nov 08:00, 9 Dec 10:00 to 9 Dec 11:00, by vincent.vole@example.com, counter",
		"  vincent.vole@example.com since 23 Nov 08:00, 10 Dec 12:00 to 10 Dec 13:00, false",
		"weekly Weekly since 23 Nov 09:00, 2 Dec 10:00 to 2 Dec 11:00, by harvey.horse@example.com, Vincent Vole, counter",
		"  harvey.horse@example.com since 23 Nov 09:00, 4 Dec 00:00 to 5 Dec 00:00, true",
		"  Vincent Vole since 23 Nov 10:00, 3 Dec 12:00 to 3 Dec 13:00, false",
		"new New since 24 Nov 09:00, 3 Dec 10:00 to 3 Dec 11:00, by Vincent Vole",
		"unknown Since when is unknown since -, 3 Dec 10:00 to 3 Dec 11:00, by Vincent Vole",
		"weekly 20261208T090000Z  since -, - to -, by , counter, unknown",
		"gone  since -, - to -, by , unknown",
		"broken  since -, - to -, by vincent.vole@example.com, counter, unknown",
		"  vincent.vole@example.com since -, - to -, false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(c.Problems) != 1 || c.Problems[0].UID != "broken" {
		t.Errorf("problems %v", c.Problems)
	}
}
