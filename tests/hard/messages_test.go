package hard

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const vincent = "mailto:vincent.vole@example.com"

// conversations are the sample mails of each program, in order, and what is in
// the sender's records after each. E stands for the event's UID.
var conversations = []struct{ program, steps string }{
	{"Thunderbird", `thunderbird-invitation
	freebusy 20261202T090000Z/20261202T103000Z E OPAQUE - "Budget 2027, første utkast"
	objects/E
thunderbird-update
	freebusy 20261203T120000Z/20261203T133000Z E OPAQUE - "Budget 2027, første utkast"
	objects/E
delivered
thunderbird-reply
	freebusy 20261203T120000Z/20261203T133000Z E OPAQUE - "Budget 2027, første utkast"
	objects/E ACCEPTED
thunderbird-cancellation
	cancellations/objects/E
`},
	{"Thunderbird, series", `thunderbird-series
	freebusy 20261124T080000Z/20261124T083000Z E OPAQUE - Stand-up
	freebusy 20261201T080000Z/20261201T083000Z E OPAQUE - Stand-up
	freebusy 20261208T080000Z/20261208T083000Z E OPAQUE - Stand-up
	freebusy 20261215T080000Z/20261215T083000Z E OPAQUE - Stand-up
	freebusy 20270105T080000Z/20270105T083000Z E OPAQUE - Stand-up
	freebusy 20270112T080000Z/20270112T083000Z E OPAQUE - Stand-up
	objects/E
thunderbird-occurrence
	freebusy 20261124T080000Z/20261124T083000Z E OPAQUE - Stand-up
	freebusy 20261201T080000Z/20261201T083000Z E OPAQUE - Stand-up
	freebusy 20261208T093000Z/20261208T100000Z E OPAQUE 20261208T080000Z "Stand-up (later)"
	freebusy 20261215T080000Z/20261215T083000Z E OPAQUE - Stand-up
	freebusy 20270105T080000Z/20270105T083000Z E OPAQUE - Stand-up
	freebusy 20270112T080000Z/20270112T083000Z E OPAQUE - Stand-up
	objects/E
	recurrences/E/20261208T080000Z
thunderbird-occurrence-cancellation
	cancellations/recurrences/E/20261215T080000Z
	freebusy 20261124T080000Z/20261124T083000Z E OPAQUE - Stand-up
	freebusy 20261201T080000Z/20261201T083000Z E OPAQUE - Stand-up
	freebusy 20261208T093000Z/20261208T100000Z E OPAQUE 20261208T080000Z "Stand-up (later)"
	freebusy 20270105T080000Z/20270105T083000Z E OPAQUE - Stand-up
	freebusy 20270112T080000Z/20270112T083000Z E OPAQUE - Stand-up
	objects/E
	recurrences/E/20261208T080000Z
`},
	{"Outlook", `outlook-invitation
	freebusy 20261207T120000Z/20261207T133000Z E ORG - "Gjennomgang av tilbud"
	objects/E
outlook-update
	freebusy 20261207T130000Z/20261207T143000Z E ORG - "Gjennomgang av tilbud"
	objects/E
delivered
outlook-reply
	freebusy 20261207T130000Z/20261207T143000Z E OPAQUE - "Godtatt: Gjennomgang av tilbud"
	objects/E ACCEPTED
outlook-counter
	freebusy 20261207T130000Z/20261207T143000Z E OPAQUE - "Godtatt: Gjennomgang av tilbud"
	objects/E TENTATIVE
outlook-cancellation
	cancellations/objects/E
`},
	{"Exchange", `exchange-invitation
	freebusy 20261210T090000Z/20261210T100000Z E ORG - "Månedlig statusmøte"
	freebusy 20270211T090000Z/20270211T100000Z E ORG - "Månedlig statusmøte"
	objects/E
exchange-update
	freebusy 20261210T080000Z/20261210T090000Z E ORG - "Månedlig statusmøte"
	freebusy 20270212T120000Z/20270212T130000Z E ORG 20270211T080000Z "Månedlig statusmøte (flyttet)"
	objects/E
	recurrences/E/20270211T080000Z
delivered
exchange-reply
	freebusy 20261210T080000Z/20261210T090000Z E OPAQUE - "Godtatt: Månedlig statusmøte"
	objects/E ACCEPTED
	recurrences/E/20270211T080000Z
exchange-occurrence-cancellation
	cancellations/recurrences/E/20270311T080000Z
	freebusy 20261210T080000Z/20261210T090000Z E ORG - "Månedlig statusmøte"
	freebusy 20270212T120000Z/20270212T130000Z E ORG 20270211T080000Z "Månedlig statusmøte (flyttet)"
	objects/E
	recurrences/E/20270211T080000Z
exchange-cancellation
	cancellations/objects/E
	cancellations/recurrences/E/20270311T080000Z
	recurrences/E/20270211T080000Z
`},
	{"Google", `google-invitation
	freebusy 20261204T130000Z/20261204T140000Z E OPAQUE - Fredagskaffe
	objects/E
google-update
	freebusy 20261204T140000Z/20261204T150000Z E OPAQUE - Fredagskaffe
	objects/E
delivered
google-reply
	freebusy 20261204T140000Z/20261204T150000Z E OPAQUE - Fredagskaffe
	objects/E ACCEPTED
google-counter
	freebusy 20261204T140000Z/20261204T150000Z E OPAQUE - Fredagskaffe
	objects/E TENTATIVE
google-cancellation
	cancellations/objects/E
`},
	{"Google, series", `google-series
	freebusy 16 records
	freebusy 20261130T080000Z/20261130T083000Z E OPAQUE - Ukestart
	freebusy 20270120T080000Z/20270120T083000Z E OPAQUE - Ukestart
	objects/E
google-occurrence
	freebusy 16 records
	freebusy 20261130T080000Z/20261130T083000Z E OPAQUE - Ukestart
	freebusy 20270120T080000Z/20270120T083000Z E OPAQUE - Ukestart
	objects/E
	recurrences/E/20261207T080000Z
`},
	{"Apple", `apple-invitation
	freebusy 20261211T000000Z/20261214T000000Z E OPAQUE - "Hyttetur – høstferie"
	objects/E
apple-update
	freebusy 20261218T000000Z/20261221T000000Z E OPAQUE - "Hyttetur – høstferie"
	objects/E
delivered
apple-reply
	objects/E DECLINED
apple-cancellation
	cancellations/objects/E
`},
	{"Apple, series", `apple-series
	freebusy 19 records
	freebusy 20261123T053000Z/20261123T063000Z E OPAQUE - Svømming
	freebusy 20261231T053000Z/20261231T063000Z E OPAQUE - Svømming
	objects/E
`},
	{"Roundcube", `roundcube-invitation
	freebusy 20261209T100000Z/20261209T110000Z E ORG - "Übergabe: Schlüssel, Akten"
	objects/E
roundcube-update
	freebusy 20261209T140000Z/20261209T144500Z E ORG - "Übergabe: Schlüssel, Akten"
	objects/E
delivered
roundcube-reply
	freebusy 20261209T140000Z/20261209T144500Z E OPAQUE - "Übergabe: Schlüssel, Akten"
	objects/E TENTATIVE
roundcube-cancellation
	cancellations/objects/E
`},
	{"Kontact", `kontact-invitation
	freebusy 20261201T130000Z/20261201T140000Z E OPAQUE - "Code review"
	objects/E
delivered
kontact-counter
	objects/E TENTATIVE
kontact-declinecounter
	freebusy 20261201T130000Z/20261201T140000Z E OPAQUE - "Code review"
	objects/E
`},
	{"simplest", `invitation
	freebusy 20261202T113000Z/20261202T123000Z E OPAQUE - Lunch
	objects/E
`},
	{"Evolution", `evolution-invitation
	freebusy 20261208T110000Z/20261208T113000Z E ORG - Lunsj
	objects/E
`},
	{"one event as two parts", `two-parts
	freebusy 20261203T080000Z/20261203T084500Z E ORG - "One event, two parts"
	objects/E
`},
	{"passed on as an enclosed message", `forwarded
`},
	{"delivery report", `bounce
`},
	{"no calendar", `newsletter
`},
	{"calendar without method", `attachment-only
`},
	{"cut off", `truncated
	rejected: event "040000008200E00074C5B7101A82E0080000000041C7A9E25D5CDC01000000000000000010000000A4B3C2D1E0F94857968574635241302F": the event is cut: it has no END:VEVENT
`},
}

