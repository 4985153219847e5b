package site

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Addresses is an option that takes any number of mail addresses, of which the
// first counts.
type Addresses struct{ *cli.StringFlag }

// Canonical turns the words of a command line as the original's programs take
// them into flags for urfave/cli: an option takes all the words that follow it, up to the next
// option; of several where one is wanted, the first counts; words that follow no
// option that takes any are left out, and are returned apart. So are those that follow a "--".
//
// Options are a hyphen and a letter, or two hyphens and a name, where the first
// word may follow an equals sign. It is an error if an option is unknown, or
// lacks the word that it needs.
func Canonical(words []string, flags []cli.Flag) (canonical, left []string, err error) {
	var given []*option
	var open *option // takes the words that follow; nil: none does
	for i, word := range words {
		if word == "--" {
			left = append(left, words[i+1:]...)
			break
		}
		// An address can begin with a hyphen, and is not ours to choose.
		if !isOption(word) || open != nil && open.addresses && strings.Contains(word, "@") && !strings.HasPrefix(word, "--") {
			if open == nil {
				left = append(left, word)
			} else {
				open.words = append(open.words, word)
			}
			continue
		}

		spelled, first, attached := word, "", false
		if strings.HasPrefix(word, "--") {
			spelled, first, attached = strings.Cut(word, "=")
		}
		o := findOption(spelled, flags)
		if o == nil {
			// DEVIATION: unknown-option. The original passes over it.
			return nil, nil, fmt.Errorf("unknown option %.60q: --help lists the options", spelled)
		}
		if earlier := slices.IndexFunc(given, func(g *option) bool { return g.name == o.name }); earlier >= 0 {
			o = given[earlier]
		} else {
			given = append(given, o)
		}
		open = nil
		switch {
		case !o.takesWords && attached:
			return nil, nil, fmt.Errorf("option %s takes no word, but is given %.60q", spelled, first)
		case o.takesWords:
			open = o
		}
		if attached {
			o.words = append(o.words, first)
		}
	}
	for _, o := range given {
		flags, err := o.flags()
		if err != nil {
			return nil, nil, err
		}
		canonical = append(canonical, flags...)
	}
	return canonical, left, nil
}

func isOption(word string) bool { return len(word) > 1 && word[0] == '-' }

// option is an option of a command line with the words that it was given.
type option struct {
	name       string // the long one
	spelled    string // as it first stood there
	takesWords bool
	addresses  bool // the words are addresses, and there may be none
	words      []string
}

// findOption returns the option that is spelled so, or nil.
func findOption(spelled string, flags []cli.Flag) *option {
	name := strings.TrimLeft(spelled, "-")
	if len(spelled)-len(name) != 1 && len(name) == 1 || len(spelled)-len(name) != 2 && len(name) != 1 {
		return nil
	}
	for _, flag := range append(slices.Clip(flags), cli.HelpFlag) {
		if !slices.Contains(flag.Names(), name) {
			continue
		}
		o := &option{name: flag.Names()[0], spelled: spelled}
		switch flag.(type) {
		case *Addresses:
			o.takesWords, o.addresses = true, true
		case *cli.StringFlag:
			o.takesWords = true
		}
		return o
	}
	return nil
}

// flags writes the option with its words as urfave/cli understands it.
func (o *option) flags() ([]string, error) {
	switch {
	case !o.takesWords:
		return []string{"--" + o.name}, nil
	case o.addresses && len(o.words) == 0:
		return nil, nil
	case o.addresses: // mail systems give an empty one for a bounce
		return []string{"--" + o.name + "=" + o.words[0]}, nil
	case len(o.words) == 0 || o.words[0] == "":
		// DEVIATION: option-without-word. The original takes what is configured,
		// which here would be another place than the one meant.
		return nil, fmt.Errorf("option %s needs a word after it", o.spelled)
	}
	return []string{"--" + o.name + "=" + o.words[0]}, nil
}
