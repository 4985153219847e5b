package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/conf"
	"imip-agent/tools/doctor"
	"imip-agent/tools/setup"
)

// setupCommand fits the programs into a machine.
func setupCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:      "setup",
		Usage:     "add the handler to the mail system, or remove it",
		UsageText: env.Program + " setup postfix|exim|user [options]",
		Description: "Run it as root. It can be run again at any time. It prints its changes as a diff. With\n" +
			"--dry-run it changes nothing.\n\n" +
			"Exit status: 0, done, or nothing to do; 8, failed, and nothing is changed; 64, wrong\n" +
			"usage; 78, the configuration cannot be used.",
		Subcommands: []*cli.Command{
			setupMailCommand(env, "postfix"),
			setupMailCommand(env, "exim"),
			setupUserCommand(env),
		},
		Action: func(options *cli.Context) error {
			if options.NArg() > 0 {
				return usage("setup does not know %.60q: use postfix, exim or user", options.Args().First())
			}
			return usage("set up what? %s setup postfix, exim or user", env.Program)
		},
	}
}

// setupMailCommand changes the configuration of a mail system.
func setupMailCommand(env process.Environment, system string) *cli.Command {
	name := map[string]string{"postfix": "Postfix", "exim": "Exim"}[system]
	description := "With --incoming mail that arrives for the users goes through imip_person, or the service, which\n" +
		"delivers it to the mailbox server. A later run without --incoming keeps that. With --resources\n" +
		"mail for rooms and equipment goes to imip_resource, or the service, which answers; their\n" +
		"addresses need no mailbox. A later run without --resources keeps them. --remove restores the\n" +
		"configuration from before."
	description = map[string]string{
		"postfix": "Has Postfix hand in the mail of users who have logged in to the service, \"imip-agent serve\", by\n" +
			"the milter protocol: a value of smtpd_milters in main.cf, the last one. The service gets its\n" +
			"socket below Postfix's own directory, where a smtpd in a chroot finds it, and is started. With\n" +
			"--incoming and --resources Postfix hands over that mail to it by LMTP (Postfix 3.7 or later).\n\n" +
			"With --pipe, or an option that is for pipes, changes main.cf and master.cf (Postfix 3.7 or later).\n" +
			"Mail that users send through submission, submissions or the sendmail command is then copied to\n" +
			"the handler. Services that are commented out get the needed options as comments. Settings that\n" +
			"are lists keep their values. What is set up with pipes keeps them until --milter.\n" + description,
		"exim": "Changes Exim's configuration: Debian's split configuration, its template, or the site's own\n" +
			"file. Copies of mail that users send then go to the service, \"imip-agent serve\", by LMTP, and\n" +
			"so does mail of --incoming and --resources. The service is started. With --pipe the handlers\n" +
			"are run. What is set up with pipes keeps them until --lmtp.\n" + description,
	}[system]
	flags := []cli.Flag{
		&cli.StringFlag{Name: "resources", Usage: "answer for these rooms and equipment: a `LIST` of addresses with commas, or a file with one on each line; none: for no more (default: as it was)"},
		&cli.BoolFlag{Name: "incoming", Usage: "also handle mail that arrives for the users; with --remove, remove only this", DisableDefaultText: true},
		&cli.StringFlag{Name: "mailbox", Usage: "with --incoming: the mailbox server takes mail by LMTP at `SOCKET` or HOST:PORT, or smtp: the mail system delivers it (default: what the mail system uses, or Dovecot or Cyrus on this machine)"},
		&cli.StringSliceFlag{Name: "domain", Usage: "the `DOMAIN` of the calendar users; can be given several times (default: that of MESSAGE_SENDER)"},
		&cli.StringFlag{Name: "users", Usage: "handle only these users: a `LIST` of addresses with commas, or a file with one on each line"},
		&cli.BoolFlag{Name: "everyone", Usage: "handle everybody in the domain again, instead of some users", DisableDefaultText: true},
	}
	flags = append(flags,
		&cli.BoolFlag{Name: toService[system], Usage: "hand mail to the service, also where pipes are set up", DisableDefaultText: true},
		&cli.BoolFlag{Name: "pipe", Usage: "hand mail to the handlers by pipes, without the service", DisableDefaultText: true})
	if system == "postfix" {
		flags = append(flags, &cli.StringSliceFlag{Name: "service", Usage: "users also send through `SERVICE/TYPE` of master.cf, such as smtp/inet"})
	}
	if system == "exim" {
		flags = append(flags, &cli.StringFlag{Name: "router", Usage: "with --incoming: mail is taken directly above the router `NAME`, which delivers to the mailboxes (default: Exim is asked)"})
	}
	return &cli.Command{
		Name:  system,
		Usage: "let " + name + " pass users' mail to the handlers",
		UsageText: env.Program + " setup " + system + " --domain DOMAIN [--users LIST] [--incoming] [--resources LIST] [--dry-run] [options]\n" +
			env.Program + " setup " + system + " --remove [--incoming] [--dry-run]",
		Description: description,
		Flags: append(flags,
			&cli.BoolFlag{Name: "remove", Usage: "remove everything from the configuration", DisableDefaultText: true},
			&cli.BoolFlag{Name: "dry-run", Usage: "print what would be changed, and change nothing", DisableDefaultText: true},
			&cli.StringFlag{Name: "program", Usage: "the handler, a `FILE` (default: imip_person_outgoing beside this program)"},
			&cli.StringFlag{Name: "person", Usage: "the handler of mail that arrives, a `FILE` (default: imip_person of the package, or beside this program)"},
			&cli.StringFlag{Name: "resource", Usage: "the handler of mail for rooms and equipment, a `FILE` (default: imip_resource of the package, or beside this program)"},
			&cli.StringFlag{Name: "user", Usage: "run the handler as the user `NAME` (default: the owner of STORE_DIR, or imip-agent)"},
			&cli.StringFlag{Name: "group", Usage: "run the handler in the group `NAME` (default: that of STORE_DIR, or www-data)"},
			&cli.StringFlag{Name: "config", Usage: "read the configuration from `FILE`, not from $" + conf.FileVariable + " or " + conf.DefaultFile},
		),
		Action: func(options *cli.Context) error { return setupMail(options.Context, options, env, system) },
	}
}

