package file

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clockTick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on every
// architecture that Go runs on.
const clockTick = time.Second / 100

// lookUp says what is known of the process that has an id.
func lookUp(pid int) Process {
	p := Process{PID: pid}
	if err := unix.Kill(pid, 0); err != nil && !errors.Is(err, unix.EPERM) {
		return p
	}
	p.Alive = true
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return p // hidden from us; so nothing speaks against it
	}
	// The second field is the command in parentheses, with anything in it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const state, startTime = 0, 19 // fields 3 and 22 of proc(5)
	if len(fields) <= startTime {
		return p
	}
	if fields[state] == "Z" || fields[state] == "X" {
		p.Alive = false // it has ended, and only awaits its parent's look
		return p
	}
	var now unix.Timespec
	ticks, err := strconv.ParseInt(fields[startTime], 10, 64)
	if err == nil && unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) == nil {
		p.Started = time.Now().Add(time.Duration(ticks)*clockTick - time.Duration(now.Nano()))
	}
	if line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")); err == nil {
		p.Command = strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
	}
	return p
}
