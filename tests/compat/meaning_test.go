package compat

import (
	"testing"
)

// The comparison is what all else here relies on, so it is tested for what it
// takes as equal and, as much, for what it does not.
func TestDifferences(t *testing.T) {
	const object = "store/mailto:paul@example.com/objects/a"
	const table = "store/mailto:paul@example.com/freebusy"
	event := func(lines string) string { return "BEGIN:VEVENT\n" + lines + "END:VEVENT\n" }
	tests := []struct {
		name string
		path string
		a, b string
		same bool
	}{
		{"order of properties", object, event("UID:a\nSUMMARY:b\n"), event("SUMMARY:b\nUID:a\n"), true},
		{"order within one name", object, event("COMMENT:a\nCOMMENT:b\n"), event("COMMENT:b\nCOMMENT:a\n"), false},
		{"order of attendees", object, event("ATTENDEE:a\nATTENDEE:b\n"), event("ATTENDEE:b\nATTENDEE:a\n"), true},
		{"attendee twice", object, event("ATTENDEE:a\nATTENDEE:a\n"), event("ATTENDEE:a\n"), false},
		{"spelling of mailto", object, event("ATTENDEE:MAILTO:a\n"), event("ATTENDEE:mailto:a\n"), true},
		{"spelling of an address", object, event("ATTENDEE:mailto:A\n"), event("ATTENDEE:mailto:a\n"), false},
		{"PRODID of published free/busy", "static/u/freebusy", "BEGIN:VCALENDAR\nPRODID:a\nEND:VCALENDAR\n", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", true},
		{"line ends", object, event("UID:a\n"), "BEGIN:VEVENT\r\nUID:a\r\nEND:VEVENT\r\n", true},
		{"folding", object, event("SUMMARY:abc\n"), event("SUMMARY:a\n bc\n"), true},
		{"space at a fold", object, event("SUMMARY:a bc\n"), event("SUMMARY:a\n bc\n"), false},
		{"order of parameters", object, event("X;A=1;B=2:v\n"), event("X;B=2;A=1:v\n"), true},
		{"quotes", object, event("X;A=\"1\":v\n"), event("X;A=1:v\n"), true},
		{"separators in quotes", object, event("X;A=\"1:2;B=3\":v\n"), event("X;A=1;B=3:v\n"), false},
		{"value of a parameter", object, event("X;A=1:v\n"), event("X;A=2:v\n"), false},
		{"parameter missing", object, event("X;A=1:v\n"), event("X:v\n"), false},
		{"TZID=UTC of a time in UTC", object, event("DTSTART;TZID=UTC:20261202T090000Z\n"), event("DTSTART:20261202T090000Z\n"), true},
		{"TZID=UTC of another time", object, event("DTSTART;TZID=UTC:20261202T090000\n"), event("DTSTART:20261202T090000\n"), false},
		{"another TZID", object, event("DTSTART;TZID=Europe/Oslo:20261202T090000\n"), event("DTSTART:20261202T090000\n"), false},
		{"value", object, event("SUMMARY:a\\,b\n"), event("SUMMARY:a,b\n"), false},
		{"alarm missing", object, event("UID:a\nBEGIN:VALARM\nACTION:AUDIO\nEND:VALARM\n"), event("UID:a\n"), false},
		{"alarm's properties", object, event("BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT5M\nEND:VALARM\n"), event("BEGIN:VALARM\nTRIGGER:-PT5M\nACTION:AUDIO\nEND:VALARM\n"), true},
		{"alarm's property outside", object, event("BEGIN:VALARM\nACTION:AUDIO\nEND:VALARM\n"), event("ACTION:AUDIO\nBEGIN:VALARM\nEND:VALARM\n"), false},
		{"no object", object, "BEGIN:VEVENT\nUID:a\n", event("UID:a\n"), false},
		{"line after the object", object, event("UID:a\n") + "X:1\n", event("UID:a\n"), false},

		{"same table", table, "a\tb\n", "a\tb\n", true},
		{"empty columns at the end", table, "a\tb\t\t\n", "a\tb\n", true},
		{"empty columns within", table, "a\t\tb\n", "a\tb\n", false},
		{"order of lines", table, "a\nb\n", "b\na\n", false},
		{"line twice", table, "a\n", "a\na\n", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			diff := Differences(Tree{test.path: test.a}, Tree{test.path: test.b})
			if (diff == "") != test.same {
				t.Errorf("the same: %v, want %v: %s", diff == "", test.same, diff)
			}
		})
	}
}

func TestDifferencesOfFiles(t *testing.T) {
	const user = "store/mailto:paul@example.com/"
	tests := []struct {
		name      string
		want, got Tree
		same      bool
	}{
		{"empty table", Tree{user + "requests": ""}, Tree{}, true},
		{"empty table of another user", Tree{}, Tree{user + "freebusy-other/mailto:a@example.com": "\n"}, true},
		{"table missing", Tree{user + "requests": "a\n"}, Tree{}, false},
		{"table too many", Tree{}, Tree{user + "freebusy": "a\n"}, false},
		{"object missing", Tree{user + "objects/a": ""}, Tree{}, false},
		{"object too many", Tree{}, Tree{user + "recurrences/a/b": ""}, false},
		{"published calendar missing", Tree{"static/mailto:paul@example.com/freebusy": ""}, Tree{}, false},
		{"another name", Tree{user + "objects/a": "x"}, Tree{user + "objects/b": "x"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := Differences(test.want, test.got); (diff == "") != test.same {
				t.Errorf("the same: %v, want %v: %s", diff == "", test.same, diff)
			}
		})
	}
}
