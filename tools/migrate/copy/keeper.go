package copy

import (
	"context"
	"iter"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// keeper keeps what is copied: the records of users, or those of quotas.
type keeper interface {
	owners(ctx context.Context) iter.Seq2[calendar.URI, error]
	update(ctx context.Context, owner calendar.URI, fn func(stores.Records) error) error
	view(ctx context.Context, owner calendar.URI, fn func(stores.Records) error) error
}

// users are a store as a keeper.
type users struct{ stores.Store }

func (k users) owners(ctx context.Context) iter.Seq2[calendar.URI, error] { return k.Users(ctx) }

func (k users) update(ctx context.Context, user calendar.URI, fn func(stores.Records) error) error {
	return k.Update(ctx, user, func(tx stores.Tx) error { return fn(tx) })
}

func (k users) view(ctx context.Context, user calendar.URI, fn func(stores.Records) error) error {
	return k.View(ctx, user, func(tx stores.Tx) error { return fn(tx) })
}

// quotas are a journal as a keeper.
type quotas struct{ stores.Journal }

func (k quotas) owners(ctx context.Context) iter.Seq2[calendar.URI, error] { return k.Quotas(ctx) }

func (k quotas) update(ctx context.Context, quota calendar.URI, fn func(stores.Records) error) error {
	return k.Update(ctx, quota, func(tx stores.JournalTx) error { return fn(tx) })
}

func (k quotas) view(ctx context.Context, quota calendar.URI, fn func(stores.Records) error) error {
	return k.View(ctx, quota, func(tx stores.JournalTx) error { return fn(tx) })
}
