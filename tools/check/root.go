package check

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/rejected"
)

// root looks at what is not any user's, or any quota's: what stands among their directories, and what
// was put aside. It returns the names there that are no users', or not of users who are in use. An error says that the
// store cannot be read at all.
func (c *Checker) root(ctx context.Context) (strangers map[string]bool, o outcome, err error) {
	strangers = make(map[string]bool)
	o = c.rounds("", func(e *examination, m *mender) error {
		if files := c.files(); files != nil {
			var problems []audit.Problem
			if problems, err = files.Root(ctx); err != nil {
				return nil
			}
			for _, p := range problems {
				e.addFile(p)
				if p.Kind == audit.NoUser || p.Kind == audit.SameUser || p.Kind == audit.Strayed {
					strangers[filepath.Base(p.Path)] = true
				}
			}
		}
		if c.Resources != nil {
			return e.mendAll(m)
		}
		if err := e.rejected(c.Rejected); err != nil {
			return err
		}
		if err := e.spooled(c.Spool, c.Now()); err != nil {
			return err
		}
		return e.mendAll(m)
	})
	return strangers, o, err
}

// rejected tells of what was put aside.
func (e finder) rejected(dir *rejected.Dir) error {
	if dir == nil {
		return nil
	}
	items, err := dir.List()
	if err != nil {
		return fmt.Errorf("reading rejected messages: %w", err)
	}
	for _, item := range items {
		note := item.Note
		e.add(rejectedItem, item.Path, stores.ID{UID: note.UID, RecurrenceID: note.RecurrenceID},
			"rejected on %s: %s", note.Time.Format(time.DateOnly), oneLine(note.Reason)).mendBy(reject{})
	}
	return nil
}

// oneLine returns a text that others have written as one line of limited length.
func oneLine(text string) string {
	quoted := fmt.Sprintf("%.300q", text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// held tells of a lock that could not be had.
func (e finder) held(l *audit.LockedError) {
	if l.Lock == nil || time.Since(l.Lock.Since) < time.Minute {
		return
	}
	f := e.add(lockHeld, l.Lock.Path, stores.ID{}, "the records are locked since %s by %s", l.Lock.Since.UTC().Format(time.DateTime), l.Lock.Holder)
	f.Command = e.command("locks", "break", string(e.user))
}

// left tells of a lock whose holder is gone.
func (e finder) left(l audit.Lock) *Finding {
	f := e.add(lockStale, l.Path, stores.ID{}, "a lock was left on %s by %s", l.Since.UTC().Format(time.DateTime), l.Holder)
	if l.Strange != "" {
		f.Kind, f.Text = lockStrange, fmt.Sprintf("something else is in the place of a lock since %s: %s", l.Since.UTC().Format(time.DateTime), l.Strange)
	}
	// The lock is moved away before anything is looked at.
	return f.mendBy(withOthers{})
}
