package check

import (
	"container/heap"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
)

// doubleLimit is how many double bookings of a user are told.
const doubleLimit = 50

// doubleBookings tells where two events that make the user busy take place at once, from
// now on.
func (e finder) doubleBookings() {
	table, err := e.tx.Periods(ownTable)
	if err != nil {
		return
	}
	var open meetings             // what goes on
	count := make(map[string]int) // of what goes on, by UID
	told := 0
	for p := range table.All() {
		if p.Transp != itip.Opaque || !p.End.After(e.now) || !p.End.After(p.Start) {
			continue
		}
		start := p.Start.Unix()
		for len(open) > 0 && open[0].end <= start {
			over := heap.Pop(&open).(meeting)
			if count[over.uid]--; count[over.uid] == 0 {
				delete(count, over.uid)
			}
		}
		if len(open) > count[p.UID] { // else all that goes on is the same event
			for _, m := range open {
				if m.uid == p.UID {
					continue
				}
				e.addFreeBusy(freebusyDouble, stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID},
					"two events are at %s: the other one is %q", clock(start), m.uid)
				if told++; told == doubleLimit {
					return
				}
			}
		}
		heap.Push(&open, meeting{p.End.Unix(), p.UID})
		count[p.UID]++
	}
}

// meeting is an event that goes on until its end, in seconds since 1970.
type meeting struct {
	end int64
	uid string
}

// meetings are a heap, of which the first to end is at the top.
type meetings []meeting

func (m meetings) Len() int           { return len(m) }
func (m meetings) Less(i, j int) bool { return m[i].end < m[j].end }
func (m meetings) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *meetings) Push(x any)        { *m = append(*m, x.(meeting)) }
func (m *meetings) Pop() any {
	last := len(*m) - 1
	x := (*m)[last]
	*m = (*m)[:last]
	return x
}
