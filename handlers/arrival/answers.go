package arrival

import (
	"slices"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/itip"
	"imip-agent/handlers/mail"
	"imip-agent/handlers/summary"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Answers returns the mails that go to others because of the message, by what has become of its changes: one for
// each address. Those that carry the recipient's free/busy, too, if it goes with all messages.
func (h *Handler) Answers(m *Message, tx stores.Tx, to Recipient, now time.Time, results []handlers.Result) (mails []deliver.Mail, err error) {
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
			own, wanted, err := itip.OwnFreeBusy(tx, to.Preferences, h.Sender, now.UTC())
			if err != nil {
				return nil, err
			}
			if wanted {
				d.parts = append(d.parts, own)
			}
		}
		composed, err := d.compose(h.Sender.Address(), to.Preferences.Language, now, m.Fields)
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
	freeBusy bool       // there is free/busy in it
	why      []itip.Why // what a resource gives for reasons
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
	if answer.Why != itip.NoReason && !slices.Contains(d.why, answer.Why) {
		d.why = append(d.why, answer.Why)
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
	for _, why := range d.why {
		out.Text += sentences[why].Sentence(language) + "\n"
	}
	for _, part := range d.parts {
		out.Calendars = append(out.Calendars, mail.Calendar{Method: part.Method, Text: part.Encode()})
	}
	return out.Compose()
}

// sentences says what a resource says to people of its reasons.
var sentences = map[itip.Why]summary.Decision{
	itip.Scheduled:    summary.Scheduled,
	itip.NoAccess:     summary.Refused,
	itip.Unavailable:  summary.Unavailable,
	itip.OtherPeriod:  summary.AnotherPeriod,
	itip.Delegated:    summary.PassedOn,
	itip.NoAllocation: summary.NoAllocation,
	itip.Exceeded:     summary.QuotaExhausted,
}
