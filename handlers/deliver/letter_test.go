package deliver

import (
	"io"
	"strings"
	"testing"
)

// An envelope is read whole up to its limit, whatever a reader gives at once, and no further.
func TestOpen(t *testing.T) {
	const begin, end = `{"from":"`, `","to":"b@example.com"}` + "\n"
	for _, c := range []struct {
		reason string
		octets int // of the line
		ok     bool
	}{
		{"short", 100, true},
		{"as long as a buffer", 4096, true},
		{"longer than a buffer", 4097, true},
		{"long", 10_000, true},
		{"the longest", maxEnvelope, true},
		{"longer than that", maxEnvelope + 1, false},
		{"without an end in sight", 100 * maxEnvelope, false},
	} {
		from := strings.Repeat("a", c.octets-len(begin)-len(end))
		for _, text := range []string{"", "text\nof the mail\n", strings.Repeat("x", 3*maxEnvelope)} {
			envelope, rest, err := Open(strings.NewReader(begin + from + end + text))
			if (err == nil) != c.ok {
				t.Errorf("%s: %v", c.reason, err)
			}
			if err != nil {
				continue
			}
			got, err := io.ReadAll(rest)
			if err != nil || string(got) != text || envelope.From != from || envelope.To != "b@example.com" {
				t.Errorf("%s: %d octets of %d are left, from %d octets to %s, %v", c.reason, len(got), len(text), len(envelope.From), envelope.To, err)
			}
		}
		if _, _, err := Open(strings.NewReader(begin + from)); err == nil {
			t.Errorf("%s: a line without an end is an envelope", c.reason)
		}
	}
}
