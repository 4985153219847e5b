package zones

import (
	"fmt"
	"strconv"
	"strings"
)

// unnumbered strips the number that programs append to a TZID that is taken
// already, of one or two digits. That of an offset ("UTC-5") is none.
func unnumbered(name string) string {
	if offset, rest := cutOffset(name); offset != "" && rest == "" {
		return name
	}
	bare := strings.TrimRight(name, "0123456789")
	if digits := len(name) - len(bare); digits == 0 || digits > 2 {
		return name
	}
	if before := strings.TrimRight(bare, " _-"); before != bare {
		return before
	}
	return name
}

// blanks may stand around an offset.
const blanks = " \t\n\f\r"

// cutOffset splits an offset from UTC off the beginning of a name: "UTC+01:00",
// "(GMT-03.30) Newfoundland", "GMT+0100", "(UTC) Dublin". The offset has the form
// "+hhmm"; it is empty if the name begins with none.
func cutOffset(name string) (offset, rest string) {
	open := strings.TrimPrefix(name, "(")
	named := strings.TrimLeft(open, blanks)
	for _, utc := range []string{"UTC", "GMT", "UT"} {
		if len(named) >= len(utc) && strings.EqualFold(named[:len(utc)], utc) {
			named = named[len(utc):]
			break
		}
	}
	for _, text := range []string{named, open} {
		if number, behind, ok := cutSigned(strings.TrimLeft(text, blanks)); ok {
			if rest, ok := endOffset(behind); ok {
				return number, strings.TrimSpace(rest)
			}
		}
		if rest, ok := endOffset(text); ok && strings.TrimSpace(name[:len(name)-len(rest)]) != "" {
			return "+0000", strings.TrimSpace(rest)
		}
	}
	return "", name
}

// cutSigned splits an offset of hours and minutes, with a sign, off the beginning of text: "+1",
// "-03.30", "+ 0100".
func cutSigned(text string) (offset, rest string, ok bool) {
	if text == "" || text[0] != '+' && text[0] != '-' {
		return "", "", false
	}
	sign, text := text[:1], strings.TrimLeft(text[1:], blanks)
	rest = strings.TrimLeft(text, "0123456789")
	digits := text[:len(text)-len(rest)]
	hours, minutes := digits, ""
	switch n := len(digits); {
	case n == 0 || n > 4:
		return "", "", false
	case n > 2:
		hours, minutes = digits[:n-2], digits[n-2:]
	case rest != "" && (rest[0] == ':' || rest[0] == '.'):
		after := strings.TrimLeft(rest[1:], "0123456789")
		if minutes = rest[1 : len(rest)-len(after)]; len(minutes) != 2 {
			return "", "", false
		}
		rest = after
	}
	h, _ := strconv.Atoi(hours) // two digits at most, as minutes
	m, _ := strconv.Atoi("0" + minutes)
	return fmt.Sprintf("%s%02d%02d", sign, h, m), rest, true
}

// endOffset returns what follows the end of an offset, which can be a bracket: nothing, or what
// a blank stands before.
func endOffset(text string) (rest string, ok bool) {
	rest = strings.TrimLeft(text, blanks)
	if closed, found := strings.CutPrefix(rest, ")"); found && (closed == "" || strings.IndexByte(blanks, closed[0]) >= 0) {
		return closed, true
	}
	return rest, rest == "" || len(rest) < len(text)
}

// byOffset returns the zone without daylight saving time that is at an offset of
// the form "+hhmm". East is positive, as everywhere but in the names Etc/GMT-1.
func byOffset(offset string) (string, bool) {
	sign, digits := offset[:1], offset[1:]
	value, err := strconv.Atoi(digits)
	if err != nil {
		return "", false
	}
	hours, minutes := value/100, value%100
	switch {
	case value == 0:
		return "UTC", true
	case minutes == 0 && sign == "+" && hours <= 14:
		return fmt.Sprintf("Etc/GMT-%d", hours), true
	case minutes == 0 && sign == "-" && hours <= 12:
		return fmt.Sprintf("Etc/GMT+%d", hours), true
	}
	seconds := hours*3600 + minutes*60
	if sign == "-" {
		seconds = -seconds
	}
	return byFixedOffset(seconds)
}
