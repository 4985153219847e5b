package stores

import "errors"

// ErrAway says that a store's server cannot be reached: try again later.
var ErrAway = errors.New("stores: the store is away")

// ErrNoStore says that there is no store where one was looked for: no such directory, no such
// database, or one without a store's tables.
var ErrNoStore = errors.New("stores: the store is missing")

// NoStore returns an error with the same text that matches [ErrNoStore] as well.
func NoStore(err error) error { return &noStoreError{err} }

type noStoreError struct{ error }

func (e *noStoreError) Unwrap() error        { return e.error }
func (e *noStoreError) Is(target error) bool { return target == ErrNoStore }
