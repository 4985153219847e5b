package handlers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
)

// Change is a change to a user's records.
type Change struct {
	itip.Change
	User     calendar.URI // whose records; empty: nobody knows
	Side     itip.Side
	Warnings []string // what was repaired in it, for the log
}

// Result is what became of a change.
type Result struct {
	itip.Outcome
	// Err says why it was not applied: temporarily, or if it is a [stores.UnstorableError],
	// because it never can be. Nil: see the outcome.
	Err error
}

// Unstorable reports whether the change can never be applied.
func (r Result) Unstorable() bool {
	var unstorable *stores.UnstorableError
	return errors.As(r.Err, &unstorable)
}

// What takes long with many changes is to read and write the user's tables, and to wait for
// the disk, each time. But others who want the user's lock should not wait long either.
const (
	together    = 5000            // changes that are made in one critical section at most
	sectionTime = 2 * time.Second // after which no more is begun in it
)

// Apply makes changes in their order, and tells of each what became of it. Several are made in
// one critical section, or if that fails, each in its own. One that fails does not stop the others,
// unless they are bound to fail for the same reason: all of them have its error then. The error
// joins those that are temporary: making all changes again does no harm.
func (p *Pipeline) Apply(ctx context.Context, changes []Change) ([]Result, error) {
	return p.applyAll(ctx, changes, false)
}

// ApplyInOrder makes changes as [Pipeline.Apply] does, but none after one that fails temporarily: all that
// follow have its error.
func (p *Pipeline) ApplyInOrder(ctx context.Context, changes []Change) ([]Result, error) {
	return p.applyAll(ctx, changes, true)
}

func (p *Pipeline) applyAll(ctx context.Context, changes []Change, ordered bool) ([]Result, error) {
	b := &batch{Pipeline: p, changes: changes, results: make([]Result, len(changes)), ordered: ordered}
	var failures []error
	for group := range b.groups() {
		err := b.apply(ctx, group)
		failures = append(failures, err)
		if b.stops(ctx, err) {
			for i := group.to; i < len(changes); i++ {
				b.results[i] = Result{Err: err}
			}
			break
		}
	}
	p.observe(changes, b.results)
	return b.results, errors.Join(failures...)
}

// batch is a number of changes, and what has become of them.
type batch struct {
	*Pipeline
	changes []Change
	results []Result
	ordered bool // one that fails temporarily stops those that follow
}

// stops reports whether changes that follow one with an error are not made.
func (b *batch) stops(ctx context.Context, err error) bool {
	return stops(ctx, err) || b.ordered && err != nil
}

// group is the part of a batch from one change to before another: changes to one user's records
// that can be made in one critical section, or each in its own. There is at least one; if nobody
// knows whose it is, there is no more.
type group struct{ from, to int }

// maxBad is how many changes that can never be applied are left out one by one.
const maxBad = 100

// Section is what is done beside changes in one critical section. All functions may be called again, on fresh
// records.
type Section struct {
	// Wanted reports whether all is still to be done.
	Wanted func(stores.Tx) (bool, error)
	// Within runs change with the rules of the resource whose records these are. What the rules keep elsewhere is
	// committed when Within returns, or with the records. Nil: it is no resource.
	Within func(tx stores.Tx, change func(itip.Rules) error) error
	// Finish does what is to be done at last, by what has become of the changes.
	Finish func(stores.Tx, []Result) error
}

