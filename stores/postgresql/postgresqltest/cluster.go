// Package postgresqltest runs a PostgreSQL server for tests: a cluster of its own
// in a temporary directory, reached by a socket in there and by nothing else.
package postgresqltest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"imip-agent/tests/room"
	"imip-agent/tests/skip"
)

// cluster is the server of a test binary, if it could be started.
type cluster struct {
	dir    string // of the data and the socket
	why    string // it is not there
	number atomic.Int64
	run    func(program string, args ...string) error
}

// server starts the server when it is first asked for.
var server = sync.OnceValue(start)

// inMain is whether a package's tests run within Main.
var inMain, started atomic.Bool

// Main runs a package's tests, which have a server from the time when one asks for it, and
// stops that afterwards. Where PostgreSQL is not installed, tests that ask for a database
// are skipped.
func Main(m *testing.M) int {
	inMain.Store(true)
	defer func() {
		if started.Load() {
			server().stop()
		}
	}()
	return m.Run()
}

// Database creates an empty database and returns its connection string.
func Database(t testing.TB) string {
	t.Helper()
	if !inMain.Load() {
		t.Fatal("the package's tests do not run within postgresqltest.Main")
	}
	server := server()
	if server.why != "" {
		skip.Because(t, "needs PostgreSQL: %s", server.why)
	}
	name := fmt.Sprintf("test%d", server.number.Add(1))
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, server.connInfo("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		t.Fatal(err)
	}
	return server.connInfo(name)
}

// Restart stops the server at once, as a crash does, and starts it again.
func Restart(t testing.TB) {
	t.Helper()
	if err := server().run("pg_ctl", "-D", server().data(), "-m", "immediate", "-w", "restart"); err != nil {
		t.Fatal(err)
	}
}

// Stop stops the server, until Restart.
func Stop(t testing.TB) {
	t.Helper()
	if err := server().run("pg_ctl", "-D", server().data(), "-m", "fast", "-w", "stop"); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) connInfo(database string) string {
	return fmt.Sprintf("host=%s port=5432 user=postgres dbname=%s", c.dir, database)
}

func start() *cluster {
	started.Store(true)
	c := &cluster{}
	programs, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if err != nil || len(programs) == 0 {
		c.why = "no /usr/lib/postgresql/*/bin/pg_ctl, install the package postgresql"
		return c
	}
	slices.Sort(programs)
	bin := filepath.Dir(programs[len(programs)-1])
	if c.dir, err = os.MkdirTemp(room.Memory(), "imip-postgresql"); err != nil {
		c.why = err.Error()
		return c
	}

	// The server refuses to run as root.
	var attributes *syscall.SysProcAttr
	if os.Geteuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			c.why = err.Error()
			return c
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		attributes = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		if err := os.Chown(c.dir, uid, gid); err != nil {
			c.why = err.Error()
			return c
		}
	}
	c.run = func(program string, args ...string) error {
		command := exec.Command(filepath.Join(bin, program), args...)
		command.Dir, command.SysProcAttr = c.dir, attributes
		// The server inherits its parent's streams: a pipe would be waited for until
		// the server ends.
		output, err := os.CreateTemp("", "imip-postgresql-output")
		if err != nil {
			return err
		}
		defer os.Remove(output.Name())
		defer output.Close()
		command.Stdout, command.Stderr = output, output
		if err := command.Run(); err != nil {
			text, _ := os.ReadFile(output.Name())
			return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(text))
		}
		return nil
	}
	err = c.initialize(bin)
	if err == nil {
		settings := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s' -c max_connections=200"+
			" -c fsync=off -c full_page_writes=off -c autovacuum=off", c.dir)
		err = c.run("pg_ctl", "-D", c.data(), "-l", filepath.Join(c.dir, "log"), "-o", settings, "-w", "start")
	}
	if err != nil {
		c.why = err.Error()
	}
	return c
}

// initialize makes the data of a new cluster: a copy of what initdb has made once, in the
// user's cache, which takes a tenth of the time. bin is where the programs are.
func (c *cluster) initialize(bin string) error {
	user, err := os.UserCacheDir()
	if err == nil {
		user = filepath.Join(user, "imip-agent-tests")
		err = os.MkdirAll(user, 0o700)
	}
	if err != nil { // a user who has no home
		return c.initdb()
	}
	info, err := os.Stat(c.dir)
	if err != nil {
		return err
	}
	of := info.Sys().(*syscall.Stat_t)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %q", bin, of.Uid, of.Gid, initdbWords))
	kept := filepath.Join(user, "postgresql-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(kept); err == nil {
		return copyAll(kept, c.data())
	}
	if err := c.initdb(); err != nil {
		return err
	}
	made, err := os.MkdirTemp(user, "postgresql-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made)
	if err := copyAll(c.data(), filepath.Join(made, "data")); err != nil {
		return err
	}
	err = os.Rename(filepath.Join(made, "data"), kept)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) { // another package was faster
		return nil
	}
	return err
}

// initdbWords are what a cluster is made with. Nobody else gets to its socket.
var initdbWords = []string{"-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"}

func (c *cluster) initdb() error {
	return c.run("initdb", append([]string{"-D", c.data()}, initdbWords...)...)
}

// copyAll copies a directory with owners and modes.
func copyAll(from, to string) error {
	if out, err := exec.Command("cp", "-a", "--reflink=auto", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %w: %s", from, err, bytes.TrimSpace(out))
	}
	return nil
}

func (c *cluster) stop() {
	if c.why == "" {
		if err := c.run("pg_ctl", "-D", c.data(), "-m", "immediate", "-w", "stop"); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if c.dir != "" {
		_ = os.RemoveAll(c.dir)
	}
}
