//go:build testclock

package process

import (
	"fmt"
	"os"
	"time"
)

// clockVariable has the time at which a program starts that is built for tests, as RFC 3339
// writes it. The package tests/clock sets it.
const clockVariable = "IMIP_AGENT_CLOCK"

// clock returns the program's clock, which starts at the time that the test set and runs on
// from there. There is no other time for a program that is built for tests: without one
// it ends, with a status that no program has otherwise.
func clock() func() time.Time {
	began := time.Now()
	start, err := time.Parse(time.RFC3339Nano, os.Getenv(clockVariable))
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s is missing, or no time; a test must set the clock of the programs that it runs: %v\n", clockVariable, err)
		os.Exit(99)
	}
	return func() time.Time { return start.Add(time.Since(began)) }
}
