package mail

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sampleNames returns the files of the samples in tests/messages.
func sampleNames(t testing.TB) []string {
	names, err := filepath.Glob(filepath.Join("..", "..", "tests", "messages", "*.eml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples in tests/messages (%v)", err)
	}
	return names
}

// TestSamples reads the samples, each of which has one calendar part that is a
// message, but for those named here.
func TestSamples(t *testing.T) {
	paul, vincent := []string{"paul.boddie@example.com"}, []string{"vincent.vole@example.com"}
	parts := map[string][]string{ // media type and method of each part
		"attachment-only.eml":        nil,
		"bounce.eml":                 nil, // what it encloses is not looked at
		"forwarded.eml":              nil,
		"kontact-counter.eml":        {"text/calendar request"},
		"kontact-declinecounter.eml": {"text/calendar declinecounter"},
		"kontact-invitation.eml":     {"text/calendar request"},
		"google-counter.eml":         {"text/calendar REPLY"},
		"newsletter.eml":             nil,
		"two-parts.eml":              {"text/calendar REQUEST", "application/ics REQUEST"},
	}
	methods := map[string]string{
		"cancellation": "CANCEL", "counter": "COUNTER", "reply": "REPLY",
		"invitation": "REQUEST", "occurrence": "REQUEST", "series": "REQUEST", "truncated": "REQUEST", "update": "REQUEST",
	}
	from := map[string][]string{
		"bounce.eml":     {"MAILER-DAEMON@mail.example.com"},
		"newsletter.eml": {"news@example.org"},
	}
	uid := regexp.MustCompile(`\nUID:.*(\r?\n[ \t].*)*`)
	conversations := map[string]string{} // the first UID of each
	for _, path := range sampleNames(t) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			m, err := Read(file, 1<<20, nil)
			if err != nil {
				t.Fatal(err)
			}

			kind := strings.TrimSuffix(name[strings.LastIndex(name, "-")+1:], ".eml")
			want, ok := parts[name]
			if !ok {
				want = []string{"text/calendar " + methods[kind]}
			}
			var got []string
			for _, part := range m.Parts {
				got = append(got, part.Type+" "+part.Method)
				if !strings.HasPrefix(part.Text, "BEGIN:VCALENDAR") {
					t.Errorf("a part is no calendar: %q", part.Text)
				}
				if whole := strings.Contains(part.Text, "\nEND:VCALENDAR"); whole != (name != "truncated.eml") {
					t.Errorf("the calendar has an end: %t", whole)
				}
				if strings.ContainsRune(part.Text, '\ufffd') || strings.Contains(part.Text, "Ã") {
					t.Errorf("text is not as it was written: %q", part.Text)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("parts (-want +got)\n%s", diff)
			}
			if m.Bounce != (name == "bounce.eml") || len(m.Unread) > 0 {
				t.Errorf("bounce %t, warnings %q", m.Bounce, m.Unread)
			}

			sender := paul
			if kind == "reply" || kind == "counter" {
				sender = vincent
			}
			if other, ok := from[name]; ok {
				sender = other
			}
			if diff := cmp.Diff(sender, m.From); diff != "" {
				t.Errorf("From (-want +got)\n%s", diff)
			}

			switch program, _, _ := strings.Cut(name, "-"); kind {
			case "invitation", "update", "reply", "counter", "declinecounter", "cancellation":
				if strings.Contains(name, "occurrence") || len(m.Parts) != 1 {
					break
				}
				this := uid.FindString(m.Parts[0].Text)
				if first := conversations[program]; first != "" && first != this || this == "" {
					t.Errorf("UID %q, others of the conversation have %q", this, first)
				}
				conversations[program] = this
			}
		})
	}
}
