package conf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Warning is something in a configuration file that is not taken as it stands.
type Warning struct {
	File string
	Line int    // from 1
	Name string // the setting concerned, if one is
	Text string
}

func (w Warning) String() string {
	where := fmt.Sprintf("%s, line %d: ", w.File, w.Line)
	if w.Name != "" {
		where += w.Name + ": "
	}
	return where + w.Text
}

// assignment is NAME = value. The value is a string, int64, bool or nil.
type assignment struct {
	name  string
	value any
	line  int
	err   error // why there is no value
	used  bool  // in a later value
}

// parse reads a configuration file. Every assignment to a single name is
// returned, in order; one whose value cannot be read has an error. The warnings
// say what else there is.
func parse(source []byte) (assignments []assignment, warnings []Warning) {
	// skip passes over a statement. The settings that it names may be set by it, as far as
	// can be told, and are assignments without a value.
	skip := func(st statement, tokens []token, why string) {
		named := false
		for _, t := range tokens {
			if t.kind != name {
				continue
			}
			if _, known := find(t.str); known {
				named = true
				assignments = append(assignments, assignment{name: t.str, line: st.line, err: errors.New(why)})
			}
		}
		if !named {
			warnings = append(warnings, Warning{Line: st.line, Text: "skipped, " + why})
		}
	}
	defined := map[string]int{} // the assignment that holds
	for s := newScanner(source); ; {
		st, ok, err := s.next()
		switch {
		case !ok:
			return assignments, warnings
		case err != nil:
			// DEVIATION: config-syntax-error. The original reads nothing of such a
			// file, and ends.
			skip(st, st.tokens, err.Error())
			continue
		case st.indented:
			skip(st, st.tokens, "the line is indented")
			continue
		case isCompound(st.tokens):
			skip(st, st.tokens, "it is not NAME = value")
			continue
		}
		for _, tokens := range split(st.tokens) {
			if len(tokens) == 0 {
				continue
			}
			if !isAssignment(tokens) {
				skip(st, tokens, "it is not NAME = value")
				continue
			}
			a := assignment{name: tokens[0].str, line: st.line}
			a.value, a.err = evaluate(tokens[2:], func(name string) (any, bool) {
				i, ok := defined[name]
				if !ok {
					return nil, false
				}
				assignments[i].used = true
				return assignments[i].value, true
			})
			if a.err == nil {
				defined[a.name] = len(assignments)
			}
			assignments = append(assignments, a)
		}
	}
}

// isCompound tells whether a colon outside of brackets makes this the head of a
// compound statement, with what stands behind it on the line.
func isCompound(tokens []token) bool {
	depth := 0
	for _, t := range tokens {
		switch t.kind {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ':':
			if depth == 0 {
				return true
			}
		}
	}
	return false
}

// split cuts the statements that stand on one line apart.
func split(tokens []token) [][]token {
	var statements [][]token
	for {
		end := slices.IndexFunc(tokens, func(t token) bool { return t.kind == ';' })
		if end < 0 {
			return append(statements, tokens)
		}
		statements = append(statements, tokens[:end])
		tokens = tokens[end+1:]
	}
}

// keywords cannot be assigned to, nor be values.
var keywords = []string{
	"and", "as", "assert", "break", "class", "continue", "def", "del", "elif", "else", "except", "exec",
	"finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "not", "or", "pass", "print",
	"raise", "return", "try", "while", "with", "yield",
}

// constants are no keywords of Python 2.7, but giving them another value would
// only confuse.
var constants = []string{"None", "True", "False"}

func isAssignment(tokens []token) bool {
	return len(tokens) >= 2 && tokens[0].kind == name && tokens[1].kind == '=' &&
		!slices.Contains(keywords, tokens[0].str) && !slices.Contains(constants, tokens[0].str) &&
		!slices.ContainsFunc(tokens[2:], func(t token) bool { return t.kind == '=' })
}

var errNoValue = errors.New("the value must be a string, an integer, None, True, False, or a name defined above")

// evaluate returns the value of an expression. lookup finds that of a name.
func evaluate(tokens []token, lookup func(string) (any, bool)) (any, error) {
	for len(tokens) >= 2 && tokens[0].kind == '(' && tokens[len(tokens)-1].kind == ')' {
		tokens = tokens[1 : len(tokens)-1]
	}
	for _, t := range tokens {
		if t.bad != "" {
			return nil, errors.New(t.bad)
		}
	}
	switch {
	case len(tokens) == 0:
		return nil, errNoValue
	case tokens[0].kind == text:
		var joined strings.Builder // strings side by side are one
		for _, t := range tokens {
			if t.kind != text {
				return nil, errNoValue
			}
			joined.WriteString(t.str)
		}
		return joined.String(), nil
	case len(tokens) > 1:
		return nil, errNoValue
	case tokens[0].kind == number:
		return tokens[0].num, nil
	case tokens[0].kind != name || slices.Contains(keywords, tokens[0].str):
		return nil, errNoValue
	}
	word := tokens[0].str
	if value, ok := lookup(word); ok {
		return value, nil
	}
	switch word {
	case "None":
		return nil, nil
	case "True":
		return true, nil
	case "False":
		return false, nil
	}
	return nil, fmt.Errorf("%.60s is not defined above", word)
}
