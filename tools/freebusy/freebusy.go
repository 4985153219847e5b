// Package freebusy works out users' free/busy from the events that are stored: all of it
// anew, or, as time goes on, only what is to be added for events that recur without end.
//
// It records what handlers record, given the same moment: an event's periods within the
// window, without the occurrences that recurrences of their own stand for. Where the
// objects do not tell, as of an attendee who may never have answered, or of an event
// that is not stored, what the table says is left as it is.
//
// Which events recur beyond the window is noted in the table of providers, with the end
// of the window, so that the next time only these have to be read. Handlers note there
// what comes in between and has no end; what has one, beyond the window, is found by its
// records, which go on up to the end of the window.
package freebusy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

// Maker works out the free/busy of the users of a store.
type Maker struct {
	Store       stores.Store
	Preferences preferences.Source
	Log         *slog.Logger
	Now         func() time.Time
	PeriodLimit int // records of one event; 0: calendar.DefaultMaxPeriods

	Reset       bool // read all events, even if it is noted which recur beyond the window
	NeedsAction bool // take users who have still to answer for taking part
	Keep        bool // store the result
	Publish     bool // publish the result, for users who want theirs to be published

	// Other is the user whose free/busy is worked out, as far as the others know of it;
	// empty: each user's own.
	Other calendar.URI
}

// Result is what has been made of one user's free/busy.
type Result struct {
	User calendar.URI
	Err  error  // that nothing could be made of it; nothing is changed then
	Left string // why it is left as it is, if the user does not want any

	Table             *freebusy.Table // as it is to be
	Removed, Inserted int             // in how many records it differs from what was stored
	Rebuilt           bool            // from all events, not only from those noted
	Until             time.Time       // the end of the window, UTC
	Read              int             // objects read
	Noted             int             // events that recur beyond the window
	Published         bool

	Problems []Problem
}

// Problem is an event of which nothing could be made. Its records are left as they are.
type Problem struct {
	stores.ID
	Err error
}

// Each works out the free/busy of users, some at a time, and calls done with each
// result, one after the other but in no particular order. What goes wrong with one user
// does not stop the others, unless the store cannot be reached. The error is that of users, of
// the store, or of ctx.
func (m *Maker) Each(ctx context.Context, users iter.Seq2[calendar.URI, error], atOnce int, done func(Result)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make(chan Result)
	go func() {
		defer close(results)
		m.work(ctx, users, atOnce, results)
	}()
	var failure error
	for r := range results {
		switch {
		case r.User == "":
			failure = errors.Join(failure, r.Err)
			continue
		case errors.Is(r.Err, stores.ErrAway): // for everybody, which is told once
			cancel(fmt.Errorf("free/busy of %q: %w", r.User, r.Err))
			continue
		case r.Err != nil && errors.Is(context.Cause(ctx), stores.ErrAway):
			continue
		}
		done(r)
	}
	return errors.Join(failure, context.Cause(ctx))
}

// work sends a result for each user, and one without a user if there is an error of users.
func (m *Maker) work(ctx context.Context, users iter.Seq2[calendar.URI, error], atOnce int, results chan<- Result) {
	var group errgroup.Group
	group.SetLimit(max(1, atOnce))
	for user, err := range users {
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			results <- Result{Err: err}
			continue
		}
		group.Go(func() error {
			results <- m.guarded(ctx, user)
			return nil
		})
	}
	group.Wait()
}

// guarded is User, for a goroutine whose panic would end the program in the midst of
// other users' changes.
func (m *Maker) guarded(ctx context.Context, user calendar.URI) (result Result) {
	defer func() {
		if p := recover(); p != nil {
			result = Result{User: user, Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	return m.User(ctx, user)
}

// User works out the free/busy of one user.
func (m *Maker) User(ctx context.Context, user calendar.URI) Result {
	settings, err := m.Preferences.Load(user)
	if err != nil {
		return Result{User: user, Err: err}
	}
	if !settings.Participates() {
		return Result{User: user, Left: "the user does not participate"}
	}
	run := m.Store.View
	if m.Keep || m.Publish {
		run = m.Store.Update
	}
	var result Result
	err = run(ctx, user, func(tx stores.Tx) error {
		w := m.begin(tx, user, settings)
		err := w.make(ctx)
		if err == nil {
			err = w.finish()
		}
		result = w.result
		return err
	})
	if err != nil {
		return Result{User: user, Err: err}
	}
	return result
}
