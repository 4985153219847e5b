package storestest

import (
	"context"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Repeated is a store that reads everything twice, as a database is read whose connection
// broke at the end: what the first try found counts for nothing.
type Repeated struct{ stores.Store }

// View implements [stores.Store].
func (r Repeated) View(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	_ = r.Store.View(ctx, user, fn)
	return r.Store.View(ctx, user, fn)
}
