package site

import (
	"errors"
	"fmt"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/file"
)

// Types are the types of store (STORE_TYPE) that a program can open. A driver that is linked into
// a program makes each of its starts longer.
type Types map[string]Type

// Type has the functions that open a store of one type, and the journal that goes with it.
type Type struct {
	Store   func(s *Site, now func() time.Time) (stores.Store, error)
	Journal func(s *Site, now func() time.Time) (stores.Journal, error)
}

// Files are the stores that need no driver.
var Files = Types{"file": {
	Store: func(s *Site, now func() time.Time) (stores.Store, error) { return file.Open(s.FileOptions(now)) },
	Journal: func(s *Site, now func() time.Time) (stores.Journal, error) {
		o := s.FileOptions(now)
		o.Dir, o.PublishDir = s.Config.JournalDir, ""
		return file.OpenJournal(o)
	},
}}

// TypeError says that the store is of a type that the program cannot open.
type TypeError struct {
	Type string
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("this program has no driver for a store of type %q (STORE_TYPE)", e.Type)
}

// ErrNoJournal says that a site whose store is a database has no journal of quotas in one: its JOURNAL_DIR is still a
// directory.
var ErrNoJournal = errors.New("there is no journal of quotas: JOURNAL_DIR is a directory; with STORE_TYPE postgresql " +
	"it must be a connection string, such as \"dbname=imip_agent\"")

// FileOptions returns how the site keeps files: a store, and what is published whatever the
// store is.
func (s *Site) FileOptions(now func() time.Time) file.Options {
	c := s.Config
	return file.Options{
		Dir: c.StoreDir, PublishDir: c.PublishDir,
		FileMode: c.Permissions, DirMode: c.DirPermissions,
		LockTimeout: c.LockTimeout, Now: now, Log: s.Log, Rejected: s.Rejected, ReadOnly: s.ReadOnly, Beside: s.Beside,
	}
}
