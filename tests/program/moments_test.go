package program

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/skip"
)

// However far off the first moment is, programs that end at once are stopped before.
func TestMoments(t *testing.T) {
	skip.OnOtherDays(t)
	moments := NewMoments(1, 200*time.Millisecond)
	runs, late := 0, 0
	for stopped := 0; stopped < 10; runs++ {
		cmd := exec.Command("true")
		inTime, err := moments.Stop(cmd, syscall.SIGKILL, 0)
		if err != nil {
			t.Fatal(err)
		}
		if status := Status(cmd, nil); inTime != (status == -int(syscall.SIGKILL)) {
			t.Fatalf("stopped %v, status %d", inTime, status)
		}
		if inTime {
			stopped++
		} else {
			late++
		}
	}
	t.Logf("%d programs, for %d of them too late", runs, late)
	cmd := exec.Command("/nowhere/program")
	if _, err := moments.Stop(cmd, syscall.SIGKILL, 0); err == nil {
		t.Error("a program that does not start is stopped")
	}
}
