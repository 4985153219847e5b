// Overlay writes an overlay for the go command into a directory, and prints the path to give
// to its option -overlay. What is built with it finds another time than the machine's, by
// as many seconds as the variable [clock.Shift] of its environment says: time.Now is
// moved, and so are the times of files, from the kernel's clock and to it. The clock of
// the machine stays as it is.
//
// Go does not ask the C library for the time, so that faketime, which serves for the original,
// does not reach it. Without the overlay no program knows of the variable.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"imip-agent/tests/clock"
)

// changes are what is changed in files of the standard library. Each text is there once.
var changes = []struct{ file, from, to string }{
	{"time/time.go", "sec, nsec, mono := runtimeNow()\n\tif mono == 0", "sec, nsec, mono := runtimeNow()\n\tsec += Shift()\n\tif mono == 0"},
	{"os/stat_linux.go", "time.Unix(fs.sys.Mtim.Unix())", "time.Unix(fs.sys.Mtim.Unix()).Add(time.Duration(time.Shift()) * time.Second)"},
	{"os/file_posix.go", "syscall.NsecToTimespec(t.UnixNano())", "syscall.NsecToTimespec(t.UnixNano() - time.Shift()*1e9)"},
}

// added is what the library gets beside them.
const added = `package time

import (
	"sync"
	"syscall"
)

// Shift returns by how many seconds the clock is moved.
var Shift = sync.OnceValue(func() int64 {
	text, found := syscall.Getenv("` + clock.Shift + `")
	if !found || text == "" {
		return 0
	}
	seconds, err := atoi(text)
	if err != nil {
		panic("` + clock.Shift + ` is no number of seconds: " + text)
	}
	return int64(seconds)
})
`

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./tests/clock/overlay DIR")
		os.Exit(2)
	}
	path, err := write(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "overlay:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}

// write writes the overlay into a directory and returns its path.
func write(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("ask the go command where its library is: %w", err)
	}
	library := filepath.Join(strings.TrimSpace(string(root)), "src")
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	put := func(file, content string) error {
		to := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		overlay.Replace[filepath.Join(library, file)] = to
		return os.WriteFile(to, []byte(content), 0o644)
	}
	if err := put("time/shift.go", added); err != nil {
		return "", err
	}
	for _, c := range changes {
		content, err := os.ReadFile(filepath.Join(library, c.file))
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(content), c.from); n != 1 {
			return "", fmt.Errorf("%s of %s has %q %d times, not once: look how this version of Go does it", c.file, runtime.Version(), c.from, n)
		}
		if err := put(c.file, strings.Replace(string(content), c.from, c.to, 1)); err != nil {
			return "", err
		}
	}
	content, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, content, 0o644)
}
