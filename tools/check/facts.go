package check

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

// facts is what was read of a user in one critical section: what findings are made from. Once it is
// read nothing in it is changed. Texts, and tables other than the user's own, can be large: these are
// read when they are looked at, in the same critical section.
type facts struct {
	subject
	wishes
	disk
	texts
	free
	lists

	ctx context.Context
	tx  stores.Tx // it is only read from
	// publishedTimes returns the periods that are published of a user who publishes; nil if that tells
	// nothing. They are read once.
	publishedTimes func() map[instants]bool
}

// subject is whose records are looked at, and how.
type subject struct {
	user    calendar.URI // empty: what belongs to no user
	now     time.Time
	at      audit.Store // where files are; nil for a store without files
	limit   int         // of periods of an event, as handlers have it
	verbose bool        // notes are told, too
	command func(words ...string) string
}

// wishes is what a user's preferences say.
type wishes struct {
	preferences preferences.Preferences
	known       bool // preferences could be read, and say what they are to
	unsettled   bool // something is wrong with them
}

// disk is what was read of files as files.
type disk struct {
	problems []audit.Problem
	blocked  map[string]bool // paths whose file is no use
	closed   bool            // something may not be read, for its mode
	strayed  bool            // something stands where no program looks for it
	tables   []audit.Table
}

// texts says which texts there are.
type texts struct {
	uids  map[string]*event
	order []string // of the UIDs
}

// event is which texts there are of one UID.
type event struct {
	uid         string
	active      bool
	cancelled   bool
	recurrences map[string]*occurrence
	counters    []stores.Key
}

// occurrence is which texts there are of one recurrence id.
type occurrence struct{ active, cancelled bool }

// free is what was read of free/busy tables.
type free struct {
	rows  *rowIndex // of the user's own
	torn  tornLines // of the same
	wrong []stores.Damage
}

// lists is what was read of the request queue, of the table of events that recur without end, and of
// the outbox.
type lists struct {
	requests []stores.Request
	waiting  map[stores.ID]bool // for the user's answer
	notes    []stores.ID        // noted as recurring without end
	provider map[stores.ID]bool // the same
	extended bool               // such notes are kept
	until    time.Time          // up to where these have been worked out
	letters  []stores.LetterInfo
}

// subject returns whose records are looked at.
func (c *Checker) subject(user calendar.URI) subject {
	limit := c.PeriodLimit
	if limit <= 0 {
		limit = calendar.DefaultMaxPeriods
	}
	return subject{user: user, now: c.Now().UTC(), at: c.files(), limit: limit, verbose: c.Verbose, command: c.command}
}

// readLetters reads what waits in the user's outbox.
func (f *facts) readLetters(store stores.Store) (err error) {
	f.letters, err = stores.LettersOf(f.ctx, store, f.tx)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil // something else is in the outbox's place, which is told
	} else if err != nil {
		return fmt.Errorf("the outbox of %s: %w", f.user, err)
	}
	return nil
}

// readFiles reads what a user's files are as files.
func (f *facts) readFiles(session audit.Session) error {
	problems, err := session.Problems()
	if err != nil {
		return err
	}
	f.problems = problems
	f.blocked = make(map[string]bool)
	for _, p := range problems {
		if p.Kind.Blocks() {
			f.blocked[p.Path] = true
		}
		// Whoever owns it can change that, but not read it before.
		f.closed = f.closed || p.Kind == audit.Mode && errors.Is(unix.Access(p.Path, unix.R_OK), unix.EACCES)
		f.strayed = f.strayed || p.Kind == audit.Strayed
	}
	return nil
}

// groundless reports whether something may not be read, or a table or one of the directories in which everything else
// stands cannot be used, so that there is no point in looking at what hangs on it before
// that is mended.
func (f *facts) groundless() bool {
	if f.closed || f.strayed {
		return true
	}
	for path := range f.blocked {
		if f.at.Bears(f.user, path) {
			return true
		}
	}
	return false
}

// readTables reads the user's tables as files.
func (f *facts) readTables(session audit.Session) (err error) {
	f.tables, err = session.Tables()
	for _, t := range f.tables {
		if f.blocked[t.Path] || t.Which == nil || t.Which.Kind != stores.Own {
			continue
		}
		for _, d := range t.Damages {
			f.torn.add(d.Text)
		}
	}
	return err
}

// readRecords reads what the user has. The tables of a store without files have all been read, so
// that it knows what rows are no records.
func (f *facts) readRecords() error {
	if err := f.list(); err != nil {
		return err
	}
	own, err := f.tx.Periods(ownTable)
	if err != nil {
		return err
	}
	f.rows = newRowIndex(own)
	if tx, ok := f.tx.(stores.Damaged); ok {
		f.wrong = tx.Damages()
		for _, d := range f.wrong {
			if d.Table.Kind == stores.Own {
				f.torn.add(d.UID)
			}
		}
	}
	return nil
}

