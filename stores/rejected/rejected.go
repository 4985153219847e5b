// Package rejected keeps data that can never be handled: messages and records that
// would fail again however often they came back, but that must not vanish either.
//
// Each piece is two files in one private directory: what was put aside, just as it came
// (20261122T120000Z-HASH.eml), and a note of why, in lines of `Name: value`
// (20261122T120000Z-HASH.txt). An administrator looks at them, mends what is to be mended, and
// removes both. The hash is of the content, so that a message that is delivered again
// is kept once.
package rejected

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"imip-agent/stores/durable"
)

// Dir is a directory of what was put aside. It is made when it is first needed, for
// its owner only. Several programs can use it at once.
type Dir struct {
	Path string
	Max  int              // how many pieces are kept at most; 0: DefaultMax
	Size int64            // how many octets they have at most, but for the last one; 0: DefaultSize
	Now  func() time.Time // nil: time.Now
	Log  *slog.Logger     // nil: nothing is logged

	// Kept is told of each piece that was put aside. Nil: nobody wants to know.
	Kept func(Note)
}

// DefaultMax and DefaultSize are how many pieces are kept, and how many octets of them, if
// nothing else is said.
const (
	DefaultMax  = 1000
	DefaultSize = 1 << 30
)

const (
	contentSuffix = ".eml"
	noteSuffix    = ".txt"
	stampLayout   = "20060102T150405Z"
	hashSize      = 16 // octets of the hash that are in a name: nobody finds two texts alike

	// lockTimeout is how long to wait for another program, which has no more to do
	// than to write two files.
	lockTimeout = 30 * time.Second
	lockPause   = 5 * time.Millisecond
)

// Put puts content aside and returns the path of the file that has it. The files are
// whole and on disk when it returns. If the same content is there already, it stays as it
// is, with its first note. If there are more than Max pieces, or more than Size octets, the
// oldest go, and that is logged as a warning. Errors are temporary: nothing has been put aside.
func (d *Dir) Put(note Note, content []byte) (path string, err error) {
	if err := d.isSet(); err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return d.put(note, sum[:hashSize], func(name string) error {
		return durable.Write(d.path(name+contentSuffix), content, durable.Options{})
	})
}

// isSet returns an error if there is no directory.
func (d *Dir) isSet() error {
	if d == nil || d.Path == "" {
		return errors.New("no directory is set for rejected messages: set REJECTED_DIR")
	}
	return nil
}

// put has write make the content of a piece, unless it is there already. The file of its
// content appears last, and all at once: without it there is no piece.
func (d *Dir) put(note Note, sum []byte, write func(name string) error) (path string, err error) {
	if note.Time.IsZero() {
		note.Time = d.now()
	}
	unlock, err := d.lock()
	if err != nil {
		return "", fmt.Errorf("REJECTED_DIR: %w", err)
	}
	defer unlock()

	names, err := d.names()
	if err != nil {
		return "", fmt.Errorf("REJECTED_DIR: %w", err)
	}
	hash := hex.EncodeToString(sum)
	for _, name := range names {
		if strings.HasSuffix(name, "-"+hash) {
			return d.path(name + contentSuffix), nil
		}
	}
	d.sweep(names)
	name := note.Time.UTC().Format(stampLayout) + "-" + hash
	err = durable.Write(d.path(name+noteSuffix), []byte(note.text()), durable.Options{})
	if err == nil {
		err = write(name)
	}
	if err != nil {
		d.remove(name)
		return "", fmt.Errorf("REJECTED_DIR: %w", err)
	}
	d.limit(names, name)
	if d.Kept != nil {
		d.Kept(note)
	}
	return d.path(name + contentSuffix), nil
}

func (d *Dir) path(name string) string { return filepath.Join(d.Path, name) }

func (d *Dir) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

func (d *Dir) log() *slog.Logger {
	if d.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Log
}

// lock makes the directory if there is none, and locks it by flock(2) on the
// directory itself, so that there is no file to be left behind.
func (d *Dir) lock() (unlock func(), err error) {
	if err := durable.MakePrivate(d.Path); err != nil {
		return nil, err
	}
	// One Flock for each call, since a Flock lets its own process in again.
	lock := flock.New(d.Path, flock.SetFlag(os.O_RDONLY|syscall.O_DIRECTORY))
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, lockPause); err != nil {
		lock.Close()
		return nil, fmt.Errorf("locking %s: %w", d.Path, err)
	}
	return func() { lock.Unlock() }, nil
}