func setupMail(ctx context.Context, options *cli.Context, env process.Environment, system string) error {
	if options.NArg() > 0 {
		return usage("setup %s takes no word %.60q", system, options.Args().First())
	}
	o := setup.Options{
		Remove: options.Bool("remove"), Everyone: options.Bool("everyone"), Services: options.StringSlice("service"),
		Incoming: options.Bool("incoming"), Mailbox: options.String("mailbox"), Router: options.String("router"),
	}
	if !o.Incoming && (o.Mailbox != "" || o.Router != "") {
		return usage("--mailbox and --router are for mail that arrives: add --incoming")
	}
	if o.Remove && (options.IsSet("domain") || options.IsSet("users") || options.IsSet("resources")) {
		return usage("--remove removes all domains, users and resources: name none. --resources none leaves out resources only")
	}
	if o.Everyone && options.IsSet("users") {
		return usage("--everyone and --users do not go together")
	}
	if options.Bool(toService[system]) && options.Bool("pipe") {
		return usage("--%s and --pipe do not go together", toService[system])
	}
	if !o.Remove {
		if err := fromSite(&o, options, env); err != nil {
			return err
		}
	}
	if err := bySystem(ctx, &o, options, env, system); err != nil {
		return err
	}
	plan, err := planFor(ctx, system, o)
	if err != nil {
		return asRoot(err)
	}
	return carryOut(ctx, plan, options.Bool("dry-run"), env, system, o)
}

// forPipes are the options that only a set-up with pipes has, by the mail system.
var forPipes = map[string][]string{
	"postfix": {"users", "everyone", "service", "program", "person", "resource"},
	"exim":    {"program", "person", "resource"},
}

// toService is the option for the service, by the mail system.
var toService = map[string]string{"postfix": "milter", "exim": "lmtp"}

// bySystem decides whether the mail system is to hand mail to the service, and completes what that needs.
func bySystem(ctx context.Context, o *setup.Options, options *cli.Context, env process.Environment, system string) error {
	config, err := conf.Load(options.String("config"), env.Getenv)
	if err != nil && !o.Remove { // to take it out must go well without, too
		return err
	}
	o.Service = setup.Service{Config: cmp.Or(config.File, options.String("config"), conf.DefaultFile), Mailbox: config.MailboxServer}
	o.Service.Systemd = hasSystemd()
	if o.Remove {
		return nil
	}
	asked := slices.ContainsFunc(forPipes[system], options.IsSet)
	if options.Bool(toService[system]) && asked {
		return usage("--%s hands mail to the service: --%s are for pipes", toService[system], strings.Join(forPipes[system], ", --"))
	}
	o.ByService = options.Bool(toService[system])
	if !o.ByService && !options.Bool("pipe") && !asked && o.Mailbox != "smtp" {
		o.ByService = !hasPipe(ctx, system)
	}
	o.Service.HasLogins = config.Logins != "" || config.LoginDomain != ""
	return nil
}

