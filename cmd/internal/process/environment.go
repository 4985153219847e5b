package process

import (
	"io"
	"os"
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

// New returns the real environment of the program of that name.
func New(program string) Environment {
	return Environment{Program: program, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: clock()}
}
