package spool

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// limited returns a directory that another program uses, with limits.
func limited(d *Dir, messages int, octets int64) *Dir {
	return &Dir{Path: d.Path, Now: func() time.Time { return d.Now() }, MostMessages: messages, MostOctets: octets}
}

func wantPut(t *testing.T, d *Dir, want error) (id string) {
	t.Helper()
	item, err := d.Put(Note{User: "a@x", Source: "test"}, text("hello"), 5)
	if !errors.Is(err, want) {
		t.Errorf("put there: %v, want %v", err, want)
	}
	return item.ID
}

// Programs that do not handle messages keep to the limits, whoever has put there what waits, and whoever has removed it.
func TestLimits(t *testing.T) {
	d := newDir(t)
	two := limited(d, 2, 0)
	first := wantPut(t, two, nil)
	wantPut(t, d, nil) // the service, which looks to its limits itself
	for range 2 {
		wantPut(t, two, ErrFull)
		wantPut(t, limited(d, 2, 0), ErrFull)
	}
	if ids, err := d.IDs(); err != nil || len(ids) != 2 {
		t.Errorf("%q, %v", ids, err)
	}
	if got := names(t, d); len(got) != 3 {
		t.Errorf("left: %q", got)
	}
	wantPut(t, limited(d, 3, 0), nil)
	for range 2 { // handled, or removed by hand
		if err := d.Drop(first); err != nil {
			t.Fatal(err)
		}
		ids, err := d.IDs()
		if err != nil {
			t.Fatal(err)
		}
		first = ids[0]
	}
	if id := wantPut(t, two, nil); id <= first {
		t.Errorf("%s comes after %s", id, first)
	}
	wantPut(t, two, ErrFull)
	// The counter is damaged, half or whole.
	last := d.file(lastName)
	for _, size := range []int64{int64(len(idLayout)) + 9, 5, 0} {
		if err := os.Truncate(last, size); err != nil {
			t.Fatal(err)
		}
		wantPut(t, two, ErrFull)
		wantPut(t, limited(d, 10, 0), nil)
		if err := d.Drop(newestOf(t, d)); err != nil {
			t.Fatal(err)
		}
	}
}

func newestOf(t *testing.T, d *Dir) string {
	t.Helper()
	ids, err := d.IDs()
	if err != nil || len(ids) == 0 {
		t.Fatal(ids, err)
	}
	return ids[len(ids)-1]
}

func TestLimitOfOctets(t *testing.T) {
	d := newDir(t)
	id := wantPut(t, limited(d, 0, 5), nil)
	wantPut(t, limited(d, 0, 9), ErrFull)
	info, err := os.Stat(d.File(id))
	if err != nil {
		t.Fatal(err)
	}
	wantPut(t, limited(d, 0, info.Size()+4), ErrFull)
	wantPut(t, limited(d, 0, info.Size()+5), nil)
	if _, err := limited(d, 0, 4).Put(Note{User: "a@x"}, text("hello"), 5); !errors.Is(err, ErrFull) {
		t.Errorf("one that is larger than all may be: %v", err)
	}
}

// Many are not counted again for each message that is refused, but they are after a while, and when the clock was set back.
func TestManyCounted(t *testing.T) {
	d := newDir(t)
	now := received
	d.Now = func() time.Time { return now }
	most := limited(d, 2*manyCounted, 0)
	wantPut(t, most, nil)
	full := count{messages: 2 * manyCounted, octets: 1, at: now, found: 2 * manyCounted}
	fill := func() {
		t.Helper()
		counter, err := os.OpenFile(d.file(lastName), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer counter.Close()
		if _, err := counter.Seek(int64(len(idLayout)+1), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(counter, full.String()); err != nil {
			t.Fatal(err)
		}
		if got, known := readCount(counter); got != (count{2 * manyCounted, 1, now.Truncate(time.Second), 2 * manyCounted}) || !known {
			t.Fatalf("counted: %+v, %v", got, known)
		}
	}
	fill()
	wantPut(t, most, ErrFull)
	now = now.Add(countPause - time.Second)
	wantPut(t, most, ErrFull)
	now = now.Add(2 * time.Second)
	wantPut(t, most, nil)
	now = received
	fill()
	now = now.Add(-time.Hour)
	wantPut(t, most, nil)
	if ids, err := d.IDs(); err != nil || len(ids) != 3 {
		t.Errorf("%q, %v", ids, err)
	}
}
