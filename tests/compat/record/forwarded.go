package main

import (
	"strings"

	"imip-agent/tests/compat"
)

// forwarded are invitations that somebody passes on, or answers with, who did not make them.
func forwarded() []*builder {
	// enclosing is a mail of Vincent's that encloses one of Paul's.
	enclosing := func(subject string, events ...compat.Event) string {
		return `From: vincent.vole@example.com
Subject: ` + subject + `
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_1"

--=_1
Content-Type: text/plain

I am away until 3 December.
--=_1
Content-Type: message/rfc822

` + strings.TrimSuffix(string(mailFrom("paul", "REQUEST", events...)), "\n") + `
--=_1--
`
	}
	return []*builder{
		conversation("enclosed-message", "An automatic answer encloses the invitation that it is to, and is no answer to that.").
			deviates("enclosed-messages").
			receives("vincent", "paul", "REQUEST", event(three)).
			mails(enclosing("Out of office: Project meeting", event(three))),

		conversation("enclosed-message-own", "Paul forwards his own invitation as an enclosed mail, after the meeting has been moved.").
			deviates("enclosed-messages").
			sends("paul", "REQUEST", event(three, "-SEQUENCE")).
			sends("paul", "REQUEST", event(three, "-SEQUENCE\nDTSTART:20261203T140000Z\nDTEND:20261203T150000Z")).
			mails(strings.Replace(enclosing("Fwd: Project meeting", event(three, "-SEQUENCE")), "vincent.vole", "paul.boddie", 1)),

		conversation("forwarded-invitation", "An attendee who has yet to answer passes the invitation, a publication and an addition on to a colleague.").
			deviates("forwarded-invitations").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "REQUEST", event(three, weekly)).
			sends("vincent", "PUBLISH", event(three, weekly)).
			sends("vincent", "ADD", event(three, "SEQUENCE:1\nDTSTART:20261212T090000Z\nDTEND:20261212T100000Z")),

		conversation("forwarded-occurrence", "An attendee who has accepted a series passes an occurrence of it on that has been moved.").
			deviates("forwarded-invitations").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "REPLY", event(meeting, weekly, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			sends("vincent", "REQUEST", event(three, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261210T140000Z\nDTEND:20261210T150000Z")),

		conversation("forwarded-delegated", "An attendee who has accepted passes the invitation on to a delegate.").
			deviates("forwarded-invitations").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			sends("vincent", "REQUEST", event(three, `
				ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="@simon":@vincent
				ATTENDEE;PARTSTAT=NEEDS-ACTION;DELEGATED-FROM="@vincent":@simon
				ATTENDEE;PARTSTAT=ACCEPTED:@paul`)),

		conversation("forwarded-assistant", "An attendee acts for the organizer, which is no passing on.").
			sends("vincent", "REQUEST", event(three, `ORGANIZER;SENT-BY="@vincent":@paul`)),
	}
}
