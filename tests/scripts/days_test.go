package scripts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// zones are where users live, in each of these tests.
var zones = []string{"UTC", "Europe/Oslo", "America/New_York", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca"}

// On each of the days on which programs go wrong, in each zone, what the handler records is what the tools
// expect: on that day, and as the nights pass in which free/busy is extended.
func TestDays(t *testing.T) {
	skip.OnOtherDays(t) // it has days of its own
	for i, m := range clock.Days(clock.Day, 12) {
		testZones(t, m, i)
	}
}

// It is so today, too.
func TestToday(t *testing.T) {
	testZones(t, clock.Moment{At: clock.Today(), Why: "today"}, clock.Today().YearDay())
}

// testZones tests a day in the zones, or in some that depend on a number: each zone has some of the days then, and
// each day some of the zones.
func testZones(t *testing.T, m clock.Moment, number int) {
	program.Watch()
	for j, zone := range zones {
		if os.Getenv("IMIP_AGENT_FULL") == "" && (number+j)%6 != 0 {
			continue
		}
		t.Run(fmt.Sprintf("%s in %s, %s", m.At.Format("2006-01-02"), strings.ReplaceAll(zone, "/", "-"), m.Why), func(t *testing.T) {
			t.Parallel()
			testDay(t, m.At, zone)
		})
	}
}

func testDay(t *testing.T, now time.Time, zone string) {
	dir := t.TempDir()
	const paul = "mailto:paul.boddie@example.com"
	for name, value := range map[string]string{"TZID": zone, "freebusy_sharing": "share", "freebusy_publishing": "publish"} {
		if err := os.MkdirAll(filepath.Join(dir, "preferences", paul), 0o770); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "preferences", paul, name), []byte(value), 0o660); err != nil {
			t.Fatal(err)
		}
	}
	// start runs a program at a time, and returns what it prints, and says on standard error.
	start := func(at time.Time, stdin, name string, words ...string) (stdout, stderr string, err error) {
		words = append(words, "--config", os.DevNull, "-S", dir+"/store", "-P", dir+"/static", "-p", dir+"/preferences", "-j", dir+"/journal")
		cmd := exec.Command(filepath.Join(programs, name), words...)
		cmd.Env = append(os.Environ(), "TZ="+zone, clock.Env(at))
		cmd.Stdin = strings.NewReader(stdin)
		var out, said strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &said
		err = cmd.Run()
		return out.String(), said.String(), err
	}
	// run does so with one that must end with status 0 and say nothing.
	run := func(at time.Time, stdin, name string, words ...string) string {
		t.Helper()
		stdout, stderr, err := start(at, stdin, name, words...)
		if err != nil || stderr != "" {
			t.Errorf("%s at %s: %v: %s%s", name, at.Format(time.RFC3339), err, stdout, stderr)
		}
		return stdout
	}
	table := func() string {
		content, err := os.ReadFile(filepath.Join(dir, "store", paul, "freebusy"))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}

	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	local := now.In(location)
	at := func(days, hour, minute int) string { // by the clock there
		return time.Date(local.Year(), local.Month(), local.Day()+days, hour, minute, 0, 0, time.UTC).Format("20060102T150405")
	}
	day := func(days int) string { return at(days, 0, 0)[:8] }
	zoned := ";TZID=" + zone + ":"
	for i, lines := range []string{
		"SUMMARY:Now\nDTSTART:" + now.Format("20060102T150405Z") + "\nDTEND:" + now.Add(time.Hour).UTC().Format("20060102T150405Z"),
		"SUMMARY:Today\nDTSTART;VALUE=DATE:" + day(0) + "\nDTEND;VALUE=DATE:" + day(1),
		"SUMMARY:Night\nDTSTART" + zoned + at(-1, 2, 30) + "\nDTEND" + zoned + at(-1, 3, 30) + "\nRRULE:FREQ=DAILY",
		"SUMMARY:Midnight\nDTSTART" + zoned + at(0, 23, 30) + "\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=200",
		"SUMMARY:Floating\nDTSTART:" + at(0, 1, 30) + "\nDTEND:" + at(0, 2, 0) + "\nRRULE:FREQ=WEEKLY",
		"SUMMARY:Days\nDTSTART;VALUE=DATE:" + day(0) + "\nDTEND;VALUE=DATE:" + day(2) + "\nRRULE:FREQ=WEEKLY",
		"SUMMARY:Monthly\nDTSTART" + zoned + at(0, 12, 0) + "\nDTEND" + zoned + at(0, 13, 0) + "\nRRULE:FREQ=MONTHLY",
		"SUMMARY:Yearly\nDTSTART" + zoned + at(0, 0, 0) + "\nDURATION:P1D\nRRULE:FREQ=YEARLY",
		"SUMMARY:Hourly\nDTSTART" + zoned + at(0, 0, 30) + "\nDURATION:PT15M\nRRULE:FREQ=HOURLY;UNTIL=" + now.AddDate(0, 0, 3).Format("20060102T150405Z"),
		"SUMMARY:Elsewhere\nDTSTART;TZID=Europe/London:" + at(0, 1, 30) + "\nDTEND;TZID=Europe/London:" + at(0, 2, 30) + "\nRRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA,SU",
	} {
		event := fmt.Sprintf("UID:day-%d\nDTSTAMP:%s\nORGANIZER:%s\nATTENDEE;PARTSTAT=ACCEPTED:%s\nATTENDEE:mailto:vincent@example.com\n%s\n", i, now.Format("20060102T150405Z"), paul, paul, lines)
		mail := "From: paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\n" + event + "END:VEVENT\nEND:VCALENDAR\n"
		run(now, mail, "imip_person_outgoing")
	}
	agenda := run(now, "", "imip-agent", "show", paul)
	for _, summary := range []string{"Now", "Today", "Night", "Midnight"} {
		if !strings.Contains(agenda, summary) {
			t.Errorf("show does not have %s: %s", summary, agenda)
		}
	}
	if said := run(now, "", "imip-agent", "check"); said != "" {
		t.Errorf("check, at once: %s", said)
	}
	// The nightly run has nothing to do on the same day, and as days pass nothing is missing.
	before := table()
	run(now, "", "imip-agent", "freebusy", "--store", "--publish")
	if after := table(); after != before {
		t.Errorf("the nightly run of the same day changes the table:\n%s\nto\n%s", before, after)
	}
	for _, days := range []int{1, 7, 150} {
		later := now.AddDate(0, 0, days)
		if findings, _, err := start(later, "", "imip-agent", "check"); days > 1 && (err == nil || !strings.Contains(findings, "freebusy-window")) {
			t.Errorf("check, %d days later, does not miss the nightly run: %v: %s", days, err, findings)
		}
		run(later, "", "imip-agent", "freebusy", "--store", "--publish")
		if said := run(later, "", "imip-agent", "check"); said != "" {
			t.Errorf("check, %d days later: %s", days, said)
		}
	}
}
