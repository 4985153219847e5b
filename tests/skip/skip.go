// Package skip skips tests, and says so also where `go test` is run without -v.
//
// The go command shows nothing of what a package's tests print if all of them pass. So a
// test that is skipped says it on the go command's own standard error, once for each reason
// and package. A result from the cache says nothing again: -count=1 or -v show it.
package skip

import (
	"errors"
	"flag"

	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	if list := flag.Lookup("test.v"); first && (list == nil || list.Value.String() == "false") {
		tell(fmt.Sprintf("skipped %s.%s: %s\n", strings.TrimSuffix(filepath.Base(os.Args[0]), ".test"), t.Name(), reason))
	}
	t.Skip(reason)
}
