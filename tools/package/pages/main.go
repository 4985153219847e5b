// Pages makes the manual page and the shell completion of a command from what the
// command says of itself with --help, and of each of its commands. What the help does
// not have is added from a file.
//
//	pages man PROGRAM [REST]     REST: sections in troff that come last
//	pages completion PROGRAM
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("which page, and of which program?")
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
		rest := ""
		if len(words) > 2 {
			text, err := os.ReadFile(words[2])
			if err != nil {
				return err
			}
			rest = string(text)
		}
		_, err = os.Stdout.WriteString(manual(top, rest))
	case "completion":
		_, err = os.Stdout.WriteString(completion(top))
	default:
		err = fmt.Errorf("there is no page %q", words[0])
	}
	return err
}
