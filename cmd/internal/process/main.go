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
		ctx, _ := Watch(context.Background()) // to the end: a signal must not change the status of work that is done
		err = Run(ctx, Grace, work)
	}
	os.Exit(int(Report(os.Stderr, err)))
}
