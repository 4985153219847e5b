package durable

import "sync"

// Shared makes the names in one directory last for many goroutines. Those that come while a sync is under way share
// the next one. It must not be copied.
type Shared struct {
	// Sync makes the names in the directory at a path last; nil: [NamesIn].
	Sync func(path string) error

	mu   sync.Mutex
	busy bool   // a sync is under way
	next *round // of those that wait for it to end; nil: there are none
}

// round is a sync for some goroutines.
type round struct {
	done chan struct{}
	err  error // when it is done
}

// NamesIn does as the function [NamesIn] does: when it returns without an error, the names last that were in the directory when
// it was called. All calls must be for the same directory.
func (s *Shared) NamesIn(path string) error {
	s.mu.Lock()
	if s.next == nil {
		s.next = &round{done: make(chan struct{})}
	}
	mine := s.next
	if !s.busy {
		s.busy = true
		go s.run(path)
	}
	s.mu.Unlock()
	<-mine.done
	return mine.err
}

// run syncs for one round after another, until nobody waits.
func (s *Shared) run(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.next != nil {
		now := s.next
		s.next = nil // who comes from now on is too late for this sync
		s.mu.Unlock()
		now.err = s.sync(path)
		close(now.done)
		s.mu.Lock()
	}
	s.busy = false
}

func (s *Shared) sync(path string) error {
	if s.Sync != nil {
		return s.Sync(path)
	}
	return NamesIn(path)
}
