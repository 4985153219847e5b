package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/stores/file"
	"imip-agent/stores/postgresql"
	"imip-agent/tools/migrate/copy"
)

// place is where records are, as the words of a command line say: file:DIR or
// postgresql:CONNINFO.
type place struct {
	kind  string // "file" or "postgresql"
	where string // a directory, absolute, or a connection string
}

func parsePlace(word string) (place, error) {
	kind, where, _ := strings.Cut(word, ":")
	switch {
	case strings.HasPrefix(word, "postgres://"), strings.HasPrefix(word, "postgresql://"):
		return place{"postgresql", word}, nil // libpq takes that form as well
	case kind == "file" && where != "":
		where, err := filepath.Abs(where)
		return place{kind, where}, err
	case kind == "postgresql" && where != "":
		return place{kind, where}, nil
	}
	return place{}, usage("%.60q is not a place: use file:DIR, or postgresql:CONNINFO as in \"postgresql:dbname=imip_agent\"", word)
}

// rooms are the directories of a site that keeps its records in files.
type rooms struct{ store, journal, preferences string }

// roomsOf finds what belongs to a directory: it is a store, beside which the journal and
// the preferences stand if it is called "store"; or has the three in it.
func (p place) roomsOf() rooms {
	if isDir(filepath.Join(p.where, "store")) {
		return rooms{filepath.Join(p.where, "store"), filepath.Join(p.where, "journal"), filepath.Join(p.where, "preferences")}
	}
	if filepath.Base(p.where) == "store" {
		beside := filepath.Dir(p.where)
		return rooms{p.where, filepath.Join(beside, "journal"), filepath.Join(beside, "preferences")}
	}
	return rooms{store: p.where}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// ends are the two sides of a copy, and what has to be closed after it.
type ends struct {
	from, to *copy.Side
	closers  []func() error
}

func (e *ends) close() error {
	var errs []error
	for _, fn := range e.closers {
		errs = append(errs, fn())
	}
	return errors.Join(errs...)
}

// placeOptions are the options that say where a side's journal and preferences are; "none" leaves
// them out.
type placeOptions struct{ journal, preferences string }

// openSide opens one side. The model, if it is not nil, is where the other side is: a target that
// is not there yet takes its form.
func (e *ends) openSide(ctx context.Context, p place, o placeOptions, s *migrateSite, model *place) (*copy.Side, error) {
	side := &copy.Side{}
	var r rooms
	switch p.kind {
	case "file":
		r = p.roomsOf()
		if model != nil && model.kind == "file" && model.roomsOf().store != model.where && r.store == p.where && filepath.Base(p.where) != "store" && isEmpty(p.where) {
			r = rooms{filepath.Join(p.where, "store"), filepath.Join(p.where, "journal"), filepath.Join(p.where, "preferences")}
		}
		if s.Config.StoreType == "file" && real(r.store) == real(s.Config.StoreDir) {
			// It is the site's, of which the rest may stand elsewhere.
			if !isDir(r.journal) {
				r.journal = s.Config.JournalDir
			}
			if !isDir(r.preferences) {
				r.preferences = s.Config.PreferencesDir
			}
		}
		store, err := file.Open(s.filling(r.store, model != nil))
		if err != nil {
			return nil, err
		}
		// By links there are several ways to name a place, of which one is noted.
		side.Name, side.Store = "file:"+real(r.store), store
		if model != nil {
			side.Sync, side.Notes = store.Sync, copy.NotesDir{Path: filepath.Clean(r.store) + ".copied"}
		}
	case "postgresql":
		o, err := s.databaseOptions(p.where, model != nil)
		if err != nil {
			return nil, err
		}
		store, err := postgresql.Open(ctx, o)
		if err != nil {
			return nil, usage("%v", err)
		}
		e.closers = append(e.closers, store.Close)
		side.Name, side.Store, side.OneStatus, side.CleanTables = store.String(), store, true, true
		if model != nil {
			side.Notes = postgresql.Notes{Store: store}
		}
	}
	if err := e.openJournal(ctx, side, p, r.journal, o.journal, s, model != nil); err != nil {
		return nil, err
	}
	side.Preferences = r.preferences
	if o.preferences != "" {
		side.Preferences, side.PreferencesNamed = o.preferences, true
	}
	if side.Preferences == "none" {
		side.Preferences = ""
	}
	return side, nil
}

func isEmpty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
}

