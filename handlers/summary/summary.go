// Package summary says to a user, in their language, what a scheduling message has brought:
// that somebody invites, calls off, answers or asks, for which event, when, where and by whom.
// It is a text of one paragraph an event, for people who read their mail in a program that does
// not know calendars. The titles of what is sent to others are here, too ([Title]).
//
// The texts are in English in this package, and translated in the catalogues in po, which are
// gettext's .po files: what translators and their programs work with. They are compiled into
// the program by go generate, so that nothing is read, and nothing costs time, before a text is
// needed. A test sees that every text is in every catalogue.
package summary

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"imip-agent/stores/calendar"
)

//go:generate go test -run TestCatalogues -update

// Kind is what a message brings.
type Kind int

const (
	Invitation      Kind = iota // REQUEST
	Update                      // REQUEST, to an event that the user has been invited to before
	Cancellation                // CANCEL
	Reply                       // REPLY: each of the senders has answered in a way of their own
	Proposal                    // COUNTER: another time, for example
	ProposalRefused             // DECLINECOUNTER
	Addition                    // ADD
	Details                     // PUBLISH
	DetailsRequest              // REFRESH
	Busy                        // VFREEBUSY, PUBLISH or REPLY: when somebody is busy
)

// News is what a message brings of one event, or of somebody's time.
type News struct {
	Kind Kind
	// Object is the event as the message has it; with Busy nil.
	Object *calendar.Object
	// Stored is the event as the user's records have it, which says what the message leaves
	// out; nil if there is none. An answer need not say what the event is called, or when it is.
	Stored *calendar.Object
	// Senders are whom the news is from where it is not the organizer: with Reply, Proposal and
	// DetailsRequest attendees of the object, with Busy anybody. There is one text for each.
	Senders []calendar.URI
	// From and Until are the time that Busy is about; either may be zero.
	From, Until time.Time
	// Link is where the user can answer, or see the event; empty: there is no such place.
	Link string
}

// Reader is who reads a text.
type Reader struct {
	User     calendar.URI
	Zone     *time.Location // nil: UTC
	Language string         // as LANG has it, "nb_NO.UTF-8"; what there is no catalogue for is English
}

// Text returns the text of news, a paragraph for each, with line feeds at line ends.
func (r Reader) Text(news ...News) string {
	w := writer{Reader: r, translate: catalogue(r.Language)}
	if w.Zone == nil {
		w.Zone = time.UTC
	}
	var paragraphs []string
	for _, n := range news {
		paragraphs = append(paragraphs, w.paragraph(n))
	}
	return strings.Join(paragraphs, "\n")
}

// writer writes texts in a language.
type writer struct {
	Reader
	translate func(string) string // returns "" for what is not translated
}

// paragraph returns the lines about one piece of news.
func (w *writer) paragraph(n News) string {
	var b strings.Builder
	line := func(text string) { b.WriteString(text); b.WriteByte('\n') }
	who := w.organizer(n)
	for _, sentence := range w.sentences(n, who) {
		line(sentence)
	}
	if n.later() {
		line(w.tr("The same goes for all later occurrences."))
	}
	if n.Kind == Busy {
		if when := w.between(n.From, n.Until); when != "" {
			line(w.tr("Period: {when}", "when", when))
		}
		return b.String()
	}
	if when := w.when(n); when != "" {
		if n.Kind == Proposal {
			line(w.tr("Proposed: {when}", "when", when))
		} else {
			line(w.tr("When: {when}", "when", when))
		}
	}
	if was := w.insteadOf(n); was != "" {
		line(w.tr("Instead of: {when}", "when", was))
	}
	if rule := w.repeats(n); rule != "" {
		line(w.tr("Repeats: {rule}", "rule", rule))
	}
	if place := plain(text(n, (*calendar.Object).Location)); place != "" {
		line(w.tr("Where: {place}", "place", place))
	}
	if who != "" && n.of() != organizers {
		if o := organizerOf(n); !o.Is(w.User) {
			line(w.tr("Organizer: {who}", "who", who))
		}
	}
	if n.Link != "" && n.Kind != Cancellation {
		line(w.tr("In your calendar: {link}", "link", n.Link))
	}
	return b.String()
}

// tr returns a text in the reader's language, with values in the place of their names in
// braces: pairs of name and value.
func (w *writer) tr(text string, pairs ...string) string {
	if translated := w.translate(text); translated != "" {
		text = translated
	}
	if len(pairs) == 0 {
		return text
	}
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(text) // in one go: a title may have braces, too
}

