package copy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tools/migrate"
)

// task is a user of a part.
type task struct {
	part migrate.Part
	user calendar.URI
	gone bool // the source has nothing of them
}

// name is how a task's note is called.
func (t task) name() string { return string(t.part) + "/" + string(t.user) }

// copier is a copy at work.
type copier struct {
	from, to *Side
	o        Options
	run      time.Time

	mu       sync.Mutex
	failed   map[task]bool // copied not at all, which is listed
	result   Result
	progress Progress
	notes    map[string][]byte // to be saved
}

// runNote is the name of the note on a run that has not finished.
const runNote = "run"

// Run brings to what from has. The result says what was done and what was not; the error, that the
// copy could not begin or go on, and the result holds up to there.
func Run(ctx context.Context, from, to *Side, o Options) (*Result, error) {
	if o.Workers <= 0 {
		o.Workers = 4
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	started := o.Now()
	c := &copier{from: from, to: to, o: o, run: started, notes: make(map[string][]byte), failed: make(map[task]bool)}
	tasks, err := c.tasks(ctx)
	if err != nil {
		return &c.result, err
	}
	if err := c.begin(ctx); err != nil {
		return &c.result, err
	}
	err = c.all(ctx, tasks)
	if err == nil {
		err = c.letters(ctx)
	}
	if err == nil && !o.DryRun {
		err = c.saveNote(ctx, runNote, nil)
	}
	if err == nil && o.Verify && !o.DryRun {
		err = c.verify(ctx, tasks)
	}
	slices.SortStableFunc(c.result.Issues, func(a, b migrate.Issue) int {
		return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Item, b.Item))
	})
	c.result.Took = o.Now().Sub(started)
	return &c.result, err
}

// begin notes that a run has begun, or finds the one that is to be resumed.
func (c *copier) begin(ctx context.Context) error {
	if c.to.Notes == nil || c.o.DryRun {
		return nil
	}
	if c.o.Resume {
		data, err := c.to.Notes.Load(ctx, c.from.Name, runNote)
		if err != nil {
			return err
		}
		if n, ok := decodeNote(data); ok {
			c.run = n.run
			return nil
		}
		c.o.Log.Info("no copy was interrupted: everything is examined")
	}
	return c.saveNote(ctx, runNote, note{run: c.run}.encode())
}

func (c *copier) saveNote(ctx context.Context, name string, data []byte) error {
	if c.to.Notes == nil {
		return nil
	}
	return c.to.Notes.Save(ctx, c.from.Name, map[string][]byte{name: data})
}

// tasks lists whom there is to copy.
func (c *copier) tasks(ctx context.Context) ([]task, error) {
	stored, err := names(ctx, users{c.from.Store})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.from.Name, migrate.NoSource(err))
	}
	have, err := c.targetNames(ctx, users{c.to.Store})
	if err != nil {
		return nil, err
	}
	tasks, err := c.merge(ctx, migrate.StorePart, stored, have)
	if err != nil {
		return nil, err
	}
	if c.from.Journal != nil && c.to.Journal != nil {
		stored, err := names(ctx, quotas{c.from.Journal})
		if failed := c.notThere(err, c.from.JournalNamed); failed != nil {
			return nil, fmt.Errorf("the journal of %s: %w", c.from.Name, failed)
		}
		if err == nil {
			if have, err = c.targetNames(ctx, quotas{c.to.Journal}); err != nil {
				return nil, err
			}
			more, err := c.merge(ctx, migrate.JournalPart, stored, have)
			if err != nil {
				return nil, err
			}
			tasks = append(tasks, more...)
		}
	}
	if c.from.Preferences != "" && c.to.Preferences != "" {
		users, err := preferenceUsers(c.from.Preferences)
		if err = c.notThere(err, c.from.PreferencesNamed); err != nil {
			return nil, err
		}
		more, err := c.merge(ctx, migrate.PreferencesPart, users, nil)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, more...)
	}
	if len(c.o.Users) > 0 && len(tasks) == 0 {
		return nil, fmt.Errorf("%s has no records of the named users: %w", c.from.Name, migrate.ErrNoSource)
	}
	for _, user := range c.o.Users {
		if !slices.ContainsFunc(tasks, func(t task) bool { return t.user == user }) {
			c.note(task{part: migrate.StorePart, user: user}, migrate.Issue{Kind: migrate.Unknown, Text: "the source has no records of that user"})
		}
	}
	return tasks, nil
}

