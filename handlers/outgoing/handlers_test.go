package outgoing_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/arrival/arrivaltest"
	"imip-agent/handlers/outgoing"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
)

const (
	paul    = "paul.boddie@example.com"
	vincent = "vincent.vole@example.com"
	system  = "calendar@example.com"
)

// site is a handler over a store of its own.
type site struct {
	*outgoing.Handler
	t   *testing.T
	dir string
	log bytes.Buffer
}

// set gives all users the same preferences.
type set struct{ preferences.Preferences }

func (s set) Load(calendar.URI) (preferences.Preferences, error) { return s.Preferences, nil }

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	now := func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	aside := &rejected.Dir{Path: filepath.Join(s.dir, "rejected"), Max: 10, Now: now}
	store, err := file.Open(file.Options{
		Dir: filepath.Join(s.dir, "store"), PublishDir: filepath.Join(s.dir, "static"),
		LockTimeout: time.Second, Now: now, Rejected: aside,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Handler = &outgoing.Handler{Pipeline: handlers.Pipeline{
		Store: store, Preferences: set{preferences.Preferences{Zone: time.UTC, WindowSize: 100}},
		Rejected: aside, Sender: "mailto:" + system,
		Log: slog.New(slog.NewTextHandler(&s.log, nil)), Now: now,
		MessageLimit: 1 << 20, PeriodLimit: 1000,
	}}
	return s
}

// handle hands in a message, which has to end well.
func (s *site) handle(text string) {
	s.t.Helper()
	if err := s.Handle(s.t.Context(), strings.NewReader(text)); err != nil {
		s.t.Fatal(err)
	}
}

// files returns what is below the directory, by path, without empty tables.
func (s *site) files(below string) map[string]string {
	s.t.Helper()
	found := make(map[string]string)
	root := filepath.Join(s.dir, below)
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		} else if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if len(text) > 0 {
			name, _ := filepath.Rel(root, path)
			found[name] = string(text)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// busy returns a user's free/busy table.
func (s *site) busy(user string) string {
	return s.files("store")["mailto:"+user+"/freebusy"]
}

// mail returns a message with one calendar part.
func message(from, method string, events ...string) string {
	return fmt.Sprintf("From: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=%s; charset=utf-8\r\n\r\n", from, method) +
		calendarOf(method, events...)
}

func calendarOf(method string, events ...string) string {
	return arrivaltest.Calendar(method, events...)
}

// event returns a VEVENT of paul's with these lines besides what every one needs.
func event(lines ...string) string {
	all := append([]string{"BEGIN:VEVENT"}, lines...)
	for name, line := range map[string]string{
		"UID": "UID:meeting", "DTSTAMP": "DTSTAMP:20261122T110000Z", "DTSTART": "DTSTART:20261202T090000Z",
		"DURATION": "DURATION:PT1H", "ORGANIZER": "ORGANIZER:mailto:" + paul, "SEQUENCE": "SEQUENCE:0",
	} {
		if !strings.Contains(strings.Join(lines, "\n"), name) {
			all = append(all, line)
		}
	}
	return strings.Join(append(all, "END:VEVENT", ""), "\r\n")
}

func TestSameEventInTwoParts(t *testing.T) {
	s := newSite(t)
	text := calendarOf("REQUEST", event("ATTENDEE:mailto:"+vincent))
	s.handle("From: " + paul + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
		"--x\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n" + text +
		"\r\n--x\r\nContent-Type: application/ics; method=REQUEST; name=invite.ics\r\n\r\n" + text + "\r\n--x--\r\n")
	if n := strings.Count(s.busy(paul), "\n"); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
	if n := strings.Count(s.log.String(), "msg=handled"); n != 1 {
		t.Errorf("handled %d times, want once", n)
	}
}

func TestBounceChangesNothing(t *testing.T) {
	s := newSite(t)
	s.handle("From: " + paul + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=x\r\n\r\n" +
		"--x\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n" +
		"\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n" + message(paul, "REQUEST", event()) + "\r\n--x--\r\n")
	if files := s.files("."); len(files) > 0 {
		t.Errorf("files were made: %v", files)
	}
}

// A message of which a part can never be handled is put aside, once, and the rest
// of it is handled.
func TestPutAside(t *testing.T) {
	good := event("UID:good")
	for name, test := range map[string]struct {
		text   string
		reason string
	}{
		"method":             {message(paul, "FORWARD", event()) + "\r\n", `the method "FORWARD" is not one of iTIP`},
		"control in UID":     {message(paul, "REQUEST", event("UID:a\tb"), good), "control"},
		"no start":           {message(paul, "REQUEST", event("DTSTART:soon"), good), "DTSTART"},
		"unreadable id":      {message(paul, "REQUEST", event("RECURRENCE-ID:soon"), good), "RECURRENCE-ID"},
		"user with a slash":  {message("a/b@example.com", "REQUEST", event()), "a/b@example.com"},
		"cut off":            {strings.TrimSuffix(message(paul, "REQUEST", good, event()), "END:VEVENT\r\nEND:VCALENDAR\r\n"), "END:VEVENT"},
		"not a calendar":     {message(paul, "REQUEST")[:120] + "\r\n\r\nhello\r\n", ""},
		"start of an answer": {message(paul, "REPLY", event("DTSTART:soon")), "DTSTART"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.handle(test.text)
			s.handle(test.text) // handed in again, it is not kept twice
			items, err := s.Rejected.List()
			if err != nil || len(items) != 1 {
				t.Fatalf("put aside %v, error %v, want one", items, err)
			}
			if !strings.Contains(items[0].Note.Reason, test.reason) {
				t.Errorf("the reason is %q, want it to say %q", items[0].Note.Reason, test.reason)
			}
			kept, err := os.ReadFile(items[0].Path)
			if err != nil || string(kept) != test.text {
				t.Errorf("kept %q, error %v, want the message as it came", kept, err)
			}
			if strings.Contains(test.text, good) && !strings.Contains(s.busy(paul), "good") {
				t.Error("the good event of the same message was not handled")
			}
			if !strings.Contains(test.text, good) && len(s.files("store")) > 0 {
				t.Errorf("something was stored: %v", s.files("store"))
			}
		})
	}
}

// failing is a store in which one user's records cannot be had.
type failing struct {
	stores.Store
	calls int
	fails int // so many of the first calls
	err   error
}

func (f *failing) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	f.calls++
	if f.calls <= f.fails {
		return f.err
	}
	return f.Store.Update(ctx, user, fn)
}