// names returns the names of the pieces, without suffixes, oldest first. Files that are
// not from here are left alone.
func (d *Dir) names() ([]string, error) {
	entries, err := os.ReadDir(d.Path) // in order of name
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		name, found := strings.CutSuffix(entry.Name(), contentSuffix)
		if _, ours := nameTime(name); found && ours && entry.Type().IsRegular() {
			names = append(names, name)
		}
	}
	return names, nil
}

// nameTime returns the time in the name of a piece.
func nameTime(name string) (t time.Time, ok bool) {
	stamp, hash, _ := strings.Cut(name, "-")
	t, err := time.Parse(stampLayout, stamp)
	sum, errHash := hex.DecodeString(hash)
	return t, err == nil && errHash == nil && len(sum) == hashSize
}

// sweep removes what a program that died left half written, and notes whose content
// somebody has removed. It is called under the lock, so that nobody is writing, but for drafts,
// which are locked.
func (d *Dir) sweep(names []string) {
	entries, err := os.ReadDir(d.Path)
	if err != nil {
		return // whoever writes next will see what is wrong
	}
	for _, entry := range entries {
		name, isNote := strings.CutSuffix(entry.Name(), noteSuffix)
		_, ours := nameTime(name)
		_, found := slices.BinarySearch(names, name)
		if isNote && ours && !found || durable.IsTemporary(entry.Name()) && !isDraft(d.path(entry.Name())) {
			os.Remove(d.path(entry.Name()))
		}
	}
}

// limit removes the oldest pieces, those of names and the newest one being as many
// as there are.
func (d *Dir) limit(names []string, newest string) {
	limit, size := d.Max, d.maxSize()
	if limit <= 0 {
		limit = DefaultMax
	}
	all := d.size(newest)
	for _, name := range names {
		all += d.size(name)
	}
	for len(names) > 0 && (len(names) >= limit || all > size) {
		all -= d.size(names[0])
		if err := d.remove(names[0]); err != nil {
			d.log().Warn("cannot remove the oldest rejected messages", "error", err)
		} else {
			d.log().Warn("too much was rejected: the oldest is removed; look at what is left",
				"file", d.path(names[0]+contentSuffix), "limit", limit, "octets", size, "newest", newest)
		}
		names = names[1:]
	}
}

func (d *Dir) maxSize() int64 {
	if d.Size <= 0 {
		return DefaultSize
	}
	return d.Size
}

// size returns how many octets a piece has.
func (d *Dir) size(name string) int64 {
	info, err := os.Lstat(d.path(name + contentSuffix))
	if err != nil {
		return 0
	}
	return info.Size()
}

func (d *Dir) remove(name string) error {
	err := os.Remove(d.path(name + contentSuffix))
	if errNote := os.Remove(d.path(name + noteSuffix)); err == nil && !errors.Is(errNote, fs.ErrNotExist) {
		err = errNote
	}
	return err
}

// Item is one piece that was put aside.
type Item struct {
	Path string // of the content
	Size int64  // of the content, in octets
	Note Note
}

// List returns what was put aside, oldest first. That there is no directory is no error.
func (d *Dir) List() ([]Item, error) {
	names, err := d.names()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("REJECTED_DIR: %w", err)
	}
	items := make([]Item, 0, len(names))
	for _, name := range names {
		item := Item{Path: d.path(name + contentSuffix)}
		info, err := os.Lstat(item.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // somebody has just removed it
		} else if err != nil {
			return nil, fmt.Errorf("REJECTED_DIR: %w", err)
		}
		item.Size = info.Size()
		// A note may be missing, or somebody may have written in it.
		text, err := readNote(d.path(name + noteSuffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("REJECTED_DIR: %w", err)
		}
		item.Note = parseNote(string(text))
		if item.Note.Time.IsZero() {
			item.Note.Time, _ = nameTime(name)
		}
		items = append(items, item)
	}
	return items, nil
}

// maxNote is how much of a note is read, in octets: more than any that is written here.
const maxNote = 64 << 10

// readNote returns what a note says.
func readNote(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxNote))
}
