// Package doctor examines a host on which imip-agent is to work: whether the
// configuration can be read, the directories are as they should be for whom the mail
// system runs the handler as, locks lock, times have a zone, the mail system hands
// messages to the handler, and the handler handles one.
//
// It changes nothing that stays: what has to be tried is tried in a temporary
// directory beside the store, on the same file system and with the same rights.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/conf"
	"imip-agent/stores"
	"imip-agent/stores/rejected"
)

// Handler is the name of the program that the mail system runs.
const Handler = "imip_person_outgoing"

// Databases is the name of the program that the handler goes on as where the store is in
// PostgreSQL, in the directory that the handler is in, links followed.
const Databases = "imip-agent-postgresql"

// Status is the outcome of one examination.
type Status string

const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, but not as it should, or not for ever
	Failed  Status = "failed"  // it does not work
	Unknown Status = "unknown" // it could not be looked at
)

// Result is what one examination found.
type Result struct {
	ID     string // which examination: see the constants
	Status Status
	Text   string // what was found, in one sentence
	Remedy string // what to do; empty if all is well
}

// The examinations, in their order.
const (
	Configuration = "configuration"
	MailSystem    = "mail-system" // which of Postfix and Exim runs the handler
	Postfix       = "postfix"
	Exim          = "exim"
	Account       = "account" // who the handler runs as
	Directory     = "directory"
	Space         = "space"
	Database      = "database" // a store in PostgreSQL
	Lock          = "lock"
	Zone          = "zone"
	Resources     = "resources" // rooms and equipment: their scheduling functions, and how their mail is handled
	Message       = "message"   // a message through the handler
)

// Doctor examines a host.
type Doctor struct {
	Config conf.Config
	Store  stores.Store // the site's own

	// Rejected is where messages are put aside; nil: it is not looked at.
	Rejected *rejected.Dir

	// Open opens a store of files in a directory, with the site's settings but waiting no
	// longer than that for a lock. Nil in a test that has no use for it.
	Open func(dir string, lockTimeout time.Duration) (stores.Store, error)

	// Ask asks mail servers. Nil: they are not asked.
	Ask Ask

	// HandIn hands in messages to the service. Nil: it is not tried.
	HandIn HandIn

	Systemd    bool   // systemd runs on this host
	SystemZone string // the name of the system's time zone; empty if it is not known
	Now        func() time.Time
	Log        *slog.Logger

	// Path is where programs are looked for, as in $PATH, /usr/sbin and the like
	// included. Empty: the process's own.
	Path string
}

// patient is how long one program may take that the doctor runs.
const patient = time.Minute

// Examine makes all examinations, one after the other.
func (d *Doctor) Examine(ctx context.Context) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		stopped := false
		report := func(id string, status Status, remedy, format string, args ...any) {
			if !stopped {
				stopped = !yield(Result{ID: id, Status: status, Text: fmt.Sprintf(format, args...), Remedy: remedy})
			}
		}
		var found handler
		var resources []string
		for _, examine := range []func(){
			func() { d.configuration(report) },
			func() { found = d.mailSystem(ctx, report) },
			func() { d.directories(ctx, found, report) },
			func() { d.database(ctx, found, report) },
			func() { d.lock(ctx, found, report) },
			func() { d.zone(report) },
			func() { resources = d.resources(report) },
			func() { d.message(ctx, found, report) },
			func() { d.arriving(ctx, found, report) },
			func() { d.deciding(ctx, found, resources, report) },
		} {
			if stopped || ctx.Err() != nil {
				return
			}
			examine()
		}
	}
}

// report takes a result.
type report func(id string, status Status, remedy, format string, args ...any)

// handler is how the mail system runs the handler.
type handler struct {
	program string  // empty: it is not to be found
	account account // who runs it
}

// account is who a program runs as.
type account struct {
	known    bool
	name     string // USER:GROUP
	uid, gid uint32
}

// lookup finds an account by the names, or numbers, of a user and a group; an empty
// group is the user's own.
func lookup(userName, groupName string) (account, error) {
	u, err := user.Lookup(userName)
	if err != nil {
		if u, err = user.LookupId(userName); err != nil {
			return account{}, fmt.Errorf("the user %s is missing", userName)
		}
	}
	gid := u.Gid
	if groupName != "" {
		g, err := user.LookupGroup(groupName)
		if err != nil {
			if g, err = user.LookupGroupId(groupName); err != nil {
				return account{}, fmt.Errorf("the group %s is missing", groupName)
			}
		}
		gid = g.Gid
	}
	uidNumber, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gidNumber, gidErr := strconv.ParseUint(gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return account{}, err
	}
	return numbered(uint32(uidNumber), uint32(gidNumber)), nil
}

