package freebusy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Records for tests: their times, then a whole record as the original writes it.
const (
	at9  = "20261202T090000Z\t20261202T100000Z\t"
	at11 = "20261202T110000Z\t20261202T120000Z\t"

	sound9  = at9 + "u9\tOPAQUE\t\tStandup\tmailto:paul.boddie@example.com\n"
	sound11 = at11 + "u11\tORG\t20261202T110000Z\tPlan\tmailto:paul.boddie@example.com\n"
)

func TestReadKeepsWhatIsSound(t *testing.T) {
	for name, test := range map[string]struct {
		layout Layout
		text   string
	}{
		"nothing":              {Plain, ""},
		"records":              {Plain, sound9 + sound11},
		"no summary":           {Plain, at9 + "u\tOPAQUE\t\t\tmailto:o@x\n"},
		"no organizer":         {Plain, at9 + "u\tOPAQUE\t\tsum\t\n"},
		"bare organizer":       {Plain, at9 + "u\tOPAQUE\t\tsum\to@x\n" + sound11},
		"no UID":               {Plain, at9 + "\tOPAQUE\t\tsum\tmailto:o@x\n"},
		"unknown transparency": {Plain, at9 + "u\tfree\t\tsum\tmailto:o@x\n"},
		"spaces in values":     {Plain, at9 + " u  1 \tOPAQUE\t\t  a  b \tmailto:o@x\n"},
		"other alphabets":      {Plain, at9 + "u\tOPAQUE\t\tВстреча 会議　室 \U0001F600\tmailto:ø@x\n"},
		"the same twice":       {Plain, sound9 + sound9},
		"reversed times":       {Plain, "20261202T110000Z\t20261202T090000Z\tu\tOPAQUE\t\t\t\n"},
		"leap day":             {Plain, "20280229T110000Z\t20280229T110000Z\tu\tOPAQUE\t\t\t\n"},
		"edges of time":        {Plain, "19000101T000000Z\t99991231T235959Z\tu\tOPAQUE\t\t\t\n"},
		"controls that break no line": {Plain,
			at9 + "u\tOPAQUE\t\ta\x00b\x01c\x1fd\x7f\tmailto:o@x\n"},
		"expiring":       {Expiring, strings.ReplaceAll(sound9, "\n", "\t20261203T000000Z\n")},
		"no expiry time": {Expiring, strings.ReplaceAll(sound9, "\n", "\t\n")},
		"attended":       {Attended, strings.ReplaceAll(sound9, "\n", "\tmailto:a@x\n")},
	} {
		t.Run(name, func(t *testing.T) {
			table, damages := Read([]byte(test.text), test.layout)
			if len(damages) > 0 {
				t.Errorf("damage: %+v", damages)
			}
			if diff := cmp.Diff(test.text, string(table.Append(nil))); diff != "" {
				t.Errorf("written otherwise than read (-read +written):\n%s", diff)
			}
			if table.Changed() {
				t.Error("reading has changed it")
			}
		})
	}
}

