package summary

import (
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leonelquinteros/gotext"
)

var update = flag.Bool("update", false, "write what is made of the catalogues")

// texts returns the texts in the package that are translated: those that tr and say are given.
func texts(t *testing.T) []string {
	t.Helper()
	arguments := map[string]int{"tr": 1, "say": 2} // how many of them are texts
	var found []string
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			called := ""
			switch f := call.Fun.(type) {
			case *ast.Ident:
				called = f.Name
			case *ast.SelectorExpr:
				called = f.Sel.Name
			}
			for _, argument := range call.Args[:min(len(call.Args), arguments[called])] {
				literal, ok := argument.(*ast.BasicLit)
				if !ok {
					if from := name + " " + fmt.Sprint(argument); from != "summary.go occurrence" && from != "summary.go whole" { // in say itself
						t.Errorf("%s: a text that is not written out cannot be found", files.Position(argument.Pos()))
					}
					continue
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Contains(found, text) {
					found = append(found, text)
				}
			}
			return true
		})
	}
	if len(found) < 50 {
		t.Fatalf("only %d texts are found", len(found))
	}
	return found
}

var languages = []string{"da", "de", "nb"}

// load reads the catalogue of a language.
func load(t *testing.T, language string) map[string]string {
	t.Helper()
	content, err := os.ReadFile("po/" + language + ".po")
	if err != nil {
		t.Fatal(err)
	}
	po := gotext.NewPo()
	po.Parse(content)
	if po.Language != language {
		t.Errorf("the catalogue %s is of the language %q", language, po.Language)
	}
	all := map[string]string{}
	for id, translation := range po.GetDomain().GetTranslations() {
		if id != "" {
			all[id] = translation.Trs[0]
		}
	}
	if n := strings.Count(string(content), "\nmsgid \"") - 1; n != len(all) {
		t.Errorf("the catalogue %s has %d entries, of which %d are read: is one there twice?", language, n, len(all))
	}
	return all
}

// placeholders returns the names in braces in a text, in order.
func placeholders(text string) []string {
	var names []string
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			slices.Sort(names)
			return names
		}
		name, after, _ := strings.Cut(after, "}")
		names = append(names, name)
		rest = after
	}
}

// TestCatalogues sees that each catalogue has a translation of each text, with the same names in
// it, and nothing else, and that the program has what the catalogues have.
func TestCatalogues(t *testing.T) {
	wanted := texts(t)
	program := "// Code generated of the catalogues in po by go generate. DO NOT EDIT.\n\npackage summary\n"
	for _, language := range languages {
		all := load(t, language)
		for _, text := range wanted {
			translated := all[text]
			switch {
			case translated == "":
				t.Errorf("%s: %q is missing", language, text)
			case !cmp.Equal(placeholders(text), placeholders(translated)):
				t.Errorf("%s: %q has the names %q, and the translation %q", language, text, placeholders(text), placeholders(translated))
			case strings.HasSuffix(text, ".") != strings.HasSuffix(translated, ".") || strings.TrimSpace(translated) != translated:
				t.Errorf("%s: %q and %q do not end in the same way", language, text, translated)
			}
		}
		for _, text := range slices.Sorted(maps.Keys(all)) {
			if !slices.Contains(wanted, text) {
				t.Errorf("%s: no program says %q", language, text)
			}
		}
		program += fmt.Sprintf("\n// %s returns the translation of a text, \"\" if there is none.\nfunc %[1]s(text string) string {\n\tswitch text {\n", language)
		for _, text := range slices.Sorted(maps.Keys(all)) {
			program += fmt.Sprintf("case %q:\nreturn %q\n", text, all[text])
		}
		program += "}\nreturn \"\"\n}\n"
	}
	source, err := format.Source([]byte(program))
	if err != nil {
		t.Fatal(err)
	}
	var template strings.Builder
	template.WriteString("# What there is to translate. A catalogue is a copy of this with all msgstr filled in.\nmsgid \"\"\nmsgstr \"\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n")
	for _, text := range wanted {
		fmt.Fprintf(&template, "\nmsgid %s\nmsgstr \"\"\n", strconv.Quote(text))
	}
	for name, content := range map[string]string{"catalogues.go": string(source), "po/summary.pot": template.String()} {
		if *update {
			if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if is, err := os.ReadFile(name); err != nil || string(is) != content {
			t.Errorf("%s is not what the catalogues and texts make of it: go generate (%v)", name, err)
		}
	}
}
