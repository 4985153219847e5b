package draw

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"imip-agent/handlers/agenda"
	"imip-agent/handlers/agenda/agendatest"
)

// TestArrange checks that what overlaps in time does not overlap in space, that no more
// than three are beside each other, and that each is as wide as it can be: nothing is left
// free at either side.
func TestArrange(t *testing.T) {
	const tiny = 1e-9
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		spans := make([]span, n)
		for i := range spans {
			from := time.Duration(rapid.IntRange(0, 20).Draw(t, "from")) * time.Hour
			spans[i] = span{from: from, to: from + time.Duration(rapid.IntRange(1, 4).Draw(t, "hours"))*time.Hour}
			spans[i].entry.Kind = agenda.Kind(rapid.IntRange(0, int(agenda.Cancelled)).Draw(t, "kind"))
		}
		placed, crowded := arrange(spans)
		left := 0
		for _, group := range crowded {
			left += len(group)
			for _, s := range group {
				beside := 0
				for _, o := range placed {
					if o.overlaps(s) {
						beside++
					}
				}
				if beside < maxColumns {
					t.Fatalf("%+v is not shown, and only %d others are at its time", s, beside)
				}
			}
		}
		if len(placed)+left != n {
			t.Fatalf("%d are placed and %d are not, of %d", len(placed), left, n)
		}
		for i, s := range placed {
			end := 1.0
			for _, group := range crowded {
				if group[0].from < s.to && s.from < latest(group) {
					end = 1 - crowdShare
				}
			}
			if s.left < -tiny || s.wide < (1-crowdShare)/maxColumns-tiny || s.left+s.wide > end+tiny {
				t.Fatalf("%+v is not within its day, or too narrow", s)
			}
			fits, before := s.left+s.wide < end-tiny, s.left > tiny
			for j, o := range placed {
				if i == j || !o.overlaps(s) {
					continue
				}
				if s.left < o.left+o.wide-tiny && o.left < s.left+s.wide-tiny {
					t.Fatalf("%+v covers %+v", s, o)
				}
				before = before && math.Abs(o.left+o.wide-s.left) > tiny
				fits = fits && o.left < s.left
			}
			if fits || before {
				t.Fatalf("%+v could be wider, among %+v", s, placed)
			}
		}
	})
}

