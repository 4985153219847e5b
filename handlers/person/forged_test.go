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

// TestSpoofed has a stranger write somebody's address wherever it is not an address of a sender, and addresses that look
// like somebody's. It makes nobody a sender.
func TestSpoofed(t *testing.T) {
	s := newSite(t)
	s.settings.Sharing, s.settings.Refreshing, s.settings.AddResponse, s.settings.Notifying = true, true, preferences.TakeOver, true
	s.handle(own("PUBLISH", weekly), paul)
	s.handle(invitation(weekly), vincent)
	before := s.records()
	messages := func(victim string) map[string]string {
		if victim == vincent {
			mine := []string{attends(vincent, "DECLINED"), "DTSTAMP:20261122T115500Z"}
			return map[string]string{
				"REPLY": event(mine...), "COUNTER": event(append(mine, moved)...), "REFRESH": event(mine...),
				"REPLY, occurrence": event(append(mine, second, "DTSTART:20261209T090000Z")...),
			}
		}
		newer := []string{"SEQUENCE:99", "DTSTAMP:20261122T115500Z", invited, host}
		return map[string]string{
			"REQUEST": event(newer...), "CANCEL": event(newer...), "PUBLISH": event(newer...), "DECLINECOUNTER": event(newer...),
			"ADD": event(append(newer, moved)...), "CANCEL, occurrence": event(append(newer, second)...),
		}
	}
	n, stride := 0, 4
	if os.Getenv("IMIP_AGENT_FULL") != "" {
		stride = 1
	}
	for _, victim := range []string{paul, vincent} {
		local, domain, _ := strings.Cut(victim, "@")
		for name, fields := range map[string]string{
			"display name":                 "From: " + victim + " <" + mallory + ">",
			"quoted display name":          "From: \"" + victim + "\" <" + mallory + ">",
			"display name with brackets":   "From: \"<" + victim + ">\" <" + mallory + ">",
			"display name with a comma":    "From: \"X, " + victim + ", Y\" <" + mallory + ">",
			"escaped quotes":               "From: \"\\\" <" + victim + ">, \\\"\" <" + mallory + ">",
			"encoded word":                 "From: =?utf-8?q?" + strings.ReplaceAll(victim, "@", "=40") + "?= <" + mallory + ">",
			"encoded word with brackets":   "From: =?utf-8?q?=3C" + strings.ReplaceAll(victim, "@", "=40") + "=3E=2C?= <" + mallory + ">",
			"comment":                      "From: " + mallory + " (" + victim + ")",
			"comment before":               "From: (" + victim + ") " + mallory,
			"name of a group":              "From: \"" + victim + "\": " + mallory + ";",
			"route":                        "From: <@" + domain + ":" + mallory + ">",
			"local part":                   "From: \"" + victim + "\"@example.net",
			"domain goes on":               "From: " + victim + ".example.net",
			"domain with a dot":            "From: " + victim + ".",
			"domain below":                 "From: " + local + "@mail." + domain,
			"domain above":                 "From: " + local + "@com",
			"extension":                    "From: " + local + "+x@" + domain,
			"quoted local part":            "From: \"" + local + " \"@" + domain,
			"percent sign":                 "From: " + strings.Replace(victim, ".", "%2E", 1),
			"Cyrillic letter":              "From: " + strings.Replace(victim, "e", "\u0435", 1),
			"full width":                   "From: " + strings.Replace(victim, "o", "\uff4f", 1),
			"invisible letter":             "From: " + strings.Replace(victim, "@", "\u200b@", 1),
			"two signs":                    "From: " + victim + "@example.net",
			"NUL after":                    "From: " + victim + "\x00.example.net",
			"NUL before the stranger":      "From: " + victim + "\x00 <" + mallory + ">",
			"NUL in a name":                "From: " + mallory + "\r\nFrom\x00: " + victim,
			"another name":                 "From: " + mallory + "\r\nX-From: " + victim + "\r\nFromm: " + victim,
			"bare carriage return":         "From: " + mallory + "\rFrom: " + victim,
			"no field, but a continuation": "From: " + mallory + "\r\nSubject: x\r\n From: " + victim,
			"envelope":                     "Return-Path: <" + victim + ">\r\nFrom: " + mallory,
			"line of mbox":                 "From " + victim + " Sun Nov 22 12:00:00 2026\r\nFrom: " + mallory,
			"resent":                       "Resent-From: " + victim + "\r\nResent-Sender: " + victim + "\r\nFrom: " + mallory,
			"fields of other programs": "X-Sender: " + victim + "\r\nX-Original-From: " + victim + "\r\nErrors-To: " + victim + "\r\nReturn-Receipt-To: " + victim +
				"\r\nMail-Reply-To: " + victim + "\r\nMail-Followup-To: " + victim + "\r\nAuthor: " + victim + "\r\nFrom: " + mallory,
			"who got it":                  "To: " + victim + "\r\nCc: " + victim + "\r\nBcc: " + victim + "\r\nDelivered-To: " + victim + "\r\nX-Original-To: " + victim + "\r\nFrom: " + mallory,
			"who has signed":              "DKIM-Signature: v=1; d=" + domain + "; i=" + victim + "; h=from; b=x\r\nAuthentication-Results: mx; dmarc=pass header.from=" + domain + " smtp.mailfrom=" + victim + "\r\nFrom: " + mallory,
			"who is answered":             "In-Reply-To: <" + victim + ">\r\nReferences: <" + victim + ">\r\nFrom: " + mallory,
			"header of the part":          "From: " + mallory + "\r\nContent-From: " + victim,
			"nobody":                      "Subject: " + victim,
			"empty":                       "From:\r\nSender:\r\nReply-To:\r\nSubject: " + victim,
			"null sender":                 "From: <>\r\nReturn-Path: <" + victim + ">",
			"undisclosed":                 "From: undisclosed:;\r\nTo: " + victim,
			"nothing but a name":          "From: \"" + victim + "\"",
			"a name and empty brackets":   "From: \"" + victim + "\" <>",
			"nothing but a comment":       "From: (" + victim + ")",
			"nothing but an encoded word": "From: =?utf-8?q?" + strings.ReplaceAll(victim, "@", "=40") + "?=",
			"vertical tab":                "From: " + mallory + "\v" + victim,
			"Reply-To only a name":        "From: " + mallory + "\r\nReply-To: \"" + victim + "\" <" + mallory + ">",
			"Sender only a comment":       "From: " + mallory + "\r\nSender: " + mallory + " (" + victim + ")",
		} {
			for method, component := range messages(victim) {
				if n++; n%stride != 0 { // in any order, so that each comes with each by and by
					continue
				}
				method, _, _ := strings.Cut(method, ",")
				text := strings.Replace(message("", method, []string{"X-Last: 1"}, component), "From: \r\n", fields+"\r\n", 1)
				if !strings.Contains(text, fields) {
					t.Fatal(text)
				}
				if s.wantNothing(t, before, text); t.Failed() {
					t.Fatalf("%s of %s by %s", method, victim, name)
				}
			}
		}
		// In the header of another part, or of an enclosed message.
		for method, component := range messages(victim) {
			method, _, _ := strings.Cut(method, ",")
			part := "Content-Type: text/calendar; method=" + method + "\r\n"
			calendar := calendarOf(method, component)
			for _, parts := range []string{
				"--x\r\nFrom: " + victim + "\r\n" + part + "\r\n" + calendar,
				"From: " + victim + "\r\n--x\r\n" + part + "\r\n" + calendar,
				"--x\r\nContent-Type: message/rfc822\r\n\r\nFrom: " + victim + "\r\n" + part + "\r\n" + calendar,
				"--x\r\nContent-Type: message/rfc822\r\n\r\nFrom: " + victim + "\r\n\r\nhello\r\n--x\r\n" + part + "\r\n" + calendar,
				"--x\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: " + victim + "\r\n\r\n--x\r\n" + part + "\r\n" + calendar,
				"--x\r\nContent-Type: message/partial; number=1; total=1; id=y\r\n\r\nFrom: " + victim + "\r\n" + part + "\r\n" + calendar,
			} {
				s.wantNothing(t, before, "From: "+mallory+"\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"+parts+"--x--\r\n")
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
