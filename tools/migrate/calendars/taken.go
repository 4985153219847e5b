package calendars

import (
	"bytes"
	"errors"
	"fmt"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// missing returns why the store has not what a change was to make of it, "" if it has.
func (c *change) missing(tx stores.Tx) (reason string, err error) {
	active, err := lookUp(tx, stores.Active, c.ID)
	if err != nil {
		return "", err
	}
	cancelled, err := lookUp(tx, stores.Cancelled, c.ID)
	if err != nil {
		return "", err
	}
	var has bool
	switch {
	case c.Method == "PUBLISH":
		has = bytes.Equal(active, c.Object.Encode())
	case active == nil || c.everybody:
		has = active == nil && cancelled != nil
	default: // some of the attendees are called off
		object, err := calendar.DecodeObject(active)
		has = err == nil && object.Compare(c.Object, true) == 0
	}
	if has {
		return "", nil
	}
	return c.of.whyNot(active), nil
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
		return what + " is missing in the store afterwards"
	case err == nil && e.object.OlderThan(object, true):
		return fmt.Sprintf("%s is older than the stored one: %s, stored is %s", what, revision(e.object), revision(object))
	}
	return "the store has a different version of " + what + " afterwards"
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

// isKnown reports whether the store has anything of the event that a message calls off.
func isKnown(tx stores.Tx, e *vevent) (bool, error) {
	for _, k := range []stores.Key{
		{Part: stores.Active, ID: e.id}, {Part: stores.Cancelled, ID: e.id}, {Part: stores.Active, ID: stores.ID{UID: e.id.UID}},
	} {
		text, err := lookUp(tx, k.Part, k.ID)
		var cannot *stores.UnstorableError
		switch {
		case errors.As(err, &cannot): // whoever makes the change says so
			return false, nil
		case err != nil || text != nil:
			return err == nil, err
		}
	}
	return false, nil
}
