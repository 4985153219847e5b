package show

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
)

// accept has TestText take what it sees as right. Read what it writes.
var accept = flag.Bool("accept", false, "write what is shown to testdata")

func TestText(t *testing.T) {
	c := sample(t)
	for name, style := range map[string]Style{
		"agenda.txt":        {},
		"agenda-narrow.txt": {Width: 48},
		"agenda-colour.txt": {Colour: true},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := c.Text(&got, style); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *accept {
				if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for line := range strings.Lines(got.String()) {
				if width := uniseg.StringWidth(strings.TrimSuffix(line, "\n")); style.Width > 0 && width > style.Width {
					t.Errorf("%d columns: %q", width, line)
				}
			}
		})
	}
}

func TestPrintable(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"letters", "Project meeting", "Project meeting"},
		{"other letters", "Møte på Grünerløkka, 会議", "Møte på Grünerløkka, 会議"},
		{"combined letters", "e\u0301", "e\u0301"},
		{"an emoji made of several", "👩\u200d💻", "👩\u200d💻"},
		{"line breaks and tabs", "a\r\n\tb\vc\u2028d\u0085e", "a b c d e"},
		{"white space around", "  a  b ", "a b"},
		{"white space only", " \n\u00a0", ""},
		{"a terminal's sequence", "\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"the same in one character", "\u009b31m", `\x9b31m`},
		{"bell, backspace and delete", "\a\b\x7f", `\x07\x08\x7f`},
		{"NUL", "a\x00b", `a\x00b`},
		{"turns what follows around", "gpj\u202eexe.", `gpj\u202eexe.`},
		{"isolates", "\u2066a\u2069", `\u2066a\u2069`},
		{"cannot be seen", "a\u200bb\ufeff", `a\u200bb\ufeff`},
		{"tags", "\U000e0041", `\U000e0041`},
		{"private use", "\ue000", `\ue000`},
		{"no UTF-8", "a\xffb", "a\ufffdb"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := printable(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
