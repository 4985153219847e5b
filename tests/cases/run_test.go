// Package cases runs small cases after public reports, which lie beside the module, and
// holds each against what is right of it. Where they are not there, nothing is run.
package cases

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/program"
)

// shared is where the cases lie: a directory each, with messages and "cmd", the commands
// that are given to a shell one after the other. T in them is an empty directory.
var shared = filepath.Join("..", "..", "..", "shared", "data", "cases")

// now is the time at which the cases take place.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// outcome is what a case has left.
type outcome struct {
	t      *testing.T
	dir    string   // T
	status []int    // of each command
	stderr []string // of each command
	stdout []string // of each command
	faults []string // what else is wrong
}

// fault notes something that is wrong.
func (o *outcome) fault(format string, args ...any) {
	o.faults = append(o.faults, fmt.Sprintf(format, args...))
}

// run runs a case, with files that are in T before, by their paths.
func run(t *testing.T, programs, name string, files map[string]string) *outcome {
	t.Helper()
	o := &outcome{t: t, dir: filepath.Join(t.TempDir(), "T")}
	if err := os.CopyFS(filepath.Dir(o.dir), os.DirFS(filepath.Join(shared, name))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(o.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for path, content := range files {
		path = filepath.Join(o.dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	filepath.WalkDir(filepath.Join(o.dir, "store"), func(path string, entry fs.DirEntry, err error) error {
		switch { // the modes of a store
		case err != nil:
			return err
		case entry.IsDir():
			return os.Chmod(path, 0o770|fs.ModeSetgid)
		}
		return os.Chmod(path, 0o660)
	})
	commands, err := os.ReadFile(filepath.Join(shared, name, "cmd"))
	if err != nil {
		t.Fatal(err)
	}
	for command := range strings.Lines(string(commands)) {
		if strings.HasPrefix(command, "#") {
			continue
		}
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = filepath.Dir(o.dir)
		cmd.Env = append(os.Environ(), "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"),
			"TZ=UTC", "IMIP_AGENT_CONFIG="+os.DevNull, clock.Env(now))
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		o.status = append(o.status, cmd.ProcessState.ExitCode())
		o.stdout, o.stderr = append(o.stdout, stdout.String()), append(o.stderr, stderr.String())
	}
	return o
}

// store tells what is in the store, a line each: "ann objects/UID", and for tables
// "ann freebusy START/END UID RECURRENCE-ID TRANSP".
func (o *outcome) store() string {
	o.t.Helper()
	var out []string
	root := filepath.Join(o.dir, "store")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(root, path)
		user, below, _ := strings.Cut(filepath.ToSlash(name), "/")
		user = strings.TrimSuffix(strings.TrimPrefix(user, "mailto:"), "@example.com")
		below = strings.ReplaceAll(below, "@example.com", "")
		switch {
		case strings.HasPrefix(below, "freebusy"):
			out = append(out, o.records(path, user+" "+strings.ReplaceAll(below, "mailto:", ""))...)
		case below == "requests":
		default:
			out = append(out, user+" "+below)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.t.Fatal(err)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// many is from how many records on of an event only the first, the last and the number are told.
const many = 8

func (o *outcome) records(path, prefix string) []string {
	content, err := os.ReadFile(path)
	if err != nil {
		o.t.Fatal(err)
	}
	var events []string
	byEvent := make(map[string][]string)
	for line := range strings.Lines(string(content)) {
		c := append(strings.Split(strings.TrimRight(line, "\n"), "\t"), "", "", "", "", "")
		event := strings.TrimSpace(strings.TrimSuffix(c[2], "@example.com") + " " + c[4])
		if byEvent[event] == nil {
			events = append(events, event)
		}
		byEvent[event] = append(byEvent[event], prefix+" "+short(c[0], c[1])+" "+event+" "+c[3])
	}
	var out []string
	for _, event := range events {
		all := byEvent[event]
		if n := len(all); n >= many {
			all = []string{fmt.Sprintf("%s %d of %s", prefix, n, event), all[0], all[n-1]}
		}
		out = append(out, all...)
	}
	return out
}

// short is a period, without the seconds, and without the day of the end if that is the same.
func short(start, end string) string {
	start, end = strings.TrimSuffix(start, "00Z"), strings.TrimSuffix(end, "00Z")
	day, _, _ := strings.Cut(start, "T")
	return start + "-" + strings.TrimPrefix(end, day+"T")
}

// read returns a text in T, unfolded.
func (o *outcome) read(path string) string {
	o.t.Helper()
	content, err := os.ReadFile(filepath.Join(o.dir, path))
	if err != nil {
		o.t.Fatal(err)
	}
	return strings.NewReplacer("\r\n ", "", "\r\n", "\n").Replace(string(content))
}

var warning = regexp.MustCompile(`(?m)level=WARN msg=("[^"]*"|\S*)`)

// warnings returns what was unusual.
func (o *outcome) warnings() string {
	var out []string
	for _, m := range warning.FindAllStringSubmatch(strings.Join(o.stderr, "\n"), -1) {
		out = append(out, strings.Trim(m[1], `"`))
	}
	return strings.Join(out, "\n")
}

// busy is the lines of store that are of free/busy tables of the users themselves.
func (o *outcome) busy() string {
	var out []string
	for line := range strings.Lines(o.store()) {
		if strings.Contains(line, " freebusy ") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

// aside returns why something was put aside.
func (o *outcome) aside() string {
	notes, _ := filepath.Glob(filepath.Join(o.dir, "rejected", "*.txt"))
	var out []string
	for _, path := range notes {
		content, err := os.ReadFile(path)
		if err != nil {
			o.t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			if reason, ok := strings.CutPrefix(line, "Reason: "); ok {
				out = append(out, strings.TrimSpace(reason))
			}
		}
	}
	return strings.Join(out, "\n")
}

// build builds the programs and returns their directory.
func build(t *testing.T) string {
	t.Helper()
	program.Watch()
	dir := t.TempDir()
	if err := program.BuildAll(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}
