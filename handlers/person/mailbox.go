package person

import (
	"encoding/json"
	"fmt"
	"io"

	"imip-agent/handlers"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/itip"
	"imip-agent/handlers/mail"
	"imip-agent/handlers/summary"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// making says how a mail for the mailbox is made of the message. It stands in the letter in the place of the
// mail: the mail system keeps the message until all is done, and mails of 40 MB need not be kept twice. What
// was decided first stays so.
type making struct {
	Form form   `json:"form"`
	Text string `json:"summary,omitempty"`
	// Domain is that of the identifier of a summary alone.
	Domain string `json:"domain,omitempty"`
}

// form is what a mail for the mailbox is.
type form string

const (
	asItCame form = "message"
	wrapped  form = "wrapped" // a summary, and the message enclosed
	alone    form = "summary"
)

// forms are what gets to the mailbox, and in which order, if there is a summary.
var forms = [...][]form{
	preferences.SummaryWrapsMessage: {wrapped},
	preferences.MessageOnly:         {asItCame},
	preferences.MessageThenSummary:  {asItCame, alone},
	preferences.SummaryThenMessage:  {alone, asItCame},
	preferences.SummaryOnly:         {alone},
}

// mailboxMails returns what gets to a user's mailbox, by what has become of the changes: with a
// summary if there is news to tell; as the message came if something in it was not dealt with; else nothing.
//
// DEVIATION: lost-mail. The original delivers nothing if nothing in the message counts.
func (h *Handler) mailboxMails(a *arrival, user calendar.URI, settings preferences.Preferences, results []handlers.Result) (mails []deliver.Mail) {
	var told []summary.News
	silent := len(results) > 0 && len(a.Problems) == 0
	for _, r := range results {
		switch {
		case r.Err == nil && r.News.Told():
			told = append(told, h.news(r.News))
			silent = false
		case r.Err != nil || r.News.Kind != itip.Silence:
			silent = false
		}
	}
	if silent {
		return nil
	}
	how, text := []form{asItCame}, ""
	if len(told) > 0 {
		how = forms[settings.Incoming]
		text = summary.Reader{User: user, Zone: settings.Zone, Language: settings.Language}.Text(told...)
	}
	for _, f := range how {
		m := making{Form: f}
		from := h.envelopeSender(a)
		if f != asItCame {
			m.Text = text
		}
		if f == alone {
			m.Domain, from = domainOf(h.Sender), h.Sender.Address()
		}
		mails = append(mails, deliver.Mail{
			Envelope: deliver.Envelope{Mailbox: true, Made: true, From: from, To: user.Address()}, Text: m,
		})
	}
	return mails
}

// WriteTo implements [io.WriterTo].
func (m making) WriteTo(w io.Writer) (int64, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	return stores.Mail(text).WriteTo(w)
}

// make makes a mail for the mailbox.
func (a *arrival) make(_ deliver.Envelope, of io.Reader) (io.ReadCloser, error) {
	var m making
	if err := json.NewDecoder(of).Decode(&m); err != nil {
		return nil, fmt.Errorf("read how the mail for the mailbox is made: %w", err)
	}
	var made *mail.Composed
	var err error
	switch m.Form {
	case asItCame: // DEVIATION: message-as-it-came.
		return io.NopCloser(a.source.Open()), nil
	case wrapped:
		made, err = mail.Wrap(m.Text, a.source)
	case alone:
		made, err = mail.Alone(m.Text, a.source, m.Domain)
	default:
		err = fmt.Errorf("%q is no form of a mail for the mailbox", m.Form)
	}
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	go func() {
		_, err := made.WriteTo(w)
		w.CloseWithError(err)
	}()
	return r, nil
}

// envelopeSender returns who is told if the mailbox refuses the message: whom its Return-Path names, which may be
// nobody; else the calendar system.
func (h *Handler) envelopeSender(a *arrival) string {
	if path, ok := a.fields.ReturnPath(); ok {
		return path
	}
	return h.Sender.Address()
}

// newsKinds says what the summary calls the news.
var newsKinds = map[itip.NewsKind]summary.Kind{
	itip.Invitation:       summary.Invitation,
	itip.Details:          summary.Details,
	itip.Cancellation:     summary.Cancellation,
	itip.Answered:         summary.Reply,
	itip.Proposal:         summary.Proposal,
	itip.DeclinedProposal: summary.ProposalRefused,
	itip.Addition:         summary.Addition,
	itip.Question:         summary.DetailsRequest,
	itip.BusyTimes:        summary.Busy,
}

// news returns what the summary says of news.
func (h *Handler) news(n itip.News) summary.News {
	told := summary.News{Kind: newsKinds[n.Kind], Object: n.Object, Stored: n.Stored}
	if n.Kind == itip.Invitation && n.Stored != nil && n.Object != nil && !n.Object.SameRevision(n.Stored) {
		told.Kind = summary.Update
	}
	for _, a := range n.From {
		told.Senders = append(told.Senders, a.URI)
	}
	if n.FreeBusy != nil {
		told.From, told.Until = n.FreeBusy.Start, n.FreeBusy.End
		if len(told.Senders) == 0 {
			told.Senders = []calendar.URI{n.FreeBusy.Organizer.URI}
		}
	}
	if n.Object != nil && h.Link != nil {
		id := stores.ID{UID: n.Object.UID()}
		id.RecurrenceID, _ = n.Object.RecurrenceID() // of an occurrence without one, the event is shown
		told.Link = h.Link(id)
	}
	return told
}
