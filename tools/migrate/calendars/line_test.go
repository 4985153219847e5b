package calendars

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestUnfold(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                    nil,
		"A:1\r\nB:2\r\n":                      {"A:1", "B:2"},
		"A:1\nB:2":                            {"A:1", "B:2"},
		"A:one\r\n two\r\n\tthree\r\nB:2\r\n": {"A:onetwothree", "B:2"},
		"A:one\n\n two\n":                     {"A:onetwo"}, // an empty line is nothing
		" A:1\nB:2\n":                         {" A:1", "B:2"},
	} {
		if got := unfold(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestParseLine(t *testing.T) {
	for line, want := range map[string]contentLine{
		"SUMMARY:a:b;c":                     {name: "SUMMARY", value: "a:b;c"},
		"dtstart;tzid=X:1":                  {name: "DTSTART", params: []string{"tzid=X"}, value: "1"},
		`ATTENDEE;CN="a;b:c";RSVP=TRUE:m:x`: {name: "ATTENDEE", params: []string{`CN="a;b:c"`, "RSVP=TRUE"}, value: "m:x"},
		"nothing":                           {name: "NOTHING"},
		`A;B="c:d`:                          {name: `A;B="C:D`},
	} {
		got := parseLine(line)
		if got.name != want.name || got.value != want.value || !slices.Equal(got.params, want.params) {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
}

// BenchmarkUnfold unfolds an attachment in a property; its time has to grow with its size
// and not with the square of that.
func BenchmarkUnfold(b *testing.B) {
	text := string(fold([]string{"ATTACH;ENCODING=BASE64;VALUE=BINARY:" + strings.Repeat("abcd", 1<<20)}))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		unfold(text)
	}
}

// FuzzSplit takes files apart that may be no calendars, and wants of what it makes of them
// that it is folded as it has to be, and comes to the same when it is read again.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "END:VEVENT", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSTATUS:CANCELLED\nATTENDEE;SCHEDULE-AGENT=CLIENT;CN=\"x:y\":mailto:a@b\nBEGIN:VALARM\nUID:b\nEND:VALARM\nEND:VEVENT\n" +
			"BEGIN:VTIMEZONE\nTZID:Z\nEND:VTIMEZONE\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR\n",
		"BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nUID:a\\,b\nDTSTART;TZID=Z:20261202T100000\nSUMMARY:\xe9\nEND:VEVENT\nEND:VCALENDAR\n" +
			"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a,b\nRECURRENCE-ID:20261202T100000\nEND:VEVENT\nBEGIN:VTIMEZONE\nTZID:Z\nEND:VTIMEZONE\nEND:VCALENDAR\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed := split(text)
		for _, w := range parsed.wholes(parsed.uids) {
			for _, message := range new(Import).messages(w.events) {
				folded := string(message.text())
				for line := range strings.Lines(folded) {
					if len(line) > 77 {
						t.Fatalf("a line of %d octets: %q", len(line), line)
					}
				}
				if !utf8.ValidString(folded) {
					t.Fatalf("it is not UTF-8: %q", folded)
				}
				if message.method != "PUBLISH" {
					continue
				}
				again := split(folded)
				if len(again.uids) != 1 || len(again.events[again.uids[0]]) != len(w.events) {
					t.Fatalf("event %q came to be %q:\n%s", w.uid, again.uids, folded)
				}
				for _, e := range again.wholes(again.uids)[0].events {
					if !slices.ContainsFunc(w.events, func(was *vevent) bool {
						return was.id == e.id && bytes.Equal(was.object.Encode(), e.object.Encode())
					}) {
						t.Fatalf("event %q came to be %q:\n%s", w.uid, e.id, folded)
					}
				}
			}
		}
	})
}
