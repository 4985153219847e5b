package bench

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/tools/check"
)

// checkSize is what the benchmark has; the full measure is ten thousand users.
var checkSize = Size{Users: 100, Events: 100, Seed: 1}

func generated(b testing.TB, size Size) string {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "store")
	if err := GenerateStore(dir, size); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkCheck checks a whole store.
func BenchmarkCheck(b *testing.B) {
	dir := generated(b, checkSize)
	b.ResetTimer()
	for b.Loop() {
		checkStore(b, dir, checkSize)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(checkSize.Users*checkSize.Events), "ns/event")
}

// BenchmarkRead reads the same files, one after the other, as tar does.
func BenchmarkRead(b *testing.B) {
	dir := generated(b, checkSize)
	b.ResetTimer()
	for b.Loop() {
		readAll(b, dir)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(checkSize.Users*checkSize.Events), "ns/event")
}

// checkStore checks a store, which must be whole.
func checkStore(b testing.TB, dir string, size Size) time.Duration {
	b.Helper()
	store, err := file.Open(file.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	c := check.Checker{
		Store:       store,
		Preferences: &preferences.Dir{Path: filepath.Join(filepath.Dir(dir), "preferences"), Defaults: preferences.Defaults{Participating: "participate"}},
		Now:         func() time.Time { return Now },
	}
	summary, err := c.Run(context.Background(), func(f check.Finding) { b.Errorf("%s %s: %s", f.Kind.ID, f.Path, f.Text) })
	if err != nil || len(summary.Failures) > 0 || summary.Users != size.Users || summary.Events != size.Users*size.Events {
		b.Fatalf("%v, %+v", err, summary)
	}
	return time.Since(began)
}

// readAll reads all files below a directory as tar does: each is looked at, opened and
// read.
func readAll(b testing.TB, dir string) time.Duration {
	b.Helper()
	began := time.Now()
	buffer := make([]byte, 64<<10)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if _, err := entry.Info(); err != nil {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		for {
			if _, err := file.Read(buffer); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
