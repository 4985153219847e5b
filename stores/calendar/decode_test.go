package calendar

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/tests/skip"
)

const (
	begin  = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n"
	end    = "END:VCALENDAR\r\n"
	eventA = "BEGIN:VEVENT\r\nUID:a\r\nEND:VEVENT\r\n"
	eventB = "BEGIN:VEVENT\r\nUID:b\r\nEND:VEVENT\r\n"
)

// decodeCases are texts and the calendars in them: a line for each calendar with
// its method, its events' UIDs, with what is wrong with them, and its other
// components.
var decodeCases = []struct {
	name string // with the reason, if the text is bad
	text string
	want string
}{
	{"one event", begin + eventA + end, "REQUEST a"},
	{"two", begin + eventA + eventB + end, "REQUEST a b"},
	{"none", begin + end, "REQUEST"},
	{"method in lower case", "BEGIN:VCALENDAR\nmethod: publish\n" + eventA + end, "PUBLISH a"},
	{"method after the events", "BEGIN:VCALENDAR\n" + eventA + "METHOD:PUBLISH\n" + end, "PUBLISH a"},
	{"two methods: the first", "BEGIN:VCALENDAR\nMETHOD:\nMETHOD:PUBLISH\nMETHOD:ADD\n" + eventA + end, "PUBLISH a"},
	{"no method", "BEGIN:VCALENDAR\n" + eventA + end, " a"},
	{"LF", strings.ReplaceAll(begin+eventA+end, "\r\n", "\n"), "REQUEST a"},
	{"CR", strings.ReplaceAll(begin+eventA+end, "\r\n", "\r"), "REQUEST a"},
	{"CR CR LF, as some gateways make it", strings.ReplaceAll(begin+eventA+end, "\r\n", "\r\r\n"), "REQUEST a"},
	{"LF CR", strings.ReplaceAll(begin+eventA+end, "\r\n", "\n\r"), "REQUEST a"},
	{"blank lines", strings.ReplaceAll(begin+eventA+end, "\r\n", "\r\n\r\n"), "REQUEST a"},
	{"no line break at the end", strings.TrimSpace(begin + eventA + end), "REQUEST a"},
	{"byte order mark", "\ufeff" + begin + eventA + end, "REQUEST a"},
	{"text before and after", "Hello,\nMETHOD:ADD\n\n" + begin + eventA + end + "\n-- \nA footer: with UID:b\n", "REQUEST a"},
	{"an indented footer", begin + eventA + end + "\n   footer\n", "REQUEST a"},
	{"indented lines", "  BEGIN:VCALENDAR\nMETHOD:REQUEST\n" + eventA + end, "REQUEST a"},
	{"lower case", strings.ToLower(begin + eventA + end), "REQUEST a"},
	{"space after the names of components", "BEGIN:VCALENDAR \nMETHOD:REQUEST\nBEGIN: VEVENT\nUID:a\nEND:VEVENT \nEND:VCALENDAR", "REQUEST a"},
	{"folded names", "BEGIN:VCAL\n ENDAR\nMETHOD\n :REQUEST\nBEGIN:VEV\n\tENT\nUID:a\nEND:VEVEN\n T\nEND:VCALENDAR", "REQUEST a"},
	{"vCalendar 1.0", strings.Replace(begin, "2.0", "1.0", 1) + "BEGIN:VEVENT\nUID:a\nRRULE:D1 #5\nDALARM:19980114T210000Z;;;x\nEND:VEVENT\n" + end, "REQUEST a"},
	{"other components", begin + "BEGIN:VTODO\nUID:t\nBEGIN:VALARM\nEND:VALARM\nEND:VTODO\n" + eventA + "BEGIN:VFREEBUSY\nEND:VFREEBUSY\nBEGIN:X-Y\nEND:X-Y\n" + end,
		"REQUEST a ~ +VTODO +X-Y"},
	{"two calendars", begin + eventA + end + "BEGIN:VCALENDAR\nMETHOD:CANCEL\n" + eventB + end, "REQUEST a\nCANCEL b"},
	{"no calendar around", eventA + eventB, " a b"},
	{"an event after the calendar", begin + eventA + end + eventB, "REQUEST a\n b"},

	{"no UID", begin + "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n" + eventB + end, "REQUEST (the event has no UID) b"},
	{"an empty UID", begin + "BEGIN:VEVENT\nUID: \nEND:VEVENT\n" + eventB + end, "REQUEST (the event has no UID) b"},
	{"a UID with NUL", begin + "BEGIN:VEVENT\nUID:x\x00y\nEND:VEVENT\n" + eventB + end, "REQUEST (the event's UID has control characters) b"},
	{"a UID with VT", begin + "BEGIN:VEVENT\nUID:x\vy\nEND:VEVENT\n" + eventB + end, "REQUEST (the event's UID has control characters) b"},
	{"a UID with TAB", begin + "BEGIN:VEVENT\nUID:x\ty\nEND:VEVENT\n" + eventB + end, "REQUEST (the event's UID has control characters) b"},
	{"a UID with an escaped line break", begin + "BEGIN:VEVENT\nUID:x\\ny\nEND:VEVENT\n" + eventB + end, "REQUEST (the event's UID has control characters) b"},
	{"a UID with a C1 control", begin + "BEGIN:VEVENT\nUID:x\u009fy\nEND:VEVENT\n" + eventB + end, "REQUEST (the event's UID has control characters) b"},
	{"a UID with LS", begin + "BEGIN:VEVENT\nUID:x\u2028y\nEND:VEVENT\n" + eventB + end, "REQUEST (the event's UID has control characters) b"},
	{"a UID in an alarm has nothing to do with it", begin + "BEGIN:VEVENT\nUID:a\nBEGIN:VALARM\nUID:x\vy\nEND:VALARM\nEND:VEVENT\n" + end, "REQUEST a"},

	{"cut in the calendar", begin + eventA, "REQUEST a"},
	{"cut in an event", begin + eventA + "BEGIN:VEVENT\nUID:b\nSUMM", "REQUEST a (the event is cut: it has no END:VEVENT)"},
	{"cut in an alarm", begin + "BEGIN:VEVENT\nUID:b\nBEGIN:VALARM\nACTION:DISPL", "REQUEST (the event is cut: it has no END:VEVENT)"},
	{"the event is not ended", begin + "BEGIN:VEVENT\nUID:a\n" + end, "REQUEST (the event is cut: it has no END:VEVENT)"},
	{"the next begins in an event", begin + "BEGIN:VEVENT\nUID:a\n" + eventB + end, "REQUEST (the event is cut: it has no END:VEVENT) b"},
	{"a zone begins in an event", begin + "BEGIN:VEVENT\nUID:a\nBEGIN:VTIMEZONE\nEND:VTIMEZONE\n" + eventB + end, "REQUEST (the event is cut: it has no END:VEVENT) b"},
	{"a task is not ended", begin + "BEGIN:VTODO\nUID:t\n" + eventA + end, "REQUEST a +VTODO"},
	{"a calendar begins in a calendar", begin + eventA + begin + eventB + end, "REQUEST a\nREQUEST b"},
	{"an event ends twice", begin + "BEGIN:VEVENT\nUID:a\nEND:VEVENT\nEND:VEVENT\n" + eventB + end, "REQUEST a b"},
	{"an event lost its beginning, in a zone", begin + "BEGIN:VTIMEZONE\nTZID:x\nBEGIN:DAYLIGHT\nDTSEQUENCE:0\nEND:VEVENT\n" + eventB + end, "REQUEST (the event is damaged: it has no BEGIN:VEVENT) b"},
	{"an event lost its beginning", begin + eventA + "UID:c\nDTSTART:20261202\nEND:VEVENT\n" + eventB + end, "REQUEST a (the event is damaged: it has no BEGIN:VEVENT) b"},
	{"a task ends an event", begin + "BEGIN:VTODO\nUID:t\nEND:VEVENT\n" + eventB + end, "REQUEST (the event is damaged: it has no BEGIN:VEVENT) b +VTODO"},
	{"an address after two colons", begin + "BEGIN:VEVENT\nUID:a\nATTENDEE;0=;::mAilto:\nEND:VEVENT\n" + end, "REQUEST a"},
	{"an address after a colon", begin + "BEGIN:VEVENT\nUID:a\nATTENDEE;0=;:0:mAilto:\nEND:VEVENT\n" + end, "REQUEST a"},
	{"free/busy is not ended", begin + "BEGIN:VFREEBUSY\nUID:f\n" + eventA + end, "REQUEST a ~(the free/busy is cut: it has no END:VFREEBUSY)"},
	{"nested too deep", begin + "BEGIN:VEVENT\nUID:a\n" + strings.Repeat("BEGIN:A\n", 1000) + strings.Repeat("END:A\n", 1000) + "END:VEVENT\n" + eventB + end,
		"REQUEST (the event has too many components inside it, or they are nested too deep) b"},
	{"other components nested too deep", begin + "BEGIN:VTODO\n" + strings.Repeat("BEGIN:A\n", 1000) + strings.Repeat("END:A\n", 1000) + "END:VTODO\n" + eventB + end,
		"REQUEST b +VTODO"},
}

