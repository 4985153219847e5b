package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/stores/durable"
)

// Dir is the directory of the spool. It is made when it is first needed, for its owner only. Several programs can
// put messages into it at once.
type Dir struct {
	Path string
	Now  func() time.Time

	MostMessages int   // that may wait, for programs that put messages there for another one that handles them; 0: any number
	MostOctets   int64 // of these; 0: any number

	mu   sync.Mutex // held while an ID is given
	last string     // the newest ID that this process has given

	strangers atomic.Bool // another program may have put messages there, since somebody has last asked

	names    durable.Shared       // the names of messages
	syncFile func(*os.File) error // makes the content of a message last; nil: [os.File.Sync]
}

const (
	messageSuffix = ".eml"
	trySuffix     = ".txt"
	lastName      = "last"
	runningName   = "running"

	idLayout = "20060102T150405.000000000Z"

	lockTimeout = 30 * time.Second
	lockPause   = time.Millisecond
)

// isID reports whether a name is the ID of a message.
func isID(name string) bool {
	if len(name) != len(idLayout) || name[15] != '.' { // time.Parse also takes fewer digits of the hour, and a comma
		return false
	}
	_, err := time.Parse(idLayout, name)
	return err == nil
}

// File returns the path of a message's file.
func (d *Dir) File(id string) string { return d.file(id + messageSuffix) }

func (d *Dir) file(name string) string { return filepath.Join(d.Path, name) }

// Item is a message in the spool.
type Item struct {
	Note
	ID string
}

// Putter puts messages into a spool, to be handled later.
type Putter interface {
	Put(note Note, message io.WriterTo, size int64) error
}

// Put puts a message, which it may write twice, into the spool, and returns it when it is on disk under its name. Errors are
// temporary: nothing has been put there.
func (d *Dir) Put(note Note, message io.WriterTo, size int64) (Item, error) {
	item, err := d.put(note, message, size)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EWOULDBLOCK) {
		item, err = d.put(note, message, size) // who cleaned up came before the file was locked
	}
	if err != nil {
		return Item{}, inSpool(err)
	}
	return item, nil
}

// inSpool says of an error where it was, and what to do about files of somebody else.
func inSpool(err error) error { return fmt.Errorf("SPOOL_DIR: %w", withAdvice(err)) }

// withAdvice returns an error with what to do if a file is somebody else's.
func withAdvice(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; give %s access to it", err, durable.Who())
	}
	return err
}

// usable returns why nothing can be written into the directory.
func (d *Dir) usable() error {
	if err := durable.MakePrivate(d.Path); err != nil {
		return err
	}
	if err := unix.Access(d.Path, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write to", Path: d.Path, Err: err}
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(d.Path, &disk); err != nil {
		return &fs.PathError{Op: "statfs", Path: d.Path, Err: err}
	}
	if disk.Bavail*uint64(disk.Bsize) < leastFree {
		return &fs.PathError{Op: "write to", Path: d.Path, Err: unix.ENOSPC}
	}
	return nil
}

func (d *Dir) put(note Note, message io.WriterTo, size int64) (item Item, err error) {
	note.Received, note.Size = d.Now().UTC(), size
	head, err := note.encode()
	if err != nil {
		return item, err
	}
	if note.Lane() == "" {
		return item, errors.New("nobody says whose the message is")
	}
	if err := durable.MakePrivate(d.Path); err != nil {
		return item, err
	}
	if err := d.room(size); err != nil {
		return item, err
	}
	f, err := durable.Begin(d.file("message"))
	if err != nil {
		return item, err
	}
	path := f.Name()
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(path)
		}
	}()
	if err := d.write(f, head, message, size); err != nil {
		return item, err
	}
	item = Item{Note: note}
	if item.ID, err = d.name(path, size); err != nil {
		return item, err
	}
	path = d.File(item.ID)
	return item, d.names.NamesIn(d.Path) // one sync for all who have come so far
}

// write writes a message with its note, and makes it last.
func (d *Dir) write(f *os.File, head []byte, message io.WriterTo, size int64) error {
	// Who cleans up goes by this lock, whether a process still writes here.
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, int(min(int64(len(head))+size, 32<<10))) // all at once, as a rule
	if _, err := b.Write(head); err != nil {
		return err
	}
	written, err := message.WriteTo(b)
	if err == nil {
		err = b.Flush()
	}
	if err != nil {
		return err
	}
	if written != size {
		return fmt.Errorf("the message has %d octets, not %d", written, size)
	}
	if d.syncFile != nil {
		return d.syncFile(f)
	}
	return f.Sync()
}

// name gives a file that is written, with a message of a size, the next ID.
func (d *Dir) name(path string, size int64) (id string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	counter, err := d.lock()
	if err != nil {
		return "", err
	}
	defer counter.Close() // which gives the lock back
	newest, err := d.newest(counter)
	if err != nil {
		return "", err
	}
	if newest != d.last {
		d.strangers.Store(true)
	}
	id = next(d.Now(), newest)
	if err := os.Rename(path, d.File(id)); err != nil {
		return "", err
	}
	// That it is lost if the machine stops does no harm: names are looked at then.
	d.last = id
	text := id + "\n"
	if c, known := readCount(counter); known {
		c.messages, c.octets = c.messages+1, c.octets+size
		text += c.String()
	}
	if _, err := counter.WriteAt([]byte(text), 0); err != nil {
		return "", errors.Join(err, os.Remove(d.File(id)))
	}
	return id, nil
}

