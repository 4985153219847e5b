// Package resource handles messages that arrive for resources: rooms and things, which are users whom nobody sits
// behind (iMIP, RFC 6047). It decides on each invitation by the functions in the resource's preferences, records
// what it has decided, and answers the organizer, exactly once.
//
// Each resource is handled apart, and what is owed then is handed over as package arrival says. The
// decision is made inside the critical section for the resource's records: whoever asks for the same time comes
// after it. Where functions need quotas, the locks of these are taken inside it, before the first function is asked, and
// given back when all is recorded. What a decision does, package itip says ([itip.Decided]); how it is come to, the
// functions here, by name ([ReadFunctions]).
//
// Nothing gets to a mailbox, as a resource has none. What was not handled is delivered as it came, where there is
// a server for that, and else dropped. Every error that [Handler.Handle] returns is temporary.
package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/itip"
	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Handler handles messages that arrive for resources. Its Default stays nil: a resource whose preferences cannot be
// read is not open to all, but has its messages wait.
type Handler struct {
	arrival.Handler

	// Journal returns the journal of quotas. It is asked for where a function needs it. Nil: there is none.
	Journal func() (stores.Journal, error)
}

// Handle reads a message from r, to its end, and handles it for each resource that it is for. It returns nil if
// nothing is left to be done. Otherwise the message is to be handed in again; what one resource fails with does not
// keep it from the others.
func (h *Handler) Handle(ctx context.Context, r io.Reader) error {
	return h.Each(ctx, r, itip.Decided, h.commit)
}

// HandleKept handles a message that is kept, for recipients by their addresses, as Handle does. It says of each what
// became of it, as [arrival.Handler.EachOf] does.
func (h *Handler) HandleKept(ctx context.Context, kept arrival.Kept, to []string, done func(i int, err error)) {
	h.EachOf(ctx, kept, itip.Decided, to, h.commit, done)
}

const nothing = "nothing in it is for the resource"

// commit decides on what the message asks of a resource, makes the changes to its records, and leaves the letter
// in its outbox.
func (h *Handler) commit(ctx context.Context, m *arrival.Message, to arrival.Recipient) error {
	log := h.Log.With("user", string(to.User))
	if m.Empty() || !to.Preferences.Participates() {
		if h.Mailbox != nil {
			return arrival.ErrPass
		}
		log.Info("dropped", "reason", nothing)
		return nil
	}
	functions, err := ReadFunctions(to.Preferences.SchedulingFunction)
	if err != nil {
		// DEVIATION: unknown-functions. The original passes over them, and so accepts everything.
		return fmt.Errorf("scheduling_function of %s: %w", to.User.Address(), err)
	}
	to.Preferences.Warnings = append(slices.Clone(to.Preferences.Warnings), functions.Warnings...)
	now := h.Now()
	journal, err := h.journal(functions)
	if err != nil {
		return err
	}
	within := func(tx stores.Tx, change func(itip.Rules) error) error {
		r := &rules{functions: functions, user: tx.User(), log: log}
		return quota.Update(ctx, tx, journal, r.quotaNames(), func(quotas map[calendar.URI]*quota.Quota) error {
			r.quotas = quotas
			return change(r)
		})
	}
	return h.Together(ctx, m, to, within, func(tx stores.Tx, results []handlers.Result) ([]deliver.Mail, error) {
		mails, err := h.Answers(m, tx, to, now, results)
		if err != nil {
			return nil, err
		}
		if reason := unhandled(m, results); reason != "" {
			if h.Mailbox == nil {
				log.Info("dropped", "reason", reason)
				return mails, nil
			}
			mails = append(mails, h.MailboxMail(m, to.User, arrival.AsItCame, ""))
		}
		return mails, nil
	})
}

// journal returns the journal, nil if no function needs it.
func (h *Handler) journal(functions Functions) (stores.Journal, error) {
	switch {
	case !functions.haveQuota():
		return nil, nil
	case h.Journal == nil:
		return nil, errors.New("there is no journal of quotas")
	}
	return h.Journal()
}

// unhandled says why a message is not handled, or not all of it; empty: all of it is.
func unhandled(m *arrival.Message, results []handlers.Result) string {
	switch {
	case len(m.Problems) > 0:
		return m.Problems[0].Reason
	case len(results) == 0:
		return "there is nothing in it that is handled"
	}
	for _, r := range results {
		switch {
		case r.Err != nil:
			return r.Err.Error()
		case r.Refused != itip.Applied:
			return r.Refused.String()
		}
	}
	return ""
}
