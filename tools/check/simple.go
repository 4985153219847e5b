package check

import (
	"bytes"
	"strconv"

	"imip-agent/handlers/itip"
	"imip-agent/stores/calendar"
)

// text is a stored object as far as it is looked at. Most are single events with times in
// UTC, written as every program writes them: from these, all that is needed is read in one
// go. The rest are decoded, which takes five times as long.
type text struct {
	content   []byte // the object, or its brief
	uid       string
	facts     itip.Facts
	organizer calendar.URI
	summary   string
	spelled   bool // the summary takes a decoder to understand
	span      row  // when the event is, if it is simple
	simple    bool

	decoded *calendar.Object
}

// object returns the decoded object. It is one that can be decoded.
func (t *text) object() *calendar.Object {
	if t.decoded == nil {
		t.decoded, _ = calendar.DecodeObject(t.content)
	}
	return t.decoded
}

func (t *text) expect(user calendar.URI) itip.Expectation {
	if t.simple {
		return t.facts.Expect()
	}
	return itip.Expect(t.object(), user)
}

func (t *text) organizedBy() calendar.URI {
	if t.simple {
		return t.organizer
	}
	organizer, _ := t.object().Organizer()
	return organizer
}

func (t *text) summed() string {
	if t.simple && !t.spelled {
		return t.summary
	}
	return t.object().Summary()
}

// stamped reports whether it is known when the object was written.
func (t *text) stamped() bool {
	_, known := t.object().Stamp()
	return known
}

func (t *text) recursForever() bool { return !t.simple && t.object().RecursForever() }

// readSimple reads the brief of an object. It is not ok if there is anything in it that
// takes a decoder to understand.
func readSimple(brief []byte, user calendar.URI) (t *text, ok bool) {
	t = &text{content: brief, simple: true}
	started, ended := false, false
	for len(brief) > 0 {
		end := bytes.IndexByte(brief, '\n')
		line := bytes.TrimSuffix(brief[:max(end, 0)], []byte("\r"))
		brief = brief[end+1:]
		at := bytes.IndexAny(line, ":;")
		if end < 0 || at < 0 {
			return nil, false
		}
		rest := line[at:]
		switch string(line[:at]) {
		case "BEGIN", "END", "DTSTAMP":
		case "SUMMARY":
			if rest[0] == ':' && bytes.IndexByte(rest, '\\') < 0 {
				t.summary = string(rest[1:])
			} else {
				t.spelled = true
			}
		case "UID":
			if rest[0] != ':' || len(rest) == 1 || bytes.IndexByte(rest, '\\') >= 0 {
				return nil, false
			}
			t.uid = string(rest[1:])
		case "SEQUENCE":
			n, err := strconv.Atoi(string(rest[1:]))
			if rest[0] != ':' || err != nil {
				return nil, false
			}
			t.facts.Sequence, t.facts.Sequenced = n, true
		case "TRANSP":
			switch value := string(rest); value {
			case ":OPAQUE", ":TRANSPARENT":
				t.facts.Transp = value[1:]
			default:
				return nil, false
			}
		case "DTSTART":
			t.span.start, started = simpleTime(rest)
		case "DTEND":
			t.span.end, ended = simpleTime(rest)
		case "ORGANIZER":
			uri, _, ok := simpleUser(rest)
			if !ok || bytes.Contains(rest, []byte("SENT-BY=")) { // who may be the user, the decoder knows
				return nil, false
			}
			t.organizer = uri
			t.facts.Organizes = uri.Is(user)
		case "ATTENDEE":
			uri, status, ok := simpleUser(rest)
			if !ok {
				return nil, false
			}
			if uri.Is(user) {
				if t.facts.Attends {
					return nil, false // which of the two counts, the decoder knows
				}
				t.facts.Attends, t.facts.Status = true, status
			}
			t.facts.Attended = true
		default:
			return nil, false
		}
	}
	return t, started && ended && t.span.start <= t.span.end && t.uid != ""
}

// simpleTime reads the rest of a line with a date-time in UTC, which the original gives a
// TZID.
func simpleTime(rest []byte) (seconds int64, ok bool) {
	rest = bytes.TrimPrefix(rest, []byte(";TZID=UTC"))
	if len(rest) != 1+len(utcLayout) || rest[0] != ':' || rest[16] != 'Z' || string(rest[14:16]) == "60" {
		return 0, false
	}
	at, err := calendar.InstantOf(string(rest[1:]), nil)
	return at.Unix(), err == nil && at.Unix() >= earliest
}

// simpleUser reads the rest of a line with a calendar user, and the participation status.
func simpleUser(rest []byte) (uri calendar.URI, status string, ok bool) {
	for len(rest) > 0 && rest[0] == ';' {
		equals := bytes.IndexByte(rest, '=')
		if equals < 0 {
			return "", "", false
		}
		name := rest[1:equals]
		rest = rest[equals+1:]
		end := 0
		if len(rest) > 0 && rest[0] == '"' {
			closing := bytes.IndexByte(rest[1:], '"')
			if closing < 0 {
				return "", "", false
			}
			end = closing + 2
		} else if end = bytes.IndexAny(rest, ";:,\""); end < 0 {
			return "", "", false
		}
		if string(name) == "PARTSTAT" {
			if status != "" || !isUpperName(rest[:end]) || end == 0 {
				return "", "", false
			}
			status = string(rest[:end])
		}
		rest = rest[end:]
	}
	const scheme = ":mailto:"
	if !bytes.HasPrefix(rest, []byte(scheme)) || len(rest) == len(scheme) {
		return "", "", false
	}
	for _, c := range rest[len(scheme):] {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '@', c == '-', c == '_', c == '+', c == '=', c == '~':
		default: // the decoder may mend it
			return "", "", false
		}
	}
	return calendar.URI(rest[1:]), status, true
}
