package compat

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every conversation reads back as it is written, and says nothing of the machine
// that it was recorded on.
func TestConversationFiles(t *testing.T) {
	names, err := filepath.Glob("conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Load(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(string(text), string(c.Format())); diff != "" {
			t.Errorf("%s is not as it would be written: (-is +would be)\n%s", name, diff)
		}
		if strings.Contains(string(text), "/tmp/") {
			t.Errorf("%s names a temporary file", name)
		}
		if c.About == "" || len(c.Steps) == 0 {
			t.Errorf("%s says nothing", name)
		}
		for i, s := range c.Steps {
			differs := s.Ours.Status != nil || s.Ours.Rejected > 0 || len(s.Ours.Changed) > 0 || len(s.Ours.Absent) > 0
			if differs && c.Deviation == "" {
				t.Errorf("%s: step %d differs, but no deviation is named", name, i+1)
			}
		}
	}
}

func TestCompose(t *testing.T) {
	tests := []struct {
		name   string
		blocks []string
		want   string
	}{
		{"a later block replaces a property", []string{"UID:a\nSUMMARY;X=1:b", "SUMMARY:c"}, "UID:a|SUMMARY:c"},
		{"all of one name in a block stay", []string{"ATTENDEE:a", "ATTENDEE:b\nATTENDEE:c"}, "ATTENDEE:b|ATTENDEE:c"},
		{"a property is removed", []string{"UID:a\nDTEND:b", "-DTEND\nDURATION:PT1H"}, "UID:a|DURATION:PT1H"},
		{"people", []string{`ATTENDEE;SENT-BY="@simon":@paul`}, `ATTENDEE;SENT-BY="mailto:simon.skunk@example.com":mailto:paul.boddie@example.com`},
		{"an alarm's properties replace none", []string{"UID:a\nDTSTART:b", "BEGIN:VALARM\nUID:x\nEND:VALARM"}, "UID:a|DTSTART:b|BEGIN:VALARM\x00UID:x\x00END:VALARM"},
		{"an alarm is one", []string{"UID:a\nBEGIN:VALARM\nDTSTART:x\nEND:VALARM", "DTSTART:b"}, "UID:a|BEGIN:VALARM\x00DTSTART:x\x00END:VALARM|DTSTART:b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(Compose(test.blocks...), "|"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
