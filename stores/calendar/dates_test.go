package calendar

import (
	"strings"
	"testing"
	"time"
)

func TestReadDuration(t *testing.T) {
	for _, c := range []struct {
		text string
		want length
	}{
		{"PT1H", length{exact: time.Hour}},
		{"P1W", length{days: 7}},
		{"P1D", length{days: 1}},
		{"P1W2D", length{days: 9}},
		{"P15DT5H0M20S", length{days: 15, exact: 5*time.Hour + 20*time.Second}},
		{"PT90M", length{exact: 90 * time.Minute}},
		{"PT0S", length{}},
		{"+PT15M", length{exact: 15 * time.Minute}},
		{"-P1DT15M", length{days: -1, exact: -15 * time.Minute}},
		{"p1dt1h", length{days: 1, exact: time.Hour}},
		{" PT1H ", length{exact: time.Hour}},
		{"P99999999999999999999W", length{days: maxDays}},
		{"PT99999999999999999999H", length{exact: maxExact}},
	} {
		if got, err := readDuration(c.text); err != nil || got != c.want {
			t.Errorf("%q: %v, error %v, want %v", c.text, got, err, c.want)
		}
	}
	for _, c := range []struct{ text, reason string }{
		{"", "nothing"},
		{"P", "no numbers"},
		{"PT", "no numbers"},
		{"1H", "no P"},
		{"P1H", "hours without T"},
		{"PT1D", "days after T"},
		{"PT1S1H", "in the wrong order"},
		{"PT1.5H", "no integer"},
		{"--PT1H", "two signs"},
		{"PT-1H", "a sign inside"},
		{"PT1H30", "a number without unit"},
		{"P1Y", "years are of ISO 8601 only"},
		{"P1M", "and months"},
		{"PT1H\nX", "a line break"},
	} {
		if got, err := readDuration(c.text); err == nil {
			t.Errorf("%q (%s): %v", c.text, c.reason, got)
		}
	}
}

func FuzzDates(f *testing.F) {
	for _, text := range []string{
		"20261124", "20261124T120000", "20261124T120000Z", "20261124t235960z", "00010101T000000", "99991231T235959",
		"PT1H", "-P1DT15M", "20261124T120000Z/PT3H", "20261124T120000/20261124T110000",
	} {
		f.Add(text)
	}
	zone := location(f, "Asia/Tokyo")
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := readMoment(text, nil); err == nil {
			form := map[int]string{8: formDate, 15: formLocal, 16: formUTC}[len(strings.TrimSpace(text))]
			// A leap second is the one thing that is not read as it stands.
			if got := m.local.Format(form); got != strings.ToUpper(strings.TrimSpace(text)) && !strings.Contains(text[13:], "60") {
				t.Errorf("%q is read as %s", text, got)
			}
		}
		if l, err := readDuration(text); err == nil && (l.days < 0) != (l.exact < 0) && l.days != 0 && l.exact != 0 {
			t.Errorf("%q is read as %v", text, l)
		}
		if start, l, err := (&times{user: zone}).readPeriod(text, nil); err == nil {
			at := start.instant(zone)
			if end := l.after(start, at, zone); end.Before(at) {
				t.Errorf("%q ends at %v, before %v", text, end, at)
			}
		}
	})
}
