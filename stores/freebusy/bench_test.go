package freebusy

import (
	"fmt"
	"io"
	"testing"
	"time"
)

// tableText returns a table's file of n records, as a year or so of meetings makes it.
func tableText(n int) []byte {
	var text []byte
	start := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	for i := range n {
		at := start.Add(time.Duration(i) * 15 * time.Minute)
		text = appendStamp(text, at)
		text = append(text, '\t')
		text = appendStamp(text, at.Add(time.Hour))
		text = fmt.Appendf(text, "\tevent-%d@example.com\tOPAQUE\t\tMeeting number %d\tmailto:paul.boddie@example.com\n", i%1000, i)
	}
	return text
}

// BenchmarkUpdate does what one message does to a table: reads it, replaces an event's
// records, writes it.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := tableText(n)
			fresh := make([]Period, 100)
			for i := range fresh {
				at := time.Date(2026, 3, 1+i, 8, 0, 0, 0, time.UTC)
				fresh[i] = Period{Start: at, End: at.Add(time.Hour), UID: "event-7@example.com", Summary: "Moved", Organizer: "mailto:paul.boddie@example.com"}
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				t, _ := Read(text, Plain)
				t.Remove("event-7@example.com", "")
				t.InsertAll(fresh)
				if n, err := t.WriteTo(io.Discard); !t.Changed() || n == 0 || err != nil {
					b.Fatal("nothing changed")
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, layout := range []Layout{Plain, Expiring} {
		text := tableText(100_000)
		b.Run(fmt.Sprint(layout), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Read(text, layout)
			}
		})
	}
}

func BenchmarkInsertAll(b *testing.B) {
	text := tableText(100_000)
	fresh := make([]Period, 50_000)
	for i := range fresh {
		at := time.Date(2026, 1, 1, 8, 7*i, 0, 0, time.UTC)
		fresh[i] = Period{Start: at, End: at.Add(time.Minute), UID: "many@example.com", Summary: "Often"}
	}
	for b.Loop() {
		t, _ := Read(text, Plain)
		t.InsertAll(fresh)
	}
}
