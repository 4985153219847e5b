// How many processors there are does not change while a message is handled.
//
//go:debug updatemaxprocs=0

// Imip_person brings a user's calendar records up to date from the scheduling messages
// that arrive for the user, answers them where the user lets it, and hands each message on to
// the user's mailbox. A mail system pipes each message to it. The exit status is 0 when that is
// done, and 75 when the mail system has to try again later; it is never another.
//
// It starts for every message, and so has no driver of a database in it, which would take
// a quarter of a start: see imip-agent-postgresql.
package main

import (
	"context"
	"os"

	"imip-agent/cmd/internal/person"
	"imip-agent/cmd/internal/process"
	_ "imip-agent/cmd/internal/process/shortlived" // one runs for each message
	"imip-agent/cmd/internal/site"
)

func main() {
	process.Main(func(ctx context.Context) error {
		return person.Program.Run(ctx, os.Args[1:], process.New(person.Program.Name), site.Files)
	})
}
