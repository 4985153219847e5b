package postgresql

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// What goes wrong with a file, such as the published free/busy, is not taken for a server that
// is away.
func TestBroken(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, false},
		{io.ErrUnexpectedEOF, true},
		{net.ErrClosed, true},
		{syscall.ENOTDIR, false},
		{&os.PathError{Op: "mkdir", Path: "static", Err: syscall.ENOSPC}, false},
	} {
		if got := broken(fmt.Errorf("PUBLISH: %w", test.err)); got != test.want {
			t.Errorf("%v: %v", test.err, got)
		}
	}
}
