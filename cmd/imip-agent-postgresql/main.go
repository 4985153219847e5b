// How many processors there are does not change while a message is handled.
//
//go:debug updatemaxprocs=0

// Imip-agent-postgresql goes on in the place of a program that handles a message, where the
// store is in PostgreSQL (STORE_TYPE). What the database's driver brings along takes a
// quarter of a start, which sites with files do not have to wait for.
//
// The name that its command line begins with says what it is to do, as imip_person_outgoing, imip_person
// or imip_resource. Nobody else runs it. The exit status is as of these programs, 0 or 75.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"imip-agent/cmd/internal/outgoing"
	"imip-agent/cmd/internal/process"
	_ "imip-agent/cmd/internal/process/shortlived" // one runs for each message
	"imip-agent/cmd/internal/programs"
	"imip-agent/cmd/internal/site"
	"imip-agent/cmd/internal/site/database"
)

func main() {
	process.Main(func(ctx context.Context) error { return run(ctx, os.Args, process.New) })
}

// run does what the first word says, with the others.
func run(ctx context.Context, words []string, environment func(program string) process.Environment) error {
	if program := programs.Of(words); program != nil {
		return program.Run(ctx, words[1:], environment(program.Name), database.Stores)
	}
	env := environment(process.Databases)
	switch {
	case len(words) == 2 && words[1] == "--version":
		_, err := fmt.Fprintln(env.Stdout, env.Program, site.Version())
		return err
	case len(words) == 2 && (words[1] == "--help" || words[1] == "-h"):
		_, err := help.WriteTo(env.Stdout)
		return err
	}
	return fmt.Errorf("%s does not run by itself: %s becomes it for a store in PostgreSQL", env.Program, names(" or "))
}

func names(between string) string {
	var all []string
	for _, program := range programs.All {
		all = append(all, program.Name)
	}
	return strings.Join(all, between)
}

var help = site.Help{
	Program: process.Databases,
	Summary: "handle messages for a store in PostgreSQL",
	Usage:   outgoing.Program.Name + " [options] < MESSAGE",
	Description: "Where STORE_TYPE is postgresql, imip_person_outgoing, imip_person and imip_resource go\n" +
		"on as this program, which has the driver of the database, with the same options\n" +
		"and the same message. It must be in the same directory. Mail systems and people\n" +
		"run imip_person_outgoing, imip_person and imip_resource.",
	Options: []site.Option{{Name: "version", Usage: "print the version"}},
}
