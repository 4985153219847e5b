package check

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
)

// read reads a text, and looks whether it is what its key says. It returns nil if there
// is none, or none that can be used; unusable tells the two apart.
func (e *eventLook) read(key stores.Key) (t *text, unusable bool) {
	path := e.path(key)
	if e.blocked[path] {
		return nil, true
	}
	content, err := e.tx.Get(key)
	if errors.Is(err, stores.ErrNotFound) {
		return nil, false
	} else if err != nil {
		e.fail(err)
		return nil, true
	}
	e.events++
	if len(content) > 0 && len(bytes.Trim(content, "\x00")) == 0 {
		e.addText(eventUnreadable, key, "the file has only NULs, perhaps after a power cut")
		return nil, true
	}
	s := look(content, string(e.user))
	if s.brief != nil {
		if t, ok := readSimple(s.brief, e.user); ok && key.RecurrenceID == "" && t.uid == key.UID {
			return t, false
		}
		content = s.brief
	}
	object, err := calendar.DecodeObject(content)
	if err == nil && s.cut != "" && (object.UID() != key.UID || !object.HasStart()) {
		err = fmt.Errorf("it is cut: %s is not ended", s.cut) // and has what comes after it
	}
	switch {
	case s.events > 1:
		e.addText(eventSeveral, key, "the file has more than one event")
		return nil, true
	case err != nil && audit.Leftover(filepath.Base(path)):
		e.addText(eventLeftover, key, "programs take %q for an event: it looks like a copy that somebody has left", filepath.Base(path))
		return nil, true
	case err != nil:
		e.addText(eventUnreadable, key, "the event cannot be read: %v", err)
		return nil, true
	}
	if e.misnamed(key, object, path) {
		return nil, true
	}
	if s.foreign != "" {
		e.addAbout(eventForeign, key, "the original's programs cannot read the event: %s", s.foreign).mendBy(rewriteText{key, object.Encode()})
	}
	return &text{content: content, decoded: object}, false
}

// misnamed reports whether an object is another than its key says.
func (e *eventLook) misnamed(key stores.Key, object *calendar.Object, path string) bool {
	recurrenceID, err := object.RecurrenceID()
	is := stores.ID{UID: object.UID(), RecurrenceID: recurrenceID}
	switch {
	case err != nil:
		e.addText(eventUnreadable, key, "the event cannot be read: %v", err)
	case is == key.ID:
		return false
	case audit.Leftover(filepath.Base(path)):
		e.addText(eventLeftover, key, "programs take %q for an event: it looks like a copy that somebody has left", filepath.Base(path))
	case key.Part == stores.Countered && key.RecurrenceID != "" && is.UID == key.UID && recurrenceID == "":
		return false // a proposal may be kept as it came
	case is.UID != key.UID:
		e.addAbout(eventWrongName, key, "the file's name says %q, and its event says %q", key.UID, is.UID).mendBy(renameText{key, is})
	default:
		e.addAbout(eventWrongName, key, "the file's name says %s, and its event says %s", occurrenceName(key.RecurrenceID), occurrenceName(recurrenceID)).
			mendBy(renameText{key, is})
	}
	if key.Part != stores.Countered {
		e.claimed[is] = true
	}
	return true
}

func occurrenceName(recurrenceID string) string {
	if recurrenceID == "" {
		return "the whole event"
	}
	return "the occurrence " + recurrenceID
}
