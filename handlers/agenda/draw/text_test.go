package draw

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"imip-agent/handlers/agenda"
	"imip-agent/handlers/agenda/agendatest"
	"imip-agent/stores"
)

// accept has TestText take what it sees as right. Read what it writes.
var accept = flag.Bool("accept", false, "write what is shown to testdata")

func TestText(t *testing.T) {
	c := agendatest.Sample(t)
	for name, style := range map[string]Style{
		"agenda.txt":        {},
		"agenda-narrow.txt": {Width: 48},
		"agenda-colour.txt": {Colour: true},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := Text(&got, c, style); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *accept {
				if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for line := range strings.Lines(got.String()) {
				if width := uniseg.StringWidth(strings.TrimSuffix(line, "\n")); style.Width > 0 && width > style.Width {
					t.Errorf("%d columns: %q", width, line)
				}
			}
		})
	}
}

// TestDay shows one event on 2 December, or not.
func TestDay(t *testing.T) {
	for _, test := range []struct {
		name, start, end, rule string
		want                   string // when, or nothing
	}{
		{"during the day", "20261202T100000", "20261202T110000", "", "10:00–11:00"},
		{"up to midnight", "20261202T230000", "20261203T000000", "", "23:00–24:00"},
		{"over midnight", "20261202T230000", "20261203T010000", "", "from  23:00"},
		{"from the night before", "20261201T230000", "20261202T010000", "", "until 01:00"},
		{"up to its midnight", "20261201T230000", "20261202T000000", "", ""},
		{"from its end", "20261203T000000", "20261203T010000", "", ""},
		{"no length", "20261202T100000", "20261202T100000", "", "10:00"},
		{"no length, at its beginning", "20261202T000000", "20261202T000000", "", "00:00"},
		{"no length, at its end", "20261203T000000", "20261203T000000", "", ""},
		{"the day", "20261202", "20261203", "", "all day"},
		{"the day before", "20261201", "20261202", "", ""},
		{"the day after", "20261203", "20261204", "", ""},
		{"days about it", "20261130", "20261205", "", "all day"},
		{"hours about it", "20261201T120000", "20261203T120000", "", "all day"},
		{"recurs for years", "20100106T100000", "20100106T110000", "RRULE:FREQ=WEEKLY", "10:00–11:00"},
		{"recurs on other days", "20100107T100000", "20100107T110000", "RRULE:FREQ=WEEKLY", ""},
		{"recurs without end by the minute", "20261201T000000", "20261201T000000", "RRULE:FREQ=MINUTELY;INTERVAL=1440", "00:00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := agendatest.Lay(t, map[stores.Key]string{agendatest.Active("e", ""): agendatest.Event("e", "Event", test.start, test.end, agendatest.Is("ACCEPTED"), test.rule)})
			day := time.Date(2026, 12, 2, 0, 0, 0, 0, agendatest.Oslo(t))
			c := agendatest.Collect(t, store, agenda.Days{First: day, Last: day}, day)
			got := ""
			if entries := c.On(day); len(entries) > 0 {
				got = when(entries[0], day)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if (len(c.Entries) > 0) != (test.want != "") {
				t.Errorf("entries %v", c.Entries)
			}
		})
	}
}
