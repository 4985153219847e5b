package crash

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	filestore "imip-agent/stores/file"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/compat"
	"imip-agent/tests/mailbox"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// TestResourcesAtOnce has organizers ask for a room, with and without a quota, and for one of five, all at once, while the programs that
// handle it are killed at random moments. Each message is handed in until it is done, as mail systems do. In the end no
// room is booked twice, each request has one answer, and what was answered is what stands in the tables.
func TestResourcesAtOnce(t *testing.T) {
	skip.OnOtherDays(t)
	t.Parallel() // programs that are killed are waited for
	requests, organizers := 24, 6
	if full {
		requests, organizers = 200, 20
	}
	for _, kind := range []string{"files", "database"} {
		t.Run(kind, func(t *testing.T) {
			t.Run("one room", func(t *testing.T) {
				b := newBookings(t, kind, 1, "schedule_in_freebusy")
				// The second half collides with the first one.
				for i := range requests {
					at := soon.Add(time.Duration(i%(requests/2)) * 2 * time.Hour)
					if i >= requests/2 {
						at = at.Add(30 * time.Minute)
					}
					b.ask(i%organizers, at)
				}
				b.run()
				b.check()
				b.checkDeclined()
			})
			t.Run("one room with a quota", func(t *testing.T) {
				b := newBookings(t, kind, 1, "schedule_in_freebusy\ncheck_quota "+allRooms+"\nschedule_across_quota mailto:organizers@example.com")
				for i := range requests {
					b.ask(i%organizers, soon.Add(time.Duration(i%(requests/2))*90*time.Minute/2))
				}
				b.run()
				b.check()
			})
			t.Run("one of five", func(t *testing.T) {
				b := newBookings(t, kind, 5, "schedule_for_delegate "+allRooms+"\nschedule_in_freebusy")
				for i := range requests {
					b.ask(i%organizers, soon.Add(time.Duration(i%(requests/4))*90*time.Minute/2))
				}
				b.run()
				b.check()
			})
		})
	}
}

const (
	allRooms = "mailto:rooms@example.com" // a quota
	// guestHours are how many hours all guests have together. Staff may have what they want.
	guestHours = 5
)

// bookings are requests of organizers for an hour in the first of some rooms, and what becomes of them.
type bookings struct {
	t       *testing.T
	room    compat.Room
	rooms   []calendar.URI
	words   []string // of the command line
	sink    *mailbox.Server
	store   stores.Store
	journal stores.Journal
	quota   bool

	asked  []asked
	killer killer

	running atomic.Int64
	failed  atomic.Bool
}

// asked is a request.
type asked struct {
	uid, organizer string // the organizer is an address
	at             time.Time
	message        []byte
}

