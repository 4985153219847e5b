package preferences_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

const user = calendar.URI("mailto:paul.boddie@example.com")

var siteDefaults = preferences.Defaults{Participating: "participate", Sharing: "no", Publishing: "no"}

// newDir returns a directory where the user has set these values.
func newDir(t *testing.T, values map[string]string) *preferences.Dir {
	t.Helper()
	d := &preferences.Dir{Path: t.TempDir(), Defaults: siteDefaults, SystemZone: "Asia/Tokyo"}
	home := filepath.Join(d.Path, string(user))
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, value := range values {
		if err := os.WriteFile(filepath.Join(home, name), []byte(value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func TestLoad(t *testing.T) {
	unset := preferences.Preferences{TZID: "Asia/Tokyo", WindowSize: 100}
	with := func(change func(*preferences.Preferences)) preferences.Preferences {
		p := unset
		change(&p)
		return p
	}
	tests := []struct {
		name     string
		set      map[string]string
		defaults *preferences.Defaults
		want     preferences.Preferences
		warns    string // part of the only warning; empty: there must be none
	}{
		{name: "nothing is set", want: unset},
		{name: "everything is set", set: map[string]string{
			"TZID": "Europe/Oslo\n", "window_size": " 7\n", "participating": "no\n", "freebusy_sharing": "share",
			"freebusy_publishing": "\tpublish ", "freebusy_offers": "PT1H\n", "CN": "Paul", "LANG": "nb",
			"freebusy_bundling": "always", "freebusy_messages": "notify", "event_refreshing": "always", "incoming": "summary-only",
			"add_method_response": "add", "organiser_replacement": "any", "permitted_times": "11,9:0,30",
			"scheduling_function": "schedule_in_freebusy 2\n\ncheck_quota\n", "acl": "accept\ndecline organiser a@example.com\n",
		}, want: preferences.Preferences{
			CommonName: "Paul", Language: "nb",
			TZID: "Europe/Oslo", WindowSize: 7, Absent: true, Sharing: true, Publishing: true, Offers: time.Hour,
			Bundling: true, Notifying: true, Refreshing: true, Incoming: preferences.SummaryOnly,
			AddResponse: preferences.TakeOver, Replacement: preferences.AnybodyReplaces,
			PermittedTimes:     preferences.Times{Hours: []int{9, 11}, Minutes: []int{0, 30}},
			SchedulingFunction: "schedule_in_freebusy 2\n\ncheck_quota", ACL: "accept\ndecline organiser a@example.com",
		}},
		{name: "the other words", set: map[string]string{
			"incoming": "message-then-summary", "add_method_response": "ignore", "organiser_replacement": "never", "permitted_times": "0, 15,30,45",
		}, want: with(func(p *preferences.Preferences) {
			p.Incoming, p.AddResponse, p.Replacement = preferences.MessageThenSummary, preferences.PassOver, preferences.NobodyReplaces
			p.PermittedTimes.Minutes = []int{0, 15, 30, 45}
		})},
		{name: "the default words", set: map[string]string{
			"incoming": "summary-wraps-message", "add_method_response": "refresh", "organiser_replacement": "attendee", "permitted_times": "",
			"participating": "participate", "freebusy_sharing": "no", "freebusy_publishing": "no", "freebusy_bundling": "never",
			"freebusy_messages": "none", "event_refreshing": "never", "LANG": "",
		}, defaults: &preferences.Defaults{
			Language: "nb", Participating: "no", Incoming: "message-only", Sharing: "share", Publishing: "publish", Bundling: "always",
			Notifying: "notify", Refreshing: "always", AddResponse: "add", Replacement: "any",
		}, want: with(func(p *preferences.Preferences) { p.Language = "nb" })},
		{name: "an unknown way to present messages", set: map[string]string{"incoming": "carrier-pigeon"}, want: unset, warns: "summary-wraps-message"},
		{name: "an unknown answer to ADD", set: map[string]string{"add_method_response": "maybe"},
			want: with(func(p *preferences.Preferences) { p.AddResponse = preferences.PassOver }), warns: "ignore"},
		{name: "an unknown replacement", set: map[string]string{"organiser_replacement": "some"},
			want: with(func(p *preferences.Preferences) { p.Replacement = preferences.NobodyReplaces }), warns: "never"},
		{name: "times that are none", set: map[string]string{"permitted_times": "9-17"}, want: unset, warns: "all times"},
		{name: "a minute too many", set: map[string]string{"permitted_times": "60"}, want: unset, warns: "59"},
		{name: "a name of two lines", set: map[string]string{"CN": "Paul\nBcc: x"}, want: unset, warns: "CN"},
		{name: "the site's defaults", defaults: &preferences.Defaults{Participating: "no", Sharing: "share", Publishing: "publish", Offers: "P1D",
			Language: "da", Bundling: "always", Notifying: "notify", Refreshing: "always", Incoming: "message-only", AddResponse: "ignore", Replacement: "never"},
			want: with(func(p *preferences.Preferences) {
				p.Absent, p.Sharing, p.Publishing, p.Offers = true, true, true, 24*time.Hour
				p.Language, p.Bundling, p.Notifying, p.Refreshing = "da", true, true, true
				p.Incoming, p.AddResponse, p.Replacement = preferences.MessageOnly, preferences.PassOver, preferences.NobodyReplaces
			})},
		{name: "the user's word against the site's", set: map[string]string{"participating": "participate", "freebusy_offers": "P0D"},
			defaults: &preferences.Defaults{Participating: "no", Offers: "P1D"},
			want:     unset},

		{name: "a signed number", set: map[string]string{"window_size": "+3"}, want: with(func(p *preferences.Preferences) { p.WindowSize = 3 })},
		{name: "no number", set: map[string]string{"window_size": "ten"}, want: unset, warns: "window_size"},
		{name: "a window of no days", set: map[string]string{"window_size": "0"}, want: unset, warns: "window_size"},
		{name: "a window that ends before it begins", set: map[string]string{"window_size": "-5"}, want: unset, warns: "window_size"},
		{name: "a window beyond the year 9999", set: map[string]string{"window_size": "3000000"}, want: unset, warns: "window_size"},
		{name: "a window larger than integers are", set: map[string]string{"window_size": "99999999999999999999"}, want: unset, warns: "window_size"},

		{name: "no zone", set: map[string]string{"TZID": "Bogus/Zone"}, want: unset, warns: "Bogus/Zone"},
		{name: "a path for a zone", set: map[string]string{"TZID": "../../etc/passwd"}, want: unset, warns: "TZID"},
		{name: "Go's own word for the system's zone", set: map[string]string{"TZID": "Local"}, want: unset, warns: "TZID"},
		{name: "an empty zone", set: map[string]string{"TZID": "\n"}, want: unset},

		{name: "another word for no", set: map[string]string{"participating": "NO"}, want: unset, warns: "participating"},
		{name: "another word, where the default is no", set: map[string]string{"participating": ""},
			defaults: &preferences.Defaults{Participating: "no", Sharing: "no", Publishing: "no"}, want: unset, warns: "participating"},
		{name: "another word for share", set: map[string]string{"freebusy_sharing": "Share"}, want: unset, warns: "freebusy_sharing"},
		{name: "an empty word, where the default is share", set: map[string]string{"freebusy_sharing": ""},
			defaults: &preferences.Defaults{Participating: "participate", Sharing: "share", Publishing: "no"}, want: unset, warns: "freebusy_sharing"},

		{name: "no duration", set: map[string]string{"freebusy_offers": "1 hour"},
			defaults: &preferences.Defaults{Participating: "participate", Sharing: "no", Publishing: "no", Offers: "P1D"}, want: unset, warns: "freebusy_offers"},
		{name: "an empty duration switches offers off", set: map[string]string{"freebusy_offers": "\n"},
			defaults: &preferences.Defaults{Participating: "participate", Sharing: "no", Publishing: "no", Offers: "P1D"}, want: unset},
		{name: "no duration by default", defaults: &preferences.Defaults{Participating: "participate", Sharing: "no", Publishing: "no", Offers: "bogus"},
			want: unset, warns: "bogus"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDir(t, test.set)
			if test.defaults != nil {
				d.Defaults = *test.defaults
			}
			got, err := d.Load(user)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(preferences.Preferences{}, "Zone", "Warnings")); diff != "" {
				t.Error(diff)
			}
			if got.Zone.String() != got.TZID {
				t.Errorf("zone %v, but TZID %q", got.Zone, got.TZID)
			}
			switch {
			case test.warns == "" && len(got.Warnings) > 0:
				t.Errorf("unexpected warnings %q", got.Warnings)
			case test.warns != "" && (len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], test.warns)):
				t.Errorf("warnings %q, want one with %q", got.Warnings, test.warns)
			}
		})
	}
}

