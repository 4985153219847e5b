package mta

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"imip-agent/handlers/deliver"
	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/file"
	"imip-agent/tests/skip"
)

// unknownUser is the only name that the mailbox server does not know.
const unknownUser = "mistyped"

// dovecot is a mailbox server that takes mail by LMTP, for users of any name but one. A mailbox holds 20 MB.
type dovecot struct {
	dir    string
	socket string
	stop   func()             // ends it
	start  func(t *testing.T) // starts it again
}

// newDovecot starts Debian's dovecot-lmtpd with mailboxes in a temporary directory.
func newDovecot(t *testing.T) *dovecot {
	t.Helper()
	if os.Getenv("IMIP_AGENT_FULL") == "" {
		skip.Because(t, "Dovecot is started: set IMIP_AGENT_FULL=1")
	}
	program, err := exec.LookPath("dovecot")
	if _, lmtp := os.Stat("/usr/lib/dovecot/lmtp"); err != nil || lmtp != nil {
		skip.Because(t, "needs dovecot-lmtpd: .ci/install")
	}
	if os.Geteuid() != 0 {
		skip.Because(t, "Dovecot is started: needs root")
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // Dovecot's processes have users of their own
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "mail"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "mail"), 0o777); err != nil {
		t.Fatal(err)
	}
	d := &dovecot{dir: dir, socket: filepath.Join(dir, "lmtp")}
	config := strings.ReplaceAll(`
base_dir = DIR/run
state_dir = DIR/state
log_path = DIR/log
protocols = lmtp
ssl = no
auth_username_format = %n
mail_location = maildir:DIR/mail/%u
first_valid_uid = 1
mail_plugins = quota
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=20M
}
passdb {
  driver = passwd-file
  args = username_format=%n DIR/unknown
  deny = yes
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=DIR/mail/%u
}
service lmtp {
  unix_listener DIR/lmtp {
    mode = 0666
  }
}
`, "DIR", dir)
	if err := os.WriteFile(filepath.Join(dir, "unknown"), []byte(unknownUser+":::::::\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "dovecot.conf")
	if err := os.WriteFile(name, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	d.start = func(t *testing.T) {
		t.Helper()
		cmd := exec.Command(program, "-F", "-c", name)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		d.stop = sync.OnceFunc(func() {
			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
		})
		eventually(t, "an answer of Dovecot", func() bool {
			conn, err := net.Dial("unix", d.socket)
			if err == nil {
				conn.Close()
			}
			return err == nil
		}, func() string { return said.String() })
	}
	t.Cleanup(func() {
		if d.stop != nil {
			d.stop()
		}
	})
	d.start(t)
	return d
}

// fill makes a user's mailbox full, or makes room in it again.
func (d *dovecot) fill(t *testing.T, user string, full bool) {
	t.Helper()
	cur := filepath.Join(d.dir, "mail", user, "cur")
	large := filepath.Join(cur, "1.large,S=30000000,W=30000000:2,S") // Dovecot takes the size from the name
	err := os.Remove(large)
	if full {
		if err = os.MkdirAll(cur, 0o777); err == nil {
			err = os.WriteFile(large, nil, 0o666)
		}
		for _, dir := range []string{d.dir + "/mail/" + user, cur, filepath.Dir(cur) + "/new", filepath.Dir(cur) + "/tmp"} {
			err = errors.Join(err, os.MkdirAll(dir, 0o777), os.Chmod(dir, 0o777))
		}
	}
	if size := os.Remove(filepath.Join(d.dir, "mail", user, "maildirsize")); !errors.Is(size, fs.ErrNotExist) {
		err = errors.Join(err, size)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// mails returns what is in a user's mailbox, as it is stored: with line feeds for line ends.
func (d *dovecot) mails(t *testing.T, user string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(d.dir, "mail", user, "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var mails []string
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		mails = append(mails, string(content))
	}
	return mails
}

// TestMailbox delivers messages to Dovecot, as they came and enclosed: every octet is in the
// mailbox.
func TestMailbox(t *testing.T) {
	d := newDovecot(t)
	server, err := deliver.LMTPServer(d.socket)
	if err != nil {
		t.Fatal(err)
	}
	messages := map[string]string{
		"dots":    "From: a@example.com\nSubject: x\n\n.\n..\n.x\n.",
		"from":    "From: a@example.com\n\nFrom here\n>From there\n",
		"octets":  "From: Bj\xf8rn <a@example.com>\nSubject: ø\n\n\xff\x80ø\ttab \n",
		"long":    "From: a@example.com\nX-Long: " + strings.Repeat("x", 5000) + "\n\n" + strings.Repeat("y", 100_000) + "\n",
		"crlf":    "From: a@example.com\r\n\r\nbody\r\n",
		"nothing": "From: a@example.com\n\n",
		"returns": "From: a@example.com\r\r\n\r\r\n.\r\r\nbo\rdy\r\r\r\n.x\r\r\n",                                                   // in chunks
		"later":   "From: a@example.com\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 1000) + ".\r\r\n..\r\r\n.x\r\r\n", // after DATA
	}
	samples, err := filepath.Glob("../messages/*.eml")
	if err != nil || len(samples) < 10 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for _, name := range samples {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		messages[strings.TrimSuffix(filepath.Base(name), ".eml")] = string(content)
	}
	store, err := file.Open(file.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	sender := &deliver.Sender{Outbox: store, Mailbox: server, Log: slog.New(slog.DiscardHandler)}
	defer sender.Close()
	for name, message := range messages {
		spool := mail.NewSpool(t.TempDir())
		if _, err := io.WriteString(spool, message); err != nil {
			t.Fatal(err)
		}
		wrapped, err := mail.Wrap("Møte om å være.\n", spool)
		if err != nil {
			t.Fatal(err)
		}
		envelope := deliver.Envelope{Mailbox: true, From: "a@example.com", To: name + "@example.com"}
		if err := sender.Hand(t.Context(), envelope, spool.Open()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		stored := strings.ReplaceAll(message, "\r\n", "\n")
		if !strings.HasSuffix(stored, "\n") {
			stored += "\n"
		}
		mails := d.mails(t, name)
		if len(mails) != 1 || !strings.HasSuffix(mails[0], stored) {
			t.Errorf("%s: the mailbox has %.1000q", name, mails)
		}

		envelope.To = name + "-wrapped@example.com"
		letter := deliver.Letter(deliver.Name(spool.Digest(), "mailto:paul@example.com"), deliver.Mail{Envelope: envelope, Text: wrapped})
		err = store.Update(t.Context(), "mailto:paul@example.com", func(tx stores.Tx) error { return tx.Send(letter) })
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Deliver(t.Context(), "mailto:paul@example.com", letter.Name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		enclosed := "\nContent-Disposition: inline\n\n" + strings.ReplaceAll(message, "\r\n", "\n") + "\n--"
		mails = d.mails(t, name+"-wrapped")
		if len(mails) != 1 || strings.Count(mails[0], enclosed) != 1 {
			t.Errorf("%s: enclosed, the mailbox has %.1000q", name, mails)
		}
		spool.Close()
	}

	// What Dovecot refuses, and where it is not.
	connection, err := server.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	errs := connection.Send(t.Context(), "", []string{"paul@example.com", "x@"}, strings.NewReader("From: a@example.com\n\nx\n"))
	connection.Close()
	if errs[0] != nil || errs[1] == nil || len(d.mails(t, "paul")) != 1 {
		t.Errorf("results %v", errs)
	}
	server.Address = filepath.Join(d.dir, "none")
	if _, err := server.Connect(t.Context()); err == nil || !strings.Contains(fmt.Sprint(err), "none") {
		t.Errorf("no socket: %v", err)
	}
}
