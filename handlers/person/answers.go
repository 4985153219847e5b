package person

import (
	"slices"
	"strings"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/itip"
	"imip-agent/handlers/mail"
	"imip-agent/handlers/summary"
	"imip-agent/stores/calendar"
)

// answers returns the mails that go to others because of the message: one for each address.
func (h *Handler) answers(a *arrival, user calendar.URI, language string, now time.Time, results []handlers.Result) (mails []deliver.Mail) {
	var drafts []*draft
	for _, r := range results {
		if r.Err != nil {
			continue
		}
		for _, answer := range r.Answers {
			drafts = add(drafts, answer)
		}
	}
	for _, d := range drafts {
		composed, err := d.compose(h.Sender.Address(), language, now, a.fields)
		if err != nil { // there is no such address
			h.Log.Warn("an answer cannot be sent", "user", string(user), "recipient", string(d.to), "reason", err)
			continue
		}
		mails = append(mails, deliver.Mail{Envelope: deliver.Envelope{From: h.Sender.Address(), To: d.to.Address()}, Text: composed})
	}
	return mails
}

// draft is a mail to somebody.
type draft struct {
	to    calendar.URI
	parts []calendar.Document
	// bundled is the user's free/busy, which goes along (RFC 5546 section 3.3.1); nil: it does not. What was
	// published last counts.
	bundled *calendar.Document
	told    bool // the parts tell of free/busy themselves
}

// add adds an answer to what goes to its recipient.
func add(drafts []*draft, answer itip.Answer) []*draft {
	i := slices.IndexFunc(drafts, func(d *draft) bool { return d.to.Is(answer.To) })
	if i < 0 {
		i = len(drafts)
		drafts = append(drafts, &draft{to: answer.To})
	}
	d := drafts[i]
	for _, part := range answer.Parts {
		switch {
		case len(part.FreeBusy) == 0:
			d.parts = append(d.parts, part)
		case part.Method == "PUBLISH":
			d.bundled = &part
		default:
			d.parts = append(d.parts, part)
			d.told = true
		}
	}
	return drafts
}

func (d *draft) compose(from, language string, now time.Time, about mail.Fields) (*mail.Composed, error) {
	parts := d.parts
	if d.bundled != nil && !d.told {
		parts = append(parts, *d.bundled)
	}
	out := mail.Draft{From: from, To: d.to.Address(), Date: now, About: about}
	for i, part := range parts {
		if i == 0 {
			out.Subject = summary.Title(part.Method, len(part.FreeBusy) > 0, language)
		}
		out.Calendars = append(out.Calendars, mail.Calendar{Method: part.Method, Text: part.Encode()})
	}
	return out.Compose()
}

// domainOf returns the domain of an address.
func domainOf(uri calendar.URI) string {
	address := uri.Address()
	return address[strings.LastIndexByte(address, '@')+1:]
}
