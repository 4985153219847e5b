package service

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"imip-agent/tests/mailbox"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// lmtpService is a service by LMTP, with the servers behind it.
type lmtpService struct {
	*service
	lmtp            string
	mailbox, others *mailbox.Server
}

const room, roomAlias = "room@example.com", "meeting-room@example.com"

// extended is a room, too: its address has an extension, and stands in the list as it is.
const extended = "rooms+attic@example.com"

func furnishLMTP(t *testing.T, settings string) *lmtpService {
	t.Helper()
	s := &lmtpService{service: furnish(t, "")}
	s.lmtp = filepath.Join(string(s.room), "lmtp")
	var err error
	if s.mailbox, err = mailbox.LMTP(filepath.Join(string(s.room), "mailboxes")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.mailbox.Close)
	if s.others, err = mailbox.SMTP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.others.Close)
	aliases := filepath.Join(string(s.room), "aliases")
	if err := os.WriteFile(aliases, []byte("alias@example.com "+user(1)+"\n"+roomAlias+" "+room+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.configure(settings)
	s.prepareRun()
	return s
}

func (s *lmtpService) configure(settings string) {
	s.t.Helper()
	lines := fmt.Sprintf("MILTER_SOCKET = '%s'\nLMTP_SOCKET = '%s'\nMAILBOX_SERVER = '%s'\nSMTP_HOST = '%s'\nRESOURCES = '%s'\nALIASES = '%s'\n",
		s.socket, s.lmtp, s.mailbox.Place, s.others.Place, room+" "+extended, filepath.Join(string(s.room), "aliases"))
	if err := program.Settings(s.room, lines+settings); err != nil {
		s.t.Fatal(err)
	}
}

// prepareRun starts the service.
func (s *lmtpService) prepareRun() {
	s.t.Helper()
	s.run()
	s.until("the service takes mail by LMTP", func() bool {
		c, err := net.Dial("unix", s.lmtp)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// deliver hands in a mail, and returns the answer for each recipient: its code, and what follows. An error is of the connection.
func (s *lmtpService) deliver(from, text string, to ...string) ([]string, error) {
	conn, err := net.Dial("unix", s.lmtp)
	if err != nil {
		return nil, err
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	c.SubmissionTimeout, c.CommandTimeout = 5*time.Minute, 5*time.Minute
	if err := c.Hello("client.example.com"); err != nil {
		return nil, err
	}
	if err := c.Mail(from, nil); err != nil {
		return nil, err
	}
	answers := make([]string, len(to))
	said := func(i int, err error) {
		var answer *smtp.SMTPError
		switch {
		case err == nil:
			answers[i] = "250"
		case errors.As(err, &answer):
			answers[i] = fmt.Sprintf("%d %d.%d.%d %s", answer.Code, answer.EnhancedCode[0], answer.EnhancedCode[1], answer.EnhancedCode[2], answer.Message)
		default:
			answers[i] = err.Error()
		}
	}
	taken := 0
	for i, address := range to {
		err := c.Rcpt(address, nil)
		said(i, err)
		if err == nil {
			taken++
		}
	}
	if taken == 0 {
		return answers, nil
	}
	w, err := c.Data()
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	done, err := w.CloseWithLMTPResponse()
	var each smtp.LMTPDataError
	if err != nil && !errors.As(err, &each) {
		return nil, err
	}
	for i, address := range to {
		if refused := each[address]; refused != nil {
			said(i, refused)
		} else if done[address] == nil && answers[i] == "250" {
			return nil, fmt.Errorf("no answer for %s", address)
		}
	}
	_ = c.Quit() // all has been answered
	return answers, nil
}

// delivered hands in a mail that must be answered so for each recipient: an answer begins so.
func (s *lmtpService) delivered(from, text string, to ...string) func(want ...string) {
	s.t.Helper()
	answers, err := s.deliver(from, text, to...)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.stderr)
	}
	return func(want ...string) {
		s.t.Helper()
		for i := range to {
			if !strings.HasPrefix(answers[i], want[min(i, len(want)-1)]) {
				s.t.Errorf("for %s the answer is %q, want %q\n%s", to[i], answers[i], want[min(i, len(want)-1)], s.stderr)
			}
		}
	}
}

// box returns what is in a mailbox: "summary" for mails with one, "mail" for those as they came.
func (s *lmtpService) box(address string) (found []string) {
	for _, m := range s.mailbox.Taken() {
		switch {
		case m.To != address:
		case strings.Contains(m.Text, "X-IMIP-Agent: info\r\n"):
			found = append(found, "summary")
		default:
			found = append(found, "mail")
		}
	}
	return found
}

func (s *lmtpService) boxed(address string, want ...string) {
	s.t.Helper()
	if got := s.box(address); !slices.Equal(got, want) {
		s.t.Errorf("the mailbox of %s has %v, want %v", address, got, want)
	}
}

// invitation is a message of a stranger.
func invitation(uid string, attendees ...string) string {
	text := event("paul@example.org", "REQUEST", uid, 0)
	return strings.Replace(text, "ATTENDEE:mailto:other@example.com", "ATTENDEE:mailto:"+strings.Join(attendees, "\r\nATTENDEE:mailto:"), 1)
}

const plain = "From: paul@example.org\r\nTo: user1@example.com\r\nSubject: hello\r\n\r\nHello\r\n.\r\n..\r\n\r\r\n.x\r\n"

// The cases of the programs that mail systems pipe messages to, by LMTP.
func TestLMTP(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnishLMTP(t, "")
	run := func(name string, test func(t *testing.T)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			before := s.t
			s.t = t
			defer func() { s.t = before }()
			s.mailbox.Forget()
			s.others.Forget()
			test(t)
		})
	}
	const stranger = "paul@example.org"

	run("an invitation", func(t *testing.T) {
		s.delivered(stranger, invitation("a", user(1)), "USER1@Example.COM")("250")
		s.boxed(user(1), "summary")
		if !s.has("mailto:"+user(1), "objects", "a") {
			t.Error("it is not stored")
		}
		// Again, as after an answer that was lost: nothing more is delivered.
		s.delivered(stranger, invitation("a", user(1)), user(1))("250")
		s.boxed(user(1), "summary")
	})
	run("by an alias", func(t *testing.T) {
		s.delivered(stranger, invitation("alias", "alias@example.com"), "Alias@example.com")("250")
		s.boxed(user(1), "summary")
		if !s.has("mailto:"+user(1), "objects", "alias") {
			t.Error("it is not stored")
		}
	})
	run("no calendar", func(t *testing.T) {
		s.delivered(stranger, plain, user(2))("250")
		taken := s.mailbox.Taken()
		if want := strings.ReplaceAll(plain, "\r\r\n", "\r\n"); len(taken) != 1 || taken[0].Text != want || taken[0].From != stranger {
			t.Errorf("the mailbox has %+v", taken)
		}
		s.delivered(stranger, plain, user(2))("250")
		s.boxed(user(2), "mail")
	})
	run("the null sender", func(t *testing.T) {
		s.delivered("", strings.Replace(plain, "hello", "report", 1), user(2))("250")
		if taken := s.mailbox.Taken(); len(taken) != 1 || taken[0].From != "" {
			t.Errorf("the mailbox has %+v", taken)
		}
	})
	run("an extension", func(t *testing.T) {
		s.delivered(stranger, invitation("extended", user(2)), "user2+lists@example.com")("250")
		s.boxed("user2+lists@example.com", "mail")
		if s.has("mailto:"+user(2), "objects", "extended") || s.has("mailto:user2+lists@example.com") {
			t.Error("it is handled")
		}
	})
	run("an address in quotes", func(t *testing.T) {
		s.delivered(stranger, plain, `"a b\"c"@example.com`)("250")
		if taken := s.mailbox.Taken(); len(taken) != 1 || taken[0].To != `a b"c@example.com` { // as go-smtp has it
			t.Errorf("the mailbox has %+v", taken)
		}
	})
	run("a room", func(t *testing.T) {
		s.delivered(user(1), event(user(1), "REQUEST", "room-a", 0), "ROOM@example.com")("250")
		s.delivered(user(1), strings.ReplaceAll(event(user(1), "REQUEST", "room-b", 0), "other@example.com", room), room)("250")
		s.delivered(user(1), strings.ReplaceAll(event(user(1), "REQUEST", "room-c", 0), "other@example.com", room), roomAlias)("250")
		if !s.has("mailto:"+room, "objects", "room-b") {
			t.Error("it is not stored")
		}
		var answers []string
		for _, m := range s.others.Taken() {
			answers = append(answers, m.To)
			if !strings.Contains(m.Text, "METHOD:REPLY") {
				t.Errorf("the answer is %s", m.Text)
			}
		}
		if len(answers) != 2 || answers[0] != user(1) || len(s.mailbox.Taken()) > 0 {
			t.Errorf("answers to %v, in mailboxes %v", answers, s.mailbox.Taken())
		}
	})
	run("a copy", func(t *testing.T) {
		s.delivered(user(3), event(user(3), "REQUEST", "sent", 0), "people-outgoing+"+user(3))("250")
		s.delivered(user(3), event(user(4), "REQUEST", "forged", 0), "PEOPLE-outgoing+"+user(3))("250")
		if !s.has("mailto:"+user(3), "objects", "sent") || s.has("mailto:"+user(3), "objects", "forged") || s.has("mailto:"+user(4)) {
			t.Error("what is sent is not stored, or what is forged is")
		}
		if len(s.mailbox.Taken()) > 0 {
			t.Errorf("in mailboxes: %+v", s.mailbox.Taken())
		}
	})
	run("several recipients", func(t *testing.T) {
		text := invitation("several", user(5), user(6), room)
		s.mailbox.Refuse(user(6), 552)
		defer s.mailbox.Refuse(user(6), 0)
		s.delivered(stranger, text, user(5), user(6), room, "people-outgoing+"+user(5), user(5), "user5+x@example.com")(
			"250", "552 5.2.2 <user6@example.com> refused for this test", "250", "250", "250", "250")
		s.boxed(user(5), "summary")
		s.boxed(user(6))
		s.mailbox.Refuse(user(6), 0)
		s.delivered(stranger, text, user(5), user(6))("250")
		s.boxed(user(5), "summary")
		s.boxed(user(6), "summary")
	})
	run("a full mailbox", func(t *testing.T) {
		s.mailbox.Refuse("*", 452)
		text := invitation("full", user(7))
		s.delivered(stranger, text, user(7))("452 4.2.2 <user7@example.com> refused for this test")
		s.delivered(stranger, plain, user(7))("452 4.2.2 <user7@example.com> refused for this test")
		s.mailbox.Refuse("*", 0)
		s.delivered(stranger, text, user(7))("250")
		s.boxed(user(7), "summary")
	})
	run("nobody", func(t *testing.T) {
		s.mailbox.Refuse("nobody@example.com", 550)
		s.delivered(stranger, plain, "nobody@example.com")("550 5.2.2 ")
		if s.has("mailto:nobody@example.com") {
			t.Error("there is a directory of an address that the mailbox server does not know")
		}
	})
	run("a room whose address has an extension", func(t *testing.T) {
		before := len(s.others.Taken())
		s.delivered(user(1), strings.ReplaceAll(event(user(1), "REQUEST", "extended", 0), "other@example.com", extended), extended)("250")
		if taken := s.others.Taken()[before:]; len(taken) != 1 || taken[0].To != user(1) || !s.has("mailto:"+extended) {
			t.Errorf("answers: %+v", taken)
		}
	})
	run("no mail server for answers", func(t *testing.T) {
		s.others.Refuse("*", 451)
		text := strings.ReplaceAll(event(user(1), "REQUEST", "unanswered", 0), "other@example.com", room)
		s.delivered(user(1), text, room)("451 4.3.0 <room@example.com> the mail server ")
		s.others.Refuse("*", 0)
		s.delivered(user(1), text, room)("250")
		if taken := s.others.Taken(); len(taken) != 1 {
			t.Errorf("answers: %+v", taken)
		}
	})
	run("no store", func(t *testing.T) {
		if err := os.Rename(s.room.Store(), s.room.Store()+"-away"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.room.Store(), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s.delivered(stranger, invitation("away", user(8)), user(8))("451 4.3.0 ")
		s.delivered(user(8), event(user(8), "REQUEST", "away-sent", 0), "people-outgoing+"+user(8))("451 4.3.0 ")
		if err := errors.Join(os.Remove(s.room.Store()), os.Rename(s.room.Store()+"-away", s.room.Store())); err != nil {
			t.Fatal(err)
		}
		s.boxed(user(8))
		s.delivered(stranger, invitation("away", user(8)), user(8))("250")
		s.boxed(user(8), "summary")
	})
	run("much calendar data", func(t *testing.T) {
		text := strings.Replace(invitation("huge", user(9)), "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\n"+strings.Repeat("COMMENT:"+strings.Repeat("x", 60)+"\r\n", 20_000), 1)
		s.mailbox.Refuse(user(9), 550)
		s.delivered(stranger, text, user(9))("550 5.2.2 <user9@example.com> refused for this test")
		s.mailbox.Refuse(user(9), 0)
		s.delivered(stranger, text, user(9), "user9+x@example.com")("250")
		s.boxed(user(9), "summary")
		s.boxed("user9+x@example.com", "mail")
		sent := strings.ReplaceAll(text, "paul@example.org", user(9))
		s.delivered(user(9), sent, "people-outgoing+"+user(9))("250")
		s.sent(user(9), strings.ReplaceAll(sent, "UID:huge", "UID:milter"))
		s.until("the spool has handled it", func() bool { return s.drained() && s.has("mailto:"+user(9), "objects", "milter") })
		if n := strings.Count(s.stderr.String(), `msg="a message is handled in a process of its own"`); n != 4 {
			t.Errorf("%d processes of their own: %s", n, s.stderr)
		}
		if !s.has("mailto:"+user(9), "objects", "huge") {
			t.Error("it is not stored")
		}
	})
	run("much calendar data for an address like an option", func(t *testing.T) {
		const option = "--config=nowhere@example.com"
		text := strings.Replace(invitation("option", option), "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\n"+strings.Repeat("COMMENT:"+strings.Repeat("x", 60)+"\r\n", 20_000), 1)
		s.delivered(stranger, text, option)("250")
		s.boxed(option, "summary")
	})
	run("no mailbox server", func(t *testing.T) {
		s.mailbox.Close()
		s.delivered(stranger, invitation("closed", user(1)), user(1))("451 4.3.0 <user1@example.com> the mail for user1@example.com must wait: connect to the LMTP server ")
		s.delivered(stranger, invitation("closed", user(1)), user(1), room)("451 4.3.0 <user1@example.com> the mail for user1@example.com must wait: connect to the LMTP server ", "250")
	})
	run("the mailbox server is back", func(t *testing.T) {
		before := s.mailbox.Place
		var err error
		if s.mailbox, err = mailbox.LMTP(before); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.mailbox.Close() })
		s.delivered(stranger, invitation("closed", user(1)), user(1))("250")
		s.boxed(user(1), "summary")
		for restarts := range 2 { // the service notices when it has the next mail
			s.mailbox.Close()
			if s.mailbox, err = mailbox.LMTP(before); err != nil {
				t.Fatal(err)
			}
			s.delivered(stranger, invitation(fmt.Sprint("back-", restarts), user(1)), user(1))("250")
			s.boxed(user(1), "summary")
			s.delivered(stranger, strings.Replace(plain, "hello", fmt.Sprint("back-", restarts), 1), user(2))("250")
			s.boxed(user(2), "mail")
		}
	})
}

