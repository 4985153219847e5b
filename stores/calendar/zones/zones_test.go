package zones

import (
	"testing"
	"time"
)

func load(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestLoad(t *testing.T) {
	for _, name := range []string{"Europe/Oslo", "UTC", "Etc/GMT-1", "EST5EDT", "America/Argentina/Buenos_Aires", "Europe/Oslo"} {
		if loc, err := Load(name); err != nil || loc.String() != name {
			t.Errorf("%s: %v, %v", name, loc, err)
		}
	}
	for _, c := range []struct{ name, reason string }{
		{"", "no name"},
		{"Local", "depends on the machine"},
		{"Nowhere/Such", "no such zone"},
		{"Europe", "a directory"},
		{"/usr/share/zoneinfo/Europe/Oslo", "a path"},
		{"../zoneinfo/Europe/Oslo", "a path"},
		{"Europe/../Europe/Oslo", "a path"},
		{"Europe//Oslo", "a path"},
		{"Europe/Oslo/", "a path"},
		{`Europe\Oslo`, "a path elsewhere"},
		{"Europe/Oslo\x00", "NUL"},
		{"right/Europe/Oslo", "counts leap seconds"},
		{"posix/Europe/Oslo", "another tree"},
		{"zone.tab", "no zone file"},
		{"W. Europe Standard Time", "a name of Windows"},
	} {
		if loc, err := Load(c.name); err == nil {
			t.Errorf("%q (%s): %v", c.name, c.reason, loc)
		}
	}
}

func TestPlace(t *testing.T) {
	const form = "20060102T150405"
	for _, c := range []struct{ zone, local, want, reason string }{
		{"UTC", "20261202T090000", "20261202T090000", "as it is"},
		{"Europe/Oslo", "20261202T090000", "20261202T080000", "winter"},
		{"Europe/Oslo", "20260702T090000", "20260702T070000", "summer"},
		{"Europe/Oslo", "20270328T015959", "20270328T005959", "before a gap"},
		{"Europe/Oslo", "20270328T020000", "20270328T010000", "first second of a gap"},
		{"Europe/Oslo", "20270328T023000", "20270328T013000", "in a gap: the offset before it"},
		{"Europe/Oslo", "20270328T030000", "20270328T010000", "after a gap"},
		{"Europe/Oslo", "20261025T020000", "20261025T000000", "first of the hour that comes twice"},
		{"Europe/Oslo", "20261025T025959", "20261025T005959", "last of it"},
		{"Europe/Oslo", "20261025T030000", "20261025T020000", "after it"},
		{"America/New_York", "20260308T023000", "20260308T073000", "in a gap, west"},
		{"America/New_York", "20261101T013000", "20261101T053000", "twice, west"},
		{"Australia/Lord_Howe", "20261004T021500", "20261003T154500", "in a gap of half an hour"},
		{"Australia/Lord_Howe", "20260405T014500", "20260404T144500", "twice, of half an hour"},
		{"America/Sao_Paulo", "20171015T000000", "20171015T030000", "midnight in a gap"},
		{"Pacific/Apia", "20111230T120000", "20111230T220000", "a day that did not exist"},
		{"Pacific/Kwajalein", "19930821T120000", "19930822T000000", "another"},
		{"Europe/Dublin", "20260329T013000", "20260329T013000", "in a gap, where winter is the exception"},
		{"Africa/Casablanca", "20260215T023000", "20260215T013000", "the first of two, before a fast"},
		{"Europe/Oslo", "18000101T000000", "17991231T231700", "local mean time"},
		{"Asia/Tokyo", "21260101T000000", "21251231T150000", "far ahead"},
		{"Europe/Oslo", "21260701T000000", "21260630T220000", "summer, far ahead"},
		{"Etc/GMT-14", "20261202T090000", "20261201T190000", "furthest east"},
		{"Etc/GMT+12", "20261202T090000", "20261202T210000", "furthest west"},
	} {
		local, err := time.Parse(form, c.local)
		if err != nil {
			t.Fatal(err)
		}
		if got := Place(local, load(t, c.zone)).UTC().Format(form); got != c.want {
			t.Errorf("%s in %s (%s): %s, want %s", c.local, c.zone, c.reason, got, c.want)
		}
	}
}

// TestPlaceEverywhere checks, hour by hour around every change that a year has in
// every zone, that a placed time shows the fields that it was placed by, and is
// the first to do so; and that in a gap it is late by the gap.
func TestPlaceEverywhere(t *testing.T) {
	for _, name := range ianaNames {
		loc := load(t, name)
		for at := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC).In(loc); at.UTC().Year() == 2026; {
			_, end := at.ZoneBounds()
			if end.IsZero() {
				break
			}
			_, before := end.Add(-time.Second).Zone()
			_, after := end.Zone()
			for minutes := -180; minutes <= 180; minutes += 30 {
				local := end.UTC().Add(time.Duration(before)*time.Second + time.Duration(minutes)*time.Minute)
				placed := Place(local, loc)
				_, offset := placed.Zone()
				shown := placed.UTC().Add(time.Duration(offset) * time.Second)
				gap := time.Duration(after-before) * time.Second
				switch inGap := minutes >= 0 && time.Duration(minutes)*time.Minute < gap; {
				case inGap && !shown.Equal(local.Add(gap)), !inGap && !shown.Equal(local):
					t.Fatalf("%s: %v shows %v", name, local, shown)
				}
				earlier := placed.Add(-max(gap, -gap))
				_, offset = earlier.Zone()
				if gap < 0 && earlier.UTC().Add(time.Duration(offset)*time.Second).Equal(local) {
					t.Fatalf("%s: %v is not the first", name, placed)
				}
			}
			at = end
		}
	}
}
