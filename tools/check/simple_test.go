package check

import (
	"bytes"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"imip-agent/handlers/itip"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// storedTexts returns the objects that both programs have stored in the conversations.
func storedTexts(t testing.TB) []string {
	names, err := filepath.Glob("../../tests/compat/conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	var texts []string
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasPrefix(string(file.Data), "BEGIN:VEVENT") {
				texts = append(texts, string(file.Data))
			}
		}
	}
	return texts
}

// What is read of simple objects in one go is what the decoder reads.
func TestSimple(t *testing.T) {
	simple := 0
	for _, text := range storedTexts(t) {
		simple += compareSimple(t, text)
	}
	if simple < 100 {
		t.Errorf("only %d objects are simple", simple)
	}
}

// FuzzSimple compares the two on damaged objects.
func FuzzSimple(f *testing.F) {
	for _, text := range storedTexts(f)[:100] {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { compareSimple(t, text) })
}

func compareSimple(t *testing.T, text string) (simple int) {
	for _, user := range []calendar.URI{"mailto:paul.boddie@example.com", "mailto:vincent.vole@example.com"} {
		s := look([]byte(text), string(user))
		if s.brief == nil {
			continue
		}
		full, errFull := calendar.DecodeObject([]byte(text))
		brief, errBrief := calendar.DecodeObject(s.brief)
		if (errFull == nil) != (errBrief == nil) {
			t.Fatalf("whole: %v, in brief: %v\n%s\n%s", errFull, errBrief, text, s.brief)
		}
		if errFull != nil {
			continue
		}
		options := calendar.PeriodOptions{Zone: time.UTC, Now: time.Unix(1_795_000_000, 0), Until: time.Unix(1_800_000_000, 0)}
		want, truncated, _ := full.Periods(options)
		if spans, _, _ := brief.Periods(options); !reflect.DeepEqual(spans, want) {
			t.Errorf("in brief the periods are %v and not %v\n%s", spans, want, text)
		}
		expect := itip.Expect(full, user)
		if got := itip.Expect(brief, user); !reflect.DeepEqual(got, expect) {
			t.Errorf("in brief %+v is expected and not %+v\n%s", got, expect, text)
		}
		r, ok := readSimple(s.brief, user)
		if !ok {
			continue
		}
		simple++
		organizer, _ := full.Organizer()
		if r.uid != full.UID() || r.summed() != full.Summary() || r.organizer != organizer || !reflect.DeepEqual(r.facts.Expect(), expect) {
			t.Errorf("simply read: %+v, decoded: %q %q %+v\n%s", r, full.UID(), organizer, expect, text)
		}
		if id, err := full.RecurrenceID(); err != nil || id != "" || full.Has("RRULE") || full.Has("RDATE") || full.Has("EXDATE") {
			t.Errorf("simply read: one of a series\n%s", text)
		}
		if truncated || len(want) != 1 || want[0].Start.Unix() != r.span.start || want[0].End.Unix() != r.span.end {
			t.Errorf("simply read: %+v, decoded: %v\n%s", r.span, want, text)
		}
	}
	return simple
}

// What is published of a table is known for it whatever its size, and whenever it was: a
// million records can be published, of which the reader takes a part.
func TestIsPublished(t *testing.T) {
	const user = "mailto:paul@example.com"
	periods := make([]freebusy.Period, 250_000)
	for i := range periods {
		at := time.Date(2026, 12, 2, 9, i, 0, 0, time.UTC)
		periods[i] = freebusy.Period{Start: at, End: at.Add(time.Minute), UID: "u", Transp: "OPAQUE"}
	}
	table := freebusy.New(freebusy.Plain, periods...)
	text := freebusy.Published(user, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), table)
	if !isPublished(text, user, table) {
		t.Error("what was published is not known again")
	}
	table.Remove("u", "")
	table.InsertAll(periods[1:])
	if isPublished(text, user, table) {
		t.Error("one period is missing in the table")
	}
	few := freebusy.New(freebusy.Plain, periods[:2]...)
	other := bytes.Replace(freebusy.Published(user, time.Time{}, few), []byte("PRODID"), []byte("X-PRODID"), 1)
	if !isPublished(other, user, few) || isPublished(other, user, table) {
		t.Error("what another program has published is read wrongly")
	}
}
