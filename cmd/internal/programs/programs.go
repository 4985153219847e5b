// Package programs lists the programs that handle a message, for others that go on as one of them: the name that a
// command line begins with says which.
package programs

import (
	"path/filepath"

	"imip-agent/cmd/internal/handler"
	"imip-agent/cmd/internal/outgoing"
	"imip-agent/cmd/internal/person"
	"imip-agent/cmd/internal/resource"
)

// All are the programs.
var All = []*handler.Program{&outgoing.Program, &person.Program, &resource.Program}

// Of returns the program that a command line begins with the name of, or nil.
func Of(words []string) *handler.Program {
	for _, program := range All {
		if len(words) > 0 && filepath.Base(words[0]) == program.Name {
			return program
		}
	}
	return nil
}
