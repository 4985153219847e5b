package compat

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What DEVIATIONS.md says and what is elsewhere have to correspond: each heading
// has a place in the code that is marked with it and a conversation or a test
// that shows it, and each mark and each conversation has a heading.
func TestDeviations(t *testing.T) {
	text, err := os.ReadFile("DEVIATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	var names []string
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		sections[name] = body
		names = append(names, name)
	}
	marked := marks(t)
	shown := shownBy(t)

	for name, places := range marked {
		if _, ok := sections[name]; !ok {
			t.Errorf("%s: the code departs from the original by %q, which DEVIATIONS.md does not name", places[0], name)
		}
	}
	for name, conversations := range shown {
		if _, ok := sections[name]; !ok {
			t.Errorf("conversation %s shows %q, which DEVIATIONS.md does not name", conversations[0], name)
		}
	}
	tests := testNames(t)
	for _, name := range names {
		body := sections[name]
		for _, part := range []string{"**Ours**", "**Why**", "**The original**", "**Shown by**"} {
			if !strings.Contains(body, part) {
				t.Errorf("%s: no %s", name, part)
			}
		}
		if len(marked[name]) == 0 {
			t.Errorf("%s: nothing in the code is marked with it", name)
		}
		_, says, _ := strings.Cut(body, "**Shown by**")
		for _, conversation := range shown[name] {
			if !strings.Contains(says, "`"+conversation+"`") {
				t.Errorf("%s: conversation %s shows it, but is not named", name, conversation)
			}
		}
		named := quoted.FindAllStringSubmatch(says, -1)
		if len(named) == 0 {
			t.Errorf("%s: nothing shows it", name)
		}
		for _, match := range named {
			if !slices.Contains(shown[name], match[1]) && !slices.Contains(tests, match[1]) {
				t.Errorf("%s: there is neither a conversation for it nor a test that is called %s", name, match[1])
			}
		}
	}
}

var (
	mark   = regexp.MustCompile(`DEVIATION: ([a-z0-9-]+)`)
	quoted = regexp.MustCompile("`([A-Za-z0-9-]+)`")
	test   = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
)

// marks returns the places in the code that are marked with each deviation.
func marks(t *testing.T) map[string][]string {
	found := map[string][]string{}
	eachGoFile(t, func(path, text string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, match := range mark.FindAllStringSubmatch(text, -1) {
			found[match[1]] = append(found[match[1]], path)
		}
	})
	return found
}

// testNames returns the names of all tests of the module.
func testNames(t *testing.T) (names []string) {
	eachGoFile(t, func(path, text string) {
		if strings.HasSuffix(path, "_test.go") {
			for _, match := range test.FindAllStringSubmatch(text, -1) {
				names = append(names, match[1])
			}
		}
	})
	return names
}

// shownBy returns the conversations for each deviation.
func shownBy(t *testing.T) map[string][]string {
	found := map[string][]string{}
	files, err := filepath.Glob("conversations/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		c, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		if c.Deviation != "" {
			found[c.Deviation] = append(found[c.Deviation], c.Name)
		}
	}
	return found
}

// eachGoFile calls fn for each Go file of the module.
func eachGoFile(t *testing.T, fn func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		fn(path, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