// TestMessages handles the sample mails of each program as one conversation.
func TestMessages(t *testing.T) {
	rooms := make(map[string]*room)
	done := make(map[string]bool)
	base := tempDir(t) // which outlives the conversations
	for _, c := range conversations {
		t.Run(c.program, func(t *testing.T) {
			r := newRoom(t, filepath.Join(base, c.program), nil, nil)
			rooms[c.program] = r
			var steps strings.Builder
			for line := range strings.Lines(c.steps) {
				name := strings.TrimSpace(line)
				if name == "delivered" {
					deliver(t, r)
					steps.WriteString(line)
				}
				if name == "delivered" || strings.HasPrefix(line, "\t") {
					continue
				}
				done[name+".eml"] = true
				mail, err := os.ReadFile(filepath.Join("..", "messages", name+".eml"))
				if err != nil {
					t.Fatal(err)
				}
				r.log.Reset()
				if err := r.handle(mail); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				steps.WriteString(line)
				for _, found := range r.senders(t) {
					steps.WriteString("\t" + found + "\n")
				}
			}
			if diff := cmp.Diff(c.steps, steps.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	samples, err := filepath.Glob("../messages/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range samples {
		if !done[filepath.Base(path)] {
			t.Errorf("%s is in no conversation", path)
		}
	}
	readByOriginal(t, rooms, nil)
}

var (
	logged  = regexp.MustCompile(` user=(\S+) `)
	someUID = regexp.MustCompile(`(?:objects|recurrences)/([^/ \n]+)`)
)

// senders tells what is in the records of who sent the last message, with E in
// place of the event's UID.
func (r *room) senders(t *testing.T) []string {
	sender := vincent
	if match := logged.FindStringSubmatch(r.log.String()); match == nil || match[1] == paul {
		sender = ""
	}
	var found []string
	for _, line := range r.outcome(t) {
		line, others := strings.CutPrefix(line, vincent+" ")
		if others != (sender == vincent) {
			continue
		}
		if others && strings.HasPrefix(line, "objects/") {
			line += " " + participation(r.stored(t, "../"+vincent+"/"+line))
		}
		found = append(found, line)
	}
	text := strings.Join(found, "\n")
	if match := someUID.FindStringSubmatch(text); match != nil {
		text = strings.ReplaceAll(text, match[1], "E")
	}
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// participation returns Vincent's PARTSTAT in an event.
func participation(lines []string) string {
	for _, line := range lines {
		if strings.HasPrefix(line, "ATTENDEE;") && strings.HasSuffix(strings.ToLower(line), ":"+vincent) {
			_, after, _ := strings.Cut(line, "PARTSTAT=")
			status, _, _ := strings.Cut(after, ";")
			status, _, _ = strings.Cut(status, ":")
			return status
		}
	}
	return "not invited"
}

// deliver lays Paul's events into Vincent's records, as they are there once a mail
// system has delivered the invitations.
func deliver(t *testing.T, r *room) {
	t.Helper()
	for _, dir := range []string{"objects", "recurrences"} {
		from := os.DirFS(filepath.Join(r.Store(), paul, dir))
		if _, err := fs.Stat(from, "."); err != nil {
			continue
		}
		if err := os.CopyFS(filepath.Join(r.Store(), vincent, dir), from); err != nil {
			t.Fatal(err)
		}
	}
}
