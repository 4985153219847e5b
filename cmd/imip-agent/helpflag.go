package main

import (
	"flag"

	"github.com/urfave/cli/v2"
)

// helpFlag is --help. The library has one for all commands of a process, and writes to it with each
// command line that it parses; this one is only read, and so command lines may be parsed beside each other.
type helpFlag struct{ *cli.BoolFlag }

func (f helpFlag) Apply(set *flag.FlagSet) error {
	own := *f.BoolFlag
	return own.Apply(set)
}

func init() {
	cli.HelpFlag = helpFlag{&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help", DisableDefaultText: true}}
}
