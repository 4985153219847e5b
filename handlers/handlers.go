// Package handlers brings a user's records up to date from the scheduling
// messages that the user sends (iMIP, RFC 6047; iTIP, RFC 5546).
//
// A message is taken apart into events; each event is handled by the handler of
// its method, inside one critical section of the store for the user whose
// message it is. Several share one if there are many. A handler sees the event and
// a transaction, never a path, a lock or the clock. The user is the calendar user
// who sent the message; the sender is every address that the message claims to
// come from.
//
// What can never be handled is put aside and is no error. Every error that
// [Handler.Handle] returns is temporary: the message is to be handed in again, and
// handling it again does no harm.
package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
)

// Handler handles the messages that users send.
type Handler struct {
	Store       stores.Store
	Preferences preferences.Source
	Rejected    *rejected.Dir // where goes what cannot be handled
	Sender      calendar.URI  // the calendar system's own address (MESSAGE_SENDER)
	// Recipient is the user for whom the copy of the message was made, where the mail system
	// says so: nobody else's records are touched then. See [Recipient]. Empty: it is not known.
	Recipient calendar.URI
	// IsAlias reports whether an address is another one of a user, both without "mailto:". An
	// error is temporary. Nil: there are no aliases.
	IsAlias func(alias, user string) (bool, error)

	Log *slog.Logger     // one line for each event handled, and what was unusual
	Now func() time.Time // the clock

	MessageLimit int64 // octets of a message's calendar data that are looked at
	PeriodLimit  int   // free/busy records of one event

	// Import says that the messages are a user's own calendar, which is taken in: what it has
	// of events that others organize is the user's to say as well, and what does not take place
	// is called off by a message of its own.
	Import bool
}

// methods maps each iTIP method to its handler (RFC 5546 section 1.4).
var methods = map[string]func(*request) error{
	"ADD":            add,
	"CANCEL":         cancel,
	"COUNTER":        reply,
	"DECLINECOUNTER": declineCounter,
	"PUBLISH":        publish,
	"REFRESH":        refresh,
	"REPLY":          reply,
	"REQUEST":        publish,
}

// request is one event being handled: the event, and its user's records inside
// one critical section.
type request struct {
	handler *Handler
	tx      stores.Tx
	section *section
	log     *slog.Logger
	now     time.Time

	user        calendar.URI
	preferences preferences.Preferences
	senders     []calendar.URI // who the message claims to come from; empty: unknown

	method string
	object *calendar.Object // the message's
	id     stores.ID

	unreadable bool     // a stored object that was asked for cannot be read
	changes    []string // what was done, for the log
}

// Handle reads a message from r, to its end, and handles its events. It returns
// nil if nothing is left to be done, and otherwise an error that is temporary.
func (h *Handler) Handle(ctx context.Context, r io.Reader) error {
	var draft *rejected.Draft // of a message that is too large to be held in memory
	parsed, err := mail.Read(r, h.MessageLimit, func() (w io.Writer, err error) {
		draft, err = h.Rejected.Draft()
		return draft, err
	})
	if draft != nil {
		defer draft.Close()
	}
	if err != nil {
		return err
	}
	message, problems := h.open(parsed)
	others, err := h.claim(message)
	if err != nil {
		return err
	}
	problems = append(problems, others...)
	failure := h.handleAll(ctx, message, &problems)
	return errors.Join(failure, h.putAside(parsed, draft, problems))
}

// handleAll handles the events of a message in their order. One that fails does not
// stop the others, unless they are bound to fail for the same reason.
func (h *Handler) handleAll(ctx context.Context, m *message, problems *[]problem) error {
	var failures []error
	for g := range h.groups(m) {
		err := h.handleGroup(ctx, m, g, problems)
		failures = append(failures, err)
		if stops(ctx, err) {
			break
		}
	}
	return errors.Join(failures...)
}

