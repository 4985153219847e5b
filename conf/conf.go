// Package conf reads the configuration file that administrators edit, which is
// shared with the original's Python programs: lines NAME = value with Python's
// literals as values. No Python is run; lines that are anything else are skipped,
// each with a warning.
package conf

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
)

// DefaultFile is read if no other file is asked for. It may be absent.
const DefaultFile = "/etc/imip-agent/config.txt"

// FileVariable is the environment variable that names another file.
const FileVariable = "IMIP_AGENT_CONFIG"

// Example is a configuration with all settings, each with its default and what it is for.
//
//go:embed config.txt
var Example string

// maxFile is how large a configuration file may be, in octets.
const maxFile = 1 << 20

// Load reads the configuration: from file, else from the file that the
// environment names, else from [DefaultFile], else it is [Default]. Only the
// last of these files may be missing. The working directory is never looked at:
// who delivers mail starts programs in directories that anybody may write to.
//
// Every error is an [*Error]. What cannot be used of the file is in the result's Warnings. Where that is a
// setting that must not be guessed, [Config.Check] fails later, unless it has
// been overridden.
func Load(file string, getenv func(string) string) (Config, error) {
	return load(file, getenv, DefaultFile)
}

func load(file string, getenv func(string) string, fallback string) (Config, error) {
	// DEVIATION: config-working-directory. The original reads config.txt there, if
	// there is one.
	optional := false
	if file == "" {
		file = getenv(FileVariable)
	}
	if file == "" {
		file = fallback
		// A link to nothing is no missing file: somebody wanted another one.
		_, err := os.Lstat(file)
		optional = errors.Is(err, fs.ErrNotExist)
	}
	source, err := read(file)
	// DEVIATION: config-missing-setting. Without the file, or a setting in it, the
	// original ends.
	if optional && errors.Is(err, fs.ErrNotExist) {
		return Default(), nil
	}
	if err != nil {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = fmt.Errorf("%w; name an existing file, or remove $%s and --config", err, FileVariable)
		case errors.Is(err, fs.ErrPermission):
			err = fmt.Errorf("%w; give the user %s access to it", err, whoami())
		}
		return Config{}, &Error{fmt.Errorf("read the configuration: %w", err)}
	}
	if i := bytes.IndexByte(source, 0); i >= 0 {
		return Config{}, &Error{fmt.Errorf("configuration: %s, line %d: it has a NUL octet: save the file as UTF-8 text",
			file, 1+bytes.Count(source[:i], []byte("\n")))}
	}
	return Read(source, file), nil
}

// Error is a configuration with which nothing can be done.
type Error struct{ err error }

func (e *Error) Error() string { return e.err.Error() }
func (e *Error) Unwrap() error { return e.err }

// whoami returns the name of the user that this process runs as, or the number of one
// who has no name.
func whoami() string {
	id := strconv.Itoa(os.Geteuid())
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	source, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(source) > maxFile {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it is larger than %d octets, and not a configuration file", maxFile)}
	}
	return source, err
}

// Read returns the configuration that source, the text of the named file, says.
func Read(source []byte, file string) Config {
	c := Default()
	c.File = file
	c.unusable = map[string]Warning{}
	assignments, warnings := parse(source)
	set := map[string]bool{}
	meantFor := map[string]Warning{} // settings that a line names by another spelling
	for _, a := range assignments {  // of several for one name, the last counts
		s, known := find(a.name)
		w := Warning{Line: a.line, Name: a.name}
		switch {
		case a.err != nil && known && set[a.name] && !s.vital:
			w.Text = fmt.Sprintf("skipped, %v; the value above holds", a.err)
		case a.err != nil:
			w.Text = fmt.Sprintf("skipped, %v", a.err)
			if known {
				w.Text += "; " + s.expected()
				c.unusable[a.name] = w
			}
		case !known && a.used:
			continue // the administrator's own
		case !known:
			w.Text = "unknown setting"
			if meant, ok := misspelled(a.name); ok {
				w.Text += "; " + meant.name + " is expected"
				meantFor[meant.name] = w
			}
		default:
			err := s.assign(&c, a.value)
			if err == nil {
				set[a.name] = true
				delete(c.unusable, a.name)
				continue
			}
			s.reset(&c)
			w.Text = fmt.Sprintf("%v; the default holds", err)
			if s.vital {
				w.Text = fmt.Sprintf("%v; %s", err, s.expected())
			}
			c.unusable[a.name] = w
		}
		warnings = append(warnings, w)
	}
	for name, w := range meantFor { // as if it stood there, and could not be read
		if _, bad := c.unusable[name]; !bad && !set[name] {
			c.unusable[name] = w
		}
	}
	slices.SortStableFunc(warnings, func(a, b Warning) int { return a.Line - b.Line })
	for i := range warnings {
		warnings[i].File = file
	}
	c.Warnings = warnings
	return c
}

// Override sets a setting to what an option of the command line says.
func (c *Config) Override(name, value string) error {
	s, known := find(name)
	if !known {
		return fmt.Errorf("unknown setting %s", name)
	}
	if err := s.assign(c, value); err != nil {
		return err
	}
	delete(c.unusable, name)
	return nil
}

// Check fails with an [*Error] if a setting that nothing can stand in for cannot be used.
func (c *Config) Check() error {
	for _, s := range settings {
		if w, bad := c.unusable[s.name]; bad && s.vital {
			w.File = c.File
			return &Error{fmt.Errorf("configuration: %v: correct the file", w)}
		}
	}
	return nil
}

// Rejected returns the directory for data that cannot be handled: the one that
// is set, else "rejected" beside the store, or beside the preferences where the
// store is a database.
func (c *Config) Rejected() string {
	if c.RejectedDir != "" {
		return c.RejectedDir
	}
	return c.beside("rejected")
}

// Spool returns the directory for messages that wait: the one that is set, else "spool" beside
// the store, as [Config.Rejected] has it.
func (c *Config) Spool() string {
	if c.SpoolDir != "" {
		return c.SpoolDir
	}
	return c.beside("spool")
}

func (c *Config) beside(name string) string {
	dir := c.StoreDir
	if c.StoreType != "file" {
		dir = c.PreferencesDir
	}
	return filepath.Join(filepath.Dir(filepath.Clean(dir)), name)
}
