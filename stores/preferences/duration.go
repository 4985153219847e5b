package preferences

import (
	"errors"
	"time"
)

var errDuration = errors.New(`it is not an iCalendar duration such as "P1D", "P2W" or "PT1H30M"`)

// ParseDuration returns the length of an iCalendar duration (RFC 5545 section
// 3.3.6), with days of 24 hours. A negative one is refused: nothing that is set
// here can last less than no time.
//
// DEVIATION: duration-forms. The original does not read a plus sign, nor hours
// and seconds without minutes between them.
func ParseDuration(text string) (time.Duration, error) {
	if len(text) > 0 && text[0] == '+' {
		text = text[1:]
	}
	if len(text) < 3 || text[0] != 'P' {
		return 0, errDuration
	}
	// Each unit is smaller than the one before it; T stands before the times, and
	// weeks stand alone.
	const units = "WDTHMS"
	lengths := [...]time.Duration{7 * 24 * time.Hour, 24 * time.Hour, 0, time.Hour, time.Minute, time.Second}
	var total time.Duration
	next, weeks := 0, false
	for rest := text[1:]; rest != ""; {
		if rest[0] == 'T' {
			if next > 2 || weeks || len(rest) == 1 {
				return 0, errDuration
			}
			next, rest = 3, rest[1:]
			continue
		}
		number, digits := int64(0), 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			number = number*10 + int64(rest[digits]-'0')
			if digits++; digits > 12 {
				return 0, errors.New("it is too long")
			}
		}
		if digits == 0 || digits == len(rest) {
			return 0, errDuration
		}
		unit := next
		for unit < len(units) && (units[unit] != rest[digits] || units[unit] == 'T') {
			unit++
		}
		if unit == len(units) || weeks || next < 3 && unit > 2 {
			return 0, errDuration
		}
		length := lengths[unit]
		if number > int64((1<<63-1-total)/length) {
			return 0, errors.New("it is too long")
		}
		total += time.Duration(number) * length
		next, weeks, rest = unit+1, unit == 0, rest[digits+1:]
	}
	return total, nil
}
