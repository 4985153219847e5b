package calendar

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-ical"
)

// errNoProperty says of a line that it is no property, and cannot be made one.
var errNoProperty = errors.New("no property")

// errTooMuch says that a property would take more memory than its text may.
var errTooMuch = errors.New("too much memory")

// uriParams are the parameters whose values are URIs, always quoted (RFC 5545
// section 3.2). The original expects the quotes of these, and takes the quotes of
// all others for a part of the value.
var uriParams = map[string]bool{
	ical.ParamAltRep: true, ical.ParamDelegatedFrom: true, ical.ParamDelegatedTo: true,
	ical.ParamDir: true, ical.ParamMember: true, ical.ParamSentBy: true,
}

// singleParams are the parameters that have one value (RFC 5545 section 3.2). A
// comma in them that should have been quoted belongs to it.
var singleParams = map[string]bool{
	ical.ParamAltRep: true, ical.ParamCommonName: true, ical.ParamCalendarUserType: true,
	ical.ParamDir: true, ical.ParamEncoding: true, ical.ParamFormatType: true,
	ical.ParamFreeBusyType: true, ical.ParamLanguage: true, ical.ParamParticipationStatus: true,
	ical.ParamRange: true, ical.ParamRelated: true, ical.ParamRelationshipType: true,
	ical.ParamRole: true, ical.ParamRSVP: true, ical.ParamSentBy: true,
	ical.ParamTimezoneID: true, ical.ParamValue: true, "EMAIL": true, "CHARSET": true,
	"X-TZID": true,
}

// propertyReader takes a content line apart.
type propertyReader struct {
	rest   string // what is still to be read
	uri    int    // how long the text is from the last ":mailto:" of a calendar user on; 0: there is none
	warn   func(format string, args ...any)
	budget *budget
}

// readProperty takes a content line apart, mending what it can. It fails with
// errNoProperty or errTooMuch, having called warn for nothing, or succeeds.
func readProperty(text string, budget *budget, warn func(format string, args ...any)) (*ical.Prop, error) {
	name, end, ok := propertyName(text)
	if !ok || name == "BEGIN" || name == "END" {
		return nil, errNoProperty
	}
	var mended []string
	r := propertyReader{rest: text[end:], budget: budget, warn: func(format string, args ...any) {
		if len(mended) < maxWarnings { // a parameter may be megabytes of damage
			mended = append(mended, fmt.Sprintf(format, args...))
		}
	}}
	if isAddress[name] {
		// A colon that should have been quoted: the address is what follows the last.
		if at := lastMailto(r.rest); at >= 0 {
			r.uri = len(r.rest) - at
		}
	}
	budget.spend(costProperty)
	prop := &ical.Prop{Name: name}
	if strings.HasPrefix(r.rest, ";") {
		budget.spend(costParams)
		prop.Params = ical.Params{}
	}
	for strings.HasPrefix(r.rest, ";") && !budget.spent() {
		r.rest = r.rest[1:]
		r.param(prop)
	}
	if budget.spent() {
		return nil, errTooMuch
	}
	value, ok := strings.CutPrefix(r.rest, ":")
	if !ok {
		return nil, errNoProperty
	}
	prop.Value = value
	for _, m := range mended {
		warn("%s: %s", name, m)
	}
	return prop, nil
}

// propertyName returns the name that a content line begins with, in upper case,
// and where it ends.
//
// DEVIATION: lower-case-names
func propertyName(text string) (name string, end int, ok bool) {
	end = strings.IndexAny(text, ":;")
	if end < 0 {
		return "", 0, false
	}
	name = strings.ToUpper(strings.TrimSpace(text[:end]))
	return name, end, isName(name)
}

