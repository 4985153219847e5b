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
	"imip-agent/stores"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
	"imip-agent/tests/clock"
)

// BenchmarkOccurrences handles one message with a daily series and many changed occurrences of
// it, the same again, and their cancellation; and the answer to each by somebody who attends.
func BenchmarkOccurrences(b *testing.B) {
	for _, kind := range []string{"file", "store lock"} {
		for _, occurrences := range []int{500, 2000} {
			b.Run(fmt.Sprintf("%s/%d", kind, occurrences), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					h := occurrencesHandler(b, openStore(b, kind), b.TempDir())
					invite(b, h.Store, occurrences)
					b.StartTimer()
					for _, message := range []struct{ unit, method, from string }{
						{"ms/request", "REQUEST", "organizer"}, {"ms/again", "REQUEST", "organizer"}, {"ms/cancel", "CANCEL", "organizer"},
						{"ms/reply", "REPLY", "attendee"},
					} {
						began := time.Now()
						if err := h.Handle(b.Context(), strings.NewReader(occurrencesMessage(message.from, message.method, occurrences))); err != nil {
							b.Fatal(err)
						}
						b.ReportMetric(milliseconds(time.Since(began)), message.unit)
					}
				}
			})
		}
	}
}

// BenchmarkPublished handles a published calendar, of which one event is an hourly series with
// hundreds of changed occurrences, for a user whose free/busy is published.
func BenchmarkPublished(b *testing.B) {
	for _, kind := range []string{"file", "store lock"} {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir()
				store := openStore(b, kind)
				if kind == "file" {
					var err error
					if store, err = file.Open(file.Options{Dir: filepath.Join(dir, "store"), PublishDir: filepath.Join(dir, "static")}); err != nil {
						b.Fatal(err)
					}
				}
				h := occurrencesHandler(b, store, dir)
				if kind == "file" {
					h.Preferences = &preferences.Dir{Path: dir, SystemZone: "UTC", Defaults: preferences.Defaults{Sharing: "share", Publishing: "publish"}}
				}
				var text strings.Builder
				fmt.Fprintf(&text, "From: organizer@example.com\r\nContent-Type: text/calendar; method=PUBLISH\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\n")
				for i := range 300 {
					at := Now.Add(time.Duration(i) * 24 * time.Hour).Format("20060102T150405Z")
					fmt.Fprintf(&text, "BEGIN:VEVENT\r\nUID:single%d\r\nDTSTAMP:20261122T120000Z\r\nDTSTART:%s\r\nDURATION:PT1H\r\nORGANIZER:mailto:organizer@example.com\r\nEND:VEVENT\r\n", i, at)
				}
				series(&text, "FREQ=HOURLY;COUNT=9000", time.Hour, 600, "")
				text.WriteString("END:VCALENDAR\r\n")
				b.StartTimer()
				if err := h.Handle(b.Context(), strings.NewReader(text.String())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func occurrencesHandler(b *testing.B, store stores.Store, dir string) *outgoing.Handler {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	return &outgoing.Handler{Pipeline: handlers.Pipeline{
		Store: store, Preferences: &preferences.Dir{Path: dir, SystemZone: "UTC"},
		Rejected: &rejected.Dir{Path: filepath.Join(dir, "rejected"), Max: 10, Now: clock.Running(clock.Today()), Log: log},
		Sender:   "mailto:calendar@example.com", Log: log, Now: func() time.Time { return Now }, MessageLimit: 32 << 20, PeriodLimit: 50_000,
	}}
}

// invite stores the series as one that the attendee is invited to.
func invite(b *testing.B, store stores.Store, occurrences int) {
	var text strings.Builder
	series(&text, fmt.Sprintf("FREQ=DAILY;COUNT=%d", occurrences+100), 24*time.Hour, 0, "ATTENDEE:mailto:attendee@example.com\r\n")
	err := store.Update(b.Context(), "mailto:attendee@example.com", func(tx stores.Tx) error {
		return tx.Put(stores.Key{ID: stores.ID{UID: "series"}}, []byte(text.String()))
	})
	if err != nil {
		b.Fatal(err)
	}
}

// occurrencesMessage is a message about a daily series and so many occurrences of it.
func occurrencesMessage(from, method string, occurrences int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "From: %s@example.com\r\nContent-Type: text/calendar; method=%s\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:%s\r\n", from, method, method)
	attendees := "ATTENDEE;PARTSTAT=ACCEPTED:mailto:attendee@example.com\r\n"
	if method != "REPLY" {
		attendees += "ATTENDEE:mailto:other@example.com\r\n"
	}
	series(&text, fmt.Sprintf("FREQ=DAILY;COUNT=%d", occurrences+100), 24*time.Hour, occurrences, attendees)
	text.WriteString("END:VCALENDAR\r\n")
	return text.String()
}

// series writes a series and so many changed occurrences of it.
func series(text *strings.Builder, rule string, every time.Duration, occurrences int, attendees string) {
	fmt.Fprintf(text, "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20261122T120000Z\r\nSEQUENCE:0\r\nDTSTART:%s\r\nDURATION:PT15M\r\nRRULE:%s\r\nORGANIZER:mailto:organizer@example.com\r\n%sEND:VEVENT\r\n",
		Now.Format("20060102T150405Z"), rule, attendees)
	for i := range occurrences {
		at := Now.Add(time.Duration(i) * every)
		fmt.Fprintf(text, "BEGIN:VEVENT\r\nUID:series\r\nRECURRENCE-ID:%s\r\nDTSTAMP:20261122T120000Z\r\nSEQUENCE:0\r\nDTSTART:%s\r\nDURATION:PT20M\r\nORGANIZER:mailto:organizer@example.com\r\n%sEND:VEVENT\r\n",
			at.Format("20060102T150405Z"), at.Add(5*time.Minute).Format("20060102T150405Z"), attendees)
	}
}
