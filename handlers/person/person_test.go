package person_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/stores/preferences"
)

// How a message that has news gets to the mailbox is the user's to say.
func TestIncoming(t *testing.T) {
	for incoming, want := range map[preferences.Incoming][]string{
		preferences.SummaryWrapsMessage: {"wrapped"},
		preferences.MessageOnly:         {"message"},
		preferences.MessageThenSummary:  {"message", "summary"},
		preferences.SummaryThenMessage:  {"summary", "message"},
		preferences.SummaryOnly:         {"summary"},
	} {
		s := newSite(t)
		s.settings.Incoming = incoming
		text := invitation()
		s.handle(text, vincent)
		if got := s.received(vincent, text); !slices.Equal(got, want) {
			t.Errorf("%d: %q, want %q", incoming, got, want)
		}
	}
}

// The text says what has come in the user's language, and the message is there as it came.
func TestSummary(t *testing.T) {
	s := newSite(t)
	s.settings.Language = "nb_NO"
	text := message(paul, "REQUEST", []string{"To: " + vincent, "Subject: =?utf-8?q?M=C3=B8te?=", "Received: by mail.example.com", "X-Odd:one\r\n two"}, event(invited, host))
	s.handle(text, vincent)
	taken := s.mailbox.Taken()
	if len(taken) != 1 {
		t.Fatalf("%d mails", len(taken))
	}
	m, err := mail.ReadMessage(strings.NewReader(taken[0].Text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": paul, "Message-Id": "<1@example.com>", "Subject": "=?utf-8?q?M=C3=B8te?=", "X-Imip-Agent": "info", "Received": "by mail.example.com",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	first, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(first)
	if err != nil || !strings.Contains(string(said), "Meeting") || !strings.Contains(string(said), "2. desember 2026") || !strings.Contains(string(said), "https://example.com/meeting") {
		t.Errorf("the summary says %q, %v", said, err)
	}
	second, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	enclosed, err := io.ReadAll(second)
	if err != nil || second.Header.Get("Content-Type") != "message/rfc822" || string(enclosed) != text {
		t.Errorf("enclosed %q, %v", enclosed, err)
	}
}

// Mail that is not handled gets to the mailbox as it came, from whom it came, and leaves nothing else.
func TestAsItCame(t *testing.T) {
	calendar := calendarOf("REQUEST", event(invited, host))
	for name, text := range map[string]string{
		"plain":            "From: " + paul + "\r\n\r\nFrom here\r\n.\r\n..\r\n",
		"line feeds":       "From: " + paul + "\n\nFrom here\n>From there\n",
		"no end of line":   "From: " + paul + "\r\n\r\nhello",
		"beyond ASCII":     "From: " + paul + "\r\nSubject: m\xf8te\r\n\r\n\xf8\r\n",
		"no header":        "\r\nhello\r\n",
		"an attached file": "From: " + paul + "\r\nContent-Type: text/calendar\r\n\r\n" + calendar,
		"a bounce": "From: " + paul + "\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n" +
			"\r\n--x\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n" + calendar + "\r\n--x--\r\n",
		"long lines":              "From: " + paul + "\r\n\r\n" + strings.Repeat("x", 5000) + "\r\n",
		"CR CR LF":                "From: " + paul + "\r\r\nSubject: x\r\r\n\r\r\n.\r\r\nhello\r\r\n",
		"carriage returns":        "From: " + paul + "\r\n\r\nhel\rlo\r\r\r\n\r.\r\n",
		"octets that are no text": "From: " + paul + "\r\n\r\n\x00\x01\xff\x00\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			for path, from := range map[string]string{"": system, "Return-Path: <alice@example.net>\r\n": "alice@example.net", "Return-Path: <>\r\n": ""} {
				if path != "" && text[0] == '\r' {
					continue
				}
				s := newSite(t)
				whole := path + text
				s.handle(whole, vincent)
				taken := s.mailbox.Taken()
				if len(taken) != 1 || taken[0].Text != onTheWire(whole) || taken[0].From != from || taken[0].To != vincent {
					t.Errorf("delivered %q", taken)
				}
				if stored := s.stored(vincent); len(stored) > 0 {
					t.Errorf("stored %q", stored)
				}
				if aside := s.aside(); len(aside) > 0 {
					t.Errorf("put aside %q", aside)
				}
			}
		})
	}
}

