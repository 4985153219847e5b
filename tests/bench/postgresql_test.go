package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/outgoing"
	"imip-agent/stores"
	"imip-agent/stores/file"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
	"imip-agent/tests/clock"
)

func TestMain(m *testing.M) { os.Exit(postgresqltest.Main(m)) }

// BenchmarkStores handles messages of 1, 10 and 100 users at once, on files and on a
// database with either kind of lock. The server does not sync in tests, the files do.
func BenchmarkStores(b *testing.B) {
	for _, kind := range []string{"file", "store lock", "user lock"} {
		for _, users := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("%s/%d users", kind, users), func(b *testing.B) { handleAtOnce(b, openStore(b, kind), users) })
		}
	}
}

func openStore(b *testing.B, kind string) stores.Store {
	b.Helper()
	if kind == "file" {
		store, err := file.Open(file.Options{Dir: filepath.Join(b.TempDir(), "store")})
		if err != nil {
			b.Fatal(err)
		}
		return store
	}
	store, err := postgresql.Open(context.Background(), postgresql.Options{
		ConnInfo: postgresqltest.Database(b) + " pool_max_conns=100", LockPerUser: kind == "user lock", LockTimeout: time.Minute,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	if _, err := store.CreateSchema(context.Background()); err != nil {
		b.Fatal(err)
	}
	return store
}

// handleAtOnce has a worker for each user hand in that user's messages.
func handleAtOnce(b *testing.B, store stores.Store, users int) {
	log := slog.New(slog.DiscardHandler)
	handler := &outgoing.Handler{Pipeline: handlers.Pipeline{
		Store:       store,
		Preferences: &preferences.Dir{Path: b.TempDir(), SystemZone: "UTC"},
		Rejected:    &rejected.Dir{Path: filepath.Join(b.TempDir(), "rejected"), Max: 10, Now: clock.Running(clock.Today()), Log: log},
		Sender:      "mailto:calendar@example.com", Log: log, Now: func() time.Time { return Now },
		MessageLimit: 1 << 20, PeriodLimit: 1000,
	}}
	var worker, failed atomic.Int64
	started := time.Now()
	b.ResetTimer()
	done := make(chan struct{})
	for range users {
		go func() {
			defer func() { done <- struct{}{} }()
			user := User(int(worker.Add(1)) - 1)
			for i := range (b.N + users - 1) / users {
				message := fmt.Sprintf("From: %s\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\n"+
					"BEGIN:VEVENT\r\nUID:event-%d\r\nDTSTAMP:20261122T120000Z\r\nDTSTART:20261202T090000Z\r\nDTEND:20261202T100000Z\r\nORGANIZER:%s\r\nSUMMARY:Meeting\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
					user.Address(), i, user)
				if err := handler.Handle(context.Background(), strings.NewReader(message)); err != nil {
					failed.Add(1)
				}
			}
		}()
	}
	for range users {
		<-done
	}
	if n := failed.Load(); n > 0 {
		b.Errorf("%d messages failed", n)
	}
	messages := (b.N + users - 1) / users * users
	b.ReportMetric(float64(messages)/time.Since(started).Seconds(), "messages/s")
}