func describe(calendars []Calendar) string {
	var lines []string
	for _, c := range calendars {
		words := []string{c.Method}
		for _, e := range c.Events {
			if e.Err != nil {
				words = append(words, fmt.Sprintf("(%v)", e.Err))
			} else {
				words = append(words, e.Object.UID())
			}
		}
		for _, f := range c.FreeBusy {
			if f.Err != nil {
				words = append(words, fmt.Sprintf("~(%v)", f.Err))
			} else {
				words = append(words, "~"+f.FreeBusy.UID)
			}
		}
		for _, name := range c.Others {
			words = append(words, "+"+name)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return strings.Join(lines, "\n")
}

func TestDecode(t *testing.T) {
	for _, c := range decodeCases {
		t.Run(c.name, func(t *testing.T) {
			calendars, err := Decode(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, describe(calendars)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDecodeNothing(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                 "",
		"blank":                 " \r\n\t\r\n",
		"not iCalendar":         "Dear all,\n\nlet's meet: tomorrow.\n",
		"quoted":                "> BEGIN:VCALENDAR\n> END:VCALENDAR\n",
		"zones of no calendar":  "BEGIN:VTIMEZONE\nEND:VTIMEZONE\n",
		"properties of nothing": "METHOD:REQUEST\nUID:a\n",
	} {
		t.Run(name, func(t *testing.T) {
			if calendars, err := Decode(text); err == nil {
				t.Errorf("Decode gives %v", calendars)
			}
		})
	}
}

func TestEventText(t *testing.T) {
	first := "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:fol\r\n ded\xff\r\nEND:VEVENT\r\n"
	cut := "BEGIN:VEVENT\nUID:b\nSUMMARY:x"
	calendars, err := Decode(begin + first + cut)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range calendars[0].Events {
		got = append(got, e.Text)
	}
	if diff := cmp.Diff([]string{first, cut}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Zones are looked up in the calendar's own definitions, and else in those of the
// whole text.
func TestDecodeZones(t *testing.T) {
	const zone = "BEGIN:VTIMEZONE\nTZID:%s\nX-LIC-LOCATION:Europe/Oslo\nEND:VTIMEZONE\n"
	const event = "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=%s:20261202T090000\nEND:VEVENT\n"
	text := begin + fmt.Sprintf(zone, "one") + fmt.Sprintf(event, "one") + fmt.Sprintf(event, "two") + fmt.Sprintf(event, "three") + end +
		begin + fmt.Sprintf(zone, "two") + end + begin + fmt.Sprintf(event, "two") + end
	calendars, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	var known []bool
	for _, c := range calendars {
		for _, e := range c.Events {
			known = append(known, strings.Contains(contents(e.Object), "DTSTART;TZID=Europe/Oslo:20261202T090000"))
		}
	}
	if diff := cmp.Diff([]bool{true, true, false, true}, known); diff != "" {
		t.Errorf("zone known (-want +got)\n%s", diff)
	}
}

func TestDecodeObject(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       string // contents; "" if it cannot be read
	}{
		{"as stored", "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:b\r\nEND:VEVENT\r\n", "SUMMARY:b\nUID:a"},
		{"LF", "BEGIN:VEVENT\nUID:a\nEND:VEVENT\n", "UID:a"},
		{"as the original writes it", "BEGIN:VEVENT\r\nDTSTART;TZID=UTC:20261202T090000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=MO;TU\r\nEND:VEVENT\r\n", "DTSTART:20261202T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU"},
		{"in a calendar", begin + eventA + end, "UID:a"},
		{"without a UID, which is for the caller to see", "BEGIN:VEVENT\nSUMMARY:b\nEND:VEVENT\n", "SUMMARY:b"},
		{"empty file", "", ""},
		{"another component", "BEGIN:VTODO\nUID:a\nEND:VTODO\n", ""},
		{"cut", "BEGIN:VEVENT\r\nUID:a\r\nSUMM", ""},
		{"two events", eventA + eventB, ""},
		{"UID with control characters", "BEGIN:VEVENT\nUID:a\x01b\nEND:VEVENT\n", ""},
		{"binary", "\x00\x01\xff\xfe", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := DecodeObject([]byte(c.text))
			if c.want == "" {
				if err == nil {
					t.Errorf("read as\n%s", contents(o))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, contents(o)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Texts made to take all time or memory are read, or given up, at once.
func TestDecodeIsLinear(t *testing.T) {
	skip.OnOtherDays(t)
	long := strings.Repeat("QUJD", 1<<19)
	var folded strings.Builder
	for i := 0; i < len(long); i += 64 {
		folded.WriteString(long[i:min(i+64, len(long))] + "\r\n ")
	}
	for name, text := range map[string]string{
		"folded attachment":       inCalendar("UID:a\r\nATTACH;ENCODING=BASE64:" + folded.String()),
		"long parameter":          inCalendar("UID:a\r\nX-A;X-B=" + long + ":x"),
		"long quoted parameter":   inCalendar("UID:a\r\nX-A;X-B=\"" + long + "\":x"),
		"many values":             inCalendar("UID:a\r\nX-A;X-B=" + strings.Repeat("a,", 100_000) + ":x"),
		"many parameters":         inCalendar("UID:a\r\nX-A" + strings.Repeat(";X-B=1", 100_000) + ":x"),
		"many quotes":             inCalendar("UID:a\r\nX-A;X-B=" + strings.Repeat(`"a"b`, 100_000) + ":x"),
		"many quotes, no colon":   inCalendar("UID:a\r\n" + strings.Repeat("X-A;X-B=\"a\n", 50_000)),
		"many colons in a TZID":   inCalendar("UID:a\r\nDTSTART;TZID=" + strings.Repeat("a:", 100_000)),
		"many colons in a URI":    inCalendar("UID:a\r\nATTENDEE;SENT-BY=" + strings.Repeat("mailto:", 100_000)),
		"many lines that go on":   inCalendar("UID:a\r\nDESCRIPTION:x\r\n" + strings.Repeat("more\r\n", 150_000)),
		"many lines":              inCalendar("UID:a\r\n" + strings.Repeat("A\r\n", 600_000)),
		"many calendars":          strings.Repeat("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\nBEGIN:VEVENT\nDTSTART;TZID=x:1\nEND:VEVENT\n", 5_000),
		"many beginnings":         strings.Repeat("BEGIN:VEVENT\n", 30_000),
		"many components":         inCalendar("UID:a\r\n" + strings.Repeat("BEGIN:A\nEND:A\n", 30_000)),
		"many ends":               inCalendar("UID:a\r\n" + strings.Repeat("END:A\n", 150_000)),
		"many control characters": inCalendar("UID:a\r\nSUMMARY:" + strings.Repeat("\x01\xff", 500_000)),
		"many blank lines":        inCalendar("UID:a\r\nSUMMARY:x\r\n" + strings.Repeat("\r\n \r\n", 150_000)),
	} {
		t.Run(name, func(t *testing.T) {
			calendars, err := Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range calendars {
				if len(c.Warnings) > maxWarnings+1 {
					t.Errorf("%d warnings", len(c.Warnings))
				}
				for _, e := range c.Events {
					if len(e.Warnings) > maxWarnings+1 {
						t.Errorf("%d warnings", len(e.Warnings))
					}
					e.Object.Encode()
				}
			}
		})
	}
}
