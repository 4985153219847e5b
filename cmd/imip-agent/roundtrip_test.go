package main

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imip-agent/cmd/internal/process"
	"imip-agent/tests/room"
)

func TestMain(m *testing.M) {
	room.InMemory()
	os.Exit(m.Run())
}

// roundTripNow is when calendars go out and come in: clocks change within the 100 days that follow.
var roundTripNow = time.Date(2027, time.February, 1, 12, 0, 0, 0, time.UTC)

// zoneNames returns all zones of this Go release; by default, one of those whose clocks show the
// same for all that the calendars have.
func zoneNames(t *testing.T) []string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var names []string
	known := make(map[string]bool)
	for _, f := range archive.File {
		zone, err := time.LoadLocation(f.Name)
		if err != nil || strings.HasSuffix(f.Name, "/") || f.Name == "Factory" {
			continue
		}
		var clocks strings.Builder
		for hour := range 120 * 24 {
			clocks.WriteString(roundTripNow.Add(time.Duration(hour) * time.Hour).In(zone).Format("-0700\n"))
		}
		if full := os.Getenv("IMIP_AGENT_FULL") != ""; full || !known[clocks.String()] {
			names = append(names, f.Name)
		}
		known[clocks.String()] = true
	}
	if len(names) < 40 {
		t.Fatalf("there are %d zones only", len(names))
	}
	return names
}

// roundTripCalendar has an event of each form: with times in the user's zone, in others, in UTC,
// and floating ones, and with days; series with a changed occurrence, a cancelled one, and one that
// is left out.
func roundTripCalendar(zone string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//test//EN\n")
	event := func(uid string, lines ...string) {
		b.WriteString("BEGIN:VEVENT\nUID:" + uid + "@example.com\nDTSTAMP:20270101T000000Z\nSEQUENCE:1\nSUMMARY:" + uid + "\n" +
			"ORGANIZER:mailto:paul@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:paul@example.com\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n")
	}
	for _, form := range []struct{ name, param, end string }{
		{"zone", ";TZID=" + zone, ""}, {"west", ";TZID=America/Los_Angeles", ""}, {"east", ";TZID=Pacific/Auckland", ""},
		{"utc", "", "Z"}, {"floating", "", ""},
	} {
		at := func(name, when string) string { return name + form.param + ":" + when + form.end }
		event(form.name, at("DTSTART", "20270210T233000"), at("DTEND", "20270211T001500"))
		event(form.name+"-series", at("DTSTART", "20270208T090000"), at("DTEND", "20270208T100000"), "RRULE:FREQ=WEEKLY;BYDAY=MO,FR", at("EXDATE", "20270219T090000"))
		event(form.name+"-series", at("RECURRENCE-ID", "20270329T090000"), at("DTSTART", "20270330T020000"), at("DTEND", "20270330T040000"))
		event(form.name+"-series", at("RECURRENCE-ID", "20270402T090000"), at("DTSTART", "20270402T090000"), at("DTEND", "20270402T100000"), "STATUS:CANCELLED")
		event(form.name+"-off", at("DTSTART", "20270212T100000"), "DURATION:PT1H", "STATUS:CANCELLED")
	}
	event("day", "DTSTART;VALUE=DATE:20270210", "DTEND;VALUE=DATE:20270212")
	event("days", "DTSTART;VALUE=DATE:20270208", "RRULE:FREQ=WEEKLY;UNTIL=20270426", "EXDATE;VALUE=DATE:20270222")
	event("days", "RECURRENCE-ID;VALUE=DATE:20270315", "DTSTART;VALUE=DATE:20270316", "DTEND;VALUE=DATE:20270318")
	event("days", "RECURRENCE-ID;VALUE=DATE:20270329", "DTSTART;VALUE=DATE:20270329", "STATUS:CANCELLED")
	event("until", "DTSTART;TZID="+zone+":20270208T233000", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=3;UNTIL=20270401T120000Z", "RDATE;TZID="+zone+":20270501T080000")
	b.WriteString("END:VCALENDAR\n")
	return strings.ReplaceAll(b.String(), "\n", "\r\n")
}

// TestRoundTrips takes a calendar in, out, and in again, for a user in every zone who publishes their
// free/busy. What they and others see stays the same, and after the first time out nothing changes at all.
func TestRoundTrips(t *testing.T) {
	for n, zone := range zoneNames(t) {
		forms := []string{"ics"}
		if n%10 == 0 {
			forms = append(forms, "vdir")
		}
		t.Run(strings.ReplaceAll(zone, "/", "."), func(t *testing.T) {
			t.Parallel()
			roundTrip(t, zone, forms)
		})
	}
}

func roundTrip(t *testing.T, zone string, forms []string) {
	const user = "mailto:paul@example.com"
	dir := t.TempDir()
	prefs := filepath.Join(dir, "preferences")
	write := func(path, text string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{"TZID": zone, "freebusy_sharing": "share", "freebusy_publishing": "publish"} {
		write(filepath.Join(prefs, user, name), value)
	}
	write(filepath.Join(dir, "in.ics"), roundTripCalendar(zone))
	do := func(words ...string) {
		t.Helper()
		var out bytes.Buffer
		env := process.Environment{
			Program: "imip-agent", Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
			Now:    func() time.Time { return roundTripNow },
			Getenv: func(name string) string { return map[string]string{"IMIP_AGENT_CONFIG": os.DevNull, "TZ": "UTC"}[name] },
		}
		if status := run(t.Context(), words, env); status != 0 {
			t.Fatalf("%q: status %d: %s", words, status, &out)
		}
	}
	in := func(from, to string) {
		t.Helper()
		do("migrate", "import", filepath.Join(dir, from), "file:"+filepath.Join(dir, to, "store"), "--user", user,
			"--preferences", prefs, "--publish-dir", filepath.Join(dir, to, "static"))
	}
	same := func(what, a, b string) {
		t.Helper()
		if diff := cmp.Diff(tree(t, filepath.Join(dir, a)), tree(t, filepath.Join(dir, b))); diff != "" {
			t.Errorf("%s (-%s +%s):\n%s", what, a, b, diff)
		}
	}
	in("in.ics", "first")
	for _, form := range forms {
		from, again, more, twice := "first", form+"-again", form+"-more", form+"-twice"
		for _, step := range [][3]string{{from, form + "-out", again}, {again, form + "-out-again", more}, {more, form + "-out-more", twice}} {
			do("migrate", "export", "file:"+filepath.Join(dir, step[0], "store"), filepath.Join(dir, step[1]), "--to", form, "--preferences", prefs)
			path := step[1] + "/paul@example.com"
			if form == "ics" {
				path += ".ics"
			}
			in(path, step[2])
		}
		for _, seen := range []string{"/store/" + user + "/freebusy", "/static"} {
			same("what others see", from+seen, again+seen)
		}
		same("the store", again, more)
		same("what goes out", form+"-out-again", form+"-out-more")
	}
	do("check", "-S", filepath.Join(dir, "first", "store"), "-P", filepath.Join(dir, "first", "static"), "-p", prefs)
}

// tree returns what is in files below a path.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		content, err := io.ReadAll(f)
		found[strings.TrimPrefix(path, root)] = string(content)
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("%d files, %v", len(found), err)
	}
	return found
}
