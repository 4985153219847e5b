// Package site is what the commands have in common: the options that say where a
// site keeps its records, the configuration behind them, the store that they
// lead to, and logging.
package site

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"sync"

	"imip-agent/cmd/internal/process"
	"imip-agent/conf"
	"imip-agent/stores"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
)

// Site is a site's configuration, and what it leads to.
type Site struct {
	Config      conf.Config
	Store       stores.Store
	Preferences *preferences.Dir
	Rejected    *rejected.Dir
	Log         *slog.Logger
	ReadOnly    bool // the store is read without its locks, and not changed
	Beside      bool // what is left of a lock is removed beside what comes next, until Close
	closed      func()

	verbose, debug bool
	words          []string // of a command line that leads to the same site

	journal func() (stores.Journal, error)
	opened  stores.Journal // nil: nobody has asked for it
}

// Open reads the configuration, with the options that were given in the place of its
// settings, and also the settings in set, and opens what it leads to: a store of one of the
// types, or the error is a [*TypeError], and nothing was logged. Nothing is made or written yet.
func Open(options Given, env process.Environment, set map[string]string, types Types) (*Site, error) {
	s, err := Configure(options, env, set)
	if err != nil {
		return nil, err
	}
	if err := s.OpenStore(env, types); err != nil {
		return nil, err
	}
	return s, nil
}

// Configure reads the configuration as [Open] does. Neither a log nor a store is opened yet.
func Configure(options Given, env process.Environment, set map[string]string) (*Site, error) {
	config, err := conf.Load(options.String("config"), env.Getenv)
	if err != nil {
		return nil, err
	}
	var words []string
	if options.IsSet("config") {
		words = []string{"--config", options.String("config")}
	}
	if options.Bool("verbose") {
		words = append(words, "--verbose")
	}
	for _, o := range overrides {
		if !options.IsSet(o.option) {
			continue
		}
		if err := config.Override(o.setting, options.String(o.option)); err != nil {
			return nil, fmt.Errorf("option --%s: %w", o.option, err)
		}
		words = append(words, "--"+o.option, options.String(o.option))
	}
	for setting, value := range set {
		if err := config.Override(setting, value); err != nil {
			return nil, fmt.Errorf("%s of the command line: %w", setting, err)
		}
	}
	if err := config.Check(); err != nil {
		return nil, err
	}
	return &Site{Config: config, ReadOnly: options.Bool("read-only"), verbose: options.Bool("verbose"), debug: options.Bool("debug"), words: words}, nil
}

// Words are those of a command line that leads a program that handles a message to the same site.
func (s *Site) Words() []string { return slices.Clone(s.words) }

// OpenLog opens the log, and has the configuration's warnings logged. It is for programs that need no store.
func (s *Site) OpenLog(env process.Environment) {
	s.Log, s.closed = logging{
		stderr: env.Stderr, verbose: s.verbose, debug: s.debug,
		facility: s.Config.Syslog, level: s.Config.LogLevel, tag: env.Program,
	}.open()
	for _, warning := range s.Config.Warnings {
		s.Log.Warn("configuration: " + warning.String())
	}
	s.Rejected = &rejected.Dir{Path: s.Config.Rejected(), Max: s.Config.RejectedLimit, Size: s.Config.RejectedSize, Now: env.Now, Log: s.Log}
}

// OpenStore opens the log and all that the configuration leads to, as [Open] does.
func (s *Site) OpenStore(env process.Environment, types Types) (err error) {
	config := &s.Config
	kind, ok := types[config.StoreType]
	if !ok {
		return &TypeError{config.StoreType}
	}
	s.OpenLog(env)
	s.Preferences = &preferences.Dir{
		Path: config.PreferencesDir,
		Defaults: preferences.Defaults{
			Language:      config.Lang,
			Participating: config.ParticipatingDefault,
			Incoming:      config.IncomingDefault,
			Sharing:       config.SharingDefault,
			Publishing:    config.PublishingDefault,
			Bundling:      config.BundlingDefault,
			Notifying:     config.NotifyingDefault,
			Refreshing:    config.RefreshingDefault,
			AddResponse:   config.AddResponseDefault,
			Replacement:   config.OrganiserReplacementDefault,
			Offers:        config.FreebusyOfferDefault,
		},
		SystemZone: preferences.SystemZone(os.DirFS("/"), env.Getenv("TZ")),
	}
	store := config.StoreDir
	if config.StoreType != "file" {
		store = config.StoreType // its connection string may have a password in it
	}
	s.Log.Debug("configured", "file", config.File, "store", store, "preferences", config.PreferencesDir,
		"published", config.PublishDir, "rejected", config.Rejected(), "sender", config.MessageSender, "zone", s.Preferences.SystemZone)
	if s.Store, err = kind.Store(s, env.Now); err != nil {
		s.closed()
		return err
	}
	s.journal = sync.OnceValues(func() (journal stores.Journal, err error) {
		if journal, err = kind.Journal(s, env.Now); err == nil {
			s.opened = journal
		}
		return journal, err
	})
	return nil
}

// Journal returns the journal of quotas, which is opened when it is first asked for, and closed
// with the site. The error is [ErrNoJournal] if there is none.
func (s *Site) Journal() (stores.Journal, error) { return s.journal() }

// IsAlias returns a function that reports whether an address is another one of a user, by
// the file ALIASES, which is read when it is first needed. It is nil if there is none.
func (s *Site) IsAlias() func(alias, user string) (bool, error) {
	load := s.aliases()
	if load == nil {
		return nil
	}
	return func(alias, user string) (bool, error) {
		aliases, err := load()
		return err == nil && aliases.Has(alias, user), err
	}
}

// UsersOf returns a function that returns the users whose other address an address is, as IsAlias does it.
func (s *Site) UsersOf() func(address string) ([]string, error) {
	load := s.aliases()
	if load == nil {
		return nil
	}
	return func(address string) ([]string, error) {
		aliases, err := load()
		return aliases.Users(address), err
	}
}

// aliases returns what reads the file ALIASES, once; nil if there is none.
func (s *Site) aliases() func() (conf.Aliases, error) {
	if s.Config.Aliases == "" {
		return nil
	}
	return sync.OnceValues(func() (conf.Aliases, error) {
		aliases, warnings, err := conf.LoadAliases(s.Config.Aliases)
		for _, warning := range warnings {
			s.Log.Warn("aliases: " + warning.String())
		}
		return aliases, err
	})
}

// Close closes the store and sends off what was logged.
func (s *Site) Close() error {
	defer s.closed()
	if s.Store == nil {
		return nil
	}
	err := s.Store.Close()
	if s.opened != nil {
		err = errors.Join(err, s.opened.Close())
	}
	return err
}

// version is set by tools/package, to the version of the package.
var version string

// Version returns the version of the program, as it was built.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
