package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is a module of others that is linked into the programs.
type module struct{ Path, Version, Dir string }

// linked returns the modules that the packages are linked with, and where Go itself is.
func linked(packages []string) (modules []module, goRoot string, err error) {
	out, err := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, packages...)...).Output()
	if err != nil {
		return nil, "", fmt.Errorf("go list: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	seen := map[string]bool{}
	for decoder.More() {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := decoder.Decode(&p); err != nil {
			return nil, "", err
		}
		if m := p.Module; m != nil && !m.Main && !seen[m.Path] {
			seen[m.Path] = true
			modules = append(modules, module{m.Path, m.Version, m.Dir})
		}
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	root, err := exec.Command("go", "env", "GOROOT").Output()
	return modules, strings.TrimSpace(string(root)), err
}

// copyright adds to the project's own copyright file, in the format of Debian, a paragraph for
// each module that is linked into the programs, with its licence.
func copyright(own string, packages []string) (string, error) {
	modules, goRoot, err := linked(packages)
	if err != nil {
		return "", err
	}
	modules = append(modules, module{Path: "the Go standard library and runtime", Dir: goRoot})
	var b strings.Builder
	b.WriteString(own)
	for _, m := range modules {
		text, err := licence(m.Dir)
		if err != nil {
			return "", fmt.Errorf("the licence of %s: %w", m.Path, err)
		}
		fmt.Fprintf(&b, "\nFiles: usr/bin/*\nComment: linked into the programs: %s\n", strings.TrimSpace(m.Path+" "+m.Version))
		if notice, err := os.ReadFile(filepath.Join(m.Dir, "NOTICE")); err == nil {
			text += "\n" + string(notice) // with the Apache License, the holders are named there
		}
		b.WriteString("Copyright:")
		for i, holder := range holders(text) {
			if i == 0 {
				b.WriteString(" " + holder + "\n")
			} else {
				b.WriteString("  " + holder + "\n")
			}
		}
		name := kindOf(text)
		if name == "" {
			return "", fmt.Errorf("the licence of %s is none of those that are known: look at it, and add it", m.Path)
		}
		fmt.Fprintf(&b, "License: %s\n", name)
		if name == apache { // Debian has its text once for all
			b.WriteString(" On Debian systems, the text of the Apache License, version 2.0, is in\n /usr/share/common-licenses/Apache-2.0.\n")
			continue
		}
		for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
			if line = strings.TrimRight(line, " \r\n\t\f"); line == "" {
				line = "."
			}
			b.WriteString(" " + line + "\n")
		}
	}
	return b.String(), nil
}

// licence returns the text of the licence in a directory.
func licence(dir string) (string, error) {
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "COPYING*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			text, err := os.ReadFile(found[0])
			return string(text), err
		}
	}
	return "", fmt.Errorf("there is no file LICENSE in %s", dir)
}

var holderLine = regexp.MustCompile(`(?mi)^\W*(?:copyright\W+(?:\(c\)|©)?\s*|\(c\)\s+)(.*\d{4}.*?)\s*(?:\. all rights reserved\.?)?$`)

// holders returns who has the copyright, with the years.
func holders(text string) []string {
	var all []string
	for _, match := range holderLine.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.TrimSuffix(match[1], "."))
	}
	if len(all) == 0 {
		return []string{"see the licence"}
	}
	return all
}

// apache is the name of a licence in files of copyrights.
const apache = "Apache-2.0"

// kindOf returns the name of a licence by its words.
func kindOf(text string) string {
	words := strings.Join(strings.Fields(text), " ")
	switch {
	case strings.Contains(words, "Apache License") && strings.Contains(words, "Version 2.0"):
		return apache
	case strings.Contains(words, "Permission is hereby granted, free of charge"):
		return "Expat"
	case strings.Contains(words, "Neither the name") || strings.Contains(words, "may be used to endorse or promote"):
		return "BSD-3-Clause"
	case strings.Contains(words, "Redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	case strings.Contains(words, "Permission to use, copy, modify, and/or distribute this software"), strings.Contains(words, "Permission to use, copy, modify, and distribute this software"):
		return "ISC"
	}
	return ""
}
