package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unclear are words that texts for people do without, and what they say instead.
var unclear = []struct {
	words  *regexp.Regexp
	better string
}{
	{regexp.MustCompile(`\bof which\b`), "begin another sentence"},
	{regexp.MustCompile(`\b[Ss]o it is\b`), "say the same thing again"},
	{regexp.MustCompile(`\b(has|have) to\b`), "must"},
	{regexp.MustCompile(`\b(puts?|putting) (\w+ )?aside\b|\bset aside\b|\bmoved? aside\b`), "reject, or move into the quarantine"},
	{regexp.MustCompile(`\btells?\b`), "report, say, inform"},
	{regexp.MustCompile(`\bas ever\b`), "as before"},
	{regexp.MustCompile(`\b[Oo]rganis(er|ers|ed|es|ing)\b`), "organizer"},
	{regexp.MustCompile(`\b(has|have) it not\b|\bhas not (an?|any|the)\b`), "is missing, lacks"},
}

// pages are texts for people outside of the code.
var pages = []string{
	"README.md", "conf/README.md", "conf/SECURITY.md", "conf/config.txt", "tools/README.md", "tests/README.md", "tests/compat/DEVIATIONS.md",
}

// names are rooms whose strings are data: names of places.
var names = []string{"stores/calendar/zones", "stores/calendar/charset"}

func TestWords(t *testing.T) { report(t, obscure(t, root)) }

// obscure returns where texts for people have words that they do without: pages, and strings of
// several words in the code.
func obscure(t *testing.T, project fs.FS) (wrong []string) {
	t.Helper()
	check := func(where, text string) {
		for _, u := range unclear {
			if found := u.words.FindString(text); found != "" {
				wrong = append(wrong, fmt.Sprintf("%s: %q in %.60q: %s", where, found, text, u.better))
			}
		}
	}
	for _, name := range pages {
		content, err := fs.ReadFile(project, name)
		if err != nil {
			continue // as in a test of this one
		}
		number := 0
		for line := range strings.Lines(string(content)) {
			number++
			if !strings.Contains(line, `"organiser"`) && !strings.Contains(line, "DEVIATION: ") {
				check(name+":"+strconv.Itoa(number), strings.TrimSpace(line))
			}
		}
	}
	for _, s := range sources(t, project) {
		if s.isTest() || slices.Contains(names, path.Dir(s.path)) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && strings.Count(text, " ") > 1 {
				check(s.where(literal.Pos()), text)
			}
			return true
		})
	}
	return wrong
}

func TestObscure(t *testing.T) {
	broken(t, obscure(t, project(map[string]string{
		"README.md":                  "A message must be tried again. Files keep the spelling \"organiser\".\n",
		"tools/check/kinds.go":       `const text = "the organizer must be an attendee"; const name = "organiser"`,
		"stores/calendar/zones/x.go": `const names = "tell city, indiana\tAmerica/Indiana/Tell_City\n"`,
		"stores/file/lock_test.go":   `const text = "what it has to do tells of which"`,
	})))
	for words, found := range map[string]string{
		"a message has to be tried again":          "has to",
		"two values, of which the first is used":   "of which",
		"the reason tells what to do":              "tells",
		"so it is with messages":                   "so it is",
		"what cannot be handled is put it aside":   "put it aside",
		"the organiser of the event is missing":    "organiser",
		"the store has not the tables it needs":    "has not the",
		"recipients get the mail as ever it was":   "as ever",
		"the target of the copy simply has it not": "has it not",
	} {
		broken(t, obscure(t, project(map[string]string{"README.md": words})), fmt.Sprintf("README.md:1: %q in", found))
		broken(t, obscure(t, project(map[string]string{"conf/conf.go": "const text = " + strconv.Quote(words)})), fmt.Sprintf("conf/conf.go:2: %q in", found))
	}
}
