package process

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// Databases is the program that goes on where one that starts for every message comes to a
// store in a database. It is installed beside that one.
const Databases = "imip-agent-postgresql"

// Service is the program that goes on where imip-agent is to be a service. It is installed beside that one.
const Service = "imip-agent-serve"

// Become has another program go on in this process, with its streams, environment and
// limits: the one of that name that is in the same directory as this one, links followed. Its
// command line has the name, by which it knows what to do, and the words. The caller must not have
// read anything from standard input. Become returns only if it fails.
func Become(ctx context.Context, program, name string, words []string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find %s beside this program: %w", program, err)
	}
	path := filepath.Join(filepath.Dir(self), program)
	if path == self {
		return fmt.Errorf("%s has no driver for this store (STORE_TYPE)", path)
	}
	// From here on signals end the process, as they do before it has begun: one that
	// was caught now would be lost.
	signal.Reset(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err = syscall.Exec(path, append([]string{name}, words...), os.Environ())
	what := "a store in PostgreSQL (STORE_TYPE)"
	if program == Service {
		what = "the service"
	}
	return fmt.Errorf("%s needs %s, installed beside %s from the same package or sources: %w", what, path, name, err)
}
