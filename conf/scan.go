package conf

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind says what a token is. Other than these, it is the operator's character.
type kind byte

const (
	name   kind = 'a'
	text   kind = '"'
	number kind = '0'
)

// token is a piece of a statement.
type token struct {
	kind kind
	str  string // a name, or what a string means
	num  int64
	bad  string // why the token has no value, although it is one
}

// statement is what stands on one logical line of Python: a line with those that
// brackets, a triple-quoted string or a backslash join to it.
type statement struct {
	tokens   []token
	line     int  // where it begins, from 1
	indented bool // belongs to a compound statement
}

// scanner cuts Python source into statements (the Python Language Reference,
// chapter 2, of version 2.7), as far as is needed to find where they end and what
// their literals mean.
type scanner struct {
	src  []byte
	pos  int
	line int
	// oneLine is set once brackets or a string turned out not to be closed. From
	// then on every line is taken for itself: it keeps the time linear, and an
	// accident at the top of a file from hiding the rest of it.
	oneLine bool
}

func newScanner(src []byte) *scanner {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	src = bytes.ReplaceAll(src, []byte("\r"), []byte("\n"))
	return &scanner{src: src, line: 1}
}

// next returns the next statement, and false at the end. Where the error is not
// nil, the statement's first line cannot be read, and the one after it is next; the
// statement has the names then that the line seems to give a value to.
func (s *scanner) next() (statement, bool, error) {
	for s.pos < len(s.src) {
		start, line := s.pos, s.line
		tokens, indented, err := s.statement()
		if err != nil {
			if s.line > line {
				s.oneLine = true
			}
			s.pos, s.line = start, line
			s.skipLine()
			return statement{tokens: assigned(s.src[start:s.pos]), line: line}, true, err
		}
		if len(tokens) > 0 {
			return statement{tokens, line, indented}, true, nil
		}
	}
	return statement{}, false, nil
}

// assigned returns the names that a line seems to give a value to, although it cannot be
// read: the first word, and those before an equals sign.
func assigned(line []byte) []token {
	var names []token
	for i := 0; i < len(line); {
		if line[i] == '#' && len(names) == 0 {
			break // a comment
		}
		if !isLetter(line[i]) {
			i++
			continue
		}
		end := i
		for end < len(line) && (isLetter(line[end]) || isDigit(line[end])) {
			end++
		}
		rest := bytes.TrimLeft(line[end:], " \t")
		if len(names) == 0 || len(rest) > 0 && rest[0] == '=' {
			names = append(names, token{kind: name, str: string(line[i:end])})
		}
		i = end
	}
	return names
}

func (s *scanner) skipLine() {
	if end := bytes.IndexByte(s.src[s.pos:], '\n'); end >= 0 {
		s.pos += end + 1
		s.line++
		return
	}
	s.pos = len(s.src)
}

// statement reads to the end of a logical line. A line with nothing on it has no
// tokens.
func (s *scanner) statement() (tokens []token, indented bool, err error) {
	var open []byte // the brackets that would close those open now
	start := s.pos
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		switch {
		case c == '\n':
			if len(open) > 0 && s.oneLine {
				return nil, false, fmt.Errorf("%q is missing", open[len(open)-1])
			}
			s.pos++
			s.line++
			if len(open) == 0 {
				return tokens, indented, nil
			}
			continue
		case c == ' ' || c == '\t' || c == '\f':
			s.pos++
			continue
		case c == '#':
			if end := bytes.IndexByte(s.src[s.pos:], '\n'); end >= 0 {
				s.pos += end
			} else {
				s.pos = len(s.src)
			}
			continue
		case c == '\\' && !s.oneLine && s.pos+1 < len(s.src) && s.src[s.pos+1] == '\n':
			s.pos += 2
			s.line++
			continue
		}
		if len(tokens) == 0 {
			indented = s.pos > start
		}
		t, err := s.token()
		if err != nil {
			return nil, false, err
		}
		switch t.kind {
		case '(':
			open = append(open, ')')
		case '[':
			open = append(open, ']')
		case '{':
			open = append(open, '}')
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != byte(t.kind) {
				return nil, false, fmt.Errorf("%q closes nothing", t.kind)
			}
			open = open[:len(open)-1]
		}
		tokens = append(tokens, t)
	}
	if len(open) > 0 {
		return nil, false, fmt.Errorf("%q is missing", open[len(open)-1])
	}
	return tokens, indented, nil
}

