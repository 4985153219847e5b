package file

import (
	"iter"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Keys yields a key for every regular file in the directories of texts, whatever its
// name, as the original takes each of them for an event. Where a UID was too long for
// a file name it is read from the text; if that fails, the file's name stands for it.
func (t *tx) Keys() iter.Seq2[stores.Key, error] {
	return func(yield func(stores.Key, error) bool) {
		_ = t.parents(yield, stores.Active) && t.parents(yield, stores.Cancelled) &&
			t.recurrences(yield, stores.Active) && t.recurrences(yield, stores.Cancelled) &&
			t.counteredParents(yield) && t.counteredRecurrences(yield)
	}
}

// yieldKey is what Keys passes keys to; the methods below report whether it wants more.
type yieldKey = func(stores.Key, error) bool

func (t *tx) parents(yield yieldKey, part stores.Part) bool {
	dir := objectDirs[part]
	names, err := t.names(dir)
	if err != nil {
		return yield(stores.Key{}, err)
	}
	for _, name := range names {
		uid := t.uidOf(name, place{dir, name})
		if !yield(stores.Key{Part: part, ID: stores.ID{UID: uid}}, nil) {
			return false
		}
	}
	return true
}

func (t *tx) recurrences(yield yieldKey, part stores.Part) bool {
	return t.each(yield, recurrenceDirs[part], func(name, dir string) bool {
		ids, err := t.names(dir)
		if err != nil {
			return yield(stores.Key{}, err)
		}
		for _, id := range ids {
			uid := t.uidOf(name, place{dir, id})
			if !yield(stores.Key{Part: part, ID: stores.ID{UID: uid, RecurrenceID: id}}, nil) {
				return false
			}
		}
		return true
	})
}

func (t *tx) counteredParents(yield yieldKey) bool {
	return t.each(yield, objectDirs[stores.Countered], func(name, dir string) bool {
		return t.others(yield, name, "", dir)
	})
}

func (t *tx) counteredRecurrences(yield yieldKey) bool {
	return t.each(yield, recurrenceDirs[stores.Countered], func(name, dir string) bool {
		return t.each(yield, dir, func(id, dir string) bool {
			return t.others(yield, name, id, dir)
		})
	})
}

// others yields the counter-proposals in a directory.
func (t *tx) others(yield yieldKey, name, recurrenceID, dir string) bool {
	others, err := t.names(dir)
	if err != nil {
		return yield(stores.Key{}, err)
	}
	for _, other := range others {
		key := stores.Key{
			Part:  stores.Countered,
			ID:    stores.ID{UID: t.uidOf(name, place{dir, other}), RecurrenceID: recurrenceID},
			Other: calendar.URI(other),
		}
		if !yield(key, nil) {
			return false
		}
	}
	return true
}

// each calls fn with the name and the path of every directory in a directory.
func (t *tx) each(yield yieldKey, dir string, fn func(name, dir string) bool) bool {
	names, err := t.subdirs(dir)
	if err != nil {
		return yield(stores.Key{}, err)
	}
	for _, name := range names {
		if !fn(name, dir+"/"+name) {
			return false
		}
	}
	return true
}

// uidOf returns the UID that a file name stands for; for a digest, the one in the text
// at p, if that is what the digest is of.
func (t *tx) uidOf(name string, p place) string {
	uid, ok := nameUID(name)
	if ok {
		return uid
	}
	if change := t.puts[p.dir][p.name]; change != nil {
		uid = textUID(change.content)
	} else if content, err := t.stored(p); err == nil {
		uid = textUID(content)
	}
	if uidName(uid) == name {
		return uid
	}
	return name
}

// textUID returns the UID in a stored text; empty if it cannot be read.
func textUID(content []byte) string {
	object, err := calendar.DecodeObject(content)
	if err != nil {
		return ""
	}
	return object.UID()
}
