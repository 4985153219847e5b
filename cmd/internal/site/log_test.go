package site

import (
	"strings"
	"testing"
)

func TestLogging(t *testing.T) {
	tests := []struct {
		name  string
		l     logging
		want  []string
		never string
	}{
		{"nothing asked for", logging{}, nil, "msg"},
		{"verbose", logging{verbose: true}, []string{"level=INFO msg=did", "level=WARN msg=odd"}, "msg=step"},
		{"debug", logging{debug: true}, []string{"level=DEBUG msg=step", "level=INFO msg=did", "level=WARN msg=odd"}, "syslog"},
		{"both", logging{debug: true, verbose: true}, []string{"level=DEBUG msg=step"}, "syslog"},
	}
	for _, test := range tests {
		var stderr strings.Builder
		test.l.stderr = &stderr
		log, closed := test.l.open()
		log.Debug("step")
		log.Info("did")
		log.Warn("odd")
		closed()
		for _, want := range test.want {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%s: %q lacks %q", test.name, &stderr, want)
			}
		}
		if strings.Contains(stderr.String(), test.never) {
			t.Errorf("%s: %q has %q", test.name, &stderr, test.never)
		}
	}
}

// Whether there is a syslog daemon here or not, logging to it is no failure.
func TestLoggingToSyslog(t *testing.T) {
	var stderr strings.Builder
	log, closed := logging{stderr: &stderr, debug: true, facility: "local7", level: "info", tag: "imip-agent-test"}.open()
	log.Info("a test")
	closed()
	if !strings.Contains(stderr.String(), "a test") {
		t.Errorf("standard error has only %q", &stderr)
	}
}
