package check

import (
	"slices"
	"time"

	"imip-agent/stores"
)

// dequeue takes an entry out of the request queue.
func (m *mender) dequeue(f *Finding, r stores.Request) error {
	return m.setQueue(f, func(queue []stores.Request) []stores.Request {
		return slices.DeleteFunc(queue, func(other stores.Request) bool { return other == r })
	})
}

// dequeueTwice takes all but the first of equal entries out of the request queue.
func (m *mender) dequeueTwice(f *Finding) error {
	return m.setQueue(f, func(queue []stores.Request) []stores.Request {
		seen := make(map[stores.Request]bool)
		return slices.DeleteFunc(queue, func(r stores.Request) bool {
			again := seen[r]
			seen[r] = true
			return again
		})
	})
}

// retype makes an entry of the request queue one that waits for the user's answer.
func (m *mender) retype(f *Finding, r stores.Request) error {
	return m.setQueue(f, func(queue []stores.Request) []stores.Request {
		for i := range queue {
			if queue[i] == r {
				queue[i].Type = ""
			}
		}
		return queue
	})
}

func (m *mender) setQueue(f *Finding, change func([]stores.Request) []stores.Request) error {
	queue, err := m.tx.Requests()
	if err != nil {
		return err
	}
	path := ""
	if files := m.checker.files(); files != nil {
		path = files.RequestsPath(m.user)
	}
	if err := m.keep(f, path, entry{Table: "requests"}); err != nil {
		return err
	}
	return m.tx.SetRequests(change(slices.Clone(queue)))
}

// provide notes an event as recurring without end, or takes the note back.
func (m *mender) provide(f *Finding, id stores.ID, wanted bool) error {
	return m.setProviders(f, func(p *stores.Providers) {
		p.Events = slices.DeleteFunc(p.Events, func(other stores.ID) bool { return other == id })
		if wanted {
			p.Events = append(p.Events, id)
		}
	})
}

// noteWindow notes that free/busy has been worked out up to the end of the window.
func (m *mender) noteWindow(f *Finding) error {
	end := m.preferences.WindowEnd(m.now).Truncate(time.Second)
	return m.setProviders(f, func(p *stores.Providers) {
		if p.Until.Before(end) {
			p.Until = end
		}
	})
}

func (m *mender) setProviders(f *Finding, change func(*stores.Providers)) error {
	providers, err := m.tx.Providers()
	if err != nil {
		return err
	}
	if err := m.keep(f, m.providersPath(), entry{Table: "freebusy-providers"}); err != nil {
		return err
	}
	providers.Events = slices.Clone(providers.Events)
	change(&providers)
	return m.tx.SetProviders(providers)
}