func TestLoadWithoutSystemZone(t *testing.T) {
	d := newDir(t, nil)
	d.SystemZone = ""
	if got, err := d.Load(user); err != nil || got.TZID != "UTC" || got.Zone != time.UTC {
		t.Errorf("TZID %q, zone %v, error %v; want UTC", got.TZID, got.Zone, err)
	}
}

// A user who has set nothing has no directory; reading must not make one.
func TestLoadMakesNothing(t *testing.T) {
	parent := t.TempDir()
	d := &preferences.Dir{Path: filepath.Join(parent, "absent"), Defaults: siteDefaults}
	if _, err := d.Load(user); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
		t.Errorf("found %v, %v", entries, err)
	}
}

// What else lies in a user's directory, however much, hides no setting.
func TestLoadAmongOthers(t *testing.T) {
	d := newDir(t, nil)
	dir := filepath.Join(d.Path, string(user))
	for i := range 300 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("other-%d", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "participating"), []byte("no"), 0o644); err != nil {
		t.Fatal(err)
	}
	if p, err := d.Load(user); err != nil || !p.Absent {
		t.Errorf("got %+v, %v, want that the user does not take part", p, err)
	}
}

// Nothing of a long setting is passed over, and nothing is taken of one that is longer than any. Without rules, a resource would
// accept more; with other settings, mail goes on.
func TestLoadLong(t *testing.T) {
	list := "decline\n" + strings.Repeat("accept organizer somebody@example.com\n", 5000) + "decline organizer paul@example.com"
	for _, name := range []string{"acl", "scheduling_function", "CN"} {
		d := newDir(t, map[string]string{name: list})
		p, err := d.Load(user)
		if got := map[string]string{"acl": p.ACL, "scheduling_function": p.SchedulingFunction, "CN": list}[name]; err != nil || got != list {
			t.Errorf("%s: %d octets, %v, want %d", name, len(got), err, len(list))
		}
		d = newDir(t, map[string]string{name: strings.Repeat(list, 10)})
		p, err = d.Load(user)
		if name == "CN" {
			if err != nil || p.CommonName != "" || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "CN: it is longer than") {
				t.Errorf("CN, too long: %d octets, warned %q, %v", len(p.CommonName), p.Warnings, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "longer than") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s, too long: %v", name, err)
		}
	}
}

