package person_test

import (
	"strings"
	"testing"

	"imip-agent/stores/preferences"
)

// Two installations that answer whatever they can send each other no more than one answer to a message.
func TestNoCircles(t *testing.T) {
	asked := []string{"-DTSTART:", "-DURATION:"}
	for name, test := range map[string]struct {
		to      string
		message string
		moves   int // answers in all
	}{
		"REQUEST":            {vincent, invitation(), 0},
		"PUBLISH":            {vincent, message(paul, "PUBLISH", nil, event(invited, host)), 0},
		"CANCEL":             {vincent, message(paul, "CANCEL", nil, event(later, invited, host)), 0},
		"ADD":                {vincent, message(paul, "ADD", nil, event(later, "DTSTART:20261203T090000Z", invited, host)), 2}, // REFRESH, REQUEST
		"DECLINECOUNTER":     {vincent, message(paul, "DECLINECOUNTER", nil, event(invited)), 0},
		"REPLY":              {paul, message(vincent, "REPLY", nil, event(attends(vincent, "ACCEPTED"))), 0},
		"REPLY, occurrence":  {paul, message(vincent, "REPLY", nil, event(attends(vincent, "ACCEPTED"), second, "DTSTART:20261209T090000Z")), 1},
		"COUNTER":            {paul, message(vincent, "COUNTER", nil, event(attends(vincent, "TENTATIVE"))), 0},
		"REFRESH":            {paul, message(vincent, "REFRESH", nil, event(append(asked, attends(vincent, "ACCEPTED"))...)), 1},
		"VFREEBUSY PUBLISH":  {vincent, freeBusy("PUBLISH", paul, "FREEBUSY:20261202T090000Z/PT1H"), 0},
		"VFREEBUSY REQUEST":  {vincent, freeBusy("REQUEST", paul, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "ATTENDEE:mailto:"+vincent), 1},
		"VFREEBUSY REPLY":    {paul, freeBusy("REPLY", vincent, "FREEBUSY:20261202T090000Z/PT1H", "ATTENDEE:mailto:"+vincent), 0},
		"PUBLISH to oneself": {paul, own("PUBLISH", later), 0},
		"CANCEL to oneself":  {paul, own("CANCEL", later), 0},
	} {
		t.Run(name, func(t *testing.T) {
			sites := map[string]*site{}
			for _, user := range []string{paul, vincent, harvey} {
				s := newSite(t)
				s.settings.Sharing, s.settings.Bundling, s.settings.Refreshing, s.settings.AddResponse = true, true, true, preferences.AskForAll
				sites[user] = s
			}
			sites[paul].handle(own("PUBLISH", weekly), paul)
			sites[vincent].handle(invitation(weekly), vincent)
			type mail struct{ to, text string }
			moving, moves := []mail{{test.to, test.message}}, 0
			for len(moving) > 0 {
				var next []mail
				for _, m := range moving {
					s := sites[m.to]
					s.others.Forget()
					s.handle("Return-Path: <"+system+">\r\n"+m.text, m.to)
					for _, answer := range s.others.Taken() {
						if !strings.Contains(answer.Text, "Auto-Submitted: auto-generated\r\n") {
							t.Errorf("an answer does not say what it is:\n%s", answer.Text)
						}
						next = append(next, mail{answer.To, answer.Text})
						moves++
					}
				}
				if moving = next; moves > 10 {
					t.Fatal("it does not come to an end")
				}
			}
			if moves != test.moves {
				t.Errorf("%d answers, want %d", moves, test.moves)
			}
			for user, s := range sites {
				if aside := s.aside(); len(aside) > 0 {
					t.Errorf("put aside for %s: %q", user, aside)
				}
			}
		})
	}
}
