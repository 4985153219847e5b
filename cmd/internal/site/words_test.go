package site_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/cmd/internal/site"
)

var options = []site.Option{
	{Name: "recipients", Letter: "o", Value: "ADDRESSES", Addresses: true},
	{Name: "sender", Letter: "s", Value: "ADDRESS", Addresses: true},
	{Name: "store-dir", Letter: "S", Value: "DIR"},
	{Name: "config", Value: "FILE"},
	{Name: "debug", Letter: "d"},
	{Name: "local-smtp", Letter: "L"},
}

// written writes a command line with the long names of the options that it was given.
func written(line *site.CommandLine) string {
	var words []string
	for _, o := range append(slices.Clip(options), site.Option{Name: "help"}) {
		switch {
		case o.Value != "" && line.IsSet(o.Name):
			words = append(words, "--"+o.Name+"="+line.String(o.Name))
		case line.Bool(o.Name):
			words = append(words, "--"+o.Name)
		}
	}
	return strings.Join(words, " ")
}

func TestParse(t *testing.T) {
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
		{"-d stray -S dir", "--store-dir=dir --debug", "stray"},
		{"-S dir -- -x y", "--store-dir=dir", "-x y"},
		{"-S -", "--store-dir=-", ""},
		{"-o a,b@x", "--recipients=a,b@x", ""},
		{"-o -odd@x -d", "--recipients=-odd@x --debug", ""},
		{"-o --config=odd@x -d", "--recipients=--config=odd@x --debug", ""},
		{"-s --bogus@x -o --debug@x", "--recipients=--debug@x --sender=--bogus@x", ""},
		{"-o a@x --config=dir@x", "--recipients=a@x --config=dir@x", ""},
		{"-o --config=dir -s a@x", "--sender=a@x --config=dir", ""},
		{"-s ", "--sender=", ""},
		{"--help", "--help", ""},
		{"-h -S dir", "--store-dir=dir --help", ""},
	}
	for _, test := range tests {
		var words []string
		if test.words != "" {
			words = strings.Split(test.words, " ")
		}
		line, err := site.Parse(words, options)
		if err != nil {
			t.Errorf("%s: %v", test.words, err)
			continue
		}
		if diff := cmp.Diff(test.want, written(line)); diff != "" {
			t.Errorf("%s: %s", test.words, diff)
		}
		if diff := cmp.Diff(test.left, strings.Join(line.Left, " ")); diff != "" {
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
		if line, err := site.Parse(strings.Split(words, " "), options); err == nil {
			t.Errorf("%q is taken as %q, want an error: %s", words, written(line), reason)
		}
	}
}

// Whatever the words are, they are refused, or each is left over or belongs to an
// option, and what was understood is understood again when it is written out.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"-S dir -d", "--store-dir=x", "-o a b -s c", "-- -x", "-S", "-o -a@b", "--help", "---", "-o --debug", "a b", "-s=-d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Split(text, " ")
		line, err := site.Parse(words, options)
		if err != nil {
			return
		}
		for _, word := range line.Left {
			if !slices.Contains(words, word) {
				t.Fatalf("%q: %q is left over, but was not there", text, word)
			}
		}
		for _, o := range options {
			if word := line.String(o.Name); !strings.Contains(text, word) {
				t.Fatalf("%q: option %s has %q, which was not there", text, o.Name, word)
			}
		}
		again, err := site.Parse(strings.Split(written(line), " "), options)
		if written(line) == "" {
			return
		}
		if err != nil {
			t.Fatalf("%q, as %q: %v", text, written(line), err)
		}
		if len(again.Left) > 0 || written(again) != written(line) {
			t.Fatalf("%q, as %q, is read again as %q, with %q left over", text, written(line), written(again), again.Left)
		}
	})
}

func TestHelp(t *testing.T) {
	var b strings.Builder
	_, err := site.Help{
		Program: "program", Summary: "do something", Usage: "program [options]", Description: "First line,\nsecond line.",
		Options: []site.Option{
			{Name: "store-dir", Letter: "S", Value: "DIR", Usage: "the DIR of the store", Category: "Places:"},
			{Name: "debug", Letter: "d", Usage: "tell each step"},
			{Name: "config", Value: "FILE", Usage: "read FILE"},
			{Name: "journal-dir", Letter: "j", Value: "DIR", Usage: "the DIR of the journal", Category: "Places:"},
		},
	}.WriteTo(&b)
	if err != nil {
		t.Fatal(err)
	}
	const want = `NAME:
   program - do something

USAGE:
   program [options]

DESCRIPTION:
   First line,
   second line.

OPTIONS:
   --config FILE  read FILE
   --debug, -d    tell each step
   --help, -h     show help

   Places:

   --journal-dir DIR, -j DIR  the DIR of the journal
   --store-dir DIR, -S DIR    the DIR of the store
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
