package room

import (
	"net"
	"testing"
)

func TestAddress(t *testing.T) {
	given := map[string]bool{}
	for range 100 {
		address, err := Address()
		if err != nil || given[address] {
			t.Fatalf("%s, %v, after %d others", address, err, len(given))
		}
		given[address] = true
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
	}
}
