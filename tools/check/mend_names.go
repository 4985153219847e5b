package check

import (
	"errors"

	"imip-agent/stores"
)

// renaming is a text that is to stand under another name.
type renaming struct {
	finding  *Finding
	from, to stores.Key
	content  []byte
}

// renameText gives a text the name of the event that it is, or moves it away if that is another's
// already, or can be nobody's.
func (m *mender) renameText(f *Finding, key stores.Key, is stores.ID) error {
	content, err := m.tx.Get(key)
	if err != nil {
		return err
	}
	to := key
	to.ID = is
	m.renamings = append(m.renamings, renaming{f, key, to, content})
	return nil
}

// writeNames gives texts their names. Several can stand in each other's place.
func (m *mender) writeNames() error {
	leaving := make(map[stores.Key]bool)
	for _, r := range m.renamings {
		leaving[r.from] = true
	}
	taken := make(map[stores.Key]bool)
	var renamed []renaming
	for _, r := range m.renamings {
		_, err := m.tx.Get(r.to)
		free := errors.Is(err, stores.ErrNotFound) || leaving[r.to]
		if !free || taken[r.to] || stores.CheckID(r.to.ID) != nil {
			if err := m.removeText(r.finding, r.from); err != nil {
				return err
			}
			continue
		}
		taken[r.to] = true
		renamed = append(renamed, r)
	}
	for _, r := range renamed {
		if err := m.keepText(r.finding, r.from); err != nil {
			return err
		}
		if err := m.keepText(r.finding, r.to); err != nil {
			return err
		}
	}
	for _, r := range renamed {
		if err := m.tx.Put(r.to, r.content); err != nil {
			return err
		}
		if taken[r.from] {
			continue
		}
		if path := m.path(r.from); path != "" {
			if err := m.quarantine.Removing(path); err != nil {
				return err
			}
		}
		if err := m.tx.Delete(r.from); err != nil {
			return err
		}
	}
	return nil
}
