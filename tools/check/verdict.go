package check

import (
	"context"

	"imip-agent/stores"
)

// basis is what findings about an event's free/busy go by.
type basis struct {
	finder
	unsure map[stores.ID]bool // events whose records are wrong as records, which is told
}

// leave reports whether the free/busy of an event is not to be looked at: it waits for
// the user's answer, until when an earlier one stands, or something else is known to be
// wrong with it.
func (e *basis) leave(id stores.ID) bool {
	return e.waiting[id] || e.waiting[stores.ID{UID: id.UID}] || e.unsure[id] || e.torn.has(id.UID)
}

// verdict is what has come of looking at all events, besides findings. The findings about what is left
// go on from it, and change nothing in it.
type verdict struct {
	seen      seen               // the records that were looked at
	claimed   map[stores.ID]bool // events that are in a file of another name
	lost      map[stores.ID]bool // occurrences that are recorded, and not stored, and that their event yields
	late      []lateEvent
	doubts    []doubt
	ownLost   bool // records are missing that nothing but damage takes away
	strangers int  // whole events that the user is not in
	recorded  bool // free/busy has one of these
}

// isClaimed reports whether an event, or an occurrence, or the event that it is one of, is in a file of another name.
func (v *verdict) isClaimed(id stores.ID) bool {
	return v.claimed[id] || v.claimed[stores.ID{UID: id.UID}]
}

// eventLook looks at the events, one after the other.
type eventLook struct {
	basis
	verdict
	cut map[string]int // damaged lines that stand for records of events, by how many
}

// restLook looks at what is left when all events have been looked at.
type restLook struct {
	basis
	verdict
}

// look looks at all events. The records that are nonsense have been looked at.
func (b basis) look(nonsense seen) (verdict, error) {
	e := &eventLook{b, verdict{seen: nonsense, claimed: make(map[stores.ID]bool), lost: make(map[stores.ID]bool)}, make(map[string]int)}
	for _, uid := range e.order {
		if e.ctx.Err() != nil {
			return verdict{}, context.Cause(e.ctx)
		}
		e.event(e.uids[uid])
	}
	for _, uid := range e.order { // when it is known which files have another event's name
		e.counters(e.uids[uid])
	}
	return e.verdict, nil
}

// see says that the records of an event have been looked at, and take returns them as well.
func (e *eventLook) see(id stores.ID) { e.rows.see(e.seen, id) }

func (e *eventLook) take(id stores.ID) []row {
	e.see(id)
	return e.rows.of(id)
}
