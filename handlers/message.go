package handlers

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"imip-agent/handlers/itip"
	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/rejected"
)

// message is what matters of a mail: who sent it, and what the events in it change.
type message struct {
	user    calendar.URI // whose it is; empty: each event says
	senders []calendar.URI
	changes []Change // whole events before recurrences
}

// problem is something in a message that can never be handled.
type problem struct {
	reason, method string
	id             stores.ID
}

func problemOf(c itip.Change, reason string) problem {
	return problem{reason: reason, method: c.Method, id: c.ID}
}

// open finds the events of a mail. It returns also what can never be handled.
func (h *Handler) open(parsed *mail.Message) (*message, []problem) {
	m := &message{}
	if parsed.Bounce {
		// A delivery report quotes the message that it is about (RFC 3462): what
		// it quotes was handled when it was sent.
		h.Log.Debug("a delivery report: nothing to do")
		return m, nil
	}
	for _, address := range parsed.From {
		m.senders = append(m.senders, calendar.NewURI(address))
	}

	var problems []problem
	for _, reason := range parsed.Unread {
		problems = append(problems, problem{reason: reason + ": it is not all looked at"})
	}
	seen := make(map[[sha256.Size]byte]bool)
	for _, part := range parsed.Parts {
		changes, bad := h.openPart(part)
		problems = append(problems, bad...)
		for _, c := range changes {
			// Mail clients send the same event as several parts: one of a
			// multipart/alternative, and an attachment.
			copyOf := sha256.Sum256(append([]byte(c.Method+"\n"), c.Object.Encode()...))
			if !seen[copyOf] {
				seen[copyOf] = true
				m.changes = append(m.changes, c)
			}
		}
	}
	// DEVIATION: recurrences-before-their-event. The original goes by the order of
	// the message.
	slices.SortStableFunc(m.changes, func(a, b Change) int {
		return len(a.ID.RecurrenceID) - len(b.ID.RecurrenceID)
	})
	return m, problems
}

// openPart reads what the events change of one calendar part.
func (h *Handler) openPart(part mail.Part) (changes []Change, problems []problem) {
	labelled := strings.ToUpper(strings.TrimSpace(part.Method)) // DEVIATION: method-in-lower-case.
	calendars, err := calendar.Decode(part.Text)
	if err != nil {
		// DEVIATION: unreadable-calendars. The original says nothing of it.
		return nil, []problem{{reason: err.Error(), method: labelled}}
	}
	for _, c := range calendars {
		method := c.Method
		switch {
		case method == "":
			// DEVIATION: method-only-in-the-part.
			method = labelled
		case method != labelled:
			// DEVIATION: method-parameter-differs. Kontact labels COUNTER as
			// REQUEST, Google COUNTER as REPLY.
			h.Log.Warn("the part says another method than the calendar in it, which decides", "part", labelled, "calendar", method)
		}
		for _, warning := range c.Warnings {
			h.Log.Warn(warning, "method", method)
		}
		if !itip.Handles(h.side(), method) {
			// DEVIATION: unknown-methods. The original fails on them for ever.
			problems = append(problems, problem{reason: fmt.Sprintf("the method %q is none of iTIP's", method), method: method})
			continue
		}
		for _, found := range c.Events {
			c, err := openEvent(method, found)
			if err != nil {
				problems = append(problems, problemOf(c.Change, err.Error()))
				continue
			}
			changes = append(changes, c)
		}
	}
	return changes, problems
}

// openEvent returns what an event changes, with what is known of it also if it is bad.
func openEvent(method string, found calendar.Event) (Change, error) {
	c := Change{Change: itip.Change{Method: method}, Warnings: found.Warnings}
	if found.Err != nil {
		if found.Object != nil {
			c.ID.UID = found.Object.UID()
		}
		return c, found.Err
	}
	change, warnings, err := itip.NewChange(method, found.Object)
	c.Change, c.Warnings = change, append(c.Warnings, warnings...)
	return c, err
}

// putAside keeps a message of which something can never be handled, with the
// reasons. A draft, if there is one, has it already.
func (h *Handler) putAside(parsed *mail.Message, draft *rejected.Draft, problems []problem) error {
	if len(problems) == 0 {
		return nil
	}
	first := problems[0]
	reasons := make([]string, len(problems))
	for i, p := range problems {
		reasons[i] = p.reason
		if p.id.UID != "" {
			reasons[i] = fmt.Sprintf("event %q: %s", p.id.UID, p.reason)
		}
	}
	note := rejected.Note{
		Reason: strings.Join(reasons, "; "), Method: first.method, UID: first.id.UID,
		RecurrenceID: first.id.RecurrenceID, Source: "outgoing message", Time: h.Now().UTC(),
	}
	if parsed.LeftOut > 0 {
		note.Reason += fmt.Sprintf("; %d octets beside the calendars, as of attachments, are left out", parsed.LeftOut)
	}
	var path string
	var err error
	if draft != nil {
		path, err = draft.Put(note)
	} else {
		path, err = h.Rejected.Put(note, parsed.Source)
	}
	if err != nil {
		return fmt.Errorf("put aside a message that cannot be handled (%s): %w", note.Reason, err)
	}
	h.Log.Warn("put aside what cannot be handled", "file", path, "reason", note.Reason)
	return nil
}
