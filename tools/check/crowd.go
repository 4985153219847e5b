package check

import "imip-agent/stores"

// crowd is how many findings of one kind in one file are told one by one. What there is more
// of is in the last of them, with which it is mended: a table can have a million records of
// events that are not stored.
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
func (e *examination) addMany(k *Kind, path string, id stores.ID, format string, args ...any) *Finding {
	if e.throngs == nil {
		e.throngs = make(map[throngKey]*throng)
	}
	key := throngKey{k, path}
	t := e.throngs[key]
	if t == nil {
		t = new(throng)
		e.throngs[key] = t
	}
	if t.number == crowd {
		t.more++
		t.last.Text = t.text + ", and " + plural(t.more, "more event")
		return t.last
	}
	f := e.add(k, path, id, format, args...)
	t.number, t.last, t.text = t.number+1, f, f.Text
	return f
}
