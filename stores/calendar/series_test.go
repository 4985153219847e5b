package calendar

import (
	"testing"
	"time"
)

// What is recorded of an event and of occurrences stored apart.
func TestSeries(t *testing.T) {
	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	const daily = "DTSTART;TZID=Europe/Oslo:20261124T090000\nDTEND;TZID=Europe/Oslo:20261124T100000\nRRULE:FREQ=DAILY;COUNT=4"
	const days = "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125\nRRULE:FREQ=DAILY;COUNT=3"
	type apart struct {
		lines     string
		cancelled bool
	}
	for _, c := range []struct {
		name, event string
		apart       []apart
		zone        string
		want        []string // of the event, then of each
	}{
		{name: "nothing apart", event: daily, want: []string{
			"20261124T080000Z/20261124T090000Z 20261125T080000Z/20261125T090000Z 20261126T080000Z/20261126T090000Z 20261127T080000Z/20261127T090000Z"}},
		{name: "one moved", event: daily, apart: []apart{{lines: "RECURRENCE-ID;TZID=Europe/Oslo:20261125T090000\nDTSTART:20261125T120000Z\nDTEND:20261125T130000Z"}}, want: []string{
			"20261124T080000Z/20261124T090000Z 20261126T080000Z/20261126T090000Z 20261127T080000Z/20261127T090000Z", "20261125T120000Z/20261125T130000Z"}},
		{name: "in another zone", event: daily, apart: []apart{{lines: "RECURRENCE-ID;TZID=Europe/London:20261125T080000\nDTSTART:20261125T120000Z\nDTEND:20261125T130000Z"}}, want: []string{
			"20261124T080000Z/20261124T090000Z 20261126T080000Z/20261126T090000Z 20261127T080000Z/20261127T090000Z", "20261125T120000Z/20261125T130000Z"}},
		{name: "without a zone", event: daily, zone: "America/New_York", apart: []apart{{lines: "RECURRENCE-ID:20261125T090000\nDTSTART:20261125T120000Z\nDTEND:20261125T130000Z"}}, want: []string{
			"20261124T080000Z/20261124T090000Z 20261126T080000Z/20261126T090000Z 20261127T080000Z/20261127T090000Z", "20261125T120000Z/20261125T130000Z"}},
		{name: "a date", event: daily, zone: "America/New_York", apart: []apart{{lines: "RECURRENCE-ID;VALUE=DATE:20261125\nDTSTART:20261125T120000Z\nDTEND:20261125T130000Z"}}, want: []string{
			"20261124T080000Z/20261124T090000Z 20261126T080000Z/20261126T090000Z 20261127T080000Z/20261127T090000Z", "20261125T120000Z/20261125T130000Z"}},
		{name: "days, midnight in a zone", event: days, zone: "America/New_York", apart: []apart{{lines: "RECURRENCE-ID;TZID=Europe/Oslo:20261125T000000\nDTSTART:20261125T120000Z\nDTEND:20261125T130000Z"}}, want: []string{
			"20261124T050000Z/20261125T050000Z 20261126T050000Z/20261127T050000Z", "20261125T120000Z/20261125T130000Z"}},
		{name: "days, midnight in UTC", event: days, zone: "Asia/Tokyo", apart: []apart{{lines: "RECURRENCE-ID:20261125T000000Z\nDTSTART:20261125T120000Z\nDTEND:20261125T130000Z"}}, want: []string{
			"20261123T150000Z/20261124T150000Z 20261125T150000Z/20261126T150000Z", "20261125T120000Z/20261125T130000Z"}},
		{name: "one cancelled", event: daily, apart: []apart{{lines: "RECURRENCE-ID:20261125T080000Z\nDTSTART:20261125T080000Z", cancelled: true}}, want: []string{
			"20261124T080000Z/20261124T090000Z 20261126T080000Z/20261126T090000Z 20261127T080000Z/20261127T090000Z", ""}},
		{name: "this and all later ones cancelled", event: daily, apart: []apart{{lines: "RECURRENCE-ID;RANGE=THISANDFUTURE:20261125T080000Z", cancelled: true}}, want: []string{
			"20261124T080000Z/20261124T090000Z", ""}},
		{name: "this and all later ones moved and longer", event: daily, apart: []apart{{lines: "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Oslo:20261125T090000\nDTSTART;TZID=Europe/Oslo:20261125T110000\nDTEND;TZID=Europe/Oslo:20261125T130000"}}, want: []string{
			"20261124T080000Z/20261124T090000Z", "20261125T100000Z/20261125T120000Z 20261126T100000Z/20261126T120000Z 20261127T100000Z/20261127T120000Z"}},
		{name: "moved to another day", event: daily, apart: []apart{{lines: "RECURRENCE-ID;RANGE=thisandfuture;TZID=Europe/Oslo:20261126T090000\nDTSTART;TZID=Europe/Oslo:20261125T090000\nDTEND;TZID=Europe/Oslo:20261125T100000"}}, want: []string{
			"20261124T080000Z/20261124T090000Z 20261125T080000Z/20261125T090000Z", "20261125T080000Z/20261125T090000Z 20261126T080000Z/20261126T090000Z"}},
		{name: "one of the later ones moved otherwise", event: daily, apart: []apart{
			{lines: "RECURRENCE-ID;RANGE=THISANDFUTURE:20261125T080000Z\nDTSTART:20261125T100000Z\nDURATION:PT2H"},
			{lines: "RECURRENCE-ID:20261126T080000Z\nDTSTART:20261126T180000Z\nDURATION:PT2H"}}, want: []string{
			"20261124T080000Z/20261124T090000Z", "20261125T100000Z/20261125T120000Z 20261127T100000Z/20261127T120000Z", "20261126T180000Z/20261126T200000Z"}},
		{name: "then all later ones cancelled", event: daily, apart: []apart{
			{lines: "RECURRENCE-ID;RANGE=THISANDFUTURE:20261125T080000Z\nDTSTART:20261125T100000Z\nDURATION:PT2H"},
			{lines: "RECURRENCE-ID;RANGE=THISANDFUTURE:20261127T080000Z", cancelled: true}}, want: []string{
			"20261124T080000Z/20261124T090000Z", "20261125T100000Z/20261125T120000Z 20261126T100000Z/20261126T120000Z", ""}},
		{name: "over a change of clocks", event: "DTSTART;TZID=Europe/Oslo:20261023T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=3;COUNT=2", apart: []apart{
			{lines: "RECURRENCE-ID;RANGE=THISANDFUTURE:20261023T070000Z\nDTSTART;TZID=Europe/Oslo:20261023T100000\nDURATION:PT1H"}}, want: []string{
			"", "20261023T080000Z/20261023T090000Z 20261026T090000Z/20261026T100000Z"}},
		{name: "days moved", event: days, apart: []apart{{lines: "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20261125\nDTSTART;VALUE=DATE:20261126\nDTEND;VALUE=DATE:20261128"}}, want: []string{
			"20261123T230000Z/20261124T230000Z", "20261125T230000Z/20261127T230000Z 20261126T230000Z/20261128T230000Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.zone == "" {
				c.zone = "Europe/Oslo"
			}
			s := &Series{Event: object(t, c.event)}
			ids := []string{""}
			for _, a := range c.apart {
				o := object(t, a.lines)
				id, err := o.RecurrenceID()
				if err != nil {
					t.Fatal(err)
				}
				s.Apart = append(s.Apart, Apart{ID: id, Object: o, Cancelled: a.cancelled})
				ids = append(ids, id)
			}
			for i, id := range ids {
				spans, truncated, err := s.Periods(id, PeriodOptions{Zone: location(t, c.zone), Now: now, Until: now.AddDate(0, 0, 100)})
				if err != nil || truncated {
					t.Fatalf("%q: error %v, truncated %v", id, err, truncated)
				}
				if got := spansText(spans); got != c.want[i] {
					t.Errorf("%q: got  %s\nwant %s", id, got, c.want[i])
				}
			}
		})
	}
}

