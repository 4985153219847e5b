package process

import (
	"context"
	"os"
)

// Main runs the work of a program that handles a message, and ends the process with the status that
// a mail system is told: see [Watch], [Run] and [Report].
func Main(work func(context.Context) error) {
	err := CheckLimits()
	if err == nil {
		ctx, stop := Watch(context.Background())
		err = Run(ctx, Grace, work)
		stop()
	}
	os.Exit(int(Report(os.Stderr, err)))
}
