package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/compat"
	"imip-agent/tests/program"
)

// BenchmarkResource gives an invitation to the built program and to the original, in turns, which decide for a
// resource with so many bookings to come. Each message changes the times of an event. They print their answers. It reports what
// BenchmarkMessage does.
//
// The last one asks for a room that is booked for 100 days without a gap, and is offered the time after that. The original fails
// there, so ours is alone.
func BenchmarkResource(b *testing.B) {
	for _, c := range []struct {
		name     string
		bookings int
		apart    time.Duration // from the beginning of one to that of the next, each being an hour long
		function string
		alone    bool
	}{
		{"bookings=0", 0, 0, "schedule_in_freebusy", false},
		{"bookings=1000", 1000, 90 * time.Minute, "schedule_in_freebusy", false},
		{"bookings=10000", 10_000, 90 * time.Minute, "schedule_in_freebusy", false},
		{"next-available", 100 * 24, time.Hour, "schedule_next_available_in_freebusy", true},
	} {
		b.Run(c.name, func(b *testing.B) {
			from := soon.AddDate(0, 0, 1) // after what is asked for
			if c.alone {
				from = soon
			}
			ours, original := contend(b, "imip_resource", compat.Tree{"store/" + vincent + "/freebusy": booked(from, c.bookings, c.apart)}, request)
			if c.alone {
				original = nil
			}
			for _, who := range []*contender{ours, original} {
				if who == nil {
					continue
				}
				who.words = []string{"-o", "vincent.vole@example.com", "-d"}
				prefer(b, who.room, "scheduling_function", c.function)
				prefer(b, who.room, "window_size", "200")
				prefer(b, who.room, "freebusy_offers", "P1D")
			}
			ours.wantAnswer(b, map[bool]string{false: "PARTSTAT=ACCEPTED", true: "METHOD:COUNTER"}[c.alone])
			original.wantAnswer(b, "has scheduled the requested period") // its calendar part is encoded
			i := 2
			for b.Loop() {
				ours.handle(b, i, "")
				original.handle(b, i, "")
				i++
			}
			ours.peak(b, i, "")
			original.peak(b, i, "")
			report(b, ours, original)
		})
	}
}

// booked is a table of so many bookings of a room, of an hour each, from a time on.
func booked(from time.Time, bookings int, apart time.Duration) string {
	var out strings.Builder
	for i := range bookings {
		at := from.Add(time.Duration(i) * apart)
		fmt.Fprintf(&out, "%s\t%s\tevent-%d@example.com\tOPAQUE\t\tMeeting number %d\t%s\n",
			at.Format("20060102T150405Z"), at.Add(time.Hour).Format("20060102T150405Z"), i, i, paul)
	}
	return out.String()
}

// prefer sets a preference of Vincent's, who is a resource here.
func prefer(b *testing.B, room compat.Room, name, value string) {
	b.Helper()
	dir := filepath.Join(room.Preferences(), vincent)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), []byte(value), 0o644)
	}
	if err != nil {
		b.Fatal(err)
	}
}

var unfolded = strings.NewReplacer("\r\n ", "", "\n ", "")

// wantAnswer checks that the answers to two messages that are not measured have a word in them. The first run of a program
// reads it from disk.
func (c *contender) wantAnswer(b *testing.B, word string) {
	b.Helper()
	if c == nil {
		return
	}
	for i := range 2 {
		cmd, stderr := c.command("measured", i, "")
		var out bytes.Buffer
		cmd.Stdout = &out
		if status := program.Status(cmd, cmd.Run()); status != 0 || !strings.Contains(unfolded.Replace(out.String()+stderr.String()), word) {
			b.Fatalf("%s: status %d: %s%s", c.path, status, &out, stderr)
		}
	}
}
