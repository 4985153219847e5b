package milter

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Guard is a listener whose connections have whole, plausible packets only. go-milter believes what packets say of
// themselves: it would make room for 512 MB, and a packet without its end would end the process. A connection
// that has something else, or is too slow, is closed. Where there are too many, the one that has said nothing for
// longest is closed.
type Guard struct {
	net.Listener
	Most int           // connections at once; 0: any number
	Idle time.Duration // how long a client may say nothing; 0: 15 minutes
	Slow time.Duration // how long it may take over its first packet, and over one that it has begun; 0: a minute
	Log  *slog.Logger  // nil: nothing is logged

	packets atomic.Int64 // that have been read, of all connections
	room    large

	mu   sync.Mutex
	open map[*guarded]bool
}

const (
	// mostPacket is how many octets a packet may have. Bodies come in pieces of 64 KB; mail systems limit headers
	// to less than this.
	mostPacket = 4 << 20
	// ordinary is how many octets a packet may have however many others there are.
	ordinary = 128 << 10
	// mostLarge is how many octets larger packets may have that are read at the same time.
	mostLarge = 32 << 20

	// mostKept is how many octets a connection keeps for its next packet. Fields of a header and what else there is of most mails take less.
	mostKept = 4 << 10

	firstRest, longestRest = 5 * time.Millisecond, time.Second
)

// Accept implements [net.Listener]. That the process has no file left for a connection is no error: there will be
// one again.
func (g *Guard) Accept() (net.Conn, error) {
	for rest := firstRest; ; {
		c, err := g.Listener.Accept()
		switch {
		case err == nil:
		case passing(err):
			if g.Log != nil {
				g.Log.Error("a connection of the mail system cannot be taken", "error", err)
			}
			time.Sleep(rest)
			rest = min(2*rest, longestRest)
			continue
		default:
			return nil, err
		}
		rest = firstRest
		if taken := g.take(c); taken != nil {
			return taken, nil
		}
	}
}

// passing reports whether an error is not of the listener, but of what the machine lacks just now, or of the client.
func passing(err error) bool {
	for _, of := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// take returns a new connection as one that is guarded. If there are too many, it closes another one; if none of
// them waits for its client, this one, and returns nil.
func (g *Guard) take(c net.Conn) *guarded {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = map[*guarded]bool{}
	}
	if g.Most > 0 && len(g.open) >= g.Most {
		var oldest *guarded
		for other := range g.open {
			if other.waits.Load() && (oldest == nil || other.heard.Load() < oldest.heard.Load()) {
				oldest = other
			}
		}
		if g.Log != nil {
			g.Log.Warn("the mail system has too many connections (SERVE_CONNECTIONS): one is closed", "most", g.Most)
		}
		if oldest == nil {
			c.Close()
			return nil
		}
		delete(g.open, oldest)
		oldest.Conn.Close() // whoever reads it closes it again
	}
	taken := &guarded{Conn: c, guard: g, r: bufio.NewReaderSize(c, 4<<10)}
	taken.heard.Store(g.packets.Add(1))
	taken.waits.Store(true)
	g.open[taken] = true
	return taken
}

// Open returns how many connections there are.
func (g *Guard) Open() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open)
}

// large is how many octets packets have that are larger than ordinary ones.
type large struct{ atomic.Int64 }

// take reports whether there is room for a packet. Then it is to be given back.
func (l *large) take(length int64) bool {
	if l.Add(length) <= mostLarge {
		return true
	}
	l.Add(-length)
	return false
}

type guarded struct {
	net.Conn
	guard  *Guard
	r      *bufio.Reader // mail systems send the fields of a header all at once
	packet []byte        // what is left of a packet that was read
	read   bytes.Buffer  // what the packet was read to
	head   [4]byte       // its first octets
	begun  bool          // there has been a packet
	waits  atomic.Bool   // for the client
	heard  atomic.Int64  // how many packets there had been when the last one of this connection came
}

// Close implements [net.Conn].
func (c *guarded) Close() error {
	c.guard.mu.Lock()
	delete(c.guard.open, c)
	c.guard.mu.Unlock()
	return c.Conn.Close()
}

// SetReadDeadline implements [net.Conn]: the deadlines are those of the guard.
func (c *guarded) SetReadDeadline(time.Time) error { return nil }

// Read implements [net.Conn].
func (c *guarded) Read(p []byte) (int, error) {
	if len(c.packet) == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.packet)
	c.packet = c.packet[n:]
	return n, nil
}

// next reads a packet: four octets with the length of what follows, a command, and its data.
func (c *guarded) next() error {
	c.packet = nil
	if c.read.Reset(); c.read.Cap() > mostKept {
		c.read = bytes.Buffer{}
	}
	c.waits.Store(true)
	defer c.waits.Store(false)
	switch {
	case c.r.Buffered() > 0:
	case c.begun:
		c.wait(c.guard.Idle, 15*time.Minute)
	default:
		c.wait(c.guard.Slow, time.Minute)
	}
	if _, err := io.ReadFull(c.r, c.head[:1]); err != nil {
		return err
	}
	c.begun = true
	c.heard.Store(c.guard.packets.Add(1))
	if !c.whole() {
		c.wait(c.guard.Slow, time.Minute)
	}
	if _, err := io.ReadFull(c.r, c.head[1:]); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(c.head[:])
	if length == 0 || length > mostPacket {
		return fmt.Errorf("a packet of %d octets", length)
	}
	if length > ordinary {
		if !c.guard.room.take(int64(length)) {
			return errTooMany
		}
		defer c.guard.room.Add(-int64(length))
	}
	c.read.Write(c.head[:])
	// The buffer grows with what is there, whatever the length says.
	if n, err := io.CopyN(&c.read, c.r, int64(length)); err != nil {
		if n > 0 && err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if err := plausible(c.read.Bytes()[len(c.head):]); err != nil {
		return err
	}
	c.packet = c.read.Bytes()
	return nil
}

// whole reports whether the rest of a packet is there. Its first octet was read.
func (c *guarded) whole() bool {
	if c.r.Buffered() < 3 {
		return false
	}
	length, err := c.r.Peek(3) // the first octet of the four is 0, or the packet is too large
	return err == nil && c.r.Buffered()-3 >= int(length[0])<<16|int(length[1])<<8|int(length[2])
}

func (c *guarded) wait(limit, byDefault time.Duration) {
	if limit == 0 {
		limit = byDefault
	}
	_ = c.Conn.SetReadDeadline(time.Now().Add(limit)) // a connection that is closed says so when it is read
}

var errTooMany = errors.New("too many large packets at the same time")

var errUnended = errors.New("a packet whose text has no end")

// plausible looks at a packet without its length.
func plausible(packet []byte) error {
	data := packet[1:]
	end := bytes.IndexByte(data, 0)
	switch packet[0] {
	case 'C': // a name, then the family of the address
		if end < 0 || end+1 == len(data) {
			return errUnended
		}
	case 'H', 'M', 'R', 'U':
		if end < 0 {
			return errUnended
		}
	}
	return nil
}
