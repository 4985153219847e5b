package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/skip"
)

// tested is a package with tests.
type tested struct {
	path, dir string
	binary    string // of its tests
	mu        sync.Mutex
	asked     bool            // for the time, on a day
	took      []time.Duration // on each day
}

// build builds the tests of packages into a directory, and returns those that have any. Their
// binaries are named after the last part of the path, so that the go command cannot build
// packages into one directory that have it in common.
func build(into, flags string, patterns []string) ([]*tested, error) {
	list := exec.Command("go", append([]string{"list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}", "--"}, patterns...)...)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	var all []*tested
	var groups [][]string // the paths in one have different names
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, group := filepath.Base(path), 0
		for group < len(groups) && slices.ContainsFunc(groups[group], func(p string) bool { return filepath.Base(p) == name }) {
			group++
		}
		if group == len(groups) {
			groups = append(groups, nil)
		}
		groups[group] = append(groups[group], path)
		all = append(all, &tested{path: path, dir: dir, binary: filepath.Join(into, strconv.Itoa(group), name+".test")})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no tests in %q", patterns)
	}
	for i, group := range groups {
		dir := filepath.Join(into, strconv.Itoa(i)) + string(filepath.Separator)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		compile := exec.Command("go", append([]string{"test", "-c", "-ldflags=-s -w", "-o", dir}, group...)...)
		compile.Env = append(os.Environ(), flags)
		if out, err := compile.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the tests: %w\n%s", err, out)
		}
	}
	return all, nil
}

// runner runs packages' tests on days, and says how it went.
type runner struct {
	work, flags string
	long        bool
	mu          sync.Mutex
}

// all runs the tests of packages on days, so many packages at once, and returns on how many days one
// fails.
func (r *runner) all(days []day, packages []*tested, atOnce int) (failed int) {
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, d := range days {
		var mu sync.Mutex
		left, wrong := len(packages), []string(nil)
		for _, p := range packages {
			places <- struct{}{}
			wg.Go(func() {
				defer func() { <-places }()
				out := r.one(d, p)
				mu.Lock()
				defer mu.Unlock()
				if out != "" {
					wrong = append(wrong, out)
				}
				if left--; left > 0 {
					return
				}
				r.mu.Lock()
				defer r.mu.Unlock()
				if len(wrong) == 0 {
					fmt.Printf("%s: %d packages ok\n", d, len(packages))
					return
				}
				failed++
				fmt.Printf("%s: FAILED\n%s", d, strings.Join(wrong, ""))
			})
		}
	}
	wg.Wait()
	return failed
}

// one runs the tests of a package on a day, and returns what they print if they fail.
func (r *runner) one(d day, p *tested) (wrong string) {
	log, err := os.CreateTemp(r.work, "asked-")
	if err != nil {
		return err.Error()
	}
	log.Close()
	defer os.Remove(log.Name())
	began := time.Now()
	at := d.At
	if midnight, is := d.Midnight(); is {
		at = midnight.Add(-p.usual() / 2) // so that it passes in the middle of the tests
	}
	command := exec.Command(p.binary, "-test.paniconexit0", "-test.timeout=10m", "-test.testlogfile="+log.Name())
	command.Dir = p.dir
	command.Env = append(os.Environ(), "PWD="+p.dir, r.flags, "TZ="+d.zone,
		fmt.Sprintf("%s=%d", clock.Shift, at.Unix()-began.Unix()), fmt.Sprintf("%s=%d", skip.Day, d.number))
	out, err := command.CombinedOutput()
	took := time.Since(began)

	what, logErr := os.ReadFile(log.Name())
	p.mu.Lock()
	p.asked = p.asked || logErr != nil || bytes.Contains(what, []byte("getenv "+clock.Shift+"\n"))
	p.took = append(p.took, took)
	p.mu.Unlock()
	if r.long {
		r.mu.Lock()
		// With its children that it has waited for.
		fmt.Printf("  %-30s day %d, %6.1fs, processor %6.1fs\n", strings.TrimPrefix(p.path, "imip-agent/"), d.number, took.Seconds(), processor(command))
		r.mu.Unlock()
	}
	if err == nil {
		return ""
	}
	return fmt.Sprintf("FAIL %s: %v after %.0fs\n%s\n", p.path, err, took.Seconds(), shortened(out))
}

// usual returns how long the tests take that run on each day.
func (p *tested) usual() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.took) == 0 {
		return 0
	}
	return slices.Min(p.took)
}

// processor returns for how many seconds a command and its children have had a processor.
func processor(c *exec.Cmd) float64 {
	if c.ProcessState == nil {
		return 0
	}
	used, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

// verdicts are lines that say which tests fail.
var verdicts = regexp.MustCompile(`(?m)^ *--- FAIL.*\n|^panic:.*\n`)

// shortened returns what tests have printed that fail, without the middle of what is long.
func shortened(out []byte) string {
	const most = 20_000 // octets
	if len(out) <= most {
		return string(out)
	}
	return fmt.Sprintf("%s%s\n[...]\n%s", bytes.Join(verdicts.FindAll(out, 100), nil), out[:most/2], out[len(out)-most/2:])
}

// asking returns those packages that have asked for the time.
func (r *runner) asking(packages []*tested) (asking []*tested) {
	for _, p := range packages {
		if p.asked {
			asking = append(asking, p)
		}
	}
	return asking
}

func backward(packages []*tested) []*tested {
	packages = slices.Clone(packages)
	slices.Reverse(packages)
	return packages
}

func slowestFirst(packages []*tested) []*tested {
	packages = slices.Clone(packages)
	slices.SortFunc(packages, func(a, b *tested) int { return cmp.Compare(b.usual(), a.usual()) })
	return packages
}
