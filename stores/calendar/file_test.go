package calendar

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// events returns the UIDs of a file's events.
func events(f *File) []string {
	var uids []string
	for _, e := range f.Entries {
		uids = append(uids, e.UID)
	}
	return uids
}

// Of a component that never ends, the events that it takes with it are named, and no more are lost
// than must be.
func TestFileUnended(t *testing.T) {
	lines := func(words ...string) string { return strings.Join(words, "\n") + "\n" }
	event := func(uid string) string { return lines("BEGIN:VEVENT", "UID:"+uid, "END:VEVENT") }
	for _, test := range []struct {
		name, text string
		uids       []string
		problems   []string
	}{
		{"event", lines("BEGIN:VCALENDAR", event("a")+"BEGIN:VEVENT", "UID:b", "SUMMARY:Lunch\\, late", event("c")+"END:VCALENDAR"),
			[]string{"a", "c"}, []string{`the event "b" ("Lunch, late") is lost: it never ends`}},
		{"several", lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a", "BEGIN:VEVENT", "UID:b", "END:VCALENDAR", "BEGIN:VCALENDAR", event("c")+"END:VCALENDAR"),
			[]string{"c"}, []string{`the event "a" is lost: it never ends`, `the event "b" is lost: it never ends`}},
		{"alarm", lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a", "BEGIN:VALARM", "UID:x", "END:VEVENT", event("b")+"END:VCALENDAR"),
			[]string{"b"}, []string{`the event "a" is lost: the VALARM in it never ends`}},
		{"zone", lines("BEGIN:VCALENDAR", "BEGIN:VTIMEZONE", "TZID:Oslo", "BEGIN:STANDARD", event("a")+"END:VCALENDAR"),
			[]string{"a"}, []string{`the time zone "Oslo" is lost: the STANDARD in it never ends`}},
		{"calendar", lines("BEGIN:VCALENDAR", event("a")+"BEGIN:VCALENDAR", event("b")+"END:VCALENDAR"),
			[]string{"a", "b"}, []string{"a calendar ends half-way: VCALENDAR"}},
		{"event and calendar", lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a", "BEGIN:VCALENDAR", event("b")+"END:VCALENDAR"),
			[]string{"b"}, []string{`the event "a" is lost: it never ends`, "a calendar ends half-way: VCALENDAR"}},
		{"end of the file", lines("BEGIN:VCALENDAR", event("a")+"BEGIN:VEVENT", "UID:b"),
			[]string{"a"}, []string{"it ends half-way: VCALENDAR, VEVENT", `the event "b" is lost: it never ends`}},
		{"no UID", lines("BEGIN:VCALENDAR", "BEGIN:VTODO", event("a")+"BEGIN:VEVENT", "END:VEVENT", "END:VCALENDAR"),
			[]string{"a"}, []string{"the todo is lost: it never ends", "an event without UID"}},
		{"ends", lines("BEGIN:VCALENDAR", "END:VALARM", event("a")+"END:VEVENT", "END:VCALENDAR", "END:VCALENDAR"),
			[]string{"a"}, []string{`END:"VALARM" where there is no such component`, `END:"VEVENT" where there is no such component`, `END:"VCALENDAR" where there is no such component`}},
		{"no calendar", event("a"), nil, []string{"it is no calendar: there is no BEGIN:VCALENDAR"}},
		{"nothing", "", nil, []string{"it is no calendar: there is no BEGIN:VCALENDAR"}},
		{"nested", lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a", strings.Repeat("BEGIN:A\n", 20)+strings.Repeat("END:A\n", 20)+"END:VEVENT", event("b")+"END:VCALENDAR"),
			[]string{"a", "b"}, nil},
	} {
		f := NewFile(test.text)
		if got := events(f); !slices.Equal(got, test.uids) || !slices.Equal(f.Problems, test.problems) {
			t.Errorf("%s: events %q, problems %q", test.name, got, f.Problems)
		}
	}
}