// What is wrong with calendar data is put aside, and the mail is delivered all the same.
func TestBadData(t *testing.T) {
	for name, test := range map[string]struct {
		text   string
		reason string
		form   string
		stored []string
	}{
		"not a calendar":       {strings.Replace(invitation(), calendarOf("REQUEST", event(invited, host)), "hello\r\n", 1), "", "message", nil},
		"unknown method":       {message(paul, "FORWARD", nil, event(invited, host)), "FORWARD", "message", nil},
		"unreadable time":      {invitation("DTSTART:soon"), "DTSTART", "message", nil},
		"control in UID":       {invitation("UID:a\tb"), "control", "message", nil},
		"unreadable id":        {invitation("RECURRENCE-ID:soon"), "RECURRENCE-ID", "message", nil},
		"unreadable free/busy": {freeBusy("PUBLISH", paul, "DTSTART:soon"), "DTSTART", "message", nil},
		"one of two": {message(paul, "REQUEST", nil, event("UID:bad\tone", invited, host), event(invited, host)), "control", "wrapped",
			[]string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting", "requests meeting"}},
		"one of two, the other in silence": {message(paul, "PUBLISH", nil, event("UID:bad\tone", invited, host),
			component("VFREEBUSY", []string{"DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "FREEBUSY:20261202T090000Z/PT1H"})), "control", "message",
			[]string{"freebusy-other/mailto:" + paul + " 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			for range 2 {
				s.handle(test.text, vincent)
				if got := s.received(vincent, test.text); !slices.Equal(got, []string{test.form}) {
					t.Errorf("the mailbox has %q", got)
				}
				if aside := s.aside(); len(aside) != 1 || !strings.Contains(aside[0], test.reason) {
					t.Errorf("put aside %q", aside)
				}
				if got := s.stored(vincent); !slices.Equal(got, test.stored) {
					t.Errorf("stored %q", got)
				}
			}
		})
	}
}

// Of a message with too much calendar data nothing is handled. It is delivered, which is all that is done with it.
func TestOverTheLimit(t *testing.T) {
	s := newSite(t)
	s.MessageLimit = 900
	text := "From: " + paul + "\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n" +
		calendarOf("REQUEST", event(invited, host)) + "--x\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n" + calendarOf("REQUEST", event("UID:large", "DESCRIPTION:"+strings.Repeat("x", 2000), invited, host)) + "--x--\r\n"
	s.handle(text, vincent, paul)
	for _, user := range []string{vincent, paul} {
		if got := s.received(user, text); !slices.Equal(got, []string{"message"}) {
			t.Errorf("the mailbox has %q", got)
		}
	}
	if stored := s.stored(vincent); len(stored) > 0 {
		t.Errorf("stored %q", stored)
	}
	if aside := s.aside(); len(aside) > 0 {
		t.Errorf("put aside %q", aside)
	}
	if !strings.Contains(s.log.String(), "more than 900 octets of calendar data") {
		t.Errorf("nothing is said of it: %s", &s.log)
	}
}

// Each recipient has a mailbox and preferences of their own, and is handled once.
func TestRecipients(t *testing.T) {
	s := newSite(t)
	text := message(paul, "REQUEST", []string{"To: Vincent <" + vincent + ">, " + harvey, "Cc: zoe@example.com"}, event(invited, attends(harvey, "NEEDS-ACTION"), host))
	s.handle(text)
	for _, user := range []string{vincent, harvey} {
		if got := s.received(user, text); !slices.Equal(got, []string{"wrapped"}) {
			t.Errorf("%s has %q", user, got)
		}
		if stored := s.stored(user); !slices.Contains(stored, "objects/meeting") {
			t.Errorf("of %s is stored %q", user, stored)
		}
	}
	if n := len(s.mailbox.Taken()); n != 2 {
		t.Errorf("%d mails", n)
	}
	other := message(paul, "REQUEST", nil, event("UID:other", invited, host))
	s.handle(other, "mailto:"+vincent, strings.ToUpper(vincent), "MAILTO:"+vincent)
	if got := s.received(vincent, text, other); !slices.Equal(got, []string{"wrapped", "wrapped"}) {
		t.Errorf("%s has %q", vincent, got)
	}
	if err := s.try("From: " + paul + "\r\n\r\nhello\r\n"); err == nil {
		t.Error("a message to nobody is done")
	}
}

// Of a user who takes no part nothing is put aside either.
func TestBadDataOfAbsent(t *testing.T) {
	s := newSite(t)
	s.settings.Absent = true
	text := message(paul, "REQUEST", nil, event("UID:bad\tone", invited, host), event(invited, host))
	for range 2 {
		s.handle(text, vincent)
	}
	if got := s.received(vincent, text); !slices.Equal(got, []string{"message"}) || len(s.aside()) > 0 || len(s.stored(vincent)) > 0 {
		t.Errorf("the mailbox has %q, put aside is %q, stored %q", got, s.aside(), s.stored(vincent))
	}
}

// A user who takes no part, or whose preferences cannot be read, gets the mail.
func TestPreferences(t *testing.T) {
	s := newSite(t)
	s.settings.Absent = true
	text := invitation()
	s.handle(text, vincent)
	if got := s.received(vincent, text); !slices.Equal(got, []string{"message"}) || len(s.stored(vincent)) > 0 {
		t.Errorf("the mailbox has %q, stored is %q", got, s.stored(vincent))
	}
	s = newSite(t)
	s.broken = errors.New("permission denied")
	s.handle(text, vincent)
	if got := s.received(vincent, text); !slices.Equal(got, []string{"wrapped"}) || !strings.Contains(s.log.String(), "permission denied") {
		t.Errorf("the mailbox has %q\n%s", got, &s.log)
	}
	// Of whom nothing can be stored.
	s = newSite(t)
	odd := "a/b@example.com"
	s.handle(text, odd)
	if got := s.received(odd, text); !slices.Equal(got, []string{"message"}) {
		t.Errorf("the mailbox has %q\n%s", got, &s.log)
	}
}

// Programs and lists get no answers; their mail is delivered.
func TestAutomatic(t *testing.T) {
	for field, answered := range map[string]bool{
		"X-Odd: yes": true, "Auto-Submitted: auto-generated": true, "Auto-Submitted: no": true,
		"Auto-Submitted: auto-replied": false, "Auto-Submitted: Auto-Replied; owner=x": false, "List-Id: <list.example.com>": false,
		"Precedence: bulk": false, "Precedence: Junk": false, "Precedence: list": false, "Return-Path: <>": false,
	} {
		s := newSite(t)
		s.settings.Sharing, s.settings.Refreshing = true, true
		s.handle(own("PUBLISH"), paul)
		s.mailbox.Forget()
		asked := message(vincent, "REFRESH", []string{field}, event("-DTSTART:", "-DURATION:", attends(vincent, "ACCEPTED")))
		s.handle(asked, paul)
		question := message(vincent, "REQUEST", []string{field}, component("VFREEBUSY", []string{"UID:question", "ORGANIZER:mailto:" + vincent, "ATTENDEE:mailto:" + paul, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z"}))
		s.handle(question, paul)
		var want []string
		got := s.received(paul, asked, question)
		if answered {
			want = []string{vincent + " REPLY", vincent + " REQUEST"}
		}
		if answers := s.answers(); !slices.Equal(answers, want) || answered != (len(got) == 0) || !answered && len(got) != 2 {
			t.Errorf("%s: answers %q, the mailbox has %q", field, answers, got)
		}
	}
}

// A mailbox or a server that refuses keeps nothing from others; when it takes mail again, only what is left is sent.
func TestRefused(t *testing.T) {
	s := newSite(t)
	s.handle(own("PUBLISH", weekly), paul)
	s.mailbox.Forget()
	reply := message(vincent, "REPLY", nil, event(attends(vincent, "ACCEPTED"), second, "DTSTART:20261209T090000Z"))
	s.mailbox.Refuse(paul, 452)
	s.others.Refuse("*", 451)
	for range 2 {
		if err := s.try(reply, paul, vincent); err == nil {
			t.Fatal("no error")
		}
	}
	if got := s.received(vincent, reply); !slices.Equal(got, []string{"message"}) {
		t.Errorf("another recipient has %q", got)
	}
	s.mailbox.Refuse(paul, 0)
	for range 2 {
		if err := s.try(reply, paul, vincent); err == nil {
			t.Fatal("no error, though the answer is not sent")
		}
	}
	// What has happened in between stays.
	s.handle(message(vincent, "REPLY", nil, event(attends(vincent, "DECLINED"), second, "DTSTART:20261209T090000Z", "DTSTAMP:20261122T113000Z")), paul)
	before := s.stored(paul)
	s.others.Refuse("*", 0)
	for range 2 {
		s.handle(reply, paul, vincent)
	}
	if got := s.received(paul, reply); !slices.Equal(got, []string{"wrapped", "altered"}) && !slices.Equal(got, []string{"wrapped", "wrapped"}) {
		t.Errorf("the mailbox has %q", got)
	}
	if got := s.answers(); !slices.Equal(got, []string{harvey + " REQUEST"}) {
		t.Errorf("answers %q", got)
	}
	if after := s.stored(paul); !slices.Equal(before, after) {
		t.Errorf("stored %q, then %q", before, after)
	}
	object, err := os.ReadFile(filepath.Join(s.dir, "store", "mailto:"+paul, "recurrences/meeting/20261209T090000Z"))
	if err != nil || !bytes.Contains(object, []byte("PARTSTAT=DECLINED")) {
		t.Errorf("the later answer is lost: %s, %v", object, err)
	}
}

// A mail in which nothing is handled gets to each of its recipients once, too.
func TestPlainMailRefused(t *testing.T) {
	s := newSite(t)
	text := "From: " + paul + "\r\n\r\nhello\r\n"
	s.mailbox.Refuse(vincent, 452)
	for range 2 {
		if err := s.try(text, paul, vincent, harvey); err == nil {
			t.Fatal("no error")
		}
	}
	s.mailbox.Refuse(vincent, 0)
	for range 2 {
		s.handle(text, paul, vincent, harvey)
	}
	for _, user := range []string{paul, vincent, harvey} {
		if got := s.received(user, text); !slices.Equal(got, []string{"message"}) {
			t.Errorf("%s has %q", user, got)
		}
		if letters, left := s.outbox(user); letters != 1 || left != 0 {
			t.Errorf("%s: %d letters, with %d mails", user, letters, left)
		}
	}
}

// Mails that are refused for good: an answer is given up, a mailbox's is not.
func TestRefusedForGood(t *testing.T) {
	s := newSite(t)
	s.handle(own("PUBLISH", weekly), paul)
	s.others.Refuse("*", 550)
	reply := message(vincent, "REPLY", nil, event(attends(vincent, "ACCEPTED"), second, "DTSTART:20261209T090000Z"))
	s.handle(reply, paul)
	if !strings.Contains(s.log.String(), "permanently refused") {
		t.Errorf("nobody is warned: %s", &s.log)
	}
	s.mailbox.Refuse(paul, 550)
	if err := s.try(invitation(), paul); err == nil {
		t.Error("no error")
	}
}

// With nothing to hand mails over to, they are shown.
func TestInstead(t *testing.T) {
	s := newSite(t)
	var shown bytes.Buffer
	s.Instead, s.Mailbox, s.Others = &shown, nil, nil
	s.handle(own("PUBLISH", weekly), paul)
	shown.Reset()
	s.handle(message(vincent, "REPLY", nil, event(attends(vincent, "ACCEPTED"), second, "DTSTART:20261209T090000Z")), paul)
	for _, want := range []string{fmt.Sprintf("for the mailbox of <%s>", paul), fmt.Sprintf("mail from <%s> for <%s>", system, harvey), "X-IMIP-Agent: info", "method=REQUEST"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("%q is not shown in\n%s", want, &shown)
		}
	}
	if len(s.mailbox.Taken())+len(s.others.Taken()) > 0 {
		t.Error("something is handed over")
	}
}