// isName tells whether name, in upper case, can be the name of a property or
// parameter: letters, digits and hyphens (RFC 5545 section 3.1), and what some
// programs put into the names of their own.
func isName(name string) bool {
	for _, c := range []byte(name) {
		switch {
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return name != ""
}

// param reads one parameter, the semicolon before it being read.
//
// DEVIATION: parameters-without-value
func (r *propertyReader) param(prop *ical.Prop) {
	end := strings.IndexAny(r.rest, "=;:")
	if end < 0 {
		end = len(r.rest)
	}
	name := strings.ToUpper(strings.TrimSpace(r.rest[:end]))
	r.rest = r.rest[end:]
	if !strings.HasPrefix(r.rest, "=") {
		switch name {
		case "":
		case "QUOTED-PRINTABLE", "BASE64": // vCalendar 1.0 needs no ENCODING=
			prop.Params[ical.ParamEncoding] = []string{name}
		default:
			r.warn("parameter %s left out, since it has no value", excerpt(name))
		}
		return
	}
	r.rest = r.rest[1:]

	values := []string{r.paramValue(prop.Name, name)}
	for strings.HasPrefix(r.rest, ",") && !r.budget.spent() {
		r.rest = r.rest[1:]
		values = append(values, r.paramValue(prop.Name, name))
	}
	switch {
	case !isName(name):
		r.warn("parameter left out, since %s is not a name", excerpt(name))
		return
	case len(values) > 1 && name == ical.ParamSentBy:
		r.warn("SENT-BY has several values, and the first one is used")
		values = values[:1]
	case len(values) > 1 && singleParams[name]:
		values = []string{strings.Join(values, ",")}
	}
	known := prop.Params[name]
	if known != nil && singleParams[name] {
		r.warn("parameter %s is there more than once, and the first one is used", name)
		return
	}
	if uriParams[name] || name == ical.ParamTimezoneID || name == ical.ParamValue {
		if values = withoutEmpty(values); len(known)+len(values) == 0 {
			r.warn("parameter %s left out, since it is empty", name)
			return
		}
	}
	if known == nil && len(prop.Params) >= namesIncluded {
		r.budget.spend(costName)
	}
	prop.Params[name] = append(known, values...)
}

func withoutEmpty(values []string) []string {
	kept := values[:0]
	for _, value := range values {
		if value = strings.TrimSpace(value); value != "" {
			kept = append(kept, value)
		}
	}
	return kept
}

// paramValue reads one value of a parameter, up to the comma, semicolon or colon
// that ends it.
//
// DEVIATION: quoted-parameters. The original takes quotes for a part of most values.
func (r *propertyReader) paramValue(property, name string) string {
	r.budget.spend(costValue)
	s := r.rest
	// The usual case first: all of it quoted, or nothing.
	if strings.HasPrefix(s, `"`) {
		if end := strings.IndexByte(s[1:], '"') + 1; end > 0 && (end+1 == len(s) || strings.IndexByte(",;:", s[end+1]) >= 0) {
			r.rest = s[end+1:]
			return s[1:end]
		}
	}
	i, quoted, odd, colons := 0, false, -1, false
scan:
	for i < len(s) {
		switch s[i] {
		case '"':
			quoted = true
			closing := strings.IndexByte(s[i+1:], '"')
			if closing < 0 {
				odd = i // never closed: the quote is no quote
				break
			}
			i += closing + 1
		case ':':
			if len(s)-i <= r.uri || r.uri == 0 && !colonInside(property, name, s[:i], s[i+1:]) {
				break scan
			}
			colons = true
		case ';', ',':
			break scan
		}
		i++
	}
	value := s[:i]
	r.rest = s[i:]
	if colons {
		r.warn("parameter %s should be quoted", name)
	}
	if !quoted {
		return value
	}
	r.warn("quotes of parameter %s corrected", excerpt(name))
	if odd >= 0 {
		value = value[:odd] + value[odd+1:]
	}
	if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
		value = strings.Trim(value, `"`)
	}
	// RFC 6868 section 3.1: a double quote in a parameter is written ^'.
	if strings.Contains(value, `"`) {
		value = quotes.Replace(value)
	}
	return value
}

var quotes = strings.NewReplacer(`\"`, `^'`, `"`, `^'`)

// lastMailto returns where the last ":mailto:" of a text begins, in any case, or -1.
func lastMailto(text string) int {
	const mailto = ":mailto:"
	for i := len(text) - len(mailto); i >= 0; i-- {
		if text[i] == ':' && strings.EqualFold(text[i:i+len(mailto)], mailto) {
			return i
		}
	}
	return -1
}

// colonInside tells whether a colon that should have been quoted belongs to the
// value of a parameter, given what is before and after it: the colon of a URI,
// and any in the TZID of a property whose own value has no colons.
func colonInside(property, name, before, after string) bool {
	switch {
	case !strings.Contains(after, ":"):
		return false
	case uriParams[name]:
		switch strings.ToLower(before) {
		case "mailto", "http", "https", "ldap", "ldaps", "cid", "urn", "ftp":
			return true
		}
	case name == ical.ParamTimezoneID && isTime[property]:
		return true
	}
	return false
}

// excerpt is text that a message quotes, shortened. It is only made when the message
// is: of many warnings, few are kept.
type excerpt string

func (e excerpt) String() string {
	const most = 60
	text := string(e)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return fmt.Sprintf("%q", text)
}
