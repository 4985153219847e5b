// Package house guards how the project is built: what lies at the top, which package may
// know which, and who may ask what time it is. Its rules are those of README's section on
// layout. Each has a test that breaks it.
package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// root is the project.
var root = os.DirFS("../..")

// module is what import paths of the project begin with.
const module = "imip-agent/"

// source is a file of Go, by its path from the top.
type source struct {
	path string
	set  *token.FileSet
	file *ast.File
}

// isTest reports whether the file belongs to the tests.
func (s source) isTest() bool {
	return strings.HasSuffix(s.path, "_test.go") || below(s.path, "tests") || slices.ContainsFunc(forTests, func(room string) bool { return below(s.path, room) })
}

// where is a place in the file.
func (s source) where(at token.Pos) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(at).Line)
}

// forTests are packages that only tests use, though they lie elsewhere.
var forTests = []string{"stores/storestest", "stores/postgresql/postgresqltest", "handlers/agenda/agendatest"}

// sources reads all Go that is there, whatever it is built for.
func sources(t *testing.T, project fs.FS) []source {
	t.Helper()
	var all []source
	err := fs.WalkDir(project, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		content, err := fs.ReadFile(project, name)
		if err != nil {
			return err
		}
		s := source{path: name, set: token.NewFileSet()}
		if s.file, err = parser.ParseFile(s.set, name, content, parser.SkipObjectResolution); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// below reports whether a path is that of a room, or lies in it.
func below(name, room string) bool { return name == room || strings.HasPrefix(name, room+"/") }

// except removes what is known to be wrong, by its beginning, and adds a line for each
// exception that nothing needs any more.
func except(wrong []string, known []string) []string {
	needed := map[string]bool{}
	left := slices.DeleteFunc(slices.Clone(wrong), func(line string) bool {
		for _, k := range known {
			if strings.HasPrefix(line, k) {
				needed[k] = true
				return true
			}
		}
		return false
	})
	for _, k := range known {
		if !needed[k] {
			left = append(left, fmt.Sprintf("the exception %q is not needed any more: remove it", k))
		}
	}
	return left
}

func report(t *testing.T, wrong []string) {
	t.Helper()
	for _, line := range wrong {
		t.Error(line)
	}
}

// broken checks that a rule finds what is wrong in a project, line by line, by how it begins.
func broken(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d: %q", len(got), len(want), got)
		return
	}
	for i, line := range got {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("%q, want %q", line, want[i])
		}
	}
}

// project is one for a test of a rule: files by path. Those of Go lack their first line.
func project(files map[string]string) fs.FS {
	p := fstest.MapFS{}
	for name, content := range files {
		if path.Ext(name) == ".go" {
			content = "package p\n" + content
		}
		p[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return p
}

func TestExceptions(t *testing.T) {
	broken(t, except([]string{"a imports b", "c imports d"}, []string{"a imports b", "e imports f"}),
		"c imports d", `the exception "e imports f" is not needed any more`)
}
