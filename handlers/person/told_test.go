package person_test

import (
	"io"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"

	"imip-agent/stores/preferences"
)

// TestTold reads what the summary of each kind of message says: what has come, by whom, and where it can be seen.
func TestTold(t *testing.T) {
	vincents := func(method, status string, lines ...string) string {
		return message(vincent, method, nil, event(append(lines, attends(vincent, status))...))
	}
	const link = "https://example.com/meeting"
	for name, test := range map[string]struct {
		user    string // vincent if empty
		before  []string
		message string
		want    string
		link    string // "": there is none
	}{
		"invitation":              {message: invitation(), want: paul + " invites you to “Meeting”.", link: link},
		"invitation again":        {before: []string{invitation()}, message: invitation("X-COPY:2"), want: paul + " invites you to “Meeting”.", link: link},
		"changed event":           {before: []string{invitation()}, message: invitation(later), want: paul + " has changed “Meeting”.", link: link},
		"changed occurrence":      {before: []string{invitation(weekly)}, message: invitation(second, moved), want: paul + " invites you to one occurrence of “Meeting”.", link: link + "/20261209T090000Z"},
		"details":                 {message: message(paul, "PUBLISH", nil, event(invited, host)), want: paul + " sends you the details of “Meeting”.", link: link},
		"cancellation":            {before: []string{invitation()}, message: message(paul, "CANCEL", nil, event(later, invited, host)), want: paul + " has called off “Meeting”."},
		"cancelled occurrence":    {before: []string{invitation(weekly)}, message: message(paul, "CANCEL", nil, event(later, second, invited, host)), want: paul + " has called off one occurrence of “Meeting”."},
		"addition":                {before: []string{invitation()}, message: message(paul, "ADD", nil, event(later, moved, invited, host)), want: paul + " has added an occurrence to “Meeting”.", link: link + "/20261209T140000Z"},
		"declined proposal":       {before: []string{invitation()}, message: message(paul, "DECLINECOUNTER", nil, event(invited)), want: paul + " has declined your proposal for “Meeting”.", link: link},
		"acceptance":              {user: paul, before: []string{own("PUBLISH")}, message: vincents("REPLY", "ACCEPTED"), want: vincent + " accepts the invitation to “Meeting”.", link: link},
		"refusal":                 {user: paul, before: []string{own("PUBLISH")}, message: vincents("REPLY", "DECLINED"), want: vincent + " declines the invitation to “Meeting”.", link: link},
		"proposal":                {user: paul, before: []string{own("PUBLISH")}, message: vincents("COUNTER", "TENTATIVE", moved), want: vincent + " proposes to change “Meeting”.", link: link},
		"question":                {user: paul, before: []string{own("PUBLISH")}, message: vincents("REFRESH", "ACCEPTED", "-DTSTART:", "-DURATION:"), want: vincent + " asks you for the details of “Meeting”.", link: link},
		"busy times":              {message: freeBusy("PUBLISH", paul, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "FREEBUSY:20261202T090000Z/PT1H"), want: paul + " has sent their busy times."},
		"busy times as an answer": {user: paul, message: freeBusy("REPLY", vincent, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "ATTENDEE:mailto:"+vincent), want: vincent + " has sent their busy times."},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.settings.Notifying, s.settings.AddResponse, s.settings.Incoming = true, preferences.TakeOver, preferences.SummaryOnly
			user := test.user
			if user == "" {
				user = vincent
			}
			for _, text := range test.before {
				s.handle(text, user)
			}
			s.mailbox.Forget()
			s.handle(test.message, user)
			taken := s.mailbox.Taken()
			if len(taken) != 1 {
				t.Fatalf("the mailbox has %q", taken)
			}
			m, err := mail.ReadMessage(strings.NewReader(taken[0].Text))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
			if err != nil {
				t.Fatal(err)
			}
			said := strings.ReplaceAll(string(text), "\r\n", "\n")
			if first, _, _ := strings.Cut(said, "\n"); first != test.want {
				t.Errorf("it says %q, want %q", first, test.want)
			}
			if test.link == "" && strings.Contains(said, "https://") || test.link != "" && !strings.Contains(said, test.link+"\n") {
				t.Errorf("want the link %q in\n%s", test.link, said)
			}
		})
	}
}