// notThere passes over an error that says that a part of the source is not there, unless
// it was named.
func (c *copier) notThere(err error, named bool) error {
	if err = migrate.NoSource(err); errors.Is(err, migrate.ErrNoSource) && !named {
		return nil
	}
	return err
}

// targetNames returns whom the target has: nobody, if it is yet to be made.
func (c *copier) targetNames(ctx context.Context, k keeper) ([]calendar.URI, error) {
	have, err := names(ctx, k)
	if err = c.notThere(err, false); err != nil {
		return nil, fmt.Errorf("%s: %w", c.to.Name, err)
	}
	return have, nil
}

// merge returns the tasks of a part, as far as they are wanted. Whom only the target has is one
// of them if that is to be deleted, and listed if it was copied there.
func (c *copier) merge(ctx context.Context, part migrate.Part, source, target []calendar.URI) ([]task, error) {
	var tasks []task
	wanted := func(user calendar.URI) bool { return len(c.o.Users) == 0 || slices.Contains(c.o.Users, user) }
	for _, user := range source {
		if wanted(user) {
			tasks = append(tasks, task{part: part, user: user})
		}
	}
	for _, user := range target {
		if _, there := slices.BinarySearch(source, user); there || !wanted(user) {
			continue
		}
		t := task{part: part, user: user, gone: true}
		if c.o.Delete {
			tasks = append(tasks, t)
			continue
		}
		before, _, err := c.lastCopied(ctx, t)
		switch {
		case errors.Is(err, stores.ErrAway) || ctx.Err() != nil:
			return nil, err
		case err != nil:
			c.note(t, migrate.Issue{Kind: migrate.Failed, Text: err.Error()})
		case before.copied != nil && len(before.copied.items)+len(before.copied.old) > 0:
			c.note(t, migrate.Issue{Kind: migrate.Extra, Text: "the source no longer has records of the user; without --delete they are kept"})
		}
	}
	return tasks, nil
}

// names returns whose records there are, in order.
func names(ctx context.Context, k keeper) ([]calendar.URI, error) {
	return migrate.Names(k.owners(ctx))
}

// syncEvery is after how many users what was written is made to last, and noted.
const syncEvery = 256

// all copies everybody, several at a time.
func (c *copier) all(ctx context.Context, tasks []task) error {
	c.progress.Total = len(tasks)
	var later []task // whose lock was held
	for batch := range slices.Chunk(tasks, syncEvery) {
		locked, err := c.each(ctx, batch, c.one)
		later = append(later, locked...)
		if saveErr := c.save(context.WithoutCancel(ctx)); err == nil {
			err = saveErr
		}
		if err != nil {
			return err
		}
	}
	locked, err := c.each(ctx, later, c.one)
	for _, t := range locked {
		c.note(t, migrate.Issue{Kind: migrate.Locked, Text: stores.ErrLocked.Error()})
	}
	if saveErr := c.save(context.WithoutCancel(ctx)); err == nil {
		err = saveErr
	}
	return err
}

// save makes what was written last, and then notes it.
func (c *copier) save(ctx context.Context) error {
	if c.o.DryRun || len(c.notes) == 0 {
		return nil
	}
	if c.to.Sync != nil {
		if err := c.to.Sync(); err != nil {
			return err
		}
	}
	if c.to.Notes != nil {
		if err := c.to.Notes.Save(ctx, c.from.Name, c.notes); err != nil {
			return err
		}
	}
	clear(c.notes)
	return nil
}

