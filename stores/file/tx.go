package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// cacheLimit is how many octets of texts that were only read a transaction keeps, for
// handlers, which ask for the same few again; tools read all of a user's once.
const cacheLimit = 1 << 20

// tx is a transaction on one user's records. Changes are kept here until the commit.
type tx struct {
	ctx   context.Context
	store *Store
	user  calendar.URI
	dir   *directory // nil: the user has none yet

	puts   map[string]map[string]*text // by directory and name: what was put or deleted
	cache  map[place][]byte            // what was read; nil for what is not there
	cached int                         // octets in cache

	freebusy  map[place]*freeBusy
	requests  *requestTable
	providers *providerTable
	lists     map[string][]byte // a quota's lists that are to be written, by name
	calendar  []byte            // to be published; nil: nothing
	letters   []stores.Letter   // to go into the outbox
	resumed   []string          // letters that are there, of a commit that was not done
}

// text is a change to a file: its new content, or none if it is deleted.
type text struct {
	content []byte
	deleted bool
}

func newTx(ctx context.Context, s *Store, user calendar.URI, d *directory) *tx {
	return &tx{
		ctx: ctx, store: s, user: user, dir: d,
		puts:     make(map[string]map[string]*text),
		cache:    make(map[place][]byte),
		freebusy: make(map[place]*freeBusy),
	}
}

func (t *tx) User() calendar.URI { return t.user }

func (t *tx) Get(key stores.Key) ([]byte, error) {
	p, ok := t.locate(key)
	if !ok {
		return nil, notFound(key)
	}
	if change := t.puts[p.dir][p.name]; change != nil {
		if change.deleted {
			return nil, notFound(key)
		}
		return change.content, nil
	}
	content, err := t.stored(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound(key)
	}
	return content, err
}

func notFound(key stores.Key) error {
	return fmt.Errorf("%w: event %q %s", stores.ErrNotFound, key.UID, key.RecurrenceID)
}

// ended returns why the transaction's work is to end, or nil. What reads asks for it, so that no
// work on many texts goes on after it should have ended.
func (t *tx) ended() error {
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	return nil
}

// stored returns what is in a file, whatever the transaction has done.
func (t *tx) stored(p place) ([]byte, error) {
	if err := t.ended(); err != nil {
		return nil, err
	}
	if content, ok := t.cache[p]; ok {
		if content == nil {
			return nil, fs.ErrNotExist
		}
		return content, nil
	}
	content, err := t.dir.read(p.String())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.cache[p] = nil
	case err == nil && t.cached+len(content) <= cacheLimit:
		t.cache[p] = content
		t.cached += len(content)
	}
	return content, err
}

// Check implements [stores.Checker].
func (t *tx) Check(text stores.Text) error { return checkKey(text.Key) }

func (t *tx) Put(key stores.Key, content []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	p, ok := t.locate(key)
	if !ok {
		return fmt.Errorf("storing event %q: there is no part %d", key.UID, key.Part)
	}
	t.change(p, &text{content: bytes.Clone(content)})
	return nil
}

func (t *tx) Delete(key stores.Key) error {
	if p, ok := t.locate(key); ok {
		t.change(p, &text{deleted: true})
	}
	return nil
}

func (t *tx) change(p place, change *text) {
	if t.puts[p.dir] == nil {
		t.puts[p.dir] = make(map[string]*text)
	}
	t.puts[p.dir][p.name] = change
}

// locate returns where the text of key stands.
func (t *tx) locate(key stores.Key) (place, bool) {
	return textPlace(key, t.nameOf(key.Part, key.ID))
}

// nameOf returns the file name for an event's UID.
func (t *tx) nameOf(part stores.Part, id stores.ID) string {
	return storedName(part, id, t.dir.exists)
}

func (t *tx) Recurrences(part stores.Part, uid string) ([]string, error) {
	if part == stores.Countered {
		return nil, errors.New("counter-proposals are not listed by recurrence")
	}
	return t.names(recurrenceDirs[part] + "/" + t.nameOf(part, stores.ID{UID: uid, RecurrenceID: "any"}))
}

func (t *tx) Counters(id stores.ID) ([]calendar.URI, error) {
	p, ok := t.locate(stores.Key{Part: stores.Countered, ID: id, Other: "anybody"})
	if !ok {
		return nil, nil
	}
	names, err := t.names(p.dir)
	return uris(names), err
}

// names returns the names of the files in a directory as the transaction sees them, in
// order.
func (t *tx) names(dir string) ([]string, error) {
	if err := t.ended(); err != nil {
		return nil, err
	}
	names, err := t.dir.files(dir)
	if err != nil {
		return nil, err
	}
	changes := t.puts[dir]
	if len(changes) == 0 {
		return names, nil
	}
	names = slices.DeleteFunc(names, func(name string) bool { return changes[name] != nil })
	for name, change := range changes {
		if !change.deleted {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// subdirs returns the names of the directories in a directory as the transaction sees
// them, those that it would empty included, in order.
func (t *tx) subdirs(dir string) ([]string, error) {
	if err := t.ended(); err != nil {
		return nil, err
	}
	names, err := t.dir.dirs(dir)
	if err != nil {
		return nil, err
	}
	found := make(map[string]bool)
	for _, name := range names {
		found[name] = true
	}
	for changed := range t.puts {
		if below, ok := strings.CutPrefix(changed, dir+"/"); ok {
			name, _, _ := strings.Cut(below, "/")
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

func uris(names []string) []calendar.URI {
	var uris []calendar.URI
	for _, name := range names {
		uris = append(uris, calendar.URI(name))
	}
	return uris
}
