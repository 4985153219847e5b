package preferences_test

import (
	"fmt"
	"testing"
	"time"

	"imip-agent/stores/preferences"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"P1D":         day,
		"P2W":         14 * day,
		"PT1H":        time.Hour,
		"+PT1H":       time.Hour,
		"PT1H1S":      time.Hour + time.Second,
		"PT1H30M":     90 * time.Minute,
		"P1DT2H3M4S":  day + 2*time.Hour + 3*time.Minute + 4*time.Second,
		"PT90S":       90 * time.Second,
		"P0D":         0,
		"PT0S":        0,
		"P15DT5H0M0S": 15*day + 5*time.Hour,
	} {
		got, err := preferences.ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for text, reason := range map[string]string{
		"":               "empty",
		"P":              "no unit",
		"PT":             "no time after T",
		"P1DT":           "no time after T",
		"1D":             "no P",
		"3600":           "a plain number is seconds or days, who knows",
		"pt1h":           "lower case",
		"-PT1H":          "an offer cannot expire before it is made",
		"P1M":            "M is minutes, which need a T; there are no months",
		"P1Y":            "there are no years",
		"P1H":            "hours without T",
		"P1W2D":          "weeks stand alone",
		"P1WT1H":         "weeks stand alone",
		"PT1H2D":         "days after times",
		"PT1M1H":         "the larger unit after the smaller",
		"PT1H1H":         "a unit twice",
		"PT1HT1M":        "T twice",
		"PT1.5H":         "no fractions",
		"PT 1H":          "a space inside",
		"PT1":            "a number without a unit",
		"P1T":            "T as a unit",
		"PTH":            "a unit without a number",
		"P99999999999D":  "longer than can be counted",
		"P9999999999W":   "longer than can be counted",
		"PT99999999999H": "longer than can be counted",
		"P1D\n":          "a line break",
	} {
		if got, err := preferences.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error: %s", text, got, reason)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"P1D", "P2W", "PT1H30M", "P1DT2H3M4S", "+PT5M", "P", "PT", "-P1D", "P1W2D", "P99999999999D"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		length, err := preferences.ParseDuration(text)
		if err != nil {
			return
		}
		if length < 0 {
			t.Fatalf("ParseDuration(%q) = %v, less than nothing", text, length)
		}
		again, err := preferences.ParseDuration(fmt.Sprintf("PT%dS", int64(length/time.Second)))
		if err != nil || again != length {
			t.Fatalf("%q is %v, but as seconds it is %v, %v", text, length, again, err)
		}
	})
}
