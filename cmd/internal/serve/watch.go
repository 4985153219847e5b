package serve

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/cmd/internal/site"
	"imip-agent/handlers"
	"imip-agent/handlers/spool"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/rejected"
)

// Observer is told what the service does. Its methods are called by many goroutines.
type Observer interface {
	// Changed is told what has become of a change to a user's records, each time that it was tried.
	Changed(handlers.Change, handlers.Result)
	// Taken is told of a message that was put into the spool, or could not be.
	Taken(source string, err error)
	// Handled is told how long ago a message was taken that was handled now.
	Handled(source string, took time.Duration)
	// PutAside is told of what was rejected.
	PutAside(rejected.Note)
	// Waited is told how long the lock on a user's records was waited for. The error matches [stores.ErrLocked] if
	// it was not had.
	Waited(took time.Duration, err error)
}

// watchedStore is a store that tells how long locks were waited for.
type watchedStore struct {
	stores.Store
	observer Observer
	now      func() time.Time
}

// Update implements [stores.Store].
func (w *watchedStore) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	began, entered := w.now(), false
	err := w.Store.Update(ctx, user, func(tx stores.Tx) error {
		if !entered { // else a commit is tried again
			entered = true
			w.observer.Waited(w.now().Sub(began), nil)
		}
		return fn(tx)
	})
	if !entered && errors.Is(err, stores.ErrLocked) {
		w.observer.Waited(w.now().Sub(began), err)
	}
	return err
}

// watchedSpool is a spool that tells what was put into it.
type watchedSpool struct {
	*spool.Queue
	observer Observer
}

// Put implements the interfaces of those who take messages.
func (w *watchedSpool) Put(note spool.Note, message io.WriterTo, size int64) error {
	err := w.Queue.Put(note, message, size)
	w.observer.Taken(note.Source, err)
	return err
}

// Vitals is how the service is at a moment.
type Vitals struct {
	Spool       func() spool.Depth
	Connections func() int
	Lost        func() int64 // messages that were let through without the calendar's knowledge
	// Health returns why the service cannot take or handle mail, in sentences; none if it can.
	Health func(context.Context) []string
}

// Monitor is an observer that shows others what it was told, and how the service is, by HTTP.
type Monitor interface {
	Observer
	Show(Vitals) http.Handler
}

// healthTime is how long the store may take to answer.
const healthTime = 5 * time.Second

// health returns why messages cannot be taken or handled.
func health(ctx context.Context, s *site.Site, queue *spool.Queue, ending func() bool) (wrong []string) {
	if ending() {
		wrong = append(wrong, "the service ends")
	}
	if err := queue.Usable(); err != nil {
		wrong = append(wrong, "no mail can be taken: "+err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	err := s.Store.Snapshot(ctx, "mailto:health@imip-agent.invalid", func(tx stores.Tx) error {
		_, err := tx.Requests()
		return err
	})
	if err == nil && s.Config.StoreType == "file" {
		if err = unix.Access(s.Config.StoreDir, unix.W_OK|unix.X_OK); err != nil {
			err = &fs.PathError{Op: "write to", Path: s.Config.StoreDir, Err: err}
		}
	}
	if err != nil {
		wrong = append(wrong, "what is taken waits in the spool, since the store cannot be used: "+err.Error())
	}
	return wrong
}

// show serves what a monitor shows until it is told to stop.
func show(s *site.Site, l net.Listener, handler http.Handler) (stop func()) {
	server := &http.Server{
		Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	s.Log.Info("the service shows its metrics", "metrics", l.Addr().String())
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("metrics can no longer be read", "error", err)
		}
	}()
	return func() { _ = server.Close() }
}
