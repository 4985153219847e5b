// Package check looks whether a store of calendar records is whole: whether its files
// are what they should be, its tables can be read, its events hang together, and its
// free/busy says what the events do. It mends what it can.
//
// A [Finding] is one thing that is wrong. Its [Kind] has an identifier that stays the
// same, a severity, and the repair that it takes: a safe one makes anew what is derived
// from other data, the other moves what is broken away. Whatever a repair changes or
// moves is kept by package quarantine, which puts it back.
//
// The package has three rooms. What is read of a user are facts, which nobody changes afterwards
// (facts.go). Findings are made from facts, in one file for each topic; where findings about one thing
// explain another, what they explain is passed on, as a verdict (verdict.go). A finding carries its
// repairs as values (repair.go), which a mender makes when all findings are there (mend.go).
//
// What free/busy should say of an event is what the handlers would have recorded; the
// package itip knows. Where the objects cannot tell, all that could have been
// recorded is right.
package check

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"imip-agent/handlers/spool"
	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
	"imip-agent/tools/quarantine"
)

// Checker checks a store.
type Checker struct {
	Store          stores.Store // an [audit.Store] is looked at as files, too
	Preferences    preferences.Source
	PreferencesDir string        // where the files of preferences are; empty: they are not checked
	Rejected       *rejected.Dir // what was put aside; nil: it is not told
	Spool          *spool.Dir    // of messages that wait; nil: it is not looked at
	Quarantine     string        // the directory below which repairs keep what they change
	PeriodLimit    int           // as handlers have it; 0: the default
	Now            func() time.Time
	Log            *slog.Logger

	Users   []calendar.URI // whom to check, of a journal the quotas that concern these; none: everybody
	Repair  Repair
	DryRun  bool // only tell what would be repaired
	Verbose bool // tell notes, too
	Workers int  // users looked at at once; 0: as many as there are processors, and some

	// Command returns a command line of the administrator's program, with the options that
	// say which site it is for.
	Command func(words ...string) string
	// Progress is called as users are done. May be nil.
	Progress func(done, total int)

	// Resources are the records of the resources, where Store is a journal and its users are
	// quotas. Nil: Store is one of users.
	Resources stores.Store

	// Quotas are those that are in the journal, for the preferences that name one. Nil: that is not known.
	Quotas []calendar.URI

	quarantine *quarantine.Quarantine // nil: nothing is kept
	heavy      sync.Mutex             // held while a user is looked at whose tables take much memory
}

// Run checks the store and calls report with each finding, those of one user after
// another, in order. An error says that the whole check could not be completed.
func (c *Checker) Run(ctx context.Context, report func(Finding)) (Summary, error) {
	s := Summary{ByKind: make(map[string]int)}
	if c.Quarantine != "" {
		c.quarantine = quarantine.New(c.Store, c.Quarantine, c.Repair.String(), c.Now)
	}
	tell := func(o outcome) {
		s.add(o)
		for _, f := range o.findings {
			if f.Kind.Severity > Note || c.Verbose {
				report(*f)
			}
		}
	}
	var strangers map[string]bool
	if len(c.Users) == 0 {
		found, o, err := c.root(ctx)
		if err != nil {
			return s, err
		}
		strangers = found
		tell(o)
	}
	err := c.everybody(ctx, strangers, tell)
	if c.quarantine != nil {
		s.Manifest, err = c.quarantine.Manifest(), errors.Join(err, c.quarantine.Close())
	}
	return s, err
}

// outcome is what came of looking at one user.
type outcome struct {
	findings []*Finding
	events   int
	failures []error
	locked   bool
	user     bool // a user was looked at
}

func (s *Summary) add(o outcome) {
	if o.user {
		s.Users++
	}
	s.Events += o.events
	if o.locked {
		s.Locked++
	}
	s.Failures = append(s.Failures, o.failures...)
	for _, f := range o.findings {
		switch {
		case f.State == Mended:
			s.Mended++
			continue
		case f.Kind.Severity > Note:
			s.Remaining++
		}
		s.ByKind[f.Kind.ID]++
	}
}

// files returns the store as files, or nil.
func (c *Checker) files() audit.Store {
	files, _ := c.Store.(audit.Store)
	return files
}

