package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
)

// A letter is a directory in __outbox__, and each of its mails that has not gone out a
// file in it, named by the mail's number. A mail is crossed off by deleting its file. The
// original never lists a user's own directory, and does not see __outbox__.
//
// A letter comes before all else of its commit. Until the rest is done, there is a file
// "unfinished" in it: the change that owes the letter may be made in part, and is to be made again.
// Only its name counts: it is another name of the first mail where that can be had, else an empty file. So a letter counts
// only when all names of its commit are synced. Until then each can be lost.

// Send implements [stores.Tx].
func (t *tx) Send(letter stores.Letter) error {
	there, err := t.Sent(letter.Name)
	switch {
	case there || err != nil:
	case t.dir.exists(outboxDir + "/" + letter.Name):
		t.resumed = append(t.resumed, letter.Name)
	default:
		t.letters = append(t.letters, stores.Letter{Name: letter.Name, Mails: slices.Clone(letter.Mails)})
	}
	return err
}

// Sent implements [stores.Tx].
func (t *tx) Sent(name string) (bool, error) {
	if err := stores.CheckLetterName(name); err != nil {
		return false, err
	}
	own := slices.ContainsFunc(t.letters, func(l stores.Letter) bool { return l.Name == name }) || slices.Contains(t.resumed, name)
	letter := outboxDir + "/" + name
	return own || t.dir.exists(letter) && !t.dir.exists(letter+"/"+unfinished), nil
}

const (
	// unfinished is the name of a file in a letter whose commit is not done.
	unfinished = "unfinished"
	// stagedPrefix begins the names of the files that a letter carries.
	stagedPrefix = "new-"
)

// carry notes that the files of a change are in the outbox, with its letter. All are staged in one directory, which
// becomes the letter's: so none has to be made and removed for the letter alone. The files get into their places from there.
func (g *staging) carry(letter stores.Letter) {
	for p, name := range g.staged {
		g.staged[p] = path.Join(outboxDir, letter.Name, path.Base(name))
	}
}

// uncarry removes what a letter carries of a change that was interrupted, and has been made again.
func (g *staging) uncarry(letter string) error {
	names, err := g.dir.files(path.Join(outboxDir, letter))
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, stagedPrefix) {
			continue
		}
		if err := g.deleteOne(path.Join(outboxDir, letter, name)); err != nil {
			return err
		}
	}
	return nil
}

// finishLetters says of letters that all that was committed with them is done. If it cannot be said, the
// change is made again when its message is handed in again.
func (g *staging) finishLetters(names []string) error {
	for _, name := range names {
		if err := g.deleteOne(path.Join(outboxDir, name, unfinished)); err != nil {
			return err
		}
	}
	return nil
}

