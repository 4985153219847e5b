package person_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/stores/preferences"
)

const mallory = "mallory@example.net" // a stranger who knows UIDs

// records returns all that is stored of everybody, but for the outboxes.
func (s *site) records() map[string]string {
	s.t.Helper()
	found := map[string]string{}
	root := filepath.Join(s.dir, "store")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && e.Name() == "__outbox__":
			return fs.SkipDir
		case e.IsDir():
			return nil
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// TestForged has a stranger send each method with every combination of fields that they can write what they like into, to
// an attendee and to the organizer. Nothing is stored, nothing is answered, and the mail comes as it is, but for what
// tells of a question or an answer of somebody who is not invited.
func TestForged(t *testing.T) {
	s := newSite(t)
	s.settings.Sharing, s.settings.Bundling, s.settings.Refreshing, s.settings.AddResponse = true, true, true, preferences.TakeOver
	s.settings.Notifying = true
	s.handle(own("PUBLISH", weekly), paul)
	s.handle(own("PUBLISH", second, moved), paul)
	s.handle(message(vincent, "REPLY", nil, event(attends(vincent, "ACCEPTED"))), paul)
	s.handle(message(vincent, "COUNTER", nil, event(attends(vincent, "TENTATIVE"), "DTSTART:20261203T090000Z")), paul)
	s.handle(invitation(weekly), vincent)
	s.handle(invitation(second, moved), vincent)
	before := s.records()
	if len(before) < 8 {
		t.Fatalf("there is only %v", before)
	}
	var (
		headers = [][]string{
			nil, {"Sender: " + mallory}, {"Reply-To: " + mallory}, {"Sender: Paul <" + mallory + ">", "Reply-To: \"" + paul + "\" <" + mallory + ">"},
		}
		organizers = []string{
			"ORGANIZER:mailto:" + paul,
			"ORGANIZER;SENT-BY=\"mailto:" + system + "\":mailto:" + paul,
			"ORGANIZER;SENT-BY=\"mailto:" + harvey + "\":mailto:" + paul,
			"ORGANIZER:mailto:" + mallory,
			"ORGANIZER;SENT-BY=\"mailto:" + paul + "\":mailto:" + mallory,
			"ORGANIZER:mailto:" + paul + "\r\nORGANIZER:mailto:" + mallory,
			"-ORGANIZER",
		}
		attendees = []string{
			invited + "\r\n" + attends(paul, "ACCEPTED"),
			invited + "\r\n" + attends(mallory, "ACCEPTED"),
			attends(mallory, "ACCEPTED"),
			"ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY=\"mailto:" + system + "\":mailto:" + vincent,
			"ATTENDEE;DELEGATED-FROM=\"mailto:" + mallory + "\":mailto:" + vincent + "\r\nATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:" + vincent + "\":mailto:" + mallory,
			"ATTENDEE;DELEGATED-FROM=\"mailto:" + harvey + "\":mailto:" + mallory + "\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:" + vincent,
			"X-NOBODY:1",
		}
		ids       = []string{"X-WHOLE:1", second, "RECURRENCE-ID:20261216T090000Z"}
		sequences = []string{"SEQUENCE:0", "SEQUENCE:99", "-SEQUENCE"}
	)
	n, stride := 0, 5
	if os.Getenv("IMIP_AGENT_FULL") != "" {
		stride = 1
	}
	for _, method := range []string{"REQUEST", "PUBLISH", "CANCEL", "ADD", "DECLINECOUNTER", "REPLY", "COUNTER", "REFRESH"} {
		for i, organizer := range organizers {
			for j, attendee := range attendees {
				for k, id := range ids {
					if n++; n%stride != 0 {
						continue
					}
					// Of headers and sequences, each comes with each method and each of the other fields.
					header, sequence := headers[(i+j+k)%len(headers)], sequences[(i+2*j+k)%len(sequences)]
					lines := []string{"DTSTAMP:20261122T115500Z", "DTSTART:20261210T100000Z", sequence, id}
					lines = append(append(lines, strings.Split(organizer, "\r\n")...), strings.Split(attendee, "\r\n")...)
					text := message(mallory, method, header, event(lines...))
					s.wantNothing(t, before, text)
				}
			}
		}
	}
	for _, method := range []string{"PUBLISH", "REPLY", "REQUEST"} {
		for _, organizer := range organizers[:3] {
			for _, attendee := range attendees {
				lines := append(strings.Split(attendee, "\r\n"), organizer, "DTSTART:20261201T000000Z", "DTEND:20261220T000000Z", "FREEBUSY:20261202T090000Z/PT1H")
				if method == "REPLY" && strings.Contains(attendee, "mailto:"+mallory) {
					continue // everybody tells of their own time
				}
				s.wantNothing(t, before, message(mallory, method, nil, component("VFREEBUSY", lines)))
			}
		}
	}
}

// wantNothing hands in a message to an attendee and the organizer, which changes nothing and is not answered.
func (s *site) wantNothing(t *testing.T, before map[string]string, text string) {
	t.Helper()
	s.mailbox.Forget()
	s.handle(text, vincent, paul)
	if diff := cmp.Diff(before, s.records()); diff != "" {
		t.Fatalf("stored (-want +got):\n%s\nby\n%s\n%s", diff, text, &s.log)
	}
	if answers := s.others.Taken(); len(answers) > 0 {
		t.Fatalf("answered %q\nby\n%s", answers, text)
	}
	if got := len(s.mailbox.Taken()); got != 2 {
		t.Fatalf("%d mails are delivered of\n%s", got, text)
	}
	s.log.Reset()
}
