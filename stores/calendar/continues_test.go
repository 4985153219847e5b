package calendar

import (
	"testing"
	"time"
)

func TestContinues(t *testing.T) {
	end := time.Date(2027, 3, 2, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, rule string
		want       bool
	}{
		{"single", "", false},
		{"single, later than the window", "DTSTART:20281202T090000Z\r\n", false},
		{"without end", "RRULE:FREQ=DAILY\r\n", true},
		{"until later", "RRULE:FREQ=DAILY;UNTIL=20281202T090000Z\r\n", true},
		{"until in the window", "RRULE:FREQ=DAILY;UNTIL=20270302T085959Z\r\n", false},
		{"until later, but the next occurrence is later still", "RRULE:FREQ=YEARLY;UNTIL=20271201T000000Z\r\n", false},
		{"count is used up in the window", "RRULE:FREQ=DAILY;COUNT=91\r\n", false},
		{"count goes on", "RRULE:FREQ=DAILY;COUNT=92\r\n", true},
		{"all that is left is excluded", "RRULE:FREQ=DAILY;COUNT=92\r\nEXDATE:20270303T090000Z\r\n", false},
		{"yearly with a count", "RRULE:FREQ=YEARLY;COUNT=2\r\n", true},
		{"begins after the window", "DTSTART:20281202T090000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\n", true},
		{"a date added later is there already", "RDATE:20281202T090000Z\r\n", false},
		{"a rule that cannot be read", "RRULE:FREQ=SOMETIMES\r\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := "BEGIN:VEVENT\r\nUID:u\r\n" + test.rule + "DTSTART:20261202T090000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n"
			o, err := DecodeObject([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got := o.Continues(end, time.UTC); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
