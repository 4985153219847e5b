package conf

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/skip"
)

// values returns what source defines, with the values written as in Go.
func values(source string) (map[string]string, []Warning) {
	assignments, warnings := parse([]byte(source))
	found := map[string]string{}
	for _, a := range assignments {
		if a.err != nil {
			warnings = append(warnings, Warning{Line: a.line, Text: a.err.Error()})
			continue
		}
		found[a.name] = fmt.Sprintf("%#v", a.value)
	}
	return found, warnings
}

// What Python 2.7 itself makes of these has been compared.
func TestValues(t *testing.T) {
	for source, want := range map[string]string{
		`A = "x"`:                          `"x"`,
		`A='x'#y`:                          `"x"`,
		"A\t=\t\"x\"\t":                    `"x"`,
		`A = "it's # here"`:                `"it's # here"`,
		`A = 'a\'b'`:                       `"a'b"`,
		`A = "a" 'b'`:                      `"ab"`,
		`A = ("a")`:                        `"a"`,
		"A = (\"a\" # one\n'b'\n\n)":       `"ab"`,
		"A = \"a\" \\\n  'b'":              `"ab"`,
		"A = \"a\\\nb\"":                   `"ab"`,
		"A = \"\"\"a\n'b'\"\"\"":           `"a\n'b'"`,
		"A = '''a\\'''b'''":                `"a'''b"`,
		`A = ""`:                           `""`,
		`A = """"""`:                       `""`,
		`A = u"h\u00e9\x41"`:               `"héA"`,
		`A = u'\U0001F4C5'`:                `"📅"`,
		`A = "\u00e9"`:                     `"\\u00e9"`,
		`A = r"\n\""`:                      `"\\n\\\""`,
		`A = b"x"`:                         `"x"`,
		`A = bR"\x"`:                       `"\\x"`,
		`A = "\x41\101\0\q\\"`:             `"AA\x00\\q\\"`,
		`A = "\a\b\f\n\r\t\v"`:             `"\a\b\f\n\r\t\v"`,
		`A = "\1011"`:                      `"A1"`,
		`A = "\777"`:                       `"\xff"`,
		"A = \"\u00e9\"":                   `"é"`,
		"\ufeffA = 1":                      `1`,
		"A = 1\r\nB = 2":                   `1`,
		"B = 2\rA = 1\r":                   `1`,
		"A = 0660":                         `432`,
		"A = 0o660":                        `432`,
		"A = 0O17":                         `15`,
		"A = 0x1fL":                        `31`,
		"A = 0b11":                         `3`,
		"A = 00":                           `0`,
		"A = 0":                            `0`,
		"A = 5L":                           `5`,
		"A = 9223372036854775807":          `9223372036854775807`,
		"A = None":                         `<nil>`,
		"A = True":                         `true`,
		"A = ((False))":                    `false`,
		"B = 'x'\nA = B":                   `"x"`,
		"B = 'x'\nB = 'y'\nA = B\nB = 'z'": `"y"`,
		"B = 'x'; A = 3;":                  `3`,
		"A = 1\nA = 2":                     `2`,
		"A = 1\nA = f()":                   `1`,
		"_a9 = 4\nA = _a9":                 `4`,
	} {
		found, _ := values(source)
		if got, ok := found["A"]; !ok || strings.ReplaceAll(got, "interface {}(nil)", "") != want {
			t.Errorf("%q: A is %s, %t; want %s", source, got, ok, want)
		}
	}
}

