// Days prints days to run the tests on, one a line: the time in UTC, the time zone to run
// them in, by how many seconds the time is ahead of the clock, and why that day.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"imip-agent/tests/clock"
)

func main() {
	number := flag.Int("n", 12, "how many days: the first 12 are those on which programs go wrong")
	flag.Parse()
	now := time.Now().UTC()
	if flag.NArg() > 0 || *number < 1 {
		flag.Usage()
		os.Exit(2)
	}
	zones := []string{"UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kolkata"}
	for i, d := range clock.Days(now, *number) {
		fmt.Printf("%s %s %d %s\n", d.At.Format(time.RFC3339), zones[i%len(zones)], d.At.Unix()-now.Unix(), d.Why)
	}
}