// SERVE_SIZE_LIMIT is for mail that users send past the service: what is handed in by LMTP is handled whatever its size is, as by
// the programs.
func TestLMTPSize(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnishLMTP(t, "SERVE_SIZE_LIMIT = 1000\n")
	sized := func(text string) string {
		return strings.Replace(text, "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\n"+strings.Repeat("COMMENT:"+strings.Repeat("x", 60)+"\r\n", 20), 1)
	}
	s.delivered("paul@example.org", sized(invitation("large", user(1), room)), user(1), room)("250")
	s.delivered(user(2), sized(event(user(2), "REQUEST", "large", 0)), "people-outgoing+"+user(2))("250")
	s.boxed(user(1), "summary")
	for _, address := range []string{user(1), room, user(2)} {
		if !s.has("mailto:"+address, "objects", "large") {
			t.Errorf("it is not stored for %s", address)
		}
	}
	if answers := s.others.Taken(); len(answers) != 1 || answers[0].To != "paul@example.org" {
		t.Errorf("answers: %+v", answers)
	}
}

// SIGTERM: mail that has been handed in is answered before the service ends, and mail systems that say nothing do
// not keep it. By systemd, a socket of that name is for LMTP.
func TestLMTPBySystemd(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnishLMTP(t, "")
	if status := s.kill(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d: %s", status, s.stderr)
	}
	s.prepareBySystemd(s.lmtp, "LISTEN_FDNAMES=lmtp")
	slow := slowly(t, s.mailbox.Place)
	s.configure("MAILBOX_SERVER = '" + slow.place + "'\n")
	s.start()
	idle, err := net.Dial("unix", s.lmtp)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()

	// The mailbox server takes its time.
	answers := make(chan []string, 1)
	go func() {
		got, err := s.deliver("paul@example.org", invitation("b", user(1)), user(1))
		if err != nil {
			got = []string{err.Error()}
		}
		answers <- got
	}()
	held := <-slow.held
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, idle); err != nil { // it is told to leave
		t.Error(err)
	}
	held()
	if got := <-answers; !slices.Equal(got, []string{"250"}) {
		t.Errorf("the answers are %q\n%s", got, s.stderr)
	}
	if status := s.kill(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d: %s", status, s.stderr)
	}
	s.boxed(user(1), "summary")
}

