package file

import (
	"slices"
	"strings"

	"imip-agent/stores/freebusy"
)

// unordered returns the number of the first line of a free/busy table, which has no
// damage, that does not belong after the one before it; 0 if there is none.
func unordered(content []byte, layout freebusy.Layout) int {
	number := 0
	var last [5]string
	for text := range strings.Lines(string(content)) {
		number++
		key := orderKey(text, layout)
		if number > 1 && compareKeys(last, key) > 0 {
			return number
		}
		last = key
	}
	return 0
}

// orderKey returns start, end, UID and recurrence id of a record, and where it has one the attendee.
func orderKey(text string, layout freebusy.Layout) (key [5]string) {
	text = strings.TrimRight(text, " \r\n")
	if layout == freebusy.Attended {
		key[4] = text[strings.LastIndexByte(text, '\t')+1:]
	}
	for i := range 4 {
		key[i], text, _ = strings.Cut(text, "\t")
		if i == 2 { // the transparency is no part of the order
			_, text, _ = strings.Cut(text, "\t")
		}
	}
	return key
}

func compareKeys(a, b [5]string) int { return slices.Compare(a[:], b[:]) }
