package preferences

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"imip-agent/stores/calendar"
)

// of returns the directory of a user's preferences: the one of that name, or where there
// are only others that differ from it in letter case, the first of those.
func (d *Dir) of(user calendar.URI) (string, error) {
	path := filepath.Join(d.Path, string(user))
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, nil // what is wrong with it is said when it is read
	}
	name, err := d.names.find(d.Path, user)
	if name == "" || err != nil {
		return path, err
	}
	return filepath.Join(d.Path, string(name)), nil
}

// names are the users who have preferences. A program that asks for many users reads them
// once, and again when the directory has changed.
type names struct {
	mutex   sync.Mutex
	changed time.Time                     // when the directory was, as far as is known; zero: never read
	folded  map[calendar.URI]calendar.URI // the first name of those that differ in letter case
}

// find returns the user's name in the directory, "" if there is none.
func (n *names) find(dir string, user calendar.URI) (calendar.URI, error) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("look for preferences: %w", err)
	}
	if n.changed.IsZero() || !info.ModTime().Equal(n.changed) {
		f, err := os.Open(dir)
		if errors.Is(err, fs.ErrPermission) {
			return "", nil // names in it can be known, and the directory not be read
		} else if err != nil {
			return "", fmt.Errorf("look for preferences: %w", err)
		}
		defer f.Close()
		all, err := f.Readdirnames(-1)
		if err != nil {
			return "", fmt.Errorf("look for preferences: %w", err)
		}
		n.changed, n.folded = info.ModTime(), make(map[calendar.URI]calendar.URI, len(all))
		for _, text := range all {
			name := calendar.URI(text)
			if first, ok := n.folded[name.Folded()]; !ok || name < first {
				n.folded[name.Folded()] = name
			}
		}
	}
	return n.folded[user.Folded()], nil
}
