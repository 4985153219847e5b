package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Guard is a listener whose connections have whole, plausible packets only. go-milter believes what packets say of
// themselves: it would make room for 512 MB, and a packet without its end would end the process. A connection
// that has something else, or is too slow, is closed, as are those of which there are too many.
type Guard struct {
	net.Listener
	Most int           // connections at once; 0: any number
	Idle time.Duration // how long a client may say nothing; 0: 15 minutes
	Slow time.Duration // how long it may take over a packet that it has begun; 0: a minute

	open atomic.Int64
}

// mostPacket is how many octets a packet may have. Bodies come in pieces of 64 KB; mail systems limit headers
// to less than this.
const mostPacket = 4 << 20

// Accept implements [net.Listener].
func (g *Guard) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if n := g.open.Add(1); g.Most > 0 && n > int64(g.Most) {
			g.open.Add(-1)
			c.Close()
			continue
		}
		return &guarded{Conn: c, guard: g}, nil
	}
}

// Open returns how many connections there are.
func (g *Guard) Open() int { return int(g.open.Load()) }

type guarded struct {
	net.Conn
	guard  *Guard
	closed atomic.Bool
	packet []byte // what is left of a packet that was read
}

// Close implements [net.Conn].
func (c *guarded) Close() error {
	if !c.closed.Swap(true) {
		c.guard.open.Add(-1)
	}
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
	head := make([]byte, 4, 64)
	c.wait(c.guard.Idle, 15*time.Minute)
	if _, err := io.ReadFull(c.Conn, head[:1]); err != nil {
		return err
	}
	c.wait(c.guard.Slow, time.Minute)
	if _, err := io.ReadFull(c.Conn, head[1:]); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(head)
	if length == 0 || length > mostPacket {
		return fmt.Errorf("a packet of %d octets", length)
	}
	var rest bytes.Buffer // which grows with what is there, whatever the length says
	if n, err := io.CopyN(&rest, c.Conn, int64(length)); err != nil {
		if n > 0 && err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if err := plausible(rest.Bytes()); err != nil {
		return err
	}
	c.packet = append(head, rest.Bytes()...)
	return nil
}

func (c *guarded) wait(limit, byDefault time.Duration) {
	if limit == 0 {
		limit = byDefault
	}
	_ = c.Conn.SetReadDeadline(time.Now().Add(limit)) // a connection that is closed says so when it is read
}

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
