package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// command is what the help of a command says, as urfave/cli lays it out.
type command struct {
	words       []string // the program, and the words that lead to the command
	summary     string
	usage       []string
	description []string // lines
	options     []option
	commands    []*command
}

// option is one option of a command.
type option struct {
	names    []string // with their hyphens
	value    string   // what stands for the word that it takes; empty: it takes none
	text     string
	category string
}

var (
	heading    = regexp.MustCompile(`^[A-Z][A-Z ]*:$`)
	columns    = regexp.MustCompile(` {2,}`)
	repetition = regexp.MustCompile(` \[ .* \]`)
)

// readHelp reads the help of a command and of those below it.
func readHelp(help func(words []string) (string, error), program string, words []string) (*command, error) {
	text, err := help(words)
	if err != nil {
		return nil, err
	}
	c := &command{words: append([]string{program}, words...)}
	section, category := "", ""
	for line := range strings.SplitSeq(text, "\n") {
		if heading.MatchString(line) {
			section, category = line, ""
			continue
		}
		line, indented := strings.CutPrefix(line, "   ")
		if !indented {
			line = ""
		}
		switch section {
		case "NAME:":
			if _, summary, ok := strings.Cut(line, " - "); ok {
				c.summary = summary
			}
		case "USAGE:":
			if line != "" {
				c.usage = append(c.usage, line)
			}
		case "DESCRIPTION:":
			c.description = append(c.description, line)
		case "COMMANDS:":
			if name, _, ok := strings.Cut(line, " "); ok && name != "" {
				below, err := readHelp(help, program, append(slices.Clone(words), strings.TrimSuffix(name, ",")))
				if err != nil {
					return nil, err
				}
				c.commands = append(c.commands, below)
			}
		case "OPTIONS:", "GLOBAL OPTIONS:":
			switch {
			case line == "":
			case strings.HasPrefix(line, " ") && len(c.options) > 0: // the text of an option goes on
				last := &c.options[len(c.options)-1]
				last.text += " " + strings.TrimSpace(line)
			case strings.HasPrefix(line, "-"):
				o, err := readOption(line)
				if err != nil {
					return nil, fmt.Errorf("%v: %w", c.words, err)
				}
				o.category = category
				c.options = append(c.options, o)
			default:
				category = strings.TrimSuffix(line, ":")
			}
		}
	}
	if c.summary == "" || len(c.usage) == 0 {
		return nil, fmt.Errorf("the help of %v cannot be understood", c.words)
	}
	c.description = trimBlank(c.description)
	return c, nil
}

// readOption reads a line `--name VALUE, -n VALUE   what it does`.
func readOption(line string) (option, error) {
	at := columns.FindStringIndex(line)
	if at == nil {
		return option{}, fmt.Errorf("an option without a text: %s", line)
	}
	o := option{text: line[at[1]:]}
	for spelled := range strings.SplitSeq(repetition.ReplaceAllString(line[:at[0]], ""), ", ") {
		name, value, _ := strings.Cut(spelled, " ")
		o.names = append(o.names, name)
		o.value = value
	}
	// The letter first, as in other manuals.
	slices.SortStableFunc(o.names, func(a, b string) int { return len(a) - len(b) })
	return o, nil
}

func trimBlank(lines []string) []string {
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// leaves returns the commands that do something themselves.
func (c *command) leaves() []*command {
	var all []*command
	if len(c.commands) == 0 || len(c.words) > 1 {
		all = append(all, c)
	}
	for _, below := range c.commands {
		all = append(all, below.leaves()...)
	}
	return all
}

// common returns the options that all of the commands have, with the same meaning.
func common(commands []*command) []option {
	var shared []option
	for _, o := range commands[0].options {
		everywhere := true
		for _, c := range commands[1:] {
			everywhere = everywhere && slices.ContainsFunc(c.options, func(other option) bool { return same(o, other) })
		}
		if everywhere {
			shared = append(shared, o)
		}
	}
	return shared
}

func same(a, b option) bool {
	return slices.Equal(a.names, b.names) && a.value == b.value && a.text == b.text
}
