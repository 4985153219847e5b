package calendar

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
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

// Any text is cut as the regular expression says: the grammar of RFC 5545 section 3.3.6, with weeks beside the rest.
func TestCutDuration(t *testing.T) {
	grammar := regexp.MustCompile(`^([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)
	pieces := []string{"+", "-", "P", "T", "1", "23", "0", "W", "D", "H", "M", "S", "1W", "2D", "T3H", "4M", "5S", " ", "\n", "é"}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"", "P", "-PT", "PT"}).Draw(t, "beginning") +
			strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "pieces"), "")
		var want durationParts
		match := grammar.FindStringSubmatch(text)
		there := match != nil && strings.Join(match[2:], "") != ""
		if there {
			want = durationParts{match[1], match[2], match[3], match[4], match[5], match[6]}
		}
		if got, ok := cutDuration(text); ok != there || got != want {
			t.Errorf("%q: %+v, %v, want %+v, %v", text, got, ok, want, there)
		}
	})
}

func TestWithoutLeapSeconds(t *testing.T) {
	leap := regexp.MustCompile(`(T[0-9]{4})60`)
	pieces := []string{"20161231", "T", "T2359", "T235960", "60", "6", "0", "Z", ",", "TZ", "T23", "é"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "pieces"), "")
		if got, want := withoutLeapSeconds(text), leap.ReplaceAllString(text, "${1}59"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
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
