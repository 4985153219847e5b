package rejected

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"imip-agent/stores/durable"
)

// Draft is content that is put aside as it comes in, being too large to be held in memory.
// It is no piece before [Draft.Put]. A program that dies leaves a file behind, which the next
// one that puts something aside removes.
type Draft struct {
	dir  *Dir
	file *os.File // which is locked as long as the program lives
	hash hash.Hash
	left int64 // octets that are still kept
	cut  int64 // octets that were left out
	done bool  // the file is a piece's
}

// Draft begins content that comes in piece by piece. The caller must close it.
// Errors are temporary.
func (d *Dir) Draft() (*Draft, error) {
	if err := d.isSet(); err != nil {
		return nil, err
	}
	unlock, err := d.lock() // so that nobody removes it before it is locked
	if err != nil {
		return nil, fmt.Errorf("REJECTED_DIR: %w", err)
	}
	defer unlock()
	if names, err := d.names(); err == nil {
		d.sweep(names)
	}
	file, err := durable.Begin(d.path("draft"))
	if err != nil {
		return nil, fmt.Errorf("REJECTED_DIR: %w", err)
	}
	draft := &Draft{dir: d, file: file, hash: sha256.New(), left: d.maxSize() / 4}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		draft.Close()
		return nil, fmt.Errorf("REJECTED_DIR: locking %s: %w", file.Name(), err)
	}
	return draft, nil
}

// isDraft reports whether a file is being written by a program that lives.
func isDraft(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	return errors.Is(unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// Write adds to the content. What is beyond a quarter of all that may be put aside is left out.
func (w *Draft) Write(p []byte) (int, error) {
	kept := p[:min(int64(len(p)), w.left)]
	if n, err := w.file.Write(kept); err != nil {
		return n, fmt.Errorf("REJECTED_DIR: %w", err)
	}
	w.hash.Write(kept)
	w.left -= int64(len(kept))
	w.cut += int64(len(p) - len(kept))
	return len(p), nil
}

// Put puts the content aside, as [Dir.Put] does, and returns the path of the file that has it.
func (w *Draft) Put(note Note) (path string, err error) {
	if w.cut > 0 {
		note.Reason += fmt.Sprintf("; its last %d octets are left out, since it is too large", w.cut)
	}
	if err := w.file.Sync(); err != nil {
		return "", fmt.Errorf("REJECTED_DIR: %w", err)
	}
	return w.dir.put(note, w.hash.Sum(nil)[:hashSize], func(name string) error {
		err := durable.Rename(w.file.Name(), w.dir.path(name+contentSuffix))
		w.done = err == nil
		return err
	})
}

// Close ends the draft, and removes it unless it was put aside.
func (w *Draft) Close() error {
	var err error
	if !w.done {
		err = os.Remove(w.file.Name())
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // it was moved into its place, which did not last
	}
	return errors.Join(err, w.file.Close())
}
