package check

import (
	"fmt"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// found is what was found of a user, in order.
type found struct {
	user     calendar.URI
	findings []*Finding
	throngs  map[throngKey]*throng
	told     map[stores.ID]bool // events of which there are findings, notes apart
	ownWrong bool               // something is wrong with the user's own free/busy
}

// finder finds what is wrong by the facts.
type finder struct {
	*facts
	*found
	*reading
}

// reading is how far the reading of texts has come.
type reading struct {
	events   int
	failures []error
}

func (f finder) fail(err error) {
	if f.ctx != nil && f.ctx.Err() != nil {
		return // all that is still looked at fails for that reason, which is said once
	}
	f.failures = append(f.failures, err)
}

func (f *found) add(k *Kind, path string, id stores.ID, format string, args ...any) *Finding {
	finding := &Finding{Kind: k, State: Found, User: f.user, Path: path, ID: id, Text: fmt.Sprintf(format, args...)}
	f.findings = append(f.findings, finding)
	if k.Severity > Note {
		if f.told == nil {
			f.told = make(map[stores.ID]bool)
		}
		f.told[id] = true
	}
	return finding
}

// addText adds a finding about a text, which is moved aside to mend it.
func (f finder) addText(k *Kind, key stores.Key, format string, args ...any) *Finding {
	return f.addAbout(k, key, format, args...).mendBy(removeText{key})
}

// addAbout adds a finding about a text.
func (f finder) addAbout(k *Kind, key stores.Key, format string, args ...any) *Finding {
	return f.add(k, f.path(key), key.ID, format, args...)
}

// addFreeBusy adds a finding about the user's own free/busy.
func (f finder) addFreeBusy(k *Kind, id stores.ID, format string, args ...any) *Finding {
	f.ownWrong = f.ownWrong || k.Severity > Note
	return f.add(k, f.tablePath(ownTable), id, format, args...)
}

// addManyFreeBusy adds one of many of its kind.
func (f finder) addManyFreeBusy(k *Kind, id stores.ID, format string, args ...any) *Finding {
	f.ownWrong = f.ownWrong || k.Severity > Note
	return f.addMany(k, f.tablePath(ownTable), id, format, args...)
}

// crowd is how many findings of one kind in one file are told one by one. What there is more
// of is in the last of them, which is mended by the repairs of all: a table can have a million
// records of events that are not stored.
const crowd = 1000

// throng is the findings of one kind in one file.
type throng struct {
	number int
	last   *Finding
	text   string // of the last, without what is added
	more   int    // events that the last is about, too
}

type throngKey struct {
	kind *Kind
	path string
}

// addMany adds a finding about an event, as one of many of its kind in the same file. It can be
// about others as well.
func (f *found) addMany(k *Kind, path string, id stores.ID, format string, args ...any) *Finding {
	if f.throngs == nil {
		f.throngs = make(map[throngKey]*throng)
	}
	key := throngKey{k, path}
	t := f.throngs[key]
	if t == nil {
		t = new(throng)
		f.throngs[key] = t
	}
	if t.number == crowd {
		t.more++
		t.last.Text = t.text + ", and " + plural(t.more, "more event")
		return t.last
	}
	finding := f.add(k, path, id, format, args...)
	t.number, t.last, t.text = t.number+1, finding, finding.Text
	return finding
}