// Whose news of a kind it is.
const (
	organizers = iota
	attendees
	anybodys
)

func (n News) of() int {
	switch n.Kind {
	case Reply, Proposal, DetailsRequest:
		return attendees
	case Busy:
		return anybodys
	}
	return organizers
}

// sentences says what has come, in a sentence for each of those whom it is from.
func (w *writer) sentences(n News, organizer string) []string {
	title := plain(text(n, (*calendar.Object).Summary))
	if title == "" {
		title = w.tr("(no title)")
	}
	event := w.tr("“{title}”", "title", title)
	one := n.single()
	if n.of() == organizers {
		if organizer == "" {
			organizer = w.tr("Somebody")
		}
		return []string{w.sentence(n.Kind, one, organizer, event, calendar.Attendee{})}
	}
	if len(n.Senders) == 0 {
		return []string{w.sentence(n.Kind, one, w.tr("Somebody"), event, calendar.Attendee{})}
	}
	var sentences []string
	for _, sender := range n.Senders {
		a := calendar.Attendee{URI: sender}
		if n.Object != nil {
			for _, attendee := range n.Object.Attendees() {
				if attendee.URI.Is(sender) {
					a = attendee
				}
			}
		}
		sentences = append(sentences, w.sentence(n.Kind, one, person(w.name(n, a), a.URI), event, a))
	}
	return sentences
}

// name returns the name of an attendee, which the stored object may have if the message lacks it.
func (w *writer) name(n News, a calendar.Attendee) string {
	if name := a.Name(); name != "" || n.Stored == nil {
		return name
	}
	for _, attendee := range n.Stored.Attendees() {
		if attendee.URI.Is(a.URI) {
			return attendee.Name()
		}
	}
	return ""
}

// sentence says what one person has sent, about an event or one occurrence of it.
func (w *writer) sentence(kind Kind, one bool, who, event string, a calendar.Attendee) string {
	say := func(whole, occurrence string, pairs ...string) string {
		pairs = append(pairs, "who", who, "event", event)
		if one {
			return w.tr(occurrence, pairs...)
		}
		return w.tr(whole, pairs...)
	}
	switch kind {
	case Invitation:
		return say("{who} invites you to {event}.", "{who} invites you to one occurrence of {event}.")
	case Update:
		return say("{who} has changed {event}.", "{who} has changed one occurrence of {event}.")
	case Cancellation:
		return say("{who} has called off {event}.", "{who} has called off one occurrence of {event}.")
	case Proposal:
		return say("{who} proposes to change {event}.", "{who} proposes to change one occurrence of {event}.")
	case ProposalRefused:
		return say("{who} has declined your proposal for {event}.", "{who} has declined your proposal for one occurrence of {event}.")
	case Addition:
		return w.tr("{who} has added an occurrence to {event}.", "who", who, "event", event)
	case Details:
		return say("{who} sends you the details of {event}.", "{who} sends you the details of one occurrence of {event}.")
	case DetailsRequest:
		return say("{who} asks you for the details of {event}.", "{who} asks you for the details of one occurrence of {event}.")
	case Busy:
		return w.tr("{who} has sent their busy times.", "who", who)
	}
	switch a.PartStat() {
	case "ACCEPTED":
		return say("{who} accepts the invitation to {event}.", "{who} accepts the invitation to one occurrence of {event}.")
	case "DECLINED":
		return say("{who} declines the invitation to {event}.", "{who} declines the invitation to one occurrence of {event}.")
	case "TENTATIVE":
		return say("{who} tentatively accepts the invitation to {event}.", "{who} tentatively accepts the invitation to one occurrence of {event}.")
	case "DELEGATED":
		if to := a.DelegatedTo(); len(to) > 0 {
			return say("{who} sends {delegate} to {event} instead.", "{who} sends {delegate} to one occurrence of {event} instead.", "delegate", person("", to[0]))
		}
		return say("{who} sends somebody else to {event}.", "{who} sends somebody else to one occurrence of {event}.")
	}
	return say("{who} has answered the invitation to {event}, and has not decided yet.", "{who} has answered the invitation to one occurrence of {event}, and has not decided yet.")
}

// organizer returns the organizer as people write them, "" if the event has none.
func (w *writer) organizer(n News) string {
	for _, o := range []*calendar.Object{n.Object, n.Stored} {
		if o == nil {
			continue
		}
		if uri, ok := o.Organizer(); ok {
			name := o.OrganizerName()
			if name == "" && n.Stored != nil {
				if stored, _ := n.Stored.Organizer(); stored.Is(uri) {
					name = n.Stored.OrganizerName()
				}
			}
			return person(name, uri)
		}
	}
	return ""
}

