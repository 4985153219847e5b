package freebusy

import (
	"fmt"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/file"
)

// BenchmarkNight is what a night costs for one user: free/busy of some events without end
// is extended by a day, beside many others that are not read. BenchmarkReset reads all.
func BenchmarkNight(b *testing.B) { benchmark(b, false) }
func BenchmarkReset(b *testing.B) { benchmark(b, true) }

func benchmark(b *testing.B, reset bool) {
	for _, size := range []struct{ single, endless int }{{100, 5}, {10_000, 5}, {100, 100}} {
		b.Run(fmt.Sprintf("%d single, %d without end", size.single, size.endless), func(b *testing.B) {
			store, err := file.Open(file.Options{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			err = store.Update(b.Context(), paul, func(tx stores.Tx) error {
				for i := range size.single + size.endless {
					uid, times := fmt.Sprint("e", i), morning
					if i < size.endless {
						times = daily
					}
					if err := tx.Put(active(uid, ""), []byte(event(uid, times))); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			night := 0
			run := func() Result {
				m := maker(store, noon.Add(time.Duration(night)*time.Second))
				m.Reset = reset
				night++
				r := m.User(b.Context(), paul)
				if r.Err != nil {
					b.Fatal(r.Err)
				}
				return r
			}
			run()
			read := 0
			b.ReportAllocs()
			for b.Loop() {
				read += run().Read
			}
			b.ReportMetric(float64(read)/float64(b.N), "texts/op")
		})
	}
}