// Together makes changes to a user's records in one critical section, all or nothing. Where all has been done before,
// nothing is done, and there are no results. A change that can never be applied is left out, and its result has the
// error. The user is the one of the records. Where no rules of a resource are needed, changes that are made at the same time
// share a section (see [Sections]).
func (p *Pipeline) Together(ctx context.Context, user calendar.URI, settings preferences.Preferences, changes []Change, section Section) (results []Result, err error) {
	update := p.Store.Update
	if section.Within == nil {
		if p.Sections != nil {
			about := make([]stores.ID, len(changes))
			for i, c := range changes {
				about[i] = c.ID
			}
			update = func(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
				return p.Sections.update(ctx, p.Store, user, p.Now, about, fn)
			}
		}
		section.Within = func(_ stores.Tx, change func(itip.Rules) error) error { return change(nil) }
	}
	logs := make([]*slog.Logger, len(changes))
	for i, c := range changes {
		logs[i] = p.log(c)
		if c.User != user {
			logs[i] = logs[i].With("records", string(user))
		}
	}
	bad := make(map[int]error)
	for {
		began := p.Now()
		tried := -1 // the change that failed
		results = nil
		err := update(ctx, user, func(tx stores.Tx) (err error) {
			tried, results = -1, nil
			if want, err := section.Wanted(tx); !want || err != nil {
				return err
			}
			return section.Within(tx, func(rules itip.Rules) (err error) {
				done := make([]Result, len(changes))
				records := p.records(tx, settings)
				records.Rules = rules
				for i, c := range changes {
					if done[i].Err = bad[i]; bad[i] != nil {
						continue
					}
					if done[i], err = p.apply(records, c, logs[i]); err != nil {
						tried = i
						return err
					}
				}
				records.Now = p.Now().UTC()
				if err := records.Finish(); err != nil {
					return err
				}
				results = done
				return section.Finish(tx, done)
			})
		})
		if err == nil {
			if results != nil {
				p.observe(changes, results)
				warn(changes, logs, settings.Warnings)
				took := p.Now().Sub(began).Milliseconds()
				for i, log := range logs {
					if results[i].Err == nil {
						log.Info("handled", "changes", results[i].String(), "ms", took)
					}
				}
			}
			return results, nil
		}
		var unstorable *stores.UnstorableError
		if !errors.As(err, &unstorable) || len(bad) == len(changes) {
			for _, c := range changes {
				p.observe([]Change{c}, []Result{{Err: err}})
			}
			return nil, err
		}
		if tried < 0 || len(bad) == maxBad {
			for i := range changes { // nobody knows which it is, or there are too many
				if bad[i] == nil {
					bad[i] = err
				}
			}
			continue
		}
		bad[tried] = err
	}
}

// log returns where to log what becomes of a change.
func (p *Pipeline) log(c Change) *slog.Logger {
	log := p.Log.With("user", string(c.User), "method", c.Method, "uid", c.ID.UID)
	if c.ID.RecurrenceID != "" {
		log = log.With("recurrence", c.ID.RecurrenceID)
	}
	return log
}

// records returns a user's records inside a critical section.
func (p *Pipeline) records(tx stores.Tx, settings preferences.Preferences) *itip.Records {
	return &itip.Records{Tx: tx, Preferences: settings, PeriodLimit: p.PeriodLimit, System: p.Sender}
}

// apply applies a change, and puts aside what it has found damaged.
func (p *Pipeline) apply(records *itip.Records, c Change, log *slog.Logger) (Result, error) {
	records.Now = p.Now().UTC()
	outcome, err := records.Apply(c.Change, c.Side)
	// What is put aside is so for good before what has become of it is.
	for _, damaged := range outcome.Damaged {
		if err := p.putObjectAside(records, c, damaged, log); err != nil {
			return Result{Outcome: outcome}, err
		}
	}
	for _, w := range outcome.Warnings {
		log.Warn(w.Text, w.Attributes()...)
	}
	return Result{Outcome: outcome}, err
}

// groups yields the changes in their order. No two in a group are about the same
// event or occurrence: after an interruption, what is stored of it is what the one of them made
// of it, or what was there before. A whole event and its occurrences can be in one group, since
// tables are stored before any of their texts, and texts are deleted after all of them are stored.
func (b *batch) groups() iter.Seq[group] {
	return func(yield func(group) bool) {
		from := 0
		ids := make(map[stores.ID]bool)
		for i, c := range b.changes {
			if n := i - from; n > 0 && (n == together || c.User != b.changes[from].User || c.User == "" || ids[c.ID]) {
				if !yield(group{from, i}) {
					return
				}
				from = i
				clear(ids)
			}
			ids[c.ID] = true
		}
		if from < len(b.changes) {
			yield(group{from, len(b.changes)})
		}
	}
}

// apply makes the changes of a group. If that fails nothing of it is done, and since one
// of them must not stop the others, each half is made by itself then. It returns what is
// temporary.
func (b *batch) apply(ctx context.Context, g group) error {
	done, err := b.section(ctx, g)
	for err == nil && done < g.to-g.from {
		g.from += done
		done, err = b.section(ctx, g)
	}
	switch {
	case err == nil:
		return nil
	case g.to-g.from == 1:
		b.results[g.from] = Result{Err: err}
		if b.results[g.from].Unstorable() {
			return nil
		}
		return b.temporary(g.from, err)
	case stops(ctx, err): // whatever it is, the others have not been made
		for i := g.from; i < g.to; i++ {
			b.results[i] = Result{Err: b.temporary(g.from, err)}
		}
		return b.results[g.from].Err
	}
	middle := g.from + (g.to-g.from)/2
	first := b.apply(ctx, group{g.from, middle})
	if b.stops(ctx, first) {
		for i := middle; i < g.to; i++ {
			b.results[i] = Result{Err: first}
		}
		return first
	}
	return errors.Join(first, b.apply(ctx, group{middle, g.to}))
}

