package bench

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"imip-agent/handlers/mail"
	"imip-agent/handlers/spool"
	"imip-agent/tests/clock"
)

// BenchmarkSpool puts messages into a spool, so many at a time. It reports how many are on disk after a second. What a disk does in a second
// varies: compare runs in turns.
func BenchmarkSpool(b *testing.B) {
	message := mail.NewSpool("")
	defer message.Close()
	if _, err := message.Write(request("bench", 0, "")); err != nil {
		b.Fatal(err)
	}
	for _, atOnce := range []int{1, 20, 100} {
		b.Run(fmt.Sprint("atonce=", atOnce), func(b *testing.B) {
			dir := &spool.Dir{Path: filepath.Join(b.TempDir(), "spool"), Now: clock.Running(clock.Today())}
			var senders sync.WaitGroup
			next := make(chan int)
			for range atOnce {
				senders.Go(func() {
					for n := range next {
						if _, err := dir.Put(spool.Note{User: fmt.Sprintf("user%d@example.com", n%20), Source: "bench"}, message, message.Size()); err != nil {
							b.Error(err)
						}
					}
				})
			}
			n := 0
			for b.Loop() {
				next <- n
				n++
			}
			close(next)
			senders.Wait()
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
			if ids, err := dir.IDs(); err != nil || len(ids) != n {
				b.Errorf("%d messages of %d, %v", len(ids), n, err)
			}
		})
	}
}
