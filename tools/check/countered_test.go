package check_test

import (
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// What a COUNTER of an attendee leaves is no finding above a note, whatever they say of taking
// part in it, and no repair changes it.
func TestCountered(t *testing.T) {
	const invited = "ATTENDEE;PARTSTAT=NEEDS-ACTION:" + vincent
	weekly := strings.Replace(series, "ATTENDEE:"+vincent, invited, 1)
	answer := func(lines, status string) string {
		lines = strings.Replace(lines, "ATTENDEE:"+vincent, invited, 1)
		return strings.Replace(lines, invited, "ATTENDEE;PARTSTAT="+status+":"+vincent, 1) + "SEQUENCE:0\n"
	}
	for _, c := range []struct {
		name  string
		steps []string // "METHOD STATUS OBJECT"
		want  string   // notes, too
	}{
		{"accepts by it", []string{"COUNTER ACCEPTED lunch"}, "freebusy-countered"},
		{"declines by it", []string{"COUNTER DECLINED lunch"}, ""},
		{"may come", []string{"COUNTER TENTATIVE lunch"}, ""},
		{"accepts, then declines by it", []string{"REPLY ACCEPTED lunch", "COUNTER DECLINED lunch"}, "freebusy-countered"},
		{"accepts, then may come", []string{"REPLY ACCEPTED lunch", "COUNTER TENTATIVE lunch"}, ""},
		{"declines, then accepts by it", []string{"REPLY DECLINED lunch", "COUNTER ACCEPTED lunch"}, "freebusy-countered"},
		{"accepts a series by it", []string{"COUNTER ACCEPTED series"}, "freebusy-countered"},
		{"accepts a series, then declines it by it", []string{"REPLY ACCEPTED series", "COUNTER DECLINED series"}, "freebusy-countered"},
		{"accepts a series, and another time of one occurrence by it", []string{"REPLY ACCEPTED series", "COUNTER ACCEPTED moved"}, "freebusy-countered"},
		{"accepts a series, and declines one occurrence by it", []string{"REPLY ACCEPTED series", "COUNTER DECLINED moved"}, "freebusy-countered"},
		{"accepts an occurrence, then declines it by it", []string{"REPLY ACCEPTED series", "REPLY ACCEPTED moved", "COUNTER DECLINED moved"}, "freebusy-countered"},
		{"declines an occurrence, then accepts it by it", []string{"REPLY ACCEPTED series", "REPLY DECLINED moved", "COUNTER ACCEPTED moved"}, "freebusy-countered"},
	} {
		for _, publishes := range []string{"publish", "no"} {
			t.Run(c.name+", "+publishes, func(t *testing.T) {
				room := compat.Room(tempDir(t))
				err := room.Furnish(&compat.Conversation{
					Preferences: compat.Tree{vincent + "/freebusy_sharing": "share", vincent + "/freebusy_publishing": publishes},
					Initial: compat.Tree{
						"store/" + vincent + "/objects/lunch":      object(lunch + "SEQUENCE:0\n"),
						"store/" + vincent + "/objects/series":     object(weekly + "SEQUENCE:0\n"),
						"store/" + vincent + "/requests":           "lunch\t\t\nseries\t\t\n",
						"store/" + vincent + "/freebusy-providers": "20270302T120000Z\t\n",
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				p := newPlace(t, room)
				if r := p.check(t, check.None); r.String() != "" {
					t.Fatalf("before:\n%s", r)
				}
				for _, step := range c.steps {
					words := strings.Fields(step)
					lines := map[string]string{"lunch": proposed, "series": series, "moved": moved}[words[2]]
					if step == "REPLY ACCEPTED lunch" || step == "REPLY DECLINED lunch" {
						lines = lunch
					}
					lines = strings.Replace(lines, "PARTSTAT=TENTATIVE", "PARTSTAT=NEEDS-ACTION", 1)
					s := scene{from: "vincent.vole@example.com", method: words[0], lines: answer(lines, words[1])}
					if err := p.handle(s.message(p.now)); err != nil {
						t.Fatal(err)
					}
				}
				made := snapshot(t, room)
				checker := p.checker(check.All)
				checker.Verbose = true
				r := run(t, checker)
				if strings.Join(r.ids(), " ") != c.want || slices.ContainsFunc(r.findings, func(f check.Finding) bool { return f.Kind.Severity > check.Note }) {
					t.Errorf("not %q but\n%s", c.want, r)
				}
				if paths := changed(made, snapshot(t, room)); len(paths) > 0 {
					t.Errorf("changed: %q", paths)
				}
			})
		}
	}
}

// A REQUEST for a whole event takes what is stored of its occurrences away, and leaves their
// entries in the queue.
func TestReplacedOccurrence(t *testing.T) {
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	d := damager{t, p}
	d.write(pauls+"requests", d.read(pauls+"requests")+"series\t20261202T080000Z\tCOUNTER\nseries\t20261216T080000Z\t\n")
	d.remove(pauls + "recurrences/series")
	again := scene{from: "paul.boddie@example.com", method: "REQUEST", lines: series + "SEQUENCE:2\n"}
	if err := p.handle(again.message(p.now)); err != nil {
		t.Fatal(err)
	}
	checker := p.checker(check.None)
	checker.Verbose = true
	r := run(t, checker)
	i := slices.IndexFunc(r.findings, func(f check.Finding) bool { return f.Kind.ID == "request-replaced" })
	if i < 0 || strings.Contains(r.findings[i].Text, "not stored,") || r.findings[i].Kind.Severity != check.Note {
		t.Errorf("found:\n%s", r)
	}
}

// The occurrences of an event that is called off as a whole, or that an update makes recur no
// more, keep their entries in the queue, too.
func TestOccurrencesGone(t *testing.T) {
	single := strings.Replace(series, "RRULE:FREQ=WEEKLY\n", "", 1)
	for name, s := range map[string]scene{
		"called off":     {from: "paul.boddie@example.com", method: "CANCEL", lines: series + "SEQUENCE:2\n"},
		"recurs no more": {from: "paul.boddie@example.com", method: "REQUEST", lines: single + "SEQUENCE:2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			makeOurs(t, room)
			p := newPlace(t, room)
			p.now = healthyTime
			d := damager{t, p}
			d.write(pauls+"requests", d.read(pauls+"requests")+"series\t20261216T080000Z\t\n")
			if err := p.handle(s.message(p.now)); err != nil {
				t.Fatal(err)
			}
			checker := p.checker(check.None)
			checker.Verbose = true
			r := run(t, checker)
			for _, f := range r.findings {
				if f.ID.UID == "series" && strings.HasPrefix(f.Kind.ID, "request-") && f.Kind.ID != "request-replaced" {
					t.Errorf("found:\n%s", r)
				}
			}
			if !slices.Contains(r.ids(), "request-replaced") {
				t.Errorf("found:\n%s", r)
			}
		})
	}
}

// A CANCEL takes what was proposed otherwise for the event that it names away, and not what was
// for occurrences of it; and others can propose what was called off before.
func TestCounteredOccurrencesGone(t *testing.T) {
	const queued = "series\t20261216T080000Z\tCOUNTER\n"
	const proposal = pauls + "counters/recurrences/series/20261216T080000Z/" + vincent
	occurrence := strings.Replace(strings.Replace(series, "RRULE:FREQ=WEEKLY\n", "RECURRENCE-ID:20261216T080000Z\n", 1), "20261125", "20261216", 2)
	for _, c := range []struct {
		name  string
		lines string
		late  bool // the proposal comes after the CANCEL
		drop  bool // and is lost
		want  string
	}{
		{"the series", series, false, false, "counter-left request-replaced"},
		{"the occurrence", occurrence, false, false, ""},
		{"the occurrence before", occurrence, true, false, "counter-left request-replaced"},
		{"the series, and there is none", series, false, true, "request-orphan"},
	} {
		t.Run(c.name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			makeOurs(t, room)
			p := newPlace(t, room)
			p.now = healthyTime
			d := damager{t, p}
			propose := func() {
				d.write(pauls+"requests", d.read(pauls+"requests")+queued)
				d.write(proposal, object(occurrence))
			}
			if !c.late {
				propose()
			}
			s := scene{from: "paul.boddie@example.com", method: "CANCEL", lines: c.lines + "SEQUENCE:2\n"}
			if err := p.handle(s.message(p.now)); err != nil {
				t.Fatal(err)
			}
			if c.late {
				propose()
			}
			if c.drop {
				d.remove(proposal)
			}
			checker := p.checker(check.None)
			checker.Verbose = true
			r := run(t, checker)
			r.findings = slices.DeleteFunc(r.findings, func(f check.Finding) bool {
				return f.ID.RecurrenceID != "20261216T080000Z" || f.Kind.ID == "file-mode" || f.Kind.ID == "file-group"
			})
			if strings.Join(r.ids(), " ") != c.want {
				t.Errorf("not %q but\n%s", c.want, r)
			}
		})
	}
}
