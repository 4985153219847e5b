package stores

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckText returns an [UnstorableError] for a UID or a user's URI, as what says,
// that no store can keep: it would be more than one column or line of a table.
func CheckText(what, text string) error {
	if reason := BadText(text); reason != "" {
		return &UnstorableError{What: what, Value: text, Reason: reason}
	}
	return nil
}

// BadText says why a text can be neither a name nor a column of a table; it is empty
// if the text can.
func BadText(text string) string {
	switch {
	case text == "":
		return "it is empty"
	case !utf8.ValidString(text):
		return "it is not UTF-8"
	case strings.ContainsFunc(text, IsControl):
		return "it has control characters"
	}
	return ""
}

// IsControl reports whether a character controls rather than shows something. The
// original ends a line at the line and paragraph separators as well.
func IsControl(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// CheckID returns an [UnstorableError] for an event that no store can keep.
func CheckID(id ID) error {
	if err := CheckText("UID", id.UID); err != nil {
		return err
	}
	if id.RecurrenceID != "" && !IsRecurrenceID(id.RecurrenceID) {
		return &UnstorableError{What: "RECURRENCE-ID", Value: id.RecurrenceID, Reason: "it is not a date or date-time"}
	}
	return nil
}

// IsRecurrenceID reports whether text has the form of a normalised recurrence id: a
// date, a local date-time, or one in UTC.
func IsRecurrenceID(text string) bool {
	const form = "00000000T000000Z"
	if len(text) > len(form) || len(text) < len(form)-1 && len(text) != len("00000000") {
		return false
	}
	for i := range len(text) {
		if digit := '0' <= text[i] && text[i] <= '9'; form[i] == '0' && !digit || form[i] != '0' && text[i] != form[i] {
			return false
		}
	}
	return true
}

// CheckRequest returns an [UnstorableError] for what cannot stand in a request queue.
func CheckRequest(r Request) error {
	if err := CheckID(r.ID); err != nil {
		return err
	}
	if r.Type == "" {
		return nil
	}
	return CheckText("request type", r.Type)
}
