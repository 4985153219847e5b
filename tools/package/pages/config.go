package main

import (
	"fmt"
	"strings"

	"imip-agent/stores/preferences"
)

// configPage returns the manual page of the configuration file in section 5: its settings, as the
// example explains them. Rest are the sections that come last.
func configPage(example, rest string) string {
	var b strings.Builder
	b.WriteString(".TH config.txt 5 \"\" imip-agent \"File Formats\"\n")
	b.WriteString(".SH NAME\nconfig.txt \\- configuration of imip\\-agent\n")
	b.WriteString(".SH SYNOPSIS\n.I /etc/imip\\-agent/config.txt\n.SH DESCRIPTION\n")
	var about []string // the comment that is being read
	var names []string // the settings that it is for
	first, heading := true, ""
	flush := func() {
		switch {
		case len(names) > 0:
			for i, name := range names {
				tag := ".TP\n"
				if i > 0 {
					tag = ".TQ\n"
				}
				key, value, _ := strings.Cut(name, " = ")
				fmt.Fprintf(&b, "%s\\fB%s\\fR = %s\n", tag, escape(key), escape(value))
			}
			b.WriteString(textOf(about) + "\n")
			about, names = nil, nil
		case len(about) > 0 && first:
			first = false
			b.WriteString(textOf(about[1:]) + "\n.SH SETTINGS\nEach with its default.\n")
			about = nil
		case len(about) == 1: // alone, it heads what follows
			heading = about[0]
			fmt.Fprintf(&b, ".SS %s\n", escape(heading))
			about = nil
		}
	}
	for line := range strings.SplitSeq(example, "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
			if len(names) > 0 {
				flush()
			}
			about = append(about, strings.TrimSpace(strings.TrimPrefix(line, "#")))
		case strings.Contains(line, " = "):
			names = append(names, line)
		case line == "" && len(names) > 0:
			flush()
		case line == "" && (first || len(about) == 1 && !strings.HasSuffix(about[0], ".")):
			flush()
		}
	}
	flush()
	b.WriteString(preferencesSection())
	b.WriteString(rest)
	return b.String()
}

// preferencesSection lists what users, and resources, can have set for themselves.
func preferencesSection() string {
	var b strings.Builder
	b.WriteString(".SH PREFERENCES\nA user's preferences override the defaults. Each is a file in\n.IR PREFERENCES_DIR /mailto: USER @ DOMAIN ,\n" +
		"with the value as text.\n")
	for _, p := range preferences.Known() {
		fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s", escape(p.Name), escape(strings.ToUpper(p.Means[:1])+p.Means[1:]))
		if len(p.Values) > 0 {
			fmt.Fprintf(&b, ": %s", escape(strings.Join(p.Values, ", ")))
		}
		b.WriteString(".\n")
	}
	return b.String()
}

// textOf fills the lines of a comment; an empty one begins a paragraph.
func textOf(lines []string) string {
	var out []string
	for _, line := range lines {
		if line == "" {
			line = ".PP"
		} else {
			line = escape(line)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}
