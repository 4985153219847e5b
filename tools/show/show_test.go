package show

import (
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

const (
	paul    calendar.URI = "mailto:paul.boddie@example.com"
	vincent calendar.URI = "mailto:vincent.vole@example.com"
)

// oslo is the zone of the user whose calendar is shown.
func oslo(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// event returns an object of Vincent's as stored, with more properties. Paul has accepted
// it, if none of them says otherwise.
func event(uid, summary, start, end string, lines ...string) string {
	form := ";TZID=Europe/Oslo:"
	if len(start) == len("20261202") {
		form = ";VALUE=DATE:"
	}
	text := "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20261122T120000Z\r\nSUMMARY:" + summary +
		"\r\nDTSTART" + form + start + "\r\nDTEND" + form + end + "\r\n"
	all := strings.Join(lines, "\r\n")
	if !strings.Contains(all, "ORGANIZER") {
		text += "ORGANIZER;CN=Vincent Vole:" + string(vincent) + "\r\n"
	}
	if !strings.Contains(all, "ATTENDEE") && !strings.Contains(all, "ORGANIZER") {
		text += is("ACCEPTED") + "\r\n"
	}
	if all != "" {
		text += all + "\r\n"
	}
	return text + "END:VEVENT\r\n"
}

// is says what Paul has answered.
func is(status string) string { return "ATTENDEE;PARTSTAT=" + status + ":" + string(paul) }

func active(uid, recurrenceID string) stores.Key {
	return stores.Key{Part: stores.Active, ID: stores.ID{UID: uid, RecurrenceID: recurrenceID}}
}

// texts are two weeks of Paul's, with something of everything.
func texts() map[stores.Key]string {
	all := map[stores.Key]string{
		active("standup", ""): event("standup", "Stand-up", "20261101T091500", "20261101T093000", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "LOCATION:Kitchen"),
		active("standup", "20261203T081500Z"): event("standup", "Stand-up, with cake", "20261203T140000", "20261203T144500",
			"RECURRENCE-ID;TZID=Europe/Oslo:20261203T091500", "LOCATION:Roof terrace"),
		{Part: stores.Cancelled, ID: stores.ID{UID: "standup", RecurrenceID: "20261204T081500Z"}}: event("standup", "Stand-up", "20261204T091500", "20261204T093000",
			"RECURRENCE-ID;TZID=Europe/Oslo:20261204T091500"),
		active("planning", ""):   event("planning", "Planning of the new release", "20261202T100000", "20261202T120000", "LOCATION:Room 3\\, on the left"),
		active("dentist", ""):    event("dentist", "Dentist", "20261202T103000", "20261202T113000", is("TENTATIVE")),
		active("call", ""):       event("call", "Call with Harvey", "20261202T110000", "20261202T114500", "TRANSP:TRANSPARENT"),
		active("review", ""):     event("review", "Review <b>bold</b> & \"quoted\"", "20261201T130000", "20261201T150000", "ORGANIZER:"+string(paul), "ATTENDEE;PARTSTAT=ACCEPTED:"+string(vincent)),
		active("invited", ""):    event("invited", "Workshop on free/busy", "20261203T100000", "20261203T123000", is("NEEDS-ACTION"), "LOCATION:Oslo"),
		active("conference", ""): event("conference", "Conference in Bergen", "20261203", "20261206", "LOCATION:Bergen"),
		active("holiday", ""):    event("holiday", "Day off", "20261209", "20261210", "TRANSP:TRANSPARENT"),
		active("night", ""):      event("night", "Deployment", "20261201T230000", "20261202T010000"),
		active("train", ""):      event("train", "Night train and ferry", "20261204T180000", "20261206T093000"),
		active("odd", ""):        event("odd", "Red \x1b[31malert\x1b[0m \u202egnp.exe\\nsecond line", "20261130T120000", "20261130T121000"),
		active("long", ""):       event("long", "A title that goes on and on, as titles of meetings do when somebody has put the whole agenda into them", "20261130T143000", "20261130T160000"),
		active("empty", ""):      event("empty", "", "20261210T090000", "20261210T090000"),
		active("declined", ""):   event("declined", "Declined", "20261201T090000", "20261201T100000", is("DECLINED")),
		{Part: stores.Countered, ID: stores.ID{UID: "review"}, Other: vincent}: event("review", "Review", "20261204T130000", "20261204T143000",
			"ORGANIZER:"+string(paul), "ATTENDEE;CN=Vincent Vole;PARTSTAT=TENTATIVE:"+string(vincent)),
		active("other-week", ""): event("other-week", "Christmas party", "20261211T180000", "20261211T233000"),
	}
	for i, name := range []string{"First", "Second", "Third", "Fourth"} {
		uid := strings.ToLower(name)
		start := time.Date(2026, 12, 7, 9, 30*i, 0, 0, time.UTC)
		all[active(uid, "")] = event(uid, name+" of many", start.Format("20060102T150405"), start.Add(2*time.Hour).Format("20060102T150405"))
	}
	return all
}

// lay puts the texts into a store, with a queue, an offer and a record of an event that
// is not stored.
func lay(t testing.TB, texts map[stores.Key]string) stores.Store {
	t.Helper()
	store, err := file.Open(file.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour int) time.Time { return time.Date(2026, 12, day, hour, 0, 0, 0, time.UTC) }
	err = store.Update(t.Context(), paul, func(tx stores.Tx) error {
		for key, text := range texts {
			if err := tx.Put(key, []byte(text)); err != nil {
				return err
			}
		}
		own, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		own.Insert(freebusy.Period{Start: at(8, 12), End: at(8, 13), UID: "unstored", Transp: "OPAQUE", Summary: "Known from an answer only", Organizer: string(vincent)})
		offers, err := tx.Periods(stores.Table{Kind: stores.Offers})
		if err != nil {
			return err
		}
		offers.Insert(freebusy.Period{Start: at(10, 12), End: at(10, 14), UID: "invited", Transp: "OPAQUE", Summary: "Workshop on free/busy", Organizer: string(vincent), Expires: at(20, 0)})
		offers.Insert(freebusy.Period{Start: at(11, 12), End: at(11, 14), UID: "invited", Transp: "OPAQUE", Summary: "Expired", Organizer: string(vincent), Expires: at(1, 0)})
		return tx.SetRequests([]stores.Request{
			{ID: stores.ID{UID: "invited"}}, {ID: stores.ID{UID: "review"}, Type: "COUNTER"}, {ID: stores.ID{UID: "gone"}},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// sample is the calendar of the texts on a Wednesday morning.
func sample(t testing.TB) *Calendar {
	t.Helper()
	zone := oslo(t)
	now := time.Date(2026, 12, 2, 10, 20, 0, 0, zone)
	first := Week(now)
	c, err := Collect(t.Context(), lay(t, texts()), paul, preferences.Preferences{TZID: "Europe/Oslo", Zone: zone, WindowSize: 100},
		Days{first, first.AddDate(0, 0, 13)}, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
