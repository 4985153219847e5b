package spool

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Open opens a message. The error is a [*BrokenError], or of the file: [fs.ErrNotExist] matches where it was
// removed.
func (d *Dir) Open(id string) (*Message, error) {
	if !isID(id) {
		return nil, fmt.Errorf("%.60q is no ID of a message: %w", id, fs.ErrNotExist)
	}
	f, err := os.OpenFile(d.File(id), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%s is a symbolic link: move it away", d.File(id))
	} else if err != nil {
		return nil, withAdvice(err)
	}
	m := &Message{Item: Item{ID: id}, file: f, r: bufio.NewReaderSize(f, 4<<10)}
	if err := m.open(); err != nil {
		f.Close()
		return nil, err
	}
	return m, nil
}

// Message is an open message of the spool. Its reader yields the message as it came. It is to be closed.
type Message struct {
	Item
	file *os.File
	r    *bufio.Reader
}

func (m *Message) open() error {
	info, err := m.file.Stat()
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return fmt.Errorf("%s is a directory: move it away", m.file.Name())
	case !info.Mode().IsRegular():
		return &BrokenError{"it is no regular file"}
	}
	counted := &counting{r: m.file}
	m.r.Reset(counted)
	if m.Note, err = readNote(m.r); err != nil {
		return err
	}
	if have := info.Size() - (counted.n - int64(m.r.Buffered())); have != m.Size {
		return &BrokenError{fmt.Sprintf("its message has %d octets, not %d", have, m.Size)}
	}
	return nil
}

// Read implements [io.Reader].
func (m *Message) Read(p []byte) (int, error) { return m.r.Read(p) }

// Close closes the message.
func (m *Message) Close() error { return m.file.Close() }

type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// content returns all octets of a message's file, for one that cannot be read.
func (d *Dir) content(id string) (io.ReadCloser, error) {
	f, err := os.OpenFile(d.File(id), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return io.NopCloser(bytes.NewReader(nil)), err
	}
	return f, nil
}
