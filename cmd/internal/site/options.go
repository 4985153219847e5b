package site

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"imip-agent/conf"
)

// Option is an option that a command line can have. Options are described here without
// a library, which would cost every message more time than its handling does: the
// handlers take the original's command lines, which no library takes, and
// imip-agent makes flags of its library from these.
type Option struct {
	Name      string // the long one, without hyphens
	Letter    string // the original's, without hyphen; empty: none
	Value     string // what stands for its word in Usage, in capitals; empty: it takes no word
	Usage     string
	Category  string // the heading that it has in the help; empty: that of all others
	Addresses bool   // it takes any number of mail addresses, also none, and the first counts
}

// Options returns the options that every command has. The help and the long names
// are ours, the letters the original's.
func Options() []Option {
	return []Option{
		{Name: "store-type", Letter: "T", Value: "TYPE", Usage: "the TYPE of the store: file or postgresql (STORE_TYPE)", Category: storage},
		{Name: "store-dir", Letter: "S", Value: "DIR", Usage: "the DIR of users' records (STORE_DIR)", Category: storage},
		{Name: "publish-dir", Letter: "P", Value: "DIR", Usage: "the DIR of published free/busy (PUBLISH_DIR)", Category: storage},
		{Name: "preferences-dir", Letter: "p", Value: "DIR", Usage: "the DIR of users' preferences (PREFERENCES_DIR)", Category: storage},
		{Name: "journal-dir", Letter: "j", Value: "DIR", Usage: "the DIR of the journal of quotas (JOURNAL_DIR)", Category: storage},
		{Name: "config", Value: "FILE", Usage: "read the configuration from FILE, not from $" + conf.FileVariable + " or " + conf.DefaultFile},
		{Name: "verbose", Letter: "v", Usage: "report on standard error what is done"},
		{Name: "debug", Letter: "d", Usage: "report on standard error each step"},
	}
}

const storage = "Places, instead of the configured ones:"

// overrides are the settings that options stand in for.
var overrides = [...]struct{ option, setting string }{
	{"store-type", "STORE_TYPE"},
	{"store-dir", "STORE_DIR"},
	{"publish-dir", "PUBLISH_DIR"},
	{"preferences-dir", "PREFERENCES_DIR"},
	{"journal-dir", "JOURNAL_DIR"},
}

// Given are the options that a command line has. A name is an option's long one.
type Given interface {
	IsSet(name string) bool
	String(name string) string // its word; empty without one
	Bool(name string) bool     // for an option that takes no word
}

// Help describes a program to those who use it.
type Help struct {
	Program     string
	Summary     string // what it does, in a line
	Usage       string // the form of its command lines
	Description string // in lines of 80 characters
	Options     []Option
}

// WriteTo writes the help in the form that imip-agent's has.
func (h Help) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "NAME:\n   %s - %s\n\nUSAGE:\n   %s\n\nDESCRIPTION:\n   %s\n\nOPTIONS:\n",
		h.Program, h.Summary, h.Usage, strings.ReplaceAll(h.Description, "\n", "\n   "))
	options := slices.SortedFunc(slices.Values(append(slices.Clip(h.Options), help)), func(a, b Option) int {
		if a.Category != b.Category {
			return strings.Compare(a.Category, b.Category)
		}
		return strings.Compare(a.Name, b.Name)
	})
	for len(options) > 0 {
		category, width, end := options[0].Category, 0, 0
		for ; end < len(options) && options[end].Category == category; end++ {
			width = max(width, len(options[end].spelled()))
		}
		if category != "" {
			fmt.Fprintf(&b, "\n   %s\n\n", category)
		}
		for _, o := range options[:end] {
			fmt.Fprintf(&b, "   %-*s  %s\n", width, o.spelled(), o.Usage)
		}
		options = options[end:]
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// help is the option that all programs have without naming it.
var help = Option{Name: "help", Letter: "h", Usage: "show help"}

// spelled returns the option as the help shows it: "--store-dir DIR, -S DIR".
func (o Option) spelled() string {
	word := ""
	if o.Value != "" {
		word = " " + o.Value
	}
	text := "--" + o.Name + word
	if o.Letter != "" {
		text += ", -" + o.Letter + word
	}
	return text
}
