// Code generated of the catalogues in po by go generate. DO NOT EDIT.

package summary

// da returns the translation of a text, "" if there is none.
func da(text string) string {
	switch text {
	case "(no title)":
		return "(ingen titel)"
	case "Another occurrence of an event":
		return "Endnu en forekomst af en begivenhed"
	case "Answer to a proposal":
		return "Svar på et forslag"
	case "Answer to an invitation":
		return "Svar på en invitation"
	case "April":
		return "april"
	case "August":
		return "august"
	case "December":
		return "december"
	case "Details of an event":
		return "Oplysninger om en begivenhed"
	case "Event called off":
		return "Begivenhed aflyst"
	case "February":
		return "februar"
	case "Friday":
		return "fredag"
	case "In your calendar: {link}":
		return "I din kalender: {link}"
	case "Instead of: {when}":
		return "I stedet for: {when}"
	case "Invitation":
		return "Invitation"
	case "January":
		return "januar"
	case "July":
		return "juli"
	case "June":
		return "juni"
	case "March":
		return "marts"
	case "May":
		return "maj"
	case "Monday":
		return "mandag"
	case "November":
		return "november"
	case "October":
		return "oktober"
	case "Organizer: {who}":
		return "Arrangør: {who}"
	case "Period: {when}":
		return "Tidsrum: {when}"
	case "Proposal to change an event":
		return "Forslag om at ændre en begivenhed"
	case "Proposed: {when}":
		return "Forslag: {when}"
	case "Repeats: {rule}":
		return "Gentages: {rule}"
	case "Request for the details of an event":
		return "Anmodning om oplysninger om en begivenhed"
	case "Saturday":
		return "lørdag"
	case "September":
		return "september"
	case "Somebody":
		return "Nogen"
	case "Sunday":
		return "søndag"
	case "The request has been passed on to another resource.":
		return "Forespørgslen er sendt videre til en anden ressource."
	case "The request is refused: it exceeds your quota.":
		return "Forespørgslen er afvist: Den overskrider din kvote."
	case "The request is refused: you have no allocation for this resource.":
		return "Forespørgslen er afvist: Du er ikke tildelt nogen kvote for denne ressource."
	case "The request is refused: you may not book this resource.":
		return "Forespørgslen er afvist: Du har ikke tilladelse til at reservere denne ressource."
	case "The resource is booked for you at the requested time.":
		return "Ressourcen er reserveret til dig på det ønskede tidspunkt."
	case "The resource is not available at the requested time, and suggests another one.":
		return "Ressourcen er ikke ledig på det ønskede tidspunkt og foreslår et andet."
	case "The resource is not available at the requested time.":
		return "Ressourcen er ikke ledig på det ønskede tidspunkt."
	case "The same goes for all later occurrences.":
		return "Det gælder også alle senere forekomster."
	case "Thursday":
		return "torsdag"
	case "Tuesday":
		return "tirsdag"
	case "Wednesday":
		return "onsdag"
	case "When I am busy":
		return "Hvornår jeg er optaget"
	case "When are you busy?":
		return "Hvornår er du optaget?"
	case "When: {when}":
		return "Hvornår: {when}"
	case "Where: {place}":
		return "Hvor: {place}"
	case "by a more complicated rule":
		return "efter en mere kompliceret regel"
	case "every day":
		return "hver dag"
	case "every month":
		return "hver måned"
	case "every week":
		return "hver uge"
	case "every year":
		return "hvert år"
	case "every {n} days":
		return "hver {n}. dag"
	case "every {n} months":
		return "hver {n}. måned"
	case "every {n} weeks":
		return "hver {n}. uge"
	case "every {n} years":
		return "hvert {n}. år"
	case "from {start}":
		return "fra {start}"
	case "on several days":
		return "på flere dage"
	case "until {end}":
		return "til {end}"
	case "{date}, all day":
		return "{date}, hele dagen"
	case "{date}, {start}–{end}":
		return "{date} kl. {start}–{end}"
	case "{date}, {time}":
		return "{date} kl. {time}"
	case "{first} to {last}, all day":
		return "{first} til og med {last}, hele dagen"
	case "{hour}:{minute}":
		return "{hour}.{minute}"
	case "{list} and {last}":
		return "{list} og {last}"
	case "{list}, {next}":
		return "{list}, {next}"
	case "{rule} on {days}":
		return "{rule}, {days}"
	case "{rule}, until {date}":
		return "{rule}, til og med {date}"
	case "{rule}, {n} times":
		return "{rule}, {n} gange"
	case "{start} to {end}":
		return "{start} til {end}"
	case "{weekday} {day} {month} {year}":
		return "{weekday} den {day}. {month} {year}"
	case "{when} ({zone})":
		return "{when} ({zone})"
	case "{who} accepts the invitation to one occurrence of {event}.":
		return "{who} accepterer invitationen til én forekomst af {event}."
	case "{who} accepts the invitation to {event}.":
		return "{who} accepterer invitationen til {event}."
	case "{who} asks you for the details of one occurrence of {event}.":
		return "{who} beder dig om oplysninger om én forekomst af {event}."
	case "{who} asks you for the details of {event}.":
		return "{who} beder dig om oplysninger om {event}."
	case "{who} declines the invitation to one occurrence of {event}.":
		return "{who} afslår invitationen til én forekomst af {event}."
	case "{who} declines the invitation to {event}.":
		return "{who} afslår invitationen til {event}."
	case "{who} has added an occurrence to {event}.":
		return "{who} har tilføjet en forekomst af {event}."
	case "{who} has answered the invitation to one occurrence of {event}, and has not decided yet.":
		return "{who} har svaret på invitationen til én forekomst af {event}, men har ikke besluttet sig endnu."
	case "{who} has answered the invitation to {event}, and has not decided yet.":
		return "{who} har svaret på invitationen til {event}, men har ikke besluttet sig endnu."
	case "{who} has called off one occurrence of {event}.":
		return "{who} har aflyst én forekomst af {event}."
	case "{who} has called off {event}.":
		return "{who} har aflyst {event}."
	case "{who} has changed one occurrence of {event}.":
		return "{who} har ændret én forekomst af {event}."
	case "{who} has changed {event}.":
		return "{who} har ændret {event}."
	case "{who} has declined your proposal for one occurrence of {event}.":
		return "{who} har afslået dit forslag til én forekomst af {event}."
	case "{who} has declined your proposal for {event}.":
		return "{who} har afslået dit forslag til {event}."
	case "{who} has sent their busy times.":
		return "{who} har givet besked om, hvornår vedkommende er optaget."
	case "{who} invites you to one occurrence of {event}.":
		return "{who} inviterer dig til én forekomst af {event}."
	case "{who} invites you to {event}.":
		return "{who} inviterer dig til {event}."
	case "{who} proposes to change one occurrence of {event}.":
		return "{who} foreslår at ændre én forekomst af {event}."
	case "{who} proposes to change {event}.":
		return "{who} foreslår at ændre {event}."
	case "{who} sends somebody else to one occurrence of {event}.":
		return "{who} sender en anden til én forekomst af {event}."
	case "{who} sends somebody else to {event}.":
		return "{who} sender en anden til {event}."
	case "{who} sends you the details of one occurrence of {event}.":
		return "{who} sender dig oplysninger om én forekomst af {event}."
	case "{who} sends you the details of {event}.":
		return "{who} sender dig oplysninger om {event}."
	case "{who} sends {delegate} to one occurrence of {event} instead.":
		return "{who} sender {delegate} til én forekomst af {event} i stedet."
	case "{who} sends {delegate} to {event} instead.":
		return "{who} sender {delegate} til {event} i stedet."
	case "{who} tentatively accepts the invitation to one occurrence of {event}.":
		return "{who} accepterer foreløbigt invitationen til én forekomst af {event}."
	case "{who} tentatively accepts the invitation to {event}.":
		return "{who} accepterer foreløbigt invitationen til {event}."
	case "“{title}”":
		return "»{title}«"
	}
	return ""
}

