package crash

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"imip-agent/tests/program"
)

// changing are the system calls that change files and directories, opening to create
// and writing to files among them.
var changing = map[uint64]bool{
	unix.SYS_WRITE: true, unix.SYS_PWRITE64: true, unix.SYS_OPENAT: true, unix.SYS_FTRUNCATE: true,
	unix.SYS_MKDIR: true, unix.SYS_MKDIRAT: true, unix.SYS_RENAME: true, unix.SYS_RENAMEAT: true, unix.SYS_RENAMEAT2: true,
	unix.SYS_UNLINK: true, unix.SYS_UNLINKAT: true, unix.SYS_RMDIR: true,
	unix.SYS_CHMOD: true, unix.SYS_FCHMOD: true, unix.SYS_FCHMODAT: true, unix.SYS_FCHMODAT2: true, unix.SYS_FCHOWN: true,
	unix.SYS_FSYNC: true, unix.SYS_FDATASYNC: true, unix.SYS_FLOCK: true,
}

// TestKilledBetweenChanges kills the program before the first of its system calls that
// changes something, then before the second, and so on, and each time handles the
// message again.
func TestKilledBetweenChanges(t *testing.T) {
	for n, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			after := undisturbed(t, s)
			step, first := 1, 1
			if !full {
				step, first = 9, 1+n%9
			}
			calls := first
			for ; ; calls += step {
				room := furnish(t, s)
				cmd, _ := program.Command(path, room, s.message)
				killed, err := killAt(cmd, calls)
				if errors.Is(err, unix.EPERM) {
					t.Skip("ptrace(2) is not allowed here")
				} else if err != nil {
					t.Fatal(err)
				}
				mended(t, s, room, after)
				if t.Failed() {
					t.Fatalf("killed before change %d", calls)
				}
				if !killed {
					break
				}
			}
			t.Logf("%d changes", calls)
			if calls < 15 {
				t.Errorf("only %d system calls change something: has the trace missed them?", calls)
			}
		})
	}
}

// killAt runs a command and kills it before the nth of its system calls that changes
// something. It reports whether there were so many.
func killAt(cmd *exec.Cmd, n int) (killed bool, err error) {
	// All requests about a traced process have to come from the thread that traces it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	input, err := os.CreateTemp("", "message-")
	if err != nil {
		return false, err
	}
	defer os.Remove(input.Name())
	defer input.Close()
	if _, err := input.ReadFrom(cmd.Stdin); err != nil {
		return false, err
	}
	if _, err := input.Seek(0, 0); err != nil {
		return false, err
	}
	// Files: with pipes, goroutines of ours would have to be waited for.
	cmd.Stdin, cmd.Stderr = input, nil
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	pid := cmd.Process.Pid
	defer cmd.Process.Release()

	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return false, err
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return false, err
	}
	if err := unix.PtraceSyscall(pid, 0); err != nil {
		return false, err
	}
	inside := make(map[int]bool) // threads in a system call
	for {
		thread, err := unix.Wait4(-pid, &status, unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD):
			return killed, nil
		case err != nil:
			return killed, err
		case status.Exited() || status.Signaled():
			if thread == pid {
				return killed, nil
			}
			continue
		case !status.Stopped():
			continue
		}
		signal := 0
		switch stop := status.StopSignal(); {
		case stop == unix.SIGTRAP|0x80:
			inside[thread] = !inside[thread]
			if inside[thread] && changes(thread) {
				if n--; n == 0 {
					killed = true
					unix.Kill(pid, unix.SIGKILL)
				}
			}
		case stop == unix.SIGTRAP || stop == unix.SIGSTOP: // a thread is made, and begins
		default:
			signal = int(stop)
		}
		if err := unix.PtraceSyscall(thread, signal); err != nil && !errors.Is(err, unix.ESRCH) {
			return killed, err
		}
	}
}

// changes reports whether the system call that a thread is about to make changes
// something.
func changes(thread int) bool {
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(thread, &regs); err != nil {
		return false
	}
	switch {
	case !changing[regs.Orig_rax]:
		return false
	case regs.Orig_rax == unix.SYS_OPENAT:
		return regs.Rdx&unix.O_CREAT != 0
	case regs.Orig_rax == unix.SYS_WRITE:
		return regs.Rdi > 2 && regs.Rdx > 8 // shorter ones wake the runtime's poller
	}
	return true
}