// readLists reads the request queue, and the table of events that recur without end.
func (f *facts) readLists() error {
	requests, err := f.tx.Requests()
	if err != nil {
		return err
	}
	f.requests = requests
	f.waiting = make(map[stores.ID]bool)
	for _, r := range requests {
		if r.Type != counterType { // that waits for others' sake, and is the user's own
			f.waiting[r.ID] = true
		}
	}
	providers, err := f.tx.Providers()
	if err != nil {
		return err
	}
	f.extended, f.until, f.notes = !providers.Until.IsZero(), providers.Until, providers.Events
	f.provider = make(map[stores.ID]bool, len(f.notes))
	for _, id := range f.notes {
		f.provider[id] = true
	}
	return nil
}

// list lists the user's texts by UID.
func (f *facts) list() error {
	f.uids = make(map[string]*event)
	for key, err := range f.tx.Keys() {
		if err != nil {
			return err
		}
		v := f.uids[key.UID]
		if v == nil {
			v = &event{uid: key.UID}
			f.uids[key.UID] = v
			f.order = append(f.order, key.UID)
		}
		switch {
		case key.Part == stores.Countered:
			v.counters = append(v.counters, key)
		case key.RecurrenceID != "":
			if v.recurrences == nil {
				v.recurrences = make(map[string]*occurrence)
			}
			o := v.recurrences[key.RecurrenceID]
			if o == nil {
				o = new(occurrence)
				v.recurrences[key.RecurrenceID] = o
			}
			o.active = o.active || key.Part == stores.Active
			o.cancelled = o.cancelled || key.Part == stores.Cancelled
		case key.Part == stores.Active:
			v.active = true
		default:
			v.cancelled = true
		}
	}
	return nil
}

// readPublished sees that what is published is read when it is asked for. An error goes to fail.
func (f *facts) readPublished(fail func(error)) {
	f.publishedTimes = sync.OnceValue(func() map[instants]bool {
		if !f.known || !f.preferences.Publishes() || f.blocked[f.publishedPath()] {
			return nil
		}
		text, err := f.tx.Published()
		if err != nil {
			if !errors.Is(err, stores.ErrNotFound) {
				fail(err)
			}
			return nil
		}
		found, readable := publishedPeriods(text, f.user)
		if !readable {
			return nil
		}
		all := make(map[instants]bool, len(found))
		for _, period := range found {
			all[period] = true
		}
		return all
	})
}

// The paths of what a user has; empty in a store without files.

func (s *subject) path(key stores.Key) string {
	if s.at == nil {
		return ""
	}
	return s.at.Path(s.user, key)
}

func (s *subject) tablePath(table stores.Table) string {
	if s.at == nil {
		return ""
	}
	return s.at.TablePath(s.user, table)
}

func (s *subject) requestsPath() string {
	if s.at == nil {
		return ""
	}
	return s.at.RequestsPath(s.user)
}

func (s *subject) providersPath() string {
	if s.at == nil {
		return ""
	}
	return s.at.ProvidersPath(s.user)
}

func (s *subject) publishedPath() string {
	if s.at == nil {
		return ""
	}
	return s.at.PublishedPath(s.user)
}

// end returns the end of the user's window.
func (f *facts) end() time.Time { return f.preferences.WindowEnd(f.now) }

// options say which periods of events are wanted.
func (f *facts) options(until, now time.Time) calendar.PeriodOptions {
	return calendar.PeriodOptions{Zone: f.preferences.Zone, Now: now, Until: until, Max: f.limit}
}

// unpublished reports whether what is published lacks a record that it would have, had a program
// made it.
func (f *facts) unpublished(rows []row) bool {
	periods := f.publishedTimes()
	if periods == nil {
		return false
	}
	for _, r := range rows {
		if r.transp == itip.Opaque && !periods[instants{r.start, r.end}] {
			return true
		}
	}
	return false
}

// knownOf returns what is known of another user's free/busy, whatever the letter case of its
// name; nil if nothing is.
func (f *facts) knownOf(other calendar.URI) *freebusy.Table {
	names, err := f.tx.Others()
	if err != nil {
		return nil
	}
	name := calendar.Find(names, other)
	if name == "" {
		return nil
	}
	table, err := f.tx.Periods(stores.Table{Kind: stores.Other, Other: name})
	if err != nil {
		return nil
	}
	return table
}

// loadWishes reads a user's preferences. Without the zone that was meant, what is recorded by it is
// not to be judged.
func (f *facts) loadWishes(source preferences.Source, zoneless bool) error {
	p, err := source.Load(f.user)
	if err != nil {
		// Without the zone and the window nothing can be worked out.
		return fmt.Errorf("preferences of %s: %w", f.user, err)
	}
	f.preferences, f.known = p, !zoneless
	return nil
}
