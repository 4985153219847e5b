package main

// letters are addresses that are spelled with other letters, large and small.
func letters() []*builder {
	const (
		shouted = "VINCENT.VOLE@EXAMPLE.COM"
		reply   = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:" + shouted
	)
	offer := event(meeting, "ATTENDEE;PARTSTAT=TENTATIVE:@vincent\nDTSTART:20261203T130000Z\nDTEND:20261203T140000Z")
	return []*builder{
		conversation("letters-sender", "Somebody answers from an address in capitals.").
			deviates("letter-case-of-addresses").
			prefers("vincent", "TZID", "Europe/Oslo").
			receives("vincent", "paul", "REQUEST", event(three, floating)).
			sends(shouted, "REPLY", event(meeting, floating, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		conversation("letters-attendee", "Somebody is named in capitals in their own answer, and in an event that is called off for them.").
			deviates("letter-case-of-addresses").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(meeting, reply)).
			sends("vincent", "CANCEL", event(meeting, "SEQUENCE:1", reply)),

		conversation("letters-organizer", "The organizer is named in capitals; attendees are called off in capitals.").
			deviates("letter-case-of-addresses").
			sends("paul", "REQUEST", event(three)).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nORGANIZER:mailto:PAUL.BODDIE@example.com\nATTENDEE:mailto:Harvey.Horse@Example.com")),

		conversation("letters-delegate", "Delegation in other letters, and an assistant in others.").
			deviates("letter-case-of-addresses").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("simon", "paul", "REQUEST", event(three)).
			sends("simon", "REPLY", event(meeting, `ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY="mailto:SIMON.SKUNK@example.com":@vincent`)).
			sends("vincent.vole@example.com, simon.skunk@example.com", "REPLY", event(meeting, `
				ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:Simon.Skunk@example.com":@vincent
				ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM="mailto:`+shouted+`":@simon`)),

		conversation("letters-counter", "A counter-proposal is declined, and what is known of somebody forgotten, in other letters.").
			deviates("letter-case-of-addresses").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			receives("paul", "vincent", "COUNTER", offer).
			sends("paul", "DECLINECOUNTER", event(meeting, "ATTENDEE:mailto:"+shouted)).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nATTENDEE;PARTSTAT=ACCEPTED:mailto:"+shouted+"\nATTENDEE:@harvey\nATTENDEE:@paul")),
	}
}
