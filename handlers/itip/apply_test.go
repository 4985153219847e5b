package itip

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
)

// room is bob's records. Ann organizes what he attends.
type room struct {
	*testing.T
	store stores.Store
	dir   string
	limit int
	wants preferences.Preferences
}

func newRoom(t *testing.T) *room {
	t.Helper()
	dir := t.TempDir()
	store, err := file.Open(file.Options{
		Dir: dir + "/store", PublishDir: dir + "/published", LockTimeout: time.Second,
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &room{t, store, dir, 100, preferences.Preferences{Zone: time.UTC, WindowSize: 100, Sharing: true, Publishing: true}}
}

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// update calls fn with the records, inside a critical section.
func (r *room) update(fn func(*Records) error) error {
	r.Helper()
	return r.store.Update(r.Context(), bob, func(tx stores.Tx) error {
		return fn(&Records{
			Tx: tx, Now: now, PeriodLimit: r.limit, System: "mailto:calendar@example.com",
			Preferences: r.wants,
		})
	})
}

// apply applies a change by one of bob's messages.
func (r *room) apply(side Side, method, lines string) (o Outcome) {
	r.Helper()
	c, _, err := NewChange(method, object(r.T, lines))
	if err != nil {
		r.Fatal(err)
	}
	c.Senders = []calendar.URI{bob}
	before := string(c.Object.Encode())
	err = r.update(func(records *Records) (err error) {
		if o, err = records.Apply(c, side); err != nil {
			return err
		}
		return records.Finish()
	})
	if err != nil {
		r.Fatal(err)
	}
	if string(c.Object.Encode()) != before {
		r.Error("the object of the change was changed")
	}
	return o
}

// files returns all that is stored, and bob's records.
func (r *room) files() (all []string) {
	r.Helper()
	err := r.update(func(records *Records) error {
		for key, err := range records.Keys() {
			if err != nil {
				return err
			}
			text, err := records.Get(key)
			if err != nil {
				return err
			}
			all = append(all, fmt.Sprint(key, string(text)))
		}
		table, err := records.Periods(stores.Table{Kind: stores.Own})
		if err != nil {
			return err
		}
		for p := range table.All() {
			all = append(all, fmt.Sprint(p))
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// The lines of events.
const (
	own     = "ORGANIZER:" + bob + "\nATTENDEE;PARTSTAT=ACCEPTED:" + bob + "\nATTENDEE:mailto:eve@example.com\nDTSTART:20261202T090000Z\nDURATION:PT1H\n"
	invited = "ORGANIZER:" + ann + "\nATTENDEE;PARTSTAT=ACCEPTED:" + bob + "\nDTSTART:20261202T090000Z\nDURATION:PT1H\n"
	weekly  = "RRULE:FREQ=WEEKLY;COUNT=3\n"
	second  = "RECURRENCE-ID:20261209T090000Z\n"
	version = "SEQUENCE:1\nDTSTAMP:20261122T110000Z\n"
	older   = "SEQUENCE:0\nDTSTAMP:20261122T110000Z\n"
	newer   = "SEQUENCE:2\nDTSTAMP:20261122T110000Z\n"
)

// Why changes are refused. Then nothing is changed.
func TestRefused(t *testing.T) {
	untimed := "ORGANIZER:" + ann + "\nATTENDEE;PARTSTAT=ACCEPTED:" + bob + "\n"
	without := "ORGANIZER:" + bob + "\nATTENDEE:mailto:eve@example.com\n" // eve is called off
	for _, c := range []struct {
		name   string
		before []string // methods and lines, in turns
		method string
		lines  string
		want   Reason
	}{
		{"what another organizes", nil, "REQUEST", invited, Forwarded},
		{"an occurrence added to what another organizes", nil, "ADD", invited, Forwarded},
		{"older than stored", []string{"REQUEST", own + version}, "REQUEST", own + older, Old},
		{"the same, stamped before", []string{"REQUEST", own + version}, "REQUEST", own + "SEQUENCE:1\nDTSTAMP:20261122T100000Z\n", Old},
		{"older than cancelled", []string{"REQUEST", own + older, "CANCEL", own + version}, "REQUEST", own + older, OldAgainstCancelled},
		{"an occurrence older than its cancelled event", []string{"REQUEST", own + older, "CANCEL", own + version}, "REQUEST", own + second + older, OldAgainstCancelled},
		{"a cancellation older than stored", []string{"REQUEST", own + version}, "CANCEL", own + older, Old},
		{"an addition older than its event", []string{"REQUEST", own + version}, "ADD", own + older, Old},
		{"an addition to nothing", nil, "ADD", own + version, NotStored},
		{"an answer older than stored", []string{"PUBLISH", own + version}, "REPLY", own + older, Old},
		{"an answer to nothing, without times", nil, "REPLY", untimed + version, NotStoredNorTimed},
		{"an answer to no occurrence, without times", []string{"REQUEST", own + version}, "REPLY", untimed + version + second, NoOccurrence},
		{"attendees called off from nothing", nil, "CANCEL", without, NotStored},
		{"an occurrence called off twice", []string{"REQUEST", own + weekly + older, "CANCEL", own + second + version}, "CANCEL", own + second + version, Repeated},
		{"an attendee called off from a cancelled occurrence", []string{"REQUEST", own + weekly + older, "CANCEL", own + second + version}, "CANCEL", without + second + newer, CalledOffAlready},
		{"no counter-proposal", []string{"REQUEST", own + version}, "DECLINECOUNTER", own + version, NoCounter},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t)
			for i := 0; i < len(c.before); i += 2 {
				if o := r.apply(Sent, c.before[i], c.before[i+1]); o.Refused != Applied {
					t.Fatalf("%s: %s", c.before[i], o)
				}
			}
			before := r.files()
			o := r.apply(Sent, c.method, c.lines)
			if o.Refused != c.want || len(o.Effects) > 0 || o.String() != "none, "+c.want.String() {
				t.Errorf("%s", o)
			}
			if after := r.files(); !slices.Equal(after, before) {
				t.Errorf("before\n%s\nafter\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
		})
	}
}

// Each reason has words of its own, which the log has.
func TestReasons(t *testing.T) {
	seen := map[string]Reason{}
	for reason := Applied; reason <= NoUser; reason++ {
		if other, known := seen[reason.String()]; known {
			t.Errorf("%d and %d are both %q", other, reason, reason)
		}
		seen[reason.String()] = reason
	}
}

// What changes do, by their side.
func TestEffects(t *testing.T) {
	stored, recorded, published := Effect{Kind: StoredObject}, Effect{Kind: Recorded, Added: 1}, Effect{Kind: Published}
	for _, c := range []struct {
		name   string
		side   Side
		method string
		lines  string
		want   []Effect
	}{
		{"sent out", Sent, "REQUEST", own, []Effect{stored, recorded, published}},
		{"accepted", Sent, "REPLY", strings.Replace(invited, "ACCEPTED", "TENTATIVE", 1), []Effect{recorded, published, {Kind: UnknownEvent}}},
		{"declined", Sent, "REPLY", strings.Replace(invited, "ACCEPTED", "DECLINED", 1), []Effect{published, {Kind: UnknownEvent}}},
		{"another's, taken in", Imported, "PUBLISH", invited, []Effect{stored, recorded, published}},
		{"what does not take place, taken in", Imported, "PUBLISH", own + "STATUS:CANCELLED\n", []Effect{stored, recorded, published}},
		{"what does not take place", Sent, "PUBLISH", own + "STATUS:CANCELLED\n", []Effect{{Kind: StoredCancellation}, {Kind: UnknownEvent}}},
		{"asked for again", Sent, "REFRESH", invited, nil},
	} {
		r := newRoom(t)
		o := r.apply(c.side, c.method, c.lines)
		if o.Refused != Applied || !slices.Equal(o.Effects, c.want) || len(o.Warnings)+len(o.Damaged) > 0 {
			t.Errorf("%s: %+v", c.name, o)
		}
	}
}

// A method that a side does not have can never be handled.
func TestUnknownMethod(t *testing.T) {
	r := newRoom(t)
	for side, methods := range map[Side]string{Sent: "FORWARD", Imported: "ADD COUNTER DECLINECOUNTER REFRESH REQUEST"} {
		for method := range strings.FieldsSeq(methods) {
			var unstorable *stores.UnstorableError
			err := r.update(func(records *Records) error {
				_, err := records.Apply(Change{Method: method, Object: object(t, own)}, side)
				return err
			})
			if !errors.As(err, &unstorable) || Handles(side, method) {
				t.Errorf("%d %s: %v", side, method, err)
			}
		}
	}
}

// A stored object that cannot be read is handed back whole, and counts as absent.
func TestDamagedObject(t *testing.T) {
	for _, method := range []string{"REQUEST", "REPLY", "CANCEL"} {
		r := newRoom(t)
		id := stores.ID{UID: "meeting"}
		text := []byte("BEGIN:VEVENT\nUID:mee")
		if err := r.update(func(records *Records) error { return records.Put(stores.Key{ID: id}, text) }); err != nil {
			t.Fatal(err)
		}
		o := r.apply(Sent, method, own)
		if len(o.Damaged) != 1 || o.Damaged[0].ID != id || string(o.Damaged[0].Text) != string(text) || o.Damaged[0].Err == nil || o.Refused != Applied {
			t.Errorf("%s: %+v", method, o)
		}
	}
}

// What is odd is told of, and changes nothing of what is done.
func TestWarnings(t *testing.T) {
	r := newRoom(t)
	r.limit = 2
	o := r.apply(Sent, "REQUEST", own+weekly)
	want := []Warning{{Text: "the event has more periods than are recorded", Limit: 2}}
	if !slices.Equal(o.Warnings, want) || !slices.Equal(o.Warnings[0].Attributes(), []any{"limit", 2}) {
		t.Errorf("%+v", o.Warnings)
	}
	reason := errors.New("why")
	if got := (Warning{Recurrence: "20261202", Reason: reason}).Attributes(); !slices.Equal(got, []any{"recurrence", "20261202", "reason", reason}) {
		t.Errorf("attributes: %v", got)
	}
}

// Free/busy is published once for all changes, and not without any.
func TestFinish(t *testing.T) {
	r := newRoom(t)
	published := func() (text []byte) {
		err := r.update(func(records *Records) (err error) {
			text, err = records.Published()
			if errors.Is(err, stores.ErrNotFound) {
				err = nil
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if r.apply(Sent, "REFRESH", own); published() != nil {
		t.Error("published, and nothing has changed")
	}
	if r.apply(Sent, "REQUEST", own); !strings.Contains(string(published()), "20261202T090000Z") {
		t.Errorf("published is %s", published())
	}
}
