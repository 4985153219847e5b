package mail

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
)

// maxInMemory is how much of a message is kept in memory, in octets. Nearly all invitations
// are smaller.
const maxInMemory = 256 << 10

// Spool keeps a message as it came, byte for byte, for what is made of it once it has been
// read ([Read] leaves attachments out). A small message is in memory; a larger one is in a
// file without a name, which is gone when the program ends, however it ends. So a mail of 40 MB
// takes no more memory than one of 256 KB, however often it is copied into others.
//
// A message is written to it once, as a rule while it is read:
//
//	parsed, err := Read(io.TeeReader(r, spool), limit, nil)
type Spool struct {
	dir    string
	memory []byte
	file   *os.File
	size   int64
	sum    hash.Hash
	err    error // of the file

	// What decides how it may be enclosed (RFC 2045 section 2.7 and 2.8).
	eightBit  bool // octets beyond ASCII
	binary    bool // NUL, or a line that is too long
	lineBegin int64
}

// NewSpool returns a spool for one message. A large message goes to a file in dir; empty: the
// system's directory for temporary files.
func NewSpool(dir string) *Spool { return &Spool{dir: dir, sum: sha256.New()} }

// Write adds to the message. An error is temporary: of the disk.
func (s *Spool) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.look(p)
	s.sum.Write(p)
	if s.file == nil && len(s.memory)+len(p) > maxInMemory {
		s.err = s.toFile()
	}
	if s.file == nil && s.err == nil {
		s.memory = append(s.memory, p...)
	} else if s.err == nil {
		_, s.err = s.file.WriteAt(p, s.size)
	}
	if s.err != nil {
		s.err = fmt.Errorf("keep the message while it is handled: %w", s.err)
		return 0, s.err
	}
	s.size += int64(len(p))
	return len(p), nil
}

// toFile puts what is in memory into a file, which has no name any more.
func (s *Spool) toFile() error {
	f, err := os.CreateTemp(s.dir, "imip-agent-")
	if err != nil {
		return err
	}
	if err := os.Remove(f.Name()); err != nil {
		return errors.Join(err, f.Close())
	}
	s.file = f
	_, err = f.WriteAt(s.memory, 0)
	s.memory = nil
	return err
}

// look notes what kind of octets and lines there are in p, which follows what is there.
func (s *Spool) look(p []byte) {
	for i, c := range p {
		switch {
		case c == '\n':
			s.lineBegin = s.size + int64(i) + 1
		case c >= 0x80:
			s.eightBit = true
		case c == 0:
			s.binary = true
		}
		if s.size+int64(i)-s.lineBegin >= maxLine && c != '\r' {
			s.binary = true
		}
	}
}

// maxLine is how long a line can be in transport, in octets, without its end (RFC 5322 section
// 2.1.1).
const maxLine = 998

// encoding returns the transfer encoding that the message has: it is none.
func (s *Spool) encoding() string {
	switch {
	case s.binary:
		return "binary"
	case s.eightBit:
		return "8bit"
	}
	return "7bit"
}

// Size returns how many octets the message has.
func (s *Spool) Size() int64 { return s.size }

// Digest returns the SHA-256 digest of the message, which is the same for the same message
// that is handed in again.
func (s *Spool) Digest() (digest [sha256.Size]byte) {
	s.sum.Sum(digest[:0])
	return digest
}

// Open returns a reader of the message, from its beginning. Readers do not disturb each other.
func (s *Spool) Open() *io.SectionReader {
	if s.file != nil {
		return io.NewSectionReader(s.file, 0, s.size)
	}
	return io.NewSectionReader(bytes.NewReader(s.memory), 0, s.size)
}

// WriteTo writes the message as it came. It may be called any number of times.
func (s *Spool) WriteTo(w io.Writer) (int64, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.file == nil {
		n, err := w.Write(s.memory)
		return int64(n), err
	}
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{s.Open()}, b[:])
}

// ReadFrom adds what there is in r, to its end, to the message, as Write does. The error may be that of r.
func (s *Spool) ReadFrom(r io.Reader) (int64, error) {
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	return io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{r}, b[:])
}

// buffer is room for a piece of a message. A service needs one for each message that it takes or passes on.
type buffer [mostRead]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// Close gives the file back, if there is one.
func (s *Spool) Close() error {
	s.memory = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
