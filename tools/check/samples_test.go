package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// What our handler makes of mails as calendar programs write them is whole: the sample
// mails of the tests, and real ones where they are.
func TestMails(t *testing.T) {
	var names []string
	for _, pattern := range []string{"../../tests/messages/*.eml", "../../../shared/data/eml/*/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		t.Fatal("there are no sample mails")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			room := compat.Room(tempDir(t))
			if err := room.Furnish(&compat.Conversation{}); err != nil {
				t.Fatal(err)
			}
			p := newPlace(t, room)
			message, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.handle(message); err != nil {
				t.Fatal(err)
			}
			for _, f := range p.check(t, check.None).findings {
				if f.Kind.ID != "rejected" {
					t.Errorf("%s: %s", f.Kind.ID, f.Text)
				}
			}
		})
	}
}
