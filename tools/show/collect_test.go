package show

import (
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
	"imip-agent/stores/storestest"
)

// TestKind shows one event to Paul.
func TestKind(t *testing.T) {
	const hidden Kind = -1
	organised := "ORGANIZER:" + string(paul)
	for _, test := range []struct {
		name   string
		lines  []string
		table  string // the transparency of its record
		queued bool
		want   Kind
	}{
		{"accepted", []string{is("ACCEPTED")}, "", false, Busy},
		{"tentative", []string{is("TENTATIVE")}, "", false, Tentative},
		{"accepted, and itself tentative", []string{is("ACCEPTED"), "STATUS:TENTATIVE"}, "", false, Tentative},
		{"accepted, and transparent", []string{is("ACCEPTED"), "TRANSP:TRANSPARENT"}, "", false, Transparent},
		{"accepted as transparent", []string{is("ACCEPTED")}, "TRANSPARENT", false, Transparent},
		{"transparent, accepted as opaque", []string{is("ACCEPTED"), "TRANSP:TRANSPARENT"}, "OPAQUE", false, Busy},
		{"not answered", []string{is("NEEDS-ACTION")}, "", true, Waiting},
		{"not answered again", []string{is("NEEDS-ACTION")}, "OPAQUE", true, Waiting},
		{"declined", []string{is("DECLINED")}, "", false, hidden},
		{"delegated", []string{is("DELEGATED")}, "", false, hidden},
		{"no status", []string{"ATTENDEE:" + string(paul)}, "", false, Waiting},
		{"no status, and recorded", []string{"ATTENDEE:" + string(paul)}, "OPAQUE", false, Busy},
		{"organised, without attending", []string{organised}, "ORG", false, Organised},
		{"organised and attended", []string{organised, is("ACCEPTED")}, "OPAQUE", false, Busy},
		{"organised and not answered", []string{organised, is("NEEDS-ACTION")}, "OPAQUE", false, Busy},
		{"organised and declined, and recorded", []string{organised, is("DECLINED")}, "OPAQUE", false, Busy},
		{"organised and declined", []string{organised, is("DECLINED")}, "", false, Organised},
		{"organised and delegated", []string{organised, is("DELEGATED")}, "", false, Organised},
		{"delegated, and recorded", []string{is("DELEGATED")}, "OPAQUE", false, Busy},
		{"declined, and recorded", []string{is("DECLINED")}, "TRANSPARENT", false, Transparent},
		{"not named", []string{"ATTENDEE:" + string(vincent)}, "", false, hidden},
		{"not named, in the queue", []string{"ATTENDEE:" + string(vincent)}, "", true, Waiting},
		{"not named, recorded as organised", []string{"ATTENDEE:" + string(vincent)}, "ORG", false, Organised},
		{"not named, recorded as taking part", []string{"ATTENDEE:" + string(vincent)}, "OPAQUE", false, Busy},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := lay(t, map[stores.Key]string{active("e", ""): event("e", "Event", "20261202T100000", "20261202T110000", test.lines...)})
			at := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)
			err := store.Update(t.Context(), paul, func(tx stores.Tx) error {
				table, err := tx.Periods(stores.Table{})
				if err == nil && test.table != "" {
					table.Insert(freebusy.Period{Start: at, End: at.Add(time.Hour), UID: "e", Transp: test.table})
				}
				if err == nil && test.queued {
					err = tx.SetRequests([]stores.Request{{ID: stores.ID{UID: "e"}}})
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			c := collect(t, store, at)
			got := hidden
			if len(c.Entries) == 1 {
				got = c.Entries[0].Kind
			}
			if len(c.Entries) > 1 || got != test.want {
				t.Errorf("entries %+v, want one of kind %d", c.Entries, test.want)
			}
		})
	}
}

