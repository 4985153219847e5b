package house

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// everyMessage are the programs that start for every message.
var everyMessage = []string{"imip_person_outgoing"}

// heavy are packages that make each start longer, whether they are used or not, and those
// below them.
var heavy = []string{"github.com/jackc", "github.com/urfave", "crypto/tls", "crypto/x509", "net/http", "html/template", "text/template"}

// What starts for every message brings along nothing that it has no use for.
func TestLight(t *testing.T) {
	for _, program := range everyMessage {
		report(t, heavyIn(t, program))
	}
}

// heavyIn returns what is linked into a program and makes its start longer.
func heavyIn(t *testing.T, program string) (wrong []string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "imip-agent/cmd/"+program).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		for _, room := range heavy {
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
