// Days runs the tests on other days than today: on the days on which programs go wrong, and on
// others that are spread over the years. The clock of the machine stays as it is: that of tests and
// programs is moved, by the overlay of tests/clock/overlay.
//
//	days -overlay FILE [NUMBER [PACKAGES...]]
//
// Each package's tests are built once, and run on each day. The clock of each package begins at the
// moment of the day, however long others took. What does not depend on the day runs on one of the first days only:
//   - a test that says so (skip.OnOtherDays);
//   - a package of which nothing has asked for the time (clock.Shifted) on these days.
//
// The status is 1 if tests fail.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/skip"
)

// zones are where the tests run, in turns: one on each of the first days.
var zones = [skip.Days]string{"UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kolkata"}

// day is a day to run the tests on.
type day struct {
	clock.Moment
	zone   string
	number int // from 0
}

func (d day) String() string {
	return fmt.Sprintf("%s, TZ=%s, %s", d.At.Format(time.RFC3339), d.zone, d.Why)
}

func main() {
	overlay := flag.String("overlay", "", "the file of tests/clock/overlay")
	atOnce := flag.Int("p", runtime.NumCPU()+1, "how many packages are tested at once")
	long := flag.Bool("v", false, "also print what each package took")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: days -overlay FILE [-p NUMBER] [-v] [NUMBER [PACKAGES...]]")
		flag.PrintDefaults()
	}
	flag.Parse()
	number, err := 12, error(nil)
	if flag.NArg() > 0 {
		number, err = strconv.Atoi(flag.Arg(0))
	}
	if err != nil || number < 1 || *atOnce < 1 || *overlay == "" {
		flag.Usage()
		os.Exit(2)
	}
	patterns := []string{"./..."}
	if flag.NArg() > 1 {
		patterns = flag.Args()[1:]
	}
	var days []day
	for i, m := range clock.Days(time.Now().UTC(), number) {
		days = append(days, day{m, zones[i%len(zones)], i})
	}
	failed, err := run(*overlay, days, patterns, *atOnce, *long)
	if err != nil {
		fmt.Fprintln(os.Stderr, "days:", err)
		os.Exit(1)
	}
	if failed > 0 {
		fmt.Fprintf(os.Stderr, "the tests fail on %d of %d days\n", failed, number)
		os.Exit(1)
	}
}

// run builds the tests of packages, runs them on days, and returns on how many they fail.
func run(overlay string, days []day, patterns []string, atOnce int, long bool) (failed int, err error) {
	work, err := os.MkdirTemp("", "imip-agent-days-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	flags := "GOFLAGS=-overlay=" + overlay
	packages, err := build(filepath.Join(work, "built"), flags, patterns)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	r := &runner{work: work, flags: flags, long: long}
	// The packages whose tests take longest come last.
	first, rest := days[:min(len(days), skip.Days)], days[min(len(days), skip.Days):]
	failed = r.all(first, backward(packages), atOnce)
	asking := slowestFirst(r.asking(packages))
	failed += r.all(rest, asking, atOnce)
	fmt.Printf("%d packages on %d days, %d of them on %d days, in %.0fs\n", len(packages), len(first), len(asking), len(days), time.Since(began).Seconds())
	return failed, nil
}
