package hard

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	post "imip-agent/handlers/deliver"
	"imip-agent/handlers/mail"
	"imip-agent/handlers/person"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
	"imip-agent/tests/mailbox"
	"imip-agent/tests/skip"
)

// TestRealMailReceived hands those mails to each of their recipients, each with an empty store: each mail must get to the
// mailbox once, byte for byte where nothing was done, and as it came inside a summary where something was.
func TestRealMailReceived(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "eml")
	if _, err := os.Stat(dir); err != nil {
		skip.Because(t, "no collection of real mails beside the project, in ../shared")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	base := tempDir(t)
	box, err := mailbox.LMTP(filepath.Join(base, "lmtp"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(box.Close)
	others, err := mailbox.SMTP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(others.Close)
	got := make(map[string]string)
	for _, file := range files {
		name, _ := filepath.Rel(dir, file)
		name = filepath.ToSlash(name)
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := newRoom(t, filepath.Join(base, strings.ReplaceAll(name, "/", "-")), nil, nil)
		box.Forget()
		others.Forget()
		got[name] = strings.Join(r.receive(t, content, box, others), " | ")
	}
	if diff := cmp.Diff(realMailReceived, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// receivers returns for whom a mail is, in the order of their addresses: whom its header names, and whom the calendars in
// it name.
func receivers(t *testing.T, content []byte) []string {
	t.Helper()
	fields, err := mail.ReadFields(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	all := fields.Addresses("To", "Cc")
	m, err := mail.Read(bytes.NewReader(content), int64(len(content)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range m.Parts {
		calendars, _ := calendar.Decode(part.Text)
		for _, c := range calendars {
			for _, e := range c.Events {
				if e.Object == nil {
					continue
				}
				organizer, _ := e.Object.Organizer()
				all = append(all, organizer.Address())
				for _, a := range e.Object.Attendees() {
					all = append(all, a.URI.Address())
				}
			}
			for _, f := range c.FreeBusy {
				if f.FreeBusy != nil {
					all = append(all, f.FreeBusy.Organizer.URI.Address())
					for _, a := range f.FreeBusy.Attendees {
						all = append(all, a.URI.Address())
					}
				}
			}
		}
	}
	all = slices.DeleteFunc(all, func(address string) bool { return !strings.Contains(address, "@") })
	if len(all) == 0 {
		return []string{"somebody@example.com"}
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return slices.CompactFunc(all, strings.EqualFold)
}

var method = regexp.MustCompile(`method=(\w+)`)

// receive hands a mail in, twice, and says what became of it, for each of those who receive it.
func (r *room) receive(t *testing.T, content []byte, box, others *mailbox.Server) (verdicts []string) {
	t.Helper()
	users := receivers(t, content)
	local, err := post.LMTPServer(box.Place)
	if err != nil {
		t.Fatal(err)
	}
	away, err := post.SMTPServer(others.Place)
	if err != nil {
		t.Fatal(err)
	}
	h := &person.Handler{Handler: arrival.Handler{
		Pipeline: handlers.Pipeline{
			Store: r.handler.Store, Rejected: r.aside, Sender: r.handler.Sender, Log: r.handler.Log, Now: r.handler.Now,
			Preferences: &preferences.Dir{
				Path: r.Preferences(), Defaults: preferences.Defaults{Sharing: "share", Refreshing: "always", AddResponse: "refresh"}, SystemZone: "UTC",
			},
			MessageLimit: 32 << 20, PeriodLimit: 50000,
		},
		Recipients: users, Mailbox: local, Others: away, Spool: string(r.Room),
	}}
	for range 2 {
		if err := h.Handle(t.Context(), bytes.NewReader(content)); err != nil {
			t.Errorf("%s: %v", users, err)
		}
	}
	wire := strings.TrimSuffix(strings.ReplaceAll(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n", "\r\n"), "\r\n") + "\r\n"
	for _, user := range users {
		var said []string
		for _, m := range box.Taken() {
			switch {
			case m.To != user:
			case m.Text == wire:
				said = append(said, "as it came")
			case strings.Contains(m.Text, "\r\n"+mail.InfoField+": info\r\n") && strings.Contains(m.Text, "\r\n\r\n"+strings.TrimSuffix(wire, "\r\n")):
				said = append(said, "summary")
			default:
				said = append(said, "altered")
			}
		}
		records := 0
		for _, line := range r.outcome(t) {
			of, what, _ := strings.Cut(line, " ")
			switch {
			case of != "mailto:"+user, strings.HasPrefix(what, "__"):
			case strings.HasPrefix(what, "freebusy"):
				records++
			default:
				said = append(said, what)
			}
		}
		if records > 0 {
			said = append(said, strings.Repeat("+", records))
		}
		verdicts = append(verdicts, user+": "+strings.Join(said, ", "))
	}
	for _, line := range r.outcome(t) {
		if strings.HasPrefix(line, "rejected: ") {
			verdicts = append(verdicts, line)
		}
	}
	for _, m := range others.Taken() {
		verdicts = append(verdicts, fmt.Sprintf("answer to %s: %s", m.To, method.FindStringSubmatch(m.Text)[1]))
	}
	return verdicts
}
