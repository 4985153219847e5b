package calendar

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// originalCannotRead says why the original could not read, or not write back, a
// text in our form of an object; "" if it can. These are the original's rules as
// they were seen from outside, and ours, which are stricter.
func originalCannotRead(text []byte) string {
	if !utf8.Valid(text) {
		return "not UTF-8"
	}
	s, ok := strings.CutSuffix(string(text), "\r\n")
	if !ok {
		return "the last line is not ended"
	}
	physical := strings.Split(s, "\r\n")
	for _, l := range physical {
		if len(l) > 75 {
			return fmt.Sprintf("line of %d octets", len(l))
		}
		if i := strings.IndexAny(l, "\r\n\v\f\x1c\x1d\x1e\u0085\u2028\u2029\x00"); i >= 0 {
			return fmt.Sprintf("%q breaks lines", l)
		}
	}
	depth := 0
	for _, l := range strings.Split(strings.ReplaceAll(s, "\r\n ", ""), "\r\n") {
		m := contentLine.FindStringSubmatch(l)
		if m == nil {
			return fmt.Sprintf("%q is no content line", l)
		}
		name, params, value := m[1], m[2], m[3]
		switch {
		case name == "BEGIN":
			if depth++; depth > 1 && !isReadable[value] {
				return fmt.Sprintf("%q is a component that it does not know", l)
			}
		case name == "END":
			depth--
		}
		for _, p := range contentParam.FindAllStringSubmatch(params, -1) {
			if uriParams[p[1]] && !strings.HasPrefix(p[2], `"`) {
				return fmt.Sprintf("%s in %q has no quotes", p[1], l)
			}
			if p[1] == "ENCODING" && p[2] == "BASE64" {
				if _, ok := mendBase64(value); !ok {
					return fmt.Sprintf("%q is no BASE64", l)
				}
			}
		}
		if depth == 1 && isText[name] && unescaped.MatchString(value) {
			return fmt.Sprintf("%q is a list", l)
		}
	}
	if depth != 0 {
		return "not all components are ended"
	}
	return ""
}

var (
	contentParam = regexp.MustCompile(`;([A-Z0-9._-]+)=((?:"[^"]*"|[^",;:]*)(?:,(?:"[^"]*"|[^",;:]*))*)`)
	contentLine  = regexp.MustCompile(`^([A-Z0-9._-]+)((?:;[A-Z0-9._-]+=(?:"[^"]*"|[^",;:]*)(?:,(?:"[^"]*"|[^",;:]*))*)*):(.*)$`)
	unescaped    = regexp.MustCompile(`(?:^|[^\\])[,;]`)
)

// seeds adds the fuzz targets' own seeds, and calendars cut out of real mails
// where these are at hand.
func seeds(f *testing.F) {
	for _, c := range decodeCases {
		f.Add(c.text)
	}
	for _, c := range eventCases {
		f.Add(inCalendar(c.lines))
	}
	mails, _ := filepath.Glob("../../../shared/data/eml/*/*.eml")
	for _, mail := range mails {
		data, err := os.ReadFile(mail)
		if err != nil {
			f.Fatal(err)
		}
		if i := bytes.Index(data, []byte("BEGIN:VCALENDAR")); i >= 0 {
			f.Add(string(data[i:]))
		}
	}
}

func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		calendars, err := Decode(text)
		if (err == nil) != (len(calendars) > 0) {
			t.Fatalf("%d calendars and the error %v", len(calendars), err)
		}
		for _, c := range calendars {
			for _, e := range c.Events {
				if !strings.Contains(text, e.Text) {
					t.Fatalf("text is not of the source: %q", e.Text)
				}
				if e.Err == nil {
					checkStable(t, e.Object)
				}
				if e.Err == nil && e.Object.UID() == "" {
					t.Fatal("neither a UID nor an error")
				}
				e.Object.RecurrenceID()
			}
		}
	})
}

// What is read of free/busy is read again as it was.
func FuzzFreeBusy(f *testing.F) {
	for _, lines := range []string{
		"UID:a\r\nDTSTAMP:20261120T090000Z\r\nORGANIZER:mailto:a@example.com\r\nATTENDEE:mailto:b@example.com\r\nDTSTART:20261202T000000Z\r\nDTEND:20261209T000000Z",
		"UID:b\r\nDTSTART;TZID=Europe/Oslo:20261202T000000\r\nDURATION:P1W\r\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20261202T090000Z/PT1H,20261203T090000Z/20261203T100000Z",
		"FREEBUSY:20261202T100000Z/20261202T090000Z\r\nFREEBUSY;FBTYPE=FREE:20261202T100000/PT0S\r\nDTSTART;VALUE=DATE:20261202",
		"UID:c\r\nFREEBUSY;FBTYPE=\"X-A\":20261202T090000Z/-PT1H\r\nCOMMENT:\\n\\,",
	} {
		f.Add("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REPLY\r\nBEGIN:VFREEBUSY\r\n" + lines + "\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n")
	}
	read := func(text string) (found []*FreeBusy) {
		calendars, _ := Decode(text)
		for _, c := range calendars {
			for _, part := range c.FreeBusy {
				if part.Err == nil {
					found = append(found, part.FreeBusy)
				}
			}
		}
		return found
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, busy := range read(text) {
			written := (&Document{Method: "REPLY", FreeBusy: []*FreeBusy{busy}}).Encode()
			again := read(string(written))
			if len(again) != 1 {
				t.Fatalf("%d are read of\n%s", len(again), written)
			}
			if twice := (&Document{Method: "REPLY", FreeBusy: again}).Encode(); !bytes.Equal(twice, written) {
				t.Fatalf("it is written as\n%s\nand then as\n%s", written, twice)
			}
		}
	})
}

func FuzzDecodeObject(f *testing.F) {
	for _, c := range eventCases {
		f.Add([]byte("BEGIN:VEVENT\r\n" + c.lines + "\r\nEND:VEVENT\r\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if o, err := DecodeObject(text); err == nil {
			checkStable(t, o)
		}
	})
}

// checkStable checks that the original can read what Encode writes, and that
// reading it again gives the same.
func checkStable(t *testing.T, o *Object) {
	t.Helper()
	text := o.Encode()
	if problem := originalCannotRead(text); problem != "" {
		t.Fatalf("the original cannot read it: %s\n%s", problem, text)
	}
	again, err := DecodeObject(text)
	if err != nil {
		t.Fatalf("cannot be read again: %v\n%s", err, text)
	}
	if second := again.Encode(); !bytes.Equal(second, text) {
		t.Fatalf("reads differently again:\n%s\n%s", text, second)
	}
	if a, b := again.UID(), o.UID(); a != b {
		t.Fatalf("UID %q became %q", b, a)
	}
	a, errA := o.RecurrenceID()
	b, errB := again.RecurrenceID()
	if a != b || (errA == nil) != (errB == nil) {
		t.Fatalf("recurrence id %q (%v) became %q (%v)", a, errA, b, errB)
	}
}
