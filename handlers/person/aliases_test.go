package person_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/stores/preferences"
)

const vv = "vv@example.org" // another address of Vincent's

// aliased is a site where Vincent has another address, and team@example.org is Vincent and Harvey.
func aliased(t *testing.T) *site {
	s := newSite(t)
	s.UsersOf = func(address string) ([]string, error) {
		return map[string][]string{vv: {vincent}, "team@example.org": {vincent, harvey}}[strings.ToLower(address)], nil
	}
	return s
}

// A user is invited by another address of theirs, whether the mail system delivers to that or to their own.
func TestAliases(t *testing.T) {
	for name, test := range map[string]struct{ to, invited string }{
		"both":         {vv, vv},
		"the event":    {vincent, vv},
		"the envelope": {vv, vincent},
		"letter case":  {"VV@example.org", "vv@EXAMPLE.org"},
	} {
		t.Run(name, func(t *testing.T) {
			s := aliased(t)
			text := message(paul, "REQUEST", nil, event("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:"+test.invited, host))
			s.handle(text, test.to)
			if got := s.received(vincent, text); !slices.Equal(got, []string{"wrapped"}) {
				t.Errorf("the mailbox has %q\n%s", got, &s.log)
			}
			if stored := s.stored(vincent); !slices.Contains(stored, "objects/meeting") || !slices.Contains(stored, "requests meeting") {
				t.Errorf("stored %q", stored)
			}
			object, err := os.ReadFile(filepath.Join(s.dir, "store", "mailto:"+vincent, "objects/meeting"))
			if err != nil || !strings.Contains(string(object), "mailto:"+vincent) || strings.Contains(string(object), "vv@") {
				t.Errorf("%s, %v", object, err)
			}
			if entries, err := os.ReadDir(filepath.Join(s.dir, "store")); err != nil || len(entries) != 1 {
				t.Errorf("records of %v, %v", entries, err)
			}
		})
	}
}

// An alias of several users is each of them, once.
func TestAliasOfSeveral(t *testing.T) {
	s := aliased(t)
	text := message(paul, "REQUEST", nil, event("ATTENDEE:mailto:team@example.org", host))
	s.handle(text, "team@example.org", vincent, vv)
	for _, user := range []string{vincent, harvey} {
		if got := s.received(user, text); !slices.Equal(got, []string{"wrapped"}) {
			t.Errorf("%s has %q", user, got)
		}
		if stored := s.stored(user); !slices.Contains(stored, "requests meeting") {
			t.Errorf("of %s is stored %q", user, stored)
		}
	}
}

// Whoever asks is answered by the address that they know.
func TestAnswersByAlias(t *testing.T) {
	for name, text := range map[string]string{
		"ADD":               message(paul, "ADD", nil, event(later, "DTSTART:20261203T090000Z", "ATTENDEE:mailto:"+vv, host)),
		"VFREEBUSY REQUEST": freeBusy("REQUEST", paul, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "ATTENDEE:mailto:"+vv),
	} {
		s := aliased(t)
		s.settings.Sharing, s.settings.AddResponse = true, preferences.AskForAll
		s.handle(text, vincent)
		taken := s.others.Taken()
		if len(taken) != 1 || taken[0].To != paul || !strings.Contains(unfolded(taken[0].Text), ":mailto:"+vv) || strings.Contains(unfolded(taken[0].Text), ":mailto:"+vincent) {
			t.Errorf("%s: %q\n%s", name, taken, &s.log)
		}
	}
}

func unfolded(text string) string { return strings.ReplaceAll(text, "\r\n ", "") }

// What the user organizes is theirs, too, under another address of theirs.
func TestAliasOrganizes(t *testing.T) {
	s := aliased(t)
	owns := []string{"ORGANIZER;SENT-BY=\"mailto:" + system + "\":mailto:" + vv, attends(harvey, "NEEDS-ACTION")}
	s.handle(message(system, "PUBLISH", nil, event(owns...)), vincent)
	if stored := s.stored(vincent); !slices.Equal(stored, []string{"freebusy 1", "objects/meeting"}) {
		t.Errorf("stored %q", stored)
	}
	s.handle(message(harvey, "REPLY", nil, event("ORGANIZER:mailto:"+vv, attends(harvey, "ACCEPTED"))), vv)
	if stored := s.stored(vincent); !slices.Contains(stored, "freebusy-other/mailto:"+harvey+" 1") {
		t.Errorf("stored %q\n%s", stored, &s.log)
	}
}

// Who delegates names the delegate by an alias, and the delegate names by an alias who has delegated.
func TestAliasOfDelegate(t *testing.T) {
	from := func(who, address string) string {
		return "ATTENDEE;DELEGATED-FROM=\"mailto:" + address + "\":mailto:" + who
	}
	to := func(who, address string) string {
		return "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:" + address + "\":mailto:" + who
	}
	s := aliased(t)
	s.handle(message(harvey, "REQUEST", nil, event(host, to(harvey, vv), from(vv, harvey))), vv)
	object, err := os.ReadFile(filepath.Join(s.dir, "store", "mailto:"+vincent, "objects/meeting"))
	if err != nil || strings.Contains(unfolded(string(object)), vv) {
		t.Errorf("%s, %v\n%s", object, err, &s.log)
	}
	s = aliased(t)
	s.settings.Sharing = true
	s.handle(freeBusy("REQUEST", harvey, "ORGANIZER:mailto:"+paul, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", to(harvey, vv), from(vv, harvey)), vv)
	if taken := s.others.Taken(); len(taken) != 1 {
		t.Errorf("%d answers to who passes a question on\n%s", len(taken), &s.log)
	}
}

// Somebody else's alias opens nothing.
func TestForeignAlias(t *testing.T) {
	s := aliased(t)
	text := message(paul, "REQUEST", nil, event("ATTENDEE:mailto:"+vv, host))
	s.handle(text, harvey)
	if got := s.received(harvey, text); !slices.Equal(got, []string{"message"}) || len(s.stored(harvey)) > 0 {
		t.Errorf("the mailbox has %q, stored %q", got, s.stored(harvey))
	}
}

// Where aliases cannot be read, nobody knows whose the message is: it waits.
func TestAliasesUnreadable(t *testing.T) {
	s := newSite(t)
	broken := errors.New("disk")
	s.UsersOf = func(string) ([]string, error) { return nil, broken }
	if err := s.try(invitation(), vincent); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if len(s.mailbox.Taken())+len(s.stored(vincent)) > 0 {
		t.Error("something is done")
	}
}
