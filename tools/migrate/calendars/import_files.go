package calendars

import (
	"bytes"
	"errors"
	"fmt"
	"imip-agent/tools/migrate"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// calendarFiles lists the calendar files at a path, in order, and what looks like one and
// is not read, with the reason.
func calendarFiles(path string) (paths []string, odd map[string]string, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: %w", migrate.ErrNoSource, err)
	} else if err != nil {
		return nil, nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil, nil
	}
	odd = make(map[string]string)
	root := path + string(filepath.Separator) // where a link leads
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || path == root:
			return err
		case strings.HasPrefix(e.Name(), "."): // programs' own, and left-overs
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			switch {
			case err == nil && info.IsDir():
				odd[path] = "it is a link to a directory: name that directory"
				return nil
			case err == nil:
				mode = info.Mode()
			}
		}
		switch {
		case e.IsDir() || !strings.EqualFold(filepath.Ext(path), ".ics"):
		case mode.IsRegular(), mode&fs.ModeSymlink != 0: // reading tells what is wrong with a link
			paths = append(paths, path)
		default:
			odd[path] = "it is not a regular file"
		}
		return nil
	})
	slices.Sort(paths)
	if err == nil && len(paths)+len(odd) == 0 {
		err = fmt.Errorf("%s has no calendar files: %w", path, migrate.ErrNoSource)
	}
	return paths, odd, err
}

// maxFile is how large a calendar file can be, in octets.
const maxFile = 1 << 30

// readCalendars reads a calendar file.
func readCalendars(path string) (*calendarFile, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("it is larger than %d octets", maxFile)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	return split(path, plainText(data)), nil
}

// plainText returns the text of a file: in UTF-16 if it begins with such a mark. What else there
// is each line tells for itself.
func plainText(data []byte) string {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		// What is no character comes out as U+FFFD, and there is no error.
		data, _ = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
	}
	return string(data)
}
