// How many processors there are does not change while a message is handled.
//
//go:debug updatemaxprocs=0

// Imip_resource decides on the invitations that arrive for rooms and equipment, by the functions in
// their preferences, records what it has decided, and answers the organizer. A mail system pipes each
// message to it. The exit status is 0 when that is done, and 75 when the mail system has to try again later;
// it is never another.
//
// It starts for every message, and so has no driver of a database in it, which would take
// a quarter of a start: see imip-agent-postgresql.
package main

import (
	"context"
	"os"

	"imip-agent/cmd/internal/process"
	_ "imip-agent/cmd/internal/process/shortlived" // one runs for each message
	"imip-agent/cmd/internal/resource"
	"imip-agent/cmd/internal/site"
)

func main() {
	process.Main(func(ctx context.Context) error {
		return resource.Program.Run(ctx, os.Args[1:], process.New(resource.Program.Name), site.Files)
	})
}
