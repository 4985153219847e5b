package conf

import (
	"slices"
	"strings"
)

// Aliases are the other addresses that users send from, by the alias in lower case: the
// addresses of those whose it is, in lower case too. An alias @DOMAIN is a whole domain.
type Aliases map[string][]string

// LoadAliases reads a file of pairs, as Postfix's tables have them (postmap(1), virtual(5)):
//
//	ALIAS USER[, USER...]
//	@ALIAS-DOMAIN @DOMAIN
//
// A line that begins with white space continues the one before it, # begins a comment
// line, letter case does not matter. The warnings say which lines are none of these.
func LoadAliases(path string) (Aliases, []Warning, error) {
	source, err := readNamed(path, "the aliases of users (ALIASES)")
	if err != nil {
		return nil, nil, err
	}
	aliases := Aliases{}
	var warnings []Warning
	enter := func(text string, line int) {
		words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == '\r' })
		if len(words) == 0 {
			return
		}
		bad := len(words) < 2
		for _, word := range words {
			at := strings.LastIndexByte(word, '@')
			bad = bad || at < 0 || at == len(word)-1 || (at == 0) != (strings.HasPrefix(words[0], "@"))
		}
		if bad {
			warnings = append(warnings, Warning{File: path, Line: line, Text: "skipped: it must be ALIAS USER, two mail addresses"})
			return
		}
		aliases[words[0]] = append(aliases[words[0]], words[1:]...)
	}
	logical, begun, number := "", 0, 0
	for line := range strings.Lines(string(source)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		blank := strings.TrimSpace(line) == ""
		switch {
		case blank || strings.TrimSpace(line)[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			logical += line
		default:
			enter(logical, begun)
			logical, begun = line, number
		}
	}
	enter(logical, begun)
	return aliases, warnings, nil
}

// Has reports whether alias is another address of the user.
func (a Aliases) Has(alias, user string) bool {
	return slices.Contains(a.Users(alias), strings.ToLower(user))
}

// Users returns the users whose other address this is, in lower case, in the file's order; those of a whole domain last.
func (a Aliases) Users(address string) []string {
	address = strings.ToLower(address)
	users := slices.Clone(a[address])
	if local, domain, ok := cutLast(address); ok && local != "" {
		for _, own := range a["@"+domain] {
			users = append(users, local+own)
		}
	}
	return users
}

func cutLast(address string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, "", false
	}
	return address[:at], address[at+1:], true
}
