package resource

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// refused is the answer to those who may not use the resource.
var refused = answer{decision: itip.Decline, why: itip.NoAccess}

// sameDomain accepts what somebody of the resource's own domain organizes.
type sameDomain struct{}

func (sameDomain) decide(q *request) (answer, error) {
	organizer, _ := q.object.Organizer()
	// DEVIATION: letter-case-of-addresses. The original compares letter by letter.
	if domain := domainOf(organizer); domain != "" && strings.EqualFold(domain, domainOf(q.User())) {
		return accepted, nil
	}
	return refused.because("the organizer is of another domain"), nil
}

// domainOf returns the domain of an address, "" if there is none.
func domainOf(uri calendar.URI) string {
	address := uri.Address()
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ""
	}
	return address[at+1:]
}

// accessList decides by a list of who may use the resource: that in a file, or else that of the preference acl.
type accessList struct{ file string }

func (f accessList) decide(q *request) (answer, error) {
	text, name := q.Preferences.ACL, "acl"
	if f.file != "" {
		content, err := preferences.ReadFile(f.file)
		if err != nil {
			return f.mistake(q, err), nil
		}
		text, name = string(content), f.file
	}
	list, err := ReadACL(text)
	if err != nil {
		return f.mistake(q, fmt.Errorf("%s: %w", name, err)), nil
	}
	if !list.permits(q.object) {
		return refused.because("by " + name), nil
	}
	return accepted, nil
}

// mistake refuses all, as nobody can know who may use the resource.
//
// DEVIATION: unreadable-access-list. The original fails without a list for ever.
func (f accessList) mistake(q *request, err error) answer {
	q.rules.log.Warn("nobody may use the resource, as its access control list cannot be used", "reason", err)
	return answer{decision: itip.Decline, why: itip.NoReason, note: err.Error()}
}

// ACL is an access control list: rules that are applied one after the other.
type ACL []aclRule

type aclRule struct {
	accept    bool
	attendee  bool           // the addresses are those of attendees; else of the organizer
	addresses []calendar.URI // nil: it is the answer unless a later rule matches
	line      int            // from 1
}

// ReadACL reads an access control list: a rule a line, of words as in [ReadFunctions]. The error is for one that
// has no rule, or a line of another form.
func ReadACL(text string) (ACL, error) {
	var list ACL
	number := 0
	for line := range linesOf(text) {
		number++
		words, err := stores.Words(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if len(words) == 0 {
			continue
		}
		rule, err := readACLRule(words)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		rule.line = number
		list = append(list, rule)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("there is no rule")
	}
	return list, nil
}

func readACLRule(words []string) (rule aclRule, err error) {
	switch strings.ToLower(words[0]) {
	case "accept":
		rule.accept = true
	case "decline", "reject":
	default:
		return rule, fmt.Errorf("%.60q is none of: accept, decline, reject", words[0])
	}
	if len(words) == 1 {
		return rule, nil
	}
	switch strings.ToLower(words[1]) {
	case "organiser", "organizer", "organisers", "organizers":
	case "attendee", "attendees":
		rule.attendee = true
	default:
		return rule, fmt.Errorf("%.60q is none of: organizer, attendee", words[1])
	}
	for _, word := range words[2:] {
		if uri := calendar.NewURI(word); uri != "" {
			rule.addresses = append(rule.addresses, uri)
		}
	}
	if len(rule.addresses) == 0 {
		return rule, fmt.Errorf("it names no address")
	}
	return rule, nil
}

// nobody returns what is wrong with addresses that nobody can have, so that their rules have no effect.
func (list ACL) nobody() (mistakes []error) {
	for _, rule := range list {
		for _, uri := range rule.addresses {
			if a, err := mail.ParseAddress(uri.Address()); err != nil || a.Address != uri.Address() || strings.Contains(a.Address, "*") {
				mistakes = append(mistakes, fmt.Errorf("line %d: %q is no address, and means nobody", rule.line, uri.Address()))
			}
		}
	}
	return mistakes
}

// permits reports whether the list lets an event take place. The last rule that matches counts.
func (list ACL) permits(object *calendar.Object) bool {
	accept := !list[0].accept // unless that is a default itself
	for _, rule := range list {
		if rule.matches(object) {
			accept = rule.accept
		}
	}
	return accept
}

func (rule aclRule) matches(object *calendar.Object) bool {
	switch {
	case rule.addresses == nil:
		return true
	case rule.attendee:
		return slices.ContainsFunc(object.Attendees(), func(a calendar.Attendee) bool { return slices.ContainsFunc(rule.addresses, a.URI.Is) })
	}
	organizer, _ := object.Organizer()
	return slices.ContainsFunc(rule.addresses, organizer.Is)
}
