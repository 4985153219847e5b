// How many processors there are does not change while a message is handled.
//
//go:debug updatemaxprocs=0

// Imip_person_outgoing brings a user's calendar records up to date from the
// scheduling messages that the user sends. A mail system pipes each message to
// it. The exit status is 0 when that is done, or nothing is to be done, and 75
// when the mail system has to try again later; it is never another.
package main

import (
	"context"
	"os"

	"imip-agent/cmd/internal/process"
	_ "imip-agent/cmd/internal/process/oneprocessor" // many run at once
)

func main() {
	if err := process.CheckLimits(); err != nil {
		os.Exit(int(process.Report(os.Stderr, err)))
	}
	ctx, stop := process.Watch(context.Background())
	defer stop()
	env := process.New("imip_person_outgoing")
	err := process.Run(ctx, process.Grace, func(ctx context.Context) error {
		return run(ctx, os.Args[1:], env)
	})
	os.Exit(int(process.Report(os.Stderr, err)))
}
