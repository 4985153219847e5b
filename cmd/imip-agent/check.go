package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/serve"
	"imip-agent/cmd/internal/site"
	"imip-agent/cmd/internal/site/database"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/postgresql"
	"imip-agent/tools/check"
	"imip-agent/tools/quarantine"
)

// checkCommand looks whether a site's records are whole, and mends them.
func checkCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "find damage in the records, and repair it",
		UsageText: env.Program + " check [--user URI]... [--repair safe|all] [--dry-run] [options]\n" +
			env.Program + " check --undo MANIFEST [--dry-run] [options]",
		Description: "Reports what is wrong, where, and the command that repairs it. If nothing is wrong,\n" +
			"it prints nothing. The repair \"safe\" rebuilds data that can be derived from other\n" +
			"data. The repair \"all\" also moves broken data into a quarantine beside the store.\n" +
			"--undo puts back what a repair changed. The journal of quotas is checked, too; with\n" +
			"--user, the quotas that concern these users.\n\n" +
			"Exit status, the highest that applies: 0, nothing is wrong; 1, everything is\n" +
			"repaired; 4, something is wrong; 8, the check is not complete; 64, wrong usage; 75,\n" +
			"a lock was held too long, or the database is away; 78, the configuration cannot be\n" +
			"used.\n\n" +
			checkFormat + "\n" + checkKinds(),
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "user", Usage: "check only the user `URI`; can be given several times"},
			&cli.StringFlag{Name: "repair", Usage: "repair what is wrong: `safe`, or all"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would be repaired, and change nothing", DisableDefaultText: true},
			&cli.StringFlag{Name: "undo", Usage: "put back what the repair with this `MANIFEST` changed"},
			readOnly("the store"),
			&cli.BoolFlag{Name: "json", Usage: "write findings as JSON, one on each line, and a summary at the end", DisableDefaultText: true},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "write no findings, only set the exit status", DisableDefaultText: true},
			&cli.StringFlag{Name: "metrics", Usage: "write numbers for Prometheus's textfile collector to `FILE`"},
			&cli.StringFlag{Name: "baseline", Usage: "report only findings that are new since the last run, which is recorded in `FILE`"},
		}, checkSiteFlags()...),
		Action: func(options *cli.Context) error { return runCheck(options.Context, options, env) },
	}
}

// checkSiteFlags are the site's options, with --verbose as it is meant here.
func checkSiteFlags() []cli.Flag {
	flags := siteFlags()
	for _, flag := range flags {
		if verbose, ok := flag.(*cli.BoolFlag); ok && verbose.Name == "verbose" {
			verbose.Usage = "also write notes about oddities that do no harm, and what was checked"
		}
	}
	return flags
}

// runCheck checks, or undoes a repair, as the options say.
func runCheck(ctx context.Context, options *cli.Context, env process.Environment) error {
	repair, err := checkOptions(options)
	if err != nil {
		return &process.ExitError{Code: process.ExitUsage, Err: err}
	}
	users, err := namedUsers(options)
	if err != nil {
		return err
	}
	if env.Getenv("GOGC") == "" {
		// Little is kept from one event to the next, and memory is there to be used, up
		// to what this program may have beside mail systems.
		debug.SetGCPercent(800)
		debug.SetMemoryLimit(150 << 20)
	}
	s, err := site.Open(options, env, nil, database.Stores)
	if err != nil {
		return err
	}
	checker := &check.Checker{
		Store: s.Store, Preferences: s.Preferences, PreferencesDir: s.Config.PreferencesDir,
		Rejected: s.Rejected, Spool: serve.Spool(s, env), Quarantine: filepath.Join(filepath.Dir(s.Config.Rejected()), "quarantine"),
		PeriodLimit: s.Config.PeriodLimit, Now: env.Now, Log: s.Log,
		Users: users, Repair: repair, DryRun: options.Bool("dry-run"), Verbose: options.Bool("verbose"),
		Command: func(words ...string) string { return commandLine(options, env, words) },
	}
	if s.Config.StoreType == "file" {
		checker.Quarantine = filepath.Join(filepath.Dir(filepath.Clean(s.Config.StoreDir)), "quarantine")
	}
	if path, err := filepath.Abs(checker.Quarantine); err == nil {
		checker.Quarantine = path // commands are printed that name it
	}
	quotas, err := quotaChecker(ctx, s, checker)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	if checker.Quotas, err = knownQuotas(ctx, quotas, s); err != nil {
		return errors.Join(err, s.Close())
	}
	if manifest := options.String("undo"); manifest != "" {
		putting := quarantine.Undo{Store: s.Store, DryRun: checker.DryRun}
		if quotas != nil && filepath.Base(filepath.Dir(filepath.Dir(manifest))) == quotaQuarantine {
			putting.Store = quotas.Store
		}
		err = undo(ctx, putting, manifest, env)
	} else {
		err = checkAll(ctx, checker, quotas, options, env)
	}
	return errors.Join(err, s.Close())
}