func organizerOf(n News) (organizer calendar.URI) {
	for _, o := range []*calendar.Object{n.Stored, n.Object} {
		if o != nil {
			if uri, ok := o.Organizer(); ok {
				organizer = uri
			}
		}
	}
	return organizer
}

// text returns a text of the event, of the stored one if the message leaves it out.
func text(n News, of func(*calendar.Object) string) string {
	for _, o := range []*calendar.Object{n.Object, n.Stored} {
		if o != nil {
			if text := of(o); strings.TrimSpace(text) != "" {
				return text
			}
		}
	}
	return ""
}

// person returns somebody as people write them: always with the address, as anybody can take
// any name.
func person(name string, uri calendar.URI) string {
	address := uri.Address()
	if address == "" {
		address = string(uri)
	}
	name, address = plain(name), plain(address)
	if name == "" || strings.EqualFold(name, address) {
		return address
	}
	return name + " <" + address + ">"
}

// maxPlain is how much of a text from a message is shown, in characters.
const maxPlain = 300

// plain returns a text from a message in one line, without characters that are not seen but
// change what is seen, such as those that turn the direction.
func plain(text string) string {
	if len(text) > 8*maxPlain {
		text = text[:8*maxPlain]
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c' || r == '\u200d': // which join letters, and emoji
			return r
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsControl(r) || unicode.IsSpace(r):
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxPlain {
		text = strings.TrimSpace(string(runes[:maxPlain])) + "…"
	}
	return text
}

// Link returns where a user sees an event, of which recurrenceID names an occurrence unless it
// is empty: below a path at a URL, both with or without slashes at their ends.
func Link(url, path, uid, recurrenceID string) string {
	link := strings.TrimRight(url, "/")
	for _, part := range []string{strings.Trim(path, "/"), segment(uid), segment(recurrenceID)} {
		if part != "" {
			link += "/" + part
		}
	}
	return link
}

// segment returns a text as a segment of a path (RFC 3986 section 3.3).
func segment(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Title returns the Subject of a mail to others with that method (of an answer about free/busy,
// with busy), in a language.
func Title(method string, busy bool, language string) string {
	w := writer{translate: catalogue(language)}
	if busy {
		if method == "REQUEST" {
			return w.tr("When are you busy?")
		}
		return w.tr("When I am busy")
	}
	switch method {
	case "REQUEST":
		return w.tr("Invitation")
	case "CANCEL":
		return w.tr("Event called off")
	case "REPLY":
		return w.tr("Answer to an invitation")
	case "COUNTER":
		return w.tr("Proposal to change an event")
	case "DECLINECOUNTER":
		return w.tr("Answer to a proposal")
	case "ADD":
		return w.tr("Another occurrence of an event")
	case "REFRESH":
		return w.tr("Request for the details of an event")
	}
	return w.tr("Details of an event")
}

// Decision is what a resource has decided on an invitation, and why.
type Decision int

const (
	Scheduled      Decision = iota // it takes part
	Refused                        // those who take part may not use it
	Unavailable                    // it is not free
	AnotherPeriod                  // it is free at the times that it proposes
	PassedOn                       // another resource is invited in its place
	NoAllocation                   // the organizer may not use any of it
	QuotaExhausted                 // the organizer has used up what they may use
)

// Sentence returns what a resource says to an organizer with its answer, in a language.
func (d Decision) Sentence(language string) string {
	w := writer{translate: catalogue(language)}
	switch d {
	case Scheduled:
		return w.tr("The resource is booked for you at the requested time.")
	case Refused:
		return w.tr("The request is refused: you may not book this resource.")
	case Unavailable:
		return w.tr("The resource is not available at the requested time.")
	case AnotherPeriod:
		return w.tr("The resource is not available at the requested time, and suggests another one.")
	case PassedOn:
		return w.tr("The request has been passed on to another resource.")
	case NoAllocation:
		return w.tr("The request is refused: you have no allocation for this resource.")
	}
	return w.tr("The request is refused: it exceeds your quota.")
}

// catalogue returns the translations for a language: Norwegian of either kind is Bokmål.
func catalogue(language string) func(string) string {
	language, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(language)), ".")
	language, _, _ = strings.Cut(language, "@")
	language, _, _ = strings.Cut(strings.ReplaceAll(language, "-", "_"), "_")
	switch language {
	case "nb", "no", "nn":
		return nb
	case "da":
		return da
	case "de":
		return de
	}
	return func(string) string { return "" }
}