// hasSystemd reports whether systemd runs on this machine: sd_booted(3).
func hasSystemd() bool {
	info, err := os.Lstat("/run/systemd/system")
	return err == nil && info.IsDir()
}

// hasPipe reports whether the mail system is set up to run the handlers.
func hasPipe(ctx context.Context, system string) bool {
	if system == "postfix" {
		return setup.HasPipe(ctx, outputOf)
	}
	program, ok := findExim()
	return ok && setup.EximHasPipe(ctx, program, outputOf)
}

// findExim finds Exim.
func findExim() (string, bool) {
	for _, name := range []string{"exim4", "exim"} {
		if program, ok := findProgram(name); ok {
			return program, true
		}
	}
	return "", false
}

func planFor(ctx context.Context, system string, o setup.Options) (*setup.Plan, error) {
	if system == "postfix" {
		if _, ok := findProgram("postconf"); !ok {
			return nil, fmt.Errorf("there is no postconf: Postfix must be installed on this machine")
		}
		return setup.Postfix(ctx, o, outputOf)
	}
	if program, ok := findExim(); ok {
		return setup.Exim(ctx, o, program, outputOf)
	}
	return nil, fmt.Errorf("there is no exim4 and no exim: Exim must be installed on this machine")
}

// carryOut prints a plan and, unless it is only to be looked at, carries it out.
func carryOut(ctx context.Context, plan *setup.Plan, dry bool, env process.Environment, system string, o setup.Options) error {
	fmt.Fprint(env.Stdout, plan.Diff())
	for _, note := range plan.Notes {
		fmt.Fprintf(env.Stderr, "note: %s\n", note)
	}
	switch {
	case plan.Empty() && o.Remove && o.Incoming:
		fmt.Fprintf(env.Stdout, "the configuration of %s has nothing of imip-agent for mail that arrives\n", system)
		return nil
	case plan.Empty() && o.Remove:
		fmt.Fprintf(env.Stdout, "the configuration of %s has nothing of imip-agent\n", system)
		return nil
	case plan.Empty():
		fmt.Fprintf(env.Stdout, "%s is set up already: `%s doctor` examines it\n", system, env.Program)
		return nil
	case dry:
		fmt.Fprintln(env.Stdout, "nothing has been changed (--dry-run)")
		return nil
	}
	err := plan.Apply(ctx, func(ctx context.Context, words ...string) error {
		_, err := outputOf(ctx, words...)
		return err
	})
	if err != nil {
		return asRoot(err)
	}
	state := "set up"
	switch {
	case o.Remove && o.Incoming:
		state = "set up for mail that users send only"
	case o.Remove:
		state = "restored to its state before imip-agent"
	}
	if len(plan.Then) > 0 {
		fmt.Fprintf(env.Stdout, "%s is %s, and its configuration is reloaded\n", system, state)
	} else {
		fmt.Fprintf(env.Stdout, "%s is %s: start it\n", system, state)
	}
	if !o.Remove {
		fmt.Fprintf(env.Stdout, "now try it: `%s doctor --send USER@DOMAIN`\n", env.Program)
	}
	return nil
}

// asRoot adds to an error what helps against it, if somebody without rights has got it.
func asRoot(err error) error {
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		return fmt.Errorf("%w: run this as root", err)
	}
	return err
}

// findProgram finds a program as root's shell would.
func findProgram(name string) (string, bool) { return (&doctor.Doctor{}).Find(name) }

// outputOf runs a program and returns the lines that it writes.
func outputOf(ctx context.Context, words ...string) ([]string, error) {
	program, ok := findProgram(words[0])
	if filepath.IsAbs(words[0]) {
		program, ok = words[0], true
	}
	if !ok {
		return nil, fmt.Errorf("there is no program %s", words[0])
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, words[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, strings.TrimSpace(stderr.String()+stdout.String()))
	}
	return strings.Split(strings.TrimRight(stdout.String(), "\n"), "\n"), nil
}

