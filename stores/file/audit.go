package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

var _ audit.Store = (*Store)(nil)

// session is a transaction for a checker, which sees the files as well.
type session struct {
	*tx
	rewritten map[string]bool // tables to be written anew, by path
	open      lastDir
}

// quiet returns a store that neither logs damage nor puts it aside: the checker tells
// of it, and keeps what it changes.
func (s *Store) quiet() *Store {
	q := *s
	q.options.Log = slog.New(slog.DiscardHandler)
	q.options.Rejected = nil
	return &q
}

// Audit runs fn on a user's records and files under the user's lock.
func (s *Store) Audit(ctx context.Context, user calendar.URI, o audit.Options, fn func(audit.Session) error) error {
	if !isPlain(string(user)) {
		return checkURI("user", user)
	}
	dir := filepath.Join(s.options.Dir, string(user))
	if s.options.ReadOnly && o.Write {
		return errReadOnly
	}
	unlock, owned, err := s.auditLock(ctx, dir, o)
	if err != nil && !o.Write {
		return lockless(err)
	} else if err != nil {
		return err
	}
	defer unlock()
	d, err := openDirectory(dir)
	if err != nil {
		return err
	} else if d == nil {
		return failed("opening", dir, fs.ErrNotExist)
	}
	defer d.Close()
	t := &session{
		tx:        newTx(ctx, s.quiet(), user, d),
		rewritten: make(map[string]bool),
	}
	defer func() { t.open.close() }()
	if err := fn(t); err != nil || !o.Write {
		return err
	}
	if !owned {
		return fmt.Errorf("writing in %s: %w", dir, errLeftLock)
	}
	return t.commit(o.Writing)
}

var errLeftLock = errors.New("a lock is left there by a program that is gone; break it first")

// auditLock takes a user's locks as lock does, but breaks none: a lock whose holder is
// gone is moved aside, or left in its place, which owned tells. It waits until a lock is
// stale whose holder was gone when it came.
func (s *Store) auditLock(ctx context.Context, dir string, o audit.Options) (unlock func(), owned bool, err error) {
	if s.options.ReadOnly {
		if left, err := inspect(dir); err == nil && left.abandoned() && o.Look != nil {
			o.Look(left.found())
		}
		return func() {}, false, nil
	}
	err = s.await(ctx, dir, staleAge+stalePatience, func(waiting context.Context) error {
		var err error
		unlock, owned, err = s.auditBoth(waiting, dir, o)
		return err
	})
	var held *heldError
	if errors.As(err, &held) {
		locked := &audit.LockedError{Err: err}
		if held.lock != nil {
			found := held.lock.found()
			locked.Lock = &found
		}
		return nil, false, locked
	}
	return unlock, owned, err
}

// auditBoth takes a user's locks, until ctx ends.
func (s *Store) auditBoth(ctx context.Context, dir string, o audit.Options) (unlock func(), owned bool, err error) {
	own, err := lockOwn(ctx, dir)
	if err != nil {
		return nil, false, err
	}
	shared, owned, err := s.auditShared(ctx, dir, o)
	if err != nil {
		own.Unlock()
		return nil, false, err
	}
	return func() {
		shared()
		own.Unlock()
	}, owned, nil
}