// numbered returns the account with these numbers.
func numbered(uid, gid uint32) account {
	a := account{known: true, uid: uid, gid: gid}
	userName, groupName := strconv.FormatUint(uint64(uid), 10), strconv.FormatUint(uint64(gid), 10)
	if u, err := user.LookupId(userName); err == nil {
		userName = u.Username
	}
	if g, err := user.LookupGroupId(groupName); err == nil {
		groupName = g.Name
	}
	a.name = userName + ":" + groupName
	return a
}

// configuration looks at the settings that have been read.
func (d *Doctor) configuration(report report) {
	if d.Config.File == "" {
		report(Configuration, Warning, "write "+conf.DefaultFile+"; config.txt of the sources or the package has all settings",
			"the configuration file is missing, and all settings have their defaults")
		return
	}
	for _, warning := range d.Config.Warnings {
		report(Configuration, Warning, "correct the line", "%v", warning)
	}
	if err := d.Config.Check(); err != nil {
		report(Configuration, Failed, "correct the file", "%v", err)
	}
	if sender := d.Config.MessageSender; strings.HasSuffix(strings.ToLower(sender), "@example.com") {
		report(Configuration, Warning, "set MESSAGE_SENDER to the calendar system's own mail address",
			"MESSAGE_SENDER is still the example %s", sender)
	}
	if len(d.Config.Warnings) == 0 {
		report(Configuration, OK, "", "%s is read", d.Config.File)
	}
}

// database looks whether a store in PostgreSQL answers, and the handler can get to it.
func (d *Doctor) database(ctx context.Context, h handler, report report) {
	if d.Config.StoreType != "postgresql" {
		return
	}
	if h.program != "" && !isScript(h.program) {
		program, err := filepath.EvalSymlinks(h.program)
		if err == nil {
			program = filepath.Join(filepath.Dir(program), Databases)
			err = unix.Access(program, unix.X_OK)
		}
		if err != nil {
			report(Database, Failed, "install it there, from the same package or sources as "+h.program,
				"%s cannot be run, and messages for the database wait: %v", program, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	users := 0
	for _, err := range d.Store.Users(ctx) {
		if err != nil {
			report(Database, Failed, "start the server, and correct the connection string in STORE_DIR; "+
				"`imip-agent migrate schema` creates the tables", "the database cannot be read: %v", err)
			return
		}
		users++
	}
	report(Database, OK, "", "the database answers, and has %d users", users)
}

// isScript reports whether a program is a script, as the original's are.
func isScript(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, 2)
	_, err = io.ReadFull(f, begin)
	return err == nil && string(begin) == "#!"
}

// zone looks whether times have a place to stand in.
func (d *Doctor) zone(report report) {
	const remedy = "install the package tzdata"
	if _, err := time.LoadLocation("Pacific/Auckland"); err != nil {
		report(Zone, Failed, remedy, "the time zones are missing on this machine: %v", err)
		return
	}
	if d.SystemZone == "" {
		report(Zone, Warning, "run `dpkg-reconfigure tzdata`, or write the zone's name into /etc/timezone",
			"the system's time zone has no name, and users without the preference TZID get UTC")
		return
	}
	report(Zone, OK, "", "users without the preference TZID get %s: the time there is %s",
		d.SystemZone, d.Now().In(location(d.SystemZone)).Format("15:04"))
}

func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Find finds a program as a shell would, in the doctor's path.
func (d *Doctor) Find(name string) (string, bool) {
	path := d.Path
	if path == "" {
		path = os.Getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin"
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, true
		}
	}
	return "", false
}

// output runs a program and returns its lines.
func output(ctx context.Context, program string, args ...string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(exit.Stderr) > 0 {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return nil, fmt.Errorf("running %s %s: %w", program, strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n"), nil
}

// session runs a program with something to read, and returns its lines.
func session(ctx context.Context, program string, args []string, input string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.Output()
	return strings.Split(strings.ReplaceAll(string(out), "\r", ""), "\n"), err
}