// A recurrence id means the same occurrence by its name alone.
func TestInstantOf(t *testing.T) {
	const weekly = "DTSTART;TZID=Europe/Oslo:20261124T090000\nRRULE:FREQ=WEEKLY"
	const days = "DTSTART;VALUE=DATE:20261124\nRRULE:FREQ=WEEKLY"
	for _, c := range []struct{ event, id, zone, want string }{
		{weekly, "20261201T080000Z", "America/New_York", "20261201T080000Z"},
		{weekly, "20261201T090000", "America/New_York", "20261201T080000Z"},
		{weekly, "20261201", "America/New_York", "20261201T080000Z"},
		{weekly, "20261202", "America/New_York", "20261202T080000Z"}, // nothing is there: at that time
		{days, "20261201", "America/New_York", "20261201T050000Z"},
		{days, "20261201T000000", "America/New_York", "20261201T050000Z"},
		{days, "20261201T000000Z", "America/New_York", "20261201T050000Z"},
		{days, "20261130T230000Z", "America/New_York", "20261201T050000Z"}, // midnight in Oslo
		{days, "20261201T050000Z", "America/New_York", "20261201T050000Z"},
		{days, "20261201T050000Z", "Europe/Oslo", "20261130T230000Z"}, // midnight in New York
		{days, "20261130T150000Z", "Asia/Tokyo", "20261130T150000Z"},
	} {
		at, err := object(t, c.event).InstantOf(c.id, location(t, c.zone))
		if err != nil || at.Format(formUTC) != c.want {
			t.Errorf("%s of %s in %s: got %s, %v, want %s", c.id, c.event, c.zone, at.Format(formUTC), err, c.want)
		}
	}
	if _, err := object(t, days).InstantOf("someday", nil); err == nil {
		t.Error("no error for an id that is none")
	}
}
