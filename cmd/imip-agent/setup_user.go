package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/conf"
	"imip-agent/tools/setup"
)

// setupUserCommand makes whom the handler runs as, and what belongs to them.
func setupUserCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:      "user",
		Usage:     "create the user, the group and the directories of the handler",
		UsageText: env.Program + " setup user [--dry-run] [options]",
		Description: "Creates what is missing: the user imip-agent, its group (www-data, shared with the web\n" +
			"manager), " + conf.DefaultFile + " and the directories named there.\n" +
			"What exists already is kept. The Debian package does the same.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "print what would be done, and do nothing", DisableDefaultText: true},
			&cli.StringFlag{Name: "user", Usage: "the `NAME` of the user (default: the owner of STORE_DIR, or imip-agent)"},
			&cli.StringFlag{Name: "group", Usage: "the `NAME` of the group (default: that of STORE_DIR, or www-data)"},
			&cli.StringFlag{Name: "config", Usage: "read the configuration from `FILE`, not from $" + conf.FileVariable + " or " + conf.DefaultFile},
		},
		Action: func(options *cli.Context) error { return setupUser(options.Context, options, env) },
	}
}

func setupUser(ctx context.Context, options *cli.Context, env process.Environment) error {
	if options.NArg() > 0 {
		return usage("setup user takes no word %.60q: --user NAME names the user", options.Args().First())
	}
	config, err := conf.Load(options.String("config"), env.Getenv)
	if err == nil {
		err = config.Check()
	}
	if err != nil {
		return err
	}
	name, group := accountFor(config)
	if set := options.String("user"); set != "" {
		name = set
	}
	if set := options.String("group"); set != "" {
		group = set
	}
	mode := uint32(config.DirPermissions)
	var dirs []setup.Dir
	if config.StoreType == "file" {
		dirs = append(dirs, setup.Dir{Path: filepath.Dir(config.StoreDir), Mode: 0o2750}, setup.Dir{Path: config.StoreDir, Mode: mode},
			setup.Dir{Path: config.JournalDir, Mode: mode})
	} else {
		dirs = append(dirs, setup.Dir{Path: filepath.Dir(config.PreferencesDir), Mode: 0o2750})
	}
	dirs = append(dirs, setup.Dir{Path: config.PreferencesDir, Mode: mode}, setup.Dir{Path: config.PublishDir, Mode: mode})
	commands := setup.Account(name, group, dirs, func(path string) bool { _, err := os.Lstat(path); return err == nil })
	dry := options.Bool("dry-run")
	for _, words := range commands {
		fmt.Fprintln(env.Stdout, strings.Join(words, " "))
		if dry {
			continue
		}
		if _, err := outputOf(ctx, words...); err != nil {
			return asRoot(err)
		}
	}
	if config.File == "" {
		fmt.Fprintf(env.Stdout, "write %s: set MESSAGE_SENDER in it\n", conf.DefaultFile)
		if !dry {
			// What was done goes to the mail log, where administrators look.
			text := strings.Replace(conf.Example, "\nSYSLOG = None\n", "\nSYSLOG = \"mail\"\n", 1)
			if err := os.MkdirAll(filepath.Dir(conf.DefaultFile), 0o755); err != nil {
				return asRoot(err)
			}
			if err := os.WriteFile(conf.DefaultFile, []byte(text), 0o644); err != nil {
				return asRoot(err)
			}
			if err := os.Chmod(conf.DefaultFile, 0o644); err != nil { // there is no umask
				return asRoot(err)
			}
		}
	}
	if len(commands) == 0 && config.File != "" {
		fmt.Fprintf(env.Stdout, "the user %s, the group %s and the directories exist\n", name, group)
	}
	return nil
}
