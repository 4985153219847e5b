package migrate

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"
)

// note is what is noted of a user at the target: by which run they were last copied, and
// the digests of the items that were the same on both sides afterwards.
type note struct {
	run     time.Time
	digests []digest
}

// noteMagic begins a note; another form of notes has another one.
const noteMagic = "imip-agent copied 1\n"

func (n note) encode() []byte {
	data := binary.BigEndian.AppendUint64([]byte(noteMagic), uint64(n.run.UnixNano()))
	slices.SortFunc(n.digests, func(a, b digest) int { return bytes.Compare(a[:], b[:]) })
	for _, d := range n.digests {
		data = append(data, d[:]...)
	}
	return data
}

// decodeNote reads a note; ok is false for what is none.
func decodeNote(data []byte) (n note, ok bool) {
	rest, ok := bytes.CutPrefix(data, []byte(noteMagic))
	if !ok || len(rest) < 8 || (len(rest)-8)%len(digest{}) != 0 {
		return note{}, false
	}
	n.run = time.Unix(0, int64(binary.BigEndian.Uint64(rest))).UTC()
	for chunk := range slices.Chunk(rest[8:], len(digest{})) {
		n.digests = append(n.digests, digest(chunk))
	}
	return n, true
}

// set returns the digests of a note; nil if there is no note.
func (n note) set() map[digest]bool {
	if n.run.IsZero() {
		return nil
	}
	set := make(map[digest]bool, len(n.digests))
	for _, d := range n.digests {
		set[d] = true
	}
	return set
}
