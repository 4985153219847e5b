package main

import (
	"fmt"
	"slices"
	"strings"
)

// completion returns a bash function that completes a program's command line: its
// commands, each one's options, and files and directories for the options that take them.
func completion(top *command) string {
	var b strings.Builder
	name := top.words[0]
	function := "_" + strings.ReplaceAll(name, "-", "_")
	fmt.Fprintf(&b, "# bash completion for %s\n\n%s() {\n", name, function)
	b.WriteString(`    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command='' words='' word
    # The commands before the cursor; options come after them.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] && break
        command+=" $word"
    done
    COMPREPLY=()
`)
	files, directories, others := takers(top)
	fmt.Fprintf(&b, "    case $previous in\n")
	for _, group := range []struct {
		names  []string
		action string
	}{
		{files, `COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames; return`},
		{directories, `COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames; return`},
		{others, `return`},
	} {
		if len(group.names) > 0 {
			fmt.Fprintf(&b, "    %s) %s ;;\n", strings.Join(group.names, " | "), group.action)
		}
	}
	b.WriteString("    esac\n    case $command in\n")
	var each func(c *command)
	each = func(c *command) {
		var words []string
		for _, below := range c.commands {
			words = append(words, below.words[len(below.words)-1])
		}
		for _, o := range c.options {
			words = append(words, o.names...)
		}
		pattern := "''"
		if len(c.words) > 1 {
			pattern = "' " + strings.Join(c.words[1:], " ") + "'"
			if len(c.commands) == 0 {
				pattern += "*"
			}
		}
		for _, below := range c.commands { // the longer ones first
			each(below)
		}
		fmt.Fprintf(&b, "    %s) words='%s' ;;\n", pattern, strings.Join(words, " "))
	}
	each(top)
	fmt.Fprintf(&b, "    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n\ncomplete -F %s %s\n", function, name)
	return b.String()
}

// takers returns the options that take a file, a directory, or another word.
func takers(top *command) (files, directories, others []string) {
	var each func(c *command)
	each = func(c *command) {
		for _, o := range c.options {
			for _, name := range o.names {
				switch o.value {
				case "":
				case "FILE", "MANIFEST":
					files = append(files, name)
				case "DIR":
					directories = append(directories, name)
				default:
					others = append(others, name)
				}
			}
		}
		for _, below := range c.commands {
			each(below)
		}
	}
	each(top)
	for _, list := range []*[]string{&files, &directories, &others} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return files, directories, others
}
