// Pages makes the manual page and the shell completion of a command from what the
// command says of itself with --help, and of each of its commands. What the help does
// not have is added from a file.
//
//	pages man PROGRAM DIR RESTDIR     a page for the program and for each command, into DIR; RESTDIR
//	                                  has sections in troff that come last, as NAME.rest
//	pages completion PROGRAM SHELL    SHELL: bash, zsh or fish
//	pages config EXAMPLE REST         the page of the configuration file
//	pages copyright OWN PACKAGE...    Debian's copyright file, with what the packages are linked with
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("which page, of what, and where to?")
	}
	switch words[0] {
	case "config":
		example, err := os.ReadFile(words[1])
		if err != nil {
			return err
		}
		rest, err := os.ReadFile(words[2])
		if err != nil {
			return err
		}
		_, err = os.Stdout.WriteString(configPage(string(example), string(rest)))
		return err
	case "copyright":
		own, err := os.ReadFile(words[1])
		if err != nil {
			return err
		}
		text, err := copyright(string(own), words[2:])
		if err != nil {
			return err
		}
		_, err = os.Stdout.WriteString(text)
		return err
	}
	program := words[1]
	top, err := readHelp(func(command []string) (string, error) {
		out, err := exec.Command(program, append(command, "--help")...).Output()
		if err != nil {
			return "", fmt.Errorf("the help of %s %v: %w", program, command, err)
		}
		return string(out), nil
	}, filepath.Base(program), nil)
	if err != nil {
		return err
	}
	switch words[0] {
	case "man":
		if len(words) < 4 {
			return fmt.Errorf("man PROGRAM DIR RESTDIR")
		}
		return writePages(top, words[2], words[3])
	case "completion":
		text, err := completionFor(top, words[2])
		if err != nil {
			return err
		}
		_, err = os.Stdout.WriteString(text)
		return err
	}
	return fmt.Errorf("there is no page %q", words[0])
}

// writePages writes the page of a program and those of its commands.
func writePages(top *command, dir, restDir string) error {
	write := func(name, page string) error {
		return os.WriteFile(filepath.Join(dir, name+".1"), []byte(page), 0o644)
	}
	rest := func(name string) (string, error) {
		text, err := os.ReadFile(filepath.Join(restDir, name+".rest"))
		return string(text), err
	}
	last, err := rest(top.words[0])
	if err != nil {
		return err
	}
	if err := write(top.words[0], manual(top, last)); err != nil {
		return err
	}
	for _, c := range top.commands {
		name := strings.Join(c.words, "-")
		last, err := rest(name)
		if err != nil {
			return err
		}
		if err := write(name, commandPage(c, last)); err != nil {
			return err
		}
	}
	return nil
}
