package calendars

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"imip-agent/handlers"
	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tools/migrate"
)

// publish takes in the events that are published, of which some are called off then.
func (m *Import) publish(ctx context.Context, wholes []*wholeEvent) error {
	var events []*vevent
	for _, w := range wholes {
		events = append(events, w.events...)
	}
	return m.apply(ctx, wholes, m.messages(events))
}

// callOff takes in what messages say that only call off.
func (m *Import) callOff(ctx context.Context, wholes []*wholeEvent) error {
	if !slices.ContainsFunc(wholes, func(w *wholeEvent) bool { return len(w.calledOff) > 0 }) {
		return nil
	}
	var messages []message
	err := m.Pipeline.Store.View(ctx, m.User, func(tx stores.Tx) error {
		messages = nil
		for _, w := range wholes {
			for _, e := range w.calledOff {
				known, err := isKnown(tx, e)
				switch {
				case err != nil:
					return err
				case known:
					messages = append(messages, message{"CANCEL", []*vevent{e}, false})
				case !e.object.HasStart():
					w.refuse(migrate.Unstorable, "it cancels an unknown event")
				default: // what is known of it is in the message
					messages = append(messages, message{"PUBLISH", []*vevent{e}, false}, message{"CANCEL", []*vevent{e}, true})
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.apply(ctx, wholes, messages)
}

// refuse notes what was not taken, once.
func (w *wholeEvent) refuse(kind migrate.Kind, text string) {
	issue := migrate.Issue{Kind: kind, Text: text}
	if !slices.Contains(w.refused, issue) {
		w.refused = append(w.refused, issue)
	}
}

// change is a change of the user's records, and where it comes from.
type change struct {
	handlers.Change
	of        *vevent
	in        *wholeEvent
	everybody bool
	result    handlers.Result
}

// apply makes the changes of messages in their order, and notes what was not taken. An error
// says that there is no point in going on.
func (m *Import) apply(ctx context.Context, wholes []*wholeEvent, messages []message) error {
	in := make(map[*vevent]*wholeEvent)
	for _, w := range wholes {
		for _, e := range slices.Concat(w.events, w.calledOff) {
			in[e] = w
		}
	}
	var changes []change
	for _, message := range messages {
		for _, e := range message.events {
			object := e.object.Clone() // which is brought into the form of a change
			if message.everybody {
				object.Remove("ATTENDEE")
			}
			c := change{of: e, in: in[e], everybody: message.everybody}
			found, warnings, err := itip.NewChange(message.method, object)
			if err != nil {
				c.in.refuse(migrate.Unstorable, reasonOf(found, err))
				continue
			}
			found.Senders = []calendar.URI{m.User}
			c.Change = handlers.Change{Change: found, User: m.User, Side: itip.Imported, Warnings: warnings}
			changes = append(changes, c)
		}
	}
	if err := m.make(ctx, changes); err != nil {
		return err
	}
	return m.explain(ctx, changes)
}

// make makes changes.
func (m *Import) make(ctx context.Context, changes []change) error {
	list := make([]handlers.Change, len(changes))
	for i := range changes {
		list[i] = changes[i].Change
	}
	results, err := m.Pipeline.Apply(ctx, list)
	if errors.Is(err, stores.ErrAway) || errors.Is(err, stores.ErrLocked) || ctx.Err() != nil && err != nil {
		return err
	}
	for i := range changes {
		changes[i].result = results[i]
	}
	return nil
}

// reasonOf returns why a change of an event can never be made.
func reasonOf(c itip.Change, err error) string {
	return fmt.Sprintf("event %q: %v", c.ID.UID, err)
}

// explain notes what was not taken by changes, and why.
func (m *Import) explain(ctx context.Context, changes []change) error {
	var refused []change
	for _, c := range changes {
		for _, damaged := range c.result.Damaged {
			c.in.refuse(migrate.Unstorable, fmt.Sprintf("a stored object cannot be read: %v", damaged.Err))
		}
		switch {
		case c.result.Unstorable():
			c.in.refuse(migrate.Unstorable, reasonOf(c.Change.Change, c.result.Err))
		case c.result.Err != nil:
			c.in.refuse(migrate.Failed, c.result.Err.Error())
		case c.result.Refused == itip.NotParticipating:
			c.in.refuse(migrate.Unstorable, "the user does not take part: their preference participating is no")
		case c.result.Refused != itip.Applied && c.Method != "REPLY": // an answer changes free/busy only
			refused = append(refused, c)
		}
	}
	if len(refused) == 0 {
		return nil
	}
	told := make(map[*vevent]bool)
	return m.Pipeline.Store.View(ctx, m.User, func(tx stores.Tx) error {
		for _, c := range refused {
			reason, err := c.missing(tx)
			if err != nil {
				return err
			}
			if reason != "" && !told[c.of] {
				c.in.refuse(migrate.Unstorable, reason)
				told[c.of] = true
			}
		}
		return nil
	})
}
