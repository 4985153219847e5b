package site

import (
	"fmt"
	"slices"
	"strings"
)

// CommandLine is a command line that was understood.
type CommandLine struct {
	Left  []string // words that belong to no option
	given []*given
}

// given is an option of a command line with the words that it was given.
type given struct {
	Option
	spelled string // as it first stood there
	words   []string
}

// takes reports whether a word with a hyphen is an address for the option. An address can begin so, and strangers choose
// it: the first word is one even if it is spelled like an option with a file, such as --config=x@example.com.
func (g *given) takes(word string) bool {
	return g.Addresses && strings.Contains(word, "@") && (len(g.words) == 0 || !strings.HasPrefix(word, "--"))
}

// Parse reads the words of a command line as the original's programs take them: an
// option takes all the words that follow it, up to the next option; of several where
// one is wanted, the first counts; words that follow no option that takes any are
// left over. So are those that follow a "--". The option --help is always there.
//
// Options are a hyphen and a letter, or two hyphens and a name, where the first
// word may follow an equals sign. It is an error if an option is unknown, or
// lacks the word that it needs.
func Parse(words []string, options []Option) (*CommandLine, error) {
	line := new(CommandLine)
	var open *given // takes the words that follow; nil: none does
	for i, word := range words {
		if word == "--" {
			line.Left = append(line.Left, words[i+1:]...)
			break
		}
		if !isOption(word) || open != nil && open.takes(word) {
			if open == nil {
				line.Left = append(line.Left, word)
			} else {
				open.words = append(open.words, word)
			}
			continue
		}

		spelled, first, attached := word, "", false
		if strings.HasPrefix(word, "--") {
			spelled, first, attached = strings.Cut(word, "=")
		}
		option, ok := findOption(spelled, options)
		if !ok {
			// DEVIATION: unknown-option. The original passes over it.
			return nil, fmt.Errorf("unknown option %.60q: --help lists the options", spelled)
		}
		o := line.find(option.Name)
		if o == nil {
			o = &given{Option: option, spelled: spelled}
			line.given = append(line.given, o)
		}
		open = nil
		switch {
		case o.Value == "" && attached:
			return nil, fmt.Errorf("option %s takes no word, but has %.60q", spelled, first)
		case o.Value != "":
			open = o
		}
		if attached {
			o.words = append(o.words, first)
		}
	}
	for _, o := range line.given {
		// Mail systems give an empty address for a bounce.
		if o.Value != "" && !o.Addresses && (len(o.words) == 0 || o.words[0] == "") {
			// DEVIATION: option-without-word. The original takes what is configured,
			// which here would be another place than the one meant.
			return nil, fmt.Errorf("option %s needs a word after it", o.spelled)
		}
	}
	return line, nil
}

func isOption(word string) bool { return len(word) > 1 && word[0] == '-' }

// findOption returns the option that is spelled so.
func findOption(spelled string, options []Option) (Option, bool) {
	letter, oneHyphen := strings.CutPrefix(spelled, "-")
	name, twoHyphens := strings.CutPrefix(letter, "-")
	for _, o := range append(slices.Clip(options), help) {
		if twoHyphens && name == o.Name || oneHyphen && !twoHyphens && letter == o.Letter {
			return o, true
		}
	}
	return Option{}, false
}

// find returns the option of that name, or nil.
func (l *CommandLine) find(name string) *given {
	for _, o := range l.given {
		if o.Name == name {
			return o
		}
	}
	return nil
}

// IsSet implements [Given]. An option for addresses without one is not set.
func (l *CommandLine) IsSet(name string) bool {
	o := l.find(name)
	return o != nil && (o.Value == "" || len(o.words) > 0)
}

// String implements [Given].
func (l *CommandLine) String(name string) string {
	if o := l.find(name); o != nil && len(o.words) > 0 {
		return o.words[0]
	}
	return ""
}

// Strings returns all the words that an option was given.
func (l *CommandLine) Strings(name string) []string {
	if o := l.find(name); o != nil {
		return o.words
	}
	return nil
}

// Bool implements [Given].
func (l *CommandLine) Bool(name string) bool {
	o := l.find(name)
	return o != nil && o.Value == ""
}
