package file

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// The original's locks that this process holds, and what keeps changes of a store apart from
// the moment in which they are given back before their time.
var (
	ending    atomic.Bool  // no change may begin any more
	changing  sync.RWMutex // held for reading while a file, a name or a lock is changed
	heldLocks sync.Map     // of locks: what gives one back, by its path
)

var errEnding = errors.New("the program ends, and its locks are removed")

// Abandon gives back the original's locks that this process holds, for a program that ends
// although work on its stores goes on: nobody else gives them back, and the original waits for
// them for ever. From then on work that goes on can change nothing in a store, so that what it
// leaves is what a crash would leave. A change of a single file that has begun is waited for, for
// as long as patience lasts; with one that hangs the locks are left.
func Abandon(patience time.Duration) {
	ending.Store(true)
	late := time.After(patience)
	for !changing.TryLock() {
		select {
		case <-late:
			return
		case <-time.After(firstPause):
		}
	}
	defer changing.Unlock()
	heldLocks.Range(func(_, unlock any) bool {
		unlock.(func())()
		return true
	})
}

// Change runs fn, which changes one file or name, unless the locks have been given back.
func (s *Store) Change(fn func() error) error {
	done, err := begin()
	if err != nil {
		return err
	}
	defer done()
	return fn()
}

// begin says that one thing is to be changed. Done must be called after it.
func begin() (done func(), err error) {
	changing.RLock()
	if ending.Load() {
		changing.RUnlock()
		return nil, errEnding
	}
	return changing.RUnlock, nil
}
