package check_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/outgoing"
	"imip-agent/handlers/person"
	"imip-agent/handlers/resource"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// tempDir returns a directory for a test, in memory if possible: what is synced takes long
// on a disk.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "imip-agent-check-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// place is a room with our handler and a checker at work in it.
type place struct {
	instead io.Writer // of mails; nil: they are handed over
	compat.Room
	store *file.Store
	now   time.Time
	kept  string // where the quarantine is; empty: beside the store
	limit int    // of free/busy records of one event; 0: the default
}

func newPlace(t testing.TB, room compat.Room) *place {
	t.Helper()
	p, err := openPlace(room)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func openPlace(room compat.Room) (*place, error) {
	p := &place{Room: room, now: compat.Minutes(0)}
	store, err := file.Open(file.Options{
		Dir: room.Store(), PublishDir: room.Static(), LockTimeout: 2 * time.Second,
		Now: p.clock, Rejected: p.rejected(),
	})
	p.store = store
	return p, err
}

func (p *place) clock() time.Time { return p.now }

func (p *place) rejected() *rejected.Dir {
	return &rejected.Dir{Path: filepath.Join(string(p.Room), "rejected"), Now: p.clock}
}

func (p *place) preferences() *preferences.Dir {
	return &preferences.Dir{
		Path:       p.Room.Preferences(),
		Defaults:   preferences.Defaults{Participating: "participate", Sharing: "no", Publishing: "no"},
		SystemZone: "UTC",
	}
}

func (p *place) quarantine() string {
	if p.kept != "" {
		return p.kept
	}
	return filepath.Join(string(p.Room), "quarantine")
}

// handle has our handler handle a message that a user sends.
func (p *place) handle(message []byte) error {
	h := outgoing.Handler{Pipeline: p.pipeline()}
	return h.Handle(context.Background(), bytes.NewReader(message))
}

// receive has our handler handle a message that arrives for a user, by address; "": for whom it says.
// Nothing is handed over.
func (p *place) receive(message []byte, user string) error {
	h := person.Handler{Handler: p.arrival(user)}
	return h.Handle(context.Background(), bytes.NewReader(message))
}

// book has our handler handle a message that arrives for a resource.
func (p *place) book(message []byte, resourceOf string) error {
	h := resource.Handler{Handler: p.arrival(resourceOf), Journal: func() (stores.Journal, error) { return p.journal() }}
	h.Default = nil
	return h.Handle(context.Background(), bytes.NewReader(message))
}

func (p *place) arrival(user string) arrival.Handler {
	h := arrival.Handler{Pipeline: p.pipeline(), Instead: io.Discard, Spool: string(p.Room), Default: p.preferences().Default}
	if p.instead != nil {
		h.Instead = p.instead
	}
	if user != "" {
		h.Recipients = []string{user}
	}
	return h
}

// journal opens the journal of the place.
func (p *place) journal() (*file.Journal, error) {
	return file.OpenJournal(file.Options{
		Dir: p.Room.Journal(), FileMode: 0o660, DirMode: 0o2770, LockTimeout: time.Minute, Now: p.clock, Rejected: p.rejected(),
	})
}

// quotas returns a checker of a journal that is of resources of the place.
func (p *place) quotas(journal, resources stores.Store) *check.Checker {
	c := p.checkerOf(journal, check.None)
	c.Resources, c.Rejected = resources, nil
	return c
}

func (p *place) pipeline() handlers.Pipeline {
	return handlers.Pipeline{
		Store: p.store, Preferences: p.preferences(), Rejected: p.rejected(),
		Sender: "mailto:calendar@example.com", Log: slog.New(slog.DiscardHandler), Now: p.clock,
		MessageLimit: 32 << 20, PeriodLimit: cmp.Or(p.limit, 50000),
	}
}

// checker returns a checker of the place.
func (p *place) checker(repair check.Repair) *check.Checker {
	return &check.Checker{
		Store: p.store, Preferences: p.preferences(), PreferencesDir: p.Room.Preferences(),
		Rejected: p.rejected(), Quarantine: p.quarantine(), Now: p.clock, Log: slog.New(slog.DiscardHandler),
		Repair: repair,
	}
}

// result is what a run has told.
type result struct {
	findings []check.Finding
	summary  check.Summary
}

func (p *place) check(t testing.TB, repair check.Repair, users ...calendar.URI) result {
	t.Helper()
	c := p.checker(repair)
	c.Users = users
	return run(t, c)
}

func run(t testing.TB, c *check.Checker) (r result) {
	t.Helper()
	summary, err := c.Run(context.Background(), func(f check.Finding) { r.findings = append(r.findings, f) })
	if err != nil {
		t.Fatal(err)
	}
	r.summary = summary
	return r
}

// ids returns the kinds of what was found, with states other than found.
func (r result) ids() []string {
	ids := []string{}
	for _, f := range r.findings {
		id := f.Kind.ID
		if f.State != check.Found {
			id += " " + string(f.State)
		}
		ids = append(ids, id)
	}
	return ids
}

func (r result) String() string {
	var b strings.Builder
	for _, f := range r.findings {
		fmt.Fprintf(&b, "%s %s: %s %s %s %q: %s\n", f.Kind.Severity, f.Kind.ID, f.State, f.User, f.Path, f.ID, f.Text)
	}
	for _, err := range r.summary.Failures {
		fmt.Fprintf(&b, "failure: %v\n", err)
	}
	return b.String()
}

// gid returns the group of a file.
func gid(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Gid }
