package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// readNamed reads a file that a setting names. The error is an [*Error], and says what is in it.
func readNamed(path, what string) ([]byte, error) {
	source, err := read(path)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w; give the user %s access to it", err, whoami())
	}
	if err != nil {
		return nil, &Error{fmt.Errorf("read %s: %w", what, err)}
	}
	return source, nil
}

// readTable reads a file that a setting names, and calls enter with the words of each line. # begins a comment line. What enter
// returns, if it is not empty, is what the line must do or be: a warning says so. The error is as that of readNamed.
func readTable(path, what string, enter func(words []string) (must string)) (warnings []Warning, err error) {
	source, err := readNamed(path, what)
	if err != nil {
		return nil, err
	}
	number := 0
	for line := range strings.Lines(string(source)) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if must := enter(words); must != "" {
			warnings = append(warnings, Warning{File: path, Line: number, Text: "skipped: it must " + must})
		}
	}
	return warnings, nil
}