func newBookings(t *testing.T, kind string, rooms int, functions string) *bookings {
	t.Helper()
	b := &bookings{t: t, quota: strings.Contains(functions, allRooms), killer: killer{random: rand.New(rand.NewPCG(1, 1)), within: time.Second}}
	prefs := compat.Tree{}
	var delegates [][]string
	for i := range rooms {
		uri := calendar.URI(fmt.Sprintf("mailto:room%d@example.com", i))
		b.rooms = append(b.rooms, uri)
		prefs[string(uri)+"/scheduling_function"] = functions
		delegates = append(delegates, []string{string(uri)})
	}
	b.room = compat.Room(tempDir(t))
	must(t, b.room.Furnish(&compat.Conversation{Preferences: prefs, Initial: compat.Tree{}}))
	var err error
	b.sink, err = mailbox.SMTP()
	must(t, err)
	t.Cleanup(b.sink.Close)
	must(t, program.Settings(b.room, "SMTP_HOST = '"+b.sink.Place+"'\nLOCK_TIMEOUT = 3600\nDEADLINE = 3600\n"))
	b.openStores(kind)
	if b.quota {
		must(t, b.journal.Update(t.Context(), allRooms, func(tx stores.JournalTx) error {
			var groups [][]string
			for i := range 20 {
				groups = append(groups, []string{"mailto:" + organizer(i), []string{"staff", "guests"}[i%2]})
			}
			for name, lines := range map[string][][]string{
				"limits": {{"staff", "*"}, {"guests", fmt.Sprintf("PT%dH", guestHours)}}, "groups": groups, "delegates": delegates,
			} {
				if err := tx.SetList(name, lines); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return b
}

func organizer(i int) string { return fmt.Sprintf("organizer%d@example.com", i) }

// openStores opens the store and the journal, which the programs use, too.
func (b *bookings) openStores(kind string) {
	b.t.Helper()
	if kind == "files" {
		store, err := filestore.Open(filestore.Options{Dir: b.room.Store(), LockTimeout: time.Minute})
		must(b.t, err)
		journal, err := filestore.OpenJournal(filestore.Options{Dir: b.room.Journal(), LockTimeout: time.Minute})
		must(b.t, err)
		b.store, b.journal = store, journal
	} else {
		options := postgresql.Options{ConnInfo: postgresqltest.Database(b.t), LockTimeout: time.Minute}
		store, err := postgresql.Open(b.t.Context(), options)
		must(b.t, err)
		journal, err := postgresql.OpenJournal(b.t.Context(), options)
		must(b.t, err)
		_, err = store.CreateSchema(b.t.Context())
		must(b.t, err)
		_, err = journal.CreateSchema(b.t.Context())
		must(b.t, err)
		b.store, b.journal = store, journal
		b.words = []string{"-T", "postgresql", "-S", options.ConnInfo, "-j", options.ConnInfo}
	}
	b.t.Cleanup(func() {
		b.store.Close()
		b.journal.Close()
	})
}

// ask adds a request for an hour in the first room.
func (b *bookings) ask(from int, at time.Time) {
	a := asked{uid: fmt.Sprintf("asked-%d", len(b.asked)), organizer: organizer(from), at: at}
	a.message = fmt.Appendf(nil, "From: %s\r\nMessage-ID: <%s@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n"+
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example.com//test//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:%[2]s\r\nSEQUENCE:0\r\nDTSTAMP:%[3]s\r\n"+
		"DTSTART:%[4]s\r\nDURATION:PT1H\r\nSUMMARY:Meeting\r\nORGANIZER:mailto:%[1]s\r\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:%[5]s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		a.organizer, a.uid, form(today), form(at), b.rooms[0])
	b.asked = append(b.asked, a)
}

func form(at time.Time) string { return at.UTC().Format("20060102T150405Z") }

// run has all requests handled at once, what rooms send to rooms as soon as it comes, and then each third once more.
func (b *bookings) run() {
	b.t.Helper()
	for _, a := range b.asked {
		b.start(b.rooms[0], a.message)
	}
	b.pass(0)
	before := b.tables()
	seen := len(b.sink.Taken())
	for i, a := range b.asked {
		if i%3 == 0 {
			b.start(b.rooms[0], a.message)
		}
	}
	b.pass(seen)
	if taken := len(b.sink.Taken()); taken != seen {
		b.t.Errorf("%d mails were sent for messages that were done", taken-seen)
	}
	if after := b.tables(); !slices.Equal(before, after) {
		b.t.Errorf("messages that were done have changed\n%s\nto\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	b.t.Logf("%d programs killed", b.killer.killed)
	if b.failed.Load() {
		b.t.FailNow()
	}
}

// pass hands in the mails for rooms, after those that were seen, until nothing is done any more.
func (b *bookings) pass(seen int) {
	for {
		idle := b.running.Load() == 0
		if idle {
			b.sink.Settle()
		}
		taken := b.sink.Taken()
		if idle && seen == len(taken) {
			return
		}
		for ; seen < len(taken); seen++ {
			if to := calendar.NewURI(taken[seen].To); slices.Contains(b.rooms, to) {
				b.start(to, []byte(taken[seen].Text))
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// manyTries are how often at most a message is handed in.
const manyTries = 1000

// start has a message for a room handled until it is done.
func (b *bookings) start(room calendar.URI, message []byte) {
	b.running.Add(1)
	words := append([]string{"-o", room.Address()}, b.words...)
	go func() {
		defer b.running.Add(-1)
		for range manyTries {
			cmd, stderr := program.Command(resourcePath, today, b.room, message, words...)
			status, err := b.killer.run(cmd)
			switch {
			case err != nil:
				b.t.Error(err)
				b.failed.Store(true)
				return
			case status == 0:
				return
			case status > 0 && status != 75:
				b.t.Errorf("status %d: %s", status, stderr)
				b.failed.Store(true)
				return
			}
			time.Sleep(20 * time.Millisecond) // a database takes so many at a time only
		}
		b.t.Errorf("a message for %s is not done", room)
		b.failed.Store(true)
	}()
}

// killer kills some programs at random moments, and learns how long they take.
type killer struct {
	mu     sync.Mutex
	random *rand.Rand
	within time.Duration
	killed int
}

// run runs a program, and returns its status, which is negative if it was killed.
func (k *killer) run(cmd *exec.Cmd) (status int, err error) {
	k.mu.Lock()
	kills, moment := k.random.IntN(5) < 2, time.Duration(k.random.Int64N(int64(k.within)))
	k.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if kills {
		timer := time.AfterFunc(moment, func() { _ = cmd.Process.Signal(syscall.SIGKILL) }) // it may have ended
		defer timer.Stop()
	}
	status = program.Status(cmd, cmd.Wait())
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case status < 0:
		k.killed++
		k.within = k.within * 6 / 5
	case kills:
		k.within = max(k.within*2/3, time.Millisecond)
	}
	return status, nil
}

// own returns a room's own free/busy.
func (b *bookings) own(room calendar.URI) (records []freebusy.Period) {
	b.t.Helper()
	must(b.t, b.store.View(b.t.Context(), room, func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{Kind: stores.Own})
		if err == nil {
			records = slices.Collect(table.All())
		}
		return err
	}))
	return records
}

// booked returns what a group has booked.
func (b *bookings) booked(group calendar.URI) (records []freebusy.Period) {
	b.t.Helper()
	must(b.t, b.journal.View(b.t.Context(), allRooms, func(tx stores.JournalTx) error {
		table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: group})
		if err == nil {
			records = slices.Collect(table.All())
		}
		return err
	}))
	return records
}

// tables returns all that is booked.
func (b *bookings) tables() (lines []string) {
	b.t.Helper()
	add := func(name string, records []freebusy.Period) {
		for _, p := range records {
			lines = append(lines, fmt.Sprintf("%s: %s %s-%s %s", name, p.UID, form(p.Start), form(p.End), p.Attendee))
		}
	}
	for _, room := range b.rooms {
		add(string(room), b.own(room))
	}
	if b.quota {
		add("guests", b.booked("guests"))
		add("staff", b.booked("staff"))
	}
	slices.Sort(lines)
	return lines
}

// answers returns what the organizer of a request was answered by each room: "ACCEPTED", "DECLINED" or "DELEGATED" and the
// delegate. A mail that a server has taken from a program that was killed before it could note that comes twice, and is the
// same then.
func (b *bookings) answers() (byUID map[string]map[string]string) {
	b.t.Helper()
	byUID = map[string]map[string]string{}
	texts := map[string]string{}
	twice := 0
	for _, m := range b.sink.Taken() {
		if slices.Contains(b.rooms, calendar.NewURI(m.To)) {
			continue
		}
		text := strings.ReplaceAll(strings.ReplaceAll(m.Text, "\r\n ", ""), "\r\n", "\n")
		_, after, _ := strings.Cut(text, "\nUID:")
		uid, _, _ := strings.Cut(after, "\n")
		_, after, _ = strings.Cut(text, "\nATTENDEE;")
		attendee, _, _ := strings.Cut(after, "\n")
		i := strings.LastIndex(attendee, ":mailto:")
		if i < 0 || uid == "" {
			b.t.Fatalf("no answer: %s", text)
		}
		room := attendee[i+1:]
		parameters := map[string]string{}
		for word := range strings.SplitSeq(attendee[:i], ";") {
			name, value, _ := strings.Cut(word, "=")
			parameters[name] = strings.Trim(value, `"`)
		}
		status := strings.TrimSpace(parameters["PARTSTAT"] + " " + parameters["DELEGATED-TO"])
		key := m.To + " " + uid + " " + room
		if former, ok := texts[key]; ok {
			twice++
			if former != m.Text {
				b.t.Errorf("%s: two answers:\n%s\n%s", key, former, m.Text)
			}
		}
		texts[key] = m.Text
		if byUID[uid] == nil {
			byUID[uid] = map[string]string{}
		}
		byUID[uid][room] = status
		if n, err := strconv.Atoi(strings.TrimPrefix(uid, "asked-")); err != nil || n >= len(b.asked) || b.asked[n].organizer != m.To {
			b.t.Errorf("%s is answered about %s", m.To, uid)
		}
	}
	if twice > b.killer.killed {
		b.t.Errorf("%d mails came twice, and %d programs were killed", twice, b.killer.killed)
	}
	return byUID
}

// check checks the answers and the tables.
func (b *bookings) check() {
	b.t.Helper()
	answers := b.answers()
	var want []string
	counts := map[string]int{}
	for i, a := range b.asked {
		room, group := string(b.rooms[0]), []string{"staff", "guests"}[organizerNumber(a)%2]
		status := answers[a.uid][room]
		delegated, isDelegated := strings.CutPrefix(status, "DELEGATED ")
		number := 1
		if isDelegated {
			counts["DELEGATED"]++
			room, number = delegated, 2
			status = answers[a.uid][room]
		}
		counts[status]++
		if status != "ACCEPTED" && status != "DECLINED" || len(answers[a.uid]) != number {
			b.t.Errorf("request %d: answers %v", i, answers[a.uid])
		}
		if status == "ACCEPTED" {
			record := fmt.Sprintf(": %s %s-%s ", a.uid, form(a.at), form(a.at.Add(time.Hour)))
			want = append(want, room+record)
			if b.quota {
				want = append(want, group+record+room)
			}
		}
	}
	b.t.Log(counts)
	slices.Sort(want)
	if got := b.tables(); !slices.Equal(got, want) {
		b.t.Errorf("booked\n%s\nanswered\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if counts["ACCEPTED"] == 0 || counts["DECLINED"] == 0 || len(b.rooms) > 1 && counts["DELEGATED"] == 0 {
		b.t.Errorf("answers %v", counts)
	}
	for _, room := range b.rooms {
		records := b.own(room)
		for i, p := range records {
			for _, other := range records[:i] {
				if p.Start.Before(other.End) && other.Start.Before(p.End) {
					b.t.Errorf("%s is booked twice: %v, %v", room, other, p)
				}
			}
		}
	}
	if b.quota {
		sum := time.Duration(0)
		for _, p := range b.booked("guests") {
			sum += p.End.Sub(p.Start)
		}
		if sum > guestHours*time.Hour {
			b.t.Errorf("guests have booked %v", sum)
		}
	}
}

func organizerNumber(a asked) int {
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(a.organizer, "organizer"), "@example.com"))
	return n
}

// checkDeclined checks that what is declined collides with what is booked: nothing was ever given up.
func (b *bookings) checkDeclined() {
	b.t.Helper()
	answers := b.answers()
	records := b.own(b.rooms[0])
	for _, a := range b.asked {
		collides := slices.ContainsFunc(records, func(p freebusy.Period) bool {
			return p.UID != a.uid && p.Start.Before(a.at.Add(time.Hour)) && a.at.Before(p.End)
		})
		if answers[a.uid][string(b.rooms[0])] == "DECLINED" && !collides {
			b.t.Errorf("%s is declined, and the room is free", a.uid)
		}
	}
}
