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
type counter struct {
	terminal *os.File // nil: there is none
	what     string   // is counted
	total    int
	bar      *progressbar.ProgressBar // nil: nothing is shown yet
}

// newCounter returns a counter that shows nothing yet.
func newCounter(stderr io.Writer) *counter {
	f, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &counter{}
	}
	return &counter{terminal: f}
}

// show shows how many of so many things are done.
func (c *counter) show(what string, done, total int) {
	if c.terminal == nil || total == 0 {
		return
	}
	if c.bar == nil || c.what != what || c.total != total {
		c.what, c.total = what, total
		c.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(c.terminal), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth(),
		)
	}
	_ = c.bar.Set(done) // at worst it does not show
}

// clear takes the display away, until more is shown.
func (c *counter) clear() {
	if c.bar != nil {
		_ = c.bar.Clear() // at worst it stays
	}
}

// showCount returns what shows how many of how many things are done, and what takes that
// away.
func showCount(stderr io.Writer, what string) (progress func(done, total int), finish func()) {
	c := newCounter(stderr)
	return func(done, total int) { c.show(what, done, total) }, c.clear
}
