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
	for _, v := range valued(top) {
		fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W '%s' -- \"$current\")); return ;;\n", strings.Join(v.names, " | "), strings.Join(v.values, " "))
	}
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
				if valuesOf(o) != nil {
					continue
				}
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

// valuesOf returns the words that an option can take, nil if they cannot be listed.
func valuesOf(o option) []string {
	switch o.names[len(o.names)-1] {
	case "--repair":
		return []string{"safe", "all"}
	case "--store-type":
		return []string{"file", "postgresql"}
	}
	if o.value == "FORM" {
		return []string{"ics", "vdir"}
	}
	return nil
}

// valued returns the options whose words are known, each once.
func valued(top *command) []valuedOption {
	var all []valuedOption
	seen := map[string]bool{}
	var each func(c *command)
	each = func(c *command) {
		for _, o := range c.options {
			if values := valuesOf(o); values != nil && !seen[o.names[len(o.names)-1]] {
				seen[o.names[len(o.names)-1]] = true
				all = append(all, valuedOption{o.names, values})
			}
		}
		for _, below := range c.commands {
			each(below)
		}
	}
	each(top)
	return all
}

type valuedOption struct{ names, values []string }

// completionFor returns the completion for a shell.
func completionFor(top *command, shell string) (string, error) {
	switch shell {
	case "bash":
		return completion(top), nil
	case "zsh":
		return zsh(top), nil
	case "fish":
		return fish(top), nil
	}
	return "", fmt.Errorf("there is no completion for the shell %q", shell)
}

// zsh returns a function that completes a program's command line in zsh.
func zsh(top *command) string {
	var b strings.Builder
	name := top.words[0]
	fmt.Fprintf(&b, "#compdef %s\n\n", name)
	quote := func(text string) string {
		return strings.NewReplacer("'", "'\\''", "[", "\\[", "]", "\\]", ":", "\\:").Replace(text)
	}
	var function func(c *command)
	function = func(c *command) {
		for _, below := range c.commands {
			function(below)
		}
		fmt.Fprintf(&b, "_%s() {\n", strings.ReplaceAll(strings.Join(c.words, "_"), "-", "_"))
		if len(c.commands) > 0 {
			b.WriteString("    local -a commands\n    commands=(\n")
			for _, below := range c.commands {
				fmt.Fprintf(&b, "        '%s:%s'\n", below.words[len(below.words)-1], quote(below.summary))
			}
			b.WriteString("    )\n")
			fmt.Fprintf(&b, "    if (( CURRENT == %d )) && [[ $words[CURRENT] != -* ]]; then\n        _describe command commands\n        return\n    fi\n", len(c.words)+1)
			fmt.Fprintf(&b, "    case $words[%d] in\n", len(c.words)+1)
			for _, below := range c.commands {
				fmt.Fprintf(&b, "        %s) _%s; return ;;\n", below.words[len(below.words)-1], strings.ReplaceAll(strings.Join(below.words, "_"), "-", "_"))
			}
			b.WriteString("    esac\n")
		}
		b.WriteString("    _arguments -S")
		for _, o := range c.options {
			for _, spelled := range o.names {
				action := ""
				switch values := valuesOf(o); {
				case values != nil:
					action = fmt.Sprintf(":%s:(%s)", strings.ToLower(o.value), strings.Join(values, " "))
				case o.value == "DIR":
					action = ":directory:_files -/"
				case o.value == "FILE" || o.value == "MANIFEST":
					action = ":file:_files"
				case o.value != "":
					action = ":" + strings.ToLower(quote(o.value)) + ": "
				}
				fmt.Fprintf(&b, " \\\n        '*%s[%s]%s'", spelled, quote(o.text), action)
			}
		}
		b.WriteString(" \\\n        '*:file:_files'\n}\n\n")
	}
	function(top)
	fmt.Fprintf(&b, "_%s \"$@\"\n", strings.ReplaceAll(name, "-", "_"))
	return b.String()
}

// fish returns the completion of a program's command line for fish.
func fish(top *command) string {
	var b strings.Builder
	name := top.words[0]
	quote := func(text string) string { return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'" }
	var each func(c *command)
	each = func(c *command) {
		condition := "__fish_use_subcommand"
		if words := c.words[1:]; len(words) > 0 {
			condition = "__fish_seen_subcommand_from " + words[len(words)-1]
			if len(words) > 1 {
				condition = "__fish_seen_subcommand_from " + words[0] + "; and " + condition
			}
		}
		var below []string
		for _, sub := range c.commands {
			below = append(below, sub.words[len(sub.words)-1])
		}
		for _, sub := range c.commands {
			when := condition
			if len(c.words) > 1 {
				when += "; and not __fish_seen_subcommand_from " + strings.Join(below, " ")
			}
			fmt.Fprintf(&b, "complete -c %s -f -n %s -a %s -d %s\n", name, quote(when), sub.words[len(sub.words)-1], quote(sub.summary))
		}
		for _, o := range c.options {
			fmt.Fprintf(&b, "complete -c %s -n %s", name, quote(condition))
			for _, spelled := range o.names {
				if long, ok := strings.CutPrefix(spelled, "--"); ok {
					b.WriteString(" -l " + long)
				} else {
					b.WriteString(" -s " + strings.TrimPrefix(spelled, "-"))
				}
			}
			switch values := valuesOf(o); {
			case values != nil:
				fmt.Fprintf(&b, " -x -a %s", quote(strings.Join(values, " ")))
			case o.value == "DIR":
				b.WriteString(" -x -a '(__fish_complete_directories)'")
			case o.value == "FILE" || o.value == "MANIFEST":
				b.WriteString(" -r -F")
			case o.value != "":
				b.WriteString(" -x")
			}
			fmt.Fprintf(&b, " -d %s\n", quote(o.text))
		}
		for _, sub := range c.commands {
			each(sub)
		}
	}
	each(top)
	return b.String()
}
