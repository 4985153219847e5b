package house

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// everyMessage are the programs that start for every message.
var everyMessage = []string{"imip_person", "imip_person_outgoing", "imip_resource"}

// heavy are packages that make each start longer, whether they are used or not, and those
// below them.
var heavy = []string{"github.com/jackc", "github.com/urfave", "crypto/tls", "crypto/x509", "net/http", "html/template", "text/template"}

// allowed are heavy packages that a program brings along all the same: go-smtp needs those of TLS, of which a
// start initializes next to nothing.
var allowed = map[string][]string{"imip_person": {"crypto/tls", "crypto/x509"}, "imip_resource": {"crypto/tls", "crypto/x509"}}

// What starts for every message brings along nothing that it has no use for.
func TestLight(t *testing.T) {
	for _, program := range everyMessage {
		wrong := heavyIn(t, program)
		for _, room := range allowed[program] {
			wrong = slices.DeleteFunc(wrong, func(line string) bool { return below(line[strings.LastIndexByte(line, ' ')+1:], room) })
		}
		report(t, wrong)
	}
}

// What only the service needs does not make the start of other commands longer.
func TestServiceApart(t *testing.T) {
	const room = "github.com/prometheus"
	if wrong := broughtBy(t, "imip-agent", []string{room}); len(wrong) > 0 {
		report(t, wrong)
	}
	if len(broughtBy(t, "imip-agent-serve", []string{room})) == 0 {
		t.Errorf("imip-agent-serve does not bring along %s", room)
	}
}

// heavyIn returns what is linked into a program and makes its start longer.
func heavyIn(t *testing.T, program string) (wrong []string) { return broughtBy(t, program, heavy) }

// broughtBy returns what is linked into a program of some packages and those below them.
func broughtBy(t *testing.T, program string, rooms []string) (wrong []string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "imip-agent/cmd/"+program).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		for _, room := range rooms {
			if below(name, room) {
				wrong = append(wrong, fmt.Sprintf("%s brings along %s", program, name))
			}
		}
	}
	return wrong
}

func TestHeavy(t *testing.T) {
	wrong := heavyIn(t, "imip-agent-postgresql")
	broken(t, wrong[:1], "imip-agent-postgresql brings along")
}
