package calendar

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// URI identifies a calendar user, as in the value of ATTENDEE and ORGANIZER
// (RFC 5545 section 3.3.3): "mailto:paul.boddie@example.com". Only the spelling
// of mailto is normalised; the address keeps its case, since the store's
// directories are named by it. Two spellings of one address are compared by [URI.Is].
type URI string

// Is reports whether two URIs are the same user's. Letter case does not matter, in
// either half of an address: domains have none (RFC 5321 section 2.4), and no mail system
// that people are invited by has local parts that differ in it.
//
// DEVIATION: letter-case-of-addresses. The original compares letter by letter.
func (u URI) Is(other URI) bool {
	return u == other || strings.EqualFold(string(u), string(other)) && u.Folded() == other.Folded()
}

// Folded returns what is the same for URIs that are the same user's, and for no others.
func (u URI) Folded() URI {
	return URI(strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); r < utf8.RuneSelf || lower >= utf8.RuneSelf {
			return lower
		}
		return r // a Kelvin sign is no k, and an address with it is another one
	}, string(u)))
}

// Find returns the one of the names by which a user goes: the one spelled like uri, or else
// the first that differs from it in letter case only. It is "" if there is none.
func Find(names []URI, uri URI) (name URI) {
	for _, n := range names {
		if n == uri {
			return n
		}
		if name == "" && n.Is(uri) {
			name = n
		}
	}
	return name
}

// NewURI returns the URI for a URI or a bare address: any spelling of mailto
// becomes "mailto:", a bare address gets it, other schemes stay as they are.
// Empty text is no URI and stays empty.
//
// DEVIATION: spelling-of-mailto. The original takes another spelling for another
// user where one calls off what the organizer has invited to, and stores addresses
// as they came.
func NewURI(text string) URI {
	text = strings.TrimSpace(text)
	scheme, rest, ok := strings.Cut(text, ":")
	switch {
	case text == "":
		return ""
	case ok && strings.EqualFold(scheme, "mailto"):
		return URI("mailto:" + strings.TrimSpace(rest))
	case ok && !strings.Contains(scheme, "@"):
		return URI(text)
	}
	return URI("mailto:" + text)
}

// Address returns the mail address of a mailto URI, and "" for another scheme.
func (u URI) Address() string {
	address, ok := strings.CutPrefix(string(u), "mailto:")
	if !ok {
		return ""
	}
	return address
}
