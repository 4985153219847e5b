package mta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/skip"
)

// machine is a throw-away copy of this machine with one of the layers of
// install.sh: whatever is written goes to a place that is dropped with it, and
// its processes are in a process space of their own, so that all of them end
// with it, also when the test dies. The network is this machine's.
type machine struct {
	pid int // of its first process, as seen from here
}

// layers returns the directory that install.sh made.
func layers() string {
	if dir := os.Getenv("IMIP_AGENT_MTA"); dir != "" {
		return dir
	}
	return "/var/tmp/imip-agent-mta"
}

// need skips the test where it cannot run, or is not asked for, as it takes minutes.
func need(t *testing.T, layer string) {
	t.Helper()
	missing := ""
	switch _, err := os.Stat(filepath.Join(layers(), layer)); {
	case os.Getenv("IMIP_AGENT_FULL") == "":
		missing = "takes minutes: set IMIP_AGENT_FULL=1"
	case os.Geteuid() != 0:
		missing = "needs root"
	case err != nil:
		missing = fmt.Sprintf("needs the layer %s of tests/mta/install.sh", layer)
	}
	if missing != "" {
		skip.Because(t, "%s", missing)
	}
}

// initScript is what the first process of a machine does: mount the copy with the
// layer $1 and changes going to $2, go into it, say so, and reap processes until
// its standard input ends. The layer is copied first, since the kernel takes no
// layer that lies inside another.
const initScript = `
set -eu
mount --make-rprivate /
case $2 in
tmpfs) mount -t tmpfs none /mnt ;;
*) mount --bind "$2" /mnt ;;
esac
mkdir /mnt/upper /mnt/work /mnt/root /mnt/layers
mount -t tmpfs none /mnt/layers
lower=/
if [ -n "$1" ]; then cp -a "$1" /mnt/layers/layer; lower=/mnt/layers/layer:/; fi
mount -t overlay overlay -o "lowerdir=$lower,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
mount --rbind /dev /mnt/root/dev
mount -t proc proc /mnt/root/proc
mount -t tmpfs -o mode=1777 none /mnt/root/tmp
# What programs have left here in the places that ours use is not for the tests.
rm -rf /mnt/root/var/lib/imip-agent /mnt/root/var/www/imip-agent /mnt/root/etc/imip-agent
if [ -n "$3" ]; then mkdir -p "/mnt/root/$3"; mount --bind "$3" "/mnt/root/$3"; fi
exec chroot /mnt/root sh -c '
	exec 3<&0
	trap "exit 0" TERM
	(cat <&3 >/dev/null; kill -TERM 1) &
	echo ready
	while :; do wait; done'
`

// newMachine starts a copy of the machine with a layer ("" for none). Changes go
// to memory, or if disk is not empty to that directory. The directory share, if
// any, is visible in it as it is here.
func newMachine(t *testing.T, layer, disk, share string) *machine {
	t.Helper()
	upper := "tmpfs"
	if layer != "" {
		layer = filepath.Join(layers(), layer)
	}
	if disk != "" {
		upper = disk
	}
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child",
		"sh", "-c", initScript, "init", layer, upper, share)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting a machine: %v", err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Process.Kill() // and, by --kill-child, everything in the machine
		cmd.Wait()
	})
	if _, err := io.ReadFull(stdout, make([]byte, len("ready\n"))); err != nil {
		cmd.Wait()
		t.Fatalf("starting a machine: %v: %s", err, stderr.String())
	}
	m := &machine{}
	children := fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid)
	text, err := os.ReadFile(children)
	if err != nil {
		t.Fatal(err)
	}
	if m.pid, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		t.Fatalf("%s: %v", children, err)
	}
	return m
}

// path returns where a file of the machine can be reached from here.
func (m *machine) path(name string) string {
	return fmt.Sprintf("/proc/%d/root%s", m.pid, name)
}

// command prepares a shell script to be run inside, with its arguments as $1 and so on.
func (m *machine) command(script string, args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", append([]string{
		"--target", strconv.Itoa(m.pid), "--mount", "--pid", "--root", "--wdns=/",
		"sh", "-eu", "-c", script, "sh"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	return cmd
}

// run runs a shell script inside and returns its standard output, without the
// white space at the end. A failure ends the test.
func (m *machine) run(t *testing.T, script string, args ...string) string {
	t.Helper()
	out, err := m.try(script, args...)
	if err != nil {
		t.Fatalf("%s\n%v", script, err)
	}
	return out
}

// try is run for scripts that may fail.
func (m *machine) try(script string, args ...string) (string, error) {
	cmd := m.command(script, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w: %s%s", err, stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String()), err
}

// read returns a file of the machine, nothing if there is none.
func (m *machine) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(m.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

// write replaces a file of the machine.
func (m *machine) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.path(name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(m.path(name), mode); err != nil {
		t.Fatal(err)
	}
}

// copyIn copies a file or directory of this machine into the other, modes included.
func (m *machine) copyIn(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(to)), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-rT", "--preserve=mode", from, m.path(to)).CombinedOutput(); err != nil {
		t.Fatalf("copying %s into the machine: %v: %s", from, err, out)
	}
}

// patience is how long the tests wait for something that happens at once on a
// machine with nothing else to do.
const patience = 150 * time.Second

// eventually waits until what holds. Describe says, if it does not come, how
// things stand.
func eventually(t *testing.T, what string, holds func() bool, describe func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %v\n%s", what, patience, describe())
		case <-tick.C:
		}
	}
}
