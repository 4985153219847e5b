package draw

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers/agenda"
	"imip-agent/handlers/agenda/agendatest"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// hostile is a text as nobody means well with.
const hostile = "\"'><script>alert(1)</script>\x1b[2J\u202e]]>&{{.}}</style><img src=x onerror=alert(1)>"

// hostileCalendar has it wherever there is text from messages.
func hostileCalendar(t *testing.T) *agenda.Calendar {
	t.Helper()
	zone := agendatest.Oslo(t)
	start := time.Date(2026, 12, 2, 10, 0, 0, 0, zone)
	entry := agenda.Entry{
		ID: stores.ID{UID: hostile, RecurrenceID: hostile}, Summary: hostile, Location: hostile, People: hostile,
		Start: start, End: start.Add(2 * time.Hour), Moved: start, Changed: true,
	}
	days := entry
	days.AllDay, days.Start, days.End = true, agenda.Midnight(start), agenda.Midnight(start).AddDate(0, 0, 2)
	return &agenda.Calendar{
		User: calendar.URI("mailto:" + hostile), Zone: zone, Now: start, From: agenda.Week(start), To: agenda.Week(start).AddDate(0, 0, 7),
		Entries:  []agenda.Entry{entry, days},
		Requests: []agenda.Request{{Entry: entry}, {Entry: entry, Unknown: true}, {Entry: entry, Counter: true}},
		Problems: []agenda.Problem{{ID: entry.ID, Err: errors.New(hostile)}},
	}
}

// TestHostile writes a calendar with hostile texts.
func TestHostile(t *testing.T) {
	c := hostileCalendar(t)
	for name, write := range map[string]func(io.Writer) error{
		"text": func(w io.Writer) error { return Text(w, c, Style{}) },
		"HTML": func(w io.Writer) error { return HTML(w, c) },
		"SVG":  func(w io.Writer) error { return SVG(w, c) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			if i := strings.IndexFunc(text, func(r rune) bool {
				return r != '\n' && r != '\t' && freebusy.Clean(string(r)) != string(r) || r == '\u202e'
			}); i >= 0 {
				t.Errorf("a control character in %q", text[max(0, i-40):min(len(text), i+40)])
			}
			if !strings.Contains(text, "alert(1)") {
				t.Error("the text is not there")
			}
			if name == "text" {
				return
			}
			if found := regexp.MustCompile(`(?i)<(script|img)|ZgotmplZ|</style><`).FindString(text); found != "" {
				t.Errorf("there is %q in it", found)
			}
		})
	}
}

// TestSelfContained looks for anything that would have to be loaded.
func TestSelfContained(t *testing.T) {
	c := agendatest.Sample(t)
	for name, write := range map[string]func(io.Writer, *agenda.Calendar) error{"HTML": HTML, "SVG": SVG} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := write(&out, c); err != nil {
				t.Fatal(err)
			}
			outside := regexp.MustCompile(`(?i)\b(src|href|action|data|srcset|poster)\s*=|@import|<(script|link|iframe|object|embed|base)\b|url\((?:[^#)][^)]*)\)|javascript:`)
			if found := outside.FindString(out.String()); found != "" {
				t.Errorf("there is %q in it", found)
			}
		})
	}
}

// TestPolicy compares the page's policy with its style: it has one style, no other is
// allowed, and no element has one of its own.
func TestPolicy(t *testing.T) {
	for name, c := range map[string]*agenda.Calendar{"sample": agendatest.Sample(t), "hostile": hostileCalendar(t)} {
		var out bytes.Buffer
		if err := HTML(&out, c); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if found := regexp.MustCompile(`(?i)<[^>]*\sstyle\s*=`).FindString(text); found != "" {
			t.Errorf("%s: an element has a style of its own: %.100s", name, found)
		}
		_, after, _ := strings.Cut(text, "<style>")
		style, _, _ := strings.Cut(after, "</style>")
		if want := "default-src 'none'; style-src 'sha256-" + digest(style) + "'"; !strings.Contains(html.UnescapeString(text), want) {
			t.Errorf("%s: the policy is not %s", name, want)
		}
	}
}

