package cases

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
)

// wanted is what is right of a case.
type wanted struct {
	name   string
	why    string
	files  map[string]string // in T before
	status []int             // of each command; nil: 0
	store  string            // see outcome.store
	busy   string            // see outcome.busy; instead of store, where files can be as they are
	warns  string            // what is logged as unusual, in part; empty: nothing is; maybe: it matters not
	aside  string            // why it is put aside, in part; empty: nothing is
	also   func(*outcome)
}

const maybe = "maybe"

// wrong are the cases that are not right yet. Whoever mends one takes it out here.
var wrong []string

func TestCases(t *testing.T) {
	dirs, err := os.ReadDir(shared)
	if err != nil {
		skip.Because(t, "the cases are not beside the module")
	}
	programs := build(t)
	tested := make(map[string]bool)
	for _, c := range rightOf {
		tested[c.name] = true
	}
	for _, d := range dirs {
		if d.IsDir() && !tested[d.Name()] {
			t.Errorf("%s: nothing says what is right of it", d.Name())
		}
	}
	for _, c := range rightOf {
		name := c.name
		if c.why != "" {
			name += " " + c.why
		}
		t.Run(name, func(t *testing.T) {
			faults := c.faults(run(t, programs, c.name, c.files))
			known := slices.Contains(wrong, name)
			switch {
			case known && len(faults) == 0:
				t.Errorf("it is right: take it out of the list of those that are wrong")
			case !known && len(faults) > 0:
				t.Error(strings.Join(faults, "\n"))
			}
		})
	}
}

// faults says what is wrong with an outcome.
func (c wanted) faults(o *outcome) (faults []string) {
	fault := func(what, diff string) {
		if diff != "" {
			faults = append(faults, what+" (-want +got)\n"+diff)
		}
	}
	status := c.status
	if status == nil {
		status = make([]int, len(o.status))
	}
	fault("status", cmp.Diff(status, o.status))
	if c.busy != "" {
		fault("free/busy", cmp.Diff(strings.TrimSpace(c.busy), o.busy()))
	} else {
		fault("store", cmp.Diff(strings.TrimSpace(c.store), o.store()))
	}
	for _, said := range []struct{ what, want, got string }{{"warnings", c.warns, o.warnings()}, {"put aside", c.aside, o.aside()}} {
		if said.want == maybe {
			continue
		}
		if (said.want == "") != (said.got == "") || !strings.Contains(said.got, said.want) {
			fault(said.what, cmp.Diff(said.want, said.got))
		}
	}
	if c.also != nil {
		c.also(o)
	}
	return append(faults, o.faults...)
}

// has notes that a text lacks lines, or has lines that it must not have (after "!").
func (o *outcome) has(path string, lines ...string) {
	text := "\n" + o.read(path) + "\n"
	for _, line := range lines {
		line, not := strings.CutPrefix(line, "!")
		if found, _ := regexp.MatchString(`(?m)^`+line+`$`, text); found == not {
			o.fault("%s: the line %q is there: %t\n%s", path, line, found, text)
		}
	}
}

// exported returns all that was exported, unfolded.
func (o *outcome) exported() string {
	var all strings.Builder
	filepath.WalkDir(filepath.Join(o.dir, "out"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".ics") {
			name, _ := filepath.Rel(o.dir, path)
			all.WriteString(o.read(name))
		}
		return err
	})
	return all.String()
}

// says notes that a command has not said something.
func (o *outcome) says(command int, text string) {
	if all := o.stdout[command] + o.stderr[command]; !strings.Contains(all, text) {
		o.fault("command %d has not said %q:\n%s", command+1, text, all)
	}
}

// readable notes what the original cannot read, where it is installed.
func (o *outcome) readable() {
	dir, ok := compat.FindPeer()
	if !ok {
		return
	}
	peer, err := compat.StartPeer(dir)
	if err != nil {
		o.t.Fatal(err)
	}
	defer peer.Close()
	_, problems, err := peer.Read(filepath.Join(o.dir, "store"))
	if err != nil {
		o.t.Fatal(err)
	}
	for _, problem := range problems {
		o.fault("the original cannot read this: %s", problem)
	}
}

