package clock

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// firstAge returns how long the first process has run.
func firstAge() (time.Duration, bool) {
	stat, err := os.ReadFile("/proc/1/stat")
	if err != nil {
		return 0, false
	}
	// The second field is in parentheses, with anything in it. Field 22 is the time of the start, in hundredths
	// of a second since the machine's (proc(5)).
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return 0, false
	}
	ticks, err := strconv.ParseInt(fields[19], 10, 64)
	var now unix.Timespec
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return 0, false
	}
	return time.Duration(now.Nano()) - time.Duration(ticks)*10*time.Millisecond, true
}
