package check_test

import (
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// What arrives, or is answered when it is too late, changes an event and not when its user is busy, or the reverse. That is
// no finding above a note, and no repair changes it.
func TestUnanswered(t *testing.T) {
	const his = "ATTENDEE;PARTSTAT=NEEDS-ACTION:" + vincent
	weekly := strings.Replace(series, "ATTENDEE:"+vincent, his, 1) + "SEQUENCE:1\n"
	bare := strings.Replace(weekly, "SEQUENCE:1\n", "", 1)
	alone := strings.Replace(strings.Replace(weekly, "RRULE:FREQ=WEEKLY\n", "RECURRENCE-ID;TZID=Europe/Oslo:20261202T090000\n", 1), "20261125", "20261202", 2)
	accepted := func(text string) string { return strings.ReplaceAll(text, his, "ATTENDEE;PARTSTAT=ACCEPTED:"+vincent) }
	declined := func(text string) string {
		return strings.ReplaceAll(text, his, "ATTENDEE;PARTSTAT=DECLINED:"+vincent)
	}
	later := strings.NewReplacer("T090000", "T110000", "T100000", "T120000", "SEQUENCE:1", "SEQUENCE:2").Replace
	second := strings.NewReplacer("FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2", "SEQUENCE:1", "SEQUENCE:2").Replace
	own := "ORGANIZER:" + paul + "\nATTENDEE;PARTSTAT=ACCEPTED:" + paul + "\n" + his + "\n"
	single := "UID:single\nSUMMARY:Single\nDTSTART:20261203T120000Z\nDTEND:20261203T130000Z\n" + own
	type step struct{ how, lines string } // how: "paul: METHOD" to vincent, "vincent: METHOD", or "paul sends: METHOD"
	for _, c := range []struct {
		name  string
		steps []step
		want  string // notes, too
	}{
		{"published as accepted", []step{{"paul: PUBLISH", accepted(weekly)}}, "freebusy-countered"},
		{"invited as accepted, and published anew", []step{{"paul: REQUEST", accepted(weekly)}, {"vincent: REPLY", declined(weekly)}, {"paul: PUBLISH", accepted(later(weekly))}}, "freebusy-countered"},
		{"moved by a publication", []step{{"paul: REQUEST", weekly}, {"vincent: REPLY", accepted(weekly)}, {"paul: PUBLISH", accepted(later(weekly))}}, "freebusy-later"},
		{"moved by a publication without SEQUENCE", []step{{"paul: REQUEST", bare}, {"vincent: REPLY", accepted(bare)}, {"paul: PUBLISH", accepted(later(bare))}}, "freebusy-later"},
		{"made rarer by a publication", []step{{"paul: REQUEST", weekly}, {"vincent: REPLY", accepted(weekly)}, {"paul: PUBLISH", accepted(second(weekly))}}, "freebusy-later"},
		{"made more frequent by a publication", []step{{"paul: REQUEST", second(weekly)}, {"vincent: REPLY", accepted(second(weekly))}, {"paul: PUBLISH", accepted(strings.Replace(weekly, "SEQUENCE:1", "SEQUENCE:3", 1))}}, "freebusy-absent"},
		{"moved by an update that waits", []step{{"paul: REQUEST", weekly}, {"vincent: REPLY", accepted(weekly)}, {"paul: REQUEST", accepted(later(weekly))}}, ""},
		{"declined by the organizer's word", []step{{"paul: REQUEST", weekly}, {"vincent: REPLY", accepted(weekly)}, {"paul: PUBLISH", declined(later(weekly))}}, "freebusy-countered"},
		{"an occurrence published as accepted", []step{{"paul: PUBLISH", accepted(alone)}}, "recurrence-alone"},
		{"an occurrence moved by a publication", []step{{"paul: REQUEST", weekly}, {"vincent: REPLY", accepted(weekly)}, {"paul: PUBLISH", accepted(strings.NewReplacer(":20261202T090000\nDTEND", ":20261202T110000\nDTEND", "T100000", "T120000").Replace(alone))}}, "freebusy-countered"},
		{"answered when it is called off", []step{{"paul: REQUEST", weekly}, {"paul: CANCEL", weekly}, {"vincent: REPLY", accepted(weekly)}}, "freebusy-called-off"},
		{"an occurrence of it answered when it is called off", []step{{"paul: REQUEST", weekly}, {"paul: CANCEL", weekly}, {"vincent: REPLY", accepted(alone)}}, "freebusy-called-off"},
		{"answered without an invitation, beside others", []step{{"paul: REQUEST", single}, {"vincent: REPLY", accepted(weekly)}}, "freebusy-answered"},
		{"its organizer leaves it", []step{{"paul sends: REQUEST", bare}, {"paul sends: CANCEL", "UID:series\nORGANIZER:" + paul + "\nATTENDEE:" + paul + "\n"}}, "freebusy-left"},
		{"its organizer leaves it before it begins", []step{{"paul sends: REQUEST", strings.ReplaceAll(bare, "20261125", "20270602")}, {"paul sends: CANCEL", "UID:series\nORGANIZER:" + paul + "\nATTENDEE:" + paul + "\n"}}, ""},
		{"published as accepted, before it begins", []step{{"paul: PUBLISH", accepted(strings.ReplaceAll(weekly, "20261125", "20270602"))}}, ""},
		{"its organizer leaves an occurrence", []step{{"paul sends: REQUEST", weekly}, {"paul sends: CANCEL", strings.Replace(alone, his+"\n", "", 1)}}, "freebusy-left"},
	} {
		for _, publishes := range []string{"publish", "no"} {
			t.Run(c.name+", "+publishes, func(t *testing.T) {
				preferences := compat.Tree{paul + "/TZID": "Europe/Oslo", vincent + "/TZID": "Europe/Oslo"}
				for _, user := range []string{paul, vincent} {
					preferences[user+"/freebusy_sharing"], preferences[user+"/freebusy_publishing"] = "share", publishes
				}
				room := compat.Room(tempDir(t))
				noted := compat.Tree{} // which recur without end, up to the end of the window
				for _, user := range []string{paul, vincent} {
					if !strings.HasSuffix(c.name, "before it begins") {
						continue
					}
					noted["store/"+user+"/freebusy-providers"] = "20270302T120000Z\n"
				}
				if err := room.Furnish(&compat.Conversation{Preferences: preferences, Initial: noted}); err != nil {
					t.Fatal(err)
				}
				p := newPlace(t, room)
				for i, s := range c.steps {
					p.now = compat.Minutes(i)
					who, method, _ := strings.Cut(s.how, ": ")
					handle := p.handle
					if who == "paul" {
						handle = func(message []byte) error { return p.receive(message, vincent[len("mailto:"):]) }
					}
					from := map[string]string{"paul": paul, "paul sends": paul, "vincent": vincent}[who][len("mailto:"):]
					if err := handle(scene{from: from, method: method, lines: s.lines}.message(p.now)); err != nil {
						t.Fatal(err)
					}
				}
				made := snapshot(t, room)
				checker := p.checker(check.All)
				checker.Verbose = true
				r := run(t, checker)
				if ids := slices.Compact(r.ids()); strings.Join(ids, " ") != c.want || slices.ContainsFunc(r.findings, func(f check.Finding) bool { return f.Kind.Severity > check.Note }) {
					t.Errorf("not %q but\n%s", c.want, r)
				}
				if paths := changed(made, snapshot(t, room)); len(paths) > 0 {
					t.Errorf("changed: %q", paths)
				}
			})
		}
	}
}
