package compat

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"imip-agent/handlers"
	arrivals "imip-agent/handlers/arrival"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/outgoing"
	"imip-agent/handlers/person"
	"imip-agent/handlers/resource"
	"imip-agent/stores"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
)

// ours is this program, at work in a room.
type ours struct {
	handler *outgoing.Handler
	store   *file.Store
	now     time.Time
	log     bytes.Buffer
	instead bytes.Buffer // the mails that the last step handed over
	spool   string
}

// newOurs sets our handler up as the program does with the default
// configuration, in a room and with a clock that step sets.
func newOurs(room Room) (*ours, error) {
	o := &ours{spool: string(room)}
	now := func() time.Time { return o.now }
	logger := slog.New(slog.NewTextHandler(&o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	aside := &rejected.Dir{Path: filepath.Join(string(room), "rejected"), Max: 1000, Now: now, Log: logger}
	store, err := file.Open(file.Options{
		Dir: room.Store(), PublishDir: room.Static(),
		FileMode: 0o660, DirMode: 0o2770,
		LockTimeout: time.Minute,
		Now:         now, Log: logger, Rejected: aside,
	})
	if err != nil {
		return nil, err
	}
	o.store = store
	o.handler = &outgoing.Handler{Pipeline: handlers.Pipeline{
		Store: store,
		Preferences: &preferences.Dir{
			Path:       room.Preferences(),
			Defaults:   preferences.Defaults{Participating: "participate", Sharing: "no", Publishing: "no"},
			SystemZone: "UTC",
		},
		Rejected:     aside,
		Sender:       "mailto:calendar@example.com",
		Log:          logger,
		Now:          now,
		MessageLimit: 32 << 20,
		PeriodLimit:  50000,
	}}
	return o, nil
}

// journal opens the room's journal.
func (o *ours) journal() (stores.Journal, error) {
	return file.OpenJournal(file.Options{
		Dir: Room(o.spool).Journal(), FileMode: 0o660, DirMode: 0o2770, LockTimeout: time.Minute,
		Now: func() time.Time { return o.now }, Rejected: o.handler.Rejected,
	})
}

// close releases the store.
func (o *ours) close() error { return o.store.Close() }

// step handles the message of a step and returns the exit status.
func (o *ours) step(s *Step) (status int, err error) {
	o.now = s.Clock
	if s.Program == Resource {
		o.instead.Reset()
		h := &resource.Handler{Handler: arrivals.Handler{
			Pipeline: o.handler.Pipeline, Instead: &o.instead, Spool: o.spool, Recipients: []string{s.User},
			Mailbox: &deliver.Server{}, // what is not handled would get to it, as by -l
		}, Journal: o.journal}
		if err := h.Handle(context.Background(), bytes.NewReader(s.Message)); err != nil {
			return 75, err
		}
		return 0, nil
	}
	if s.Program == Incoming {
		o.instead.Reset()
		h := &person.Handler{Handler: arrivals.Handler{
			Pipeline: o.handler.Pipeline, Instead: &o.instead, Spool: o.spool, Default: o.handler.Preferences.(*preferences.Dir).Default,
		}}
		if s.User != "" {
			h.Recipients = []string{s.User}
		}
		if err := h.Handle(context.Background(), bytes.NewReader(s.Message)); err != nil {
			return 75, err
		}
		return 0, nil
	}
	o.handler.Recipient = outgoing.Recipient(s.User, "people-outgoing")
	if err := o.handler.Handle(context.Background(), bytes.NewReader(s.Message)); err != nil {
		return 75, err
	}
	return 0, nil
}

// rejections counts what has been put aside.
func (o *ours) rejections() (int, error) {
	items, err := o.handler.Rejected.List()
	return len(items), err
}
