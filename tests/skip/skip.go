// Package skip skips tests, and says so also where `go test` is run without -v.
//
// The go command shows nothing of what a package's tests print if all of them pass. So a
// test that is skipped says it on the go command's own standard error, once for each reason
// and package. A result from the cache says nothing again: -count=1 or -v show it. On the days of
// .ci/days it says nothing: a run before has said it.
package skip

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Complete is the variable of the environment with which tests fail that would be skipped.
// What only [Beside] has is skipped all the same where that is missing.
const Complete = "IMIP_AGENT_COMPLETE"

// Beside is the directory beside the project that only its maintainers have, with data of
// others. Reasons that are due to it name it.
const Beside = "../shared"

// excused reports whether a reason is good even where nothing may be skipped.
func excused(reason string) bool {
	if !strings.Contains(reason, Beside) {
		return false
	}
	dir, err := os.Getwd() // of the package
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			_, err := os.Stat(filepath.Join(dir, Beside))
			return errors.Is(err, fs.ErrNotExist)
		}
	}
	return false
}

var (
	mu   sync.Mutex
	said = map[string]bool{}
)

// Because skips a test for a reason: what is missing, and how to get it.
func Because(t testing.TB, format string, args ...any) {
	t.Helper()
	reason := fmt.Sprintf(format, args...)
	if os.Getenv(Complete) != "" && !excused(reason) {
		t.Fatalf("skipped, where nothing may be (%s): %s", Complete, reason)
	}
	mu.Lock()
	first := !said[reason]
	said[reason] = true
	mu.Unlock()
	if list := flag.Lookup("test.v"); first && os.Getenv(Day) == "" && (list == nil || list.Value.String() == "false") {
		tell(fmt.Sprintf("skipped %s.%s: %s\n", strings.TrimSuffix(filepath.Base(os.Args[0]), ".test"), t.Name(), reason))
	}
	t.Skip(reason)
}

// Day is the variable of the environment in which .ci/days gives the number of the day on which tests run,
// from 0 on.
const Day = "IMIP_AGENT_DAY"

// Days is the number of days on one of which [OnOtherDays] lets a test run, as they are the first ones of
// .ci/days.
const Days = 4

// OnOtherDays skips a test whose result does not depend on the day, on days that are not the test's own.
// A test that kills programs, takes locks, measures memory or builds packages calls it first. Of the days of
// .ci/days the test's own is one of the first, which the tests share evenly. Where the clock is the
// machine's, such a test always runs.
func OnOtherDays(t testing.TB) {
	t.Helper()
	if day := os.Getenv(Day); day == "" || day == strconv.Itoa(ownDay(t.Name())) {
		return
	}
	t.Skip("its result does not depend on the day")
}

// ownDay returns the number of the day on which a test of this package runs.
func ownDay(name string) int {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(filepath.Base(os.Args[0]) + "." + name))
	return int(sum.Sum32() % Days)
}