func TestLoadUnfitUser(t *testing.T) {
	parent := t.TempDir()
	d := &preferences.Dir{Path: filepath.Join(parent, "preferences"), Defaults: siteDefaults}
	// What a path leading out of the directory would find.
	for _, dir := range []string{"preferences", "other"} {
		if err := os.Mkdir(filepath.Join(parent, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"participating", "other/participating"} {
		if err := os.WriteFile(filepath.Join(parent, name), []byte("no"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for uri, reason := range map[calendar.URI]string{
		"":                                    "empty: the directory itself",
		".":                                   "the directory itself",
		"..":                                  "the directory above",
		"../other":                            "a path",
		"mailto:x/../../../other@example.com": "a path",
		"mailto:a@example.com\x00":            "NUL ends a path",
		"mailto:a\n@example.com":              "a control character",
		"mailto:" + calendar.URI(strings.Repeat("a", 249)):            "longer than file names can be",
		"mailto:" + calendar.URI(strings.Repeat("\u00e5", 125)) + "a": "longer in octets, not in characters",
	} {
		_, err := d.Load(uri)
		var unstorable *stores.UnstorableError
		if !errors.As(err, &unstorable) || unstorable.Value != string(uri) {
			t.Errorf("Load(%q): %v, want that it cannot be stored: %s", uri, err, reason)
		}
	}
	// The longest name there can be.
	if _, err := d.Load("mailto:" + calendar.URI(strings.Repeat("a", 248))); err != nil {
		t.Error(err)
	}
}

// What is there and cannot be read is an error that passes, not a default: the
// user may have said "no".
func TestLoadUnreadable(t *testing.T) {
	tests := map[string]func(path string) error{
		"a directory": func(path string) error { return os.Mkdir(path, 0o755) },
		"a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"a loop":      func(path string) error { return os.Symlink("participating", path) },
	}
	for name, put := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDir(t, nil)
			path := filepath.Join(d.Path, string(user), "participating")
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			_, err := d.Load(user)
			var unstorable *stores.UnstorableError
			if err == nil || errors.As(err, &unstorable) || !strings.Contains(err.Error(), "participating") {
				t.Errorf("got %v, want a temporary error that names the file", err)
			}
		})
	}
}

func TestOfferLifetime(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("", 3600))
	if _, ok := (preferences.Preferences{}).OfferLifetime(); ok {
		t.Error("offers are recorded although nothing says for how long")
	}
	expires, ok := (preferences.Preferences{Offers: 26 * time.Hour}).OfferLifetime()
	if want := time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC); !ok || expires(now) != want {
		t.Errorf("expires %v, %t; want %v", expires(now), ok, want)
	}
}

