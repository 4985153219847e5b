package handlers

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/rejected"
)

// message is what matters of a mail: who sent it, and the events in it.
type message struct {
	user    calendar.URI // whose it is; empty: each event says
	senders []calendar.URI
	events  []event // whole events before recurrences
}

// event is one VEVENT of a message.
type event struct {
	method   string
	object   *calendar.Object
	id       stores.ID
	warnings []string // what was repaired in it
}

// problem is something in a message that can never be handled.
type problem struct {
	reason, method string
	id             stores.ID
}

func (e event) problem(reason string) problem {
	return problem{reason: reason, method: e.method, id: e.id}
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
		events, bad := h.openPart(part)
		problems = append(problems, bad...)
		for _, e := range events {
			// Mail clients send the same event as several parts: one of a
			// multipart/alternative, and an attachment.
			copyOf := sha256.Sum256(append([]byte(e.method+"\n"), e.object.Encode()...))
			if !seen[copyOf] {
				seen[copyOf] = true
				m.events = append(m.events, e)
			}
		}
	}
	// DEVIATION: recurrences-before-their-event. The original goes by the order of
	// the message.
	slices.SortStableFunc(m.events, func(a, b event) int {
		return len(a.id.RecurrenceID) - len(b.id.RecurrenceID)
	})
	return m, problems
}

// openPart reads the events of one calendar part.
func (h *Handler) openPart(part mail.Part) (events []event, problems []problem) {
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
		if methods[method] == nil {
			// DEVIATION: unknown-methods. The original fails on them for ever.
			problems = append(problems, problem{reason: fmt.Sprintf("the method %q is none of iTIP's", method), method: method})
			continue
		}
		for _, found := range c.Events {
			e, err := openEvent(method, found)
			if err != nil {
				problems = append(problems, e.problem(err.Error()))
				continue
			}
			events = append(events, e)
		}
	}
	return events, problems
}

// openEvent returns the event, with what is known of it also if it is bad.
func openEvent(method string, found calendar.Event) (event, error) {
	e := event{method: method, object: found.Object, warnings: found.Warnings}
	if found.Object != nil {
		e.id.UID = found.Object.UID()
	}
	if found.Err != nil {
		return e, found.Err
	}
	recurrenceID, err := found.Object.RecurrenceID()
	if err != nil {
		return e, err
	}
	e.id.RecurrenceID = recurrenceID
	if recurrenceID != "" || method == "ADD" {
		e.once()
	}
	switch method {
	case "CANCEL", "DECLINECOUNTER", "REFRESH", "REPLY":
		// These may leave out the times (RFC 5546 sections 3.2.3, 3.2.5, 3.2.6, 3.2.8).
		// DEVIATION: reply-without-times.
		// DEVIATION: decline-without-times.
	default:
		if !found.Object.HasStart() {
			// DEVIATION: unreadable-times. The original says nothing of it.
			return e, errors.New("it has no DTSTART that can be read")
		}
	}
	return e, nil
}

// once takes from an occurrence what makes an event recur: some programs leave it there, and
// an occurrence is one (RFC 5545 section 3.8.4.4).
//
// DEVIATION: occurrences-with-rules. The original repeats the occurrence by them.
func (e *event) once() {
	for _, name := range []string{"RRULE", "RDATE", "EXDATE", "EXRULE"} {
		if e.object.Has(name) {
			e.object.Remove(name)
			e.warnings = append(e.warnings, name+" left out: an occurrence does not recur")
		}
	}
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
