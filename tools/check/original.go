package check

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// shape is what the lines of an object's text look like, whatever they say.
type shape struct {
	events  int    // components at the top
	foreign string // why the original's programs cannot read it; empty if they can
	cut     string // a component inside the event that has no end; empty if there is none
	// brief is the object with no more than what says when it is and for whom; nil if it is
	// not sound. To read that takes a third of the time.
	brief []byte
}

// telling are the properties in which an object says when it is and for whom, apart from
// its attendees.
var telling = map[string]bool{
	"UID": true, "RECURRENCE-ID": true, "SEQUENCE": true, "DTSTAMP": true, "DTSTART": true, "DTEND": true,
	"DURATION": true, "RRULE": true, "EXRULE": true, "RDATE": true, "EXDATE": true, "ORGANIZER": true,
	"TRANSP": true, "SUMMARY": true,
}

// single are the properties that the original expects once at most, numbered. Of others that
// should be there once it keeps all.
var single = func() map[string]int {
	numbers := make(map[string]int)
	for i, name := range []string{
		"DTSTART", "DTEND", "DURATION", "DTSTAMP", "ORGANIZER", "RECURRENCE-ID", "SEQUENCE", "SUMMARY", "TRANSP", "UID",
	} {
		numbers[name] = i + 1
	}
	return numbers
}()

// readable are the components inside an event that the original can read.
var readable = map[string]bool{"VALARM": true, "STANDARD": true, "DAYLIGHT": true}

// look goes over an object's text as the original's reader does, which is stricter than
// ours: it breaks lines at more characters, knows names in upper case only, and takes
// an unescaped comma or semicolon for the separator of a list. Of attendees only the first
// and the user are in the brief.
func look(text []byte, user string) (s shape) {
	l := looker{shape: &s, user: []byte(strings.TrimPrefix(user, "mailto:"))}
	l.brief = make([]byte, 0, 512)
	size := len(text)
	l.characters(text)
	var line []byte
	joined := false // line is a copy of ours
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n')
		next := text[len(text):]
		if end >= 0 {
			next = text[end+1:]
		} else {
			end = len(text)
		}
		physical := bytes.TrimSuffix(text[:end], []byte("\r"))
		text = next
		if len(physical) == 0 || line == nil && (physical[0] == ' ' || physical[0] == '\t') {
			l.other = true // what that means is the decoder's to say
		}
		if len(physical) > 0 && (physical[0] == ' ' || physical[0] == '\t') && line != nil {
			if !joined {
				line = bytes.Clone(line)
				joined = true
			}
			line = append(line, physical[1:]...)
			continue
		}
		l.line(line)
		line, joined = physical, false
	}
	l.line(line)
	if len(l.open) > 0 {
		l.say("it ends before END:%s", l.open[len(l.open)-1])
	}
	if l.foreign != "" || l.events != 1 || l.other || size > largeText {
		l.brief = nil
	}
	return s
}

// largeText is the size of a text, in octets, from which on it can hold more than is ever read:
// whether it does is the decoder's to say.
const largeText = 512 << 10

type looker struct {
	*shape
	open     []string // components that have begun and not ended
	has      uint32   // which of the single properties there were, by their number
	user     []byte   // their address
	attended bool     // there was an attendee
	spelt    bool     // a component ends in other letters, upper or lower case, than it begins
	other    bool     // there is something other than one whole event
}

func (l *looker) say(format string, args ...any) {
	if l.foreign == "" {
		l.foreign = fmt.Sprintf(format, args...)
	}
}

// characters looks for what the original cannot decode, or ends a line at.
func (l *looker) characters(text []byte) {
	ascii := true
	for i, c := range text {
		switch {
		case c >= utf8.RuneSelf:
			ascii = false
		case c == '\v', c == '\f', 0x1c <= c && c <= 0x1e, c == '\r' && i+1 < len(text) && text[i+1] != '\n':
			l.say("it takes the character %U for the end of a line", c)
			return
		}
	}
	if ascii {
		return
	}
	if !utf8.Valid(text) {
		l.say("it is not UTF-8")
		return
	}
	for _, separator := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(text, []byte(separator)) {
			r, _ := utf8.DecodeRuneInString(separator)
			l.say("it takes the character %U for the end of a line", r)
		}
	}
}

// line looks at a line that is whole.
func (l *looker) line(line []byte) {
	if len(line) == 0 {
		return
	}
	at := bytes.IndexAny(line, ":;")
	if at <= 0 {
		l.say("the line %.40q is not a property", line)
		return
	}
	name := line[:at]
	if !isUpperName(name) {
		l.say("the name %.40q is not in upper case", name)
		name = bytes.ToUpper(name)
	}
	value, ok := l.params(line[at:])
	if !ok {
		l.say("the line %.40q has a parameter without value", line)
		return
	}
	switch string(name) {
	case "BEGIN":
		if len(l.open) == 0 {
			l.keep(line)
		}
		l.begin(string(value))
		return
	case "END":
		n := len(l.open)
		if n == 0 || l.open[n-1] != string(value) {
			l.other = true
			switch {
			case n > 0 && strings.EqualFold(l.open[n-1], string(value)):
				l.spelt = true
			case n > 1 && !l.spelt:
				l.cut = l.open[n-1]
			}
			return
		}
		l.open = l.open[:n-1]
		if n == 1 {
			l.keep(line)
		}
		return
	}
	if len(l.open) != 1 {
		l.other = l.other || len(l.open) == 0
		return
	}
	if number := single[string(name)]; number > 0 {
		if bit := uint32(1) << number; l.has&bit != 0 {
			l.say("there is more than one %s", name)
		} else {
			l.has |= bit
		}
	}
	switch string(name) {
	case "UID", "SUMMARY":
		if hasSeparator(value) {
			l.say("%s has a comma or semicolon that is not escaped, which makes it a list", name)
		}
	case "ATTENDEE":
		if !l.attended || bytes.Contains(line, l.user) {
			l.attended = true
			l.keep(line)
		}
		return
	}
	if telling[string(name)] {
		l.keep(line)
	}
}

// keep takes a line into the brief.
func (l *looker) keep(line []byte) { l.brief = append(append(l.brief, line...), '\r', '\n') }

func (l *looker) begin(component string) {
	switch len(l.open) {
	case 0:
		l.events++
		l.other = l.other || component != "VEVENT"
	default:
		if !readable[strings.ToUpper(component)] {
			l.say("it has a component %.40q", component)
		}
	}
	l.open = append(l.open, component)
}

// isUpperName reports whether a name is one that the original matches.
func isUpperName(name []byte) bool {
	for _, c := range name {
		switch {
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// params goes over the parameters of a line, which begins where its name ends, and
// returns its value. It is not ok if a parameter has no value, or the line none.
func (l *looker) params(rest []byte) (value []byte, ok bool) {
	for len(rest) > 0 && rest[0] == ';' {
		equals := bytes.IndexAny(rest[1:], "=;:") + 1
		if equals == 0 || rest[equals] != '=' {
			return nil, false
		}
		rest = rest[equals+1:]
		quoted, end := false, -1
		for i, c := range rest {
			if c == '"' {
				quoted = !quoted
			} else if !quoted && (c == ';' || c == ':') {
				end = i
				break
			}
		}
		if end < 0 {
			return nil, false
		}
		rest = rest[end:]
	}
	if len(rest) == 0 {
		return nil, false
	}
	return rest[1:], true
}

// hasSeparator reports whether a value has a comma or semicolon that no backslash escapes.
func hasSeparator(value []byte) bool {
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case ',', ';':
			return true
		}
	}
	return false
}
