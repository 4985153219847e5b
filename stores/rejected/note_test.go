package rejected

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEscape(t *testing.T) {
	for _, test := range []struct{ in, want, why string }{
		{"plain text, ümläut 会議", "plain text, ümläut 会議", "what can be shown stays"},
		{`say "x" \ y`, `say "x" \\ y`, "quotes stay, backslashes do not"},
		{`\"`, `\\"`, "one after the other"},
		{"a\r\nReason: b", `a\r\nReason: b`, "no second line"},
		{"\x1b]0;x\x07", `\x1b]0;x\a`, "no commands to a terminal"},
		{"\u009b31m", `\u009b31m`, "in eight bits neither"},
		{"a\u2028b\u0085c", `a\u2028b\u0085c`, "no line of another kind"},
		{"\u202ecod.exe", `\u202ecod.exe`, "nothing written backwards"},
		{"caf\xe9", `caf\xe9`, "not UTF-8"},
		{strings.Repeat("x", maxValue), strings.Repeat("x", maxValue), "just not too long"},
		{strings.Repeat("x", maxValue) + "y", strings.Repeat("x", maxValue) + "…", "too long"},
		{"x" + strings.Repeat("é", maxValue), "x" + strings.Repeat("é", (maxValue-1)/2) + "…", "cut between characters"},
	} {
		if got := Escape(test.in); got != test.want {
			t.Errorf("%s: %q becomes %q, want %q", test.why, test.in, got, test.want)
		}
	}
}

func FuzzNote(f *testing.F) {
	f.Add("reason", "mailto:a@example.com", "uid")
	f.Add("a\r\nUser: b", `\"`, "\xff\u2028 ")
	f.Add("", " ", `\q"\`)
	f.Fuzz(func(t *testing.T, reason, user, uid string) {
		if max(len(reason), len(user), len(uid)) > maxValue {
			return
		}
		note := Note{Reason: reason, User: user, UID: uid, Time: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
		text := note.text()
		if diff := cmp.Diff(note, parseNote(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
		if strings.Count(text, "\n") > 4 {
			t.Errorf("too many lines: %q", text)
		}
		parseNote(reason + "\n" + user) // whatever somebody wrote there
	})
}