// each runs fn on tasks, several at a time, and returns those whose lock was held.
func (c *copier) each(ctx context.Context, tasks []task, fn func(context.Context, task) error) (locked []task, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan task)
	var wg sync.WaitGroup
	for range min(c.o.Workers, len(tasks)) {
		wg.Go(func() {
			for t := range next {
				if ctx.Err() != nil {
					continue
				}
				err := guarded(func() error { return fn(ctx, t) })
				switch {
				case errors.Is(err, stores.ErrLocked):
					c.mu.Lock()
					locked = append(locked, t)
					c.mu.Unlock()
					continue
				case errors.Is(err, stores.ErrAway):
					cancel(err) // for everybody
					continue
				case err != nil && ctx.Err() == nil:
					c.note(t, migrate.Issue{Kind: migrate.Failed, Text: err.Error()})
				}
				c.step()
			}
		})
	}
	for _, t := range tasks {
		next <- t
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return locked, nil
}

// guarded calls fn in a goroutine whose panic would end the program, which holds locks of users.
func guarded(fn func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("internal error: %v\n%s", value, debug.Stack())
		}
	}()
	return fn()
}

// note adds issues of a task to the result.
func (c *copier) note(t task, issues ...migrate.Issue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range issues {
		if i.Item == "" && i.Kind != migrate.Refused {
			c.failed[t] = true
		}
		i.Part, i.User = t.part, t.user
		c.result.Note(i)
	}
}

// step tells that another task is done.
func (c *copier) step() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress.Done++
	c.progress.Items = c.result.Written.Total()
	if c.o.Progress != nil {
		c.o.Progress(c.progress)
	}
}

// outcome is what was done to one user.
type outcome struct {
	plan    *plan
	written map[key]digest
	removed []key
	issues  []migrate.Issue
	after   *copied // what is known of the user now
	pended  bool    // something is noted as pending
}

// one copies a user.
func (c *copier) one(ctx context.Context, t task) error {
	before, skip, err := c.lastCopied(ctx, t)
	if err != nil {
		return err
	}
	if skip {
		c.mu.Lock()
		c.result.Skipped++
		c.mu.Unlock()
		return nil
	}
	var done *outcome
	switch t.part {
	case migrate.PreferencesPart:
		done, err = c.copyPreferences(ctx, t, before)
	case migrate.JournalPart:
		done, err = c.copyUser(ctx, t, quotas{c.from.Journal}, quotas{c.to.Journal}, before)
	default:
		done, err = c.copyUser(ctx, t, users{c.from.Store}, users{c.to.Store}, before)
	}
	if err != nil {
		return err
	}
	c.finish(t, done)
	return nil
}

// ordered reports whether both sides keep an order in quotas' lists.
func (c *copier) ordered() bool { return !c.from.Unordered && !c.to.Unordered }

// lastCopied returns what was last copied of a user; skip, that they are done.
func (c *copier) lastCopied(ctx context.Context, t task) (before memory, skip bool, err error) {
	if c.to.Notes == nil {
		return memory{}, false, nil
	}
	data, err := c.to.Notes.Load(ctx, c.from.Name, t.name())
	if err != nil {
		return memory{}, false, err
	}
	n, ok := decodeNote(data)
	if !ok && data != nil {
		// Without it the target's own would be taken for what the source has no longer.
		return memory{}, false, fmt.Errorf("the record of the last copy cannot be read: to copy without it, remove the note %s of %s", t.name(), c.from.Name)
	}
	if c.o.Resume && n.run.Equal(c.run) {
		return memory{}, true, nil
	}
	waiting, err := c.to.Notes.Load(ctx, c.from.Name, t.pendingName())
	return memory{n.copied, decodePending(waiting)}, false, err
}

// finish takes the outcome into the result, and what is to be noted.
func (c *copier) finish(t task, done *outcome) {
	c.note(t, done.issues...)
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.result
	r.Users++
	r.Unchanged.add(done.plan.equal)
	if len(done.written)+len(done.removed) > 0 {
		r.Changed++
	}
	for k := range done.written {
		r.Written.count(k, 1)
	}
	for _, k := range done.removed {
		r.Removed.count(k, 1)
	}
	if c.to.Notes != nil && !c.o.DryRun && !done.plan.refuse {
		c.notes[t.name()] = note{run: c.run, copied: done.after}.encode()
		if done.pended {
			c.notes[t.pendingName()] = nil
		}
	}
}
