package file

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"imip-agent/stores"
)

// publishedFile is the published calendar as a file of the user's directory below
// PublishDir.
func publishedFile(content []byte) []file {
	return []file{{place{"", published}, content}}
}

func (t *tx) Published() ([]byte, error) {
	if t.calendar != nil {
		return t.calendar, nil
	}
	return t.publishedCalendar()
}

// publishedCalendar returns what is published, whatever the transaction has done.
func (t *tx) publishedCalendar() ([]byte, error) {
	none := fmt.Errorf("%w: published free/busy of %s", stores.ErrNotFound, t.user)
	if t.store.options.PublishDir == "" || !isPlain(string(t.user)) {
		return nil, none
	}
	d, err := openDirectory(t.publishDir())
	if err != nil {
		return nil, err
	}
	defer d.Close()
	content, err := d.read(published)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, none
	}
	return content, err
}

func (t *tx) publishDir() string {
	return filepath.Join(t.store.options.PublishDir, string(t.user))
}

func (t *tx) Publish(content []byte) error {
	if t.store.options.PublishDir == "" {
		return errors.New("publishing free/busy: no directory is set: set PUBLISH_DIR")
	}
	t.calendar = append([]byte{}, content...)
	return nil
}

// removeStagedCalendar removes what a program that died has left beside the published calendar, where that is as it should
// be: nothing is staged, which would take its place.
func (t *tx) removeStagedCalendar() {
	d, err := openDirectory(t.publishDir())
	if d == nil || err != nil {
		return
	}
	defer d.Close()
	name := newName(place{"", published})
	if !d.exists(name) {
		return
	}
	if done, err := begin(); err == nil {
		defer done()
		_ = d.root.Remove(name) // else the next one does it
	}
}

// stageCalendar writes the published calendar beside its place. The caller closes the
// directory of what is returned with it.
func (t *tx) stageCalendar(content []byte) (*staging, error) {
	path := t.publishDir()
	if err := t.store.makeAll(t.store.options.PublishDir); err != nil {
		return nil, err
	}
	err := t.store.makeOne(path)
	made := err == nil
	if made {
		err = syncDir(t.store.options.PublishDir)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, failed("making", path, err)
	}
	d, err := openDirectory(path)
	if err == nil && d == nil {
		err = failed("opening", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	g := t.store.stage(t.ctx, d, "")
	g.fresh = made
	if err := g.write(nil, publishedFile(content)); err != nil {
		g.close()
		d.Close()
		return nil, fmt.Errorf("publishing free/busy, nothing is changed yet: %w", err)
	}
	return g, nil
}
