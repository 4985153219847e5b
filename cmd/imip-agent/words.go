package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/site"
)

// siteFlags returns the options that every command has.
func siteFlags() []cli.Flag {
	var flags []cli.Flag
	for _, o := range site.Options() {
		var letters []string
		if o.Letter != "" {
			letters = []string{o.Letter}
		}
		if o.Value == "" {
			flags = append(flags, &cli.BoolFlag{Name: o.Name, Aliases: letters, Usage: o.Usage, Category: o.Category, DisableDefaultText: true})
			continue
		}
		usage := strings.Replace(o.Usage, o.Value, "`"+o.Value+"`", 1)
		flags = append(flags, &cli.StringFlag{Name: o.Name, Aliases: letters, Usage: usage, Category: o.Category})
	}
	return flags
}

// optionsFirst puts the options of a command line before its other words, since the
// library takes none for an option that follows another word. The names of the
// command and its subcommands stay in front.
func optionsFirst(words []string, app *cli.App) []string {
	flags, known := app.Flags, app.Commands
	var named []string
	for len(words) > 0 {
		i := slices.IndexFunc(known, func(c *cli.Command) bool { return c.HasName(words[0]) })
		if i < 0 {
			break
		}
		named = append(named, words[0])
		flags, known = known[i].Flags, known[i].Subcommands
		words = words[1:]
	}
	var options, operands []string
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word == "--" {
			operands = append(operands, words[i+1:]...)
			break
		}
		if len(word) < 2 || word[0] != '-' {
			operands = append(operands, word)
			continue
		}
		options = append(options, word)
		if takesWord(word, flags) && i+1 < len(words) {
			i++
			options = append(options, words[i])
		}
	}
	if len(operands) > 0 {
		options = append(append(options, "--"), operands...)
	}
	return append(named, options...)
}

// takesWord reports whether an option takes the word after it.
func takesWord(option string, flags []cli.Flag) bool {
	name := strings.TrimLeft(option, "-")
	for _, flag := range flags {
		if slices.Contains(flag.Names(), name) {
			_, isSwitch := flag.(*cli.BoolFlag)
			return !isSwitch
		}
	}
	return false
}
