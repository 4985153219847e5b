package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// counter shows on a terminal how far a command is. Where there is none, under cron or
// with standard error sent to a file, it shows nothing.
type counter struct{ bar *progressbar.ProgressBar }

// startCounter begins to show how many of so many things are done.
func startCounter(stderr io.Writer, what string, total int) counter {
	f, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || total == 0 {
		return counter{}
	}
	return counter{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth(),
	)}
}

// showCount returns what shows how many of how many things are done, as startCounter does,
// and what takes that away.
func showCount(stderr io.Writer, what string) (progress func(done, total int), finish func()) {
	var c counter
	shown := -1
	return func(done, total int) {
			if shown < 0 {
				c, shown = startCounter(stderr, what, total), 0
			}
			c.add(done - shown)
			shown = done
		}, func() {
			c.finish()
		}
}

// add says that n more are done.
func (p counter) add(n int) {
	if p.bar != nil {
		p.bar.Add(n)
	}
}

// finish takes the display away.
func (p counter) finish() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
