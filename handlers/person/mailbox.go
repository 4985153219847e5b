package person

import (
	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/itip"
	"imip-agent/handlers/summary"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// forms are what gets to the mailbox, and in which order, if there is a summary.
var forms = [...][]arrival.Form{
	preferences.SummaryWrapsMessage: {arrival.Wrapped},
	preferences.MessageOnly:         {arrival.AsItCame},
	preferences.MessageThenSummary:  {arrival.AsItCame, arrival.Alone},
	preferences.SummaryThenMessage:  {arrival.Alone, arrival.AsItCame},
	preferences.SummaryOnly:         {arrival.Alone},
}

// mailboxMails returns what gets to a user's mailbox, by what has become of the changes: with a
// summary if there is news to tell; as the message came if something in it was not dealt with; else nothing.
//
// DEVIATION: lost-mail. The original delivers nothing if nothing in the message counts.
func (h *Handler) mailboxMails(m *arrival.Message, to arrival.Recipient, results []handlers.Result) (mails []deliver.Mail) {
	var told []summary.News
	silent := len(results) > 0 && len(m.Problems) == 0
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
	how, text := []arrival.Form{arrival.AsItCame}, ""
	if len(told) > 0 {
		how = forms[to.Preferences.Incoming]
		text = summary.Reader{User: to.User, Zone: to.Preferences.Zone, Language: to.Preferences.Language}.Text(told...)
	}
	for _, form := range how {
		mails = append(mails, h.MailboxMail(m, to.User, form, text))
	}
	return mails
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
		told.Link = h.Link(n.ID)
	}
	return told
}
