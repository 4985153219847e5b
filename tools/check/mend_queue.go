package check

import (
	"maps"
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/tools/quarantine"
)

// queueWork is what is to be done to the request queue, all of it in one go.
type queueWork struct {
	dropped map[stores.Request]bool
	retyped bool // of a type that there is not; they wait for the user's answer, then
	single  bool // of equal entries the first stays
}

// queueOf returns what is to be done to the request queue, which has been kept.
func (m *mender) queueOf(f *Finding) (*queueWork, error) {
	path := m.requestsPath()
	if err := m.keep(f, quarantine.Named(path, quarantine.Requests)); err != nil {
		return nil, err
	}
	if m.queue == nil {
		m.queue = &queueWork{dropped: make(map[stores.Request]bool)}
	}
	return m.queue, nil
}

// dequeue takes entries out of the request queue.
func (m *mender) dequeue(f *Finding, requests []stores.Request) error {
	queue, err := m.queueOf(f)
	if err != nil {
		return err
	}
	for _, r := range requests {
		queue.dropped[r] = true
	}
	return nil
}

// dequeueTwice takes all but the first of equal entries out of the request queue.
func (m *mender) dequeueTwice(f *Finding) error {
	queue, err := m.queueOf(f)
	if err == nil {
		queue.single = true
	}
	return err
}

// retype makes entries of the request queue whose type there is not such that wait for the
// user's answer.
func (m *mender) retype(f *Finding) error {
	queue, err := m.queueOf(f)
	if err == nil {
		queue.retyped = true
	}
	return err
}

// writeQueue does what is to be done to the request queue.
func (m *mender) writeQueue() error {
	w := m.queue
	if w == nil {
		return nil
	}
	queue, err := m.tx.Requests()
	if err != nil {
		return err
	}
	seen := make(map[stores.Request]bool)
	var left []stores.Request
	for _, r := range queue {
		again := seen[r]
		seen[r] = true
		if w.dropped[r] || w.single && again {
			continue
		}
		if w.retyped && r.Type != counterType {
			r.Type = ""
		}
		left = append(left, r)
	}
	return m.tx.SetRequests(left)
}

// providerWork is what is to be done to the table of events that recur without end.
type providerWork struct {
	wanted map[stores.ID]bool // events that are to be noted once, or not at all
	window bool               // free/busy has been worked out up to the end of the window
}

func (m *mender) providersOf(f *Finding) (*providerWork, error) {
	if err := m.keep(f, quarantine.Named(m.providersPath(), quarantine.Providers)); err != nil {
		return nil, err
	}
	if m.noted == nil {
		m.noted = &providerWork{wanted: make(map[stores.ID]bool)}
	}
	return m.noted, nil
}

// provide notes events as recurring without end, or takes the note back.
func (m *mender) provide(f *Finding, wanted bool, ids []stores.ID) error {
	work, err := m.providersOf(f)
	if err != nil {
		return err
	}
	for _, id := range ids {
		work.wanted[id] = wanted
	}
	return nil
}

// noteWindow notes that free/busy has been worked out up to the end of the window.
func (m *mender) noteWindow(f *Finding) error {
	work, err := m.providersOf(f)
	if err == nil {
		work.window = true
	}
	return err
}

// writeProviders does what is to be done to the table of events that recur without end.
func (m *mender) writeProviders() error {
	w := m.noted
	if w == nil {
		return nil
	}
	providers, err := m.tx.Providers()
	if err != nil {
		return err
	}
	events := slices.DeleteFunc(slices.Clone(providers.Events), func(id stores.ID) bool {
		_, about := w.wanted[id]
		return about
	})
	for _, id := range sortedIDs(maps.Keys(w.wanted)) {
		if w.wanted[id] {
			events = append(events, id)
		}
	}
	providers.Events = events
	if end := m.end().Truncate(time.Second); w.window && providers.Until.Before(end) {
		providers.Until = end
	}
	return m.tx.SetProviders(providers)
}