// collect returns what Paul's calendar has on a day.
func collect(t *testing.T, store stores.Store, day time.Time) *Calendar {
	t.Helper()
	c, err := Collect(t.Context(), store, paul, preferences.Preferences{Zone: oslo(t), WindowSize: 100}, Days{day, day}, day)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRepeated shows an event once that a store had to read twice.
func TestRepeated(t *testing.T) {
	store := lay(t, map[stores.Key]string{active("e", ""): event("e", "Event", "20261202T100000", "20261202T110000", is("ACCEPTED"))})
	c := collect(t, storestest.Repeated{Store: store}, time.Date(2026, 12, 2, 0, 0, 0, 0, oslo(t)))
	if len(c.Entries) != 1 {
		t.Errorf("entries %+v, want one", c.Entries)
	}
}

// TestDay shows one event on 2 December, or not.
func TestDay(t *testing.T) {
	for _, test := range []struct {
		name, start, end, rule string
		want                   string // when, or nothing
	}{
		{"during the day", "20261202T100000", "20261202T110000", "", "10:00–11:00"},
		{"up to midnight", "20261202T230000", "20261203T000000", "", "23:00–24:00"},
		{"over midnight", "20261202T230000", "20261203T010000", "", "from  23:00"},
		{"from the night before", "20261201T230000", "20261202T010000", "", "until 01:00"},
		{"up to its midnight", "20261201T230000", "20261202T000000", "", ""},
		{"from its end", "20261203T000000", "20261203T010000", "", ""},
		{"no length", "20261202T100000", "20261202T100000", "", "10:00"},
		{"no length, at its beginning", "20261202T000000", "20261202T000000", "", "00:00"},
		{"no length, at its end", "20261203T000000", "20261203T000000", "", ""},
		{"the day", "20261202", "20261203", "", "all day"},
		{"the day before", "20261201", "20261202", "", ""},
		{"the day after", "20261203", "20261204", "", ""},
		{"days about it", "20261130", "20261205", "", "all day"},
		{"hours about it", "20261201T120000", "20261203T120000", "", "all day"},
		{"recurs for years", "20100106T100000", "20100106T110000", "RRULE:FREQ=WEEKLY", "10:00–11:00"},
		{"recurs on other days", "20100107T100000", "20100107T110000", "RRULE:FREQ=WEEKLY", ""},
		{"recurs without end by the minute", "20261201T000000", "20261201T000000", "RRULE:FREQ=MINUTELY;INTERVAL=1440", "00:00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := lay(t, map[stores.Key]string{active("e", ""): event("e", "Event", test.start, test.end, is("ACCEPTED"), test.rule)})
			day := time.Date(2026, 12, 2, 0, 0, 0, 0, oslo(t))
			c := collect(t, store, day)
			got := ""
			if entries := c.on(day); len(entries) > 0 {
				got = when(entries[0], day)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if (len(c.Entries) > 0) != (test.want != "") {
				t.Errorf("entries %v", c.Entries)
			}
		})
	}
}

// TestProblems shows a calendar with events that cannot be read.
func TestProblems(t *testing.T) {
	store := lay(t, map[stores.Key]string{
		active("good", ""):  event("good", "Event", "20261202T100000", "20261202T110000"),
		active("bad", ""):   "BEGIN:VEVENT\r\nUID:bad\r\n",
		active("never", ""): "BEGIN:VEVENT\r\nUID:never\r\nDTSTART:never\r\nATTENDEE;PARTSTAT=ACCEPTED:" + string(paul) + "\r\nEND:VEVENT\r\n",
	})
	c := collect(t, store, time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC))
	if len(c.Entries) != 1 || len(c.Problems) != 2 {
		t.Errorf("entries %v, problems %v", c.Entries, c.Problems)
	}
	if c := collect(t, store, time.Date(2027, 12, 2, 0, 0, 0, 0, time.UTC)); len(c.Entries) != 0 {
		t.Errorf("a year later: %v", c.Entries)
	}
	unknown, err := Collect(t.Context(), store, calendar.URI("mailto:nobody@example.com"), preferences.Preferences{Zone: time.UTC}, Days{}, time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC))
	if err != nil || len(unknown.Entries) > 0 {
		t.Errorf("a user without records: %v, %v", unknown, err)
	}
}
