// Package oneprocessor has a program that imports it run on one processor. It is for
// programs that live for some milliseconds, with many of their kind beside them: what the
// Go runtime does to share such little work among processors takes a sixth of that time.
//
// It imports nothing but the runtime, so that it comes before nearly all other packages
// when a program starts. Later, half the programs would run on a processor whose memory is
// filled already, and go on with an empty one.
package oneprocessor

import "runtime"

func init() { runtime.GOMAXPROCS(1) }
