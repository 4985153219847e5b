package crash

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// changing are the system calls that change files and directories, opening to create
// and writing to files among them.
var changing = map[uint64]bool{
	unix.SYS_WRITE: true, unix.SYS_PWRITE64: true, unix.SYS_OPENAT: true, unix.SYS_FTRUNCATE: true,
	unix.SYS_MKDIR: true, unix.SYS_MKDIRAT: true, unix.SYS_RENAME: true, unix.SYS_RENAMEAT: true, unix.SYS_RENAMEAT2: true,
	unix.SYS_LINKAT: true, unix.SYS_UNLINK: true, unix.SYS_UNLINKAT: true, unix.SYS_RMDIR: true,
	unix.SYS_CHMOD: true, unix.SYS_FCHMOD: true, unix.SYS_FCHMODAT: true, unix.SYS_FCHMODAT2: true, unix.SYS_FCHOWN: true,
	unix.SYS_FSYNC: true, unix.SYS_FDATASYNC: true, unix.SYS_FLOCK: true,
}

// TestKilledBetweenChanges kills the program before the first of its system calls that
// changes something, then before the second, and so on, and each time handles the
// message again.
func TestKilledBetweenChanges(t *testing.T) {
	skip.OnOtherDays(t)
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
				cmd, _ := program.Command(path, today, room, s.message)
				killed, err := killAt(cmd, calls)
				if errors.Is(err, unix.EPERM) {
					skip.Because(t, "ptrace(2) is not allowed here")
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
	_, err = trace(cmd, func(thread int, entering bool) {
		if entering && changes(thread) {
			if n--; n == 0 {
				killed = true
				cmd.Process.Signal(unix.SIGKILL)
			}
		}
	})
	return killed, err
}

// trace runs a command, calls visit before and after each system call of its threads, and
// returns how it ended. What it says on standard error is not kept.
func trace(cmd *exec.Cmd, visit func(thread int, entering bool)) (ended unix.WaitStatus, err error) {
	// All requests about a traced process have to come from the thread that traces it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	input, err := os.CreateTemp("", "message-")
	if err != nil {
		return ended, err
	}
	defer os.Remove(input.Name())
	defer input.Close()
	if _, err := input.ReadFrom(cmd.Stdin); err != nil {
		return ended, err
	}
	if _, err := input.Seek(0, 0); err != nil {
		return ended, err
	}
	// Files: with pipes, goroutines of ours would have to be waited for.
	cmd.Stdin, cmd.Stderr = input, nil
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return ended, err
	}
	pid := cmd.Process.Pid
	defer cmd.Process.Release()

	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return ended, err
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return ended, err
	}
	if err := unix.PtraceSyscall(pid, 0); err != nil {
		return ended, err
	}
	inside := make(map[int]bool) // threads in a system call
	for {
		thread, err := unix.Wait4(-pid, &status, unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD):
			return ended, nil
		case err != nil:
			return ended, err
		case status.Exited() || status.Signaled():
			if thread == pid {
				return status, nil
			}
			continue
		case !status.Stopped():
			continue
		}
		signal := 0
		switch stop := status.StopSignal(); {
		case stop == unix.SIGTRAP|0x80:
			inside[thread] = !inside[thread]
			visit(thread, inside[thread])
		case stop == unix.SIGTRAP || stop == unix.SIGSTOP: // a thread is made, and begins; or a program is begun
		default:
			signal = int(stop)
		}
		if err := unix.PtraceSyscall(thread, signal); err != nil && !errors.Is(err, unix.ESRCH) {
			return ended, err
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

// refused reports whether the system call that a thread has just made was to make a
// directory, and there was one.
func refused(thread int) bool {
	var regs unix.PtraceRegs
	err := unix.PtraceGetRegs(thread, &regs)
	return err == nil && regs.Orig_rax == unix.SYS_MKDIR && -int64(regs.Rax) == int64(unix.EEXIST)
}

// The original, which has found a user's lock taken, makes it itself if it is given back
// before the original has looked whether it is its own. Then nobody holds it, and the
// original waits for ever: until one of ours breaks it.
func TestLockOfNobody(t *testing.T) {
	skip.OnOtherDays(t)
	t.Parallel() // it waits
	dir, ok := compat.FindPeer()
	if !ok {
		skip.Because(t, "the original is not installed in %s", dir)
	}
	room := furnish(t, scenario{before: compat.Tree{"freebusy": records(3)}})
	lock := filepath.Join(user(room), "__lock__")
	must(t, os.MkdirAll(filepath.Join(lock, "1"), 0o770))
	original, _ := program.Command(filepath.Join(dir, "bin", compat.Outgoing), today, room, message("REQUEST", event("UID:theirs")))
	original.Dir = filepath.Join(dir, "etc")
	given, done := make(chan error, 1), make(chan error, 1)
	var ended unix.WaitStatus
	go func() {
		once := false
		var err error
		ended, err = trace(original, func(thread int, entering bool) {
			if !once && !entering && refused(thread) {
				once = true
				given <- errors.Join(os.Remove(filepath.Join(lock, "1")), os.Remove(lock))
			}
		})
		done <- err
	}()
	select {
	case err := <-given:
		must(t, err)
	case err := <-done:
		if errors.Is(err, unix.EPERM) {
			skip.Because(t, "ptrace(2) is not allowed here")
		}
		t.Fatalf("the original has not waited for the lock: %v", err)
	}
	select {
	case err := <-done:
		t.Fatalf("the original has ended: %v", err)
	case <-time.After(3 * time.Second): // it looks every second
	}
	holders, err := os.ReadDir(lock)
	if err != nil || len(holders) > 0 {
		t.Fatalf("the original has left %v, %v", holders, err)
	}
	// What has happened to the original once can happen to it again, when ours gives the lock back.
	for try := 1; ; try++ {
		then := clock.Kernel().Add(-time.Minute)
		if err := os.Chtimes(lock, then, then); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		status, stderr := handle(room, message("REQUEST", event("UID:ours")))
		if status != 0 || stderr != "" {
			t.Errorf("ours: status %d: %s", status, stderr)
		}
		select {
		case err = <-done:
		case <-time.After(10 * time.Second):
			if try < 30 {
				continue
			}
			err = errors.New("it still waits")
		}
		if err != nil || ended.ExitStatus() != 0 {
			t.Errorf("the original: %v, %v", ended, err)
		}
		break
	}
	tree := state(t, room)
	for _, uid := range []string{"theirs", "ours"} {
		if tree["store/"+paul+"/objects/"+uid] == "" {
			t.Errorf("the event %s is not there", uid)
		}
	}
}
