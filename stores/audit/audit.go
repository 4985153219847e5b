// Package audit is what a store that keeps files lets a checker see beyond
// [stores.Store]: the files behind the records, what is wrong with them as files, and
// the locks on them.
//
// It has types only. A store of files implements [Store]; a checker asks whether the
// store that it was given does.
package audit

import (
	"context"
	"io/fs"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// Store is a store that keeps its records in files.
type Store interface {
	stores.Store

	// Audit runs fn on a user's records and the files that hold them, under the user's
	// lock. Unless Options.Write is set, nothing that fn changes is kept, and nothing is
	// written but the lock. If the user has no directory, the error matches
	// fs.ErrNotExist; if the lock cannot be had, it is a [*LockedError].
	Audit(ctx context.Context, user calendar.URI, o Options, fn func(Session) error) error

	// Root returns what is wrong among the users' directories, by path. Directories that
	// belong to nobody are in the store's Users as well.
	Root(ctx context.Context) ([]Problem, error)

	// Change runs fn, which changes one file or name that the store does not change itself. It
	// fails, and fn is not run, if the program ends and has given back its locks.
	Change(fn func() error) error

	// Path returns where a text is, or would be, and TablePath where a table is; empty if
	// it cannot be anywhere.
	Path(calendar.URI, stores.Key) string
	TablePath(calendar.URI, stores.Table) string
	RequestsPath(calendar.URI) string
	ProvidersPath(calendar.URI) string
	PublishedPath(calendar.URI) string
	// Bears reports whether a path is that of a table of the user's, or of a directory that
	// holds all texts of a kind: while it cannot be used, what hangs on it seems to be missing.
	Bears(user calendar.URI, path string) bool
}

// Options say how a user's records are looked at.
type Options struct {
	Write bool // commit what was changed
	// Aside moves a lock away whose holder is gone, given its path. With nil such a lock
	// stays, which keeps all other programs out as well as any, and nothing can be written.
	Aside func(path string) error
	// Look is called with a lock that somebody has left, before anything else is done.
	Look func(Lock)
	// Writing is called with each file that the commit writes anew and what will be in it,
	// before any of them is changed; if it fails, none is. With nil it is not called.
	Writing func(path string, content []byte) error
}

// Session is a user's records, with the files that hold them.
type Session interface {
	stores.Tx

	// Problems returns what is wrong with the user's files as files, in order of path.
	Problems() ([]Problem, error)
	// Tables returns the user's tables as their files have them.
	Tables() ([]Table, error)
	// Rewrite has the table at that path written anew by the commit, in order and without
	// what is damaged in it, whether or not its records have changed.
	Rewrite(path string)
}

// Table is the state of a table's file.
type Table struct {
	Path    string
	Name    string            // the file's, or for a table of another user its directory's
	Which   *stores.Table     // the free/busy table; nil for others
	Damages []freebusy.Damage // what cannot be read, or could be mended
	// Unordered is the first line that does not come after the one before it, from 1; 0 if
	// there is none, or the table is damaged.
	Unordered int
	Records   int
}

// Damaged is what the [stores.Records] of a store of files also are.
type Damaged interface {
	// Damaged returns the tables whose files are damaged, in order of path, of those that were
	// read so far.
	Damaged() []Table
}

// Lock is a lock that somebody holds, or has left.
type Lock struct {
	Path   string
	Since  time.Time
	Holder string // for people: process id and command
	Stale  bool   // its holder is gone
	// Strange says that it is none that a program has made: it cannot be broken, only
	// moved away.
	Strange string
}

// LockedError says that a user's lock could not be had. It matches [stores.ErrLocked].
type LockedError struct {
	Lock *Lock // nil: one of our own programs holds it in the kernel
	Err  error
}

func (e *LockedError) Error() string { return e.Err.Error() }
func (e *LockedError) Unwrap() error { return e.Err }

// Kind says what is wrong with a file.
type Kind string

// What can be wrong with files. The paths of the first group cannot be used as what
// they should be, the others can.
const (
	Link      Kind = "link"      // a symbolic link
	Device    Kind = "device"    // neither file, directory nor link
	BadName   Kind = "name"      // a name that nothing can have that belongs there
	Empty     Kind = "empty"     // a text without content
	Misplaced Kind = "misplaced" // a file where directories belong, or the reverse
	Oversize  Kind = "oversize"  // a file larger than any that a program writes
	Strayed   Kind = "strayed"   // records in a place where no program looks for them
	Staging   Kind = "staging"   // left by a program that did not finish writing
	NoUser    Kind = "no-user"   // among users' directories, and none
	SameUser  Kind = "same-user" // a user's directory whose name differs from another's in case only

	BothUsed Kind = "both-used" // a user's directory in use whose name differs from another's in case only

	EmptyDir  Kind = "empty-directory" // a directory of an event with nothing in it
	Unknown   Kind = "unknown"         // of no known meaning, where it does no harm
	Mode      Kind = "mode"            // permissions other than those that are set
	Group     Kind = "group"           // a group other than that of the directory it is in
	HardLink  Kind = "hard-link"       // a file of several names
	Ownerless Kind = "ownerless"       // published free/busy of somebody who has no records
)

// Blocks reports whether a path with that problem is no use as what it should be, so
// that there is no point in looking into it.
func (k Kind) Blocks() bool {
	switch k {
	case Link, Device, BadName, Empty, Misplaced, Oversize, NoUser:
		return true
	}
	return false
}

// Problem is something wrong with a file or directory.
type Problem struct {
	Kind Kind
	Path string
	Text string // what is wrong: a clause whose subject is the path

	Mode fs.FileMode // the mode that it should have, with kind Mode
	GID  int         // the group that it should have, with kind Group
	// Moves put records that have strayed in their places; none if that is for a person to do.
	Moves []Move
}

// Move is a file or directory that belongs elsewhere, where there is nothing.
type Move struct {
	From, To string
}

// Leftover reports whether a name looks like that of a file which an editor, or somebody
// who was about to change something, has left: notes~, #notes#, .notes.swp, notes.bak.
func Leftover(name string) bool {
	switch {
	case strings.HasSuffix(name, "~"), strings.HasPrefix(name, ".") && name != "." && name != "..",
		strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"):
		return true
	}
	at := strings.LastIndexByte(name, '.')
	if at < 0 {
		return false
	}
	switch strings.ToLower(name[at:]) {
	case ".bak", ".old", ".orig", ".save", ".tmp", ".temp", ".swp", ".swo", ".rej",
		".dpkg-old", ".dpkg-new", ".dpkg-dist", ".part", ".copy":
		return true
	}
	return false
}