// handleGroup handles a group of events. If that fails nothing of it is done, and since one
// of them must not stop the others, each half is handled by itself then.
func (h *Handler) handleGroup(ctx context.Context, m *message, g group, problems *[]problem) error {
	done, err := h.handle(ctx, m, g)
	for err == nil && done < len(g.events) {
		g.events = g.events[done:]
		done, err = h.handle(ctx, m, g)
	}
	switch {
	case err == nil:
		return nil
	case len(g.events) == 1:
		return g.events[0].failure(err, problems)
	case stops(ctx, err): // whatever it is, the others have not been handled
		return g.events[0].temporary(err)
	}
	var failures []error
	for _, half := range g.halves() {
		err := h.handleGroup(ctx, m, half, problems)
		failures = append(failures, err)
		if stops(ctx, err) {
			break
		}
	}
	return errors.Join(failures...)
}

// stops reports whether there is an error that all other events will have, too.
func stops(ctx context.Context, err error) bool {
	return err != nil && (errors.Is(err, stores.ErrLocked) || errors.Is(err, stores.ErrAway) || ctx.Err() != nil)
}

// failure returns an event's error unless it can never be handled, which is a problem.
func (e event) failure(err error, problems *[]problem) error {
	var unstorable *stores.UnstorableError
	if errors.As(err, &unstorable) {
		*problems = append(*problems, e.problem(unstorable.Error()))
		return nil
	}
	return e.temporary(err)
}

// temporary returns an error as that of an event.
func (e event) temporary(err error) error {
	return fmt.Errorf("%s of %q: %w", e.method, e.id.UID, err)
}

// handle handles a group of events in one critical section, all or nothing, or as many of
// them as there is time for in one. It returns their number.
func (h *Handler) handle(ctx context.Context, m *message, g group) (done int, err error) {
	began := h.Now()
	logs := make([]*slog.Logger, len(g.events))
	for i, e := range g.events {
		logs[i] = h.Log.With("user", string(g.user), "method", e.method, "uid", e.id.UID)
		if e.id.RecurrenceID != "" {
			logs[i] = logs[i].With("recurrence", e.id.RecurrenceID)
		}
	}
	if g.user == "" {
		g.warn(logs, nil)
		logs[0].Warn("no user: neither a sender nor a participant tells whose message this is")
		return len(g.events), nil
	}
	settings, err := h.Preferences.Load(g.user)
	if err != nil {
		return 0, err
	}
	if !settings.Participates() {
		g.warn(logs, settings.Warnings)
		for _, log := range logs {
			log.Info("handled", "changes", "none, the user does not participate")
		}
		return len(g.events), nil
	}

	name, err := h.Store.Named(ctx, g.user)
	if err != nil {
		return 0, err
	}
	if name != g.user {
		for i := range logs {
			logs[i] = logs[i].With("records", string(name))
		}
	}
	changes := make([][]string, len(g.events))
	err = h.Store.Update(ctx, name, func(tx stores.Tx) error {
		entered := h.Now()
		done = 0
		shared := &section{}
		for i, e := range g.events {
			if i > 0 && h.Now().Sub(entered) > sectionTime {
				break
			}
			r := &request{
				handler: h, tx: tx, section: shared, log: logs[i], now: h.Now().UTC(),
				user: name, preferences: settings, senders: m.senders,
				method: e.method, object: e.object.Clone(), id: e.id,
			}
			err := methods[e.method](r)
			if changes[i] = r.changes; err != nil {
				return err
			}
			done++
		}
		return shared.publish(name, tx, h.Now().UTC())
	})
	if err != nil {
		if len(g.events) == 1 {
			g.warn(logs, settings.Warnings)
		}
		return 0, err
	}
	g.events, logs = g.events[:done], logs[:done]
	g.warn(logs, settings.Warnings)
	took := h.Now().Sub(began).Milliseconds()
	for i, log := range logs {
		if len(changes[i]) == 0 {
			changes[i] = []string{"none"}
		}
		if done > 1 {
			log = log.With("together", done) // which is what took so long
		}
		log.Info("handled", "changes", strings.Join(changes[i], ", "), "ms", took)
	}
	return done, nil
}

// did notes for the log what was done.
func (r *request) did(format string, args ...any) {
	r.changes = append(r.changes, fmt.Sprintf(format, args...))
}