// token reads one token, which begins here.
func (s *scanner) token() (token, error) {
	c := s.src[s.pos]
	switch {
	case c == '"' || c == '\'':
		return s.string("")
	case isLetter(c):
		word := s.word(func(c byte) bool { return isLetter(c) || isDigit(c) })
		if s.pos < len(s.src) && (s.src[s.pos] == '"' || s.src[s.pos] == '\'') {
			switch prefix := strings.ToLower(word); prefix {
			case "u", "r", "b", "ur", "br":
				return s.string(prefix)
			}
		}
		return token{kind: name, str: word}, nil
	case isDigit(c), c == '.' && s.pos+1 < len(s.src) && isDigit(s.src[s.pos+1]):
		return integer(s.word(func(c byte) bool { return isLetter(c) || isDigit(c) || c == '.' })), nil
	case c > ' ' && c < 0x7f && c != '$' && c != '?' && c != '!' && c != '\\':
		s.pos++
		return token{kind: kind(c)}, nil
	}
	return token{}, fmt.Errorf("unexpected character %q", rune(c))
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) word(belongs func(byte) bool) string {
	start := s.pos
	for s.pos < len(s.src) && belongs(s.src[s.pos]) {
		s.pos++
	}
	return string(s.src[start:s.pos])
}

// integer reads an integer literal: decimal, octal (0660, 0o660), hexadecimal or
// binary, with or without the L of a long one.
func integer(word string) token {
	digits := strings.ToLower(word)
	digits = strings.TrimSuffix(digits, "l")
	base := 10
	switch {
	case strings.HasPrefix(digits, "0x"):
		base, digits = 16, digits[2:]
	case strings.HasPrefix(digits, "0o"):
		base, digits = 8, digits[2:]
	case strings.HasPrefix(digits, "0b"):
		base, digits = 2, digits[2:]
	case len(digits) > 1 && digits[0] == '0':
		base = 8
	}
	value, err := strconv.ParseUint(digits, base, 64)
	if err != nil || value > math.MaxInt64 {
		return token{kind: number, bad: fmt.Sprintf("%.30s is not a usable integer", word)}
	}
	return token{kind: number, num: int64(value)}
}

// string reads a string literal, whose opening quote is here. prefix is what
// stood before it, in lower case.
func (s *scanner) string(prefix string) (token, error) {
	quote := s.src[s.pos : s.pos+1]
	if bytes.HasPrefix(s.src[s.pos:], bytes.Repeat(quote, 3)) {
		quote = s.src[s.pos : s.pos+3]
	}
	s.pos += len(quote)
	start := s.pos
	for {
		switch {
		case s.pos >= len(s.src):
			return token{}, fmt.Errorf("the string is not closed")
		case bytes.HasPrefix(s.src[s.pos:], quote):
			body := s.src[start:s.pos]
			s.pos += len(quote)
			return literal(prefix, body), nil
		case s.src[s.pos] == '\n':
			if len(quote) == 1 || s.oneLine {
				return token{}, fmt.Errorf("the string is not closed")
			}
			s.line++
		case s.src[s.pos] == '\\' && s.pos+1 < len(s.src):
			s.pos++
			if s.src[s.pos] == '\n' {
				if s.oneLine {
					return token{}, fmt.Errorf("the string is not closed")
				}
				s.line++
			}
		}
		s.pos++
	}
}

// literal returns what stands between the quotes of a string with its escapes
// resolved. Text is UTF-8.
func literal(prefix string, body []byte) token {
	unicode := prefix == "u" || prefix == "ur"
	if strings.Contains(prefix, "r") {
		if unicode && (bytes.Contains(body, []byte(`\u`)) || bytes.Contains(body, []byte(`\U`))) {
			return token{kind: text, bad: `\u in a raw string cannot be read`}
		}
		return token{kind: text, str: string(body)}
	}
	var out []byte
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c != '\\' || i+1 == len(body) {
			out = append(out, c)
			continue
		}
		i++
		digits, base := 0, 16
		switch c = body[i]; c {
		case '\n':
		case '\\', '\'', '"':
			out = append(out, c)
		case 'a', 'b', 'f', 'n', 'r', 't', 'v':
			out = append(out, "\a\b\f\n\r\t\v"[strings.IndexByte("abfnrtv", c)])
		case '0', '1', '2', '3', '4', '5', '6', '7':
			base = 8
			for digits < 3 && i+digits < len(body) && '0' <= body[i+digits] && body[i+digits] <= '7' {
				digits++
			}
			i--
		case 'x':
			digits = 2
		case 'u', 'U', 'N':
			switch {
			case !unicode:
				out = append(out, '\\', c)
			case c == 'u':
				digits = 4
			case c == 'U':
				digits = 8
			default:
				return token{kind: text, bad: `\N in a string cannot be read`}
			}
		default:
			out = append(out, '\\', c)
		}
		if digits == 0 {
			continue
		}
		end := i + 1 + digits
		if end > len(body) {
			return token{kind: text, bad: "an escape in the string is too short"}
		}
		code, err := strconv.ParseUint(string(body[i+1:end]), base, 32)
		if err != nil || unicode && !utf8.ValidRune(rune(code)) {
			return token{kind: text, bad: "an escape in the string has no meaning"}
		}
		if unicode {
			out = utf8.AppendRune(out, rune(code))
		} else {
			out = append(out, byte(code)) // \777 is \377
		}
		i = end - 1
	}
	return token{kind: text, str: string(out)}
}
