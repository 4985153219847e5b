package conf

import (
	"fmt"
	"strings"
)

// Resources are the addresses of rooms and things.
type Resources map[string]bool

// LoadResources returns the resources that a setting (RESOURCES) names: a list of addresses, with commas or blanks between
// them, or the path of a file, which begins with a slash. Each line of the file begins with an address; what follows does not
// count, so that it can be a table of the mail system. # begins a comment line. The warnings say which lines begin with no
// address.
func LoadResources(setting string) (Resources, []Warning, error) {
	r := Resources{}
	if !strings.HasPrefix(setting, "/") {
		for _, word := range strings.FieldsFunc(setting, func(c rune) bool { return c == ' ' || c == ',' }) {
			if !isAddress(word) {
				return nil, nil, &Error{fmt.Errorf("RESOURCES: %.60q is no mail address; a file must be named with its whole path", word)}
			}
			r[strings.ToLower(word)] = true
		}
		return r, nil, nil
	}
	warnings, err := readTable(setting, "the addresses of resources (RESOURCES)", func(words []string) (must string) {
		if !isAddress(words[0]) {
			return "begin with a mail address"
		}
		r[strings.ToLower(words[0])] = true
		return ""
	})
	if err != nil {
		return nil, nil, err
	}
	return r, warnings, nil
}

// Has reports whether an address is a resource's, in whatever letter case.
func (r Resources) Has(address string) bool { return r[strings.ToLower(address)] }
