package copy

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"imip-agent/stores"
	"imip-agent/tools/migrate"
)

// pending is what was about to become of items of a user, by the digests of their keys, when
// something was written of which it is not noted that it has been. Of a program that was
// killed then, nobody knows whether it has; but where the target has just that, it is from the
// source, and nobody has changed it.
type pending map[digest][]digest

// removal stands for the digest of an item that was about to be removed.
var removal digest

// pendingMagic is how a note of what is pending begins. Pairs of digests follow.
const pendingMagic = "imip-agent pending 1\n"

// pendingName is how that note is called.
func (t task) pendingName() string { return "pending-" + t.name() }

// decodePending reads a note; one that cannot be read says nothing.
func decodePending(data []byte) pending {
	rest, ok := bytes.CutPrefix(data, []byte(pendingMagic))
	size := len(removal)
	if !ok || len(rest)%(2*size) != 0 {
		return nil
	}
	p := make(pending)
	for pair := range slices.Chunk(rest, 2*size) {
		k := digest(pair[:size])
		p[k] = append(p[k], digest(pair[size:]))
	}
	return p
}

func (p pending) encode() []byte {
	data := []byte(pendingMagic)
	for k, list := range p {
		for _, d := range list {
			data = append(append(data, k[:]...), d[:]...)
		}
	}
	return data
}

// with returns also what is about to be written and removed.
func (p pending) with(written map[key]digest, removed []key) pending {
	all := make(pending, len(p)+len(written)+len(removed))
	maps.Copy(all, p)
	add := func(k, d digest) {
		if list := all[k]; !slices.Contains(list, d) {
			all[k] = append(list[:len(list):len(list)], d)
		}
	}
	for k, d := range written {
		add(k.of(), d)
	}
	for _, k := range removed {
		add(k.of(), removal)
	}
	return all
}

// memory is what is noted of a user from the copies before.
type memory struct {
	copied  *copied
	pending pending
}

// settled returns what is known of a user if the target has these items now.
func (m memory) settled(target map[key]digest) *copied {
	if len(m.pending) == 0 {
		return m.copied
	}
	c := &copied{items: make(map[digest]digest)}
	if m.copied != nil {
		c.items, c.old = maps.Clone(m.copied.items), m.copied.old
	}
	there := make(map[digest]bool, len(target))
	for k, have := range target {
		there[k.of()] = true
		if slices.Contains(m.pending[k.of()], have) {
			c.items[k.of()] = have
		}
	}
	for k, list := range m.pending {
		if !there[k] && slices.Contains(list, removal) {
			delete(c.items, k)
		}
	}
	if m.copied == nil && len(c.items) == 0 {
		return nil
	}
	return c
}

// noter is what a transaction also is that can note something along with its changes.
type noter interface {
	// Note replaces a note. It is there if the transaction is committed.
	Note(source, name string, note []byte) error
}

// pend notes what is about to become of a user. The target is the transaction that does it;
// nil: there is none.
func (c *copier) pend(ctx context.Context, t task, target stores.Records, p pending) error {
	if c.to.Notes == nil || len(p) == 0 {
		return nil
	}
	// The notes are where the store is, which need not be where the journal is.
	if n, ok := target.(noter); ok && t.part == migrate.StorePart {
		return n.Note(c.from.Name, t.pendingName(), p.encode())
	}
	return c.to.Notes.Save(ctx, c.from.Name, map[string][]byte{t.pendingName(): p.encode()})
}