func TestOnDay(t *testing.T) {
	zone := agendatest.Oslo(t)
	hour := func(day, h, m int) time.Time { return time.Date(2026, 10, day, h, m, 0, 0, zone) }
	for _, test := range []struct {
		name       string
		start, end time.Time
		want       string
	}{
		{"as usual", hour(24, 10, 0), hour(24, 11, 30), "10h0m0s-11h30m0s"},
		{"short", hour(24, 10, 0), hour(24, 10, 5), "10h0m0s-10h5m0s"},
		{"short, before midnight", hour(24, 23, 50), hour(25, 0, 0), "23h50m0s-24h0m0s"},
		{"from the day before", hour(23, 22, 0), hour(24, 1, 0), "0s-1h0m0s"},
		{"over midnight", hour(24, 22, 0), hour(25, 1, 0), "22h0m0s-24h0m0s"},
		{"up to midnight", hour(24, 22, 0), hour(25, 0, 0), "22h0m0s-24h0m0s"},
		{
			"clocks are set back: from the first 2:45 to the second 2:30",
			time.Date(2026, 10, 25, 0, 45, 0, 0, time.UTC).In(zone), time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC).In(zone), "2h45m0s-3h30m0s",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			day := hour(24, 0, 0)
			if test.start.Day() == 25 {
				day = hour(25, 0, 0)
			}
			from, to := onDay(agenda.Entry{Start: test.start, End: test.end}, day)
			if got := fmt.Sprintf("%v-%v", from, to); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestShare(t *testing.T) {
	h := hours{First: 6, Last: 20}
	h.quiet[6], h.quiet[7] = true, true
	if room := h.Room(); math.Abs(room-12.5) > 1e-9 {
		t.Fatalf("room %v, want 12.5", room)
	}
	for _, test := range []struct {
		at   time.Duration
		want float64
	}{
		{6 * time.Hour, 0},
		{7 * time.Hour, 0.25 / 12.5},
		{8 * time.Hour, 0.5 / 12.5},
		{8*time.Hour + 30*time.Minute, 1 / 12.5},
		{20 * time.Hour, 1},
	} {
		if got := h.share(test.at); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("at %v: %v, want %v", test.at, got, test.want)
		}
	}
	if before, after := h.share(5*time.Hour), h.share(21*time.Hour); before >= 0 || after <= 1 {
		t.Errorf("outside: %v and %v", before, after)
	}
}

// TestWeeks checks what does not depend on the picture.
func TestWeeks(t *testing.T) {
	c := agendatest.Sample(t)
	weeks := plan{c}.weeks()
	if len(weeks) != 2 {
		t.Fatalf("%d weeks", len(weeks))
	}
	if got, want := weeks[0].Title, "Week 49, 30 November to 6 December 2026"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
	if h := weeks[0].Hours; h.First != 0 || h.Last != 24 || !h.quiet[3] || h.quiet[0] || h.quiet[12] {
		t.Errorf("hours %+v", h)
	}
	if h := weeks[1].Hours; h.First != 8 || h.Last != 24 {
		t.Errorf("hours %+v", h)
	}
	type drawnBar struct{ column, span, lane int }
	var bars []drawnBar
	for _, b := range weeks[0].Bars {
		bars = append(bars, drawnBar{b.Column, b.Span, b.Lane})
	}
	if want := []drawnBar{{3, 3, 0}, {4, 3, 1}}; fmt.Sprint(bars) != fmt.Sprint(want) {
		t.Errorf("bars %v, want %v", bars, want)
	}
	for i, d := range weeks[0].Days {
		if d.Today != (i == 2) || d.Weekend != (i > 4) || d.Outside || (d.Now >= 0) != (i == 2) {
			t.Errorf("day %d: %+v", i, d)
		}
	}
	// A range that begins and ends in the middle of weeks.
	c.From, c.To = c.From.AddDate(0, 0, 2), c.To.AddDate(0, 0, -3)
	weeks = plan{c}.weeks()
	for i, d := range append(weeks[0].Days, weeks[1].Days...) {
		if outside := i < 2 || i > 10; d.Outside != outside {
			t.Errorf("day %d: outside %v, want %v", i, d.Outside, outside)
		}
	}
}

// TestBrief checks that what is drawn is as long as it lasts, to the minute.
func TestBrief(t *testing.T) {
	for _, test := range []struct {
		hour, minute int
		length       time.Duration
		brief        bool
	}{
		{9, 0, 5 * time.Minute, true},
		{9, 55, 5 * time.Minute, true},
		{12, 0, 0, true},
		{9, 0, 15 * time.Minute, false},
		{9, 7, 38 * time.Minute, false},
		{23, 58, time.Minute, true},
	} {
		c := weekOf(t, at(t, 1, test.hour, test.minute, test.length, "Event"))
		w := plan{c}.weeks()[0]
		b := w.Days[1].Blocks[0]
		hour := 1 / w.Hours.Room()
		top, height := b.Place.Top, b.Place.Height
		if b.Brief {
			top, height = top+height*b.Length.Top, height*b.Length.Height
		}
		wantTop := w.Hours.share(time.Duration(test.hour)*time.Hour + time.Duration(test.minute)*time.Minute)
		if b.Brief != test.brief || math.Abs(height-test.length.Hours()*hour) > 1e-9 || math.Abs(top-wantTop) > 1e-9 {
			t.Errorf("%d:%02d, %v: %+v is at %v and %v long", test.hour, test.minute, test.length, b, top, height)
		}
	}
}

// TestBarsOfMany checks that no more than four bars are above each other, and that all the
// others are counted on each of their days.
func TestBarsOfMany(t *testing.T) {
	var entries []agenda.Entry
	for i := range 7 {
		e := at(t, 1, 0, 0, 48*time.Hour, fmt.Sprint("Event ", i))
		e.AllDay = true
		entries = append(entries, e)
	}
	w := plan{weekOf(t, entries...)}.weeks()[0]
	if len(w.Bars) != maxLanes || w.Lanes != maxLanes+1 {
		t.Errorf("%d bars, %d rows", len(w.Bars), w.Lanes)
	}
	for i, d := range w.Days {
		if want := map[int]int{1: 3, 2: 3}[i]; len(d.More) != want || len(d.Agenda) > 0 != (want > 0) {
			t.Errorf("day %d: %d more, want %d", i, len(d.More), want)
		}
	}
}

func TestBetween(t *testing.T) {
	date := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	for _, test := range []struct {
		first, last time.Time
		want        string
	}{
		{date(2026, 12, 7), date(2026, 12, 7), "7 December 2026"},
		{date(2026, 12, 7), date(2026, 12, 13), "7 to 13 December 2026"},
		{date(2026, 11, 30), date(2026, 12, 6), "30 November to 6 December 2026"},
		{date(2026, 12, 28), date(2027, 1, 3), "28 December 2026 to 3 January 2027"},
	} {
		if got := between(test.first, test.last); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
