package main

import "testing"

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"plain, with  spaces":       "plain, with  spaces",
		"größer 会议 \U0001f600":      "größer 会议 \U0001f600",
		`a "word" and \ as it is`:   `a "word" and \ as it is`,
		"two\nlines\tand a tab":     `two\nlines\tand a tab`,
		"\x1b[31mred":               `\x1b[31mred`,
		"right \u202e to left":      `right \u202e to left`,
		"a line\u2028separator":     `a line\u2028separator`,
		"not \xff UTF-8":            `not \xff UTF-8`,
		"\ufffd as it is":           "\ufffd as it is",
		"\u0928\u094d\u200d\u092f":  "\u0928\u094d\u200d\u092f", // joined
		"c1 \u0085 and nbsp \u00a0": `c1 \u0085 and nbsp \u00a0`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}
