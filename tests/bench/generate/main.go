// Generate makes a store of known size for measurements: generate -users 10000 -events 100 DIR
package main

import (
	"flag"
	"fmt"
	"os"

	"imip-agent/tests/bench"
)

func main() {
	users := flag.Int("users", 10_000, "users of the store")
	events := flag.Int("events", 100, "events of each user")
	seed := flag.Uint64("seed", 1, "what the store is drawn from")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "generate: which directory? It must not exist yet")
		os.Exit(64)
	}
	if err := bench.GenerateStore(flag.Arg(0), bench.Size{Users: *users, Events: *events, Seed: *seed}); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
