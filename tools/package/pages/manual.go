package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// manual returns the manual page of a program in troff, in section 1.
func manual(top *command, rest string) string {
	var b strings.Builder
	name := top.words[0]
	fmt.Fprintf(&b, ".TH %s 1 \"\" imip-agent \"User Commands\"\n", name)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escape(name), escape(top.summary))
	b.WriteString(".SH SYNOPSIS\n.nf\n")
	leaves := top.leaves()
	for _, c := range leaves {
		if len(c.commands) > 0 || len(c.words) < 3 { // of `locks list` its parent has told
			for _, usage := range c.usage {
				b.WriteString(synopsis(usage) + "\n")
			}
		}
	}
	b.WriteString(".fi\n")
	if len(top.description) > 0 {
		b.WriteString(".SH DESCRIPTION\n")
		paragraphs(&b, top.description)
	}

	shared := common(leaves)
	if len(top.commands) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, c := range leaves {
			fmt.Fprintf(&b, ".SS %s\n", escape(strings.Join(c.words[1:], " ")))
			b.WriteString(sentence(c.summary) + "\n")
			if len(c.description) > 0 {
				b.WriteString(".PP\n")
				paragraphs(&b, c.description)
			}
			var own []option
			for _, o := range c.options {
				if !slices.ContainsFunc(shared, func(s option) bool { return same(o, s) }) && !isHelp(o) {
					own = append(own, o)
				}
			}
			options(&b, own)
		}
		b.WriteString(".SH OPTIONS OF ALL COMMANDS\n")
	} else {
		b.WriteString(".SH OPTIONS\n")
	}
	options(&b, shared)
	if len(top.commands) > 0 {
		b.WriteString(".PP\nWithout a command:\n")
		options(&b, top.options)
	}
	b.WriteString(rest)
	return b.String()
}

func isHelp(o option) bool { return slices.Contains(o.names, "--help") }

// options writes a list of options, those with a category under it.
func options(b *strings.Builder, all []option) {
	category := ""
	for _, o := range all {
		if o.category != category {
			category = o.category
			fmt.Fprintf(b, ".PP\n%s:\n", escape(category))
		}
		var names []string
		for _, name := range o.names {
			spelled := `\fB` + escape(name) + `\fR`
			if o.value != "" {
				spelled += ` \fI` + escape(o.value) + `\fR`
			}
			names = append(names, spelled)
		}
		text := o.text
		// The word that the option takes, where the text has it.
		text = escape(text)
		if o.value != "" {
			text = regexp.MustCompile(`\b`+regexp.QuoteMeta(o.value)+`\b`).ReplaceAllString(text, `\fI`+o.value+`\fR`)
		}
		fmt.Fprintf(b, ".TP\n%s\n%s\n", strings.Join(names, ", "), sentenceEscaped(text))
	}
}

// paragraphs writes lines of text; those that are set in as an example.
func paragraphs(b *strings.Builder, lines []string) {
	example := false
	for i, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		setIn := len(line) > len(trimmed)
		if setIn != example {
			example = setIn
			if example {
				b.WriteString(".PP\n.RS 4\n.nf\n")
			} else {
				b.WriteString(".fi\n.RE\n.PP\n")
				if trimmed == "" {
					continue
				}
			}
		}
		switch {
		case trimmed != "":
			b.WriteString(escape(trimmed) + "\n")
		case i > 0 && !example:
			b.WriteString(".PP\n")
		}
	}
	if example {
		b.WriteString(".fi\n.RE\n")
	}
}

var placeholder = regexp.MustCompile(`\b[A-Z][A-Z]+\b|\[options\]`)

// synopsis marks what is to be typed and what stands for something.
func synopsis(usage string) string {
	program, rest, _ := strings.Cut(usage, " ")
	rest = placeholder.ReplaceAllStringFunc(escape(rest), func(word string) string {
		if word == "[options]" {
			return `[\fIoptions\fR]`
		}
		return `\fI` + word + `\fR`
	})
	return `\fB` + escape(program) + `\fR ` + rest
}

// sentence makes one of a text that begins small and has no full stop.
func sentence(text string) string { return sentenceEscaped(escape(text)) }

func sentenceEscaped(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	if first := text[0]; 'a' <= first && first <= 'z' {
		text = string(first-'a'+'A') + text[1:]
	}
	return text + "."
}

// escape writes text so that troff takes it as it is.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

// commandPage returns the manual page of a command, with the commands below it.
func commandPage(c *command, rest string) string {
	var b strings.Builder
	name := strings.Join(c.words, "-")
	fmt.Fprintf(&b, ".TH %s 1 \"\" imip-agent \"User Commands\"\n", name)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escape(name), escape(c.summary))
	b.WriteString(".SH SYNOPSIS\n.nf\n")
	for _, part := range append([]*command{c}, c.commands...) {
		for _, usage := range part.usage {
			b.WriteString(synopsis(usage) + "\n")
		}
	}
	b.WriteString(".fi\n.SH DESCRIPTION\n")
	b.WriteString(sentence(c.summary) + "\n")
	if len(c.description) > 0 {
		b.WriteString(".PP\n")
		paragraphs(&b, c.description)
	}
	for _, below := range c.commands {
		fmt.Fprintf(&b, ".SS %s\n%s\n", escape(strings.Join(below.words[1:], " ")), sentence(below.summary))
		if len(below.description) > 0 {
			b.WriteString(".PP\n")
			paragraphs(&b, below.description)
		}
		options(&b, withoutHelp(below.options))
	}
	if all := withoutHelp(c.options); len(all) > 0 {
		b.WriteString(".SH OPTIONS\n")
		options(&b, all)
	}
	b.WriteString(rest)
	fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1),\n.BR config.txt (5)\n", escape(c.words[0]))
	return b.String()
}

func withoutHelp(all []option) []option {
	return slices.DeleteFunc(slices.Clone(all), isHelp)
}
