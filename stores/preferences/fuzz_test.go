package preferences_test

import (
	"os"
	"path/filepath"
	"testing"

	"imip-agent/stores/preferences"
)

// Whatever stands in a preference, the user's preferences can be read and used.
func FuzzLoad(f *testing.F) {
	for i, known := range preferences.Known() {
		for _, value := range append(known.Values, "", " ", "0", "-1", "PT1H", "99999999999999999999", "Europe/Oslo", "../../etc/passwd",
			"9,10,11:0", ":30", ":::", "schedule_in_freebusy 'a", "nb_NO", "\xff\x00\n") {
			f.Add(uint(i), value)
		}
	}
	f.Fuzz(func(t *testing.T, which uint, value string) {
		known := preferences.Known()
		name := known[which%uint(len(known))].Name
		d := newDir(t, map[string]string{name: value})
		p, err := d.Load(user)
		if err != nil {
			t.Fatal(err)
		}
		if p.Zone == nil || p.WindowSize < 1 || p.Offers < 0 {
			t.Errorf("%s=%q gives the zone %v, %d days, offers for %v", name, value, p.Zone, p.WindowSize, p.Offers)
		}
		if kept, err := os.ReadFile(filepath.Join(d.Path, string(user), name)); err != nil || string(kept) != value {
			t.Errorf("%s has changed: %q %v", name, kept, err)
		}
	})
}
