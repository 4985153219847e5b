package hard

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/outgoing"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
	"imip-agent/tests/compat"
)

// now is the time at which every case takes place.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// paul sends the messages, unless a case says otherwise.
const paul = "mailto:paul.boddie@example.com"

// room is a place for a store, and our handler at work there as the program sets
// it up by default.
type room struct {
	compat.Room
	handler *outgoing.Handler
	aside   *rejected.Dir
	log     bytes.Buffer
}

// tempDir makes a directory for stores, in memory where there is a place for that:
// waiting for disks is for other tests.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "imip-agent-hard-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// newRoom furnishes a room with preferences (by USER/NAME) and with files (by
// store/...) that are there before the first message.
func newRoom(t *testing.T, dir string, prefs, initial compat.Tree) *room {
	t.Helper()
	r := &room{Room: compat.Room(dir)}
	if err := r.Furnish(&compat.Conversation{Preferences: prefs, Initial: initial}); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	logger := slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.aside = &rejected.Dir{Path: filepath.Join(dir, "rejected"), Max: 1000, Now: clock, Log: logger}
	store, err := file.Open(file.Options{
		Dir: r.Store(), PublishDir: r.Static(), LockTimeout: time.Second,
		Now: clock, Log: logger, Rejected: r.aside,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r.handler = &outgoing.Handler{Pipeline: handlers.Pipeline{
		Store: store,
		Preferences: &preferences.Dir{
			Path:       r.Preferences(),
			Defaults:   preferences.Defaults{Participating: "participate", Sharing: "no", Publishing: "no"},
			SystemZone: "UTC",
		},
		Rejected: r.aside, Sender: "mailto:calendar@example.com", Log: logger, Now: clock,
		MessageLimit: 32 << 20, PeriodLimit: 50000,
	}}
	return r
}

// handle handles a mail.
func (r *room) handle(mail []byte) error {
	return r.handler.Handle(context.Background(), bytes.NewReader(mail))
}

// outcome tells what is in the room, a line each:
//
//	objects/UID                           a text, by its path in the user's directory
//	freebusy START/END UID TRANSP ...     a record of a table; many in a row are counted
//	rejected: REASON                      something that was put aside
//
// Lines of other users than Paul begin with the user's URI.
func (r *room) outcome(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, dir := range []string{r.Store(), r.Static()} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || path == dir {
				return err
			}
			name, _ := filepath.Rel(dir, path)
			user, name, _ := strings.Cut(name, "/")
			prefix := ""
			if user != paul {
				prefix = user + " "
			}
			if dir == r.Static() {
				prefix += "published "
			}
			if entry.IsDir() {
				if strings.HasPrefix(name, "__") {
					out = append(out, prefix+name+"/")
				}
				return nil
			}
			switch first, _, _ := strings.Cut(name, "/"); {
			case dir != r.Store():
				out = append(out, prefix+name)
			case slices.Contains([]string{"freebusy", "freebusy-other", "freebusy-offers", "freebusy-providers", "requests"}, first):
				content, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				out = append(out, tableLines(prefix+name, string(content))...)
			default:
				out = append(out, prefix+name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	items, err := r.aside.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		out = append(out, "rejected: "+item.Note.Reason)
	}
	slices.SortStableFunc(out, func(a, b string) int { return strings.Compare(firstWord(a), firstWord(b)) })
	return out
}

func firstWord(line string) string {
	first, _, _ := strings.Cut(line, " ")
	return first
}

// manyLines is from how many records on only the first, the last and the number
// of them are told.
const manyLines = 9

func tableLines(name, content string) []string {
	var out []string
	for line := range strings.Lines(content) {
		columns := strings.Split(strings.TrimRight(line, "\n"), "\t")
		for i, column := range columns {
			switch {
			case column == "":
				columns[i] = "-"
			case len(column) > 400:
				columns[i] = fmt.Sprintf("%s...(%d octets)", column[:20], len(column))
			case strings.Contains(column, " "):
				columns[i] = fmt.Sprintf("%q", column)
			}
		}
		if len(columns) >= 7 {
			columns = append([]string{columns[0] + "/" + columns[1]}, columns[2:]...)
			if columns[5] == paul {
				columns = slices.Delete(columns, 5, 6)
			}
		}
		for len(columns) > 2 && columns[len(columns)-1] == "-" {
			columns = columns[:len(columns)-1]
		}
		out = append(out, name+" "+strings.Join(columns, " "))
	}
	if len(out) >= manyLines {
		out = []string{fmt.Sprintf("%s %d records", name, len(out)), out[0], out[len(out)-1]}
	}
	return out
}

// stored returns the content lines of a text in Paul's directory, unfolded.
func (r *room) stored(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.Store(), paul, path))
	if err != nil {
		t.Error(err)
		return nil
	}
	return strings.Split(strings.ReplaceAll(string(content), "\r\n ", ""), "\r\n")
}

// quickSize is how large a store may be, in octets, for the original to read it in
// no time. It reads larger ones if IMIP_AGENT_FULL is set.
const quickSize = 200_000

func size(tree compat.Tree) (size int) {
	for _, content := range tree {
		size += len(content)
	}
	return size
}

// readByOriginal has the original read the stores of rooms, and fails for what it
// cannot read and is not excused. It reports whether the original is installed.
func readByOriginal(t *testing.T, rooms map[string]*room, excused func(name, problem string) bool) bool {
	t.Helper()
	dir, ok := compat.FindPeer()
	if !ok {
		t.Logf("not read by the original, which is not installed in %s", dir)
		return false
	}
	peer, err := compat.StartPeer(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	for name, r := range rooms {
		if tree, err := r.Tree(); err != nil {
			t.Fatal(err)
		} else if size(tree) > quickSize && os.Getenv("IMIP_AGENT_FULL") == "" {
			continue
		}
		_, problems, err := peer.Read(r.Store())
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range problems {
			if excused == nil || !excused(name, problem) {
				t.Errorf("%s: the original cannot read this: %s", name, problem)
			}
		}
	}
	return true
}
