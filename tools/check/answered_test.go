package check_test

import (
	"regexp"
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
	moved := strings.NewReplacer(":20261202T090000\nDTEND", ":20261202T110000\nDTEND", "T100000", "T120000").Replace
	second := strings.NewReplacer("FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2", "SEQUENCE:1", "SEQUENCE:2").Replace
	twice := strings.NewReplacer("FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=2").Replace
	renamed := strings.NewReplacer("SUMMARY:", "SUMMARY:No more ", "SEQUENCE:1", "SEQUENCE:2").Replace
	const harvey = "ATTENDEE:mailto:harvey.horse@example.com\n"
	own := "ORGANIZER:" + paul + "\nATTENDEE;PARTSTAT=ACCEPTED:" + paul + "\n" + his + "\n"
	single := "UID:single\nSUMMARY:Single\nDTSTART:20261203T120000Z\nDTEND:20261203T130000Z\n" + own
	type step struct{ how, lines string } // how: "paul: METHOD" to vincent, "vincent: METHOD", or "paul sends: METHOD"; and "paul, unstamped: METHOD"
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
		{"an occurrence moved by a publication", []step{{"paul: REQUEST", weekly}, {"vincent: REPLY", accepted(weekly)}, {"paul: PUBLISH", accepted(moved(alone))}}, "freebusy-countered"},
		{"answered when it is called off", []step{{"paul: REQUEST", weekly}, {"paul: CANCEL", weekly}, {"vincent: REPLY", accepted(weekly)}}, "freebusy-called-off"},
		{"an occurrence of it answered when it is called off", []step{{"paul: REQUEST", weekly}, {"paul: CANCEL", weekly}, {"vincent: REPLY", accepted(alone)}}, "freebusy-called-off"},
		{"answered without an invitation, beside others", []step{{"paul: REQUEST", single}, {"vincent: REPLY", accepted(weekly)}}, "freebusy-answered"},
		{"its organizer leaves it", []step{{"paul sends: REQUEST", bare}, {"paul sends: CANCEL", "UID:series\nORGANIZER:" + paul + "\nATTENDEE:" + paul + "\n"}}, "freebusy-left"},
		{"its organizer leaves it before it begins", []step{{"paul sends: REQUEST", strings.ReplaceAll(bare, "20261125", "20270602")}, {"paul sends: CANCEL", "UID:series\nORGANIZER:" + paul + "\nATTENDEE:" + paul + "\n"}}, ""},
		{"published as accepted, before it begins", []step{{"paul: PUBLISH", accepted(strings.ReplaceAll(weekly, "20261125", "20270602"))}}, ""},
		{"sent for the organizer, and then proposed otherwise", []step{
			{"vincent: REQUEST", strings.NewReplacer("ORGANIZER:", `ORGANIZER;SENT-BY="`+vincent+`":`, his, "ATTENDEE:"+vincent).Replace(weekly)},
			{"vincent: COUNTER", strings.Replace(weekly, his, "ATTENDEE;PARTSTAT=TENTATIVE:"+vincent, 1)},
		}, "freebusy-chosen"},
		{"sent for the organizer, who then publishes it", []step{
			{"vincent: REQUEST", strings.NewReplacer("ORGANIZER:", `ORGANIZER;SENT-BY="`+vincent+`":`, his, "ATTENDEE:"+vincent).Replace(weekly)},
			{"paul: PUBLISH", strings.Replace(weekly, "SEQUENCE:1", "SEQUENCE:2", 1)},
		}, "freebusy-chosen"},
		{"sent for the organizer, who then publishes it as accepted under another name", []step{
			{"vincent: REQUEST", strings.NewReplacer("ORGANIZER:", `ORGANIZER;SENT-BY="`+vincent+`":`, his, "ATTENDEE:"+vincent).Replace(weekly)},
			{"paul: PUBLISH", renamed(accepted(weekly))},
		}, "freebusy-chosen"},
		{"sent for the organizer, who then makes it free under another name, and then proposed otherwise", []step{
			{"vincent: REQUEST", strings.NewReplacer("ORGANIZER:", `ORGANIZER;SENT-BY="`+vincent+`":`, his, "ATTENDEE:"+vincent).Replace(weekly)},
			{"paul: REQUEST", renamed(weekly) + "TRANSP:TRANSPARENT\n"},
			{"vincent: COUNTER", strings.Replace(renamed(accepted(weekly)), "SEQUENCE:2", "SEQUENCE:3", 1)},
		}, "freebusy-chosen"},
		{"made longer under another name by a publication that does not say when it was written", []step{
			{"paul: REQUEST", twice(weekly)}, {"vincent: REPLY", accepted(twice(weekly))},
			{"paul, unstamped: PUBLISH", renamed(accepted(strings.Replace(weekly, "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=4", 1)))},
		}, "freebusy-later"},
		{"sent for the organizer at another time, and then answered as before", []step{
			{"paul: REQUEST", weekly},
			{"vincent: REQUEST", strings.NewReplacer("ORGANIZER:", `ORGANIZER;SENT-BY="`+vincent+`":`, his, "ATTENDEE:"+vincent, "ACCEPTED:"+paul, "DELEGATED:"+paul).Replace(later(weekly))},
			{"vincent: REPLY", strings.Replace(accepted(weekly), "SEQUENCE:1", "SEQUENCE:3", 1)},
		}, "freebusy-later"},
		{"invited to an occurrence, and then sent for the organizer", []step{
			{"paul: REQUEST", alone},
			{"vincent: REQUEST", strings.NewReplacer("ORGANIZER:", `ORGANIZER;SENT-BY="`+vincent+`":`, "RRULE:FREQ=WEEKLY\n", "", "SEQUENCE:1\n", "").Replace(weekly)},
		}, "request-replaced"},
		{"its organizer leaves an occurrence in which somebody stays, who leaves it all", []step{
			{"paul sends: REQUEST", weekly + harvey},
			{"paul sends: CANCEL", alone + "STATUS:CANCELLED\n"},
			{"paul sends: CANCEL", "UID:series\nORGANIZER:" + paul + "\n" + harvey},
		}, "freebusy-left"},
		{"its organizer leaves an occurrence", []step{{"paul sends: REQUEST", weekly}, {"paul sends: CANCEL", strings.Replace(alone, his+"\n", "", 1)}}, "freebusy-left"},
		{"its organizer leaves an occurrence in which somebody stays, who leaves it all later", []step{
			{"paul sends: REQUEST", weekly + harvey},
			{"paul sends: CANCEL", alone},
			{"paul sends: CANCEL", "UID:series\nORGANIZER:" + paul + "\n" + harvey},
		}, "freebusy-left"},
		{"its organizer leaves an occurrence in which somebody stays, who leaves it all in a new version", []step{
			{"paul sends: REQUEST", weekly + harvey},
			{"paul sends: CANCEL", strings.Replace(alone, "SEQUENCE:1", "SEQUENCE:3", 1)},
			{"paul sends: CANCEL", "UID:series\nSEQUENCE:2\nORGANIZER:" + paul + "\n" + harvey},
		}, "freebusy-left"},
		{"an occurrence answered, and replaced by a publication of the whole event", []step{
			{"paul: REQUEST", weekly}, {"vincent: REPLY", accepted(weekly)},
			{"paul: REQUEST", alone}, {"vincent: REPLY", accepted(alone)},
			{"paul: PUBLISH", accepted(strings.Replace(weekly, "SEQUENCE:1", "SEQUENCE:2", 1))},
		}, "freebusy-replaced"},
		{"an occurrence answered, moved, and replaced by a publication of the whole event", []step{
			{"paul: REQUEST", weekly}, {"vincent: REPLY", accepted(weekly)},
			{"paul: REQUEST", moved(alone)}, {"vincent: REPLY", accepted(moved(alone))},
			{"paul: PUBLISH", accepted(strings.Replace(weekly, "SEQUENCE:1", "SEQUENCE:3", 1))},
		}, "freebusy-replaced"},
	} {
		for _, keeps := range []string{"publish", "no", "publish, noted", "no, noted"} {
			publishes, _, isNoted := strings.Cut(keeps, ", ")
			t.Run(c.name+", "+keeps, func(t *testing.T) {
				preferences := compat.Tree{paul + "/TZID": "Europe/Oslo", vincent + "/TZID": "Europe/Oslo"}
				for _, user := range []string{paul, vincent} {
					preferences[user+"/freebusy_sharing"], preferences[user+"/freebusy_publishing"] = "share", publishes
				}
				room := compat.Room(tempDir(t))
				noted := compat.Tree{} // which recur without end, up to the end of the window
				for _, user := range []string{paul, vincent} {
					if !isNoted {
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
					who, unstamped := strings.CutSuffix(who, ", unstamped")
					handle := p.handle
					if who == "paul" {
						handle = func(message []byte) error { return p.receive(message, vincent[len("mailto:"):]) }
					}
					from := map[string]string{"paul": paul, "paul sends": paul, "vincent": vincent}[who][len("mailto:"):]
					message := scene{from: from, method: method, lines: s.lines}.message(p.now)
					if unstamped {
						message = regexp.MustCompile(`(?m)^DTSTAMP:.*\n`).ReplaceAll(message, nil)
					}
					if err := handle(message); err != nil {
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

// What is damage beside all that is not: records that nobody has taken away, and one that is another than all the rest.
func TestDamageOfWhatIsAnswered(t *testing.T) {
	const his = "ATTENDEE;PARTSTAT=NEEDS-ACTION:" + vincent
	weekly := strings.Replace(series, "ATTENDEE:"+vincent, his, 1) + "SEQUENCE:1\n"
	accepted := strings.Replace(weekly, his, "ATTENDEE;PARTSTAT=ACCEPTED:"+vincent, 1)
	sent := strings.NewReplacer("ORGANIZER:", `ORGANIZER;SENT-BY="`+vincent+`":`, his, "ATTENDEE:"+vincent).Replace(weekly)
	renamed := strings.NewReplacer("SUMMARY:", "SUMMARY:No more ").Replace
	const own = "UID:own\nSUMMARY:Own\nDTSTART:20261204T120000Z\nDTEND:20261204T130000Z\nORGANIZER:" + vincent + "\nSEQUENCE:0\n"
	const table = "store/" + vincent + "/freebusy"
	for _, c := range []struct {
		name, publishes string
		lines           string // of what vincent sends
		method          string
		damage          func(*damager)
		want            string
	}{
		{"a series that is published is lost", "publish", accepted, "REPLY", func(d *damager) { d.dropAll(table, "\tseries\t") }, "freebusy-missing"},
		{"all is lost", "no", accepted, "REPLY", func(d *damager) { d.dropAll(table, "\t") }, "freebusy-missing freebusy-missing"},
		{"one of a series that is sent for the organizer is busy", "no", sent, "REQUEST", func(d *damager) { d.replace(table, "\tORG\t\tWeekly", "\tOPAQUE\t\tWeekly") }, "freebusy-transparency"},
		{"a series of somebody else is organized", "no", accepted, "REPLY", func(d *damager) {
			d.write(table, strings.ReplaceAll(d.read(table), "\tOPAQUE\t\tWeekly", "\tORG\t\tWeekly"))
		}, "freebusy-transparency"},
		{"a series that ends lacks its end, and nobody knows when it was written", "no", strings.Replace(accepted, "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=4", 1), "REPLY", func(d *damager) {
			const name = "store/" + vincent + "/objects/series"
			d.write(name, regexp.MustCompile(`(?m)^DTSTAMP:.*\n`).ReplaceAllString(strings.Replace(d.read(name), "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=4", 1), ""))
			for strings.Count(d.read(table), "\tseries\t") > 2 {
				lines := strings.SplitAfter(d.read(table), "\n")
				d.write(table, strings.Join(lines[:len(lines)-2], ""))
			}
			d.write("store/"+vincent+"/freebusy-providers", "20270302T120000Z\n")
		}, "freebusy-window"},
		{"a series that is published is organized", "publish", renamed(accepted), "REPLY", func(d *damager) {
			d.write(table, strings.ReplaceAll(d.read(table), "\tOPAQUE\t\t", "\tORG\t\t"))
		}, "freebusy-transparency"},
	} {
		t.Run(c.name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			err := room.Furnish(&compat.Conversation{
				Preferences: compat.Tree{vincent + "/TZID": "Europe/Oslo", vincent + "/freebusy_sharing": "share", vincent + "/freebusy_publishing": c.publishes},
				Initial: compat.Tree{
					"store/" + vincent + "/objects/series":     object(weekly),
					"store/" + vincent + "/requests":           "series\t\t\n",
					"store/" + vincent + "/freebusy-providers": "20270302T120000Z\n",
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			p := newPlace(t, room)
			for _, s := range []scene{
				{from: vincent[len("mailto:"):], method: "REQUEST", lines: own}, {from: vincent[len("mailto:"):], method: c.method, lines: c.lines},
				{from: vincent[len("mailto:"):], method: "COUNTER", lines: strings.Replace(weekly, his, "ATTENDEE;PARTSTAT=TENTATIVE:"+vincent, 1)},
			} {
				if s.method == "COUNTER" && c.method != "REQUEST" {
					continue
				}
				if err := p.handle(s.message(p.now)); err != nil {
					t.Fatal(err)
				}
			}
			if r := p.check(t, check.None); r.String() != "" {
				t.Fatalf("before:\n%s", r)
			}
			c.damage(&damager{t, p})
			r := p.check(t, check.None)
			if ids := slices.DeleteFunc(r.ids(), func(id string) bool { return id == "published-differs" }); strings.Join(ids, " ") != c.want {
				t.Errorf("not %q but\n%s", c.want, r)
			}
		})
	}
}

// What recurs without end is noted, and who leaves it takes the note away as well. That tells a series that its organizer
// has left in the version in which it was sent from one whose records are lost.
func TestLeftInTheSameVersion(t *testing.T) {
	const first = "UID:series\nSEQUENCE:0\nORGANIZER:" + paul + "\nATTENDEE:" + paul + "\n"
	occurrence := strings.NewReplacer("RRULE:FREQ=WEEKLY\n", "RECURRENCE-ID;TZID=Europe/Oslo:20261202T090000\n", "20261125", "20261202").Replace(series) + "SEQUENCE:0\n"
	ofOthers := strings.Replace(series, "ATTENDEE;PARTSTAT=ACCEPTED:"+paul+"\n", "", 1) + "SEQUENCE:0\n"
	const table = "store/" + paul + "/freebusy"
	for _, c := range []struct {
		name   string
		scenes []scene
		damage func(*damager)
		want   string
	}{
		{"left", []scene{{method: "REQUEST", lines: series + "SEQUENCE:0\n"}, {method: "CANCEL", lines: first}}, nil, "freebusy-left"},
		{"left with an occurrence", []scene{{method: "REQUEST", lines: series + "SEQUENCE:0\n"}, {method: "REQUEST", lines: occurrence}, {method: "CANCEL", lines: first}}, nil, "freebusy-left freebusy-left"},
		{"lost", []scene{{method: "REQUEST", lines: ofOthers}}, func(d *damager) { d.dropAll(table, "\tseries\t") }, "freebusy-missing"},
		{"attended, and lost with its note", []scene{{method: "REQUEST", lines: series + "SEQUENCE:0\n"}}, func(d *damager) {
			d.dropAll(table, "\tseries\t")
			d.drop("store/"+paul+"/freebusy-providers", "series")
		}, "freebusy-missing provider-missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			err := room.Furnish(&compat.Conversation{
				Preferences: compat.Tree{paul + "/TZID": "Europe/Oslo"},
				Initial:     compat.Tree{"store/" + paul + "/freebusy-providers": "20270302T120000Z\n"},
			})
			if err != nil {
				t.Fatal(err)
			}
			p := newPlace(t, room)
			for i, s := range c.scenes {
				p.now = compat.Minutes(i)
				s.from = paul[len("mailto:"):]
				if err := p.handle(s.message(p.now)); err != nil {
					t.Fatal(err)
				}
			}
			if c.damage != nil {
				c.damage(&damager{t, p})
			}
			checker := p.checker(check.None)
			checker.Verbose = true
			r := run(t, checker)
			ids := r.ids()
			slices.Sort(ids)
			if strings.Join(ids, " ") != c.want {
				t.Errorf("not %q but\n%s", c.want, r)
			}
		})
	}
}
