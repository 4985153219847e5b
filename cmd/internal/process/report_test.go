package process_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"imip-agent/cmd/internal/process"
)

func TestReport(t *testing.T) {
	const head = "4.3.0 calendar records not updated, the message must be tried again: "
	tests := []struct {
		err  error
		want string
	}{
		{errors.New("disk full"), "disk full"},
		{errors.Join(errors.New("one"), errors.New("two")), "one; two"},
		{errors.New("uid \"a\r\n5.1.1 no such user\""), `uid "a\r; 5.1.1 no such user"`},
		{errors.New("tab\tnul\x00 esc\x1b[1m \x7f"), `tab\tnul\x00 esc\x1b[1m \x7f`},
		{errors.New("Bjørn \u202e 📅 \xff"), `Bj\u00f8rn \u202e \U0001f4c5 \xff`},
		{errors.New(""), ""},
		{fmt.Errorf("long: %s", strings.Repeat("x", 10000)), "long: " + strings.Repeat("x", 595) + " ..."},
	}
	for _, test := range tests {
		var stderr strings.Builder
		if status := process.Report(&stderr, test.err); status != 75 {
			t.Errorf("%v: status %d", test.err, status)
		}
		if got := stderr.String(); got != head+test.want+"\n" {
			t.Errorf("got  %q\nwant %q", got, head+test.want+"\n")
		}
	}
	var stderr strings.Builder
	if status := process.Report(&stderr, nil); status != 0 || stderr.Len() > 0 {
		t.Errorf("success has status %d and says %q", status, &stderr)
	}
	if status := process.Report(broken{}, errors.New("x")); status != 75 {
		t.Errorf("status %d when standard error is closed", status)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
