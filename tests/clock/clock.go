// Package clock is where tests have the time from. No test asks what day it is, and each
// gives its own time to what it tests and to the programs that it runs:
//
//   - Data of a fixed day is looked at on that day. A test that has such data says so with
//     a time of its own, often [Day].
//   - A test that is to be right on any day begins with [Today].
//   - A program that is built for tests ends at once unless it is given its time by [Env].
//     The programs as they are shipped know nothing of that. The package tests/program
//     builds and runs them.
//   - Ages of files and locks, and the deadlines of connections, go by the kernel's clock:
//     [Kernel].
//   - Durations are measured with time.Now and time.Since.
//
// A test of the package tests/house finds what goes by another clock.
//
// [Shift] moves the clock of tests themselves, for the job .ci/days.
package clock

import (
	"os"
	"sync"
	"time"
)

// Variable is the variable of the environment that has the time at which a program built
// for tests starts, as RFC 3339 writes it.
const Variable = "IMIP_AGENT_CLOCK"

// Day is the time for which stores are generated, and at which most of the tests' events are
// about to take place: a Sunday, in UTC.
var Day = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

// Env returns the setting of the environment that has a program start at a time, its clock
// running on from there.
func Env(t time.Time) string {
	Shifted()
	return Variable + "=" + t.Format(time.RFC3339Nano)
}

// Today returns the time at which the test's process has first asked for it, in UTC: the same
// for all of its tests, also if they run past midnight.
var Today = sync.OnceValue(func() time.Time {
	Shifted()
	return time.Now().UTC()
})

// Running returns a clock that begins at a time, and runs.
func Running(t time.Time) func() time.Time {
	began := time.Now()
	return func() time.Time { return t.Add(time.Since(began)) }
}

// Kernel returns the time that the kernel gives to files that are written now.
func Kernel() time.Time {
	Shifted()
	return time.Now()
}

// Shifted reports whether the clock of this process is not the machine's ([Shift]). Then
// programs of others, to which files written now are of another time, need it set as well.
//
// All that goes by the clock here asks this, so that the go command runs a package's tests again
// if the clock has been moved and they have asked for the time, and only then.
func Shifted() bool { return os.Getenv(Shift) != "" }

// Shift is the variable of the environment that moves the clock of processes that were built
// with the overlay of tests/clock/overlay, by seconds.
const Shift = "IMIP_AGENT_SHIFT"
