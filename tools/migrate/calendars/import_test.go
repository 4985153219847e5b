package calendars

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"imip-agent/handlers"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
	"imip-agent/tests/clock"
	"imip-agent/tools/migrate"
)

const user calendar.URI = "mailto:paul@example.com"

// counted counts critical sections that change something.
type counted struct {
	stores.Store
	updates int
	err     error // what they end with; nil: what they do
}

func (c *counted) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	if c.updates++; c.err != nil {
		return c.err
	}
	return c.Store.Update(ctx, user, fn)
}

// taking returns an import into an empty store.
func taking(t *testing.T) (*Import, *counted) {
	t.Helper()
	store, err := file.Open(file.Options{Dir: filepath.Join(t.TempDir(), "store"), Deferred: true, LockTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{Store: store}
	return &Import{User: user, Pipeline: &handlers.Pipeline{
		Store: c, Preferences: &preferences.Dir{Path: t.TempDir()}, Rejected: &rejected.Dir{Path: filepath.Join(t.TempDir(), "rejected"), Now: clock.Running(clock.Day)},
		Log: slog.New(slog.DiscardHandler), Now: clock.Running(clock.Day), PeriodLimit: 100,
	}}, c
}

// stored returns the user's texts, by their keys.
func stored(t *testing.T, m *Import) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	err := m.Pipeline.Store.View(t.Context(), m.User, func(tx stores.Tx) error {
		for k, err := range tx.Keys() {
			if err != nil {
				return err
			}
			text, err := tx.Get(k)
			if err != nil {
				return err
			}
			texts[strings.TrimSpace(fmt.Sprintf("%v %s %s", k.Part, k.UID, k.RecurrenceID))] = string(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// written writes a calendar file.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "calendar.ics")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Events are taken many at once. What is wrong with one is told of that one, and of no other.
func TestImportTogether(t *testing.T) {
	var text strings.Builder
	text.WriteString("BEGIN:VCALENDAR\r\n")
	const events = 3 * together
	for i := range events {
		more := "DTSTART:20261202T090000Z\r\n"
		switch {
		case i == together+3:
			more = ""
		case i%10 == 1:
			more += "STATUS:CANCELLED\r\n"
		}
		fmt.Fprintf(&text, "BEGIN:VEVENT\r\nUID:e%04d\r\n%sEND:VEVENT\r\n", i, more)
	}
	text.WriteString("END:VCALENDAR\r\n")
	path := written(t, text.String())

	m, sections := taking(t)
	var told []int
	m.Progress = func(done, total int) { told = append(told, done, total) }
	done, err := m.Run(t.Context(), path)
	if err != nil || done.Files != 1 || done.Events != events-1 {
		t.Fatalf("%+v, %v", done, err)
	}
	want := fmt.Sprintf(`event "e%04d" in %s`, together+3, path)
	if len(done.Issues) != 1 || done.Issues[0].Item != want || done.Issues[0].Kind != migrate.Unstorable || !strings.Contains(done.Issues[0].Text, "no readable DTSTART") {
		t.Errorf("issues: %v", done.Issues)
	}
	number := map[string]int{}
	for k := range stored(t, m) {
		part, _, _ := strings.Cut(k, " ")
		number[part]++
	}
	if off := events / 10; number[fmt.Sprint(stores.Cancelled)] != off || number[fmt.Sprint(stores.Active)] != events-off-1 {
		t.Errorf("stored: %v", number)
	}
	if fmt.Sprint(told) != fmt.Sprint([]int{0, events, together, events, 2 * together, events}) {
		t.Errorf("progress: %v", told)
	}
	// For each that are taken at once: one for what is published, and one for what is called off then.
	if sections.updates > 6 {
		t.Errorf("%d critical sections", sections.updates)
	}

	m, sections = taking(t)
	sections.err = fmt.Errorf("the server: %w", stores.ErrAway)
	if _, err := m.Run(t.Context(), path); !errors.Is(err, stores.ErrAway) || sections.updates != 1 {
		t.Errorf("%d critical sections, %v", sections.updates, err)
	}
}

// So are the events of many files.
func TestImportTogetherOfFiles(t *testing.T) {
	dir := t.TempDir()
	const files = together + 3
	for i := range files {
		text := fmt.Sprintf("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:e%04d\r\nDTSTART:20261202T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i)
		if i >= together {
			text = strings.Replace(text, "DTSTART", "DTSTAMP", 1)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.ics", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, sections := taking(t)
	done, err := m.Run(t.Context(), dir)
	if err != nil || done.Files != files || done.Events != together {
		t.Fatalf("%+v, %v", done, err)
	}
	if want := filepath.Join(dir, fmt.Sprintf("%04d.ics", together)); len(done.Issues) != 3 || !strings.Contains(done.Issues[0].Item, want) {
		t.Errorf("issues: %v", done.Issues)
	}
	if sections.updates != 1 {
		t.Errorf("%d critical sections", sections.updates)
	}
}

// What a store cannot hold is told of the event, and what of it is older than what is stored.
func TestImportRefused(t *testing.T) {
	m, _ := taking(t)
	event := func(uid, more string) string {
		return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTART:20261202T090000Z\r\n" + more + "END:VEVENT\r\n"
	}
	calendar := func(events ...string) string {
		return "BEGIN:VCALENDAR\r\n" + strings.Join(events, "") + "END:VCALENDAR\r\n"
	}
	if done, err := m.Run(t.Context(), written(t, calendar(event("newer", "SEQUENCE:5\r\nDTSTAMP:20261122T120000Z\r\n")))); err != nil || done.Events != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	path := written(t, calendar(
		event("newer", "SEQUENCE:3\r\nDTSTAMP:20261122T110000Z\r\n"),
		event("newer", "RECURRENCE-ID:20261203T090000Z\r\n"),
		event("good", "RRULE:FREQ=DAILY\r\n"),
		event("good", "RECURRENCE-ID:20261203T090000Z\r\nSTATUS:CANCELLED\r\n"),
		event("damaged", "RECURRENCE-ID:tomorrow\r\n"),
	))
	done, err := m.Run(t.Context(), path)
	if err != nil || done.Events != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	var issues []string
	for _, i := range done.Issues {
		issues = append(issues, strings.ReplaceAll(i.String(), path, "FILE"))
	}
	want := []string{
		`unstorable: mailto:paul@example.com: event "newer" in FILE: it is older than the stored one: SEQUENCE 3 of 20261122T110000Z, stored is SEQUENCE 5 of 20261122T120000Z`,
		`unstorable: mailto:paul@example.com: event "damaged" in FILE: the RECURRENCE-ID "TOMORROW" is neither a date nor a date-time`,
	}
	slices.Sort(issues)
	slices.Sort(want)
	if !slices.Equal(issues, want) {
		t.Errorf("issues: %q", issues)
	}
	var keys []string
	for k := range stored(t, m) {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	active, cancelled := fmt.Sprint(stores.Active), fmt.Sprint(stores.Cancelled)
	wantKeys := []string{active + " good", active + " newer", active + " newer 20261203T090000Z", cancelled + " good 20261203T090000Z"}
	slices.Sort(wantKeys)
	if !slices.Equal(keys, wantKeys) {
		t.Errorf("stored: %q", keys)
	}
}

// One event that is not in UTF-8 does not make others be read as if they were not.
func TestImportCharsets(t *testing.T) {
	text := "BEGIN:VCALENDAR\r\n" +
		"BEGIN:VEVENT\r\nDTSTART:20261202\r\nUID:utf-8\r\nSUMMARY:Réunion é\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\nDTSTART:20261202\r\nUID:folded\r\nSUMMARY:Caf\xc3\r\n \xa9\r\nEND:VEVENT\r\n" + // in the middle of a character
		"BEGIN:VEVENT\r\nDTSTART:20261202\r\nUID:latin-1\r\nSUMMARY:Caf\xe9\r\nEND:VEVENT\r\n" +
		"END:VCALENDAR\r\n"
	m, _ := taking(t)
	if done, err := m.Run(t.Context(), written(t, text)); err != nil || done.Events != 3 || len(done.Issues) != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	texts := stored(t, m)
	for uid, want := range map[string]string{"utf-8": "Réunion é", "folded": "Café", "latin-1": "Café"} {
		if got := texts[fmt.Sprintf("%v %s", stores.Active, uid)]; !strings.Contains(got, "SUMMARY:"+want+"\r\n") {
			t.Errorf("%s: %q", uid, got)
		}
	}
}

// A file in UTF-16 is read, and one whose lines end as those of old Macs do.
func TestImportForms(t *testing.T) {
	text := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTART:20261202\r\nSUMMARY:Café 🗓\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	little, big := []byte{0xff, 0xfe}, []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(text)) {
		little = binary.LittleEndian.AppendUint16(little, unit)
		big = binary.BigEndian.AppendUint16(big, unit)
	}
	for name, data := range map[string][]byte{
		"little": little, "big": big, "old": []byte(strings.ReplaceAll(text, "\r\n", "\r")), "marked": []byte("\uFEFF" + text),
	} {
		m, _ := taking(t)
		done, err := m.Run(t.Context(), written(t, string(data)))
		text := stored(t, m)[fmt.Sprintf("%v e", stores.Active)]
		if err != nil || done.Events != 1 || len(done.Issues) != 0 || !strings.Contains(text, "SUMMARY:Café 🗓\r\n") {
			t.Errorf("%s: %+v, %v: %q", name, done, err, text)
		}
	}
}

// Events are of one UID also where one is written with escapes and the other is not.
func TestImportEscapedUID(t *testing.T) {
	f := split("", "BEGIN:VCALENDAR\n"+
		"BEGIN:VEVENT\nUID:a\\,b\nSUMMARY:escaped\nEND:VEVENT\n"+
		"BEGIN:VEVENT\nUID:a,b\nSUMMARY:plain\nEND:VEVENT\n"+
		"END:VCALENDAR\n")
	wholes := f.wholes(f.uids)
	if len(wholes) != 1 || wholes[0].uid != "a,b" || len(wholes[0].events) != 1 || wholes[0].events[0].object.Summary() != "plain" {
		t.Fatalf("%+v", wholes)
	}
	if len(wholes[0].issues) != 1 || !strings.Contains(wholes[0].issues[0].Text, `"escaped"`) {
		t.Errorf("issues: %v", wholes[0].issues)
	}
}
