// Package agendatest has a store with two weeks of a user's calendar, for tests.
package agendatest

import (
	"strings"
	"testing"
	"time"

	"imip-agent/handlers/agenda"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

const (
	Paul    calendar.URI = "mailto:paul.boddie@example.com"
	Vincent calendar.URI = "mailto:vincent.vole@example.com"
)

// Oslo is the zone of the user whose calendar is shown.
func Oslo(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// Event returns an object of Vincent's as stored, with more properties. Paul has accepted
// it, if none of them says otherwise.
func Event(uid, summary, start, end string, lines ...string) string {
	form := ";TZID=Europe/Oslo:"
	if len(start) == len("20261202") {
		form = ";VALUE=DATE:"
	}
	text := "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20261122T120000Z\r\nSUMMARY:" + summary +
		"\r\nDTSTART" + form + start + "\r\nDTEND" + form + end + "\r\n"
	all := strings.Join(lines, "\r\n")
	if !strings.Contains(all, "ORGANIZER") {
		text += "ORGANIZER;CN=Vincent Vole:" + string(Vincent) + "\r\n"
	}
	if !strings.Contains(all, "ATTENDEE") && !strings.Contains(all, "ORGANIZER") {
		text += Is("ACCEPTED") + "\r\n"
	}
	if all != "" {
		text += all + "\r\n"
	}
	return text + "END:VEVENT\r\n"
}

// Is says what Paul has answered.
func Is(status string) string { return "ATTENDEE;PARTSTAT=" + status + ":" + string(Paul) }

// Active addresses an active event, or an occurrence of one.
func Active(uid, recurrenceID string) stores.Key {
	return stores.Key{Part: stores.Active, ID: stores.ID{UID: uid, RecurrenceID: recurrenceID}}
}

// Texts are two weeks of Paul's, with something of everything.
func Texts() map[stores.Key]string {
	all := map[stores.Key]string{
		Active("standup", ""): Event("standup", "Stand-up", "20261101T091500", "20261101T093000", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "LOCATION:Kitchen"),
		Active("standup", "20261203T081500Z"): Event("standup", "Stand-up, with cake", "20261203T140000", "20261203T144500",
			"RECURRENCE-ID;TZID=Europe/Oslo:20261203T091500", "LOCATION:Roof terrace"),
		{Part: stores.Cancelled, ID: stores.ID{UID: "standup", RecurrenceID: "20261204T081500Z"}}: Event("standup", "Stand-up", "20261204T091500", "20261204T093000",
			"RECURRENCE-ID;TZID=Europe/Oslo:20261204T091500"),
		Active("planning", ""):   Event("planning", "Planning of the new release", "20261202T100000", "20261202T120000", "LOCATION:Room 3\\, on the left"),
		Active("dentist", ""):    Event("dentist", "Dentist", "20261202T103000", "20261202T113000", Is("TENTATIVE")),
		Active("call", ""):       Event("call", "Call with Harvey", "20261202T110000", "20261202T114500", "TRANSP:TRANSPARENT"),
		Active("review", ""):     Event("review", "Review <b>bold</b> & \"quoted\"", "20261201T130000", "20261201T150000", "ORGANIZER:"+string(Paul), "ATTENDEE;PARTSTAT=ACCEPTED:"+string(Vincent)),
		Active("invited", ""):    Event("invited", "Workshop on free/busy", "20261203T100000", "20261203T123000", Is("NEEDS-ACTION"), "LOCATION:Oslo"),
		Active("conference", ""): Event("conference", "Conference in Bergen", "20261203", "20261206", "LOCATION:Bergen"),
		Active("holiday", ""):    Event("holiday", "Day off", "20261209", "20261210", "TRANSP:TRANSPARENT"),
		Active("night", ""):      Event("night", "Deployment", "20261201T230000", "20261202T010000"),
		Active("train", ""):      Event("train", "Night train and ferry", "20261204T180000", "20261206T093000"),
		Active("odd", ""):        Event("odd", "Red \x1b[31malert\x1b[0m \u202egnp.exe\\nsecond line", "20261130T120000", "20261130T121000"),
		Active("long", ""):       Event("long", "A title that goes on and on, as titles of meetings do when somebody has put the whole agenda into them", "20261130T143000", "20261130T160000"),
		Active("empty", ""):      Event("empty", "", "20261210T090000", "20261210T090000"),
		Active("declined", ""):   Event("declined", "Declined", "20261201T090000", "20261201T100000", Is("DECLINED")),
		{Part: stores.Countered, ID: stores.ID{UID: "review"}, Other: Vincent}: Event("review", "Review", "20261204T130000", "20261204T143000",
			"ORGANIZER:"+string(Paul), "ATTENDEE;CN=Vincent Vole;PARTSTAT=TENTATIVE:"+string(Vincent)),
		Active("other-week", ""): Event("other-week", "Christmas party", "20261211T180000", "20261211T233000"),
	}
	for i, name := range []string{"First", "Second", "Third", "Fourth"} {
		uid := strings.ToLower(name)
		start := time.Date(2026, 12, 7, 9, 30*i, 0, 0, time.UTC)
		all[Active(uid, "")] = Event(uid, name+" of many", start.Format("20060102T150405"), start.Add(2*time.Hour).Format("20060102T150405"))
	}
	return all
}

// Lay puts the texts into a store, with a queue, an offer and a record of an event that
// Is not stored.
func Lay(t testing.TB, texts map[stores.Key]string) stores.Store {
	t.Helper()
	store, err := file.Open(file.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour int) time.Time { return time.Date(2026, 12, day, hour, 0, 0, 0, time.UTC) }
	err = store.Update(t.Context(), Paul, func(tx stores.Tx) error {
		for key, text := range texts {
			if err := tx.Put(key, []byte(text)); err != nil {
				return err
			}
		}
		own, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		own.Insert(freebusy.Period{Start: at(8, 12), End: at(8, 13), UID: "unstored", Transp: "OPAQUE", Summary: "Known from an answer only", Organizer: string(Vincent)})
		offers, err := tx.Periods(stores.Table{Kind: stores.Offers})
		if err != nil {
			return err
		}
		offers.Insert(freebusy.Period{Start: at(10, 12), End: at(10, 14), UID: "invited", Transp: "OPAQUE", Summary: "Workshop on free/busy", Organizer: string(Vincent), Expires: at(20, 0)})
		offers.Insert(freebusy.Period{Start: at(11, 12), End: at(11, 14), UID: "invited", Transp: "OPAQUE", Summary: "Expired", Organizer: string(Vincent), Expires: at(1, 0)})
		return tx.SetRequests([]stores.Request{
			{ID: stores.ID{UID: "invited"}}, {ID: stores.ID{UID: "review"}, Type: "COUNTER"}, {ID: stores.ID{UID: "gone"}},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// Collect returns what Paul's calendar in a store has on some days.
func Collect(t testing.TB, store stores.Store, days agenda.Days, now time.Time) (c *agenda.Calendar) {
	t.Helper()
	settings := preferences.Preferences{TZID: "Europe/Oslo", Zone: Oslo(t), WindowSize: 100}
	err := store.View(t.Context(), Paul, func(tx stores.Tx) (err error) {
		c, err = agenda.Collect(t.Context(), tx, settings, days, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Sample is the calendar of the texts on a Wednesday morning.
func Sample(t testing.TB) *agenda.Calendar {
	t.Helper()
	now := time.Date(2026, 12, 2, 10, 20, 0, 0, Oslo(t))
	first := agenda.Week(now)
	return Collect(t, Lay(t, Texts()), agenda.Days{First: first, Last: first.AddDate(0, 0, 13)}, now)
}
