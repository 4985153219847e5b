// Package skip skips tests, and says so also where `go test` is run without -v.
//
// The go command shows nothing of what a package's tests print if all of them pass. So a
// test that is skipped says it on the go command's own standard error, once for each reason
// and package. A result from the cache says nothing again: -count=1 or -v show it.
package skip

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var (
	mu   sync.Mutex
	said = map[string]bool{}
)

// Because skips a test for a reason: what is missing, and how to get it.
func Because(t testing.TB, format string, args ...any) {
	t.Helper()
	reason := fmt.Sprintf(format, args...)
	mu.Lock()
	first := !said[reason]
	said[reason] = true
	mu.Unlock()
	if list := flag.Lookup("test.v"); first && (list == nil || list.Value.String() == "false") {
		tell(fmt.Sprintf("skipped %s.%s: %s\n", strings.TrimSuffix(filepath.Base(os.Args[0]), ".test"), t.Name(), reason))
	}
	t.Skip(reason)
}
