package calendars

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"imip-agent/stores"
	"imip-agent/tools/migrate"
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
	if err != nil || done.Files != 1 || done.Events != events-1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if len(done.Issues) != 1 || !strings.Contains(done.Issues[0].Item, strings.TrimPrefix(bad, "UID:")) || done.Issues[0].Kind != migrate.Unstorable {
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

// So are the events of many files.
func TestImportTogetherOfFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 2*together + 3 {
		text := fmt.Sprintf("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:e%03d\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.ics", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var calls []string
	m := &Import{Publish: func(_ context.Context, method string, calendar []byte) ([]string, error) {
		calls = append(calls, fmt.Sprintf("%s %d", method, strings.Count(string(calendar), "BEGIN:VEVENT")))
		if len(calls) < 3 {
			return nil, nil
		}
		return []string{"it is bad"}, nil
	}}
	done, err := m.Run(t.Context(), dir)
	if err != nil || done.Files != 2*together+3 || done.Events != 2*together {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := strings.Join(calls, ", "); got != "PUBLISH 64, PUBLISH 64, PUBLISH 3, PUBLISH 1, PUBLISH 1, PUBLISH 1" {
		t.Errorf("published: %s", got)
	}
	if want := filepath.Join(dir, "128.ics"); len(done.Issues) != 3 || !strings.Contains(done.Issues[0].Item, want) {
		t.Errorf("issues: %v", done.Issues)
	}
}

// One event that is not in UTF-8 does not make others be read as if they were not.
func TestImportCharsets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calendar.ics")
	text := "BEGIN:VCALENDAR\r\n" +
		"BEGIN:VEVENT\r\nUID:utf-8\r\nSUMMARY:Réunion é\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\nUID:folded\r\nSUMMARY:Caf\xc3\r\n \xa9\r\nEND:VEVENT\r\n" + // in the middle of a character
		"BEGIN:VEVENT\r\nUID:latin-1\r\nSUMMARY:Caf\xe9\r\nEND:VEVENT\r\n" +
		"END:VCALENDAR\r\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var published string
	m := &Import{Publish: func(_ context.Context, _ string, calendar []byte) ([]string, error) {
		published += string(calendar)
		return nil, nil
	}}
	if done, err := m.Run(t.Context(), path); err != nil || done.Events != 3 || len(done.Issues) != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, want := range []string{"SUMMARY:Réunion é\r\n", "SUMMARY:Café\r\nUID:folded", "SUMMARY:Café\r\nUID:latin-1"} {
		if !strings.Contains(published, want) {
			t.Errorf("no %q in %q", want, published)
		}
	}
}

// A file in UTF-16 is read, and one whose lines end as those of old Macs do.
func TestImportForms(t *testing.T) {
	text := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:e\r\nSUMMARY:Café 🗓\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	little, big := []byte{0xff, 0xfe}, []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(text)) {
		little = binary.LittleEndian.AppendUint16(little, unit)
		big = binary.BigEndian.AppendUint16(big, unit)
	}
	for name, data := range map[string][]byte{
		"little": little, "big": big, "old": []byte(strings.ReplaceAll(text, "\r\n", "\r")), "marked": []byte("\uFEFF" + text),
	} {
		path := filepath.Join(t.TempDir(), "calendar.ics")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var published string
		m := &Import{Publish: func(_ context.Context, _ string, calendar []byte) ([]string, error) {
			published += string(calendar)
			return nil, nil
		}}
		done, err := m.Run(t.Context(), path)
		if err != nil || done.Events != 1 || len(done.Issues) != 0 || !strings.Contains(published, "SUMMARY:Café 🗓\r\n") {
			t.Errorf("%s: %+v, %v: %q", name, done, err, published)
		}
	}
}

// A calendar without a definition of a zone takes that of another one in the file, unless
// there are several that differ.
func TestZoneOfAnotherCalendar(t *testing.T) {
	zone := func(offset string) string {
		return "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:" + offset + "\nTZOFFSETTO:" + offset + "\nEND:STANDARD\nEND:VTIMEZONE\n"
	}
	with := func(zone string) string { return "BEGIN:VCALENDAR\n" + zone + "END:VCALENDAR\n" }
	event := with("BEGIN:VEVENT\nUID:e\nDTSTART;TZID=Ours:20261202T100000\nEND:VEVENT\n")
	for text, unknown := range map[string]int{
		event:                       1,
		with(zone("+0300")) + event: 0,
		event + with(zone("+0300")): 0,
		with(zone("+0300")) + with(zone("+0300")) + event: 0,
		with(zone("+0300")) + with(zone("+0400")) + event: 1,
	} {
		f := split("", text)
		f.events["e"][0].decode()
		if e := f.events["e"][0]; e.err != nil || len(e.unknown) != unknown {
			t.Errorf("%q: unknown zones %q, %v", text, e.unknown, e.err)
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
