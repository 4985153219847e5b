package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"syscall"

	"imip-agent/stores/durable"
)

// tried notes what became of a message that could not be handled.
func (d *Dir) tried(id string, try Try) error {
	return durable.Write(d.file(id+trySuffix), try.encode(), durable.Options{Later: true})
}

// Try returns what became of a message when it was last tried; zero: it was not.
func (d *Dir) Try(id string) (Try, error) {
	f, err := os.OpenFile(d.file(id+trySuffix), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Try{}, nil
	} else if err != nil {
		return Try{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxNote))
	return parseTry(string(text)), err
}

// Waiting is a message that waits.
type Waiting struct {
	Item
	Try Try
	Err error // why its file cannot be read, by this program, and the note is empty then, or by whom the directory belongs to
}

// List returns all messages with what became of them, oldest first. An error ends it.
func (d *Dir) List() iter.Seq2[Waiting, error] {
	return func(yield func(Waiting, error) bool) {
		ids, err := d.IDs()
		if err != nil {
			yield(Waiting{}, err)
			return
		}
		for _, id := range ids {
			w := Waiting{Item: Item{ID: id}}
			m, err := d.Open(id)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				continue // it has just been handled
			case err != nil:
				w.Err = err
			default:
				w.Item = m.Item
				m.Close()
				w.Try, err = d.Try(id)
				w.Err = errors.Join(err, d.forOwner(id))
			}
			if !yield(w, nil) {
				return
			}
		}
	}
}

// forOwner returns why whom the directory belongs to, and who handles its messages, cannot read one that this program can read. It matches
// [fs.ErrPermission].
func (d *Dir) forOwner(id string) error {
	dir, err := os.Stat(d.Path)
	if err != nil {
		return err
	}
	file, err := os.Lstat(d.File(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has just been handled
	} else if err != nil {
		return err
	}
	handles, _ := dir.Sys().(*syscall.Stat_t)
	has, _ := file.Sys().(*syscall.Stat_t)
	switch {
	case handles == nil || has == nil || handles.Uid == 0 || handles.Uid == has.Uid:
		return nil
	case handles.Gid == has.Gid && file.Mode()&0o040 != 0 || file.Mode()&0o004 != 0:
		return nil
	}
	return fmt.Errorf("%s: it belongs to %s, and %s, the owner of SPOOL_DIR, cannot read it: %w", d.File(id), durable.UserName(has.Uid), durable.UserName(handles.Uid), fs.ErrPermission)
}
