package person_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/arrival/arrivaltest"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/mail"
	"imip-agent/handlers/person"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
	"imip-agent/tests/mailbox"
)

const (
	paul    = "paul.boddie@example.com" // who organizes, as a rule
	vincent = "vincent.vole@example.com"
	harvey  = "harvey.horse@example.com"
	system  = "calendar@example.com"
)

// site is a handler over a store of its own, between a mailbox server and a mail server.
type site struct {
	*person.Handler
	t               *testing.T
	dir             string
	log             bytes.Buffer
	mailbox, others *mailbox.Server
	settings        preferences.Preferences // everybody's
	broken          error                   // why preferences cannot be read
}

func (s *site) Load(calendar.URI) (preferences.Preferences, error) { return s.settings, s.broken }

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), settings: preferences.Preferences{Zone: time.UTC, WindowSize: 100}}
	var err error
	if s.mailbox, err = mailbox.LMTP(filepath.Join(s.dir, "lmtp")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.mailbox.Close)
	if s.others, err = mailbox.SMTP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.others.Close)
	now := func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	aside := &rejected.Dir{Path: filepath.Join(s.dir, "rejected"), Max: 10, Now: now}
	store, err := file.Open(file.Options{
		Dir: filepath.Join(s.dir, "store"), PublishDir: filepath.Join(s.dir, "static"),
		LockTimeout: time.Second, Now: now, Rejected: aside,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	box, err := deliver.LMTPServer(s.mailbox.Place)
	if err != nil {
		t.Fatal(err)
	}
	others, err := deliver.SMTPServer(s.others.Place)
	if err != nil {
		t.Fatal(err)
	}
	s.Handler = &person.Handler{
		Handler: arrival.Handler{
			Pipeline: handlers.Pipeline{
				Store: store, Preferences: s, Rejected: aside, Sender: "mailto:" + system,
				Log: slog.New(slog.NewTextHandler(&s.log, nil)), Now: now, MessageLimit: 1 << 20, PeriodLimit: 1000,
			},
			Mailbox: box, Others: others, Spool: s.dir,
			Default: func() preferences.Preferences { return preferences.Preferences{Zone: time.UTC, WindowSize: 100} },
		},
		Link: func(id stores.ID) string {
			return strings.TrimSuffix("https://example.com/"+id.UID+"/"+id.RecurrenceID, "/")
		},
	}
	return s
}

// handle hands in a message for users, which must end well.
func (s *site) handle(text string, recipients ...string) {
	s.t.Helper()
	if err := s.try(text, recipients...); err != nil {
		s.t.Fatalf("%v\n%s", err, &s.log)
	}
}

func (s *site) try(text string, recipients ...string) error {
	s.Recipients = recipients
	return s.Handle(s.t.Context(), strings.NewReader(text))
}

// received describes what a user's mailbox has got, each mail in a word: "message" as one of the messages came, "wrapped" with
// a summary, "summary" alone.
func (s *site) received(user string, messages ...string) (forms []string) {
	s.t.Helper()
	for _, m := range s.mailbox.Taken() {
		if m.To != user {
			continue
		}
		form := "altered"
		isMessage := func(message string) bool { return m.Text == onTheWire(message) }
		switch {
		case slices.ContainsFunc(messages, isMessage):
			form = "message"
		case !strings.Contains(m.Text, "\r\n"+mail.InfoField+": info\r\n"):
		case slices.ContainsFunc(messages, func(message string) bool {
			return strings.Contains(m.Text, "Content-Type: message/rfc822\r\n") && strings.Contains(m.Text, "\r\n\r\n"+onTheWire(message))
		}):
			form = "wrapped"
		case !strings.Contains(m.Text, "message/rfc822"):
			form = "summary"
		}
		forms = append(forms, form)
	}
	return forms
}

// onTheWire returns a message as servers get it.
func onTheWire(message string) string {
	wire := strings.ReplaceAll(strings.ReplaceAll(message, "\r\n", "\n"), "\n", "\r\n")
	return strings.TrimSuffix(wire, "\r\n") + "\r\n"
}

var methodParameter = regexp.MustCompile(`method=([A-Z]+)`)

// answers describes what others have got: to whom, and the methods.
func (s *site) answers() (all []string) {
	s.t.Helper()
	for _, m := range s.others.Taken() {
		var methods []string
		for _, found := range methodParameter.FindAllStringSubmatch(m.Text, -1) {
			methods = append(methods, found[1])
		}
		if m.From != system {
			s.t.Errorf("an answer from <%s>", m.From)
		}
		all = append(all, m.To+" "+strings.Join(methods, "+"))
	}
	slices.Sort(all)
	return all
}

// stored describes a user's records: texts by their paths, tables by the number of their records, the queue
// by its entries.
func (s *site) stored(user string) (all []string) {
	s.t.Helper()
	root := filepath.Join(s.dir, "store", "mailto:"+user)
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if os.IsNotExist(err) || err == nil && entry.IsDir() {
			if err == nil && entry.Name() == "__outbox__" {
				return filepath.SkipDir
			}
			return nil
		} else if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || len(text) == 0 {
			return err
		}
		name, _ := filepath.Rel(root, path)
		switch {
		case strings.HasPrefix(name, "freebusy"):
			all = append(all, fmt.Sprintf("%s %d", name, bytes.Count(text, []byte("\n"))))
		case name == "requests":
			for line := range strings.Lines(string(text)) {
				all = append(all, strings.TrimSpace("requests "+strings.Join(strings.Fields(line), " ")))
			}
		default:
			all = append(all, name)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// outbox describes a user's letters: how many there are, and how many mails are left in them.
func (s *site) outbox(user string) (letters, left int) {
	s.t.Helper()
	all, err := s.Store.Letters(s.t.Context(), calendar.URI("mailto:"+user))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range all {
		left += l.Left
	}
	return len(all), left
}

// aside returns why something was put aside.
func (s *site) aside() (reasons []string) {
	s.t.Helper()
	items, err := s.Rejected.List()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, item := range items {
		reasons = append(reasons, item.Note.Reason)
	}
	return reasons
}

// message returns a mail with one calendar part, and fields in its header.
func message(from, method string, fields []string, components ...string) string {
	return "From: " + from + "\r\nMessage-ID: <1@example.com>\r\n" + strings.Join(append(fields, ""), "\r\n") +
		"MIME-Version: 1.0\r\nContent-Type: text/calendar; method=" + method + "; charset=utf-8\r\n\r\n" + calendarOf(method, components...)
}

func calendarOf(method string, components ...string) string {
	return arrivaltest.Calendar(method, components...)
}

// event returns a VEVENT of paul's with these lines besides what every one needs. A line "-NAME" leaves that out.
func event(lines ...string) string { return component("VEVENT", lines) }

func component(kind string, lines []string) string {
	defaults := []string{"UID:meeting", "DTSTAMP:20261122T110000Z", "ORGANIZER:mailto:" + paul}
	if kind == "VEVENT" {
		defaults = append(defaults, "SEQUENCE:0", "DTSTART:20261202T090000Z", "DURATION:PT1H", "SUMMARY:Meeting")
	}
	return arrivaltest.Component(kind, lines, defaults)
}

func attends(user, status string) string {
	return "ATTENDEE;PARTSTAT=" + status + ":mailto:" + user
}
