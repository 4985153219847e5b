// Package upgrade brings the layouts of earlier releases of the original up to date.
package upgrade

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
	"imip-agent/stores/freebusy"
	"imip-agent/tools/migrate"
)

// Old is a place with records as earlier releases of the original kept them.
//
// Release 0.1 wrote an eighth column, the expiry time, into every free/busy table, which
// makes 0.3 fail on the user's next message, and lines of fewer columns than seven.
// Release 0.2 kept a quota's reservations in the directory freebusy of the quota, where
// 0.3 has freebusy-other, with the attendee as eighth column.
type Old struct {
	Store      audit.Store    // users' records
	Journal    stores.Journal // nil: there is none
	JournalDir string
	Aside      string // the directory that takes what is replaced
	DryRun     bool   // say what is old, and change nothing
	// Progress is called with how many users are done; nil: never.
	Progress func(done, total int)
}

// Result is what was brought up to date.
type Result struct {
	Tables []string // files that were written anew
	Kept   []string // where the old ones are
	// Lost are the lines that cannot be read, which are in the old files only.
	Lost           []string
	Users          int // looked at, with quotas
	migrate.Report     // what could not be upgraded
}

// Run brings old layouts up to date, each user under the lock.
func Run(ctx context.Context, old Old) (*Result, error) {
	u := new(Result)
	users, err := migrate.Names(old.Store.Users(ctx))
	if err != nil {
		return u, migrate.NoSource(err)
	}
	for _, user := range users {
		if ctx.Err() != nil {
			return u, context.Cause(ctx)
		}
		if old.Progress != nil {
			old.Progress(u.Users, len(users))
		}
		u.Users++
		if err := old.user(ctx, user, u); err != nil {
			u.failed(migrate.StorePart, user, err)
		}
	}
	if old.Journal == nil {
		return u, nil
	}
	for quota, err := range old.Journal.Quotas(ctx) {
		if errors.Is(err, fs.ErrNotExist) {
			return u, nil
		} else if err != nil {
			return u, err
		}
		u.Users++
		if err := old.quota(ctx, quota, u); err != nil {
			u.failed(migrate.JournalPart, quota, err)
		}
	}
	return u, nil
}

func (u *Result) failed(part migrate.Part, user calendar.URI, err error) {
	kind := migrate.Failed
	if errors.Is(err, stores.ErrLocked) {
		kind = migrate.Locked
	}
	u.Note(migrate.Issue{Kind: kind, Part: part, User: user, Text: err.Error()})
}

// user rewrites a user's tables that have an old layout.
func (old Old) user(ctx context.Context, user calendar.URI, u *Result) error {
	var tables, kept, lost []string
	o := audit.Options{Write: !old.DryRun}
	if o.Write {
		o.Aside = breakLock // as any other program that writes here
	}
	err := old.Store.Audit(ctx, user, o, func(s audit.Session) error {
		all, err := s.Tables()
		if err != nil {
			return err
		}
		for _, table := range all {
			mended := slices.ContainsFunc(table.Damages, freebusy.Damage.Mended)
			if table.Which == nil || !mended {
				continue
			}
			for _, d := range table.Damages {
				if !d.Mended() {
					lost = append(lost, fmt.Sprintf("%s, line %d: %s", table.Path, d.Line, d.Reason()))
				}
			}
			tables = append(tables, table.Path)
			if old.DryRun {
				continue
			}
			name := filepath.Join(old.Aside, "store", string(user), table.Name)
			if table.Which.Kind == stores.Other {
				name = filepath.Join(old.Aside, "store", string(user), "freebusy-other", string(table.Which.Other))
			}
			if name, err = keep(table.Path, name); err != nil {
				return err
			}
			kept = append(kept, name)
			s.Rewrite(table.Path)
			// Only what the transaction has read is written, and those of others it has let go.
			if _, err := s.Periods(*table.Which); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err // nothing was written
	}
	u.Tables, u.Kept, u.Lost = append(u.Tables, tables...), append(u.Kept, kept...), append(u.Lost, lost...)
	return nil
}

// breakLock removes a lock whose holder is gone.
func breakLock(path string) error {
	holders, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, holder := range holders {
		if err := syscall.Rmdir(filepath.Join(path, holder.Name())); err != nil {
			return fmt.Errorf("removing the lock %s: %w", path, err)
		}
	}
	if err := syscall.Rmdir(path); err != nil {
		return fmt.Errorf("removing the lock %s: %w", path, err)
	}
	return nil
}

// quota moves a quota's reservations to where they belong now.
func (old Old) quota(ctx context.Context, quota calendar.URI, u *Result) error {
	dir := filepath.Join(old.JournalDir, string(quota), "freebusy")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	} else if err != nil {
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			return nil // not what 0.2 kept there
		}
		return err
	}
	var moved []string
	run := old.Journal.Update
	if old.DryRun {
		run = old.Journal.View
	}
	err = run(ctx, quota, func(tx stores.JournalTx) error {
		moved = nil
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
				u.Note(migrate.Issue{Kind: migrate.Damaged, Part: migrate.JournalPart, User: quota, Item: path, Text: "it is not a table"})
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := reserve(tx, calendar.URI(e.Name()), path, data, u); err != nil {
				return err
			}
			moved = append(moved, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	u.Tables = append(u.Tables, moved...)
	if old.DryRun {
		return nil
	}
	// What is moved away only now would be inserted again to no effect.
	for _, path := range moved {
		kept, err := keep(path, filepath.Join(old.Aside, "journal", string(quota), "freebusy", filepath.Base(path)))
		if err != nil {
			return err
		}
		u.Kept = append(u.Kept, kept)
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	_ = os.Remove(dir) // if nothing is left in it
	return nil
}

// reserve adds the reservations of an old table to the new one of that user.
func reserve(tx stores.Records, user calendar.URI, path string, data []byte, u *Result) error {
	old, damages := freebusy.Read(data, freebusy.Plain)
	for _, d := range damages {
		if !d.Mended() {
			u.Lost = append(u.Lost, fmt.Sprintf("%s, line %d: %s", path, d.Line, d.Reason()))
		}
	}
	table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: user})
	if err != nil {
		return err
	}
	var rows []freebusy.Period
	for p := range old.All() {
		p.Attendee = string(user)
		rows = append(rows, p)
	}
	table.InsertAll(rows)
	return nil
}

// keep copies a file that is about to be replaced, under a name that is still free, and
// returns that.
func keep(path, kept string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		return "", fmt.Errorf("keeping %s: %w", path, err)
	}
	dir, err := os.OpenRoot(filepath.Dir(kept))
	if err != nil {
		return "", fmt.Errorf("keeping %s: %w", path, err)
	}
	defer dir.Close()
	for n := 0; ; n++ {
		name := kept
		if n > 0 {
			name = fmt.Sprintf("%s.%d", kept, n)
		}
		err := durable.Create(dir, filepath.Base(name), data, durable.Options{})
		if errors.Is(err, fs.ErrExist) {
			if there, err := os.ReadFile(name); err == nil && string(there) == string(data) {
				return name, nil
			}
			continue
		}
		if err == nil {
			err = durable.Names(dir, "")
		}
		if err != nil {
			return "", fmt.Errorf("keeping %s: %w", path, err)
		}
		return name, nil
	}
}
