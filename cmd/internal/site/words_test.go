package site_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/site"
)

var flags = []cli.Flag{
	&site.Addresses{StringFlag: &cli.StringFlag{Name: "recipients", Aliases: []string{"o"}}},
	&site.Addresses{StringFlag: &cli.StringFlag{Name: "sender", Aliases: []string{"s"}}},
	&cli.StringFlag{Name: "store-dir", Aliases: []string{"S"}},
	&cli.StringFlag{Name: "config"},
	&cli.BoolFlag{Name: "debug", Aliases: []string{"d"}},
	&cli.BoolFlag{Name: "local-smtp", Aliases: []string{"L"}},
}

func TestCanonical(t *testing.T) {
	tests := []struct{ words, want, left string }{
		{"", "", ""},
		{"-S dir", "--store-dir=dir", ""},
		{"--store-dir dir", "--store-dir=dir", ""},
		{"--store-dir=dir", "--store-dir=dir", ""},
		{"--store-dir=a=b", "--store-dir=a=b", ""},
		{"-o a@x b@x -S dir", "--recipients=a@x --store-dir=dir", ""},
		{"-S first second -d", "--store-dir=first --debug", ""},
		{"-S first -d -S second", "--store-dir=first --debug", ""},
		{"--store-dir=first -S second", "--store-dir=first", ""},
		{"-s a@x -d -s b@x", "--sender=a@x --debug", ""},
		{"-o -s -d", "--debug", ""},
		{"-d -d", "--debug", ""},
		{"stray -S dir", "--store-dir=dir", "stray"},
		{"-d stray -S dir", "--debug --store-dir=dir", "stray"},
		{"-S dir -- -x y", "--store-dir=dir", "-x y"},
		{"-S -", "--store-dir=-", ""},
		{"-o a,b@x", "--recipients=a,b@x", ""},
		{"-o -odd@x -d", "--recipients=-odd@x --debug", ""},
		{"-s ", "--sender=", ""},
		{"--help", "--help", ""},
		{"-h -S dir", "--help --store-dir=dir", ""},
	}
	for _, test := range tests {
		var words []string
		if test.words != "" {
			words = strings.Split(test.words, " ")
		}
		got, left, err := site.Canonical(words, flags)
		if err != nil {
			t.Errorf("%s: %v", test.words, err)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", test.words, diff)
		}
		if diff := cmp.Diff(test.left, strings.Join(left, " ")); diff != "" {
			t.Errorf("%s: left: %s", test.words, diff)
		}
	}
	for words, reason := range map[string]string{
		"-x":                    "no such letter",
		"--bogus":               "no such name",
		"-store-dir dir":        "a name needs two hyphens",
		"--S dir":               "a letter has one hyphen",
		"-Sdir":                 "the word stands apart",
		"-dL":                   "letters stand apart",
		"---debug":              "three hyphens",
		"--=x":                  "no name",
		"-S":                    "the word is missing",
		"-S -d":                 "the word is missing",
		"--store-dir=":          "the word is empty",
		"-S  other":             "the first word is empty",
		"--debug=yes":           "takes no word",
		"-S -odd@x":             "only addresses can begin so",
		"-o a@x --bogus@x":      "two hyphens always begin an option",
		"--store-dir=dir -o -x": "no such letter, and no address",
	} {
		if got, _, err := site.Canonical(strings.Split(words, " "), flags); err == nil {
			t.Errorf("%q is taken as %q, want an error: %s", words, got, reason)
		}
	}
}

// Whatever the words are, they are refused, or the library takes the result.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{"-S dir -d", "--store-dir=x", "-o a b -s c", "-- -x", "-S", "-o -a@b", "--help", "---", "-o --debug", "a b", "-s=-d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Split(line, " ")
		canonical, left, err := site.Canonical(words, flags)
		if err != nil {
			return
		}
		for _, word := range left {
			if !slices.Contains(words, word) {
				t.Fatalf("%q: %q is left over, but was not there", line, word)
			}
		}
		ran := slices.Contains(canonical, "--help")
		app := &cli.App{
			Flags: flags, HideHelpCommand: true, HideVersion: true, Writer: new(strings.Builder),
			Action: func(c *cli.Context) error {
				ran = true
				if c.NArg() > 0 {
					t.Fatalf("%q: %q are taken as arguments", line, c.Args().Slice())
				}
				return nil
			},
		}
		if err := app.Run(append([]string{"x"}, canonical...)); err != nil || !ran {
			t.Fatalf("%q, as %q: %v", line, canonical, err)
		}
	})
}