func TestSkipped(t *testing.T) {
	for source, reason := range map[string]string{
		"A":                       "no assignment",
		"A =":                     "no value",
		"A = ()":                  "an empty tuple",
		"A = (1, 2)":              "a tuple",
		"A = ('a')('b')":          "a call",
		"A = [1]":                 "a list",
		"A = -5":                  "an expression",
		"A = 1.5":                 "no integer",
		"A = 1e3":                 "no integer",
		"A = 08":                  "no octal digit",
		"A = 0x":                  "no digits",
		"A = 1_000":               "Python 2 has no such integers",
		"A = 9223372036854775808": "too large",
		"A = 'a' + 'b'":           "an expression",
		"A = 'a' B":               "two expressions",
		"A = B":                   "not defined",
		"A = B\nB = 3":            "not defined yet",
		"B = f()\nA = B":          "what defines it cannot be read",
		"A = if":                  "a keyword",
		"if = 3":                  "a keyword",
		"None = 3":                "a constant",
		"True = 0":                "a constant in all but name",
		"A == 3":                  "a comparison",
		"A += 3":                  "changes a value",
		"A = B = 3":               "two names",
		"A.b = 3":                 "an attribute",
		"A B = 3":                 "two names",
		"A: int = 3":              "Python 3",
		"import os":               "another statement",
		"  A = 3":                 "indented",
		"if x: A = 3":             "conditional",
		"if x: pass; A = 3":       "conditional",
		"'A = 3'":                 "a string",
		"\"\"\"\nA = 3\n\"\"\"":   "a string of several lines",
		"f(\nA = 3\n)":            "an argument",
		"A = 'x":                  "the string is not closed",
		"A = \"x'":                "another quote closes it",
		"A = 'x\\'":               "the quote is escaped",
		"A = '''x''":              "two quotes of three",
		"A = (3":                  "the bracket is not closed",
		"A = 3)":                  "the bracket is not open",
		"A = (3]":                 "another bracket",
		"A = 3 $":                 "no character of Python",
		"A = 3\x00":               "NUL",
		"\u00c5 = 3":              "no name in Python 2",
		"A = 3 \\ ":               "nothing may follow the backslash",
		`A = "\x4"`:               "an escape of one digit",
		`A = "\xgg"`:              "an escape of no digits",
		`A = u"\u12"`:             "an escape of two digits",
		`A = u"\ud83d"`:           "half a character",
		`A = u"\U00110000"`:       "beyond Unicode",
		`A = u"\N{BULLET}"`:       "the name of a character",
		`A = ur"\u00e9"`:          "an escape where there are none",
		`A = bu"x"`:               "no prefix",
	} {
		found, warnings := values(source)
		if got, ok := found["A"]; ok {
			t.Errorf("%q: A is %s, want it skipped: %s", source, got, reason)
		}
		if len(warnings) == 0 {
			t.Errorf("%q: no warning: %s", source, reason)
		}
	}
}

// One accident does not hide what is around it, and is found in its line.
func TestRecovery(t *testing.T) {
	for accident, line := range map[string]int{
		"A = 'it":            2,
		"A = '''it":          2,
		"A = (1,":            2,
		"A = {1: [":          2,
		"A = 1)":             2,
		"A = 3 ? 4":          2,
		"just some words":    2,
		"A = f(\n  x = 1\n)": 2,
		"for x in y:":        2,
		"# (\nA = \"\\":      3,
	} {
		found, warnings := values("B = 1\n" + accident + "\nC = '(it''s)'\nD = 4\n")
		if found["B"] != "1" || found["C"] != `"(its)"` || found["D"] != "4" || len(found) != 3 {
			t.Errorf("%q: found %v", accident, found)
		}
		if len(warnings) != 1 || warnings[0].Line != line {
			t.Errorf("%q: warnings %v, want one for line %d", accident, warnings, line)
		}
	}
}

// Files of accidents take no longer for it.
func TestParseIsLinear(t *testing.T) {
	skip.OnOtherDays(t)
	for _, line := range []string{"A = (", "A = '''", "A = \"\\", "'", "A = 1 \\", ")", "'''\n\"\"\"", "A = ''"} {
		source := []byte(strings.Repeat(line+"\n", maxFile/4/(len(line)+1)))
		parse(source)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"A = 'x' # y\n", "A = u\"\\u00e9\" r'\\n'\nB = A\n", "A = (\n'a'\n'b')", "A = '''\n'''; B = 0660", "A = \\\n 3L", "if x:\n  A = 3\n",
		"A = '", "A = (", "\ufeffA = 1\r\nB = 0x1F\r", "A = \"\\777\\x41\\\n\"", "A = None\nB = True\nC = 1.5\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		lines := strings.Count(source, "\n") + strings.Count(source, "\r") + 1
		assignments, warnings := parse([]byte(source))
		for _, w := range warnings {
			if w.Line < 1 || w.Line > lines {
				t.Fatalf("warning for line %d of %d", w.Line, lines)
			}
		}
		// Each value, written the plain way, is read as the same value.
		for _, a := range assignments {
			if a.err != nil {
				continue
			}
			var written strings.Builder
			switch value := a.value.(type) {
			case nil:
				written.WriteString("None")
			case bool:
				written.WriteString(map[bool]string{true: "True", false: "False"}[value])
			case int64:
				fmt.Fprintf(&written, "0o%o", value)
			case string:
				written.WriteByte('"')
				for _, c := range []byte(value) {
					fmt.Fprintf(&written, `\x%02x`, c)
				}
				written.WriteByte('"')
			}
			again, _ := parse([]byte(a.name + " = " + written.String()))
			if len(again) != 1 || again[0].err != nil || again[0].value != a.value || again[0].name != a.name {
				t.Fatalf("%s = %#v is read again as %v", a.name, a.value, again)
			}
		}
		if c := Read([]byte(source), "f"); c.StoreDir == "" || c.Deadline < time.Second || c.Permissions&0o600 != 0o600 {
			t.Fatalf("settings that cannot be worked with: %+v", c)
		}
	})
}
