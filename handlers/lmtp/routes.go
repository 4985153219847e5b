package lmtp

import (
	"strings"

	"imip-agent/handlers/outgoing"
)

// Kind is what a recipient is.
type Kind int

const (
	Person   Kind = iota // a user, or nobody whom the calendar system knows: it has a mailbox
	Resource             // a room or a thing
	Outgoing             // a user who has sent the mail: this is a copy of it
)

func (k Kind) String() string {
	switch k {
	case Resource:
		return "resource"
	case Outgoing:
		return "outgoing"
	}
	return "person"
}

// Routes says what recipients are.
type Routes struct {
	OutgoingPrefix string                                 // of the addresses of copies: OutgoingPrefix+USER@DOMAIN
	IsResource     func(address string) bool              // in whatever letter case; nil: none is
	UsersOf        func(address string) ([]string, error) // as for the handlers; nil: there are no aliases
}

// Of returns what a recipient is, and the address that it is handled for: of a copy, the user's. An alias of a resource is
// one, too. The error is temporary.
func (r *Routes) Of(address string) (Kind, string, error) {
	if user := outgoing.Recipient(address, r.OutgoingPrefix); user != "" {
		return Outgoing, user.Address(), nil
	}
	switch {
	case r.IsResource == nil:
		return Person, address, nil
	case r.IsResource(address):
		return Resource, address, nil
	case r.UsersOf == nil:
		return Person, address, nil
	}
	users, err := r.UsersOf(address)
	for _, user := range users {
		if !r.IsResource(user) {
			return Person, address, err
		}
	}
	if len(users) == 0 {
		return Person, address, err
	}
	return Resource, address, err
}

// requoted returns an address, whose local part go-smtp has taken out of its quotes, as it stands in an envelope (RFC 5321
// section 4.1.2).
func requoted(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || isDotString(address[:at]) {
		return address
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range at {
		if c := address[i]; c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(address[i])
	}
	b.WriteByte('"')
	b.WriteString(address[at:])
	return b.String()
}

// isDotString reports whether a local part needs no quotes, as servers take it: with dots anywhere, and with letters beyond
// ASCII.
func isDotString(local string) bool {
	return local != "" && !strings.ContainsAny(local, "()<>[]:;@\\,\" \t")
}