// An entry is read as an event of a message is, and belongs to its own calendar.
func TestFileEntries(t *testing.T) {
	f := NewFile("\ufeffBEGIN:VCALENDAR\r\nMETHOD:cancel\r\n" +
		"BEGIN:VTODO\r\nEND:VTODO\r\nBEGIN:VFREEBUSY\r\nEND:VFREEBUSY\r\nBEGIN:VTODO\r\nEND:VTODO\r\n" +
		"BEGIN:VEVENT\r\nUID:a\\,b\r\nSUMMARY:Caf\xc3\r\n \xa9\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n" +
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:c\r\n d\r\nSUMMARY:Caf\xe9 now, or later\r\nEND:VEVENT\r\nbegin:vevent\r\nuid;X=y:e\r\nUID:late\r\nend:vevent\r\nEND:VCALENDAR\r\n")
	var got []string
	for _, e := range f.Entries {
		found := e.Decode()
		got = append(got, fmt.Sprintf("%s %s %q %s %v", e.Method(), e.UID, found.Object.Summary(), found.Object.UID(), found.Err))
	}
	want := []string{`CANCEL a,b "Café" a,b <nil>`, ` cd "Café now, or later" cd <nil>`, ` e "" e <nil>`}
	if !slices.Equal(got, want) || len(f.Problems) > 0 || fmt.Sprint(f.Others) != "map[VFREEBUSY:1 VTODO:2]" {
		t.Errorf("%q, %q, %v", got, f.Problems, f.Others)
	}
	f = NewFile("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID: \nEND:VEVENT\nBEGIN:VEVENT\nUID:a\x01b\nEND:VEVENT\nEND:VCALENDAR\n")
	if len(f.Entries) != 2 || f.Entries[0].Decode().Err == nil || f.Entries[1].Decode().Err == nil {
		t.Errorf("%+v", f.Entries)
	}
}

// A calendar without a definition of a zone takes that of another one in the file, unless
// there are several that differ.
func TestFileZones(t *testing.T) {
	zone := func(offset string) string {
		return "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:" + offset + "\nTZOFFSETTO:" + offset + "\nEND:STANDARD\nEND:VTIMEZONE\n"
	}
	with := func(zone string) string { return "BEGIN:VCALENDAR\n" + zone + "END:VCALENDAR\n" }
	plain := "BEGIN:VEVENT\nUID:e\nDTSTART;TZID=Ours:20261202T100000\nDTEND;TZID=Ours:20261202T100000\nEND:VEVENT\n"
	event := with(plain)
	for text, want := range map[string]string{
		event:                       "20261202T100000Z [Ours]",
		with(zone("+0300")) + event: "20261202T070000Z []",
		event + with(zone("+0300")): "20261202T070000Z []",
		with(zone("+0300")) + with(zone("+0300")) + event:                "20261202T070000Z []",
		with(zone("+0300")) + with(zone("+0400")) + event:                "20261202T100000Z [Ours]",
		with(zone("+0300")) + with(zone("+0400")+plain) + with(""):       "20261202T060000Z []",
		with(zone("+0300")) + with("BEGIN:VTIMEZONE\nTZID:Ours\n"+plain): "20261202T070000Z []",
		// A zone that is described only is known: its times are put into UTC.
		with("BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0317\nTZOFFSETTO:+0317\nEND:STANDARD\nEND:VTIMEZONE\n" + plain): "20261202T064300Z []",
	} {
		found := NewFile(text).Entries[0].Decode()
		if found.Err != nil {
			t.Fatal(found.Err)
		}
		start, err := found.Object.Start(time.UTC)
		if got := fmt.Sprintf("%s %s", start.Format(formUTC), found.UnknownZones); got != want || err != nil {
			t.Errorf("%s, %v, want %s: %q", got, err, want, text)
		}
	}
}

// Every zone of a file is looked at, however many there are.
func TestFileManyZones(t *testing.T) {
	var text strings.Builder
	text.WriteString("BEGIN:VCALENDAR\n")
	const zones = 200
	for i := range zones {
		fmt.Fprintf(&text, "BEGIN:VTIMEZONE\nTZID:Ours %c%c\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0300\nEND:STANDARD\nEND:VTIMEZONE\n", 'a'+i/26, 'a'+i%26)
	}
	for i := range zones {
		fmt.Fprintf(&text, "BEGIN:VEVENT\nUID:%d\nDTSTART;TZID=Ours %c%c:20261202T100000\nEND:VEVENT\n", i, 'a'+i/26, 'a'+i%26)
	}
	text.WriteString("END:VCALENDAR\n")
	for _, e := range NewFile(text.String()).Entries {
		if found := e.Decode(); found.Err != nil || len(found.UnknownZones) > 0 {
			t.Fatalf("event %s: %q, %v", e.UID, found.UnknownZones, found.Err)
		}
	}
}

// Finding the events takes time that grows with the size of a file, and not with the square of that.
func BenchmarkFile(b *testing.B) {
	text := "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nATTACH;ENCODING=BASE64;VALUE=BINARY:" + strings.Repeat("abcdefgh\n ", 1<<20) + "\nEND:VEVENT\nEND:VCALENDAR\n"
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if f := NewFile(text); len(f.Entries) != 1 {
			b.Fatal(f.Problems)
		}
	}
}

// FuzzFile reads files that may be no calendars. What it makes of them comes to the same when it is
// written and read again.
func FuzzFile(f *testing.F) {
	seeds(f)
	for _, seed := range []string{
		"", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "END:VEVENT", "BEGIN:0\nBEGIN:VALARM\nEND:VALARM", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSTATUS:CANCELLED\nATTENDEE;SCHEDULE-AGENT=CLIENT;CN=\"x:y\":mailto:a@b\nBEGIN:VALARM\nUID:b\nEND:VALARM\nEND:VEVENT\n" +
			"BEGIN:VTIMEZONE\nTZID:Z\nEND:VTIMEZONE\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR\n",
		"BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nUID:a\\,b\nDTSTART;TZID=Z:20261202T100000\nSUMMARY:\xe9\nEND:VEVENT\nEND:VCALENDAR\n" +
			"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a,b\nRECURRENCE-ID:20261202T100000\nEND:VEVENT\nBEGIN:VTIMEZONE\nTZID:Z\nEND:VTIMEZONE\nEND:VCALENDAR\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, e := range NewFile(text).Entries {
			found := e.Decode()
			if found.Err != nil {
				continue
			}
			d := Document{Objects: []*Object{found.Object}}
			written := string(d.Encode())
			for line := range strings.Lines(written) {
				if len(line) > 77 {
					t.Fatalf("a line of %d octets: %q", len(line), line)
				}
			}
			again := NewFile(written)
			if len(again.Entries) != 1 || len(again.Problems) > 0 {
				t.Fatalf("it came to be %q, %q:\n%s", events(again), again.Problems, written)
			}
			if read := again.Entries[0].Decode(); read.Err != nil || !bytes.Equal(read.Object.Encode(), found.Object.Encode()) {
				t.Fatalf("it came to be, %v\n%s\nand was\n%s", read.Err, read.Object.Encode(), found.Object.Encode())
			}
		}
	})
}