// quotaQuarantine is the directory beside that of the store's quarantine, where repairs of the
// journal keep what they change.
const quotaQuarantine = "quarantine-journal"

// quotaChecker returns a checker of the journal of quotas, nil if there is none.
func quotaChecker(ctx context.Context, s *site.Site, of *check.Checker) (*check.Checker, error) {
	if s.Config.StoreType == "file" && !isThere(s.Config.JournalDir) {
		return nil, nil
	}
	journal, err := s.Journal()
	if errors.Is(err, site.ErrNoJournal) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if tables, ok := journal.(interface {
		Schema(context.Context) ([]postgresql.Missing, error)
	}); ok {
		if missing, err := tables.Schema(ctx); err != nil || len(missing) > 0 {
			return nil, nil // the store's own check says why the database is away; or there is no journal in it
		}
	}
	return &check.Checker{
		Store: journal.(interface{ Records() stores.Store }).Records(), Resources: of.Store,
		Preferences: of.Preferences, PreferencesDir: of.PreferencesDir,
		Quarantine:  filepath.Join(filepath.Dir(of.Quarantine), quotaQuarantine),
		PeriodLimit: of.PeriodLimit, Now: of.Now, Log: of.Log, Users: of.Users,
		Repair: of.Repair, DryRun: of.DryRun, Verbose: of.Verbose, Command: of.Command,
	}, nil
}

// knownQuotas returns the quotas that are in the journal, nil if that cannot be known.
func knownQuotas(ctx context.Context, quotas *check.Checker, s *site.Site) ([]calendar.URI, error) {
	if quotas == nil {
		if s.Config.StoreType == "file" && s.Config.JournalDir != "" {
			return []calendar.URI{}, nil
		}
		return nil, nil
	}
	known := []calendar.URI{}
	for name, err := range quotas.Store.Users(ctx) {
		if err != nil {
			return nil, err
		}
		known = append(known, name)
	}
	return known, nil
}

// checkOptions looks at options that do not go together.
func checkOptions(options *cli.Context) (check.Repair, error) {
	repair, err := check.ParseRepair(options.String("repair"))
	switch {
	case err != nil:
		return repair, fmt.Errorf("option --repair: %w", err)
	case options.IsSet("repair") && repair == check.None:
		return repair, errors.New("option --repair needs a word after it: safe or all")
	case options.NArg() > 0:
		return repair, fmt.Errorf("check takes no word %.60q: name a user by --user", options.Args().First())
	case options.Bool("quiet") && options.Bool("verbose"):
		return repair, errors.New("--quiet and --verbose do not go together")
	case options.Bool("read-only") && repair != check.None && !options.Bool("dry-run"):
		return repair, errors.New("--read-only and --repair do not go together: a repair writes")
	case options.Bool("read-only") && options.IsSet("undo"):
		return repair, errors.New("--read-only and --undo do not go together: --undo writes")
	case options.IsSet("undo") && options.String("undo") == "":
		return repair, errors.New("option --undo needs the path of a manifest")
	}
	for _, name := range []string{"repair", "user", "json", "metrics", "baseline"} {
		if options.IsSet("undo") && options.IsSet(name) {
			return repair, fmt.Errorf("--undo and --%s do not go together", name)
		}
	}
	return repair, nil
}

// commandLine returns a command line for the same site.
func commandLine(options *cli.Context, env process.Environment, words []string) string {
	line := []string{env.Program}
	for _, word := range words {
		line = append(line, check.Quote(word))
	}
	for _, o := range site.Options() {
		if o.Value == "" || !options.IsSet(o.Name) {
			continue
		}
		value := options.String(o.Name)
		if abs, err := filepath.Abs(value); err == nil && isThere(abs) {
			value = abs // the command may be given in another directory
		}
		line = append(line, "--"+o.Name, check.Quote(value))
	}
	return strings.Join(line, " ")
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// undo puts back what a repair has changed.
func undo(ctx context.Context, putting quarantine.Undo, manifest string, env process.Environment) error {
	failed := 0
	var locked error
	err := putting.Run(ctx, manifest, func(u quarantine.Undone) {
		if u.Err == nil {
			return
		}
		if errors.Is(u.Err, stores.ErrLocked) {
			locked = u.Err
		}
		failed++
		fmt.Fprintf(env.Stdout, "%s is not put back: %v\n", u.Path, u.Err)
	})
	switch {
	case err != nil:
		return err
	case locked != nil:
		return locked
	case failed > 0:
		return &process.ExitError{Code: process.ExitFailed, Err: fmt.Errorf("%d entries of %s could not be put back", failed, manifest)}
	}
	return nil
}
