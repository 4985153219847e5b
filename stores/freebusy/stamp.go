package freebusy

import (
	"encoding/binary"
	"time"

	"imip-agent/stores/calendar"
)

// Times stand in a table as UTC date-times, `20261202T090000Z` (RFC 5545 section
// 3.3.5, form 2), which are in order as text.
const stampSize = len("20261202T090000Z")

// The years that a table can hold. The original's programs fail on earlier ones.
const minYear, maxYear = 1900, 9999

// appendStamp appends an instant as a table holds it; nothing for the zero time.
func appendStamp(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return calendar.AppendUTC(dst, t)
}

// stamp returns an instant as a table holds it.
func stamp(t time.Time) string { return string(appendStamp(nil, t)) }

// storable reports whether a table can hold the instant.
func storable(t time.Time) bool {
	year := t.UTC().Year()
	return minYear <= year && year <= maxYear
}

// instant reads what appendStamp wrote; the zero time for anything else.
func instant(text string) time.Time {
	if len(text) != stampSize || !isDay(text[:8]) || !isClock(text[8:]) {
		return time.Time{}
	}
	number := func(digits string) (n int) {
		for i := range len(digits) {
			n = n*10 + int(digits[i]-'0')
		}
		return n
	}
	return time.Date(number(text[:4]), time.Month(number(text[4:6])), number(text[6:8]),
		number(text[9:11]), number(text[11:13]), number(text[13:15]), 0, time.UTC)
}

// Eight octets at a time: a text is compared with a template by exclusive or, which
// leaves the digits' values, and each is held against the greatest allowed by adding what
// would take it over 127.
const (
	eachHigh      = 0x8080808080808080
	dayTemplate   = 0x3030303030303030 // "00000000"
	clockTemplate = 0x5a30303030303054 // "T000000Z", the first octet lowest
	dayRoom       = 0x767c767e76767676 // at most 99991939; isDay does the rest
	clockRoom     = 0x7f767a767a767d7f // at most T295959Z; isClock does the rest
)

// isDay reports whether eight octets are a date that a table can hold.
func isDay(text string) bool {
	x := load(text) ^ dayTemplate
	if (x|(x+dayRoom))&eachHigh != 0 {
		return false
	}
	year := int(text[0]-'0')*1000 + int(text[1]-'0')*100 + int(text[2]-'0')*10 + int(text[3]-'0')
	month := int(text[4]-'0')*10 + int(text[5]-'0')
	day := int(text[6]-'0')*10 + int(text[7]-'0')
	if year < minYear || month < 1 || month > 12 || day < 1 {
		return false
	}
	return day <= 28 || day <= time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// isClock reports whether eight octets are a time of day in UTC, such as T090000Z.
func isClock(text string) bool {
	x := load(text) ^ clockTemplate
	if (x|(x+clockRoom))&eachHigh != 0 {
		return false
	}
	return text[1] < '2' || text[2] < '4'
}

// load returns the first eight octets of text, the first one lowest.
func load(text string) uint64 {
	_ = text[7]
	return binary.LittleEndian.Uint64([]byte(text[:8]))
}

// normalStamp returns text as a UTC date-time, if it is a date, a date-time without
// a zone (both taken as UTC) or a UTC date-time that a table can hold.
func normalStamp(text string) (stamp string, ok bool) {
	switch len(text) {
	case len("20261202"):
		text += "T000000Z"
	case len("20261202T090000"):
		text += "Z"
	case stampSize:
	default:
		return "", false
	}
	return text, isDay(text[:8]) && isClock(text[8:])
}
