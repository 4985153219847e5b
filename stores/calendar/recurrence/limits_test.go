package recurrence

import (
	"testing"
	"time"
)

// TestHardRules expands rules that are hard on a naive expansion. Each has to be
// done in no time, whatever the machine does besides.
func TestHardRules(t *testing.T) {
	start := time.Date(2010, time.January, 1, 9, 30, 1, 0, time.UTC)
	tests := []struct {
		rule, reason string
		want         int // occurrences, up to 50,000
	}{
		{"FREQ=SECONDLY", "by the second for ever", 50000},
		{"FREQ=SECONDLY;COUNT=1000000000", "a thousand million", 50000},
		{"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "never, by the second", 0},
		{"FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "never, by the minute", 0},
		{"FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "never, by the hour", 0},
		{"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "never, by the day", 0},
		{"FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30", "never, by the week", 0},
		{"FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "never, by the month", 0},
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never, by the year", 0},
		{"FREQ=YEARLY;BYWEEKNO=10;BYMONTH=12", "never: week 10 is in March", 0},
		{"FREQ=HOURLY;BYWEEKNO=-47;BYMONTHDAY=31;BYYEARDAY=1,2,3", "never, with costly days", 0},
		{"FREQ=HOURLY;INTERVAL=24;BYHOUR=8", "never: the interval misses the hour", 0},
		{"FREQ=MINUTELY;INTERVAL=1440;BYHOUR=8", "never: the interval misses the hour", 0},
		{"FREQ=SECONDLY;INTERVAL=2;BYSECOND=0", "never: the interval misses the second", 0},
		{"FREQ=SECONDLY;INTERVAL=86399;BYHOUR=8;BYMINUTE=0;BYSECOND=0", "once in 236 years", 34},
		{"FREQ=SECONDLY;INTERVAL=287;BYHOUR=8;BYMINUTE=0,1,2,3,4;BYSECOND=7", "few in many", 50000},
		{"FREQ=SECONDLY;INTERVAL=7;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3;BYMINUTE=4;BYSECOND=5", "a second in a leap day", 279},
		{"FREQ=SECONDLY;BYSETPOS=2", "no second has two", 0},
		{"FREQ=DAILY;INTERVAL=999999999999999999999", "past the last year at once", 1},
		{"FREQ=YEARLY;INTERVAL=999999999999999999999", "past the last year at once", 1},
		{"FREQ=YEARLY;BYSECOND=60", "there is no second 60", 0},
		{"FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;" +
			"BYMINUTE=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59;" +
			"BYSECOND=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59",
			"every second of the year in one set", 50000},
	}
	for _, test := range tests {
		rule, err := Parse(test.rule)
		if err != nil {
			t.Errorf("%s: %v", test.reason, err)
			continue
		}
		n := 0
		err = rule.Expand(Range{Start: start}, func(time.Time) bool { n++; return n < 50000 })
		if err != nil || n != test.want {
			t.Errorf("%s: %s: %d occurrences, want %d, error %v", test.rule, test.reason, n, test.want, err)
		}
	}
}
