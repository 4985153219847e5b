package outgoing_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"imip-agent/handlers/outgoing"
	"imip-agent/stores/calendar"
)

func TestRecipient(t *testing.T) {
	const prefix = "people-outgoing"
	for address, want := range map[string]calendar.URI{
		"people-outgoing+paul@example.com":           "mailto:paul@example.com",
		"<people-outgoing+paul@example.com>":         "mailto:paul@example.com",
		"People-Outgoing+Paul@Example.com":           "mailto:Paul@Example.com",
		"people-outgoing+paul+lists@example.com":     "mailto:paul+lists@example.com",
		`"people-outgoing+paul boddie"@example.com`:  `mailto:"paul boddie"@example.com`,
		`people-outgoing+"paul boddie"@example.com`:  `mailto:"paul boddie"@example.com`,
		"people-outgoing@example.com":                "",
		"people-outgoing+@example.com":               "",
		"people-outgoing+paul":                       "",
		"people-outgoing+paul@":                      "",
		"people-outgoingpaul@example.com":            "",
		"paul@example.com":                           "",
		"resources+people-outgoing+paul@example.com": "",
		"": "",
	} {
		if got := outgoing.Recipient(address, prefix); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	if got := outgoing.Recipient("+paul@example.com", ""); got != "" {
		t.Errorf("without a prefix: %q", got)
	}
}

// Where it is known for whom the copy was made, nobody else's records are touched.
func TestRecipientDecides(t *testing.T) {
	alias := func(alias, user string) (bool, error) {
		return alias == "boss@example.org" && user == paul, nil
	}
	tests := []struct {
		name, from string
		event      []string
		user       string // whose records are made; empty: nobody's, and the message is put aside
	}{
		{"own", paul, nil, paul},
		{"a display name", "Vincent Vole <" + paul + ">", nil, paul},
		{"another spelling", "PAUL.Boddie@example.com", nil, "PAUL.Boddie@example.com"},
		{"an extension", "paul.boddie+travel@example.com", []string{"ORGANIZER:mailto:paul.boddie+travel@example.com"}, paul},
		{"no domain", "paul.boddie", nil, paul},
		{"no From field at all", "", nil, paul},
		{"the calendar system", system, nil, paul},
		{"the calendar system, with an event of another", system, []string{"ORGANIZER:mailto:" + vincent}, paul},
		{"the calendar system and the user", system + ", " + paul, nil, paul},
		{"an alias", "boss@example.org", []string{"ORGANIZER:mailto:boss@example.org"}, paul},
		{"one of several senders", vincent + ", " + paul, nil, paul},
		{"another", vincent, []string{"ORGANIZER:mailto:" + vincent}, ""},
		{"another, with the user's event", vincent, nil, ""},
		{"another whose address begins like the user's", "paul.boddie@example.com.example.org", nil, ""},
		{"another domain", "paul.boddie@example.org", nil, ""},
		{"another with the calendar system", system + ", " + vincent, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			s.Recipient, s.IsAlias = "mailto:"+paul, alias
			s.handle(message(test.from, "REQUEST", event(test.event...)))
			var users []string
			for name := range s.files("store") {
				user, _, _ := strings.Cut(name, "/")
				users = append(users, strings.TrimPrefix(user, "mailto:"))
			}
			slices.Sort(users)
			users = slices.Compact(users)
			var want []string
			if test.user != "" {
				want = []string{test.user}
			}
			if !slices.Equal(users, want) {
				t.Errorf("records of %q, want %q\n%s", users, want, &s.log)
			}
			aside := s.files("rejected")
			if test.user != "" {
				if len(aside) > 0 {
					t.Errorf("put aside: %v", aside)
				}
				if s.busy(test.user) == "" {
					t.Error("no free/busy")
				}
				return
			}
			reason := ""
			for name, text := range aside {
				if strings.HasSuffix(name, ".txt") {
					reason = text
				}
			}
			if !strings.Contains(reason, "the From field says "+strings.TrimPrefix(test.from, system+", ")) || !strings.Contains(reason, "mail of "+paul) {
				t.Errorf("put aside: %v", aside)
			}
		})
	}
}

// By an alias, the user is themself in the event: they attend it, and are busy.
func TestAliasAttends(t *testing.T) {
	s := newSite(t)
	s.Recipient = "mailto:" + vincent
	s.IsAlias = func(alias, user string) (bool, error) { return alias == "vv@example.org" && user == vincent, nil }
	s.handle(message("vv@example.org", "REPLY", event(`ATTENDEE;PARTSTAT=ACCEPTED;CN=Vincent:mailto:vv@example.org`)))
	if busy := s.busy(vincent); !strings.Contains(busy, "20261202T090000Z\t20261202T100000Z\tmeeting") {
		t.Errorf("free/busy %q\n%s", busy, &s.log)
	}
	if !strings.Contains(s.log.String(), "it has an alias of the user") {
		t.Errorf("the log does not say so: %s", &s.log)
	}
}

// Aliases that cannot be read are no reason to put the message aside.
func TestAliasesUnreadable(t *testing.T) {
	s := newSite(t)
	s.Recipient = "mailto:" + vincent
	broken := errors.New("disk")
	s.IsAlias = func(string, string) (bool, error) { return false, broken }
	err := s.Handle(t.Context(), strings.NewReader(message(paul, "REQUEST", event())))
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if aside := s.files("rejected"); len(aside) > 0 {
		t.Errorf("put aside: %v", aside)
	}
}

// The calendar system is no user, whoever makes copies of its mail.
func TestRecipientSystem(t *testing.T) {
	s := newSite(t)
	s.Recipient = "mailto:" + system
	s.handle(message(system, "REQUEST", event()))
	if files := s.files("store"); len(files) > 0 {
		t.Errorf("stored: %v", files)
	}
	if aside := s.files("rejected"); len(aside) > 0 {
		t.Errorf("put aside: %v", aside)
	}
}

// What is not about events is nobody's, and not put aside.
func TestOthersMailWithoutEvents(t *testing.T) {
	s := newSite(t)
	s.Recipient = "mailto:" + vincent
	s.handle("From: " + paul + "\r\n\r\nLunch?\r\n")
	if aside := s.files("rejected"); len(aside) > 0 {
		t.Errorf("put aside: %v", aside)
	}
}
