// Package bench measures the programs on stores and messages of known size.
//
// Stores are generated: the same seed gives the same store, wherever and whenever. The
// command generate makes one to look at, or to run programs on.
package bench

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/tests/clock"
)

// Now is the time for which stores are generated, and at which they are whole.
var Now = clock.Day

// Size says how large a store is.
type Size struct {
	Users  int
	Events int // of each user: whole events, and occurrences that are stored separately
	Seed   uint64
}

// User returns the URI of a user of a generated store, counted from 0.
func User(n int) calendar.URI {
	return calendar.URI(fmt.Sprintf("mailto:user%06d@example.com", n))
}

// GenerateStore makes a store with the modes of files that our programs expect, in a
// directory that does not exist. What is in it is what the handlers would have
// recorded: single events and recurring ones, some that recur without end, moved and
// cancelled occurrences, invitations that are accepted, declined and not yet answered.
func GenerateStore(dir string, size Size) error {
	if err := makeDir(dir); err != nil {
		return err
	}
	users := make(chan int)
	errs := make(chan error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for range cap(errs) {
		wg.Go(func() {
			for n := range users {
				g := generator{
					dir: filepath.Join(dir, string(User(n))), user: User(n), size: size,
					random: rand.New(rand.NewPCG(size.Seed, uint64(n))),
				}
				if err := g.run(n); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	for n := range size.Users {
		users <- n
	}
	close(users)
	wg.Wait()
	close(errs)
	return <-errs
}

// generator makes one user's records.
type generator struct {
	dir    string
	user   calendar.URI
	size   Size
	random *rand.Rand

	records  []freebusy.Period
	requests bytes.Buffer
}

func (g *generator) run(n int) error {
	for _, dir := range []string{"", "objects", "recurrences", "cancellations", "cancellations/objects", "cancellations/recurrences"} {
		if err := makeDir(filepath.Join(g.dir, dir)); err != nil {
			return err
		}
	}
	for made := 0; made < g.size.Events; {
		texts, err := g.event(n, made, g.size.Events-made)
		if err != nil {
			return err
		}
		made += texts
	}
	if err := g.write("freebusy", freebusy.New(freebusy.Plain, g.records...).Append(nil)); err != nil {
		return err
	}
	if g.requests.Len() > 0 {
		return g.write("requests", g.requests.Bytes())
	}
	return nil
}

// kinds of events are drawn with these shares, in percent.
const (
	recurring  = 10 // every one of them a series
	invited    = 30 // organised by somebody else
	cancelled  = 5
	declined   = 10 // of the invitations
	unanswered = 10 // of the invitations
)

// event makes an event, or a series with occurrences of its own: at most so many texts.
// It returns how many.
func (g *generator) event(n, made, most int) (texts int, err error) {
	uid := fmt.Sprintf("%08x-%d-%d@example.com", g.random.Uint32(), n, made)
	start := Now.Truncate(24*time.Hour).AddDate(0, 0, g.random.IntN(120)-60).Add(time.Duration(8+g.random.IntN(10)) * time.Hour)
	e := draft{
		uid: uid, start: start, length: time.Duration(1+g.random.IntN(4)) * 30 * time.Minute,
		user: g.user, organizer: g.user, status: "ACCEPTED", stamp: Now.AddDate(0, 0, -70),
	}
	if g.random.IntN(100) < invited {
		e.organizer = User(g.random.IntN(max(g.size.Users, 2)))
		switch d := g.random.IntN(100); {
		case e.organizer == g.user:
		case d < declined:
			e.status = "DECLINED"
		case d < declined+unanswered:
			e.status = "NEEDS-ACTION"
			e.start = e.start.AddDate(0, 0, 61) // to come, or it would have been removed from the queue
		}
	}
	id := stores.ID{UID: uid}
	switch {
	case g.random.IntN(100) < cancelled:
		return 1, g.text("cancellations/objects/"+uid, e)
	case e.status == "ACCEPTED" && g.random.IntN(100) < recurring:
		e.rule = fmt.Sprintf("FREQ=WEEKLY;COUNT=%d", 4+g.random.IntN(20))
		if g.random.IntN(2) == 0 {
			e.rule = "FREQ=WEEKLY"
		}
		return g.series(id, e, most)
	case e.status == "NEEDS-ACTION":
		fmt.Fprintf(&g.requests, "%s\t\t\n", uid)
	}
	if err := g.text("objects/"+uid, e); err != nil {
		return 0, err
	}
	return 1, g.record(id, e, nil)
}

// series makes a recurring event, with its second occurrence moved and its third
// cancelled, if there is room for that.
func (g *generator) series(id stores.ID, e draft, most int) (texts int, err error) {
	if err := g.text("objects/"+id.UID, e); err != nil {
		return 0, err
	}
	texts = 1
	var separate []time.Time
	for i, dir := range []string{"recurrences", "cancellations/recurrences"} {
		if texts == most || g.random.IntN(2) == 0 {
			continue
		}
		at := e.start.AddDate(0, 0, 7*(i+1))
		occurrence := e
		occurrence.rule, occurrence.recurrence, occurrence.start = "", at, at.Add(2*time.Hour)
		name := at.Format(utcForm)
		if err := makeDir(filepath.Join(g.dir, dir, id.UID)); err != nil {
			return 0, err
		}
		if err := g.text(dir+"/"+id.UID+"/"+name, occurrence); err != nil {
			return 0, err
		}
		separate = append(separate, at)
		texts++
		if dir == "recurrences" {
			if err := g.record(stores.ID{UID: id.UID, RecurrenceID: name}, occurrence, nil); err != nil {
				return 0, err
			}
		}
	}
	return texts, g.record(id, e, separate)
}

// record notes the free/busy of an event, without the occurrences that stand apart.
func (g *generator) record(id stores.ID, e draft, separate []time.Time) error {
	object, err := calendar.DecodeObject(e.text())
	if err != nil {
		return err
	}
	expect := itip.Expect(object, g.user)
	if len(expect.Transps) == 0 || e.status == "NEEDS-ACTION" {
		return nil
	}
	series := itip.NewSeries(id, object)
	times, err := series.Times(calendar.PeriodOptions{Zone: time.UTC, Now: Now, Until: Now.AddDate(0, 0, 100)})
	for _, p := range series.Records(times.Spans, expect.Transp(), time.Time{}) {
		if !slices.ContainsFunc(separate, p.Start.Equal) {
			g.records = append(g.records, p)
		}
	}
	return err
}

func (g *generator) text(name string, e draft) error {
	object, err := calendar.DecodeObject(e.text())
	if err != nil {
		return err
	}
	return g.write(name, object.Encode())
}

func (g *generator) write(name string, content []byte) error {
	path := filepath.Join(g.dir, name)
	if err := os.WriteFile(path, content, 0o660); err != nil {
		return err
	}
	return os.Chmod(path, 0o660)
}

func makeDir(path string) error {
	if err := os.MkdirAll(path, 0o770); err != nil {
		return err
	}
	return os.Chmod(path, fs.ModeSetgid|0o770)
}

const utcForm = "20060102T150405Z"

// draft is an event to be made.
type draft struct {
	uid             string
	user, organizer calendar.URI
	status          string // of the user's participation
	start           time.Time
	length          time.Duration
	stamp           time.Time
	rule            string
	recurrence      time.Time // zero: the whole event
}

// text returns the event as mail clients write it: some 700 octets.
func (e draft) text() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("BEGIN:VEVENT")
	line("UID:%s", e.uid)
	line("DTSTAMP:%s", e.stamp.Format(utcForm))
	line("CREATED:%s", e.stamp.Format(utcForm))
	line("SEQUENCE:0")
	if !e.recurrence.IsZero() {
		line("RECURRENCE-ID:%s", e.recurrence.Format(utcForm))
	}
	line("DTSTART:%s", e.start.Format(utcForm))
	line("DTEND:%s", e.start.Add(e.length).Format(utcForm))
	if e.rule != "" {
		line("RRULE:%s", e.rule)
	}
	line("SUMMARY:Meeting about %s", e.uid[:8])
	line("LOCATION:Room %s", e.uid[:2])
	line("DESCRIPTION:What there is to be talked about is written down before the meeting\\, and")
	line(" what came of it afterwards.\\nPlease be there in time.")
	line("ORGANIZER;CN=Organizer:%s", e.organizer)
	if e.user != e.organizer {
		line("ATTENDEE;CN=Organizer;PARTSTAT=ACCEPTED:%s", e.organizer)
	}
	line("ATTENDEE;CN=User;PARTSTAT=%s;RSVP=TRUE:%s", e.status, e.user)
	line("ATTENDEE;CN=Somebody;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT:mailto:somebody@example.org")
	line("STATUS:CONFIRMED")
	line("TRANSP:OPAQUE")
	line("END:VEVENT")
	return b.Bytes()
}
