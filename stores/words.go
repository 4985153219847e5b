package stores

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words splits a line into its words, as the original does it, observed: white space lies
// between them. A word that begins with a single or double quote goes on to the next quote
// of that kind, and with what follows up to white space; there are no escapes. A line that
// is blank or begins with # has no words, where the original fails or takes # for one.
func Words(line string) (words []string, err error) {
	if !utf8.ValidString(line) {
		return nil, errors.New("it is not UTF-8")
	}
	rest := strings.TrimSpace(line)
	if strings.HasPrefix(rest, "#") {
		return nil, nil
	}
	for rest != "" {
		var word string
		if quote := rest[0]; quote == '"' || quote == '\'' {
			quoted, after, closed := strings.Cut(rest[1:], rest[:1])
			if !closed {
				return nil, fmt.Errorf("the quote %s is not closed", rest[:1])
			}
			word, rest = quoted, after
		}
		end := strings.IndexFunc(rest, unicode.IsSpace)
		if end < 0 {
			end = len(rest)
		}
		word += rest[:end]
		words = append(words, word)
		rest = strings.TrimLeftFunc(rest[end:], unicode.IsSpace)
	}
	return words, nil
}

// Quote returns a word as [Words] reads it from a line, in quotes only where they are needed.
// One with a line break or both kinds of quotes cannot always be written.
func Quote(word string) (string, error) {
	plain := word != "" && !strings.ContainsAny(word[:1], "\"'#") && !strings.ContainsFunc(word, unicode.IsSpace)
	switch {
	case strings.ContainsFunc(word, IsControl) || !utf8.ValidString(word):
		return "", errors.New("it has control characters")
	case plain:
		return word, nil
	case !strings.Contains(word, `"`):
		return `"` + word + `"`, nil
	case !strings.Contains(word, "'"):
		return "'" + word + "'", nil
	}
	return "", errors.New("it has single and double quotes")
}

// ListError says that a line of a quota's list cannot be read. It is for an administrator to
// mend.
type ListError struct {
	List   string // its name, or where the store knows that, its file
	Line   int    // from 1; 0: not known
	Text   string // the line
	Reason string
}

func (e *ListError) Error() string {
	where := e.List
	if e.Line > 0 {
		where += fmt.Sprintf(", line %d", e.Line)
	}
	return fmt.Sprintf("%s: %.200q: %s", where, e.Text, e.Reason)
}

// CheckList says what is wrong with the words of a line of one of the [QuotaLists], or that
// there is no such list.
func CheckList(name string, words []string) error {
	for _, l := range QuotaLists {
		if l.Name != name {
			continue
		}
		if len(words) != l.Columns {
			noun := "words"
			if len(words) == 1 {
				noun = "word"
			}
			return fmt.Errorf("it has %d %s, and must have %d", len(words), noun, l.Columns)
		}
		for _, word := range words {
			if word == "" {
				return errors.New("it has an empty word")
			}
			if strings.ContainsFunc(word, IsControl) || !utf8.ValidString(word) {
				return errors.New("it has control characters")
			}
		}
		return nil
	}
	return fmt.Errorf("there is no list %q", name)
}
