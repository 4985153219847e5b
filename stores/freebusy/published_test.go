package freebusy

import (
	"strings"
	"testing"
	"time"
)

func TestPublished(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 12, 2, hour, 0, 0, 0, time.UTC) }
	table := New(Plain,
		Period{Start: at(9), End: at(10), UID: "a", Transp: "OPAQUE"},
		Period{Start: at(11), End: at(12), UID: "b", Transp: "ORG"},
		Period{Start: at(13), End: at(14), UID: "c", Transp: "TRANSPARENT"},
		Period{Start: at(15), End: at(16), UID: "d"},
	)
	user := "mailto:" + strings.Repeat("å", 40) + "@example.com"
	got := string(Published(user, at(8), table))
	for _, line := range strings.Split(strings.TrimSuffix(got, "\r\n"), "\r\n") {
		if len(line) > 75 {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
	want := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//imip-agent//NONSGML imip-agent//EN\r\nMETHOD:PUBLISH\r\n" +
		"BEGIN:VFREEBUSY\r\nORGANIZER:" + user + "\r\nUID:" + user + "\r\nDTSTAMP:20261202T080000Z\r\n" +
		"FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z\r\n" +
		"FREEBUSY;FBTYPE=BUSY:20261202T150000Z/20261202T160000Z\r\n" +
		"END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
	if unfolded := strings.ReplaceAll(got, "\r\n ", ""); unfolded != want {
		t.Errorf("got\n%s\nwant\n%s", unfolded, want)
	}
}
