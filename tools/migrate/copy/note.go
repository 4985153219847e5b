package copy

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"
)

// note is what is noted of a user at the target: by which run they were last copied, and
// of each item the digest of when it was last the same on both sides.
type note struct {
	run    time.Time
	copied *copied
}

// copied is what is known of a user from the copies before; nil: nothing is.
type copied struct {
	items map[digest]digest // by the digest of the key
	old   map[digest]bool   // from a note of the first form, which had no keys
}

// keyed is one item of a note.
type keyed struct{ key, item digest }

// A note begins with one of these. The first form had digests without keys, and only of
// what was the same on both sides after that very run.
const (
	noteMagic    = "imip-agent copied 2\n"
	oldNoteMagic = "imip-agent copied 1\n"
)

func (n note) encode() []byte {
	data := binary.BigEndian.AppendUint64([]byte(noteMagic), uint64(n.run.UnixNano()))
	var items []keyed
	if n.copied != nil {
		for k, d := range n.copied.items {
			items = append(items, keyed{k, d})
		}
	}
	slices.SortFunc(items, func(a, b keyed) int { return bytes.Compare(a.key[:], b.key[:]) })
	for _, i := range items {
		data = append(append(data, i.key[:]...), i.item[:]...)
	}
	return data
}

// decodeNote reads a note; ok is false for what is none.
func decodeNote(data []byte) (n note, ok bool) {
	rest, ok := bytes.CutPrefix(data, []byte(noteMagic))
	size := len(keyed{}.key) + len(keyed{}.item)
	if !ok {
		rest, ok = bytes.CutPrefix(data, []byte(oldNoteMagic))
		size = len(digest{})
	}
	if !ok || len(rest) < 8 || (len(rest)-8)%size != 0 {
		return note{}, false
	}
	n.run = time.Unix(0, int64(binary.BigEndian.Uint64(rest))).UTC()
	n.copied = &copied{items: make(map[digest]digest), old: make(map[digest]bool)}
	for chunk := range slices.Chunk(rest[8:], size) {
		if size == len(digest{}) {
			n.copied.old[digest(chunk)] = true
		} else {
			n.copied.items[digest(chunk[:size/2])] = digest(chunk[size/2:])
		}
	}
	return n, true
}

// last returns the digest that an item had when it was last the same on both sides. Of a
// note without keys it has to be one of those that the item has now.
func (c *copied) last(k key, now ...digest) (d digest, known bool) {
	if c == nil {
		return digest{}, false
	}
	if d, known = c.items[k.of()]; known {
		return d, true
	}
	for _, d := range now {
		if c.old[d] {
			return d, true
		}
	}
	return digest{}, false
}

// next returns what is known of a user whose sides have these items after a copy. What
// differs keeps the digest of when it was the same, however often it is copied: only so
// can it be told who has changed it. What neither side has is forgotten.
func (c *copied) next(source, target map[key]digest) *copied {
	n := &copied{items: make(map[digest]digest, len(source))}
	for k, want := range source {
		have, there := target[k]
		if there && have == want {
			n.items[k.of()] = want
			continue
		}
		now := []digest{want}
		if there {
			now = append(now, have)
		}
		if last, known := c.last(k, now...); known {
			n.items[k.of()] = last
		}
	}
	for k, have := range target {
		if _, there := source[k]; there {
			continue
		}
		if last, known := c.last(k, have); known {
			n.items[k.of()] = last
		}
	}
	return n
}