// next returns the ID of a message that comes at a time, after the newest one.
func next(now time.Time, newest string) string {
	id := now.UTC().Format(idLayout)
	if id > newest {
		return id
	}
	t, err := time.Parse(idLayout, newest)
	if err != nil {
		return id
	}
	return t.Add(1).Format(idLayout)
}

// lock locks the counter of IDs, which other programs use, too.
func (d *Dir) lock() (*os.File, error) {
	counter, err := os.OpenFile(d.file(lastName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	durable.Own(counter.Name())
	for waited := time.Duration(0); ; waited += lockPause {
		err := unix.Flock(int(counter.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return counter, nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || waited > lockTimeout:
			counter.Close()
			return nil, fmt.Errorf("lock %s: %w", counter.Name(), err)
		}
		time.Sleep(lockPause)
	}
}

// newest returns the newest ID that anybody has given: what the counter says, or where it was damaged, or this
// process has given none yet, the names of the files.
func (d *Dir) newest(counter *os.File) (string, error) {
	text := make([]byte, len(idLayout)+1)
	n, err := counter.ReadAt(text, 0)
	if err != nil && err != io.EOF {
		return "", err
	}
	said, whole := strings.CutSuffix(string(text[:n]), "\n")
	if whole && isID(said) {
		return max(said, d.last), nil
	}
	ids, err := d.IDs()
	if err != nil || len(ids) == 0 {
		return d.last, err
	}
	return max(ids[len(ids)-1], d.last), nil
}

// IDs returns the IDs of all messages, oldest first. That there is no directory is no error.
func (d *Dir) IDs() ([]string, error) {
	f, err := os.Open(d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, inSpool(err)
	}
	defer f.Close()
	var ids []string
	for {
		names, err := f.Readdirnames(1000)
		for _, name := range names {
			if id, found := strings.CutSuffix(name, messageSuffix); found && isID(id) {
				ids = append(ids, id)
			}
		}
		if err == io.EOF {
			slices.Sort(ids)
			return ids, nil
		} else if err != nil {
			return nil, inSpool(err)
		}
	}
}

// remove removes a message that is done. It lasts when the directory is synced.
func (d *Dir) remove(id string) error {
	err := os.Remove(d.file(id + messageSuffix))
	if errTry := os.Remove(d.file(id + trySuffix)); err == nil && !errors.Is(errTry, fs.ErrNotExist) {
		err = errTry
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Drop drops a message. The error matches [fs.ErrNotExist] if there is none.
func (d *Dir) Drop(id string) error {
	if !isID(id) {
		return fmt.Errorf("%.60q is no ID of a message: %w", id, fs.ErrNotExist)
	}
	if _, err := os.Lstat(d.file(id + messageSuffix)); err != nil {
		return err
	}
	if err := d.remove(id); err != nil {
		return err
	}
	return d.names.NamesIn(d.Path)
}

// Retry has whoever handles the messages try one again at once.
func (d *Dir) Retry(id string) error {
	if !isID(id) {
		return fmt.Errorf("%.60q is no ID of a message: %w", id, fs.ErrNotExist)
	}
	if _, err := os.Lstat(d.file(id + messageSuffix)); err != nil {
		return err
	}
	try, err := d.Try(id)
	if err != nil || try.Tries == 0 {
		return err
	}
	try.Next = time.Time{}
	return d.tried(id, try)
}

// Since returns when the message of an ID was put into the spool.
func Since(id string) time.Time {
	t, _ := time.Parse(idLayout, id)
	return t
}

// ErrRunning says that another process handles the messages.
var ErrRunning = errors.New("another process handles the messages of the spool")

// run locks the spool for the process that handles its messages. The error matches [ErrRunning] if there is one.
func (d *Dir) run() (unlock func(), err error) {
	if err := durable.MakePrivate(d.Path); err != nil {
		return nil, inSpool(err)
	}
	f, err := os.OpenFile(d.file(runningName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, inSpool(err)
	}
	durable.Own(f.Name())
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrRunning
		}
		return nil, inSpool(err)
	}
	return func() { f.Close() }, nil
}

// prepare has IDs go on after the newest message, whatever the counter says after the machine has stopped.
func (d *Dir) prepare(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	counter, err := d.lock()
	if err != nil {
		return inSpool(err)
	}
	defer counter.Close()
	newest, err := d.newest(counter)
	if err == nil {
		_, err = counter.WriteAt([]byte(max(newest, ids[len(ids)-1])+"\n"), 0)
	}
	if err != nil {
		return inSpool(err)
	}
	return nil
}

// sweep removes what programs that died left half written, and notes of messages that are gone.
func (d *Dir) sweep(ids []string) error {
	entries, err := os.ReadDir(d.Path)
	if err != nil {
		return inSpool(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		id, isTry := strings.CutSuffix(name, trySuffix)
		_, waits := slices.BinarySearch(ids, id)
		if isTry && isID(id) && !waits || durable.IsTemporary(name) && !d.isWritten(name) {
			os.Remove(d.file(name)) // at worst it stays
		}
	}
	return nil
}

// isWritten reports whether a process still writes a file.
func (d *Dir) isWritten(name string) bool {
	f, err := os.Open(d.file(name))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}
