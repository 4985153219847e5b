package conf

import "strings"

// Logins are the addresses of those who log in, by the name that they log in with.
type Logins struct {
	addresses map[string]string
	domain    string
}

// LoadLogins reads a file of pairs (LOGINS), as Postfix's tables have them:
//
//	LOGIN ADDRESS
//
// # begins a comment line, letter case of logins does not matter. The warnings say which lines are none of these.
// Without a file (empty), there are no pairs. Logins that are not there and no addresses get the domain, if there
// is one (LOGIN_DOMAIN).
func LoadLogins(path, domain string) (Logins, []Warning, error) {
	l := Logins{addresses: map[string]string{}, domain: strings.TrimPrefix(domain, "@")}
	if path == "" {
		return l, nil, nil
	}
	warnings, err := readTable(path, "the names that users log in with (LOGINS)", func(words []string) (must string) {
		if len(words) != 2 || !isAddress(words[1]) {
			return "be LOGIN ADDRESS, a name and a mail address"
		}
		l.addresses[strings.ToLower(words[0])] = words[1]
		return ""
	})
	return l, warnings, err
}

// Address returns the address of who has logged in under a name; empty: it is nobody's.
func (l Logins) Address(login string) string {
	switch address := l.addresses[strings.ToLower(login)]; {
	case address != "":
		return address
	case isAddress(login):
		return login
	case l.domain != "" && login != "" && !strings.Contains(login, "@"):
		if address := login + "@" + l.domain; isAddress(address) {
			return address
		}
	}
	return ""
}

// isAddress reports whether text is a mail address, as far as it is of a user here.
func isAddress(text string) bool {
	local, domain, ok := cutLast(text)
	return ok && local != "" && domain != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f })
}
