// Package scripts runs the built programs by scripts: what goes in, what comes
// out, the exit status, and what stands in the store afterwards.
package scripts

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/clock"
	"imip-agent/tests/mailbox"
	"imip-agent/tests/program"
	"imip-agent/tests/room"
	"imip-agent/tests/skip"
)

// programs is the directory of the built programs.
var programs string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "imip-agent-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	if err := program.BuildAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Chmod(dir, 0o755); err != nil { // also for who runs without rights
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	room.InMemory() // once the programs are built: memory may be a place from which none is run
	// Scripts wait for their programs, so that more of them run at a time than there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return postgresqltest.Main(m)
}

func TestScripts(t *testing.T) { runScripts(t, "testdata", nil) }

// TestPostgreSQL runs those scripts that have a database, whose connection string is
// $DATABASE.
func TestPostgreSQL(t *testing.T) {
	skip.OnOtherDays(t)
	scripts, err := filepath.Glob("testdata/postgresql/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	databases := make(chan string, len(scripts))
	for range scripts {
		databases <- postgresqltest.Database(t)
	}
	runScripts(t, "testdata/postgresql", func(env *testscript.Env) { env.Setenv("DATABASE", <-databases) })
}

// runScripts runs the scripts of a directory.
func runScripts(t *testing.T, dir string, setup func(*testscript.Env)) {
	program.Watch()
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			if setup != nil {
				setup(env)
			}
			env.Setenv("PATH", programs+string(os.PathListSeparator)+env.Getenv("PATH"))
			name, value, _ := strings.Cut(clock.Env(clock.Day), "=") // scripts for another day set it
			env.Setenv(name, value)
			env.Setenv(clock.Shift, os.Getenv(clock.Shift))
			env.Values[serversKey] = map[string]*mailbox.Server{}
			env.Setenv("IMIP_AGENT_CONFIG", filepath.Join(env.WorkDir, "config.txt"))
			config := "STORE_DIR = '" + env.WorkDir + "/store'\n" +
				"JOURNAL_DIR = '" + env.WorkDir + "/journal'\n" +
				"PUBLISH_DIR = '" + env.WorkDir + "/static'\n" +
				"PREFERENCES_DIR = '" + env.WorkDir + "/preferences'\n"
			// Programs that run without rights have to get there.
			for _, dir := range []string{env.WorkDir, filepath.Dir(env.WorkDir)} {
				if err := os.Chmod(dir, 0o755); err != nil {
					return err
				}
			}
			path := filepath.Join(env.WorkDir, "config.txt")
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) { // the script has none of its own
				return os.WriteFile(path, []byte(config), 0o644)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status,
			"quiet":  quiet,
			"mode":   mode,
			"count":  count,
			"server": server,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// status runs a program and checks its exit status: status N [-nobody] [-stdin FILE]
// PROGRAM WORDS... With -nobody it runs without a superuser's rights.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N [-nobody] [-stdin FILE] PROGRAM WORDS...")
	}
	start(ts, args[0], args[1:])
}

// quiet runs a program that must have status 0 and say nothing: quiet [-stdin FILE]
// PROGRAM WORDS...
func quiet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: quiet [-stdin FILE] PROGRAM WORDS...")
	}
	if said := start(ts, "0", args); said != "" {
		ts.Fatalf("%s is not quiet: %s", args[0], said)
	}
}

// start runs a program and returns what it says on standard output and standard error.
func start(ts *testscript.TestScript, want string, args []string) (said string) {
	unprivileged := args[0] == "-nobody"
	if unprivileged {
		args = args[1:]
	}
	var stdin string
	if args[0] == "-stdin" {
		stdin, args = ts.ReadFile(args[1]), args[2:]
	}

	path := args[0]
	if built := filepath.Join(programs, args[0]); exists(built) {
		path = built
	}
	var all bytes.Buffer
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = io.MultiWriter(ts.Stdout(), &all), io.MultiWriter(ts.Stderr(), &all)
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WORK", "IMIP_AGENT_CONFIG", clock.Variable, clock.Shift} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	if unprivileged && os.Getuid() == 0 {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != want {
		ts.Fatalf("%s ended with %v, want exit status %s", args[0], cmd.ProcessState, want)
	}
	return all.String()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// server starts a mail server that takes everything, until the script ends, and keeps the mails
// in a directory: server lmtp SOCKET DIR, or server smtp DIR, which SMTP_HOST then names.
// With server refuse lmtp CODE, or smtp, it refuses all mail; CODE 0: it does not.
func server(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: server lmtp SOCKET DIR, server smtp DIR, server refuse lmtp|smtp CODE")
	}
	running, _ := ts.Value(serversKey).(map[string]*mailbox.Server)
	switch args[0] {
	case "refuse":
		code, err := strconv.Atoi(args[2])
		ts.Check(err)
		running[args[1]].Refuse("*", code)
		return
	case "lmtp":
		s, err := mailbox.LMTP(ts.MkAbs(args[1]))
		ts.Check(err)
		running["lmtp"] = s
	case "smtp":
		s, err := mailbox.SMTP()
		ts.Check(err)
		running["smtp"] = s
		config, err := os.OpenFile(ts.MkAbs("config.txt"), os.O_APPEND|os.O_WRONLY, 0)
		ts.Check(err)
		_, err = fmt.Fprintf(config, "SMTP_HOST = '%s'\n", s.Place)
		ts.Check(errors.Join(err, config.Close()))
	}
	s, dir := running[args[0]], ts.MkAbs(args[len(args)-1])
	ts.Check(os.MkdirAll(dir, 0o755))
	s.KeepIn(dir)
	ts.Defer(s.Close)
}

// serversKey is where a script has its servers.
type serversKeyType struct{}

var serversKey serversKeyType

// mode checks the permissions of files, set-group-id bit included: mode OCTAL FILE...
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode OCTAL FILE...")
	}
	for _, name := range args[1:] {
		var stat syscall.Stat_t
		ts.Check(syscall.Stat(ts.MkAbs(name), &stat))
		if got := fmt.Sprintf("%04o", stat.Mode&0o7777); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", name, got, args[0])
		}
	}
}

// count checks how many files there are in a directory, and below it: count N DIR
// [TEXT]. With a text, only those that contain it count. A directory that is not
// there has none.
func count(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: count N DIR [TEXT]")
	}
	var found []string
	err := filepath.WalkDir(ts.MkAbs(args[1]), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		if len(args) > 2 {
			content, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(content, []byte(args[2])) {
				return err
			}
		}
		found = append(found, path)
		return nil
	})
	ts.Check(err)
	if strconv.Itoa(len(found)) != args[0] {
		ts.Fatalf("%d files, want %s: %q", len(found), args[0], found)
	}
}