func TestTemporaryFailure(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		fails int
		calls int
	}{
		"one event does not stop the others":  {io.ErrShortWrite, 2, 3}, // both together, then each by itself
		"a lock that is held stops them, all": {fmt.Errorf("user: %w", stores.ErrLocked), 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			store := &failing{Store: s.Store, fails: test.fails, err: test.err}
			s.Store = store
			text := message(paul, "REQUEST", event("UID:first"), event("UID:second"))
			if err := s.Handle(t.Context(), strings.NewReader(text)); err == nil {
				t.Error("no error, so that the message would be lost")
			}
			if store.calls != test.calls {
				t.Errorf("%d times it was tried, want %d", store.calls, test.calls)
			}
			if test.calls > 1 && !strings.Contains(s.busy(paul), "second") {
				t.Error("the second event was not handled")
			}
			if files := s.files("rejected"); len(files) > 0 {
				t.Errorf("a temporary failure was put aside: %v", files)
			}
			s.handle(text)
			if n := strings.Count(s.busy(paul), "\n"); n != 2 {
				t.Errorf("%d records after the message was handed in again, want 2", n)
			}
		})
	}
}

func TestOverTheLimit(t *testing.T) {
	s := newSite(t)
	s.MessageLimit = 100
	text := message(paul, "REQUEST", event())
	unread := strings.NewReader(text)
	if err := s.Handle(t.Context(), unread); err != nil {
		t.Fatal(err)
	}
	if unread.Len() > 0 {
		t.Errorf("%d octets were not read", unread.Len())
	}
	s.handle(text) // handed in again, it is put aside once
	items, err := s.Rejected.List()
	if err != nil || len(items) != 1 || !strings.Contains(items[0].Note.Reason, "more than 100 octets of calendar data") {
		t.Fatalf("put aside: %+v, %v", items, err)
	}
	content, err := os.ReadFile(items[0].Path)
	if err != nil || string(content) != text {
		t.Errorf("put aside: %q, %v", content, err)
	}
	if files := s.files("."); len(files) != 2 {
		t.Errorf("files were made: %v", files)
	}
}

