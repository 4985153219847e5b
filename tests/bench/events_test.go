package bench

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/outgoing"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
	"imip-agent/tests/clock"
)

// BenchmarkEvents handles one message with many events, and then the same again, which
// changes nothing.
func BenchmarkEvents(b *testing.B) {
	for _, events := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			var text strings.Builder
			fmt.Fprintf(&text, "From: %s\r\nContent-Type: text/calendar; method=PUBLISH\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\n", User(0).Address())
			for i := range events {
				at := Now.Add(time.Duration(i) * time.Hour).Format("20060102T150405Z")
				fmt.Fprintf(&text, "BEGIN:VEVENT\r\nUID:e%d\r\nDTSTAMP:20261122T120000Z\r\nDTSTART:%s\r\nDURATION:PT1H\r\nORGANIZER:%s\r\nEND:VEVENT\r\n", i, at, User(0))
			}
			text.WriteString("END:VCALENDAR\r\n")
			log := slog.New(slog.NewTextHandler(io.Discard, nil))
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir()
				store, err := file.Open(file.Options{Dir: filepath.Join(dir, "store")})
				if err != nil {
					b.Fatal(err)
				}
				h := &outgoing.Handler{Pipeline: handlers.Pipeline{
					Store: store, Preferences: &preferences.Dir{Path: dir, SystemZone: "UTC"},
					Rejected: &rejected.Dir{Path: filepath.Join(dir, "rejected"), Max: 10, Now: clock.Running(clock.Today()), Log: log},
					Sender:   "mailto:calendar@example.com", Log: log, Now: func() time.Time { return Now }, MessageLimit: 32 << 20, PeriodLimit: 1000,
				}}
				b.StartTimer()
				began := time.Now()
				for _, unit := range []string{"ms/first", "ms/again"} {
					if err := h.Handle(b.Context(), strings.NewReader(text.String())); err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(milliseconds(time.Since(began)), unit)
					began = time.Now()
				}
			}
		})
	}
}
