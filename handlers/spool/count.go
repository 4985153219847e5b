package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// count is how many messages there are at most: those that somebody has counted, and those that were put there since. It stands in the counter of
// IDs. Whoever handles messages leaves it alone, so that they are counted again only when it comes to a limit.
type count struct {
	messages int
	octets   int64

	at    time.Time // when they were counted
	found int       // messages that were there then
}

const (
	// countLayout is of one length, so that the next count takes its place.
	countLayout = "%010d %019d %s %010d\n"
	timeLayout  = "2006-01-02T15:04:05Z"

	// Counting takes about a second for a million. Where there are many, it is not done for each message.
	manyCounted = 10_000
	countPause  = 10 * time.Second
)

func (c count) String() string {
	return fmt.Sprintf(countLayout, c.messages, c.octets, c.at.UTC().Format(timeLayout), c.found)
}

// readCount reads the count in the counter of IDs. It is unknown if nobody has counted, or the counter is damaged.
func readCount(counter *os.File) (c count, known bool) {
	text := make([]byte, len(count{}.String()))
	if _, err := counter.ReadAt(text, int64(len(idLayout)+1)); err != nil {
		return count{}, false
	}
	var at string
	if n, err := fmt.Sscanf(string(text), "%d %d %s %d\n", &c.messages, &c.octets, &at, &c.found); n != 4 || err != nil {
		return count{}, false
	}
	var err error
	if c.at, err = time.Parse(timeLayout, at); err != nil || c.String() != string(text) || c.messages < 0 || c.octets < 0 {
		return count{}, false
	}
	return c, true
}

// fits reports whether there is room for a message of a size.
func (d *Dir) fits(c count, size int64) bool {
	return (d.MostMessages == 0 || c.messages < d.MostMessages) && (d.MostOctets == 0 || c.octets+size <= d.MostOctets)
}

// room returns [ErrFull] if there is no room for a message of a size. Several programs at once can go beyond a limit, each by one message.
func (d *Dir) room(size int64) error {
	if d.MostMessages == 0 && d.MostOctets == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	counter, err := d.lock()
	if err != nil {
		return err
	}
	defer counter.Close() // which gives the lock back
	c, known := readCount(counter)
	if known && d.fits(c, size) {
		return nil
	}
	now := d.Now().UTC()
	if since := now.Sub(c.at); known && c.found >= manyCounted && since >= 0 && since < countPause {
		return ErrFull
	}
	newest, err := d.newest(counter)
	if err != nil {
		return err
	}
	if c, err = d.count(); err != nil {
		return err
	}
	c.at = now
	if newest == "" { // there has been no message yet
		newest = next(now, "")
	}
	if _, err := counter.WriteAt([]byte(newest+"\n"+c.String()), 0); err != nil {
		return err
	}
	if !d.fits(c, size) {
		return ErrFull
	}
	return nil
}

// count counts the messages.
func (d *Dir) count() (c count, err error) {
	ids, err := d.IDs()
	if err != nil {
		return c, err
	}
	for _, id := range ids {
		info, err := os.Lstat(d.File(id))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just been handled
		} else if err != nil {
			return c, err
		}
		c.messages++
		c.octets += info.Size()
	}
	c.found = c.messages
	return c, nil
}