// command returns a command line.
func (c *Checker) command(words ...string) string {
	if c.Command == nil {
		quoted := []string{"imip-agent"}
		for _, word := range words {
			quoted = append(quoted, Quote(word))
		}
		return strings.Join(quoted, " ")
	}
	return c.Command(words...)
}

// everybody looks at the users, several at once, and tells of them in their order.
func (c *Checker) everybody(ctx context.Context, strangers map[string]bool, tell func(outcome)) error {
	users, err := c.users(ctx, strangers)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := c.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0) + 1
	}
	type job struct {
		user calendar.URI
		done chan outcome
	}
	jobs := make(chan job)
	order := make(chan job, 4*workers) // bounds how far one runs ahead of another
	go func() {
		defer close(order)
		defer close(jobs)
		for _, user := range users {
			j := job{user, make(chan outcome, 1)}
			select {
			case order <- j:
			case <-ctx.Done():
				return
			}
			select {
			case jobs <- j:
			case <-ctx.Done():
				j.done <- outcome{}
				return
			}
		}
	}()
	for range workers {
		go func() {
			for j := range jobs {
				o := c.one(ctx, j.user)
				for _, err := range o.failures {
					if errors.Is(err, stores.ErrAway) { // for everybody, which is told once
						cancel(err)
					}
				}
				if errors.Is(context.Cause(ctx), stores.ErrAway) {
					o = outcome{}
				}
				j.done <- o
			}
		}()
	}
	done := 0
	for j := range order {
		tell(<-j.done)
		done++
		if c.Progress != nil {
			c.Progress(done, len(users))
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// users returns whom to look at: who has records, or preferences.
func (c *Checker) users(ctx context.Context, strangers map[string]bool) ([]calendar.URI, error) {
	if len(c.Users) > 0 && c.Resources == nil {
		return slices.Compact(slices.Sorted(slices.Values(c.Users))), nil
	}
	var users []calendar.URI
	if c.Resources == nil {
		var err error
		if users, err = c.preferring(); err != nil {
			return nil, fmt.Errorf("reading the preferences: %w", err)
		}
	}
	for user, err := range c.Store.Users(ctx) {
		if err != nil {
			return nil, err
		}
		users = append(users, user)
	}
	users = slices.DeleteFunc(users, func(user calendar.URI) bool { return strangers[string(user)] })
	slices.Sort(users)
	users = slices.Compact(users)
	if len(c.Users) > 0 {
		return c.concerned(ctx, users)
	}
	return users, nil
}

// one looks at one user. A panic is the user's failure and not everybody's.
func (c *Checker) one(ctx context.Context, user calendar.URI) (o outcome) {
	defer func() {
		if value := recover(); value != nil {
			o.failures = append(o.failures, fmt.Errorf("checking %s: internal error: %v", user, value))
		}
	}()
	if c.PreferencesDir != "" && c.Resources == nil {
		o = c.rounds(user, func(e *examination, m *mender) error {
			if err := e.settings(c.PreferencesDir, c.Quotas); err != nil {
				return err
			}
			return e.mendAll(m)
		})
	}
	unsettled := slices.ContainsFunc(o.findings, func(f *Finding) bool { return f.State != Mended })
	var stale staleBookings
	if c.Resources != nil {
		var err error
		if stale, err = c.staleBookings(ctx, user); err != nil {
			o.failures = append(o.failures, fmt.Errorf("checking %s: %w", user, err))
			return o
		}
	}
	if c.takesMemory(user) {
		c.heavy.Lock()
		defer c.heavy.Unlock()
	}
	records := c.rounds(user, func(e *examination, m *mender) error {
		e.stale = stale
		return c.records(ctx, e, m, unsettled, zoneless(o.findings))
	})
	o.findings = append(o.findings, records.findings...)
	o.failures = append(o.failures, records.failures...)
	o.events, o.locked, o.user = records.events, records.locked, true
	return o
}

// heavySize is how large tables are that take much memory, in octets.
const heavySize = 8 << 20

// takesMemory reports whether a user's tables take much memory. One such user is looked at at a
// time.
func (c *Checker) takesMemory(user calendar.URI) bool {
	files := c.files()
	if files == nil {
		return false
	}
	size := int64(0)
	for _, path := range []string{
		files.TablePath(user, ownTable), files.TablePath(user, stores.Table{Kind: stores.Offers}),
		files.RequestsPath(user), files.ProvidersPath(user), files.PublishedPath(user),
	} {
		if info, err := os.Stat(path); err == nil {
			size += info.Size()
		}
	}
	return size > heavySize
}

// maxRounds is how often what is left is looked at after a repair: moving one thing away
// can leave another without meaning.
const maxRounds = 6

// rounds looks at something, and again after each repair, until nothing is left to be
// mended.
func (c *Checker) rounds(user calendar.URI, look func(*examination, *mender) error) (o outcome) {
	var before []*Finding
	for round := 1; ; round++ {
		e := c.examine(user)
		var m *mender
		if c.Repair != None && !c.DryRun && round < maxRounds && c.quarantine != nil {
			m = &mender{quarantine: c.quarantine.Section(user), facts: e.facts, level: c.Repair}
		}
		err := look(e, m)
		o.events = e.events
		var locked *audit.LockedError
		switch {
		case errors.As(err, &locked):
			o.locked = true
			e.held(locked)
		case errors.Is(err, stores.ErrLocked):
			o.locked = true
		}
		if err != nil {
			what := string(user)
			if what == "" {
				what = "what belongs to no user"
			}
			o.failures = append(o.failures, fmt.Errorf("checking %s: %w", what, err))
		}
		if m == nil || !m.done || err != nil {
			o.failures = append(o.failures, e.failures...)
			o.findings = c.settle(before, e.findings)
			return o
		}
		before = append(before, e.findings...)
	}
}

// settle returns the findings that are left, and those before them that are mended, each
// once.
func (c *Checker) settle(before, left []*Finding) []*Finding {
	remaining := make(map[string]bool)
	for _, f := range left {
		remaining[f.Key()] = true
	}
	var all []*Finding
	for _, f := range before {
		if !remaining[f.Key()] {
			remaining[f.Key()] = true
			if f.Kind.Severity > Note {
				f.State = Mended
				all = append(all, f)
			}
		}
	}
	all = append(all, left...)
	for _, f := range all {
		c.finish(f)
	}
	return all
}

// finish fills in what follows from the rest of a finding.
func (c *Checker) finish(f *Finding) {
	if c.DryRun && f.Needs() != None && f.Needs() <= c.Repair {
		f.State = Planned
	}
	if f.Command != "" || f.Needs() == None {
		return
	}
	words := []string{"check", "--repair=" + f.Needs().String()}
	if f.User != "" && c.Resources == nil && calendar.NewURI(string(f.User)) == f.User { // else somebody else would be meant
		words = append(words, "--user", string(f.User))
	}
	f.Command = c.command(words...)
}

// records looks at a user's records, and mends what is to be mended.
func (c *Checker) records(ctx context.Context, e *examination, m *mender, unsettled, zoneless bool) error {
	e.ctx = ctx
	look := func(tx stores.Tx) error {
		e.tx = tx
		if err := e.records(unsettled, zoneless); err != nil {
			return err
		}
		return e.mendAll(m)
	}
	files := c.files()
	if files == nil {
		again := func(tx stores.Tx) error {
			stale := e.stale
			*e = *c.examine(e.user) // a try before this one counts for nothing
			e.stale = stale
			e.ctx = ctx
			return look(tx)
		}
		if m == nil {
			return c.Store.View(ctx, e.user, again)
		}
		return c.Store.Update(ctx, e.user, again)
	}
	o := audit.Options{Write: m != nil, Look: func(l audit.Lock) {
		f := e.left(l)
		if m != nil {
			m.finding = f
		}
	}}
	if m != nil {
		o.Aside, o.Writing = m.lockAside, m.quarantine.Writing
	}
	err := files.Audit(ctx, e.user, o, func(s audit.Session) error {
		e.session = s
		return look(s)
	})
	if isAbsent(err) && e.tx == nil {
		return nil // has preferences only
	}
	return err
}