// de returns the translation of a text, "" if there is none.
func de(text string) string {
	switch text {
	case "(no title)":
		return "(ohne Titel)"
	case "Another occurrence of an event":
		return "Weiterer Termin einer Serie"
	case "Answer to a proposal":
		return "Antwort auf einen Vorschlag"
	case "Answer to an invitation":
		return "Antwort auf eine Einladung"
	case "April":
		return "April"
	case "August":
		return "August"
	case "December":
		return "Dezember"
	case "Details of an event":
		return "Angaben zu einem Termin"
	case "Event called off":
		return "Termin abgesagt"
	case "February":
		return "Februar"
	case "Friday":
		return "Freitag"
	case "In your calendar: {link}":
		return "In Ihrem Kalender: {link}"
	case "Instead of: {when}":
		return "Statt: {when}"
	case "Invitation":
		return "Einladung"
	case "January":
		return "Januar"
	case "July":
		return "Juli"
	case "June":
		return "Juni"
	case "March":
		return "März"
	case "May":
		return "Mai"
	case "Monday":
		return "Montag"
	case "November":
		return "November"
	case "October":
		return "Oktober"
	case "Organizer: {who}":
		return "Organisiert von: {who}"
	case "Period: {when}":
		return "Zeitraum: {when}"
	case "Proposal to change an event":
		return "Änderungsvorschlag zu einem Termin"
	case "Proposed: {when}":
		return "Vorschlag: {when}"
	case "Repeats: {rule}":
		return "Wiederholung: {rule}"
	case "Request for the details of an event":
		return "Bitte um die Angaben zu einem Termin"
	case "Saturday":
		return "Samstag"
	case "September":
		return "September"
	case "Somebody":
		return "Jemand"
	case "Sunday":
		return "Sonntag"
	case "The request has been passed on to another resource.":
		return "Die Anfrage ist an eine andere Ressource weitergegeben worden."
	case "The request is refused: it exceeds your quota.":
		return "Die Anfrage wird abgelehnt: Sie überschreitet Ihr Kontingent."
	case "The request is refused: you have no allocation for this resource.":
		return "Die Anfrage wird abgelehnt: Sie haben kein Kontingent für diese Ressource."
	case "The request is refused: you may not book this resource.":
		return "Die Anfrage wird abgelehnt: Sie dürfen diese Ressource nicht buchen."
	case "The resource is booked for you at the requested time.":
		return "Die Ressource ist zur gewünschten Zeit für Sie gebucht."
	case "The resource is not available at the requested time, and suggests another one.":
		return "Die Ressource ist zur gewünschten Zeit nicht frei und schlägt eine andere vor."
	case "The resource is not available at the requested time.":
		return "Die Ressource ist zur gewünschten Zeit nicht frei."
	case "The same goes for all later occurrences.":
		return "Das gilt auch für alle späteren Termine."
	case "Thursday":
		return "Donnerstag"
	case "Tuesday":
		return "Dienstag"
	case "Wednesday":
		return "Mittwoch"
	case "When I am busy":
		return "Meine belegten Zeiten"
	case "When are you busy?":
		return "Frage nach Ihren belegten Zeiten"
	case "When: {when}":
		return "Wann: {when}"
	case "Where: {place}":
		return "Wo: {place}"
	case "by a more complicated rule":
		return "nach einer komplizierteren Regel"
	case "every day":
		return "jeden Tag"
	case "every month":
		return "jeden Monat"
	case "every week":
		return "jede Woche"
	case "every year":
		return "jedes Jahr"
	case "every {n} days":
		return "alle {n} Tage"
	case "every {n} months":
		return "alle {n} Monate"
	case "every {n} weeks":
		return "alle {n} Wochen"
	case "every {n} years":
		return "alle {n} Jahre"
	case "from {start}":
		return "ab {start}"
	case "on several days":
		return "an mehreren Tagen"
	case "until {end}":
		return "bis {end}"
	case "{date}, all day":
		return "{date}, ganztägig"
	case "{date}, {start}–{end}":
		return "{date}, {start}–{end} Uhr"
	case "{date}, {time}":
		return "{date}, {time} Uhr"
	case "{first} to {last}, all day":
		return "{first} bis {last}, ganztägig"
	case "{hour}:{minute}":
		return "{hour}:{minute}"
	case "{list} and {last}":
		return "{list} und {last}"
	case "{list}, {next}":
		return "{list}, {next}"
	case "{rule} on {days}":
		return "{rule}, {days}"
	case "{rule}, until {date}":
		return "{rule}, bis {date}"
	case "{rule}, {n} times":
		return "{rule}, {n}-mal"
	case "{start} to {end}":
		return "{start} bis {end}"
	case "{weekday} {day} {month} {year}":
		return "{weekday}, {day}. {month} {year}"
	case "{when} ({zone})":
		return "{when} ({zone})"
	case "{who} accepts the invitation to one occurrence of {event}.":
		return "{who} nimmt die Einladung zu einem einzelnen Termin von {event} an."
	case "{who} accepts the invitation to {event}.":
		return "{who} nimmt die Einladung zu {event} an."
	case "{who} asks you for the details of one occurrence of {event}.":
		return "{who} bittet Sie um die Angaben zu einem einzelnen Termin von {event}."
	case "{who} asks you for the details of {event}.":
		return "{who} bittet Sie um die Angaben zu {event}."
	case "{who} declines the invitation to one occurrence of {event}.":
		return "{who} lehnt die Einladung zu einem einzelnen Termin von {event} ab."
	case "{who} declines the invitation to {event}.":
		return "{who} lehnt die Einladung zu {event} ab."
	case "{who} has added an occurrence to {event}.":
		return "{who} hat {event} um einen Termin ergänzt."
	case "{who} has answered the invitation to one occurrence of {event}, and has not decided yet.":
		return "{who} hat auf die Einladung zu einem einzelnen Termin von {event} geantwortet, sich aber noch nicht entschieden."
	case "{who} has answered the invitation to {event}, and has not decided yet.":
		return "{who} hat auf die Einladung zu {event} geantwortet, sich aber noch nicht entschieden."
	case "{who} has called off one occurrence of {event}.":
		return "{who} hat einen einzelnen Termin von {event} abgesagt."
	case "{who} has called off {event}.":
		return "{who} hat {event} abgesagt."
	case "{who} has changed one occurrence of {event}.":
		return "{who} hat einen einzelnen Termin von {event} geändert."
	case "{who} has changed {event}.":
		return "{who} hat {event} geändert."
	case "{who} has declined your proposal for one occurrence of {event}.":
		return "{who} hat Ihren Vorschlag zu einem einzelnen Termin von {event} abgelehnt."
	case "{who} has declined your proposal for {event}.":
		return "{who} hat Ihren Vorschlag zu {event} abgelehnt."
	case "{who} has sent their busy times.":
		return "{who} hat belegte Zeiten mitgeteilt."
	case "{who} invites you to one occurrence of {event}.":
		return "{who} lädt Sie zu einem einzelnen Termin von {event} ein."
	case "{who} invites you to {event}.":
		return "{who} lädt Sie zu {event} ein."
	case "{who} proposes to change one occurrence of {event}.":
		return "{who} schlägt eine Änderung eines einzelnen Termins von {event} vor."
	case "{who} proposes to change {event}.":
		return "{who} schlägt eine Änderung von {event} vor."
	case "{who} sends somebody else to one occurrence of {event}.":
		return "{who} schickt jemand anderen zu einem einzelnen Termin von {event}."
	case "{who} sends somebody else to {event}.":
		return "{who} schickt jemand anderen zu {event}."
	case "{who} sends you the details of one occurrence of {event}.":
		return "{who} schickt Ihnen die Angaben zu einem einzelnen Termin von {event}."
	case "{who} sends you the details of {event}.":
		return "{who} schickt Ihnen die Angaben zu {event}."
	case "{who} sends {delegate} to one occurrence of {event} instead.":
		return "{who} schickt stattdessen {delegate} zu einem einzelnen Termin von {event}."
	case "{who} sends {delegate} to {event} instead.":
		return "{who} schickt stattdessen {delegate} zu {event}."
	case "{who} tentatively accepts the invitation to one occurrence of {event}.":
		return "{who} nimmt die Einladung zu einem einzelnen Termin von {event} unter Vorbehalt an."
	case "{who} tentatively accepts the invitation to {event}.":
		return "{who} nimmt die Einladung zu {event} unter Vorbehalt an."
	case "“{title}”":
		return "„{title}“"
	}
	return ""
}

