package itip

import (
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// days returns the days of December 2026 and the hours on which periods start.
func days(spans []calendar.Span) string {
	var all []string
	for _, s := range spans {
		all = append(all, s.Start.Format("2-15"))
	}
	return strings.ReplaceAll(strings.Join(all, " "), "-0", "-")
}

// When an event takes place, with what is stored apart of it.
func TestTimes(t *testing.T) {
	const daily = "DTSTART:20261201T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=6\n"
	whole, options := stores.ID{UID: "meeting"}, calendar.PeriodOptions{Zone: time.UTC, Now: now, Until: now.AddDate(0, 0, 100), Max: 5}
	for _, c := range []struct {
		name      string
		lines     string
		apart     []calendar.Apart
		spans     string
		own       string
		truncated bool
		warnings  int
	}{
		{"alone", "DTSTART:20261201T090000Z\nDURATION:PT1H\n", nil, "1-9", "1-9", false, 0},
		{"a series over the limit", daily, nil, "1-9 2-9 3-9 4-9 5-9", "1-9 2-9 3-9 4-9 5-9", true, 1},
		{"occurrences apart count", daily, []calendar.Apart{{ID: "20261202T090000Z"}, {ID: "20261204T090000Z", Cancelled: true}}, "1-9 2-9 3-9 4-9 5-9", "1-9 3-9 5-9", true, 1},
		{"one of a day", daily, []calendar.Apart{{ID: "20261202"}}, "1-9 2-9 3-9 4-9 5-9", "1-9 3-9 4-9 5-9", true, 1},
		{"one nobody can place", daily, []calendar.Apart{{ID: "soon"}}, "1-9 2-9 3-9 4-9 5-9", "1-9 2-9 3-9 4-9 5-9", true, 2},
		{"one for all later ones", daily, []calendar.Apart{{ID: "20261204T090000Z", Object: object(t, "RECURRENCE-ID;RANGE=THISANDFUTURE:20261204T090000Z\nDTSTART:20261204T120000Z\n")}}, "1-9 2-9 3-9", "1-9 2-9 3-9", false, 0},
	} {
		s := NewSeries(whole, object(t, c.lines), c.apart...)
		times, err := s.Times(options)
		if err != nil || times.Incomplete != nil {
			t.Errorf("%s: %v, %v", c.name, err, times.Incomplete)
		}
		if days(times.Spans) != c.spans || days(times.Own()) != c.own || times.Truncated != c.truncated || len(times.Warnings) != c.warnings {
			t.Errorf("%s: %s, own %s, %+v", c.name, days(times.Spans), days(times.Own()), times)
		}
		if n := len(times.Spans) - len(times.Own()); n > 0 && len(times.Apart(times.Spans[1].Start)) != 1 {
			t.Errorf("%s: apart %+v", c.name, times)
		}
	}
	if _, err := NewSeries(whole, object(t, "DTSTART:soon\n")).Times(options); err == nil {
		t.Error("no error where the beginning is not known")
	}
	times, err := NewSeries(whole, object(t, daily+"RDATE:soon\n")).Times(options)
	if err != nil || times.Incomplete == nil || len(times.Spans) != 5 {
		t.Errorf("in part: %+v, %v", times, err)
	}
}

// What is worked out from what is stored is what was recorded when it was stored.
func TestBusyAsRecorded(t *testing.T) {
	const (
		event   = "ORGANIZER:" + bob + "\nATTENDEE;PARTSTAT=ACCEPTED:" + bob + "\nDTSTART:20261202T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=5\n"
		later   = "ORGANIZER:" + bob + "\nATTENDEE;PARTSTAT=ACCEPTED:" + bob + "\nDTSTART:20261209T120000Z\nDURATION:PT2H\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261209T090000Z\n"
		single  = "ORGANIZER:" + bob + "\nATTENDEE;PARTSTAT=ACCEPTED:" + bob + "\nDTSTART:20261216T140000Z\nDURATION:PT1H\nRECURRENCE-ID:20261216T090000Z\n"
		version = "\nDTSTAMP:20261122T110000Z\n"
	)
	for _, c := range []struct {
		name    string
		changes []string // methods and lines, in turns
		want    string   // days of December and hours
	}{
		{"a series", []string{"REQUEST", event + "SEQUENCE:0" + version}, "2-9 9-9 16-9 23-9 30-9"},
		{"one moved", []string{"REQUEST", event + "SEQUENCE:0" + version, "REQUEST", single + "SEQUENCE:1" + version}, "2-9 9-9 16-14 23-9 30-9"},
		{"one cancelled", []string{"REQUEST", event + "SEQUENCE:0" + version, "CANCEL", single + "SEQUENCE:1" + version}, "2-9 9-9 23-9 30-9"},
		{"all later ones moved", []string{"REQUEST", event + "SEQUENCE:0" + version, "REQUEST", later + "SEQUENCE:1" + version}, "2-9 9-12 16-12 23-12 30-12"},
		{"and one of them", []string{"REQUEST", event + "SEQUENCE:0" + version, "REQUEST", later + "SEQUENCE:1" + version, "REQUEST", single + "SEQUENCE:2" + version}, "2-9 9-12 16-14 23-12 30-12"},
		{"one, and then all later ones", []string{"REQUEST", event + "SEQUENCE:0" + version, "REQUEST", single + "SEQUENCE:1" + version, "REQUEST", later + "SEQUENCE:2" + version}, "2-9 9-12 16-14 23-12 30-12"},
		{"all later ones of an event that is called off", []string{"REQUEST", event + "SEQUENCE:0" + version, "CANCEL", event + "SEQUENCE:1" + version, "REQUEST", later + "SEQUENCE:2" + version}, "9-12 16-12 23-12 30-12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t)
			for i := 0; i < len(c.changes); i += 2 {
				if o := r.apply(Sent, c.changes[i], c.changes[i+1]); o.Refused != Applied {
					t.Fatalf("%s: %s", c.changes[i], o)
				}
			}
			var recorded, worked []calendar.Span
			err := r.update(func(records *Records) error {
				table, err := records.Periods(stores.Table{Kind: stores.Own})
				if err != nil {
					return err
				}
				for p := range table.All() {
					recorded = append(recorded, calendar.Span{Start: p.Start, End: p.End})
				}
				apart, err := Apart(records.Tx, "meeting")
				if err != nil {
					return err
				}
				for key, err := range records.Keys() {
					if err != nil {
						return err
					}
					if key.Part != stores.Active {
						continue
					}
					object, err := readObject(records.Tx, key)
					if err != nil {
						return err
					}
					series, err := ReadSeries(records.Tx, key.ID, object, apart)
					if err != nil {
						return err
					}
					busy, err := series.Busy(bob, calendar.PeriodOptions{Zone: time.UTC, Now: now, Until: now.AddDate(0, 0, 100)})
					if err != nil {
						return err
					}
					worked = append(worked, busy.Own()...)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, spans := range [][]calendar.Span{recorded, worked} {
				slices.SortFunc(spans, func(a, b calendar.Span) int { return a.Start.Compare(b.Start) })
			}
			if days(recorded) != c.want || !slices.Equal(worked, recorded) {
				t.Errorf("recorded %s, worked out %s", days(recorded), days(worked))
			}
		})
	}
}
