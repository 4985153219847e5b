package file

import (
	"cmp"
	"strings"
)

// unordered returns the number of the first line of a free/busy table, which has no
// damage, that does not belong after the one before it; 0 if there is none.
func unordered(content []byte) int {
	number := 0
	var last [4]string
	for text := range strings.Lines(string(content)) {
		number++
		key := orderKey(text)
		if number > 1 && compareKeys(last, key) > 0 {
			return number
		}
		last = key
	}
	return 0
}

// orderKey returns start, end, UID and recurrence id of a record.
func orderKey(text string) (key [4]string) {
	text = strings.TrimRight(text, " \r\n")
	for i := range key {
		key[i], text, _ = strings.Cut(text, "\t")
		if i == 2 { // the transparency is no part of the order
			_, text, _ = strings.Cut(text, "\t")
		}
	}
	return key
}

func compareKeys(a, b [4]string) int {
	return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1]),
		strings.Compare(a[2], b[2]), strings.Compare(a[3], b[3]))
}
