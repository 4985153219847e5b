package handlers

import (
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// section is what the events that are handled in one critical section share.
type section struct {
	publishes bool // the user's free/busy is to be published
	others    others
	futures   futures
}

// publish writes the calendar that others may read, once for all events that may have changed
// it, if the user wants it.
func (s *section) publish(user calendar.URI, tx stores.Tx, now time.Time) error {
	if !s.publishes {
		return nil
	}
	table, err := tx.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return err
	}
	return tx.Publish(freebusy.Published(string(user), now, table))
}
