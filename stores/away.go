package stores

import "errors"

// ErrAway says that a store's server cannot be reached: try again later.
var ErrAway = errors.New("stores: the store cannot be reached")