// An attachment does not count, whatever its size, and is not put aside either.
func TestAttachment(t *testing.T) {
	s := newSite(t)
	s.MessageLimit = 2000
	attachment := "--x\r\nContent-Type: video/mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("QUJDREVG\r\n", 1<<19)
	part := strings.TrimPrefix(message(paul, "REQUEST", event()), "From: "+paul+"\r\n")
	bad := "Content-Type: text/calendar; method=REQUEST\r\n\r\nrubbish\r\n"
	s.handle("From: " + paul + "\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
		attachment + "--x\r\n" + part + "\r\n--x\r\n" + bad + attachment + "--x--\r\n")
	if n := strings.Count(s.busy(paul), "\n"); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
	items, err := s.Rejected.List()
	if err != nil || len(items) != 1 || items[0].Size > 2<<20 || !strings.Contains(items[0].Note.Reason, "octets besides the calendars, such as attachments, are left out") {
		t.Errorf("put aside: %+v, %v", items, err)
	}
}

func TestUnreadableStoredObject(t *testing.T) {
	for method, wanted := range map[string]string{"REQUEST": "objects/meeting", "REPLY": "objects/meeting", "CANCEL": "cancellations/objects/meeting"} {
		t.Run(method, func(t *testing.T) {
			s := newSite(t)
			path := filepath.Join(s.dir, "store", "mailto:"+paul, "objects", "meeting")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("BEGIN:VEVENT\nUID:mee"), 0o644); err != nil {
				t.Fatal(err)
			}
			table := "20261202T090000Z\t20261202T100000Z\tmeeting\tOPAQUE\t\t\tmailto:" + paul + "\n"
			if err := os.WriteFile(filepath.Join(filepath.Dir(filepath.Dir(path)), "freebusy"), []byte(table), 0o644); err != nil {
				t.Fatal(err)
			}
			s.handle(message(paul, method, event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+paul)))
			if items, err := s.Rejected.List(); err != nil || len(items) != 1 {
				t.Errorf("put aside %v, error %v, want the unreadable object", items, err)
			}
			if s.files("store/mailto:" + paul)[wanted] == "" {
				t.Errorf("no %s among %v", wanted, s.files("store"))
			}
			if busy := s.busy(paul) != ""; busy == (method == "CANCEL") {
				t.Errorf("busy is %t after %s", busy, method)
			}
		})
	}
}

func TestAttendeeWhoCannotBeKept(t *testing.T) {
	s := newSite(t)
	other := "https://example.com/users/vincent"
	s.handle(message(paul, "REQUEST", event("RRULE:FREQ=DAILY;COUNT=3", "ATTENDEE;PARTSTAT=ACCEPTED:"+other, "ATTENDEE:mailto:"+paul)))
	s.handle(message(paul, "REPLY", event("RECURRENCE-ID:20261203T090000Z", "DTSTART:20261203T090000Z", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+paul)))
	if s.files("store/mailto:" + paul)["recurrences/meeting/20261203T090000Z"] == "" {
		t.Errorf("the occurrence is not stored: %v\n%s", s.files("."), s.log.String())
	}
	s.handle(message(paul, "CANCEL", event("ATTENDEE;PARTSTAT=ACCEPTED:"+other, "ATTENDEE:mailto:"+paul)))
	if s.busy(paul) != "" {
		t.Errorf("still busy: %s", s.busy(paul))
	}
	if files := s.files("rejected"); len(files) > 0 {
		t.Errorf("put aside: %v", files)
	}
}
