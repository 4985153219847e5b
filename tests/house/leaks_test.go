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

// What a package keeps to itself: nobody else names it.
var kept = []struct {
	what   string
	text   *regexp.Regexp // of a string in the code, or of an import path
	rooms  []string       // where it may be named
	advice string
}{
	{"the layout of a store of files", regexp.MustCompile(`^__[a-z]+__`), []string{"stores/file"}, "ask the store"},
	{"an error code of PostgreSQL", regexp.MustCompile(`^(08|22|23|25|3D|40|42|53|55|57)[0-9A-Z]{3}$`), []string{"stores/postgresql"}, "ask with errors.Is or errors.As"},
	{"the driver of PostgreSQL", regexp.MustCompile(`^github\.com/jackc/`), []string{"stores/postgresql"}, "use the interfaces of package stores"},
}

// sole are functions that one package calls for all others.
var sole = []struct {
	functions []string
	rooms     []string
	advice    string
}{
	{[]string{"strconv.IsPrint", "strconv.IsGraphic", "unicode.IsPrint", "unicode.IsGraphic"}, []string{"stores/calendar/printable"}, "use that package"},
	{[]string{"os.Exit"}, []string{"cmd", "tools/package/pages"}, "return an error"},
}

func TestLeaks(t *testing.T) { report(t, leaks(t, root)) }

// leaks returns where the code names what another package keeps to itself, and where it
// searches texts that are for people.
func leaks(t *testing.T, project fs.FS) (wrong []string) {
	t.Helper()
	for _, s := range sources(t, project) {
		if s.isTest() {
			continue
		}
		within := func(rooms []string) bool {
			return slices.ContainsFunc(rooms, func(room string) bool { return below(path.Dir(s.path), room) })
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				text, err := strconv.Unquote(n.Value)
				if n.Kind != token.STRING || err != nil {
					return true
				}
				for _, k := range kept {
					if k.text.MatchString(text) && !within(k.rooms) {
						wrong = append(wrong, fmt.Sprintf("%s: %q is %s, which only %s knows: %s", s.where(n.Pos()), text, k.what, strings.Join(k.rooms, ", "), k.advice))
					}
				}
			case *ast.SelectorExpr:
				for _, k := range sole {
					if slices.Contains(k.functions, selected(n)) && !within(k.rooms) {
						wrong = append(wrong, fmt.Sprintf("%s: only %s calls %s: %s", s.where(n.Pos()), strings.Join(k.rooms, ", "), selected(n), k.advice))
					}
				}
			case *ast.CallExpr:
				if searches(n) {
					wrong = append(wrong, s.where(n.Pos())+": the text of an error or a finding is for people: search by errors.Is, errors.As, or a kind")
				}
			}
			return true
		})
	}
	return wrong
}

// selected returns package and name of what is selected, if that is in a package.
func selected(n *ast.SelectorExpr) string {
	if of, ok := n.X.(*ast.Ident); ok {
		return of.Name + "." + n.Sel.Name
	}
	return ""
}

// searches reports whether a call looks for something in a text that is for people: that of an
// error, or a reason.
func searches(call *ast.CallExpr) bool {
	function, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) < 2 {
		return false
	}
	of, ok := function.X.(*ast.Ident)
	if !ok || of.Name != "strings" || !slices.Contains([]string{
		"Contains", "HasPrefix", "HasSuffix", "Index", "EqualFold", "Cut", "CutPrefix", "CutSuffix", "Count",
	}, function.Sel.Name) {
		return false
	}
	found := false
	ast.Inspect(call.Args[0], func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "Error" || s.Sel.Name == "Reason") {
			found = true
		}
		return !found
	})
	return found
}

func TestLeak(t *testing.T) {
	broken(t, leaks(t, project(map[string]string{
		"stores/file/lock.go":         `const lock = "__lock__"`,
		"stores/postgresql/errors.go": `import _ "github.com/jackc/pgx/v5"; const undefinedTable = "42P01"`,
		"stores/file/lock_test.go":    `func f() { _ = strings.Contains(err.Error(), "x") }`,
		"tests/crash/kill_test.go":    `const lock = "__lock__"`,
		"tools/check/check.go":        `func f() { _ = errors.Is(err, stores.ErrLocked); _ = strings.Contains(text, "x"); _ = d.Reason }`,
		"tools/check/report.go":       `func f() { _ = strings.ReplaceAll(err.Error(), "\n", " ") }`,
		"tools/migrate/zone.go":       `const name = "ABCDE1"`,
		"cmd/imip-agent/main.go":      `func f() { os.Exit(1) }`,
	})))
	for _, test := range [][2]string{
		{`const lock = "__lock__"`, `"__lock__" is the layout`},
		{`const undefinedTable = "42P01"`, `"42P01" is an error code`},
		{`import _ "github.com/jackc/pgx/v5/pgconn"`, `"github.com/jackc/pgx/v5/pgconn" is the driver`},
		{`func f() { _ = strings.Contains(err.Error(), "exit status 1") }`, "the text of an error"},
		{`func f() { _ = strings.HasPrefix(d.Reason, "old") }`, "the text of an error"},
		{`func f() { _ = strings.Contains(strings.ToLower(d.Reason()), "old") }`, "the text of an error"},
		{`func f(r rune) { _ = unicode.IsPrint(r) }`, "only stores/calendar/printable calls unicode.IsPrint"},
		{`func f() { os.Exit(1) }`, "only cmd, tools/package/pages calls os.Exit"},
	} {
		broken(t, leaks(t, project(map[string]string{"tools/check/check.go": test[0]})), "tools/check/check.go:2: "+test[1])
	}
}
