package handlers

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"imip-agent/handlers/itip"
	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/rejected"
)

// Message is a message that was taken apart.
type Message struct {
	Mail    *mail.Message
	Senders []calendar.URI // whom the From field names
	// Changes are what the events in it change, whole events before recurrences. From which side and for
	// whom they are made, their reader adds.
	Changes  []Change
	Problems []Problem // what can never be handled

	draft *rejected.Draft // of a message that is too large to be held in memory; nil: there is none
}

// Problem is something in a message that can never be handled.
type Problem struct {
	Reason, Method string
	ID             stores.ID
}

// ProblemOf returns the problem that there is with a change.
func ProblemOf(c itip.Change, reason string) Problem {
	return Problem{Reason: reason, Method: c.Method, ID: c.ID}
}

// Read reads a message from r, to its end, and finds the events in it, of methods that are handled from
// that side. The error is temporary. The message is to be closed.
func (p *Pipeline) Read(r io.Reader, side itip.Side) (*Message, error) {
	m := &Message{}
	var err error
	draft := func() (w io.Writer, err error) {
		m.draft, err = p.Rejected.Draft()
		return m.draft, err
	}
	if side == itip.Received {
		draft = nil // a mailbox gets all of it
	}
	m.Mail, err = mail.Read(r, p.MessageLimit, draft)
	if err != nil {
		m.Close()
		return nil, err
	}
	p.open(m, side)
	return m, nil
}

// Close gives back what the message takes beside memory.
func (m *Message) Close() {
	if m.draft != nil {
		m.draft.Close()
	}
}

// open finds the events of a mail.
func (p *Pipeline) open(m *Message, side itip.Side) {
	if m.Mail.Bounce {
		// A delivery report quotes the message that it is about (RFC 3462): what
		// it quotes was handled when it was sent.
		p.Log.Debug("a delivery report: nothing to do")
		return
	}
	for _, address := range m.Mail.From {
		m.Senders = append(m.Senders, calendar.NewURI(address))
	}
	for _, reason := range m.Mail.Unread {
		m.Problems = append(m.Problems, Problem{Reason: reason + ": only a part is examined"})
	}
	seen := make(map[[sha256.Size]byte]bool)
	for _, part := range m.Mail.Parts {
		changes, bad := p.openPart(part, side)
		m.Problems = append(m.Problems, bad...)
		for _, c := range changes {
			// Mail clients send the same event as several parts: one of a
			// multipart/alternative, and an attachment.
			copyOf := sha256.Sum256(append([]byte(c.Method+"\n"), c.text()...))
			if !seen[copyOf] {
				seen[copyOf] = true
				m.Changes = append(m.Changes, c)
			}
		}
	}
	// DEVIATION: recurrences-before-their-event. The original goes by the order of
	// the message.
	slices.SortStableFunc(m.Changes, func(a, b Change) int { return cmp.Compare(a.order(), b.order()) })
}

// order returns the place of a change among those of a message: whole events, then occurrences, then
// free/busy, which says more of its time than events do.
func (c Change) order() int {
	if c.FreeBusy != nil {
		return math.MaxInt
	}
	return len(c.ID.RecurrenceID)
}

// text returns what the message says.
func (c Change) text() []byte {
	if c.FreeBusy != nil {
		d := calendar.Document{FreeBusy: []*calendar.FreeBusy{c.FreeBusy}}
		return d.Encode()
	}
	return c.Object.Encode()
}

// openPart reads what the events change of one calendar part.
func (p *Pipeline) openPart(part mail.Part, side itip.Side) (changes []Change, problems []Problem) {
	labelled := strings.ToUpper(strings.TrimSpace(part.Method)) // DEVIATION: method-in-lower-case.
	calendars, err := calendar.Decode(part.Text)
	if err != nil {
		// DEVIATION: unreadable-calendars. The original says nothing of it.
		return nil, []Problem{{Reason: err.Error(), Method: labelled}}
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
			p.Log.Warn("the part names another method than its calendar: the calendar's method counts", "part", labelled, "calendar", method)
		}
		for _, warning := range c.Warnings {
			p.Log.Warn(warning, "method", method)
		}
		if !itip.Handles(side, method) {
			// DEVIATION: unknown-methods. The original fails on them for ever.
			problems = append(problems, Problem{Reason: fmt.Sprintf("the method %q is not one of iTIP", method), Method: method})
			continue
		}
		for _, found := range c.Events {
			c, err := openEvent(method, found)
			if err != nil {
				problems = append(problems, ProblemOf(c.Change, err.Error()))
				continue
			}
			changes = append(changes, c)
		}
		if side != itip.Received && side != itip.Decided {
			continue
		}
		for _, found := range c.FreeBusy {
			c := Change{Change: itip.NewFreeBusyChange(method, found.FreeBusy), Warnings: found.Warnings}
			c.SeveralOrganizers = len(found.OtherOrganizers) > 0
			if found.Err != nil {
				problems = append(problems, ProblemOf(c.Change, found.Err.Error()))
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
	c.SeveralOrganizers = len(found.OtherOrganizers) > 0
	return c, err
}

// Unstored returns the problems that there are with changes that can never be applied, by the results of
// all of them.
func Unstored(changes []Change, results []Result) (problems []Problem) {
	for i, result := range results {
		if result.Unstorable() {
			problems = append(problems, ProblemOf(changes[i].Change, result.Err.Error()))
		}
	}
	return problems
}

// PutAside keeps a message of which something can never be handled, with the
// reasons, and where it is from. A draft, if there is one, has it already.
func (p *Pipeline) PutAside(m *Message, source string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	first := problems[0]
	reasons := make([]string, len(problems))
	for i, problem := range problems {
		reasons[i] = problem.Reason
		if problem.ID.UID != "" {
			reasons[i] = fmt.Sprintf("event %q: %s", problem.ID.UID, problem.Reason)
		}
	}
	note := rejected.Note{
		Reason: strings.Join(reasons, "; "), Method: first.Method, UID: first.ID.UID,
		RecurrenceID: first.ID.RecurrenceID, Source: source, Time: p.Now().UTC(),
	}
	if m.Mail.LeftOut > 0 {
		note.Reason += fmt.Sprintf("; %d octets besides the calendars, such as attachments, are left out", m.Mail.LeftOut)
	}
	var path string
	var err error
	if m.draft != nil {
		path, err = m.draft.Put(note)
	} else {
		path, err = p.Rejected.Put(note, m.Mail.Source)
	}
	if err != nil {
		return fmt.Errorf("reject a message that cannot be handled (%s): %w", note.Reason, err)
	}
	p.Log.Warn("rejected what cannot be handled", "file", path, "reason", note.Reason)
	return nil
}