// stops reports whether there is an error that all other changes will have, too.
func stops(ctx context.Context, err error) bool {
	return err != nil && (errors.Is(err, stores.ErrLocked) || errors.Is(err, stores.ErrAway) || ctx.Err() != nil)
}

// temporary returns an error as that of a change.
func (b *batch) temporary(i int, err error) error {
	return fmt.Errorf("%s of %q: %w", b.changes[i].Method, b.changes[i].ID.UID, err)
}

// section makes the changes of a group in one critical section, all or nothing, or as many of
// them as there is time for in one. It returns their number.
func (b *batch) section(ctx context.Context, g group) (done int, err error) {
	began := b.Now()
	changes, results := b.changes[g.from:g.to], b.results[g.from:g.to]
	user := changes[0].User
	logs := make([]*slog.Logger, len(changes))
	for i, c := range changes {
		logs[i] = b.log(c)
	}
	if user == "" {
		warn(changes, logs, nil)
		results[0].Refused = itip.NoUser
		logs[0].Warn("no user: neither the sender nor a participant shows whose message this is")
		return len(changes), nil
	}
	settings, err := b.Preferences.Load(user)
	if err != nil {
		return 0, err
	}
	if !settings.Participates() {
		warn(changes, logs, settings.Warnings)
		for i, log := range logs {
			results[i].Refused = itip.NotParticipating
			log.Info("handled", "changes", results[i].String())
		}
		return len(changes), nil
	}

	name, err := b.Store.Named(ctx, user)
	if err != nil {
		return 0, err
	}
	if name != user {
		for i := range logs {
			logs[i] = logs[i].With("records", string(name))
		}
	}
	err = b.Store.Update(ctx, name, func(tx stores.Tx) (err error) {
		done, err = b.change(tx, settings, changes, results, logs)
		return err
	})
	if err != nil {
		if len(changes) == 1 {
			warn(changes, logs, settings.Warnings)
		}
		return 0, err
	}
	changes, logs = changes[:done], logs[:done]
	warn(changes, logs, settings.Warnings)
	took := b.Now().Sub(began).Milliseconds()
	for i, log := range logs {
		if done > 1 {
			log = log.With("together", done) // which is what took so long
		}
		log.Info("handled", "changes", results[i].String(), "ms", took)
	}
	return done, nil
}

// change makes the changes, or as many of them as there is time for, and returns their number.
func (b *batch) change(tx stores.Tx, settings preferences.Preferences, changes []Change, results []Result, logs []*slog.Logger) (done int, err error) {
	entered := b.Now()
	records := b.records(tx, settings)
	for i, c := range changes {
		if i > 0 && b.Now().Sub(entered) > sectionTime {
			break
		}
		if results[i], err = b.Pipeline.apply(records, c, logs[i]); err != nil {
			return done, err
		}
		done++
	}
	records.Now = b.Now().UTC()
	return done, records.Finish()
}

// putObjectAside keeps a copy of a stored object that cannot be read.
func (p *Pipeline) putObjectAside(r *itip.Records, c Change, damaged itip.Damaged, log *slog.Logger) error {
	path, err := p.Rejected.Put(rejected.Note{
		Reason: "a stored object cannot be read: " + damaged.Err.Error(), User: string(r.User()), Method: c.Method,
		UID: damaged.ID.UID, RecurrenceID: damaged.ID.RecurrenceID, Source: "store", Time: r.Now,
	}, damaged.Text)
	if err != nil {
		return fmt.Errorf("reject the unreadable object of %q: %w", damaged.ID.UID, err)
	}
	log.Warn("the stored object cannot be read and counts as missing; a copy is rejected", "reason", damaged.Err, "file", path)
	return nil
}

// warn logs what was unusual about changes, and about the user's preferences.
func warn(changes []Change, logs []*slog.Logger, preferences []string) {
	for i, c := range changes {
		for _, warning := range c.Warnings {
			logs[i].Warn(warning)
		}
	}
	for _, warning := range preferences {
		if len(logs) > 0 {
			logs[0].Warn(warning)
		}
	}
}
