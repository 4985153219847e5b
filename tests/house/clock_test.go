package house

import (
	"fmt"
	"go/ast"
	"io/fs"
	"slices"
	"testing"
)

// edge is where programs begin: they may ask what time it is, and hand it on.
const edge = "cmd"

// kernels are the files that mean the kernel's clock, since they compare it with the ages of
// files and of processes, or wait.
var kernels = []string{
	"handlers/deliver/wire.go",
	"handlers/lmtp/guard.go",
	"handlers/milter/guard.go",
	"stores/file/abandon.go",
	"stores/file/audit.go",
	"stores/file/lock.go",
	"stores/file/locks.go",
	"stores/file/outbox.go",
	"stores/file/process_linux.go",
	"tests/clock/clock.go", // the clock of the tests
	"tests/clock/days/main.go",
	"tests/clock/days/run.go",
	"tools/check/root.go",
}

// asking are uses of the clock that still have to go, as the test reports them.
var asking = []string{
	"stores/file/store.go",
	"stores/rejected/rejected.go",
}

func TestClock(t *testing.T) { report(t, except(stray(t, root), asking)) }

// stray returns where the clock is asked and must not be. Tests may measure durations: with
// a variable that time.Now is assigned to and that nothing but time.Since gets.
func stray(t *testing.T, project fs.FS) (wrong []string) {
	t.Helper()
	for _, s := range sources(t, project) {
		if below(s.path, edge) && !s.isTest() || slices.Contains(kernels, s.path) {
			continue
		}
		advice := "take the time from the caller, as cmd gives it"
		if s.isTest() {
			advice = "use the package tests/clock"
		}
		for _, decl := range s.file.Decls {
			measured := map[ast.Node]bool{}
			if s.isTest() {
				measured = measures(decl)
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if name := clockFunction(n); name != "" && !measured[n] {
					wrong = append(wrong, fmt.Sprintf("%s: time.%s: %s", s.where(n.Pos()), name, advice))
				}
				return true
			})
		}
	}
	return wrong
}

// clockFunction returns the function of the package time that is named here and goes by the
// clock, if it is one.
func clockFunction(n ast.Node) string {
	selector, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	of, ok := selector.X.(*ast.Ident)
	if !ok || of.Name != "time" || !slices.Contains([]string{"Now", "Since", "Until"}, selector.Sel.Name) {
		return ""
	}
	return selector.Sel.Name
}

// measures returns what measures durations in a declaration: time.Now that is assigned to a
// variable which is used for nothing else, and what it is used by.
func measures(decl ast.Decl) map[ast.Node]bool {
	starts := map[string][]ast.Node{} // time.Now, by variable
	uses := map[string][]ast.Node{}   // time.Since, or Sub of such variables
	counted := map[*ast.Ident]bool{}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if len(n.Lhs) != 1 || len(n.Rhs) != 1 {
				return true
			}
			name, ok := n.Lhs[0].(*ast.Ident)
			call, called := n.Rhs[0].(*ast.CallExpr)
			if ok && called && clockFunction(call.Fun) == "Now" {
				counted[name] = true
				starts[name.Name] = append(starts[name.Name], call.Fun)
			}
		case *ast.CallExpr:
			if clockFunction(n.Fun) != "Since" || len(n.Args) != 1 {
				return true
			}
			if name, ok := n.Args[0].(*ast.Ident); ok {
				counted[name] = true
				uses[name.Name] = append(uses[name.Name], n.Fun)
			}
		}
		return true
	})
	ast.Inspect(decl, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok && !counted[name] {
			delete(starts, name.Name) // it is used for something else
		}
		return true
	})
	found := map[ast.Node]bool{}
	for name, nodes := range starts {
		for _, n := range slices.Concat(nodes, uses[name]) {
			found[n] = true
		}
	}
	return found
}

func TestStrayClock(t *testing.T) {
	const measuring = `import "time"
func f() time.Duration { began := time.Now(); f(); took := time.Since(began); began = time.Now(); return took + time.Since(began) }`
	broken(t, stray(t, project(map[string]string{
		"cmd/imip-agent/main.go": `import "time"; var now = time.Now`,
		"stores/file/lock.go":    `import "time"; var now = time.Now()`,
		"stores/file/x_test.go":  measuring,
		"tests/bench/measure.go": measuring,
		"tools/check/check.go":   `func f(time interface{ Now() }) { _ = "time.Now()" /* time.Now() */ }`,
		"stores/calendar/now.go": `import "time"; func f(now time.Time) time.Time { return now.Add(time.Hour) }`,
	})))
	for name, bad := range map[string]string{
		"handlers/request.go":        `var now = time.Now`,
		"handlers/itip/busy.go":      `func f() { _ = time.Until(f.end) }`,
		"stores/file/tables.go":      `func f() { x := time.Now(); _ = x }`,
		"tools/check/user.go":        `func f() { _ = time.Since(f.at) }`,
		"tools/check/user_test.go":   `var soon = time.Now().AddDate(0, 0, 1)`,
		"cmd/imip-agent/a_test.go":   `func f() { g(time.Now()) }`,
		"tests/crash/age_test.go":    `func f() { _ = time.Since(f.ModTime()) }`,
		"tests/bench/age.go":         `func f() { at = time.Now(); g(at) }`,
		"stores/storestest/suite.go": `func f() { _ = time.Until(f.end) }`,
	} {
		broken(t, stray(t, project(map[string]string{name: "import \"time\"\n" + bad})), name+":3: time.")
	}
}
