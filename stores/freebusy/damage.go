package freebusy

import (
	"slices"
	"strings"
)

// Damage is a place in a table's file that is not as it should be.
type Damage struct {
	Line  int    // of the file, from 1
	Text  string // the text found there, all lines of it
	Flaws []Flaw // what is wrong with it: one at least, in the order in which they were found
}

// Mended reports whether the record is in the table all the same. Otherwise it is not, and
// will not be written again.
func (d Damage) Mended() bool { return !slices.ContainsFunc(d.Flaws, Flaw.Loses) }

// OldLayout reports whether all that is wrong is the eighth column that the first releases
// wrote.
func (d Damage) OldLayout() bool { return len(d.Flaws) == 1 && d.Flaws[0] == OldLayout }

// Reason says what is wrong, for people.
func (d Damage) Reason() string {
	texts := make([]string, len(d.Flaws))
	for i, f := range d.Flaws {
		texts[i] = f.String()
	}
	return strings.Join(texts, ", ")
}

// Flaw is something that is wrong with a line or row of a table.
type Flaw int

// The flaws of tables of periods, then those of the store's other tables, then those of rows in
// a database.
const (
	_             Flaw = iota
	ByteOrderMark      // a byte order mark, as editors leave
	BlankLine          // a blank line
	BrokenValue        // a line break or TAB inside a value
	TooFewColumns      // columns are missing at its end
	OldLayout          // an eighth column, as the first releases wrote
	LocalTime          // a date or local time where a UTC time belongs
	NotUTF8            // not UTF-8
	NoRecord           // it does not begin with two times
	OnlyNULs           // nothing but NULs
	MissingTAB         // columns cannot be told apart
	EventNotUTF8       // a UID or recurrence id that is not UTF-8
	BadExpiry          // an expiry time that cannot be read

	LineNotUTF8       // a line that is not UTF-8
	TooManyColumns    // more columns than belong there
	ControlCharacters // control characters
	NoUID             // no event is named
	NoWindow          // the first line is not the end of the window

	BadTimes // times that cannot be read
	Twice    // a record that is there already
)

// Loses reports whether the flaw leaves nothing of the record.
func (f Flaw) Loses() bool { return f >= NoRecord }

// flaws are what is said of flaws.
var flaws = map[Flaw]string{
	ByteOrderMark: "a byte order mark",
	BlankLine:     "a blank line",
	BrokenValue:   "a line break or TAB inside a value",
	TooFewColumns: "columns are missing",
	OldLayout:     "old layout: there is an eighth column",
	LocalTime:     "a date or local time where a UTC time belongs",
	NotUTF8:       "not UTF-8",
	NoRecord:      "not a record: it does not begin with two times from 1900 to 9999",
	OnlyNULs:      "only NULs, as after a power cut",
	MissingTAB:    "a TAB is missing, so that it is not sure which column is which",
	EventNotUTF8:  "a UID or recurrence id that is not UTF-8",
	BadExpiry:     "an expiry time that cannot be read",

	LineNotUTF8:       "it is not UTF-8",
	TooManyColumns:    "there are more columns in it than belong there",
	ControlCharacters: "there are control characters in it",
	NoUID:             "there is no UID in it",
	NoWindow:          "it is not the end of the window, which belongs in the first line",

	BadTimes: "its times cannot be read",
	Twice:    "it is there twice",
}

// String says what is wrong, for people.
func (f Flaw) String() string { return flaws[f] }