// The preference that Ann has for a zone.
func zone(name string) map[string]string {
	return map[string]string{"prefs/mailto:ann@example.com/TZID": name}
}

const (
	annE1  = "store/mailto:ann@example.com/objects/e1@example.com"
	bobE1  = "store/mailto:bob@example.com/objects/e1@example.com"
	oneDay = "ann freebusy 20250310T0800-0900 e1 OPAQUE\nann objects/e1"
	bobDay = "bob freebusy 20250310T0800-0900 e1 OPAQUE\nbob objects/e1"
	noErr  = "no errors found"

	bobTakesPart = `ATTENDEE(;.*)?;PARTSTAT=ACCEPTED(;.*)?:mailto:bob@example\.com`
)

var rightOf = []wanted{
	{name: "02-rid-floating", warns: maybe, store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250311T1400-1500 e1 20250311T090000 OPAQUE
ann freebusy 20250312T0800-0900 e1 OPAQUE
ann freebusy 20250313T0800-0900 e1 OPAQUE
ann objects/e1
ann recurrences/e1/20250311T090000`},
	{name: "04-rid-utc-alone", store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250311T1400-1500 e1 20250311T080000Z OPAQUE
ann freebusy 20250312T0800-0900 e1 OPAQUE
ann freebusy 20250313T1600-1700 e1 20250313T080000Z OPAQUE
ann objects/e1
ann recurrences/e1/20250311T080000Z
ann recurrences/e1/20250313T080000Z`},
	{name: "06-exdate-allday-zone", warns: maybe, why: "UTC", files: zone("UTC"), store: daysWithoutTheTwelfthUTC},
	{name: "06-exdate-allday-zone", warns: maybe, why: "New York", files: zone("America/New_York"), store: daysWithoutTheTwelfthNewYork},
	{name: "06-exdate-allday-zone", warns: maybe, why: "Oslo", files: zone("Europe/Oslo"), store: daysWithoutTheTwelfthOslo},
	{name: "07-exdate-allday-floating", why: "UTC", files: zone("UTC"), store: daysWithoutTheTwelfthUTC},
	{name: "07-exdate-allday-floating", why: "New York", files: zone("America/New_York"), store: daysWithoutTheTwelfthNewYork},
	{name: "07-exdate-allday-floating", why: "Oslo", files: zone("Europe/Oslo"), store: daysWithoutTheTwelfthOslo},
	{name: "09-exdate-date-on-timed", store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250311T0800-0900 e1 OPAQUE
ann freebusy 20250313T0800-0900 e1 OPAQUE
ann objects/e1`},
	{name: "12-until-date-on-timed", store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250310T0800-0900 e2 OPAQUE
ann freebusy 20250311T0800-0900 e2 OPAQUE
ann freebusy 20250312T0800-0900 e2 OPAQUE
ann objects/e1
ann objects/e2`},
	{name: "13-until-local-time", store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250311T0800-0900 e1 OPAQUE
ann freebusy 20250312T0800-0900 e1 OPAQUE
ann objects/e1`},
	{name: "14-until-before-start", store: `ann objects/e1`},
	{name: "16-bysetpos-until-date", store: `
ann freebusy 20230430T0000-20230501T0000 e1 OPAQUE
ann freebusy 20230430T0000-20230501T0000 e2 OPAQUE
ann freebusy 20240428T0000-20240429T0000 e2 OPAQUE
ann freebusy 20250427T0000-20250428T0000 e2 OPAQUE
ann objects/e1
ann objects/e2`},
	{name: "17-count-and-until", store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250311T0800-0900 e1 OPAQUE
ann objects/e1`},
	{name: "19-thisandfuture-cancel", warns: maybe, busy: `ann freebusy 20250310T0800-0900 e1 OPAQUE`},
	{name: "20-exrule", warns: maybe, busy: `
ann freebusy 20250311T0800-0900 e1 OPAQUE
ann freebusy 20250313T0800-0900 e1 OPAQUE`},
	{name: "23-duration-zero-days", store: `
ann freebusy 20250310T0900-1000 e1 OPAQUE
ann objects/e1`},
	{name: "24-date-start-time-end", store: `
ann freebusy 20240101T0000-050001Z e1 OPAQUE
ann freebusy 20250101T0000-050001Z e1 OPAQUE
ann objects/e1`},
	{name: "26-allday-same-end", warns: maybe, store: `
ann freebusy 20250310T0000-20250311T0000 e1 OPAQUE
ann freebusy 20250317T0000-20250318T0000 e1 OPAQUE
ann objects/e1`},
	{name: "27-no-end", store: `
ann freebusy 20250310T0000-20250311T0000 e1 OPAQUE
ann freebusy 20250310T0900-0900 e2 OPAQUE
ann objects/e1
ann objects/e2`},
	{name: "28-vtimezone-without-offset-from", store: `
ann freebusy 20250709T2300-20250710T0000 e1 OPAQUE
ann objects/e1`},
	{name: "30-vtimezone-lapsed", store: `
ann freebusy 20250115T1200-1300 e1 OPAQUE
ann objects/e1`, also: func(o *outcome) { o.has(annE1, "DTSTART;TZID=America/Montevideo:20250115T090000") }},
	{name: "31-zone-names", busy: `
ann freebusy 20250710T0700-0800 z0 OPAQUE
ann freebusy 20250710T0700-0800 z1 OPAQUE
ann freebusy 20250710T0700-0800 z5 OPAQUE
ann freebusy 20250710T0700-0800 z6 OPAQUE
ann freebusy 20250710T0700-0800 z8 OPAQUE
ann freebusy 20250710T0900-1000 z4 OPAQUE
ann freebusy 20250710T1000-1100 z7 OPAQUE
ann freebusy 20250710T1300-1400 z2 OPAQUE
ann freebusy 20250710T1300-1400 z3 OPAQUE`},
	{name: "34-tzid-as-property", store: `
ann freebusy 20250805T0600-0700 e1 OPAQUE
ann objects/e1`},
	{name: "35-reply-without-rule", warns: maybe, store: `
bob freebusy 20250310T0800-0900 e1 OPAQUE
bob freebusy 20250311T0800-0900 e1 OPAQUE
bob freebusy 20250312T0800-0900 e1 OPAQUE
bob freebusy 20250313T0800-0900 e1 OPAQUE
bob objects/e1`, also: func(o *outcome) { o.has(bobE1, bobTakesPart, "RRULE:.*COUNT=4.*") }},
	{name: "37-reply-occurrence-without-times", warns: maybe, busy: `
bob freebusy 20250310T0800-0900 e1 OPAQUE
bob freebusy 20250312T0800-0900 e1 OPAQUE
bob freebusy 20250313T0800-0900 e1 OPAQUE`, also: func(o *outcome) {
		o.has("store/mailto:bob@example.com/recurrences/e1@example.com/20250311T080000Z", `ATTENDEE(;.*)?;PARTSTAT=DECLINED(;.*)?:mailto:bob@example\.com`)
	}},
	{name: "39-reply-without-organizer", store: bobDay, also: func(o *outcome) { o.has(bobE1, bobTakesPart) }},
	{name: "40-reply-from-domain-case", store: bobDay, also: func(o *outcome) { o.has(bobE1, bobTakesPart) }},
	{name: "43-cancel-occurrence", store: withoutTheEleventh},
	{name: "44-request-cancelled-occurrence", store: withoutTheEleventh},
	{name: "47-reply-rdate", busy: `bob freebusy 20250320T0800-0900 e1 20250320T080000Z OPAQUE`, also: func(o *outcome) {
		o.has("store/mailto:bob@example.com/recurrences/e1@example.com/20250320T080000Z", bobTakesPart)
	}},
	{name: "48-cancel-one-attendee", store: oneDay, also: func(o *outcome) {
		o.has(annE1, "!ATTENDEE.*bob@example.com", "ATTENDEE.*ann@example.com", "SEQUENCE:1")
	}},
	{name: "50-parameter-broken-quotes", store: bobDay, warns: "ATTENDEE: parameter", also: func(o *outcome) { o.has(bobE1, bobTakesPart) }},
	{name: "53-name-comma-unquoted", store: bobDay, also: func(o *outcome) { o.has(bobE1, bobTakesPart) }},
	{name: "54-text-noncharacters", store: oneDay, also: func(o *outcome) {
		o.has(annE1, "DESCRIPTION:again")
		if text := o.exported(); !strings.Contains(text, "DESCRIPTION:again\n") || regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f]`).MatchString(text) {
			o.fault("exported: %q", text)
		}
	}},
	{name: "56-fold-in-character", store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250310T0800-0900 e2 OPAQUE
ann objects/e1
ann objects/e2`, also: func(o *outcome) {
		o.has(annE1, "SUMMARY:ø+")
		o.has(strings.Replace(annE1, "e1", "e2", 1), "SUMMARY:ø+")
	}},
	{name: "58-created-year-0", store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250310T0800-0900 e2 ORG
ann objects/e1
ann objects/e2`},
	{name: "59-created-garbage", store: oneDay},
	{name: "60-import-without-uid", status: []int{3}, store: `
ann freebusy 20250310T0800-0900 e1 ORG
ann objects/e1`, also: func(o *outcome) {
		o.says(0, "an event without UID")
		o.says(0, "1 VTODO")
	}},
	{name: "61-import-bad-among-good", status: []int{3}, store: `
ann freebusy 20250310T0800-0900 e1 ORG
ann freebusy 20250310T0800-0900 e2 ORG
ann objects/e1
ann objects/e2`, also: func(o *outcome) { o.says(0, `"bad@example.com": it has no readable DTSTART`) }},
	{name: "63-import-one-uid-twice", status: []int{3}, store: `
ann freebusy 20250401T0900-1000 e1 ORG
ann objects/e1`, also: func(o *outcome) { o.says(0, `"Talk" at 20250310T090000 in in/a.ics is left out`) }},
	{name: "64-vdir-names", busy: nineUIDs(), also: func(o *outcome) {
		names := make(map[string]bool)
		filepath.WalkDir(filepath.Join(o.dir, "out"), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && strings.HasSuffix(path, ".ics") {
				names[filepath.Base(path)] = true
				if strings.HasPrefix(entry.Name(), ".") {
					o.fault("%s is hidden", path)
				}
			}
			return err
		})
		if n := strings.Count(o.exported(), "BEGIN:VCALENDAR"); n != 9 || len(names) != 9 {
			o.fault("%d calendars in %d files", n, len(names))
		}
		if entries, err := os.ReadDir(filepath.Dir(o.dir)); err != nil || len(entries) != 3 {
			o.fault("outside of T: %v %v", entries, err)
		}
	}},
	{name: "65-export-override-zone", busy: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250311T1400-1500 e1 20250311T080000Z OPAQUE
ann freebusy 20250312T0800-0900 e1 OPAQUE
ann freebusy 20250313T0800-0900 e1 OPAQUE`, also: func(o *outcome) {
		if text := o.exported(); !strings.Contains(text, "RECURRENCE-ID;TZID=Europe/Oslo:20250311T090000\n") && !strings.Contains(text, "RECURRENCE-ID:20250311T080000Z\n") {
			o.fault("exported: %s", text)
		}
	}},
	{name: "67-export-zone-definitions", store: `
ann freebusy 20250710T0700-0800 e1 OPAQUE
ann freebusy 20250710T1300-1400 e2 OPAQUE
ann objects/e1
ann objects/e2`, also: func(o *outcome) {
		text := o.exported()
		for line, want := range map[string]bool{"TZID:Europe/Oslo": true, "TZID:America/New_York": true, "BEGIN:VTIMEZONE": true, "METHOD:REQUEST": false} {
			if strings.Contains(text, line+"\n") != want {
				o.fault("exported, %s wanted %t: %s", line, want, text)
			}
		}
	}},
	{name: "69-footer-in-the-part", store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250310T0800-0900 e2 OPAQUE
ann freebusy 20250310T0800-0900 e3 OPAQUE
ann objects/e1
ann objects/e2
ann objects/e3`, also: func(o *outcome) {
		for _, uid := range []string{"e1", "e2", "e3"} {
			o.has(strings.Replace(annE1, "e1", uid, 1), "!.*(CONFIDENTIAL|scanned|team).*", "END:VEVENT")
		}
	}},
	{name: "70-method-only-inside"},
	{name: "72-smime-signed", store: oneDay},
	{name: "73-winmail-dat", store: oneDay},
	{name: "75-indented-begin", warns: "rejected", aside: "BEGIN:VEVENT"},
	{name: "76-international-sender", store: `
ånn@bücher.example freebusy 20250310T0800-0900 e1 OPAQUE
ånn@bücher.example objects/e1`},
	{name: "77-from-and-sender", store: oneDay},
	{name: "78-attendee-without-mail", store: `ann objects/e1`, warns: "ATTENDEE"},
	{name: "81-no-room-to-write", status: []int{0, 75, 0}, store: `
ann freebusy 20250320T0900-1000 e1 OPAQUE
ann objects/e1`, also: func(o *outcome) { o.says(1, "4.3.0 ") }},
	{name: "82-store-out-of-reach", status: []int{75}, also: func(o *outcome) {
		o.says(0, "/proc/none")
		if strings.Count(o.stderr[0], "\n") != 1 || !strings.HasPrefix(o.stderr[0], "4.3.0 ") {
			o.fault("standard error: %q", o.stderr[0])
		}
	}},
	{name: "83-umask", store: oneDay, also: func(o *outcome) {
		filepath.WalkDir(filepath.Join(o.dir, "store"), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o660)
			if entry.IsDir() {
				want = fs.ModeDir | fs.ModeSetgid | 0o770
			}
			if info.Mode() != want {
				o.fault("%s has mode %v", path, info.Mode())
			}
			return nil
		})
	}},
	{name: "86-override-with-rule", store: `
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250311T1400-1500 e1 20250311T080000Z OPAQUE
ann freebusy 20250312T0800-0900 e1 OPAQUE
ann freebusy 20250313T0800-0900 e1 OPAQUE
ann objects/e1
ann recurrences/e1/20250311T080000Z`, warns: "RRULE", also: func(o *outcome) {
		o.has("store/mailto:ann@example.com/recurrences/e1@example.com/20250311T080000Z", "!RRULE.*", "RECURRENCE-ID.*")
	}},
	{name: "90-declinecounter-no-dtstart", files: map[string]string{
		"store/mailto:olga@first.example/objects/planning-1@first.example":                                      planning(),
		"store/mailto:olga@first.example/counters/objects/planning-1@first.example/mailto:peter@second.example": planning(),
		"store/mailto:olga@first.example/freebusy":                                                              "20261207T100000Z\t20261207T110000Z\tplanning-1@first.example\tOPAQUE\t\tPlanning\tmailto:olga@first.example\n",
	}, store: `
olga@first.example freebusy 20261207T1000-1100 planning-1@first.example OPAQUE
olga@first.example objects/planning-1@first.example`, also: func(o *outcome) { o.says(1, noErr) }},
	{name: "91-duration-p1dt", warns: maybe, store: `
olga@first.example freebusy 20261207T1000-20261208T1000 planning-3@first.example OPAQUE
olga@first.example objects/planning-3@first.example`, also: func(o *outcome) {
		o.has("store/mailto:olga@first.example/objects/planning-3@first.example", "DURATION:P1D")
		o.says(1, noErr)
	}},
	{name: "92-property-named-vevent", warns: maybe, store: `
olga@first.example freebusy 20261207T1000-1100 planning-2@first.example OPAQUE
olga@first.example objects/planning-2@first.example`, also: func(o *outcome) {
		o.has("store/mailto:olga@first.example/objects/planning-2@first.example", "!VEVENT.*", ".*62", "SUMMARY:Planning")
		o.says(1, noErr)
		o.readable()
	}},
	{name: "93-hourly-overlap-limit", warns: "more periods than are recorded", busy: `
olga@first.example freebusy 20261122T0400-1300 watch-1@first.example ORG
olga@first.example freebusy 20270302T1200-2100 watch-1@first.example ORG
olga@first.example freebusy 2409 of watch-1@first.example`, also: func(o *outcome) { o.says(1, noErr) }},
	{name: "94-end-without-zone", warns: maybe, why: "UTC", files: zoneOfOlga("UTC"), store: olgaAtSix, also: func(o *outcome) { o.says(1, noErr) }},
	{name: "94-end-without-zone", warns: maybe, why: "New York", files: zoneOfOlga("America/New_York"), store: olgaAtSix, also: func(o *outcome) { o.says(1, noErr) }},
	{name: "95-unreadable-dtend", warns: "DTEND", store: `
olga@first.example freebusy 20261207T1000-1000 planning-5@first.example OPAQUE
olga@first.example objects/planning-5@first.example`, also: func(o *outcome) { o.says(1, noErr) }},
	{name: "96-duplicate-description", store: `
olga@first.example freebusy 20261207T1000-1100 planning-7@first.example OPAQUE
olga@first.example objects/planning-7@first.example`, also: func(o *outcome) {
		o.has("store/mailto:olga@first.example/objects/planning-7@first.example",
			`DESCRIPTION:Agenda: one\.`, `DESCRIPTION:Dial-in: two\.`, "LOCATION:Room 1", "LOCATION:Building 2", "URL:https://a.example/", "URL:https://b.example/")
		o.says(1, noErr)
		o.readable()
	}},
	{name: "97-zone-two-eras", warns: maybe, store: `
olga@first.example freebusy 20270314T0600-0630 planning-8@first.example OPAQUE
olga@first.example objects/planning-8@first.example`, also: func(o *outcome) {
		o.has("store/mailto:olga@first.example/objects/planning-8@first.example", "DTSTART;TZID=America/New_York:20270314T010000")
		o.says(1, noErr)
	}},
	{name: "98-old-occurrence-after-cancel", store: `olga@first.example cancellations/objects/weekly-1@first.example`, also: func(o *outcome) { o.says(3, noErr) }},
}

const (
	daysWithoutTheTwelfthUTC = `
ann freebusy 20250310T0000-20250311T0000 e1 OPAQUE
ann freebusy 20250311T0000-20250312T0000 e1 OPAQUE
ann freebusy 20250313T0000-20250314T0000 e1 OPAQUE
ann objects/e1`
	daysWithoutTheTwelfthNewYork = `
ann freebusy 20250310T0400-20250311T0400 e1 OPAQUE
ann freebusy 20250311T0400-20250312T0400 e1 OPAQUE
ann freebusy 20250313T0400-20250314T0400 e1 OPAQUE
ann objects/e1`
	daysWithoutTheTwelfthOslo = `
ann freebusy 20250309T2300-20250310T2300 e1 OPAQUE
ann freebusy 20250310T2300-20250311T2300 e1 OPAQUE
ann freebusy 20250312T2300-20250313T2300 e1 OPAQUE
ann objects/e1`
	withoutTheEleventh = `
ann cancellations/recurrences/e1/20250311T080000Z
ann freebusy 20250310T0800-0900 e1 OPAQUE
ann freebusy 20250312T0800-0900 e1 OPAQUE
ann freebusy 20250313T0800-0900 e1 OPAQUE
ann objects/e1`
	olgaAtSix = `
olga@first.example freebusy 20261207T1700-1800 planning-9@first.example OPAQUE
olga@first.example objects/planning-9@first.example`
)

func zoneOfOlga(name string) map[string]string {
	return map[string]string{"prefs/mailto:olga@first.example/TZID": name}
}

// planning is an event of Olga's, with the time that she keeps to.
func planning() string {
	return strings.ReplaceAll("BEGIN:VEVENT\nUID:planning-1@first.example\nDTSTAMP:20261120T090000Z\nSEQUENCE:0\nDTSTART:20261207T100000Z\nDTEND:20261207T110000Z\n"+
		"SUMMARY:Planning\nORGANIZER:mailto:olga@first.example\nATTENDEE;PARTSTAT=ACCEPTED:mailto:olga@first.example\nATTENDEE:mailto:peter@second.example\nEND:VEVENT\n", "\n", "\r\n")
}

// nineUIDs is the free/busy of the events whose UIDs are no good names of files.
func nineUIDs() string {
	var lines []string
	for _, uid := range []string{"../../up", ".hidden", "50% off", "Upper", "a@b@c", "con", "https://example.com/cal/1", "upper", strings.Repeat("x", 250)} {
		lines = append(lines, "ann freebusy 20250310T0800-0900 "+uid+" OPAQUE")
	}
	return strings.Join(lines, "\n")
}
