//go:build !linux

package clock

import "time"

func firstAge() (time.Duration, bool) { return 0, false }
