package calendar

import "strings"

// URI identifies a calendar user, as in the value of ATTENDEE and ORGANIZER
// (RFC 5545 section 3.3.3): "mailto:paul.boddie@example.com". Only the spelling
// of mailto is normalised; the address keeps its case, since the store's
// directories are named by it.
type URI string

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