// auditShared takes the original's lock, or leaves it where it is if nobody else can
// take it.
func (s *Store) auditShared(ctx context.Context, dir string, o audit.Options) (unlock func(), owned bool, err error) {
	t := taking{store: s, dir: dir}
	defer t.end()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		left, err := inspect(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			unlock, err := t.try()
			if err != nil {
				return nil, true, err
			}
			if unlock != nil {
				return func() { unlock()() }, true, nil
			}
		case err != nil:
			return nil, false, failed("looking at", left.Path, err)
		case left.abandoned():
			if o.Look != nil {
				o.Look(left.found())
			}
			if o.Aside == nil {
				return func() {}, false, nil
			}
			if err := o.Aside(left.Path); err != nil {
				return nil, false, err
			}
			continue
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// abandoned reports whether nobody holds the lock any more: it is stale, or it is an old
// thing that no program has made.
func (l LockInfo) abandoned() bool {
	if l.Stale {
		return true
	}
	if l.Strange == "" || time.Since(l.Since).Abs() <= staleAge {
		return false
	}
	for _, p := range l.Holders {
		if !p.gone(l.Since) {
			return false
		}
	}
	return true
}

// leftYoung reports whether the lock's holder is gone, but it is too young to be taken for
// stale.
func (l LockInfo) leftYoung() bool {
	for _, p := range l.Holders {
		if !p.gone(l.Since) {
			return false
		}
	}
	return l.Strange == "" && !l.Stale && time.Since(l.Since).Abs() <= staleAge
}

// found describes the lock for a checker.
func (l LockInfo) found() audit.Lock {
	return audit.Lock{Path: l.Path, Since: l.Since, Holder: l.Holder(), Stale: l.abandoned(), Strange: l.Strange}
}

// Rewrite has a table written anew by the commit.
func (t *session) Rewrite(path string) { t.rewritten[path] = true }

// commit writes what has changed, and the tables that are to be written anew, of which it
// tells writing.
func (t *session) commit(writing func(path string, content []byte) error) error {
	c, err := t.changes()
	if err != nil {
		return err
	}
	planned := make(map[place]bool)
	for _, f := range c.tables {
		planned[f.place] = true
	}
	rewrite := func(p place, text func() []byte) {
		if t.rewritten[t.dir.full(p.String())] && !planned[p] {
			c.tables = append(c.tables, file{p, text()})
		}
	}
	for p, read := range t.freebusy {
		rewrite(p, func() []byte { return read.table.Append(nil) })
	}
	if t.requests != nil {
		rewrite(requestsTable, func() []byte { return writeRequests(t.requests.requests) })
	}
	if t.providers != nil {
		rewrite(providersTable, func() []byte { return writeProviders(t.providers.providers) })
	}
	if c.empty() {
		return nil
	}
	if writing != nil {
		for _, f := range slices.Concat(c.tables, c.texts) {
			if err := writing(t.dir.full(f.place.String()), f.content); err != nil {
				return err
			}
		}
		if c.calendar != nil {
			if err := writing(t.store.PublishedPath(t.user), c.calendar); err != nil {
				return err
			}
		}
	}
	return t.apply(c)
}

// Tables returns the user's tables as their files have them. What it reads is what the
// transaction goes on to work with.
func (t *session) Tables() ([]audit.Table, error) {
	var tables []audit.Table
	for _, which := range []stores.Table{{Kind: stores.Own}, {Kind: stores.Offers}} {
		p, _ := tablePlace(which)
		table, err := t.auditTable(p, which)
		if err != nil {
			return nil, err
		}
		tables = append(tables, table)
	}
	others, err := t.dir.files(othersDir)
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		which := stores.Table{Kind: stores.Other, Other: calendar.URI(other)}
		p, ok := tablePlace(which)
		if !ok {
			continue
		}
		table, err := t.auditTable(p, which)
		if err != nil {
			return nil, err
		}
		table.Name = othersDir
		tables = append(tables, table)
		delete(t.freebusy, p) // nobody looks at it again
	}
	requests, err := t.requestTable()
	if err != nil {
		return nil, err
	}
	providers, err := t.providerTable()
	if err != nil {
		return nil, err
	}
	return append(tables,
		audit.Table{Path: t.dir.full(requestsTable.name), Name: requestsTable.name, Damages: requests.damages, Records: len(requests.requests)},
		audit.Table{Path: t.dir.full(providersTable.name), Name: providersTable.name, Damages: providers.damages, Records: len(providers.providers.Events)},
	), nil
}

func (t *session) auditTable(p place, which stores.Table) (audit.Table, error) {
	state := audit.Table{Path: t.dir.full(p.String()), Name: p.name, Which: &which}
	if err := t.ended(); err != nil {
		return state, err
	}
	content, err := t.dir.read(p.String())
	var large *sizeError
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &large) { // which is a problem of its own
		return state, err
	}
	layout := t.layout(which)
	read := &freeBusy{}
	read.table, read.damages = freebusy.Read(content, layout)
	t.freebusy[p] = read
	state.Damages, state.Records = read.damages, read.table.Len()
	if len(read.damages) == 0 {
		state.Unordered = unordered(content, layout)
	}
	return state, nil
}
