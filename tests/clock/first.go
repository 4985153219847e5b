package clock

import "time"

// AwaitFirst waits until the first process of the machine, or of the container, has run for so long.
// Its number is in locks that a living process must have made. A container may have begun with
// the tests. Where nothing is known of the process, AwaitFirst does not wait.
func AwaitFirst(age time.Duration) {
	for {
		has, ok := firstAge()
		if !ok || has >= age {
			return
		}
		time.Sleep(min(age-has, time.Second))
	}
}
