package outgoing

import (
	"fmt"
	"strings"

	"imip-agent/handlers"
	"imip-agent/stores/calendar"
)

// Recipient returns the user for whom a copy of a message was made, by the address
// that the copy went to: PREFIX+USER@DOMAIN. It returns "" for any other address.
func Recipient(address, prefix string) calendar.URI {
	address = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(address), "<"), ">")
	if len(address) > len(prefix) && address[0] == '"' { // "PREFIX+USER"@DOMAIN
		if local, domain, ok := cutLast(address[1:], `"@`); ok && hasPrefixFold(local, prefix+"+") {
			return calendar.NewURI(`"` + local[len(prefix)+1:] + `"@` + domain)
		}
	}
	if prefix == "" || !hasPrefixFold(address, prefix+"+") {
		return ""
	}
	user := address[len(prefix)+1:]
	if local, domain, ok := cutLast(user, "@"); !ok || local == "" || domain == "" {
		return ""
	}
	return calendar.NewURI(user)
}

// claim decides whose the message is where the mail system says to whom its copy went:
// nobody else's records are touched. Where the From field names others only, nothing is
// handled, and that is a problem.
//
// DEVIATION: recipient-decides. The original goes by the From field, which everybody can
// write what they like into.
func (h *Handler) claim(m *handlers.Message) (user calendar.URI, problems []handlers.Problem, err error) {
	if h.Recipient == "" || len(m.Changes) == 0 {
		return "", nil, nil
	}
	if h.IsSystem(h.Recipient) {
		h.Log.Debug("a copy for the calendar system itself, which is not a user: nothing to do")
		m.Changes = nil
		return "", nil, nil
	}
	user = h.Recipient
	var senders []calendar.URI
	var others []string
	for _, sender := range m.Senders {
		if h.IsSystem(sender) {
			senders = append(senders, sender)
			continue
		}
		own, err := h.isOwn(sender)
		switch {
		case err != nil:
			return "", nil, err
		case !own:
			others = append(others, sender.Address())
		default:
			// The directory is the one of the spelling that the user sends with.
			if sender.Is(user) {
				user = sender
			}
			senders = append(senders, h.Recipient)
		}
	}
	if len(others) > 0 && !hasOther(senders, h.IsSystem) {
		first := m.Changes[0].Change
		m.Changes = nil
		return "", []handlers.Problem{handlers.ProblemOf(first, fmt.Sprintf("the From field says %s, but this is mail of %s: if that is the user's alias, enter it in ALIASES",
			strings.Join(others, ", "), h.Recipient.Address()))}, nil
	}
	for i, sender := range senders {
		if sender == h.Recipient {
			senders[i] = user
		}
	}
	m.Senders = senders
	// By their other addresses the user would be somebody else to whoever reads the records.
	for i := range m.Changes {
		var failure error
		renamed := m.Changes[i].Object.Rename(func(uri calendar.URI) calendar.URI {
			own, err := h.isOwn(uri)
			if err != nil {
				failure = err
			}
			if !own || uri.Is(user) || !strings.Contains(string(uri), "@") {
				return uri
			}
			return user
		})
		if failure != nil {
			return "", nil, failure
		}
		if renamed {
			m.Changes[i].Warnings = append(m.Changes[i].Warnings, "it has an alias of the user, which is stored as the user's address")
		}
	}
	return user, nil, nil
}

// hasOther reports whether there is an address that is not the calendar system's.
func hasOther(senders []calendar.URI, isSystem func(calendar.URI) bool) bool {
	for _, sender := range senders {
		if !isSystem(sender) {
			return true
		}
	}
	return false
}

// isOwn reports whether an address is the recipient's: the same but for letter case,
// with an extension (USER+EXTENSION@DOMAIN), without a domain, or one of their aliases.
func (h *Handler) isOwn(uri calendar.URI) (bool, error) {
	address, own := uri.Address(), h.Recipient.Address()
	local, domain, ok := cutLast(own, "@")
	switch {
	case address == "":
		return false, nil
	case strings.EqualFold(address, own), !ok || strings.EqualFold(address, local):
		return true, nil
	case hasPrefixFold(address, local+"+") && hasSuffixFold(address, "@"+domain):
		return true, nil
	case h.IsAlias == nil:
		return false, nil
	}
	return h.IsAlias(address, own)
}

func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

func hasSuffixFold(text, suffix string) bool {
	return len(text) >= len(suffix) && strings.EqualFold(text[len(text)-len(suffix):], suffix)
}
