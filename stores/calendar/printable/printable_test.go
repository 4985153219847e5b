package printable

import "testing"

func TestPrintable(t *testing.T) {
	for _, test := range []struct{ name, text, as, line, ascii string }{
		{"nothing", "", "", "", ""},
		{"spaces", " plain,  with spaces ", " plain,  with spaces ", "plain, with spaces", " plain,  with spaces "},
		{"other letters", "größer 会议 \U0001f600", "größer 会议 \U0001f600", "größer 会议 \U0001f600", `gr\u00f6\u00dfer \u4f1a\u8bae \U0001f600`},
		{"combined letters", "e\u0301", "e\u0301", "e\u0301", `e\u0301`},
		{"joined letters", "\u0928\u094d\u200d\u092f", "\u0928\u094d\u200d\u092f", "\u0928\u094d\u200d\u092f", `\u0928\u094d\u200d\u092f`},
		{"an emoji made of several", "👩\u200d💻", "👩\u200d💻", "👩\u200d💻", `\U0001f469\u200d\U0001f4bb`},
		{"quotes and backslashes", `a "word" and \ as it is`, `a "word" and \ as it is`, `a "word" and \ as it is`, `a "word" and \ as it is`},
		{"line breaks and tabs", "a\r\n\tb\vc\u2028d\u0085e", `a\r\n\tb\vc\u2028d\u0085e`, "a b c d e", `a\r\n\tb\vc\u2028d\u0085e`},
		{"white space alone", " \n\u00a0", ` \n\u00a0`, "", ` \n\u00a0`},
		{"a terminal's sequence", "\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`, `\x1b[31mred\x1b[0m`, `\x1b[31mred\x1b[0m`},
		{"the same in one character", "\u009b31m", `\u009b31m`, `\u009b31m`, `\u009b31m`},
		{"bell, backspace and delete", "\a\b\x7f", `\a\b\x7f`, `\a\b\x7f`, `\a\b\x7f`},
		{"NUL", "a\x00b", `a\x00b`, `a\x00b`, `a\x00b`},
		{"turns what follows around", "gpj\u202eexe.", `gpj\u202eexe.`, `gpj\u202eexe.`, `gpj\u202eexe.`},
		{"isolates", "\u2066a\u2069", `\u2066a\u2069`, `\u2066a\u2069`, `\u2066a\u2069`},
		{"cannot be seen", "a\u200bb\ufeff", `a\u200bb\ufeff`, `a\u200bb\ufeff`, `a\u200bb\ufeff`},
		{"tags", "\U000e0041", `\U000e0041`, `\U000e0041`, `\U000e0041`},
		{"private use", "\ue000", `\ue000`, `\ue000`, `\ue000`},
		{"not UTF-8", "a\xffb", `a\xffb`, `a\xffb`, `a\xffb`},
		{"the sign for that", "\ufffd", "\ufffd", "\ufffd", `\ufffd`},
	} {
		if got := Text(test.text); got != test.as {
			t.Errorf("%s: the text is %s, want %s", test.name, got, test.as)
		}
		if got := Line(test.text); got != test.line {
			t.Errorf("%s: the line is %s, want %s", test.name, got, test.line)
		}
		if got := ASCII(test.text); got != test.ascii {
			t.Errorf("%s: as ASCII it is %s, want %s", test.name, got, test.ascii)
		}
	}
}
