package mta

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"imip-agent/tests/room"
)

// server is a mail system that runs in a machine, configured as conf says.
type server struct {
	*machine
	sink *sink

	submission string // where users' mail clients send to: HOST:PORT
	public     string // where other mail servers, and programs on the machine, send to

	logs   []string                        // log files
	done   string                          // log line of a run that ended well; %s: the address of the copy
	failed string                          // log line of a run that is to be tried again
	queued string                          // command that prints how many messages are in the queue
	limit  func(t *testing.T, seconds int) // sets how long a run may take
	expire func(t *testing.T, seconds int) // sets how long mail may stay in the queue
	state  string                          // command that prints what is in the queue

	reports bool // it knows of reports of delivery (RFC 3461)

	away, back string // commands that stop and start the service; empty: handlers are run
}

const (
	store = "/var/lib/imip-agent/store"

	// outside is the address that mail from the Internet comes from in these tests.
	outside = "127.0.0.9"

	calendarSystem = "calendar@example.com" // MESSAGE_SENDER
)

// users are the calendar users, one for each case, so that the cases do not
// meet in the store. Everybody else in the domain is no calendar user.
func users() []string {
	names := []string{
		"paul", "simon", "bounced", "crowd", "attached", "local", "forged", "reported", "case",
		"expired", "managed", "later", "whose", "stopped", "stalled",
	}
	for _, f := range faults {
		names = append(names, f.name)
	}
	for i := range 20 {
		names = append(names, fmt.Sprintf("user%02d", i))
	}
	for i, name := range names {
		names[i] = name + "@example.com"
	}
	return names
}

// mailboxes are the addresses of the domain that the mail system knows: the
// users and others.
func mailboxes() []string {
	return append(users(), "sara@example.com", "postmaster@example.com", calendarSystem)
}

// work is where the tests keep what they build.
var work string

// debian builds the Debian package from this tree, once, and returns its file.
var debian = sync.OnceValues(func() (string, error) {
	files, err := packages("", "deb")
	return files["deb"], err
})

// packages builds packages of some formats from this tree, and returns the file of each. The version is the tree's
// where it is empty.
func packages(version string, formats ...string) (map[string]string, error) {
	// Each into a directory of its own, since builds clear theirs.
	dir, err := os.MkdirTemp(work, "dist")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("../../tools/package/build.sh", append([]string{dir}, formats...)...)
	cmd.Env = append(os.Environ(), "NFPM="+filepath.Join(layers(), "bin/nfpm"), "VERSION="+version)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("tools/package/build.sh: %v: %s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(formats) {
		return nil, fmt.Errorf("tools/package/build.sh has made %q, want %q", lines, formats)
	}
	files := map[string]string{}
	for i, format := range formats {
		files[format] = lines[i]
	}
	return files, nil
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "imip-agent-mta")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	work = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

const handlerPath = "/usr/bin/imip_person_outgoing"

// install installs our Debian package into a machine. Another handler ("" for ours)
// takes the place of ours then.
func (s *server) install(t *testing.T, other string) {
	t.Helper()
	s.installPackage(t)
	if other == "" {
		other = os.Getenv("IMIP_AGENT_MTA_HANDLER")
	}
	if other != "" {
		s.copyIn(t, other, handlerPath)
	}
	// Not so long that a test has to wait for it.
	s.run(t, `echo 'LOCK_TIMEOUT = 1' >> /etc/imip-agent/config.txt`)
}

// installPackage installs our Debian package.
func (m *machine) installPackage(t *testing.T) {
	t.Helper()
	file, err := debian()
	if err != nil {
		t.Fatal(err)
	}
	m.copyIn(t, file, "/root/"+filepath.Base(file))
	// Without triggers: the index of the manual pages is not what takes the time here.
	m.run(t, `dpkg --no-triggers -i "$1"`, "/root/"+filepath.Base(file))
}

// documented returns the commands that conf/README.md gives after some words.
func documented(t *testing.T, words string) string {
	t.Helper()
	return commandsIn(t, "../../conf/README.md", words)
}

// commandsIn returns the first commands that stand below these words in a file.
func commandsIn(t *testing.T, name, words string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), words)
	var script strings.Builder
	for line := range strings.Lines(rest) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			script.WriteString(command)
		} else if script.Len() > 0 {
			break
		}
	}
	if !found || script.Len() == 0 {
		t.Fatalf("%s has no commands after %q", name, words)
	}
	return script.String()
}

// freeAddress returns an address of this machine with a port that nobody uses.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := room.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// listening waits until somebody answers at an address.
func (s *server) listening(t *testing.T, address string) {
	t.Helper()
	eventually(t, "a server at "+address, func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	}, func() string { return s.describe(t) })
}

