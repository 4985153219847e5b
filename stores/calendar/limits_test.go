package calendar

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"imip-agent/tests/skip"
)

// eventOf returns a message's text with one event that has these lines besides the usual.
func eventOf(lines string) string {
	return "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20261126T100000Z\r\n" +
		lines + "END:VEVENT\r\nEND:VCALENDAR\r\n"
}

// allocated returns how many octets fn allocates in all.
func allocated(fn func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// TestMemory checks how much memory decoding takes of texts that were made to take it.
func TestMemory(t *testing.T) {
	skip.OnOtherDays(t)
	const n = 1 << 20
	names := func(count int) string {
		var b strings.Builder
		for i := range count {
			fmt.Fprintf(&b, ";N%06d=b", i)
		}
		return b.String()
	}
	for _, c := range []struct {
		reason string
		most   int // octets allocated for each octet of text, garbage included
		lines  string
	}{
		{"folded after every character", 1, "SUMMARY:" + strings.Repeat("x\r\n ", n/4) + "\r\n"},
		{"folded after nothing", 1, "SUMMARY:x" + strings.Repeat("\n ", n/2) + "\r\n"},
		{"parameters without a value", 24, "X-A" + strings.Repeat(";A", n/2) + ":x\r\n"},
		{"parameters of one name", 32, "X-A" + strings.Repeat(";A=b", n/4) + ":x\r\n"},
		{"parameters of many names", 24, "X-A" + names(n/10) + ":x\r\n"},
		{"values of a parameter", 60, "X-A;A=b" + strings.Repeat(",b", n/2) + ":x\r\n"},
		{"addresses of a parameter, again and again", 16, "X-A" + strings.Repeat(";MEMBER=b", n/9) + ":x\r\n"},
		{"quotes that are to be mended", 28, "X-A" + strings.Repeat(`;A="b`, n/5) + ":x\r\n"},
		{"colons that should be quoted", 1, "DTEND;TZID=a" + strings.Repeat(":", n) + "\r\n"},
		{"properties of many names", 8, strings.ReplaceAll(names(n/8), ";", "\n")[1:] + "\n"},
		{"properties", 110, strings.Repeat("A:\n", n/3)},
		{"properties with parameters", 32, strings.Repeat("A;B=c:\n", n/7)},
		{"attendees", 40, strings.Repeat("ATTENDEE:a\r\n", n/12)},
		{"components", 40, strings.Repeat("BEGIN:X\nA:\nEND:X\n", n/17)},
		{"lines that are no properties", 12, strings.Repeat("x\n", n/2)},
		{"control characters", 4, "DESCRIPTION:" + strings.Repeat("\v", n) + "\r\n"},
		{"octets that are no UTF-8", 6, "SUMMARY:" + strings.Repeat("\x80", n) + "\r\n"},
		{"a long UID", 1, "UID:" + strings.Repeat("u", n) + "\r\n"},
		{"a long duration", 1, "DURATION:P" + strings.Repeat("9", n) + "D\r\n"},
	} {
		text := eventOf(c.lines)
		if got := allocated(func() {
			calendars, err := Decode(text)
			if err != nil || len(calendars) != 1 || len(calendars[0].Events) != 1 {
				t.Errorf("%s: %v, %v", c.reason, calendars, err)
			}
		}); got > c.most*len(text) {
			t.Errorf("%s: %d octets allocated for each of the text, want at most %d", c.reason, got/len(text), c.most)
		}
	}
}

// TestBudget checks that what is over a limit is an error of that event, and that
// large calendars that people have are not.
func TestBudget(t *testing.T) {
	skip.OnOtherDays(t)
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, c := range []struct{ reason, lines, err string }{
		{"parameters", "X-A;A=b" + strings.Repeat(",b", 1<<20) + ":x\r\n", "the calendar has too many properties, parameters or components for its size"},
		{"properties", strings.Repeat("A:\r\n", maxProperties-10), "the calendar has too many properties, parameters or components for its size"},
		{"exceptions", "EXDATE:20261126" + strings.Repeat(",20261126", 1<<16) + "\r\n", "the calendar has too many properties, parameters or components for its size"},
		{"properties, whatever the size", strings.Repeat("A:"+strings.Repeat("b", 40)+"\r\n", maxProperties+1), "the event has too many properties"},
		{"properties, inside", strings.Repeat("BEGIN:X\r\n"+strings.Repeat("A:"+strings.Repeat("b", 40)+"\r\n", maxProperties/1000+1)+"END:X\r\n", 1000), "the event has too many properties"},
		{"components", strings.Repeat("BEGIN:X\r\nA:"+strings.Repeat("b", 100)+"\r\nEND:X\r\n", maxComponents+1), "the event has too many components inside it, or they are nested too deep"},
		{"attendees", many(maxAttendees+1, "ATTENDEE:mailto:a%d@example.com\r\n"), "the event has too many attendees"},
		{"a UID that is too long", "", "the event's UID is too long"},
		{"the most attendees", many(maxAttendees, "ATTENDEE;CN=A;PARTSTAT=ACCEPTED:mailto:a%d@example.com\r\n"), ""},
		{"exceptions, a line each", many(5000, "EXDATE;TZID=Europe/Oslo:2026112%dT100000\r\n"), ""},
		{"alarms", many(1000, "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT%dM\r\nEND:VALARM\r\n"), ""},
		{"folded everywhere", "SUMMARY:" + strings.Repeat("x\r\n ", 1<<18) + "\r\n", ""},
		{"an attachment", "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + strings.Repeat("AAAA", 1<<18) + "\r\n", ""},
	} {
		text := eventOf(c.lines)
		if strings.HasPrefix(c.reason, "a UID") {
			text = strings.Replace(text, "UID:u", "UID:"+strings.Repeat("u", maxUID+1), 1)
		}
		calendars, err := Decode(text)
		if err != nil || len(calendars) != 1 || len(calendars[0].Events) != 1 {
			t.Errorf("%s: %v, %v", c.reason, calendars, err)
			continue
		}
		e := calendars[0].Events[0]
		if got := fmt.Sprint(e.Err); got != c.err && (c.err != "" || e.Err != nil) {
			t.Errorf("%s: error %v, want %q", c.reason, e.Err, c.err)
		}
		if e.Err == nil {
			if _, err := DecodeObject(e.Object.Encode()); err != nil {
				t.Errorf("%s: what is stored cannot be read: %v", c.reason, err)
			}
		}
	}

	const events = 10_000
	text := "BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\n" + many(events, "BEGIN:VEVENT\r\nUID:some-uid-%d@calendar.example.com\r\n"+
		"DTSTAMP:20261001T000000Z\r\nSEQUENCE:1\r\nDTSTART;TZID=Europe/Oslo:20261126T100000\r\nDTEND;TZID=Europe/Oslo:20261126T100000\r\n"+
		"SUMMARY:A meeting\r\nORGANIZER;CN=Paul:mailto:paul.boddie@example.com\r\nEND:VEVENT\r\n") + "END:VCALENDAR\r\n"
	calendars, err := Decode(text)
	if err != nil || len(calendars) != 1 || len(calendars[0].Events) != events {
		t.Fatalf("a large calendar: %v, %d calendars, %d events, %v", err, len(calendars), len(calendars[0].Events), calendars[0].Events[len(calendars[0].Events)-1].Err)
	}
	for _, e := range calendars[0].Events {
		if e.Err != nil {
			t.Fatalf("a large calendar: %v", e.Err)
		}
	}
}

// TestEncodedSize checks that encoding takes one allocation for the text.
func TestEncodedSize(t *testing.T) {
	for _, lines := range []string{
		"SUMMARY:x\r\n",
		"SUMMARY:" + strings.Repeat("x", 100_000) + "\r\n",
		"SUMMARY:" + strings.Repeat("\U0001f4c5", 10_000) + "\r\n",
		strings.Repeat(`ATTENDEE;CN="A, B";DELEGATED-TO="mailto:a","mailto:b":mailto:c`+"\r\n", 1000),
		"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:" + strings.Repeat("x", 1000) + "\r\nEND:VALARM\r\n",
	} {
		object := object(t, strings.TrimSuffix(lines, "\r\n"))
		size := encodedSize(object.component)
		if got := len(object.Encode()); got > size || size > got+got/2+100 {
			t.Errorf("%.50q: %d octets, expected %d", lines, got, size)
		}
	}
}

// TestStoredMemory checks how much memory is kept of large stored objects that are made to take it.
func TestStoredMemory(t *testing.T) {
	skip.OnOtherDays(t)
	const size = 12_000_000
	for _, c := range []struct{ reason, piece, err string }{
		{"properties", "A:\n", "the event has too many properties"},
		{"properties that are known", "COMMENT:a\n", "the event has too many properties"},
		{"components", "BEGIN:X\nA:\nEND:X\n", "the event has too many components inside it, or they are nested too deep"},
		{"lines that are no properties", "x\n", "the event has too many properties"},
		{"properties with parameters", "A;B=c:\n", "the calendar has too many properties, parameters or components for its size"},
		{"values of parameters", "A;B=c,c,c,c,c,c,c,c:\n", "the calendar has too many properties, parameters or components for its size"},
		{"exceptions", "EXDATE:20261126T100000Z" + strings.Repeat(",20261126T100000Z", 20) + "\n", "the calendar has too many properties, parameters or components for its size"},
	} {
		text := []byte("BEGIN:VEVENT\r\nDTSTART:20261126T100000Z\r\n" + strings.Repeat(c.piece, size/len(c.piece)) + "UID:u\r\nEND:VEVENT\r\n")
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		d := newDecoder(string(text))
		d.budget = maxBudget
		d.run()
		runtime.GC()
		runtime.ReadMemStats(&after)
		// The text itself, and no more than a part of what programs may take.
		if kept := int(after.HeapAlloc) - int(before.HeapAlloc); kept > size+112<<20 {
			t.Errorf("%s: %d octets are kept", c.reason, kept)
		}
		event := d.calendars[0].events[0]
		if got := fmt.Sprint(event.err); got != c.err && (c.err != "" || event.err != nil) {
			t.Errorf("%s: %v, not %q", c.reason, event.err, c.err)
		}
		if strings.HasPrefix(c.err, "the event") && (&Object{event.component}).UID() != "u" {
			t.Errorf("%s: it is not known which event it is", c.reason)
		}
		runtime.KeepAlive(d)
	}
}
