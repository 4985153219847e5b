// Package database opens the stores of all types. Programs that start for every message do
// not import it.
package database

import (
	"context"
	"strings"
	"time"

	"imip-agent/cmd/internal/site"
	"imip-agent/stores"
	"imip-agent/stores/file"
	"imip-agent/stores/postgresql"
)

// Stores are all types of store.
var Stores = site.Types{
	"file":       site.Files["file"],
	"postgresql": {Store: open, Journal: openJournal},
}

func options(s *site.Site, connInfo string) postgresql.Options {
	return postgresql.Options{
		ConnInfo: connInfo, LockPerUser: s.Config.PostgreSQLLock == "user", LockTimeout: s.Config.LockTimeout, Log: s.Log,
		ReadOnly: s.ReadOnly,
	}
}

func openJournal(s *site.Site, _ func() time.Time) (stores.Journal, error) {
	if strings.HasPrefix(s.Config.JournalDir, "/") {
		return nil, site.ErrNoJournal
	}
	return postgresql.OpenJournal(context.Background(), options(s, s.Config.JournalDir))
}

func open(s *site.Site, now func() time.Time) (stores.Store, error) {
	c, o := s.Config, options(s, s.Config.StoreDir)
	if c.PublishDir != "" {
		// Free/busy is published for web servers, as files, whatever the store is.
		published, err := file.OpenPublished(s.FileOptions(now))
		if err != nil {
			return nil, err
		}
		o.Published = published
	}
	return postgresql.Open(context.Background(), o)
}
