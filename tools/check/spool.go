package check

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"imip-agent/handlers/spool"
	"imip-agent/stores"
)

// spooled looks for messages that were taken and not handled since.
func (e finder) spooled(dir *spool.Dir, now time.Time) error {
	if dir == nil {
		return nil
	}
	found := 0
	for w, err := range dir.List() {
		if err != nil {
			return fmt.Errorf("reading the messages that wait: %w", err)
		}
		since := spool.Since(w.ID)
		if w.Err == nil && now.Sub(since) < waitsLong {
			continue
		}
		if found++; found > crowd {
			continue
		}
		switch path := dir.File(w.ID); {
		case w.Err != nil:
			f := e.add(spoolDamaged, path, stores.ID{}, "the message cannot be read: %s", oneLine(w.Err.Error()))
			if f.Command = e.command("queue", "retry", w.ID); errors.Is(w.Err, fs.ErrPermission) {
				f.Command = "chown --reference=" + Quote(dir.Path) + " " + Quote(path)
			}
		case w.Try.Tries == 0:
			f := e.add(spoolWaiting, path, stores.ID{}, "the message of %s waits since %s, and nothing has tried it: does imip-agent serve run?",
				oneLine(w.Lane()), since.Format(time.DateTime))
			f.Command = e.command("queue", "retry")
		default:
			f := e.add(spoolWaiting, path, stores.ID{}, "the message of %s waits since %s, after %d tries: %s",
				oneLine(w.Lane()), since.Format(time.DateTime), w.Try.Tries, oneLine(w.Try.Reason))
			f.Command = e.command("queue", "show", w.ID)
		}
	}
	if found > crowd {
		e.add(spoolWaiting, dir.Path, stores.ID{}, "%d more messages wait", found-crowd).Command = e.command("queue")
	}
	return nil
}