// openJournal opens the journal of a side: the one that was named, else the one beside a store of
// files, or in the same database.
func (e *ends) openJournal(ctx context.Context, side *copy.Side, p place, beside, named string, s *migrateSite, target bool) error {
	where := place{"file", beside}
	switch {
	case named == "none":
		return nil
	case named != "":
		var err error
		if where, err = parsePlace(named); err != nil {
			return err
		}
		side.JournalNamed = true
	case p.kind == "postgresql":
		where = p
	case beside == "":
		return nil
	}
	if where.kind == "postgresql" {
		o, err := s.databaseOptions(where.where, target)
		if err != nil {
			return err
		}
		store, err := postgresql.OpenJournal(ctx, o)
		if err != nil {
			return usage("%v", err)
		}
		e.closers = append(e.closers, store.Close)
		side.Journal, side.Unordered = store, true
		return nil
	}
	store, err := file.OpenJournal(s.filling(where.where, target))
	if err != nil {
		return err
	}
	side.Journal = store
	if sync := side.Sync; sync != nil {
		side.Sync = func() error { return errors.Join(sync(), store.Sync()) }
	}
	return nil
}

// migrateSite opens stores as the site's configuration has them kept.
type migrateSite struct {
	*site.Site
	env       process.Environment
	publishes bool // stores publish users' free/busy
}

// filling returns the options for a store or a journal, which is to be filled if it is a target.
func (s *migrateSite) filling(dir string, target bool) file.Options {
	o := s.fileOptions(dir)
	o.Deferred, o.ReadOnly = target, s.ReadOnly && !target
	return o
}

func (s *migrateSite) fileOptions(dir string) file.Options {
	o := file.Options{
		Dir: dir, FileMode: s.Config.Permissions, DirMode: s.Config.DirPermissions,
		LockTimeout: s.Config.LockTimeout, Now: s.env.Now, Log: s.Log, Rejected: s.Rejected,
	}
	if s.publishes {
		o.PublishDir = s.Config.PublishDir
	}
	return o
}

// databaseOptions returns the options for a database, which is to be filled if it is a target.
func (s *migrateSite) databaseOptions(connInfo string, target bool) (postgresql.Options, error) {
	o := postgresql.Options{
		ConnInfo: connInfo, LockPerUser: s.Config.PostgreSQLLock == "user", LockTimeout: s.Config.LockTimeout,
		Log: s.Log, ReadOnly: s.ReadOnly && !target,
	}
	if s.publishes {
		published, err := file.OpenPublished(s.fileOptions(""))
		if err != nil {
			return o, err
		}
		o.Published = published
	}
	return o, nil
}

// checkApart fails if anything of the target is in the same place as something of the source, of
// which the one would wait for the other, or inside it, where it would be taken for a part of it.
func checkApart(ctx context.Context, from, to *copy.Side) error {
	if from.Name == to.Name {
		return usage("FROM and TO are the same place: %s", from.Name)
	}
	for _, target := range roomsIn(to) {
		for _, source := range roomsIn(from) {
			a, b := real(source), real(target)
			switch {
			case a == b && target == to.Preferences && source == from.Preferences:
				// They are the same, and stay so.
			case a == b:
				return usage("FROM and TO are the same directory: %s and %s", source, target)
			case isInside(a, b):
				return usage("%s, of TO, is inside %s, of FROM", target, source)
			case isInside(b, a):
				return usage("%s, of FROM, is inside %s, of TO", source, target)
			}
		}
	}
	type database interface {
		Identity(context.Context) (string, error)
	}
	for _, pair := range [][2]any{{from.Store, to.Store}, {from.Journal, to.Journal}} {
		source, ok := pair[0].(database)
		target, both := pair[1].(database)
		if !ok || !both {
			continue
		}
		there, err := source.Identity(ctx)
		if err != nil {
			return migrateStatus(nil, err)
		}
		here, err := target.Identity(ctx)
		if err != nil {
			return migrateStatus(nil, err)
		}
		if here == there {
			return usage("FROM and TO are the same database: %s and %s", source, target)
		}
	}
	return nil
}

// roomsIn returns the directories of a side, as they were named.
func roomsIn(side *copy.Side) []string {
	var dirs []string
	for _, kept := range []any{side.Store, side.Journal} {
		if files, ok := kept.(interface{ Dir() string }); ok {
			dirs = append(dirs, files.Dir())
		}
	}
	if side.Preferences != "" {
		dirs = append(dirs, side.Preferences)
	}
	return dirs
}

// real returns the absolute path of what may be there only in part, without links.
func real(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	for rest := ""; ; {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Join(resolved, rest)
		}
		up := filepath.Dir(path)
		if up == path {
			return filepath.Join(path, rest)
		}
		path, rest = up, filepath.Join(filepath.Base(path), rest)
	}
}

// isInside reports whether a path is below a directory.
func isInside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, "../")
}

var errNoTables = fmt.Errorf("tables of the store are missing in the database: create them with \"imip-agent migrate schema postgresql:CONNINFO\"")
