package check

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	tests "imip-agent/tests/clock"
	"imip-agent/tools/quarantine"
)

// TestJournal damages a quota in one way after the other: what is found is told, and what a safe
// repair mends is as it was, and comes back by undo.
func TestJournal(t *testing.T) {
	const (
		q     = "journal/mailto:rooms@example.com/"
		attic = "mailto:attic@example.com"
		row   = "20261202T090000Z\t20261202T100000Z\tu\tOPAQUE\t\tMeeting\tmailto:paul@example.com\t"
	)
	event := "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20261101T120000Z\r\nSEQUENCE:0\r\nSUMMARY:Meeting\r\nORGANIZER:mailto:paul@example.com\r\n" +
		"ATTENDEE;PARTSTAT=ACCEPTED:" + attic + "\r\nDTSTART:20261202T090000Z\r\nDTEND:20261202T100000Z\r\nEND:VEVENT\r\n"
	sound := map[string]string{
		"store/" + attic + "/objects/u":            event,
		"store/" + attic + "/freebusy":             strings.TrimSuffix(row, "\t") + "\n",
		"preferences/mailto:cave@example.com/TZID": "UTC\n",
		q + "limits":               "# by hand\n\nstaff PT10H\n* *\n",
		q + "groups":               "mailto:paul@example.com staff\n",
		q + "delegates":            attic + "\nmailto:cave@example.com\n",
		q + "objects/u":            event,
		q + "freebusy-other/staff": row + attic + "\n",
		q + "freebusy-providers":   "",
	}
	for _, c := range []struct {
		name   string
		change map[string]string // of files; "-": removed
		want   []string          // findings
		mended []string          // those that a safe repair mends
	}{
		{"nothing", nil, nil, nil},
		{"a line of limits", map[string]string{q + "limits": "staff PT10H\nothers\n"}, []string{"quota-list"}, nil},
		{"a limit", map[string]string{q + "limits": "staff 10H\n"}, []string{"quota-list"}, nil},
		{"a quote", map[string]string{q + "delegates": "'" + attic + "\n"}, []string{"quota-list"}, nil},
		{"a delegate whom nobody knows", map[string]string{q + "delegates": attic + "\nmailto:nobody@example.com\n"}, []string{"quota-delegate"}, nil},
		{"a group without members", map[string]string{q + "limits": "staff PT10H\nguests PT1H\n"}, []string{"quota-group"}, nil},
		{"members without a limit", map[string]string{q + "limits": "mailto:paul@example.com PT10H\n"}, []string{"quota-group"}, nil},
		{"over the limit", map[string]string{q + "limits": "staff PT59M\n"}, []string{"quota-exceeded"}, nil},
		{"the resource does not have it", map[string]string{"store/" + attic + "/objects/u": "-", "store/" + attic + "/freebusy": "-"}, []string{"quota-booking"}, []string{"quota-booking"}},
		{"the resource has declined it", map[string]string{"store/" + attic + "/objects/u": strings.Replace(event, "ACCEPTED", "DECLINED", 1)}, []string{"quota-booking"}, []string{"quota-booking"}},
		{"another resource never had it", map[string]string{q + "freebusy-other/staff": row + attic + "\n" + row + "mailto:cave@example.com\n"}, []string{"quota-booking"}, []string{"quota-booking"}},
		{"two resources never had it", map[string]string{q + "freebusy-other/staff": row + attic + "\n" + row + "mailto:cave@example.com\n" + row + "mailto:hall@example.com\n"}, []string{"quota-booking"}, []string{"quota-booking"}},
		{"a file beside quotas", map[string]string{"journal/notes.txt": "x"}, []string{"user-none"}, nil},
		{"a journal in the journal", map[string]string{"journal/journal/guests/limits": "staff PT10H\n"}, []string{"file-strayed"}, nil},
		{"a quota in itself", map[string]string{q + "mailto:rooms@example.com/limits": "staff PT10H\n"}, []string{"file-strayed"}, nil},
		{"lists in upper case", map[string]string{q + "LIMITS": "staff PT10H\n", q + "limits": "-"}, []string{"file-strayed"}, nil},
		{"a damaged line", map[string]string{q + "freebusy-other/staff": row + attic + "\nnonsense\n"}, []string{"table-line"}, nil},
		{"twice the same", map[string]string{q + "freebusy-other/staff": row + attic + "\n" + row + attic + "\n"}, []string{"table-duplicate"}, []string{"table-duplicate"}},
		{"out of order", map[string]string{q + "freebusy-other/staff": strings.ReplaceAll(row, "1202T", "1203T") + attic + "\n" + row + attic + "\n"}, []string{"table-order"}, []string{"table-order"}},
		{"an event that cannot be read", map[string]string{q + "objects/u": "nonsense"}, []string{"event-unreadable"}, nil},
		{"an event that is noted and not kept", map[string]string{q + "freebusy-providers": "20270301T000000Z\t\nv\t\n"}, []string{"provider-unstored"}, []string{"provider-unstored"}},
		{"a foreign file", map[string]string{q + "notes.bak": "x"}, nil, nil}, // a note
		{"an empty event", map[string]string{q + "objects/u": "", q + "x": ""}, []string{"file-empty"}, nil},
		{"something left of writing", map[string]string{q + "__staging__/x": "x"}, []string{"file-staging"}, []string{"file-staging"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, files := range []map[string]string{sound, c.change} {
				for name, content := range files {
					path := filepath.Join(dir, name)
					if content == "-" {
						if err := os.Remove(path); err != nil {
							t.Fatal(err)
						}
						continue
					}
					if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(content), 0o660); err != nil {
						t.Fatal(err)
					}
				}
			}
			err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
				if err == nil && e.IsDir() && path != dir {
					return os.Chmod(path, 0o2770|os.ModeSetgid)
				} else if err == nil && !e.IsDir() {
					return os.Chmod(path, 0o660)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			store, err := file.Open(file.Options{Dir: dir + "/store", LockTimeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			journal, err := file.OpenJournal(file.Options{Dir: dir + "/journal", LockTimeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			checker := func(repair Repair) *Checker {
				return &Checker{
					Store: journal.Records(), Resources: store, Preferences: &preferences.Dir{Path: dir + "/preferences"}, PreferencesDir: dir + "/preferences",
					Quarantine: dir + "/quarantine-journal", Now: tests.Running(tests.Day), Log: slog.New(slog.DiscardHandler), Repair: repair,
				}
			}
			run := func(repair Repair) (found, mended []string, manifest string) {
				t.Helper()
				s, err := checker(repair).Run(t.Context(), func(f Finding) {
					if f.User != "mailto:rooms@example.com" && !strings.Contains(c.name, "journal") && !strings.Contains(c.name, "beside") {
						t.Errorf("about %q: %s", f.User, f.Text)
					}
					if f.State == Mended {
						mended = append(mended, f.Kind.ID)
					} else {
						found = append(found, f.Kind.ID)
					}
				})
				if err != nil || len(s.Failures) > 0 {
					t.Fatal(err, s.Failures)
				}
				return found, mended, s.Manifest
			}
			before := journalTree(t, dir)
			if found, _, _ := run(None); !slices.Equal(found, c.want) {
				t.Fatalf("found %q, want %q", found, c.want)
			}
			if after := journalTree(t, dir); after != before {
				t.Errorf("looking has changed\n%s\nto\n%s", before, after)
			}
			found, mended, manifest := run(Safe)
			left := slices.DeleteFunc(slices.Clone(c.want), func(kind string) bool { return slices.Contains(c.mended, kind) })
			if !slices.Equal(mended, c.mended) || !slices.Equal(found, left) {
				t.Errorf("repaired %q, left %q, want %q and %q", mended, found, c.mended, left)
			}
			if found, _, _ := run(None); !slices.Equal(found, left) {
				t.Errorf("after a repair there is %q", found)
			}
			if manifest == "" {
				return
			}
			if err := (quarantine.Undo{Store: journal.Records()}).Run(t.Context(), manifest, func(u quarantine.Undone) {
				if u.Err != nil {
					t.Error(u.Err)
				}
			}); err != nil {
				t.Fatal(err)
			}
			if after := journalTree(t, dir); after != before && !slices.Contains(c.mended, "file-staging") {
				t.Errorf("undone, there is\n%s\nand not\n%s", after, before)
			}
		})
	}
}

// TestQuotasOfUsers looks at the quotas that concern some users, and at no others.
func TestQuotasOfUsers(t *testing.T) {
	dir := t.TempDir()
	const row = "20261202T090000Z\t20261202T100000Z\tgone\tOPAQUE\t\tMeeting\tmailto:paul@example.com\t"
	for name, content := range map[string]string{
		"journal/rooms/delegates":                       "mailto:cave@example.com\n",
		"journal/rooms/freebusy-other/staff":            row + "mailto:attic@example.com\n",
		"journal/cars/freebusy-other/staff":             row + "mailto:van@example.com\n",
		"journal/mailto:hall@example.com/limits":        "staff\n",
		"store/mailto:cave@example.com/objects/nothing": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o660); err != nil {
			t.Fatal(err)
		}
	}
	store, err := file.Open(file.Options{Dir: dir + "/store", LockTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	journal, err := file.OpenJournal(file.Options{Dir: dir + "/journal", LockTimeout: time.Minute, DirMode: 0o770})
	if err != nil {
		t.Fatal(err)
	}
	for user, want := range map[calendar.URI]string{
		"mailto:attic@example.com":  "mailto:hall@example.com rooms", // whose lists nobody can read
		"mailto:Attic@Example.com":  "mailto:hall@example.com rooms",
		"mailto:cave@example.com":   "mailto:hall@example.com rooms",
		"mailto:van@example.com":    "cars mailto:hall@example.com",
		"mailto:nobody@example.com": "mailto:hall@example.com",
		"":                          "cars mailto:hall@example.com rooms",
	} {
		c := &Checker{Store: journal.Records(), Resources: store, Preferences: &preferences.Dir{Path: dir}, Now: tests.Running(tests.Day), Log: slog.New(slog.DiscardHandler)}
		if user != "" {
			c.Users = []calendar.URI{user}
		}
		var quotas []string
		s, err := c.Run(t.Context(), func(f Finding) {
			if strings.HasPrefix(f.Kind.ID, "quota-") {
				quotas = append(quotas, string(f.User))
			}
		})
		if err != nil || len(s.Failures) > 0 {
			t.Fatal(err, s.Failures)
		}
		if got := strings.Join(slices.Compact(quotas), " "); got != want {
			t.Errorf("for %q it finds something in %q, want %q", user, got, want)
		}
	}
}

// journalTree returns all files of the journal with what they hold.
func journalTree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir+"/journal", func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if len(content) > 0 {
			fmt.Fprintf(&b, "%s %q\n", strings.TrimPrefix(path, dir), content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
