package freebusy

import (
	"slices"
	"testing"
	"time"
)

func TestEvents(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 12, 2, hour, 0, 0, 0, time.UTC) }
	whole, occurrence, other := Event{"a", "", "OPAQUE"}, Event{"a", "20261202", "ORG"}, Event{"b", "", "TRANSPARENT"}
	record := func(hour int, e Event) Period {
		return Period{Start: at(hour), End: at(hour + 1), UID: e.UID, RecurrenceID: e.RecurrenceID, Transp: e.Transp, Summary: "x"}
	}
	table := New(Plain, record(9, whole), record(10, other), record(11, occurrence), record(12, whole))
	if got, want := slices.Collect(table.Events()), []Event{whole, other, occurrence, whole}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	for range table.Events() {
		break // a caller may stop
	}
	for _, test := range []struct {
		name  string
		match func(Event) bool
		want  int
		left  []Event
	}{
		{"none", func(Event) bool { return false }, 0, []Event{whole, other, occurrence, whole}},
		{"the whole event, not its occurrence", func(e Event) bool { return e == whole }, 2, []Event{other, occurrence}},
		{"by transparency", func(e Event) bool { return e.Transp == "ORG" }, 1, []Event{whole, other, whole}},
		{"all", func(Event) bool { return true }, 4, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := New(Plain, slices.Collect(table.All())...)
			if got := table.RemoveEvents(test.match); got != test.want {
				t.Errorf("%d removed, want %d", got, test.want)
			}
			if got := slices.Collect(table.Events()); !slices.Equal(got, test.left) {
				t.Errorf("left %v, want %v", got, test.left)
			}
			if got := table.Changed(); got != (test.want > 0) {
				t.Errorf("changed: %v", got)
			}
		})
	}
}
