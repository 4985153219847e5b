package house

import (
	"go/ast"
	"io/fs"
	"slices"
	"testing"
)

// Tests are skipped by the package tests/skip, so that `go test` says what and why.
func TestSkips(t *testing.T) { report(t, silent(t, root)) }

// silent returns where a test is skipped in another way.
func silent(t *testing.T, project fs.FS) (wrong []string) {
	t.Helper()
	for _, s := range sources(t, project) {
		if !s.isTest() || below(s.path, "tests/skip") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, method.Sel.Name) {
				return true
			}
			wrong = append(wrong, s.where(n.Pos())+": "+method.Sel.Name+" is silent without -v: use skip.Because of the package tests/skip")
			return true
		})
	}
	return wrong
}

func TestSilentSkip(t *testing.T) {
	broken(t, silent(t, project(map[string]string{
		"tests/skip/skip.go":       `func f() { t.Skip("reason") }`,
		"tests/crash/a_test.go":    `func f() { skip.Because(t, "reason") }`,
		"tools/migrate/copy.go":    `func f() { x.Skip() }`,
		"stores/file/lock_test.go": `func f() { d.t.Skipf("no %s", "x") }`,
	})), "stores/file/lock_test.go:2: Skipf is silent")
}
