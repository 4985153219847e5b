package crash

import (
	"testing"
	"time"

	"imip-agent/stores"
)

// TestDelegatedAtOnce has organizers ask for rooms by an address that passes on what it cannot take itself, all at once, while the
// programs that handle it are killed at random moments. As many want a room at each time as there are rooms, and nobody
// waits for anybody: each request finds a room of its own, also where the ones before have not reached theirs.
func TestDelegatedAtOnce(t *testing.T) {
	const rooms = 5
	for _, kind := range []string{"files", "database"} {
		t.Run(kind, func(t *testing.T) {
			requests := 25
			switch {
			case full && kind == "files":
				requests = 200
			case full: // each waits for a connection, too
				requests = 100
			}
			b := newBookings(t, kind, rooms, "schedule_for_delegate "+allRooms+"\nschedule_in_freebusy")
			must(t, b.journal.Update(t.Context(), allRooms, func(tx stores.JournalTx) error {
				if err := tx.SetList("groups", [][]string{{"*", "staff"}}); err != nil {
					return err
				}
				return tx.SetList("limits", [][]string{{"staff", "*"}})
			}))
			for i := range requests {
				// Those that overlap are next to each other, and not all begin at once.
				at := soon.Add(time.Duration(i/rooms) * 2 * time.Hour).Add(time.Duration(i%rooms) * 10 * time.Minute)
				b.ask(i%20, at)
			}
			for _, a := range b.asked {
				b.start(b.rooms[0], a.message)
			}
			b.wait()
			b.pass(0)
			if b.failed.Load() {
				t.FailNow()
			}
			b.checkEach()
		})
	}
}

// wait waits until no program runs. What rooms send to rooms is not handed in.
func (b *bookings) wait() {
	for b.running.Load() > 0 {
		time.Sleep(5 * time.Millisecond)
	}
	b.sink.Settle()
}

// checkEach checks that each request has a room.
func (b *bookings) checkEach() {
	b.t.Helper()
	answers := b.answers()
	delegated := 0
	for i, a := range b.asked {
		room, accepted := string(b.rooms[0]), 0
		for _, status := range answers[a.uid] {
			if status == "ACCEPTED" {
				accepted++
			}
		}
		if answers[a.uid][room] != "ACCEPTED" {
			delegated++
		}
		if accepted != 1 {
			b.t.Errorf("request %d: answers %v", i, answers[a.uid])
		}
	}
	if want := len(b.asked) * (len(b.rooms) - 1) / len(b.rooms); delegated != want {
		b.t.Errorf("%d are passed on, want %d", delegated, want)
	}
	for _, room := range b.rooms {
		records := b.own(room)
		if want := len(b.asked) / len(b.rooms); len(records) != want {
			b.t.Errorf("%s has %d bookings, want %d", room, len(records), want)
		}
		for i, p := range records {
			for _, other := range records[:i] {
				if p.Start.Before(other.End) && other.Start.Before(p.End) {
					b.t.Errorf("%s is booked twice: %v, %v", room, other, p)
				}
			}
		}
	}
	must(b.t, b.journal.View(b.t.Context(), allRooms, func(tx stores.JournalTx) error {
		table, err := tx.Periods(stores.Table{Kind: stores.Offers})
		if err == nil && table.Len() > 0 {
			b.t.Errorf("%d are still on their way", table.Len())
		}
		return err
	}))
	b.t.Logf("%d programs killed, %d requests passed on", b.killer.killed, delegated)
}
