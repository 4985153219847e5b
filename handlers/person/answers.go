package person

import (
	"strings"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/itip"
	"imip-agent/handlers/mail"
	"imip-agent/handlers/summary"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// answers returns the mails that go to others because of the message: one for each address.
func (h *Handler) answers(a *arrival, tx stores.Tx, settings preferences.Preferences, now time.Time, results []handlers.Result) (mails []deliver.Mail, err error) {
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
		if !d.freeBusy {
			own, wanted, err := itip.OwnFreeBusy(tx, settings, h.Sender, now.UTC())
			if err != nil {
				return nil, err
			}
			if wanted {
				d.parts = append(d.parts, own)
			}
		}
		composed, err := d.compose(h.Sender.Address(), settings.Language, now, a.fields)
		if err != nil { // there is no such address
			h.Log.Warn("an answer cannot be sent", "user", string(tx.User()), "recipient", string(d.to), "reason", err)
			continue
		}
		mails = append(mails, deliver.Mail{Envelope: deliver.Envelope{From: h.Sender.Address(), To: d.to.Address()}, Text: composed})
	}
	return mails, nil
}

// draft is a mail to somebody.
type draft struct {
	to       calendar.URI
	parts    []calendar.Document
	freeBusy bool // there is free/busy in it
}

// add adds an answer to what goes to its recipient.
func add(drafts []*draft, answer itip.Answer) []*draft {
	var d *draft
	for _, other := range drafts {
		if other.to.Is(answer.To) {
			d = other
		}
	}
	if d == nil {
		d = &draft{to: answer.To}
		drafts = append(drafts, d)
	}
	for _, part := range answer.Parts {
		d.parts = append(d.parts, part)
		d.freeBusy = d.freeBusy || len(part.FreeBusy) > 0
	}
	return drafts
}

func (d *draft) compose(from, language string, now time.Time, about mail.Fields) (*mail.Composed, error) {
	first := d.parts[0]
	out := mail.Draft{
		From: from, To: d.to.Address(), Date: now, About: about,
		Subject: summary.Title(first.Method, len(first.FreeBusy) > 0, language),
	}
	for _, part := range d.parts {
		out.Calendars = append(out.Calendars, mail.Calendar{Method: part.Method, Text: part.Encode()})
	}
	return out.Compose()
}

// domainOf returns the domain of an address.
func domainOf(uri calendar.URI) string {
	address := uri.Address()
	return address[strings.LastIndexByte(address, '@')+1:]
}