// slow stands before a server. It holds each connection until it is told to go on.
type slow struct {
	place string
	held  chan func() // what has a connection go on
}

func slowly(t *testing.T, place string) *slow {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "slow"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &slow{place: l.Addr().String(), held: make(chan func())}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				on := make(chan struct{})
				select {
				case s.held <- func() { close(on) }:
				case <-t.Context().Done():
					return
				}
				<-on
				server, err := net.Dial("unix", place)
				if err != nil {
					return
				}
				defer server.Close()
				go io.Copy(server, client)
				io.Copy(client, server)
			}()
		}
	}()
	return s
}

// With SPOOL_FIRST, mail for rooms is answered with 250 when it is in the spool, and handled in its order; mail for users is handled before
// the answer.
func TestLMTPSpoolFirst(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnishLMTP(t, "SPOOL_FIRST = True\n")
	text := func(method, uid string, sequence int) string {
		return strings.ReplaceAll(event(user(1), method, uid, sequence), "other@example.com", room)
	}
	answers := func() (n int) {
		for _, m := range s.others.Taken() {
			if m.To == user(1) && strings.Contains(m.Text, "METHOD:REPLY") {
				n++
			}
		}
		return n
	}
	s.others.Refuse("*", 451)
	s.delivered(user(1), text("REQUEST", "a", 0), room)("250")
	s.delivered(user(1), strings.ReplaceAll(text("REQUEST", "c", 0), room, extended), extended)("250")
	s.delivered(user(1), text("CANCEL", "a", 1), roomAlias)("250") // which waits among those of the room
	s.delivered(user(1), plain, room)("250")
	s.delivered("", text("REQUEST", "automatic", 0), room)("250") // to which nobody answers
	s.until("it has been tried", func() bool {
		tried, err := filepath.Glob(s.spool("*.txt"))
		return err == nil && len(tried) == 2
	})
	if left := s.left(); left != 4 || answers() > 0 {
		t.Errorf("%d wait, %d answers", left, answers())
	}
	if _, said := s.admin("queue", "list", "--json"); strings.Count(said, `"recipient":"`+room+`","source":"lmtp"`) != 3 || strings.Count(said, `"sender":"`+user(1)+`"`) != 3 {
		t.Errorf("the queue: %s", said)
	}
	s.mailbox.Refuse(user(2), 452)
	s.delivered("paul@example.org", invitation("b", user(2)), user(2))("452 4.2.2 ")
	s.others.Refuse("*", 0)
	if status, said := s.admin("queue", "retry"); status != 0 {
		t.Errorf("status %d: %s", status, said)
	}
	s.cancelled(room, "a")
	s.until("the other room has answered", func() bool { return answers() >= 2 })
	if n := answers(); n != 2 || !s.has("mailto:"+room) || !s.has("mailto:"+extended) {
		t.Errorf("%d answers", n)
	}
	s.wantClean()
}
