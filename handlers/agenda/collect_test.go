package agenda_test

import (
	"testing"
	"time"

	"imip-agent/handlers/agenda"
	"imip-agent/handlers/agenda/agendatest"
	"imip-agent/stores"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

// TestKind shows one event to Paul.
func TestKind(t *testing.T) {
	const hidden agenda.Kind = -1
	organized := "ORGANIZER:" + string(agendatest.Paul)
	for _, test := range []struct {
		name   string
		lines  []string
		table  string // the transparency of its record
		queued bool
		want   agenda.Kind
	}{
		{"accepted", []string{agendatest.Is("ACCEPTED")}, "", false, agenda.Busy},
		{"tentative", []string{agendatest.Is("TENTATIVE")}, "", false, agenda.Tentative},
		{"accepted, and itself tentative", []string{agendatest.Is("ACCEPTED"), "STATUS:TENTATIVE"}, "", false, agenda.Tentative},
		{"accepted, and transparent", []string{agendatest.Is("ACCEPTED"), "TRANSP:TRANSPARENT"}, "", false, agenda.Transparent},
		{"accepted as transparent", []string{agendatest.Is("ACCEPTED")}, "TRANSPARENT", false, agenda.Transparent},
		{"transparent, accepted as opaque", []string{agendatest.Is("ACCEPTED"), "TRANSP:TRANSPARENT"}, "OPAQUE", false, agenda.Busy},
		{"not answered", []string{agendatest.Is("NEEDS-ACTION")}, "", true, agenda.Waiting},
		{"not answered again", []string{agendatest.Is("NEEDS-ACTION")}, "OPAQUE", true, agenda.Waiting},
		{"declined", []string{agendatest.Is("DECLINED")}, "", false, hidden},
		{"delegated", []string{agendatest.Is("DELEGATED")}, "", false, hidden},
		{"no status", []string{"ATTENDEE:" + string(agendatest.Paul)}, "", false, agenda.Waiting},
		{"no status, and recorded", []string{"ATTENDEE:" + string(agendatest.Paul)}, "OPAQUE", false, agenda.Busy},
		{"organized, without attending", []string{organized}, "ORG", false, agenda.Organized},
		{"organized and attended", []string{organized, agendatest.Is("ACCEPTED")}, "OPAQUE", false, agenda.Busy},
		{"organized and not answered", []string{organized, agendatest.Is("NEEDS-ACTION")}, "OPAQUE", false, agenda.Busy},
		{"organized and declined, and recorded", []string{organized, agendatest.Is("DECLINED")}, "OPAQUE", false, agenda.Busy},
		{"organized and declined", []string{organized, agendatest.Is("DECLINED")}, "", false, agenda.Organized},
		{"organized and delegated", []string{organized, agendatest.Is("DELEGATED")}, "", false, agenda.Organized},
		{"delegated, and recorded", []string{agendatest.Is("DELEGATED")}, "OPAQUE", false, agenda.Busy},
		{"declined, and recorded", []string{agendatest.Is("DECLINED")}, "TRANSPARENT", false, agenda.Transparent},
		{"not named", []string{"ATTENDEE:" + string(agendatest.Vincent)}, "", false, hidden},
		{"not named, in the queue", []string{"ATTENDEE:" + string(agendatest.Vincent)}, "", true, agenda.Waiting},
		{"not named, recorded as organized", []string{"ATTENDEE:" + string(agendatest.Vincent)}, "ORG", false, agenda.Organized},
		{"not named, recorded as taking part", []string{"ATTENDEE:" + string(agendatest.Vincent)}, "OPAQUE", false, agenda.Busy},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := agendatest.Lay(t, map[stores.Key]string{agendatest.Active("e", ""): agendatest.Event("e", "Event", "20261202T100000", "20261202T110000", test.lines...)})
			at := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)
			err := store.Update(t.Context(), agendatest.Paul, func(tx stores.Tx) error {
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
func collect(t *testing.T, store stores.Store, day time.Time) *agenda.Calendar {
	t.Helper()
	return agendatest.Collect(t, store, agenda.Days{First: day, Last: day}, day)
}

// TestProblems shows a calendar with events that cannot be read.
func TestProblems(t *testing.T) {
	store := agendatest.Lay(t, map[stores.Key]string{
		agendatest.Active("good", ""):  agendatest.Event("good", "Event", "20261202T100000", "20261202T110000"),
		agendatest.Active("bad", ""):   "BEGIN:VEVENT\r\nUID:bad\r\n",
		agendatest.Active("never", ""): "BEGIN:VEVENT\r\nUID:never\r\nDTSTART:never\r\nATTENDEE;PARTSTAT=ACCEPTED:" + string(agendatest.Paul) + "\r\nEND:VEVENT\r\n",
	})
	c := collect(t, store, time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC))
	if len(c.Entries) != 1 || len(c.Problems) != 2 {
		t.Errorf("entries %v, problems %v", c.Entries, c.Problems)
	}
	if c := collect(t, store, time.Date(2027, 12, 2, 0, 0, 0, 0, time.UTC)); len(c.Entries) != 0 {
		t.Errorf("a year later: %v", c.Entries)
	}
}

// TestNobody shows the calendar of a user without records.
func TestNobody(t *testing.T) {
	store := agendatest.Lay(t, nil)
	settings := preferences.Preferences{Zone: time.UTC}
	err := store.Snapshot(t.Context(), "mailto:nobody@example.com", func(tx stores.Tx) error {
		c, err := agenda.Collect(t.Context(), tx, settings, agenda.Days{}, time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC))
		if err == nil && (len(c.Entries) > 0 || c.User != "mailto:nobody@example.com") {
			t.Errorf("%+v", c)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
