package copy

import (
	"encoding/binary"
	"testing"
	"time"
)

// TestOldNote reads a note of the first form, which had no keys.
func TestOldNote(t *testing.T) {
	k, other := key{kind: event, uid: "u1"}, key{kind: event, uid: "u2"}
	first, second := k.of([]byte("first")), k.of([]byte("second"))
	run := time.Unix(7, 0).UTC()
	data := binary.BigEndian.AppendUint64([]byte(oldNoteMagic), uint64(run.UnixNano()))
	n, ok := decodeNote(append(data, first[:]...))
	if !ok || !n.run.Equal(run) {
		t.Fatalf("%+v, %v", n, ok)
	}
	if d, known := n.copied.last(k, second, first); !known || d != first {
		t.Error("what was copied is not known")
	}
	if _, known := n.copied.last(other, other.of([]byte("first"))); known {
		t.Error("what was never copied is known")
	}
	// From then on it has keys.
	n, ok = decodeNote(note{run: run, copied: n.copied.next(map[key]digest{k: second}, map[key]digest{k: first})}.encode())
	if !ok || !n.run.Equal(run) || len(n.copied.old) > 0 {
		t.Fatalf("%+v, %v", n, ok)
	}
	if d, known := n.copied.last(k, second); !known || d != first {
		t.Error("what was copied is forgotten")
	}
}