func TestWindowEnd(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	// Clocks go back on 25 October; the window is so many times 24 hours all the same.
	now := time.Date(2026, 10, 20, 14, 0, 0, 0, oslo)
	p := preferences.Preferences{WindowSize: 10, Zone: oslo}
	if got, want := p.WindowEnd(now), time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSystemZone(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	link := func(target string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(target), Mode: os.ModeSymlink | 0o777}
	}
	tests := []struct {
		name string
		root fstest.MapFS
		tz   string
		want string
	}{
		{"a name", fstest.MapFS{"etc/timezone": file("Europe/Oslo\n")}, "", "Europe/Oslo"},
		{"a comment before it", fstest.MapFS{"etc/timezone": file("# set by hand\nEurope/Oslo\n")}, "", "Europe/Oslo"},
		{"the name before the link", fstest.MapFS{"etc/timezone": file("Europe/Oslo"), "etc/localtime": link("/usr/share/zoneinfo/Asia/Tokyo")}, "", "Europe/Oslo"},
		{"the link, without a name", fstest.MapFS{"etc/localtime": link("/usr/share/zoneinfo/Asia/Tokyo")}, "", "Asia/Tokyo"},
		{"a relative link", fstest.MapFS{"etc/localtime": link("../usr/share/zoneinfo/America/New_York")}, "", "America/New_York"},
		{"a name that is no zone", fstest.MapFS{"etc/timezone": file("Bogus\n"), "etc/localtime": link("/usr/share/zoneinfo/Asia/Tokyo")}, "", "Asia/Tokyo"},
		{"a link to elsewhere", fstest.MapFS{"etc/localtime": link("/etc/mine")}, "", ""},
		{"zone data instead of a link", fstest.MapFS{"etc/localtime": file("TZif2")}, "", ""},
		{"the system before the environment", fstest.MapFS{"etc/timezone": file("Europe/Oslo")}, "Asia/Tokyo", "Europe/Oslo"},
		{"only the environment", fstest.MapFS{}, "Asia/Tokyo", "Asia/Tokyo"},
		{"the environment, with a colon", fstest.MapFS{}, ":Asia/Tokyo", "Asia/Tokyo"},
		{"a POSIX rule in the environment", fstest.MapFS{}, "CET-1CEST", ""},
		{"nothing", fstest.MapFS{}, "", ""},
	}
	for _, test := range tests {
		if got := preferences.SystemZone(test.root, test.tz); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCheck(t *testing.T) {
	for name, values := range map[string][]string{
		"CN": {"Paul Boddie", "Bj\u00f8rn"}, "LANG": {"en"}, "TZID": {"Europe/Oslo", "UTC"}, "acl": {"", "accept organiser\nreject all"},
		"window_size": {"1", "100"}, "freebusy_offers": {"P1D"}, "incoming": {"message-then-summary"},
		"permitted_times":     {"8,9,10:0,15,30,45:0", "10", "10:0", ":0,30:0"},
		"scheduling_function": {"schedule_in_freebusy", "same_domain_only\nschedule_in_freebusy 1"},
	} {
		for _, value := range values {
			if err := preferences.Check(name, value); err != nil {
				t.Errorf("%s = %q: %v", name, value, err)
			}
		}
	}
	for name, values := range map[string][]string{
		"CN": {"two\nlines"}, "TZID": {"", "Nowhere"}, "window_size": {"", "0"}, "freebusy_offers": {"", "soon"},
		"incoming": {"", "Message-Only"}, "permitted_times": {"24:0", "60", "0:60", "0:0:0:0", "a", "-1"},
		"scheduling_function": {"os.system x"}, "participation": {"no"}, "": {""},
	} {
		for _, value := range values {
			if err := preferences.Check(name, value); err == nil {
				t.Errorf("%s = %q passes", name, value)
			}
		}
	}
	for _, p := range preferences.Known() {
		for _, value := range p.Values {
			if err := preferences.Check(p.Name, value); err != nil {
				t.Errorf("%s = %q, one of its values: %v", p.Name, value, err)
			}
		}
	}
}

// Preferences are found whatever the letter case of the user's name, also by a program that
// has looked before they were there.
func TestLoadLetterCase(t *testing.T) {
	d := newDir(t, map[string]string{"window_size": "7"})
	other := calendar.URI("mailto:Vincent.Vole@example.com")
	days := func(user calendar.URI, want int) {
		t.Helper()
		if got, err := d.Load(user); err != nil || got.WindowSize != want {
			t.Errorf("%s has a window of %d days, want %d; error %v", user, got.WindowSize, want, err)
		}
	}
	days("mailto:PAUL.BODDIE@Example.COM", 7)
	days("mailto:vincent.vole@example.com", preferences.DefaultWindowSize)
	for name, value := range map[calendar.URI]string{other: "8", "mailto:VINCENT.VOLE@example.com": "9"} {
		if err := os.Mkdir(filepath.Join(d.Path, string(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d.Path, string(name), "window_size"), []byte(value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	later := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(d.Path, later, later); err != nil {
		t.Fatal(err)
	}
	days(other, 8)
	days("mailto:vincent.vole@example.com", 9) // the first of two
}

// Who has set nothing has the site's defaults, as has who cannot be asked.
func TestDefault(t *testing.T) {
	d := &preferences.Dir{Path: t.TempDir(), Defaults: preferences.Defaults{Language: "nb", Incoming: "message-only", Sharing: "share"}, SystemZone: "Europe/Oslo"}
	want, err := d.Load("mailto:nobody@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, d.Default(), cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); diff != "" {
		t.Error(diff)
	}
	if want.Language != "nb" || want.Incoming != preferences.MessageOnly || want.TZID != "Europe/Oslo" {
		t.Errorf("%+v", want)
	}
}
