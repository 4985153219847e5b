package calendars

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// missing tells of the events of a message that was handled which ones the store has not,
// and why. What is answered it does not look for: that changes free/busy only.
func (m *Import) missing(ctx context.Context, message outgoing, tell func(e *vevent, reason string)) error {
	if message.method == "REPLY" {
		return nil
	}
	return m.Store.View(ctx, m.User, func(tx stores.Tx) error {
		for _, e := range message.events {
			active, err := lookUp(tx, stores.Active, e.id)
			if err != nil {
				return err
			}
			cancelled, err := lookUp(tx, stores.Cancelled, e.id)
			if err != nil {
				return err
			}
			var has bool
			switch {
			case message.method == "PUBLISH":
				has = bytes.Equal(active, e.object.Encode())
			case active == nil || message.everybody:
				has = active == nil && cancelled != nil
			default: // some of the attendees are called off
				object, err := calendar.DecodeObject(active)
				has = err == nil && sameRevision(object, e.object)
			}
			if !has {
				tell(e, e.whyNot(active))
			}
		}
		return nil
	})
}

// lookUp returns a text, nil if there is none.
func lookUp(tx stores.Tx, part stores.Part, id stores.ID) ([]byte, error) {
	text, err := tx.Get(stores.Key{Part: part, ID: id})
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	}
	return text, err
}

// whyNot says why an event is not as it was to be, where there is that text of it.
func (e *vevent) whyNot(active []byte) string {
	what := "it"
	if e.id.RecurrenceID != "" {
		what = "the occurrence " + e.id.RecurrenceID
	}
	object, err := calendar.DecodeObject(active)
	switch {
	case active == nil:
		return what + " is not in the store afterwards"
	case err == nil && e.object.OlderThan(object, true):
		return fmt.Sprintf("%s is older than what is stored: %s, stored is %s", what, revision(e.object), revision(object))
	}
	return "the store has something else of " + what + " afterwards"
}

// revision says which one of an event's revisions an object is.
func revision(object *calendar.Object) string {
	sequence, _ := object.Sequence()
	text := fmt.Sprintf("SEQUENCE %d", sequence)
	if stamp, ok := object.Stamp(); ok {
		text += " of " + stamp
	}
	return text
}

// sameRevision reports whether two objects are of the same revision.
func sameRevision(a, b *calendar.Object) bool { return !a.OlderThan(b, true) && !b.OlderThan(a, true) }

// known reports whether there is anything of the event that a message calls off: among what
// was published before it, or in the store.
func (m *Import) known(ctx context.Context, e *vevent, w *wholeEvent) (bool, error) {
	if m.Store == nil {
		return len(w.events) > 0, nil
	}
	known := false
	err := m.Store.View(ctx, m.User, func(tx stores.Tx) error {
		known = false
		for _, k := range []stores.Key{
			{Part: stores.Active, ID: e.id}, {Part: stores.Cancelled, ID: e.id}, {Part: stores.Active, ID: stores.ID{UID: e.id.UID}},
		} {
			text, err := lookUp(tx, k.Part, k.ID)
			if err != nil {
				return err
			}
			known = known || text != nil
		}
		return nil
	})
	var cannot *stores.UnstorableError
	if errors.As(err, &cannot) { // whoever handles the message says so
		return false, nil
	}
	return known, err
}