// TestDirection looks for the direction of every text that comes from messages, which
// otherwise would turn around what stands beside it.
func TestDirection(t *testing.T) {
	c := weekOf(t, at(t, 1, 10, 0, time.Hour, "פגישה"))
	c.Entries[0].Location, c.Entries[0].People = "חדר", "דוד"
	c.Requests = []agenda.Request{{Entry: c.Entries[0]}}
	var out bytes.Buffer
	if err := HTML(&out, c); err != nil {
		t.Fatal(err)
	}
	body := out.String()[strings.Index(out.String(), "<body>"):]
	body = regexp.MustCompile(` title="[^"]*"`).ReplaceAllString(body, "")
	found := regexp.MustCompile(`<[^>]*>[^<]*[א-ת]`).FindAllString(body, -1)
	if len(found) < 8 {
		t.Errorf("only %d texts", len(found))
	}
	for _, text := range found {
		if !strings.Contains(text, `dir="auto"`) {
			t.Errorf("no direction: %s", text)
		}
	}
}

// TestLegend explains what is used, and nothing else.
func TestLegend(t *testing.T) {
	c := weekOf(t, at(t, 1, 10, 0, time.Hour, "Lunch"), at(t, 2, 10, 0, time.Hour, "Perhaps"))
	c.Entries[1].Kind = agenda.Tentative
	c.Requests = []agenda.Request{{Entry: c.Entries[0], Counter: true}}
	var names []string
	for _, item := range (plan{c}).data().Legend {
		names = append(names, item.Class)
	}
	if got := strings.Join(names, " "); got != "busy tentative proposed" {
		t.Errorf("the legend has %s", got)
	}
}

// TestDetailsOf lists attendees and texts that are long.
func TestDetailsOf(t *testing.T) {
	lines60 := make([]string, 60)
	for i := range lines60 {
		lines60[i] = fmt.Sprintf("ATTENDEE:mailto:user%d@example.com", i)
	}
	object, err := calendar.DecodeObject([]byte(agendatest.Event("e", "Event", "20261202T100000", "20261202T110000", lines60...)))
	if err != nil {
		t.Fatal(err)
	}
	list := guests(object.Attendees())
	if len(list) != maxGuests+1 || list[0] != (guest{"user0@example.com", "no answer"}) || list[maxGuests].Name != "10 more" {
		t.Errorf("guests %v", list)
	}
	for text, want := range map[string]string{
		"":                            "",
		" one \r\n\r\ntwo\x1b[2J\n\n": "one\n\ntwo\\x1b[2J",
		strings.Repeat("é", 2000):     strings.Repeat("é", 2000),
		strings.Repeat("é", 2001):     strings.Repeat("é", 2000) + "…",
	} {
		if got := lines(text); got != want {
			t.Errorf("%.40q: %.40q, want %.40q", text, got, want)
		}
	}
}

// TestSVGIsXML reads the picture as XML, which is stricter than HTML.
func TestSVGIsXML(t *testing.T) {
	for name, c := range map[string]*agenda.Calendar{"sample": agendatest.Sample(t), "hostile": hostileCalendar(t), "empty": {Zone: time.UTC, To: time.Time{}.AddDate(0, 0, 1)}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := SVG(&out, c); err != nil {
				t.Fatal(err)
			}
			ids := make(map[string]bool)
			d := xml.NewDecoder(&out)
			for {
				token, err := d.Token()
				if err == io.EOF {
					return
				} else if err != nil {
					t.Fatal(err)
				}
				element, ok := token.(xml.StartElement)
				if !ok {
					continue
				}
				for _, attr := range element.Attr {
					if attr.Name.Local == "id" && ids[attr.Value] {
						t.Errorf("the id %s is there twice", attr.Value)
					} else if attr.Name.Local == "id" {
						ids[attr.Value] = true
					}
				}
			}
		})
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 10, ""},
		{"a few words", 20, "a few words"},
		{"a few words", 6, "a few|words"},
		{"a few words", 5, "a few|words"},
		{"unbreakable", 4, "unbr|eaka|ble"},
		{"so unbreakable", 6, "so|unbrea|kable"},
		{"会議室", 4, "会議|室"},
		{"narrower than a letter", 0, "n|a|r|r|o|w|e|r|t|h|a|n|a|l|e|t|t|e|r"},
	} {
		if got := strings.Join(wrap(test.text, test.width), "|"); got != test.want {
			t.Errorf("%q in %d: %q, want %q", test.text, test.width, got, test.want)
		}
	}
}
