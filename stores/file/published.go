package file

import (
	"context"

	"imip-agent/stores/calendar"
)

// Published is the directory in which users' free/busy is published for web servers,
// for stores that keep everything else elsewhere.
type Published struct{ store *Store }

// OpenPublished returns the published calendars below o.PublishDir, which are written
// as a [Store] with these options writes them.
func OpenPublished(o Options) (*Published, error) {
	o.Dir = o.PublishDir
	store, err := Open(o)
	if err != nil {
		return nil, err
	}
	return &Published{store}, nil
}

// Read returns a user's calendar, or an error that matches stores.ErrNotFound.
func (p *Published) Read(user calendar.URI) ([]byte, error) {
	return newTx(context.Background(), p.store, user, nil).publishedCalendar()
}

// Write replaces a user's calendar as a whole.
func (p *Published) Write(user calendar.URI, text []byte) error {
	if p.store.options.ReadOnly {
		return errReadOnly
	}
	if err := checkURI("user", user); err != nil {
		return err
	}
	staged, err := newTx(context.Background(), p.store, user, nil).stageCalendar(text)
	if err != nil {
		return err
	}
	defer staged.dir.Close()
	defer staged.close()
	if err := staged.rename(publishedFile(text)); err != nil {
		return err
	}
	return staged.sync()
}
