package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imip-agent/stores"
)

// Events are published many at once. Of those of which something was not taken, each is
// published by itself, so that it can be told of which.
func TestImportTogether(t *testing.T) {
	var text strings.Builder
	text.WriteString("BEGIN:VCALENDAR\r\n")
	const events = 3 * together
	for i := range events {
		status := ""
		if i == together+1 {
			status = "STATUS:CANCELLED\r\n"
		}
		fmt.Fprintf(&text, "BEGIN:VEVENT\r\nUID:e%03d.\r\n%sEND:VEVENT\r\n", i, status)
	}
	text.WriteString("END:VCALENDAR\r\n")
	path := filepath.Join(t.TempDir(), "calendar.ics")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}

	bad := fmt.Sprintf("UID:e%03d.", together+3)
	var calls []string
	var told []int
	m := &Import{
		Publish: func(_ context.Context, method string, calendar []byte) ([]string, error) {
			calls = append(calls, fmt.Sprintf("%s %d", method, strings.Count(string(calendar), "BEGIN:VEVENT")))
			if strings.Contains(string(calendar), bad) {
				return []string{"it is bad"}, nil
			}
			return nil, nil
		},
		Progress: func(done, total int) { told = append(told, done, total) },
	}
	done, err := m.Run(t.Context(), path)
	if err != nil || done.Files != 1 || done.Events != events {
		t.Fatalf("%+v, %v", done, err)
	}
	if len(done.Issues) != 1 || !strings.Contains(done.Issues[0].Item, strings.TrimPrefix(bad, "UID:")) || done.Issues[0].Kind != Unstorable {
		t.Errorf("issues: %v", done.Issues)
	}
	want := []string{"PUBLISH 64", "PUBLISH 64", "CANCEL 1", "PUBLISH 1", "PUBLISH 1", "CANCEL 1"}
	for range together - 2 {
		want = append(want, "PUBLISH 1")
	}
	if got := strings.Join(calls, ", "); got != strings.Join(append(want, "PUBLISH 64"), ", ") {
		t.Errorf("published: %s", got)
	}
	if fmt.Sprint(told) != fmt.Sprint([]int{0, events, together, events, 2 * together, events}) {
		t.Errorf("progress: %v", told)
	}

	away := fmt.Errorf("the server: %w", stores.ErrAway)
	calls = nil
	m.Publish = func(context.Context, string, []byte) ([]string, error) { calls = append(calls, ""); return nil, away }
	if _, err := m.Run(t.Context(), path); !errors.Is(err, stores.ErrAway) || len(calls) != 1 {
		t.Errorf("%d calls, %v", len(calls), err)
	}
}
