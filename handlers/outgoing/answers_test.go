package outgoing_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
)

// An answer to what is not stored says so in the log, whatever it changes.
func TestAnswerToWhatIsNotStored(t *testing.T) {
	for name, test := range map[string]struct{ event, log string }{
		"declined":                {event("ATTENDEE;PARTSTAT=DECLINED:mailto:" + paul), `changes="none, the event is not stored"`},
		"accepted":                {event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:" + paul), `changes="free/busy +1 -0, the event is not stored"`},
		"accepted, without times": {strings.Replace(event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+paul), "DTSTART:20261202T090000Z\r\n", "", 1), `changes="none, the event is not stored and the answer has no times"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.handle(message(paul, "REPLY", test.event))
			if !strings.Contains(s.log.String(), test.log) {
				t.Errorf("the log says %s", s.log.String())
			}
			if files := s.files("rejected"); len(files) > 0 {
				t.Errorf("put aside: %v", files)
			}
		})
	}
}

// A message of somebody whose records are under a name in other letters changes those, also
// what is known of others there.
func TestLetterCase(t *testing.T) {
	s := newSite(t)
	shouting := strings.ToUpper(paul)
	s.handle(message(shouting, "REQUEST", event("ORGANIZER:mailto:"+paul, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+vincent)))
	others := filepath.Join(s.dir, "store", "mailto:"+shouting, "freebusy-other")
	if err := os.MkdirAll(others, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mailto:" + strings.ToUpper(vincent), "mailto:" + strings.Replace(vincent, "v", "V", 1)} {
		record := "20261202T090000Z\t20261202T100000Z\tmeeting\tOPAQUE\t\t\tmailto:" + paul + "\n"
		if err := os.WriteFile(filepath.Join(others, name), []byte(record), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.handle(message(paul, "CANCEL", event("SEQUENCE:1", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+vincent)))
	for name := range s.files("store") {
		if name != "mailto:"+shouting+"/cancellations/objects/meeting" {
			t.Errorf("there is %s", name)
		}
	}
}

// Of another user, one table is written, whatever letters they are named in, and what others
// have it under does not stay behind.
func TestOthersInOneTable(t *testing.T) {
	s := newSite(t)
	s.handle(message(paul, "REQUEST", event("RRULE:FREQ=DAILY;COUNT=3", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+strings.ToUpper(vincent), "ATTENDEE:mailto:"+paul)))
	err := s.Store.Update(t.Context(), "mailto:"+paul, func(tx stores.Tx) error {
		_, err := tx.Periods(stores.Table{Kind: stores.Other, Other: "mailto:" + vincent})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []string{"20261203", "20261204"} {
		s.handle(message(paul, "REPLY", event("RECURRENCE-ID:"+day+"T090000Z", "DTSTART:"+day+"T090000Z", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+paul)))
	}
	var tables []string
	for name, text := range s.files("store/mailto:" + paul) {
		if strings.HasPrefix(name, "freebusy-other/") {
			tables = append(tables, name)
			if n := strings.Count(text, "\n"); n != 2 {
				t.Errorf("%d records in %s, want 2", n, name)
			}
		}
	}
	if len(tables) != 1 {
		t.Errorf("tables: %v", tables)
	}
}

// What is taken in from a user's calendar is theirs to say, whoever organizes it; what is
// called off in it stays until it is called off by a message.
func TestImport(t *testing.T) {
	invited := event("UID:invited", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+vincent)
	off := event("UID:off", "STATUS:CANCELLED", "ORGANIZER:mailto:"+vincent)
	for name, test := range map[string]struct {
		side itip.Side
		want []string
	}{
		"a message": {itip.Sent, []string{"cancellations/objects/off"}},
		"an import": {itip.Imported, []string{"freebusy", "objects/invited", "objects/off"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			m, err := s.Read(strings.NewReader(message(vincent, "PUBLISH", invited, off)), test.side)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			for i := range m.Changes {
				c := &m.Changes[i]
				c.User, c.Senders, c.Side = "mailto:"+vincent, m.Senders, test.side
			}
			if _, err := s.Apply(t.Context(), m.Changes); err != nil {
				t.Fatal(err)
			}
			var got []string
			for name := range s.files("store/mailto:" + vincent) {
				got = append(got, name)
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("stored %q, want %q", got, test.want)
			}
		})
	}
}

// An answer to an occurrence and all later ones, of which one has been answered, or moved,
// before.
func TestAnswerToLater(t *testing.T) {
	series := event("RRULE:FREQ=DAILY;COUNT=4", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+vincent, "ORGANIZER;SENT-BY=\"mailto:"+vincent+"\":mailto:"+paul)
	answer := func(status, id string, lines ...string) string {
		return message(vincent, "REPLY", strings.NewReplacer("DTSTART:20261202T090000Z\r\n", "", "DURATION:PT1H\r\n", "").Replace(
			event(append(lines, "RECURRENCE-ID"+id, "ATTENDEE;PARTSTAT="+status+":mailto:"+vincent)...)))
	}
	moved := message(vincent, "REQUEST", event("RECURRENCE-ID:20261204T090000Z", "DTSTART:20261204T150000Z", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+vincent, "ORGANIZER;SENT-BY=\"mailto:"+vincent+"\":mailto:"+paul))
	const one, later = ":20261204T090000Z", ";RANGE=THISANDFUTURE:20261204T090000Z"
	for name, test := range map[string]struct {
		messages []string
		days     string
		warns    bool
	}{
		"nothing before":         {[]string{answer("DECLINED", later)}, "02 03", false},
		"one before":             {[]string{answer("DECLINED", one), answer("ACCEPTED", later)}, "02 03 04 05", false},
		"one before, then none":  {[]string{answer("ACCEPTED", one), answer("DECLINED", later)}, "02 03", false},
		"moved before":           {[]string{moved, answer("DECLINED", later)}, "02 03 05", true},
		"all later, and one now": {[]string{answer("DECLINED", later), answer("ACCEPTED", one)}, "02 03 04 05", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.handle(message(vincent, "REQUEST", series))
			for _, text := range test.messages {
				s.handle(text)
			}
			var days []string
			for line := range strings.Lines(s.busy(vincent)) {
				days = append(days, line[6:8])
			}
			if got := strings.Join(days, " "); got != test.days {
				t.Errorf("busy on %s, want %s\n%s", got, test.days, s.log.String())
			}
			if warned := strings.Contains(s.log.String(), "another RANGE"); warned != test.warns {
				t.Errorf("warned: %v\n%s", warned, s.log.String())
			}
		})
	}
}