// TestReadTidies has what the original reads as well, and writes differently.
func TestReadTidies(t *testing.T) {
	for name, text := range map[string]string{
		"CR at the ends of lines":  strings.ReplaceAll(sound9+sound11, "\n", "\r\n"),
		"spaces at ends of lines":  strings.ReplaceAll(sound9+sound11, "\n", "  \n"),
		"spaces before CR":         strings.ReplaceAll(sound9+sound11, "\n", " \r\n"),
		"spaces at the beginnings": " " + sound9 + "  " + sound11,
		"no LF after the last":     strings.TrimSuffix(sound9+sound11, "\n"),
		"CR after the last":        strings.TrimSuffix(sound9+sound11, "\n") + "\r",
		"CR for LF":                strings.ReplaceAll(sound9+sound11, "\n", "\r"),
		"out of order":             sound11 + sound9,
		"no transparency":          strings.ReplaceAll(sound9+sound11, "OPAQUE", ""),
	} {
		t.Run(name, func(t *testing.T) {
			table, damages := Read([]byte(text), Plain)
			if len(damages) > 0 {
				t.Errorf("damage: %+v", damages)
			}
			if diff := cmp.Diff(sound9+sound11, string(table.Append(nil))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if table.Changed() {
				t.Error("reading has changed it")
			}
		})
	}
}

func TestReadPastDamage(t *testing.T) {
	const broken9 = at9 + "u9\tOPAQUE\t\ta b\tmailto:o@x\n" // what becomes of a summary in two lines
	tests := map[string]struct {
		layout Layout
		text   string
		want   string // the records that the damage leaves
		flaws  []Flaw
		line   int
		found  string // the text of the damage; "" for that of a whole mended record
		lost   bool   // not mended
	}{
		// What a SUMMARY with a line break leaves behind: the second program to read it
		// takes each part for a record.
		"LF in the summary":    {text: at9 + "u9\tOPAQUE\t\ta\nb\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"CR":                   {text: at9 + "u9\tOPAQUE\t\ta\rb\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"CR LF":                {text: at9 + "u9\tOPAQUE\t\ta\r\nb\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"VT":                   {text: at9 + "u9\tOPAQUE\t\ta\vb\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"FF":                   {text: at9 + "u9\tOPAQUE\t\ta\fb\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"FS":                   {text: at9 + "u9\tOPAQUE\t\ta\x1cb\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"GS":                   {text: at9 + "u9\tOPAQUE\t\ta\x1db\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"RS":                   {text: at9 + "u9\tOPAQUE\t\ta\x1eb\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"NEL":                  {text: at9 + "u9\tOPAQUE\t\ta\u0085b\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"line separator":       {text: at9 + "u9\tOPAQUE\t\ta\u2028b\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"paragraph separator":  {text: at9 + "u9\tOPAQUE\t\ta\u2029b\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"TAB":                  {text: at9 + "u9\tOPAQUE\t\ta\tb\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"spaces at the break":  {text: at9 + "u9\tOPAQUE\t\ta \n  b\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"blank lines in it":    {text: at9 + "u9\tOPAQUE\t\ta\n\n \nb\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"LF at its end":        {text: at9 + "u9\tOPAQUE\t\ta b\n\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"LF at its beginning":  {text: at9 + "u9\tOPAQUE\t\t\na b\tmailto:o@x\n", want: broken9, flaws: []Flaw{BrokenValue}},
		"TAB, then LF":         {text: at9 + "u9\tOPAQUE\t\ta\t\nb\tmailto:o@x\n", want: at9 + "u9\tOPAQUE\t\ta\t\n", flaws: []Flaw{NoRecord}, lost: true, line: 3, found: "b\tmailto:o@x"},
		"TAB, words, then LF":  {text: at9 + "u9\tOPAQUE\t\ta\tb\nc\tmailto:o@x\n", want: at9 + "u9\tOPAQUE\t\ta b c\tmailto:o@x\n", flaws: []Flaw{BrokenValue}},
		"LF, then TABs":        {text: at9 + "u9\tOPAQUE\t\ta\nb\tc\td\tmailto:o@x\n", want: at9 + "u9\tOPAQUE\t\ta b c d\tmailto:o@x\n", flaws: []Flaw{BrokenValue}},
		"five parts":           {text: at9 + "u9\tOPAQUE\t\ta\nb\nc\nd\ne\tmailto:o@x\n", want: at9 + "u9\tOPAQUE\t\ta b c d e\tmailto:o@x\n", flaws: []Flaw{BrokenValue}},
		"a colon in it":        {text: at9 + "u9\tOPAQUE\t\ta\tRe: b\nc\tmailto:o@x\n", want: at9 + "u9\tOPAQUE\t\ta Re: b c\tmailto:o@x\n", flaws: []Flaw{BrokenValue}},
		"no organizer at all":  {text: at9 + "u9\tOPAQUE\t\ta\nb\t\n", want: at9 + "u9\tOPAQUE\t\ta b\t\n", flaws: []Flaw{BrokenValue}},
		"bare organizer":       {text: at9 + "u9\tOPAQUE\t\ta\nb\to@x\n", want: at9 + "u9\tOPAQUE\t\ta b\to@x\n", flaws: []Flaw{BrokenValue}},
		"TABs, no organizer":   {text: at9 + "u9\tOPAQUE\t\ta\tb\tc\t\n", want: at9 + "u9\tOPAQUE\t\ta b c\t\n", flaws: []Flaw{BrokenValue}},
		"in an offer":          {layout: Expiring, text: at9 + "u9\tOPAQUE\t\ta\nb\tmailto:o@x\t20261203T000000Z\n", want: at9 + "u9\tOPAQUE\t\ta b\tmailto:o@x\t20261203T000000Z\n", flaws: []Flaw{BrokenValue}},
		"TAB in an offer":      {layout: Expiring, text: at9 + "u9\tOPAQUE\t\ta\tb\tmailto:o@x\t\n", want: at9 + "u9\tOPAQUE\t\ta b\tmailto:o@x\t\n", flaws: []Flaw{BrokenValue}},
		"both in an offer":     {layout: Expiring, text: at9 + "u9\tOPAQUE\t\ta\tb\nc\tmailto:o@x\t\n", want: at9 + "u9\tOPAQUE\t\ta b c\tmailto:o@x\t\n", flaws: []Flaw{BrokenValue}},
		"with an attendee":     {layout: Attended, text: at9 + "u9\tOPAQUE\t\ta\nb\tmailto:o@x\tmailto:a@x\n", want: at9 + "u9\tOPAQUE\t\ta b\tmailto:o@x\tmailto:a@x\n", flaws: []Flaw{BrokenValue}},
		"TAB with an attendee": {layout: Attended, text: at9 + "u9\tOPAQUE\t\ta\tb\tmailto:o@x\tmailto:a@x\n", want: at9 + "u9\tOPAQUE\t\ta b\tmailto:o@x\tmailto:a@x\n", flaws: []Flaw{BrokenValue}},
		"VT in the UID":        {text: at9 + "u\v9\tOPAQUE\t\ta b\tmailto:o@x\n", want: at9 + "u 9\tOPAQUE\t\ta b\tmailto:o@x\n", flaws: []Flaw{BrokenValue}},

		// Other things that the original reads, or once wrote.
		"only times":               {text: at9[:len(at9)-1] + "\n", want: at9 + "\tOPAQUE\t\t\t\n", flaws: []Flaw{TooFewColumns}},
		"three columns":            {text: at9 + "u9\n", want: at9 + "u9\tOPAQUE\t\t\t\n", flaws: []Flaw{TooFewColumns}},
		"six columns":              {text: at9 + "u9\tOPAQUE\t\tsum\n", want: at9 + "u9\tOPAQUE\t\tsum\t\n", flaws: []Flaw{TooFewColumns}},
		"offer without expiry":     {layout: Expiring, text: sound9, want: strings.TrimSuffix(sound9, "\n") + "\t\n", flaws: []Flaw{TooFewColumns}},
		"old layout":               {text: at9 + "u9\tOPAQUE\t\tsum\tmailto:o@x\t\n", want: at9 + "u9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{OldLayout}},
		"old layout, expiry":       {text: at9 + "u9\tOPAQUE\t\tsum\tmailto:o@x\t20261203T000000Z\n", want: at9 + "u9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{OldLayout}},
		"old layout, no organizer": {text: at9 + "u9\tOPAQUE\t\tsum\t\t\n", want: at9 + "u9\tOPAQUE\t\tsum\t\n", flaws: []Flaw{OldLayout}},
		"old layout and TAB":       {text: at9 + "u9\tOPAQUE\t\ta\tb\tmailto:o@x\t\n", want: broken9, flaws: []Flaw{OldLayout, BrokenValue}},
		"dates":                    {text: "20261202\t20261203\tu9\tOPAQUE\t\t\t\n", want: "20261202T000000Z\t20261203T000000Z\tu9\tOPAQUE\t\t\t\n", flaws: []Flaw{LocalTime}},
		"local times":              {text: "20261202T090000\t20261202T100000\tu9\tOPAQUE\t\t\t\n", want: at9 + "u9\tOPAQUE\t\t\t\n", flaws: []Flaw{LocalTime}},
		"Latin-1 summary":          {text: at9 + "u9\tOPAQUE\t\tcaf\xe9\tmailto:o@x\n", want: at9 + "u9\tOPAQUE\t\tcaf\uFFFD\tmailto:o@x\n", flaws: []Flaw{NotUTF8}},
		"surrogate in UTF-8":       {text: at9 + "u9\tOPAQUE\t\ta\xed\xa0\x80b\t\n", want: at9 + "u9\tOPAQUE\t\ta\uFFFDb\t\n", flaws: []Flaw{NotUTF8}},
		"blank line":               {text: "\n", flaws: []Flaw{BlankLine}, found: ""},
		"blank lines":              {text: "\n \r\n\r\n", flaws: []Flaw{BlankLine}, found: "\n \r\n"},

		// What is no record is handed back, whole.
		"one column":                     {text: "hello\n", flaws: []Flaw{NoRecord}, lost: true},
		"words":                          {text: "hello\tworld\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"some lines of them":             {text: "hello\nworld\n", found: "hello\nworld", flaws: []Flaw{NoRecord}, lost: true},
		"no TAB before the transparency": {text: at9 + "u9OPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{MissingTAB}, lost: true},
		"no TAB after the transparency":  {text: at9 + "u9\tOPAQUE\tsum\tmailto:o@x\n", flaws: []Flaw{MissingTAB}, lost: true},
		"no TAB after the recurrence id": {text: at9 + "u9\tOPAQUE\t20261202T090000Zsum\tmailto:o@x\n", flaws: []Flaw{MissingTAB}, lost: true},
		"no TAB and no summary":          {text: at9 + "u9\tOPAQUE\t\tmailto:o@x\n", flaws: []Flaw{MissingTAB}, lost: true},
		"no TAB before the organizer":    {text: at9 + "u9\tOPAQUE\t\tsum mailto:o@x\n", want: at9 + "u9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{TooFewColumns}},
		"NULs of a crash":                {text: strings.Repeat("\x00", 100) + "\n", flaws: []Flaw{OnlyNULs}, lost: true},
		"no start":                       {text: "\t20261202T090000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"no end":                         {text: "20261202T090000Z\t\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"13th month":                     {text: "20261302T090000Z\t20261202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"month 0":                        {text: "20260002T090000Z\t20261202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"30th of February":               {text: "20260230T090000Z\t20261202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"29th in no leap":                {text: "20270229T090000Z\t20271202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"day 0":                          {text: "20260200T090000Z\t20261202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"24 o'clock":                     {text: "20261202T240000Z\t20261202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"minute 60":                      {text: "20261202T096000Z\t20261202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"second 60":                      {text: "20261202T090060Z\t20261202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"lower case":                     {text: "20261202t090000z\t20261202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		// The original reads a year before 1900, and then fails to write the table.
		"before 1900":           {text: "18991231T235959Z\t20261202T100000Z\tu9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{NoRecord}, lost: true},
		"UID in Latin-1":        {text: at9 + "caf\xe9\tOPAQUE\t\tsum\tmailto:o@x\n", flaws: []Flaw{EventNotUTF8}, lost: true},
		"expiry in words":       {layout: Expiring, text: at9 + "u9\tOPAQUE\t\tsum\tmailto:o@x\tsoon\n", flaws: []Flaw{BadExpiry}, lost: true},
		"far too long to mend":  {text: at9 + "u9\tOPAQUE\t\tsum\n" + strings.Repeat("x", maxBroken) + "\tmailto:o@x\n", want: at9 + "u9\tOPAQUE\t\tsum\t\n", flaws: []Flaw{NoRecord}, lost: true, line: 3, found: strings.Repeat("x", maxBroken) + "\tmailto:o@x"},
		"stray after a record":  {text: sound9 + "hello\n", want: sound9, flaws: []Flaw{NoRecord}, lost: true, line: 3, found: "hello"},
		"stray after too few":   {text: at9 + "u9\tOPAQUE\n" + "hello\n", want: at9 + "u9\tOPAQUE\t\t\t\n", flaws: []Flaw{NoRecord}, lost: true, line: 3, found: "hello"},
		"bad time after broken": {text: at9 + "u9\tOPAQUE\t\tsum\n" + "hello" + sound11, want: at9 + "u9\tOPAQUE\t\tsum\t\n", flaws: []Flaw{NoRecord}, lost: true, line: 3, found: "hello" + strings.TrimSuffix(sound11, "\n")},
	}
	before := "20261201T090000Z\t20261201T100000Z\tbefore\tOPAQUE\t\tsum\tmailto:o@x"
	after := "20261203T090000Z\t20261203T100000Z\tafter\tOPAQUE\t\tsum\tmailto:o@x"
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			end := "\n"
			if test.layout != Plain {
				end = "\t\n"
			}
			text := before + end + test.text + after + end
			table, damages := Read([]byte(text), test.layout)
			if diff := cmp.Diff(before+end+test.want+after+end, string(table.Append(nil))); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			want := Damage{Line: 2, Text: strings.TrimSuffix(test.text, "\n"), Flaws: test.flaws}
			if test.line != 0 {
				want.Line = test.line
			}
			if test.found != "" {
				want.Text = test.found
			}
			if len(damages) == 0 {
				t.Fatal("no damage found")
			}
			if diff := cmp.Diff(want, damages[len(damages)-1]); diff != "" {
				t.Errorf("damage (-want +got):\n%s", diff)
			}
			if want.Mended() == test.lost {
				t.Errorf("mended: %v", want.Mended())
			}
			if len(damages) > 1 && test.line == 0 {
				t.Errorf("more damage: %+v", damages)
			}
			if table.Changed() {
				t.Error("reading has changed it")
			}
		})
	}
}

func TestReadByteOrderMark(t *testing.T) {
	table, damages := Read([]byte("\ufeff"+sound9), Plain)
	want := []Damage{{Line: 1, Text: "\ufeff", Flaws: []Flaw{ByteOrderMark}}}
	if diff := cmp.Diff(want, damages); diff != "" {
		t.Error(diff)
	}
	if got := string(table.Append(nil)); got != sound9 {
		t.Errorf("got %q", got)
	}
}

func TestReadCountsLines(t *testing.T) {
	text := sound9 + "one\n" + sound9 + "\n\n" + at9 + "u\tOPAQUE\t\ta\nb\tmailto:o@x\r\n" + sound9 + "two\n"
	_, damages := Read([]byte(text), Plain)
	var lines []int
	for _, d := range damages {
		lines = append(lines, d.Line)
	}
	if diff := cmp.Diff([]int{2, 4, 6, 9}, lines); diff != "" {
		t.Error(diff)
	}
}

func TestReadPeriod(t *testing.T) {
	text := at9 + "u9\t\t20261202T090000Z\tStandup\tmailto:o@x\t20261203T000000Z\n"
	want := Period{
		Start: time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC), End: time.Date(2026, 12, 2, 10, 0, 0, 0, time.UTC),
		UID: "u9", Transp: "OPAQUE", RecurrenceID: "20261202T090000Z", Summary: "Standup", Organizer: "mailto:o@x",
		Expires: time.Date(2026, 12, 3, 0, 0, 0, 0, time.UTC),
	}
	table, _ := Read([]byte(text), Expiring)
	for p := range table.All() {
		if diff := cmp.Diff(want, p); diff != "" {
			t.Error(diff)
		}
	}
	if table.Len() != 1 {
		t.Errorf("%d records", table.Len())
	}
}

// TestReadTakesTime has files that would take minutes if reading were not linear in them.
func TestReadTakesTime(t *testing.T) {
	const size = 1 << 20
	for name, unit := range map[string]string{
		"blank lines":          "\n",
		"strays":               "x\n",
		"TABs":                 "\t",
		"broken records":       at9 + "u\tOPAQUE\t\tsum\n\n\nx\n",
		"ever the same break":  "a\v",
		"CRs":                  "\r",
		"records out of order": sound11 + sound9,
	} {
		t.Run(name, func(t *testing.T) {
			text := at9 + "u\tOPAQUE\t\tsum\n" + strings.Repeat(unit, size/len(unit))
			Read([]byte(text), Plain)
		})
	}
}
