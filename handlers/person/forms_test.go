package person_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// wrap returns text in base64, in lines of that many characters with that end.
func wrap(text string, width int, end string) string {
	var b strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString([]byte(text))), width) {
		b.Write(line)
		b.WriteString(end)
	}
	return b.String()
}

// several returns the content of a multipart with these parts.
func several(boundary string, parts ...string) string {
	return "--" + boundary + "\r\n" + strings.Join(parts, "\r\n--"+boundary+"\r\n") + "\r\n--" + boundary + "--\r\n"
}

// mailed returns a mail of paul's with that Content-Type, other fields, and content.
func mailed(contentType, content string, fields ...string) string {
	return strings.Join(append([]string{"From: " + paul, "Message-ID: <1@example.com>", "MIME-Version: 1.0", "Content-Type: " + contentType}, fields...), "\r\n") +
		"\r\n\r\n" + content
}

// TestForms has invitations arrive in the forms that mail programs, lists and gateways give them. Each gets to the mailbox
// once; what can be read of it is stored, and waits for an answer.
func TestForms(t *testing.T) {
	const method, encoded = "text/calendar; charset=utf-8; method=REQUEST", "Content-Transfer-Encoding: base64"
	invites := calendarOf("REQUEST", event(invited, host))
	part := "Content-Type: " + method + "\r\n\r\n" + invites
	stored := []string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting", "requests meeting"}
	replaced := func(pairs ...string) string {
		text := strings.NewReplacer(pairs...).Replace(invites)
		if text == invites {
			t.Fatalf("%q are not in\n%s", pairs, invites)
		}
		return text
	}
	published := "Content-Type: text/calendar; method=PUBLISH\r\n\r\n" + replaced("METHOD:REQUEST", "METHOD:PUBLISH")
	wide := []byte{}
	for _, unit := range utf16.Encode([]rune("\ufeff" + invites)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	for _, test := range []struct {
		name, text string
		before     string
		stored     []string // nil: it is passed on as it came
		paragraphs int      // of the summary, if not one
		aside      int
	}{
		// What is around it.
		{name: "S/MIME, signed", stored: stored, text: mailed(`multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="s"`, several("s",
			"Content-Type: multipart/alternative; boundary=\"a\"\r\n\r\n"+several("a", "Content-Type: text/plain\r\n\r\nhi", part),
			"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"+encoded+"\r\n\r\nMIIB"))},
		{name: "S/MIME, opaque", text: mailed("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", wrap(invites, 64, "\r\n"), encoded)},
		{name: "PGP/MIME, signed", stored: stored, text: mailed(`multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha512; boundary="----enig"`, several("----enig",
			"Content-Type: multipart/mixed; boundary=\"x\"; protected-headers=\"v1\"\r\nFrom: x <"+mallory+">\r\n\r\n"+several("x", part),
			"Content-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP SIGNATURE-----"))},
		{name: "PGP/MIME, encrypted", text: mailed(`multipart/encrypted; protocol="application/pgp-encrypted"; boundary="x"`, several("x",
			"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1", "Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----"))},
		{name: "winmail.dat", text: mailed("multipart/mixed; boundary=x", several("x", "Content-Type: text/plain\r\n\r\nhi",
			"Content-Type: application/ms-tnef; name=winmail.dat\r\n"+encoded+"\r\n\r\neJ8+IgQQAQaQCAAEAAAAAAABAAEAAQeQBgAIAAAA5AQ="))},
		{name: "beside pictures", stored: stored, text: mailed(`multipart/related; boundary="r"; type="multipart/alternative"`, several("r",
			"Content-Type: multipart/alternative; boundary=\"a\"\r\n\r\n"+several("a", "Content-Type: text/html\r\n\r\nhi", part), "Content-Type: image/png\r\nContent-ID: <i>\r\n\r\nx"))},
		{name: "with a copy attached, encoded in another way", stored: stored, text: mailed("multipart/mixed; boundary=m", several("m",
			"Content-Type: multipart/alternative; boundary=\"a\"\r\n\r\n"+several("a", "Content-Type: text/plain\r\n\r\nhi", part),
			"Content-Type: application/ics; name=\"invite.ics\"; method=REQUEST\r\nContent-Disposition: attachment\r\n"+encoded+"\r\n\r\n"+wrap(invites, 76, "\r\n")))},
		{name: "with a copy folded in another way", stored: stored, text: mailed("multipart/mixed; boundary=m", several("m", part, "Content-Type: "+method+"\r\n\r\n"+replaced("SUMMARY:Meeting", "SUMMARY:Mee\r\n ting")))},
		{name: "with a copy of another method", stored: stored, text: mailed("multipart/mixed; boundary=m", several("m", part, published))},
		{name: "below a copy of another method", stored: stored, text: mailed("multipart/mixed; boundary=m", several("m", published, part))},
		{name: "forwarded as an attachment", text: mailed("multipart/mixed; boundary=m", several("m", "Content-Type: text/plain\r\n\r\nsee", "Content-Type: message/rfc822\r\n\r\nFrom: "+paul+"\r\n"+part))},
		{name: "forwarded inline", text: strings.Replace(mailed(method, invites), "From: "+paul, "From: "+harvey, 1)},
		{name: "forwarded by the sender's server", text: mailed(method, replaced(invited, attends(harvey, "NEEDS-ACTION")), "Sender: "+harvey)},
		{name: "sent by a calendar service", stored: stored, text: mailed(method, invites, "Sender: Calendar <calendar-notification@example.org>", "Reply-To: Paul <"+paul+">", "Auto-Submitted: auto-generated")},
		{name: "by an assistant, in the name of", stored: stored, text: mailed(method, replaced("ORGANIZER:", "ORGANIZER;SENT-BY=\"MAILTO:"+strings.ToUpper(harvey)+"\":"), "Sender: "+harvey)},
		{name: "through a list that takes From", stored: stored, text: strings.Replace(mailed(method, invites, "Reply-To: "+paul, "List-Id: <list.example.org>", "Precedence: list"), "From: "+paul, "From: Paul via List <list@example.org>", 1)},
		{name: "through a list that adds a part", stored: stored, text: mailed("multipart/mixed; boundary=m", several("m", part, "Content-Type: text/plain\r\nContent-Disposition: inline\r\n\r\n____\r\nlist"), "List-Id: <list.example.org>")},
		{name: "through a list that adds lines", stored: stored, text: mailed(method, invites+"\r\n_____\r\nlist mailing list\r\nhttp://x: y\r\n")},
		{name: "quoted in a bounce without a report", text: mailed("text/plain", "Hi. This is the qmail-send program\r\n--- Below this line is a copy of the message.\r\n\r\n"+part, "Return-Path: <>")},
		{name: "quoted in an automatic answer", text: strings.Replace(mailed("multipart/mixed; boundary=m", several("m", "Content-Type: text/plain\r\n\r\nI am away", part), "Auto-Submitted: auto-replied"), "From: "+paul, "From: "+harvey, 1)},

		// How it is encoded.
		{name: "base64 with line feeds", stored: stored, text: mailed(method, wrap(invites, 76, "\n"), encoded)},
		{name: "base64 with carriage returns", stored: stored, text: mailed(method, strings.TrimSuffix(wrap(invites, 60, "\r"), "\r")+"\r\n", encoded)},
		{name: "base64 with white space, and a comment", stored: stored, text: mailed(method, wrap(invites, 61, " \t\r\n"), "Content-Transfer-Encoding: BASE64 (comment)")},
		{name: "base64 in two pieces, each padded", stored: stored, text: mailed(method, wrap(invites[:100], 76, "\r\n")+wrap(invites[100:], 76, "\r\n"), encoded)},
		{name: "quoted-printable, soft breaks in folded lines", stored: stored, text: mailed(method, strings.NewReplacer("=", "=3D", "SUMMARY:Meeting", "SUMMARY:Mee=\r\nting =C3=\r\n=A5=\r\n\r\n  ber").Replace(invites), "Content-Transfer-Encoding: quoted-printable")},
		{name: "folded within a letter", stored: stored, text: mailed(method, replaced("SUMMARY:Meeting", "SUMMARY:M\xc3\r\n \xb8te"))},
		{name: "UTF-16", stored: stored, text: mailed("text/calendar; method=REQUEST; charset=utf-16", wrap(string(wide), 76, "\r\n"), encoded)},
		{name: "byte order marks and blank lines", stored: stored, text: mailed(method, "\r\n \r\n\xef\xbb\xbf\xef\xbb\xbf"+invites)},
		{name: "NUL", stored: stored, text: mailed(method, replaced("SUMMARY:Meeting", "SUMMARY:Mee\x00ting"))},

		// What the calendar is.
		{name: "method after the events", stored: stored, text: mailed(method, replaced("METHOD:REQUEST\r\n", "", "END:VCALENDAR", "METHOD:REQUEST\r\nEND:VCALENDAR"))},
		{name: "method twice", stored: stored, text: mailed(method, replaced("METHOD:REQUEST\r\n", "METHOD:REQUEST\r\nMETHOD:CANCEL\r\n"))},
		{name: "lower case", stored: stored, text: mailed(method, replaced("BEGIN:", "begin:", "END:", "end:", "VEVENT", "vevent", "VCALENDAR", "vcalendar", "METHOD", "Method"))},
		{name: "without its end", stored: stored, text: mailed(method, replaced("END:VCALENDAR\r\n", ""))},
		{name: "cut off", aside: 1, text: mailed(method, replaced("END:VEVENT\r\nEND:VCALENDAR\r\n", ""))},
		{name: "without version", stored: stored, text: mailed(method, replaced("VERSION:2.0\r\n", "X-WR-CALNAME:x\r\n"))},
		{name: "two calendars in one part", paragraphs: 2, stored: []string{"freebusy-other/mailto:" + paul + " 2", "objects/meeting", "objects/other", "requests meeting", "requests other"},
			text: mailed(method, invites+calendarOf("REQUEST", event("UID:other", invited, host)))},
		{name: "a calendar that takes something back, and one that invites", paragraphs: 2, before: mailed(method, replaced("UID:meeting", "UID:old")),
			stored: append([]string{"cancellations/objects/old"}, stored...), text: mailed("multipart/mixed; boundary=m", several("m",
				"Content-Type: text/calendar; method=CANCEL\r\n\r\n"+calendarOf("CANCEL", event("UID:old", later, invited, host)), part))},
		{name: "a task beside it", stored: stored, text: mailed(method, calendarOf("REQUEST", component("VTODO", []string{"UID:task", invited}), event(invited, host)))},
		{name: "a journal", text: mailed("text/calendar; method=PUBLISH", calendarOf("PUBLISH", component("VJOURNAL", []string{invited})))},
		{name: "nothing but a zone", text: mailed(method, calendarOf("REQUEST", "BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"))},
		{name: "nothing", text: mailed(method, calendarOf("REQUEST"))},
		{name: "no content", aside: 1, text: mailed(method, "")},
		{name: "one occurrence is for the user, the event is not", text: mailed(method, calendarOf("REQUEST", event(weekly, host, third), event(second, moved, invited, host))),
			stored: []string{"freebusy-other/mailto:" + paul + " 1", "recurrences/meeting/20261209T090000Z", "requests meeting 20261209T090000Z"}},
		{name: "the occurrence stands first", paragraphs: 2, text: mailed(method, calendarOf("REQUEST", event(second, moved, invited, host), event(weekly, invited, host))),
			stored: []string{"freebusy-other/mailto:" + paul + " 3", "objects/meeting", "recurrences/meeting/20261209T090000Z", "requests meeting", "requests meeting 20261209T090000Z"}},

		// Whom it names.
		{name: "attendee without mailto", stored: stored, text: mailed(method, replaced("mailto:"+vincent, vincent))},
		{name: "attendee in brackets", stored: stored, text: mailed(method, replaced("mailto:"+vincent, "mailto: <"+vincent+">"))},
		{name: "attendee beside one without an address", stored: stored, text: mailed(method, replaced(invited, "ATTENDEE;CN=X:invalid:nomail\r\n"+invited))},
		{name: "attendee twice", stored: stored, text: mailed(method, replaced(invited, attends(vincent, "ACCEPTED")+"\r\n"+invited))},
		{name: "attendee by a path", text: mailed(method, replaced("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:"+vincent, "ATTENDEE;EMAIL="+vincent+":/1234/principal/"))},
		{name: "attendee with an extension", text: mailed(method, replaced("mailto:"+vincent, "mailto:vincent.vole+x@example.com"))},
		{name: "organizer by a path", text: mailed(method, replaced("ORGANIZER:mailto:"+paul, "ORGANIZER;EMAIL="+paul+":/567/principal/"))},
		{name: "delegated twice", stored: stored, text: strings.Replace(mailed(method, calendarOf("REQUEST", event(host, "ATTENDEE;DELEGATED-FROM=\"mailto:dora@example.com\":mailto:"+vincent,
			"ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-FROM=\"mailto:"+harvey+"\";DELEGATED-TO=\"mailto:"+vincent+"\":mailto:dora@example.com",
			"ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:dora@example.com\":mailto:"+harvey))), "From: "+paul, "From: dora@example.com", 1)},
		{name: "a published event without attendees", text: mailed("text/calendar; method=PUBLISH", calendarOf("PUBLISH", event()))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if test.before != "" {
				s.handle(test.before, vincent)
				s.mailbox.Forget()
			}
			for range 2 {
				s.handle(test.text, vincent)
			}
			want := "message"
			if test.stored != nil {
				want = "wrapped"
			}
			taken := s.mailbox.Taken()
			if got := s.received(vincent, test.text); !slices.Equal(got, []string{want}) {
				t.Fatalf("the mailbox has %q, want %q\n%s", got, want, &s.log)
			}
			slices.Sort(test.stored)
			if diff := cmp.Diff(test.stored, s.stored(vincent)); diff != "" {
				t.Errorf("stored (-want +got):\n%s%s", diff, &s.log)
			}
			if answers := s.answers(); len(answers) > 0 {
				t.Errorf("answers %q", answers)
			}
			if aside := s.aside(); len(aside) != test.aside {
				t.Errorf("put aside %q", aside)
			}
			if test.stored != nil {
				said, _, _ := strings.Cut(taken[0].Text, "\r\nContent-Type: message/rfc822\r\n")
				if n := strings.Count(said, "\r\nWhen: "); n != max(test.paragraphs, 1) {
					t.Errorf("%d paragraphs in\n%s", n, said)
				}
			}
		})
	}
}
