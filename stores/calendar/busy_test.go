package calendar

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told says what a VFREEBUSY has.
func told(f *FreeBusy) string {
	form := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Format(formUTC)
	}
	users := func(list ...Attendee) string {
		var words []string
		for _, user := range list {
			words = append(words, strings.Trim(fmt.Sprintf("%s<%s %s", user.URI, user.SentBy(), user.PartStat()), " <"))
		}
		return strings.Join(words, " ")
	}
	text := fmt.Sprintf("%q by %s to %s at %s: %s %s", f.UID, users(f.Organizer), users(f.Attendees...), form(f.Stamp), form(f.Start), form(f.End))
	for _, p := range f.Periods {
		text += fmt.Sprintf("\n%s %s %s %v", p.Type, form(p.Start), form(p.End), p.IsBusy())
	}
	return text
}

func TestReadFreeBusy(t *testing.T) {
	const asked = "UID:f\nDTSTAMP:20261122T120000Z\nORGANIZER;SENT-BY=\"mailto:c@x\":mailto:a@x\nATTENDEE;PARTSTAT=accepted:MAILTO:b@x\nATTENDEE:d@x\nDTSTART:20261202T000000Z\nDTEND:20261203T000000Z\n"
	const limits = `"f" by mailto:a@x<mailto:c@x to mailto:b@x< ACCEPTED mailto:d@x at 20261122T120000Z: 20261202T000000Z 20261203T000000Z`
	for _, test := range []struct{ name, text, want, warnings string }{
		{"a question", asked, limits, ""},
		{"periods with ends and lengths", asked + "FREEBUSY:20261202T090000Z/20261202T100000Z,20261202T110000Z/PT1H30M\nFREEBUSY;FBTYPE=free:20261202T120000Z/P1D\n" +
			"FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261202t130000z/20261202T130000Z\nFREEBUSY;FBTYPE=X-ODD:20261202T140000Z/P1W\n",
			limits + "\nBUSY 20261202T090000Z 20261202T100000Z true\nBUSY 20261202T110000Z 20261202T123000Z true\nFREE 20261202T120000Z 20261203T120000Z false\n" +
				"BUSY-UNAVAILABLE 20261202T130000Z 20261202T130000Z true\nX-ODD 20261202T140000Z 20261209T140000Z true", ""},
		{"the usual form, and nearly", asked + "FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z\nFREEBUSY;FBTYPE=BUSY:20261202T110000Z/20261202T100000Z\n" +
			"FREEBUSY;FBTYPE=BUSY:20261302T090000Z/20261202T100000Z\nFREEBUSY;FBTYPE=BUSY:20261202T113000Z,20261202T120000Z\n",
			limits + "\nBUSY 20261202T090000Z 20261202T100000Z true",
			`FREEBUSY: "20261202T110000Z/20261202T100000Z" left out, which is no period|FREEBUSY: "20261302T090000Z/20261202T100000Z" left out, which is no period|` +
				`FREEBUSY: "20261202T113000Z" left out, which is no period|FREEBUSY: "20261202T120000Z" left out, which is no period`},
		{"a list over several lines", asked + "FREEBUSY:20261202T090000Z/PT1H,\n 20261202T110000Z/PT1H\n",
			limits + "\nBUSY 20261202T090000Z 20261202T100000Z true\nBUSY 20261202T110000Z 20261202T120000Z true", ""},
		{"what is no period is left out", asked + "FREEBUSY:20261202T090000Z,,x/PT1H,20261202T100000Z/20261202T090000Z,20261202T100000Z/-PT1H,20261202T110000Z/PT1H\n",
			limits + "\nBUSY 20261202T110000Z 20261202T120000Z true",
			`FREEBUSY: "20261202T090000Z" left out, which is no period|FREEBUSY: "X/PT1H" left out, which is no period|FREEBUSY: "20261202T100000Z/20261202T090000Z" left out, which is no period|` +
				`FREEBUSY: "20261202T100000Z/-PT1H" left out, which is no period`},
		{"times in a zone", "UID:f\nORGANIZER:a@x\nDTSTART;TZID=Europe/Oslo:20261202T000000\nDTEND;TZID=Ours:20261203T000000\nFREEBUSY;TZID=\"Romance Standard Time\":20261202T090000/20261202T100000\n",
			`"f" by mailto:a@x to  at -: 20261201T230000Z 20261202T210000Z` + "\nBUSY 20261202T080000Z 20261202T090000Z true", ""},
		{"days, a length, and no end", "UID:f\nORGANIZER:a@x\nDTSTART;VALUE=DATE:20261202\nDURATION:P1D\n", `"f" by mailto:a@x to  at -: 20261202T000000Z 20261203T000000Z`, ""},
		{"open", "UID:f\n", `"f" by  to  at -: - -`, ""},
		{"two organizers", "UID:f\nORGANIZER:a@x\nORGANIZER:A@x\nORGANIZER:mailto:a@x\n", `"f" by mailto:a@x to  at -: - -`, `ORGANIZER left out, which is there already: "A@x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			zone := "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0300\nEND:STANDARD\nEND:VTIMEZONE\n"
			calendars, err := Decode("BEGIN:VCALENDAR\nMETHOD:REQUEST\n" + zone + "BEGIN:VFREEBUSY\n" + test.text + "END:VFREEBUSY\nEND:VCALENDAR\n")
			if err != nil || len(calendars) != 1 || len(calendars[0].FreeBusy) != 1 || calendars[0].FreeBusy[0].Err != nil {
				t.Fatalf("%+v, %v", calendars, err)
			}
			found := calendars[0].FreeBusy[0]
			if diff := cmp.Diff(test.want, told(found.FreeBusy)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got := strings.Join(found.Warnings, "|"); got != test.warnings {
				t.Errorf("warnings: %s", got)
			}
			if want := "BEGIN:VFREEBUSY\n" + test.text + "END:VFREEBUSY\n"; found.Text != want {
				t.Errorf("text: %q", found.Text)
			}
		})
	}
}

// Limits that cannot be read would be taken for none, and records be removed for which nothing
// stands in.
func TestReadFreeBusyErrors(t *testing.T) {
	for _, line := range []string{"DTSTART:tomorrow", "DTEND:20261340T000000Z", "DTSTAMP:x"} {
		calendars, err := Decode("BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nUID:f\n" + line + "\nEND:VFREEBUSY\nEND:VCALENDAR\n")
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(line, ":")
		if found := calendars[0].FreeBusy[0]; found.Err == nil || !strings.Contains(found.Err.Error(), name) || found.FreeBusy.UID != "f" {
			t.Errorf("%s: %q, %v", line, found.FreeBusy.UID, found.Err)
		}
	}
}

// What is written is folded, and read as it was.
func TestWriteFreeBusy(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 12, 2, hour, 0, 0, 0, time.UTC) }
	long := URI("mailto:" + strings.Repeat("å", 40) + "@x")
	for _, f := range []*FreeBusy{
		{UID: "a,b;c\\d", Stamp: at(8), Organizer: NewAttendee("mailto:a,b@x", "mailto:c@x"), Attendees: []Attendee{NewAttendee(long, "")}, Start: at(0), End: at(23),
			Periods: []BusyPeriod{{at(9), at(10), Busy}, {at(11), at(12), Free}, {at(13), at(13), "BUSY-TENTATIVE"}}},
		{UID: "f", Periods: []BusyPeriod{{at(9).In(time.FixedZone("", 3600)), at(10), ""}}},
		{},
	} {
		d := Document{Method: "REPLY", FreeBusy: []*FreeBusy{f}}
		text := string(d.Encode())
		for line := range strings.Lines(text) {
			if len(line) > 77 || !strings.HasSuffix(line, "\r\n") {
				t.Errorf("a line of %d octets: %q", len(line), line)
			}
		}
		calendars, err := Decode(text)
		if err != nil || len(calendars) != 1 || len(calendars[0].FreeBusy) != 1 || calendars[0].Method != "REPLY" {
			t.Fatalf("%+v, %v: %s", calendars, err, text)
		}
		found := calendars[0].FreeBusy[0]
		want := *f
		want.Periods = nil
		for _, p := range f.Periods {
			p.Start = p.Start.UTC()
			if p.Type == "" {
				p.Type = Busy
			}
			want.Periods = append(want.Periods, p)
		}
		if diff := cmp.Diff(told(&want), told(found.FreeBusy)); diff != "" || found.Err != nil || len(found.Warnings) > 0 {
			t.Errorf("(-written +read)\n%s%v %q\n%s", diff, found.Err, found.Warnings, text)
		}
	}
}

func BenchmarkFreeBusy(b *testing.B) {
	f := &FreeBusy{UID: "f"}
	at := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)
	for i := range 10_000 {
		f.Periods = append(f.Periods, BusyPeriod{Start: at.AddDate(0, 0, i), End: at.AddDate(0, 0, i).Add(time.Hour), Type: Busy})
	}
	d := Document{FreeBusy: []*FreeBusy{f}}
	text := string(d.Encode())
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			d.Encode()
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := Decode(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Who organizes what is said once. Who is left out is told of, and of one in other letters nobody
// need know.
func TestOtherOrganizers(t *testing.T) {
	for _, component := range []string{"VEVENT", "VFREEBUSY"} {
		for organizers, want := range map[string]string{
			"a@x":                 "[]",
			"a@x MAILTO:A@X a@x":  "[]",
			"a@x b@x":             "[mailto:b@x]",
			"a@x b@x a@x B@x c@x": "[mailto:b@x mailto:c@x]",
		} {
			var lines string
			for organizer := range strings.FieldsSeq(organizers) {
				lines += "ORGANIZER:" + organizer + "\n"
			}
			calendars, err := Decode("BEGIN:VCALENDAR\nBEGIN:" + component + "\nUID:e\n" + lines + "DTSTART:20261202T090000Z\nEND:" + component + "\nEND:VCALENDAR\n")
			if err != nil {
				t.Fatal(err)
			}
			var others []URI
			for _, found := range calendars[0].Events {
				others = append(others, found.OtherOrganizers...)
			}
			for _, found := range calendars[0].FreeBusy {
				others = append(others, found.OtherOrganizers...)
			}
			if got := fmt.Sprint(others); got != want {
				t.Errorf("%s %s: %s, want %s", component, organizers, got, want)
			}
		}
	}
}
