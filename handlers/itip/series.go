package itip

import (
	"bytes"
	"errors"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// ReadSeries reads an event and what is stored apart of its occurrences. Only of those that stand
// for all later ones the object is in it: of the others, their recurrence ids say all. What
// cannot be read is left to those who read it for itself.
func ReadSeries(tx stores.Tx, uid string) (*calendar.Series, error) {
	event, err := readObject(tx, stores.Key{Part: stores.Active, ID: stores.ID{UID: uid}})
	if err != nil {
		return nil, err
	}
	s := &calendar.Series{Event: event}
	for _, part := range []stores.Part{stores.Active, stores.Cancelled} {
		ids, err := tx.Recurrences(part, uid)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			apart := calendar.Apart{ID: id, Cancelled: part == stores.Cancelled}
			object, err := readObject(tx, stores.Key{Part: part, ID: stores.ID{UID: uid, RecurrenceID: id}}, "RANGE", "THISANDFUTURE")
			if err != nil {
				return nil, err
			}
			if object != nil && object.Future() {
				apart.Object = object
			}
			s.Apart = append(s.Apart, apart)
		}
	}
	return s, nil
}

// readObject returns a stored object, or nil if there is none, if it has none of the words where
// some are given, or if it cannot be read.
func readObject(tx stores.Tx, key stores.Key, words ...string) (*calendar.Object, error) {
	text, err := tx.Get(key)
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	wanted := len(words) == 0
	for _, word := range words {
		wanted = wanted || bytes.Contains(text, []byte(word))
	}
	if !wanted {
		return nil, nil
	}
	object, err := calendar.DecodeObject(text)
	if err != nil {
		return nil, nil
	}
	return object, nil
}
