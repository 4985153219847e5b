package process

import (
	"io"
	"os"
	"runtime/debug"
	"time"
)

// Environment is what a command gets from the process that it runs in.
type Environment struct {
	Program        string // its name, for syslog and help
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Now            func() time.Time
}

// New returns the real environment of the program of that name. It also keeps the program from
// taking memory for what it could collect, where the site has not said how much it may have.
func New(program string) Environment {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	return Environment{Program: program, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: clock()}
}