// fromSite completes the options of a setup by the site's configuration.
func fromSite(o *setup.Options, options *cli.Context, env process.Environment) error {
	config, err := conf.Load(options.String("config"), env.Getenv)
	if err == nil {
		err = config.Check()
	}
	if err != nil {
		return err
	}
	o.Prefix, o.Sender = config.OutgoingPrefix, strings.ToLower(strings.TrimPrefix(config.MessageSender, "mailto:"))
	o.Domains = options.StringSlice("domain")
	if _, domain, ok := strings.Cut(o.Sender, "@"); ok && len(o.Domains) == 0 && domain != "example.com" {
		o.Domains = []string{domain}
	}
	if options.IsSet("users") {
		if o.Users, err = listOf("--users", options.String("users")); err != nil {
			return err
		}
	}
	if options.IsSet("resources") {
		if o.NoResources = options.String("resources") == "none"; !o.NoResources {
			if o.Resources, err = listOf("--resources", options.String("resources")); err != nil {
				return err
			}
		}
	}
	if o.Program = options.String("program"); o.Program == "" {
		if o.Program, err = handlerProgram(); err != nil {
			return err
		}
	} else if o.Program, err = filepath.Abs(o.Program); err != nil {
		return err
	}
	name, group := accountFor(config)
	if o.User = options.String("user"); o.User == "" {
		o.User = name
	}
	if o.Group = options.String("group"); o.Group == "" {
		o.Group = group
	}
	if o.Person = options.String("person"); o.Person == "" {
		o.Person = arrivalProgram(doctor.Person)
	} else if o.Person, err = filepath.Abs(o.Person); err != nil {
		return err
	}
	if o.Resource = options.String("resource"); o.Resource == "" {
		o.Resource = arrivalProgram(doctor.Resource)
	} else if o.Resource, err = filepath.Abs(o.Resource); err != nil {
		return err
	}
	o.Reach = reachAs(config, o.User, o.Group)
	if _, err := user.Lookup(o.User); err != nil {
		return fmt.Errorf("the user %s is missing, as whom the handler runs: `%s setup user` creates it", o.User, env.Program)
	}
	if _, err := user.LookupGroup(o.Group); err != nil {
		return fmt.Errorf("the group %s is missing, in which the handler runs: `%s setup user` creates it", o.Group, env.Program)
	}
	return nil
}

// listOf returns the addresses of an option: with commas between them, or those in a file.
func listOf(option, list string) ([]string, error) {
	text := list
	if !strings.Contains(list, "@") {
		data, err := os.ReadFile(list)
		if err != nil {
			return nil, usage("%s %.60s is neither a list of mail addresses nor such a file: %v", option, list, err)
		}
		var lines []string
		for line := range strings.Lines(string(data)) {
			if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
				lines = append(lines, words[0]) // what follows is what a table has there
			}
		}
		text = strings.Join(lines, ",")
	}
	users := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	if len(users) == 0 {
		return nil, usage("%s %.60s names nobody", option, list)
	}
	return users, nil
}

// handlerProgram returns the handler's path: beside this program, or where programs are.
func handlerProgram() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), doctor.Handler)
		if info, err := os.Stat(beside); err == nil && info.Mode()&0o111 != 0 {
			return beside, nil
		}
	}
	if program, ok := findProgram(doctor.Handler); ok {
		return program, nil
	}
	return "", fmt.Errorf("%s is missing beside this program: install it, or name it by --program", doctor.Handler)
}

// arrivalProgram returns the path of a handler of mail that arrives: where the Debian package has it, since the
// original has a program of that name, or beside this program. It is empty if there is none.
func arrivalProgram(name string) string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	dir := filepath.Dir(self)
	for _, path := range []string{filepath.Join(filepath.Dir(dir), "lib/imip-agent-go", name), filepath.Join(dir, name)} {
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// accountFor returns whom the handler runs as: whose the store is, else the usual ones.
func accountFor(config conf.Config) (name, group string) {
	name, group = "imip-agent", "imip-agent"
	if _, err := user.LookupGroup("www-data"); err == nil {
		group = "www-data" // the web manager is in it
	}
	if config.StoreType != "file" {
		return name, group
	}
	info, err := os.Stat(config.StoreDir)
	if err != nil {
		return name, group
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
		if u, err := user.LookupId(strconv.Itoa(int(stat.Uid))); err == nil {
			name = u.Username
		}
		if g, err := user.LookupGroupId(strconv.Itoa(int(stat.Gid))); err == nil && stat.Gid != 0 {
			group = g.Name
		}
	}
	return name, group
}
