package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/stores/postgresql"
)

// schemaCommand makes the tables of a store and a journal in a database.
func schemaCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "create the tables of a store in a database", ArgsUsage: "postgresql:CONNINFO",
		Description: "Missing tables, columns and indexes are added. Existing ones are kept as they are. With\n" +
			"--dry-run, the exit status is 3 if something is missing.",
		Flags: append([]cli.Flag{
			toggle("dry-run", "show what is missing, and the statements that would add it"),
		}, migrateFlags()...),
		Action: func(options *cli.Context) error { return makeSchema(options, env) },
	}
}

func makeSchema(options *cli.Context, env process.Environment) (err error) {
	if options.NArg() != 1 {
		return usage("schema takes one word: %s migrate schema \"postgresql:dbname=imip_agent\"", env.Program)
	}
	p, err := parsePlace(options.Args().First())
	if err != nil {
		return err
	}
	if p.kind != "postgresql" {
		return usage("only a database has a schema, and %.60q is not one", options.Args().First())
	}
	s, err := openMigrateSite(options, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	o, err := s.databaseOptions(p.where, true)
	if err != nil {
		return err
	}
	store, err := postgresql.Open(options.Context, o)
	if err != nil {
		return usage("%v", err)
	}
	defer store.Close() // what goes wrong there has no effect
	journal, err := postgresql.OpenJournal(options.Context, o)
	if err != nil {
		return usage("%v", err)
	}
	defer journal.Close()
	lacking := false
	for _, tables := range []interface {
		Schema(context.Context) ([]postgresql.Missing, error)
		CreateSchema(context.Context) ([]postgresql.Missing, error)
	}{store, journal} {
		look := tables.CreateSchema
		if options.Bool("dry-run") {
			look = tables.Schema
		}
		missing, err := look(options.Context)
		if err != nil {
			return migrateStatus(nil, err)
		}
		for _, m := range missing {
			if options.Bool("dry-run") {
				lacking = true
				fmt.Fprintf(env.Stdout, "%s: %s;\n", m, m.Create)
			} else {
				fmt.Fprintf(env.Stdout, "made: %s\n", m.Create)
			}
		}
	}
	if lacking {
		return &process.ExitError{Code: process.ExitPartly}
	}
	return nil
}
