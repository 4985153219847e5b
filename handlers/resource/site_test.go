package resource_test

import (
	"bytes"
	"cmp"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/arrival/arrivaltest"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/resource"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
	"imip-agent/tests/mailbox"
)

const (
	paul   = "paul.boddie@example.com"
	harvey = "harvey.horse@example.com"
	room   = "room@example.com"
	attic  = "attic@example.com"
	system = "calendar@example.com"

	rooms = "mailto:rooms@example.com" // a quota
)

// site is a handler over a store of its own, between a mailbox server and a mail server.
type site struct {
	*resource.Handler
	t               *testing.T
	dir             string
	log             bytes.Buffer
	mailbox, others *mailbox.Server
	settings        preferences.Preferences // everybody's
	broken          error                   // why preferences cannot be read
	now             time.Time
	quota           string // of which list writes; "": that of all rooms
}

func (s *site) Load(calendar.URI) (preferences.Preferences, error) { return s.settings, s.broken }

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), settings: preferences.Preferences{Zone: time.UTC, WindowSize: 100}, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	var err error
	must := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.mailbox, err = mailbox.LMTP(filepath.Join(s.dir, "lmtp"))
	must()
	t.Cleanup(s.mailbox.Close)
	s.others, err = mailbox.SMTP()
	must()
	t.Cleanup(s.others.Close)
	now := func() time.Time { return s.now }
	aside := &rejected.Dir{Path: filepath.Join(s.dir, "rejected"), Max: 10, Now: now}
	store, err := file.Open(file.Options{
		Dir: filepath.Join(s.dir, "store"), PublishDir: filepath.Join(s.dir, "static"),
		LockTimeout: time.Minute, Now: now, Rejected: aside,
	})
	must()
	t.Cleanup(func() { store.Close() })
	others, err := deliver.SMTPServer(s.others.Place)
	must()
	s.Handler = &resource.Handler{
		Handler: arrival.Handler{
			Pipeline: handlers.Pipeline{
				Store: store, Preferences: s, Rejected: aside, Sender: "mailto:" + system,
				Log: slog.New(slog.NewTextHandler(&s.log, nil)), Now: now, MessageLimit: 1 << 20, PeriodLimit: 1000,
			},
			Others: others, Spool: s.dir,
		},
	}
	journal, err := file.OpenJournal(file.Options{Dir: filepath.Join(s.dir, "journal"), LockTimeout: time.Minute, Now: now, Rejected: aside})
	must()
	t.Cleanup(func() { journal.Close() })
	s.Journal = func() (stores.Journal, error) { return journal, nil }
	return s
}

// withMailbox has what is not handled get to a mailbox.
func (s *site) withMailbox() *site {
	s.t.Helper()
	box, err := deliver.LMTPServer(s.mailbox.Place)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Mailbox = box
	return s
}

// handle hands in a message for a resource, which must end well, and returns what is answered to it.
func (s *site) handle(text, recipient string) (answers []string) {
	s.t.Helper()
	before := len(s.others.Taken())
	if err := s.try(text, recipient); err != nil {
		s.t.Fatalf("%v\n%s", err, &s.log)
	}
	for _, m := range s.others.Taken()[before:] {
		answers = append(answers, m.To+" "+said(m.Text))
	}
	slices.Sort(answers)
	return answers
}

func (s *site) try(text, recipient string) error {
	s.Recipients = []string{recipient}
	return s.Handle(s.t.Context(), strings.NewReader(text))
}

// said describes an answer: its method, what it says of its first attendee, and when it is.
func said(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n ", ""), "\r\n", "\n")
	value := func(name string) string {
		_, after, _ := strings.Cut(text, "\n"+name+":")
		found, _, _ := strings.Cut(after, "\n")
		return found
	}
	out := value("METHOD")
	if _, after, ok := strings.Cut(text, "PARTSTAT="); ok {
		status, _, _ := strings.Cut(after, ";")
		status, _, _ = strings.Cut(status, ":")
		out += " " + status
	}
	if start := value("DTSTART"); start != "" {
		out += " " + start[6:13]
	}
	return out
}

// stored describes a resource's records: texts by their paths, tables by their records.
func (s *site) stored(user string) (all []string) {
	s.t.Helper()
	root := filepath.Join(s.dir, "store", "mailto:"+user)
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err):
			return nil
		case err == nil && entry.Name() == "__outbox__":
			return filepath.SkipDir
		case err != nil || entry.IsDir():
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || len(text) == 0 {
			return err
		}
		name, _ := filepath.Rel(root, path)
		if !strings.HasPrefix(name, "freebusy") {
			all = append(all, name)
			return nil
		}
		for line := range strings.Lines(string(text)) {
			columns := strings.Split(line, "\t")
			all = append(all, name+" "+columns[0][6:13]+" "+columns[2])
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// list writes a list of a quota.
func (s *site) list(name string, lines ...string) {
	s.t.Helper()
	dir := filepath.Join(s.dir, "journal", cmp.Or(s.quota, rooms))
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(append(lines, ""), "\n")), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// booked describes what a group has booked: when, what, and in which resource.
func (s *site) booked(group string) (all []string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "journal", rooms, "freebusy-other", group))
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		all = append(all, columns[0][6:13]+" "+columns[2]+" "+strings.TrimPrefix(columns[7], "mailto:"))
	}
	return all
}

// left returns how many mails are left in the outbox of a resource.
func (s *site) left(user string) (left int) {
	s.t.Helper()
	all, err := s.Store.Letters(s.t.Context(), calendar.URI("mailto:"+user))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range all {
		left += l.Left
	}
	return left
}

// message returns a mail with one calendar part.
func message(from, method string, components ...string) string {
	return "From: " + from + "\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=" + method + "; charset=utf-8\r\n\r\n" +
		arrivaltest.Calendar(method, components...)
}

// request is a REQUEST of paul's to the room.
func request(lines ...string) string { return message(paul, "REQUEST", event(lines...)) }

// event returns a VEVENT of paul's in the room with these lines besides what every one needs. A line "-NAME" leaves that out.
func event(lines ...string) string {
	defaults := []string{
		"UID:meeting", "DTSTAMP:20261122T110000Z", "ORGANIZER:mailto:" + paul, "SEQUENCE:0", "DTSTART:20261202T090000Z", "DURATION:PT1H", "SUMMARY:Meeting",
		"ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:" + room,
	}
	return arrivaltest.Component("VEVENT", lines, defaults)
}
