package room

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
)

// The ports for servers that are given theirs before they run. The kernel gives connections others, from 32768 on,
// so that no connection takes one before its server does.
const (
	firstPort = 15000
	ports     = 17000
)

var addresses atomic.Int32 // that were given out

// Address returns an address of this machine, as HOST:PORT, with a port at which nobody listens. Nobody else in
// this process gets it.
func Address() (string, error) {
	for range ports {
		// Packages that are tested at the same time begin at different ones.
		port := firstPort + (os.Getpid()*89+int(addresses.Add(1)))%ports
		listener, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
	}
	return "", fmt.Errorf("no port from %d on is free", firstPort)
}