// prepareLetters makes a directory for each letter that is staged.
func (g *staging) prepareLetters(letters []stores.Letter) error {
	if len(letters) == 0 {
		return nil
	}
	if err := g.makeAll(outboxDir); err != nil {
		return err
	}
	if err := g.mayWrite(outboxDir); err != nil {
		return err
	}
	if err := g.makeDir(g.name); err != nil {
		return err
	}
	g.letters = make(map[string]string)
	for _, letter := range letters {
		dir := g.name
		if !g.carried {
			dir = path.Join(g.name, "letter-"+letter.Name)
		}
		g.letters[letter.Name] = dir
		if err := g.makeDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// letterStages returns what is to be written of letters, and the directories that it is in.
func (g *staging) letterStages(letters []stores.Letter) (stages []stage, dirs []string) {
	for _, letter := range letters {
		dir, to := g.letters[letter.Name], path.Join(outboxDir, letter.Name)
		for i, mail := range letter.Mails {
			name := strconv.Itoa(i)
			stages = append(stages, stage{name: path.Join(dir, name), to: place{to, name}, content: mail})
		}
		note := stage{name: path.Join(dir, unfinished), to: place{to, unfinished}}
		if len(letter.Mails) > 0 {
			note.as = "0" // to make another name, and to remove it, is less than that of another file
		}
		stages = append(stages, note)
		dirs = append(dirs, dir)
	}
	return stages, dirs
}

// sendLetters puts staged letters into the outbox, and makes them last before anything
// else is renamed.
func (g *staging) sendLetters(letters []stores.Letter) error {
	if len(letters) == 0 {
		return nil
	}
	for _, letter := range letters {
		from, to := g.letters[letter.Name], path.Join(outboxDir, letter.Name)
		if g.dir.exists(to) { // it was empty, and this would take its place
			return failed("renaming to", g.dir.full(to), fs.ErrExist)
		}
		if err := g.renameOne(from, to); err != nil {
			return err
		}
		g.dir.moved(from, to)
		delete(g.letters, letter.Name)
		if g.carried {
			g.carry(letter)
		}
	}
	if err := g.dir.sync(outboxDir); err != nil {
		return err
	}
	delete(g.touched, outboxDir) // nothing more happens there
	if !slices.Contains(g.made, outboxDir) {
		return nil
	}
	return g.dir.sync("")
}

// outboxOf opens a user's directory for what is in the outbox. It is nil if there is none.
func (s *Store) outboxOf(user calendar.URI) (*directory, error) {
	if !isPlain(string(user)) {
		return nil, nil
	}
	return openDirectory(filepath.Join(s.options.Dir, string(user)))
}

// Owing implements [stores.Outbox].
func (s *Store) Owing(ctx context.Context) iter.Seq2[calendar.URI, error] {
	return func(yield func(calendar.URI, error) bool) {
		for user, err := range s.Users(ctx) {
			if err != nil {
				yield("", err)
				return
			}
			letters, err := s.Letters(ctx, user)
			if (err != nil || len(letters) > 0) && !yield(user, err) {
				return
			}
		}
	}
}

// Letters implements [stores.Outbox].
func (s *Store) Letters(_ context.Context, user calendar.URI) ([]stores.LetterInfo, error) {
	d, err := s.outboxOf(user)
	if d == nil || err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.dirs(outboxDir)
	if err != nil {
		return nil, err
	}
	var letters []stores.LetterInfo
	for _, name := range names {
		if stores.CheckLetterName(name) != nil {
			continue
		}
		info, err := d.root.Stat(outboxDir + "/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just been dropped
		} else if err != nil {
			return nil, failed("reading", d.full(outboxDir+"/"+name), err)
		}
		left, err := d.mails(name)
		if err != nil {
			return nil, err
		}
		letters = append(letters, stores.LetterInfo{Name: name, Left: len(left), Time: info.ModTime().UTC(), Age: time.Since(info.ModTime())})
	}
	slices.SortStableFunc(letters, func(a, b stores.LetterInfo) int { return a.Time.Compare(b.Time) })
	return letters, nil
}

// mails returns the numbers of a letter's mails that have not gone out, in order.
func (d *directory) mails(letter string) ([]int, error) {
	names, err := d.files(outboxDir + "/" + letter)
	if err != nil {
		return nil, err
	}
	return mailNumbers(names), nil
}

// mailNumbers returns the numbers of mails, in order, of the files in a letter.
func mailNumbers(names []string) (numbers []int) {
	for _, name := range names {
		if number, err := strconv.Atoi(name); err == nil && strconv.Itoa(number) == name {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// Deliver implements [stores.Outbox]. It holds flock(2) on the letter's directory, which
// the kernel gives back if we die.
func (s *Store) Deliver(ctx context.Context, user calendar.URI, name string, send func(number int, mail io.Reader) error) error {
	if err := stores.CheckLetterName(name); err != nil {
		return err
	}
	none := fmt.Errorf("%w: letter %s of %s", stores.ErrNotFound, name, user)
	d, err := s.outboxOf(user)
	if err != nil {
		return err
	} else if d == nil {
		return none
	}
	defer d.Close()
	letter := outboxDir + "/" + name
	dir, err := durable.OpenDir(d.root, letter)
	if errors.Is(err, fs.ErrNotExist) {
		return none
	} else if err != nil {
		return failed("locking", d.full(letter), err)
	}
	defer dir.Close()
	free, err := dir.TryLock()
	if err != nil {
		return failed("locking", d.full(letter), err)
	} else if !free {
		return fmt.Errorf("letter %s of %s is being delivered by another program: %w", name, user, stores.ErrLocked)
	}
	defer dir.Unlock()
	names, err := d.entries(dir.File(), letter, fs.FileMode.IsRegular) // none if the letter has been dropped since
	if err != nil {
		return err
	}
	var failures []error
	for _, number := range mailNumbers(names) {
		if ctx.Err() != nil {
			return errors.Join(append(failures, context.Cause(ctx))...)
		}
		file := letter + "/" + strconv.Itoa(number)
		mail, err := d.openMail(dir, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the letter has been dropped meanwhile
		}
		if err == nil {
			held := s.holds(d)
			if err = send(number, mail); err != nil || !held {
				mail.Close()
			}
			if err == nil {
				err = dir.Remove(strconv.Itoa(number))
				if held {
					s.beside(func() { mail.Close() })
				}
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					err = failed("crossing off", d.full(file), err)
				} else {
					err = failed("syncing", d.full(letter), dir.Sync())
				}
			}
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// openMail opens a mail of a letter, the directory of which is open. If there is none, the error matches fs.ErrNotExist.
func (d *directory) openMail(letter *durable.Dir, name string) (*os.File, error) {
	f, err := letter.Open(path.Base(name))
	if errors.Is(err, unix.ELOOP) { // a symbolic link is followed as far as it leads to a place in the user's directory
		// O_NONBLOCK: opening a pipe must not wait for its writer.
		f, err = d.root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	}
	if isAbsent(err) {
		return nil, fs.ErrNotExist
	} else if err != nil {
		return nil, failed("reading", d.full(name), err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errIrregular
	}
	if err != nil {
		f.Close()
		return nil, failed("reading", d.full(name), err)
	}
	return f, nil
}

// Noted implements [stores.Outbox].
func (s *Store) Noted(_ context.Context, user calendar.URI, name string) (bool, error) {
	if err := stores.CheckLetterName(name); err != nil || !isPlain(string(user)) {
		return false, err
	}
	letter := filepath.Join(s.options.Dir, string(user), outboxDir, name)
	_, err := os.Lstat(letter)
	if isAbsent(err) {
		return false, nil
	}
	return err == nil, failed("looking into the outbox for", letter, err)
}

// Ready implements [stores.Outbox].
func (s *Store) Ready(_ context.Context, user calendar.URI) error { return s.note(user, "") }

// Note implements [stores.Outbox].
func (s *Store) Note(_ context.Context, user calendar.URI, name string) error {
	if err := stores.CheckLetterName(name); err != nil {
		return err
	}
	return s.note(user, name)
}

// note makes a user's outbox, and a note in it, unless the name is empty. Where there is an outbox, a note is one system call.
func (s *Store) note(user calendar.URI, name string) error {
	if err := checkURI("user", user); err != nil {
		return err
	}
	if s.options.ReadOnly {
		return errReadOnly
	}
	done, err := begin()
	if err != nil {
		return err
	}
	defer done()
	dir := filepath.Join(s.options.Dir, string(user))
	d, err := openDirectory(dir)
	if err != nil {
		return err
	}
	if d == nil {
		if _, err := s.makeUser(dir); err != nil {
			return err
		}
		if d, err = openDirectory(dir); err != nil {
			return err
		} else if d == nil {
			return failed("opening", dir, fs.ErrNotExist) // made and removed again
		}
	}
	defer d.Close()
	if !d.exists(outboxDir) {
		if err := s.makeBelow(d, outboxDir); err != nil {
			return err
		}
		if err := syncDir(d.path); err != nil { // letters rely on it
			return err
		}
	}
	if name == "" {
		return nil
	}
	return s.makeBelow(d, outboxDir+"/"+name)
}

// makeBelow makes a directory in a user's, unless it is there.
func (s *Store) makeBelow(d *directory, name string) error {
	err := d.root.Mkdir(name, s.dirMode&fs.ModePerm)
	if errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return failed("making", d.full(name), err)
	}
	durable.OwnBelow(d.root, name)
	durable.ModeBelow(d.root, name, s.dirMode)
	return nil
}

// Drop implements [stores.Outbox].
func (s *Store) Drop(_ context.Context, user calendar.URI, name string) error {
	if err := stores.CheckLetterName(name); err != nil {
		return err
	}
	d, err := s.outboxOf(user)
	if d == nil || err != nil {
		return err
	}
	defer d.Close()
	if !d.exists(outboxDir) {
		return nil
	}
	// Out of the way first, so that a letter goes as a whole.
	letter, dropped := outboxDir+"/"+name, outboxDir+"/"+droppedPrefix+name
	if err := d.root.RemoveAll(dropped); err != nil { // left by one that was killed
		return failed("removing", d.full(dropped), err)
	}
	err = d.root.Rename(letter, dropped)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return failed("removing", d.full(letter), err)
	}
	if err := syncDir(d.full(outboxDir)); err != nil {
		return err
	}
	return failed("removing", d.full(dropped), d.root.RemoveAll(dropped))
}

// droppedPrefix begins the name of a letter that is being removed. No letter has such a name.
const droppedPrefix = "."