// describe says how things stand, for a test that has failed.
func (s *server) describe(t *testing.T) string {
	var b strings.Builder
	for _, name := range s.logs {
		lines := slices.DeleteFunc(strings.Split(s.read(t, name), "\n"), func(line string) bool {
			return strings.Contains(line, " queue run: ") // Exim's, once a second
		})
		fmt.Fprintf(&b, "end of %s:\n%s\n", name, strings.Join(lines[max(0, len(lines)-25):], "\n"))
	}
	out, err := s.try(s.state)
	fmt.Fprintf(&b, "queue (%v):\n%s\n", err, out)
	out, err = s.try("ls -lR " + store + " | tail -n 40")
	fmt.Fprintf(&b, "store (%v):\n%s\n", err, out)
	return b.String()
}

// submit sends a message as a user's mail client does.
func (s *server) submit(t *testing.T, from string, message []byte, to ...string) {
	t.Helper()
	if err := send(s.submission, "", from, to, message); err != nil {
		t.Fatalf("submitting mail from %s: %v\n%s", from, err, s.describe(t))
	}
}

// arrived waits for a message to a recipient and returns the first.
func (s *server) arrived(t *testing.T, address string) delivery {
	t.Helper()
	eventually(t, "mail for "+address, func() bool { return len(s.sink.to(address)) > 0 },
		func() string { return s.describe(t) })
	return s.sink.to(address)[0]
}

// runs returns how many runs of the handler for a user have ended well, and how
// many are to be tried again.
func (s *server) runs(t *testing.T, user string) (done, failed int) {
	t.Helper()
	count := func(pattern string) (n int) {
		re := regexp.MustCompile("(?mi)" + fmt.Sprintf(pattern, regexp.QuoteMeta("people-outgoing+"+user)))
		for _, name := range s.logs {
			n += len(re.FindAllString(s.read(t, name), -1))
		}
		return n
	}
	return count(s.done), count(s.failed)
}

// stored reports whether a user's store has an event and the period that it takes.
func (s *server) stored(t *testing.T, user, uid string) bool {
	t.Helper()
	dir := store + "/mailto:" + user
	return s.read(t, dir+"/objects/"+uid) != "" && strings.Contains(s.read(t, dir+"/freebusy"), "\t"+uid+"\t")
}

// handled waits until a user's event is in the store.
func (s *server) handled(t *testing.T, user, uid string) {
	t.Helper()
	eventually(t, fmt.Sprintf("event %s in the store of %s", uid, user),
		func() bool { return s.stored(t, user, uid) }, func() string { return s.describe(t) })
}

// idle waits until nothing is left in the queue.
func (s *server) idle(t *testing.T) {
	t.Helper()
	eventually(t, "an empty queue", func() bool { return s.length(t) == "0" }, func() string { return s.describe(t) })
}

// length returns the length of the queue.
func (s *server) length(t *testing.T) string {
	t.Helper()
	return s.run(t, s.queued)
}

// untouched fails the test if anything of a user has come into the store.
func (s *server) untouched(t *testing.T, user string) {
	t.Helper()
	for name := range strings.SplitSeq(s.run(t, "ls "+store), "\n") {
		if strings.Contains(name, user) {
			t.Errorf("the store has records of %s", name)
		}
	}
	if done, failed := s.runs(t, user); done+failed != 0 {
		t.Errorf("the handler ran %d times for %s, failed %d times", done, user, failed)
	}
}

// once fails the test unless the handler ran exactly once for a user, and well.
func (s *server) once(t *testing.T, user string) {
	t.Helper()
	if failed := s.ran(t, user, 1); failed != 0 {
		t.Errorf("the handler failed %d times for %s", failed, user)
	}
}

// ran waits until the log has as many runs for a user that ended well, fails the test if
// there are more, and returns how many failed. The log may be behind the queue.
func (s *server) ran(t *testing.T, user string, times int) (failed int) {
	t.Helper()
	done := 0
	eventually(t, fmt.Sprintf("the log of %d runs for %s", times, user),
		func() bool { done, failed = s.runs(t, user); return done >= times }, func() string { return s.describe(t) })
	if done != times {
		t.Errorf("the handler ran well %d times for %s, want %d", done, user, times)
	}
	return failed
}

// noBounce fails the test if somebody was told about a failure.
func (s *server) noBounce(t *testing.T, user string) {
	t.Helper()
	for _, d := range s.sink.all() {
		if d.from == "" && bytes.Contains(d.data, []byte(user)) {
			t.Errorf("a bounce to %v:\n%.3000s", d.to, d.data)
		}
	}
}
