package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows on a terminal how far a command is. Where there is none, under cron or
// with standard error sent to a file, it shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

// showProgress begins to show how many of so many things are done.
func showProgress(stderr io.Writer, what string, total int) progress {
	f, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || total == 0 {
		return progress{}
	}
	return progress{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth(),
	)}
}

// add says that n more are done.
func (p progress) add(n int) {
	if p.bar != nil {
		p.bar.Add(n)
	}
}

// finish takes the display away.
func (p progress) finish() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