// nb returns the translation of a text, "" if there is none.
func nb(text string) string {
	switch text {
	case "(no title)":
		return "(uten tittel)"
	case "Another occurrence of an event":
		return "Enda en forekomst av en hendelse"
	case "Answer to a proposal":
		return "Svar på et forslag"
	case "Answer to an invitation":
		return "Svar på en invitasjon"
	case "April":
		return "april"
	case "August":
		return "august"
	case "December":
		return "desember"
	case "Details of an event":
		return "Opplysninger om en hendelse"
	case "Event called off":
		return "Hendelse avlyst"
	case "February":
		return "februar"
	case "Friday":
		return "fredag"
	case "In your calendar: {link}":
		return "I kalenderen din: {link}"
	case "Instead of: {when}":
		return "I stedet for: {when}"
	case "Invitation":
		return "Invitasjon"
	case "January":
		return "januar"
	case "July":
		return "juli"
	case "June":
		return "juni"
	case "March":
		return "mars"
	case "May":
		return "mai"
	case "Monday":
		return "mandag"
	case "November":
		return "november"
	case "October":
		return "oktober"
	case "Organizer: {who}":
		return "Arrangør: {who}"
	case "Period: {when}":
		return "Tidsrom: {when}"
	case "Proposal to change an event":
		return "Forslag om å endre en hendelse"
	case "Proposed: {when}":
		return "Forslag: {when}"
	case "Repeats: {rule}":
		return "Gjentas: {rule}"
	case "Request for the details of an event":
		return "Forespørsel om opplysninger om en hendelse"
	case "Saturday":
		return "lørdag"
	case "September":
		return "september"
	case "Somebody":
		return "Noen"
	case "Sunday":
		return "søndag"
	case "The request has been passed on to another resource.":
		return "Forespørselen er sendt videre til en annen ressurs."
	case "The request is refused: it exceeds your quota.":
		return "Forespørselen er avvist: Den overskrider kvoten din."
	case "The request is refused: you have no allocation for this resource.":
		return "Forespørselen er avvist: Du er ikke tildelt noen kvote for denne ressursen."
	case "The request is refused: you may not book this resource.":
		return "Forespørselen er avvist: Du har ikke tillatelse til å reservere denne ressursen."
	case "The resource is booked for you at the requested time.":
		return "Ressursen er reservert for deg på tidspunktet du ba om."
	case "The resource is not available at the requested time, and suggests another one.":
		return "Ressursen er ikke ledig på tidspunktet du ba om, og foreslår et annet."
	case "The resource is not available at the requested time.":
		return "Ressursen er ikke ledig på tidspunktet du ba om."
	case "The same goes for all later occurrences.":
		return "Det gjelder også alle senere forekomster."
	case "Thursday":
		return "torsdag"
	case "Tuesday":
		return "tirsdag"
	case "Wednesday":
		return "onsdag"
	case "When I am busy":
		return "Når jeg er opptatt"
	case "When are you busy?":
		return "Når er du opptatt?"
	case "When: {when}":
		return "Når: {when}"
	case "Where: {place}":
		return "Hvor: {place}"
	case "by a more complicated rule":
		return "etter en mer sammensatt regel"
	case "every day":
		return "hver dag"
	case "every month":
		return "hver måned"
	case "every week":
		return "hver uke"
	case "every year":
		return "hvert år"
	case "every {n} days":
		return "hver {n}. dag"
	case "every {n} months":
		return "hver {n}. måned"
	case "every {n} weeks":
		return "hver {n}. uke"
	case "every {n} years":
		return "hvert {n}. år"
	case "from {start}":
		return "fra {start}"
	case "on several days":
		return "på flere dager"
	case "until {end}":
		return "til {end}"
	case "{date}, all day":
		return "{date}, hele dagen"
	case "{date}, {start}–{end}":
		return "{date} kl. {start}–{end}"
	case "{date}, {time}":
		return "{date} kl. {time}"
	case "{first} to {last}, all day":
		return "{first} til og med {last}, hele dagen"
	case "{hour}:{minute}":
		return "{hour}.{minute}"
	case "{list} and {last}":
		return "{list} og {last}"
	case "{list}, {next}":
		return "{list}, {next}"
	case "{rule} on {days}":
		return "{rule}, {days}"
	case "{rule}, until {date}":
		return "{rule}, til og med {date}"
	case "{rule}, {n} times":
		return "{rule}, {n} ganger"
	case "{start} to {end}":
		return "{start} til {end}"
	case "{weekday} {day} {month} {year}":
		return "{weekday} {day}. {month} {year}"
	case "{when} ({zone})":
		return "{when} ({zone})"
	case "{who} accepts the invitation to one occurrence of {event}.":
		return "{who} takker ja til invitasjonen til én forekomst av {event}."
	case "{who} accepts the invitation to {event}.":
		return "{who} takker ja til invitasjonen til {event}."
	case "{who} asks you for the details of one occurrence of {event}.":
		return "{who} ber deg om opplysninger om én forekomst av {event}."
	case "{who} asks you for the details of {event}.":
		return "{who} ber deg om opplysninger om {event}."
	case "{who} declines the invitation to one occurrence of {event}.":
		return "{who} takker nei til invitasjonen til én forekomst av {event}."
	case "{who} declines the invitation to {event}.":
		return "{who} takker nei til invitasjonen til {event}."
	case "{who} has added an occurrence to {event}.":
		return "{who} har lagt til en forekomst av {event}."
	case "{who} has answered the invitation to one occurrence of {event}, and has not decided yet.":
		return "{who} har svart på invitasjonen til én forekomst av {event}, men har ikke bestemt seg ennå."
	case "{who} has answered the invitation to {event}, and has not decided yet.":
		return "{who} har svart på invitasjonen til {event}, men har ikke bestemt seg ennå."
	case "{who} has called off one occurrence of {event}.":
		return "{who} har avlyst én forekomst av {event}."
	case "{who} has called off {event}.":
		return "{who} har avlyst {event}."
	case "{who} has changed one occurrence of {event}.":
		return "{who} har endret én forekomst av {event}."
	case "{who} has changed {event}.":
		return "{who} har endret {event}."
	case "{who} has declined your proposal for one occurrence of {event}.":
		return "{who} har avslått forslaget ditt til én forekomst av {event}."
	case "{who} has declined your proposal for {event}.":
		return "{who} har avslått forslaget ditt til {event}."
	case "{who} has sent their busy times.":
		return "{who} har gitt beskjed om når vedkommende er opptatt."
	case "{who} invites you to one occurrence of {event}.":
		return "{who} inviterer deg til én forekomst av {event}."
	case "{who} invites you to {event}.":
		return "{who} inviterer deg til {event}."
	case "{who} proposes to change one occurrence of {event}.":
		return "{who} foreslår å endre én forekomst av {event}."
	case "{who} proposes to change {event}.":
		return "{who} foreslår å endre {event}."
	case "{who} sends somebody else to one occurrence of {event}.":
		return "{who} sender en annen til én forekomst av {event}."
	case "{who} sends somebody else to {event}.":
		return "{who} sender en annen til {event}."
	case "{who} sends you the details of one occurrence of {event}.":
		return "{who} sender deg opplysninger om én forekomst av {event}."
	case "{who} sends you the details of {event}.":
		return "{who} sender deg opplysninger om {event}."
	case "{who} sends {delegate} to one occurrence of {event} instead.":
		return "{who} sender {delegate} til én forekomst av {event} i stedet."
	case "{who} sends {delegate} to {event} instead.":
		return "{who} sender {delegate} til {event} i stedet."
	case "{who} tentatively accepts the invitation to one occurrence of {event}.":
		return "{who} takker foreløpig ja til invitasjonen til én forekomst av {event}."
	case "{who} tentatively accepts the invitation to {event}.":
		return "{who} takker foreløpig ja til invitasjonen til {event}."
	case "“{title}”":
		return "«{title}»"
	}
	return ""
}
