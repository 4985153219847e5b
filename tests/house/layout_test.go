package house

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// top is what lies at the top, beside files whose names begin with a dot.
var top = []string{"COPYING", "README.md", "cmd", "conf", "go.mod", "go.sum", "handlers", "stores", "tests", "tools"}

// built is what builds leave behind there (.gitignore).
var built = []string{"bin", "dist"}

func TestLayout(t *testing.T) { report(t, layout(t, root)) }

// layout returns what lies at the top and does not belong there, and what is missing.
func layout(t *testing.T, project fs.FS) (wrong []string) {
	t.Helper()
	entries, err := fs.ReadDir(project, ".")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || slices.Contains(built, name) || strings.HasSuffix(name, ".test") || strings.HasSuffix(name, ".out") {
			continue
		}
		found = append(found, name)
		if !slices.Contains(top, name) {
			wrong = append(wrong, fmt.Sprintf("%s lies at the top, where only %s may be", name, strings.Join(top, ", ")))
		}
	}
	for _, name := range top {
		if !slices.Contains(found, name) {
			wrong = append(wrong, name+" is missing at the top")
		}
	}
	return wrong
}

func TestStrayEntry(t *testing.T) {
	files := map[string]string{"packaging/build.sh": "", ".gitignore": "", "bin/imip-agent": ""}
	for _, name := range top[1:] {
		files[name] = ""
	}
	broken(t, layout(t, project(files)), "packaging lies at the top", "COPYING is missing")
}
