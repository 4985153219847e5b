package shortlived

import (
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestOne(t *testing.T) {
	if n := runtime.GOMAXPROCS(0); n != 1 {
		t.Errorf("the program runs on %d processors", n)
	}
}

// With more imports it would come later.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{join .Imports \" \"}}", ".", "../stack").Output()
	if err != nil {
		t.Fatal(err)
	}
	if imports := strings.Fields(string(out)); !slices.Equal(imports, []string{"imip-agent/cmd/internal/process/stack", "runtime"}) {
		t.Errorf("it imports %v", imports)
	}
}
