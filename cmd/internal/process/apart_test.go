package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

// TestApart tests what needs no process: the built program is run by scripts.
func TestApart(t *testing.T) {
	broken := errors.New("broken pipe")
	unset := func(string) string { return "" }
	// pipe is the file that confirms, as the process gets it.
	pipe := func(confirmation string) func(string) string {
		return func(string) string {
			theirs, ours, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			ours.WriteString(confirmation)
			ours.Close()
			number, err := syscall.Dup(int(theirs.Fd())) // which Apart closes
			if err != nil {
				t.Fatal(err)
			}
			theirs.Close()
			return strconv.Itoa(number)
		}
	}
	for _, test := range []struct {
		reason string
		getenv func(string) string
		r      io.Reader
		want   int // octets handled
		err    error
	}{
		{"nothing", unset, strings.NewReader(""), 0, nil},
		{"small", unset, strings.NewReader("abc"), 3, nil},
		{"small, in small pieces", unset, iotest.OneByteReader(strings.NewReader("abc")), 3, nil},
		{"reading fails", unset, io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), 0, broken},
		{"large, in the process of its own", pipe("."), strings.NewReader(strings.Repeat("x", 2*apartSize)), 2 * apartSize, nil},
		{"large, and the program is gone", pipe(""), strings.NewReader(strings.Repeat("x", 2*apartSize)), 2 * apartSize, io.ErrUnexpectedEOF},
	} {
		got := 0
		err := Apart(context.Background(), Environment{Getenv: test.getenv}, test.r, func(r io.Reader) error {
			data, err := io.ReadAll(r)
			got = len(data)
			return err
		})
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %d octets and %v, want %d and %v", test.reason, got, err, test.want, test.err)
		}
	}
}

func TestTail(t *testing.T) {
	out := &tail{most: 10}
	for i := range 100 {
		line := strings.Repeat(string(rune('a'+i%26)), i%7)
		if n, err := out.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if got := out.String(); len(got) < 10 || len(got) > 20 || !strings.HasSuffix(got, "v") {
		t.Errorf("%q is kept", got)
	}
}

func TestReportOnce(t *testing.T) {
	var said bytes.Buffer
	if status := Report(&said, errors.Join(errReported, nil)); status != ExitTemporary || said.Len() > 0 {
		t.Errorf("status %d and %q", status, said.String())
	}
}
