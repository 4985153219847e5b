//go:build !testclock

package process

import "time"

// clock returns the program's clock, which is the machine's. Programs that are built for
// tests, with the build tag testclock, get theirs from the test instead.
func clock() func() time.Time { return time.Now }
