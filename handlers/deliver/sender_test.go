package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/clock"
	"imip-agent/tests/skip"
)

const (
	paul    calendar.URI = "mailto:paul@example.com"
	vincent calendar.URI = "mailto:vincent@example.com"
)

// house is a store with two servers.
type house struct {
	dir             string
	store           stores.Store
	mailbox, others *sink
	sender          *Sender
	log             *strings.Builder
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{dir: t.TempDir(), mailbox: newSink(t, true), others: newSink(t, false), log: new(strings.Builder)}
	h.store = openStore(t, h.dir)
	h.sender = &Sender{Outbox: h.store, Mailbox: h.mailbox.Server, Others: h.others.Server, Keep: Kept, Log: slog.New(slog.NewTextHandler(h.log, nil))}
	t.Cleanup(func() { h.sender.Close(); h.store.Close() })
	return h
}

func openStore(t testing.TB, dir string) stores.Store {
	t.Helper()
	s, err := file.Open(file.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// post puts a letter into a user's outbox.
func (h *house) post(t *testing.T, user calendar.URI, l stores.Letter) {
	t.Helper()
	if err := h.store.Update(t.Context(), user, func(tx stores.Tx) error { return tx.Send(l) }); err != nil {
		t.Fatal(err)
	}
}

// age makes a letter look as old as it says.
func (h *house) age(t *testing.T, user calendar.URI, name string, age time.Duration) {
	t.Helper()
	at := clock.Kernel().Add(-age)
	if err := os.Chtimes(filepath.Join(h.dir, string(user), "__outbox__", name), at, at); err != nil {
		t.Fatal(err)
	}
}

// left describes what is in a user's outbox.
func (h *house) left(t *testing.T, user calendar.URI) string {
	t.Helper()
	letters, err := h.store.Letters(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, l := range letters {
		found[l.Name] = l.Left
	}
	return strings.TrimPrefix(fmt.Sprint(found), "map")
}

func toMailbox(to, text string) Mail {
	return Mail{Envelope{Mailbox: true, From: "a@example.com", To: to}, stores.Mail(text)}
}

func toOther(to, text string) Mail {
	return Mail{Envelope{From: "calendar@example.com", To: to}, stores.Mail(text)}
}

func TestDeliver(t *testing.T) {
	h := newHouse(t)
	h.post(t, paul, Letter("m", toOther("450@example.com", "one\r\n"), toOther("550@example.com", "two\r\n"), toMailbox("paul@example.com", "mail\n"), toOther("z@example.com", "three\r\n")))
	if err := h.sender.Deliver(t.Context(), paul, "m"); err == nil {
		t.Error("no error, though one is refused for now")
	}
	want(t, "left", h.left(t, paul), "[m:1]")
	want(t, "mailbox", h.mailbox.all(), []taken{{"a@example.com", "paul@example.com", "mail\r\n"}})
	want(t, "others", h.others.all(), []taken{{"calendar@example.com", "z@example.com", "three\r\n"}})
	if !strings.Contains(h.log.String(), "is dropped") || !strings.Contains(h.log.String(), "550@example.com") {
		t.Errorf("log: %s", h.log)
	}
	if err := h.sender.Deliver(t.Context(), paul, "none"); err != nil {
		t.Errorf("a letter that is not there: %v", err)
	}
}

// A mail of which the letter has only the making stays until somebody has what it is made of.
// A mail that is in no letter goes out once, and nothing is noted that has not gone out.
func TestOnce(t *testing.T) {
	h := newHouse(t)
	once := func(name, to string) error {
		return h.sender.Once(t.Context(), paul, name, Envelope{Mailbox: true, From: "a@example.com", To: to}, strings.NewReader(name+"\n"))
	}
	for range 2 {
		if err := once("a", "paul@example.com"); err != nil {
			t.Error(err)
		}
		if err := once("b", "450@example.com"); err == nil {
			t.Error("no error, though it is refused for now")
		}
	}
	want(t, "mailbox", h.mailbox.all(), []taken{{"a@example.com", "paul@example.com", "a\r\n"}})
	want(t, "left", h.left(t, paul), "[a:0]")

	// A letter of that name goes first.
	h.post(t, paul, Letter("c", toMailbox("paul@example.com", "letter\n")))
	if err := once("c", "paul@example.com"); err != nil {
		t.Error(err)
	}
	want(t, "mailbox", h.mailbox.all()[1:], []taken{{"a@example.com", "paul@example.com", "letter\r\n"}})
	want(t, "left", h.left(t, paul), "[a:0 c:0]")

	// What is delivered has been, whatever becomes of the note.
	h.sender.Outbox = forgetful{h.store}
	if err := once("d", "paul@example.com"); err != nil || !strings.Contains(h.log.String(), "not noted") {
		t.Errorf("%v, %s", err, h.log)
	}
	want(t, "mailbox", len(h.mailbox.all()), 3)
	h.sender.Outbox = unreadable{h.store}
	if err := once("e", "paul@example.com"); err == nil {
		t.Error("no error, though nobody knows whether it was delivered")
	}
	want(t, "mailbox", len(h.mailbox.all()), 3)

	// Nothing stays where nothing is to.
	h.sender.Outbox, h.sender.Keep = h.store, 0
	if err := once("f", "paul@example.com"); err != nil {
		t.Error(err)
	}
	want(t, "mailbox", len(h.mailbox.all()), 4)
	want(t, "left", h.left(t, paul), "[a:0 c:0]")
}

// A mail that the server does not want leaves nothing in the store: anybody can send to addresses that nobody has. What a
// note needs is there before the server has the whole mail.
func TestOnceLeavesNothing(t *testing.T) {
	h := newHouse(t)
	ready := new(watchedOutbox)
	ready.Store, h.sender.Outbox = h.store, ready
	once := func(to string) error {
		text := readerFunc(func([]byte) (int, error) { ready.read = append(ready.read, ready.made); return 0, io.EOF })
		return h.sender.Once(t.Context(), calendar.NewURI(to), "a", Envelope{Mailbox: true, From: "a@example.com", To: to}, text)
	}
	for _, nobody := range []string{"550@example.com", "450@example.com", "a\nb@example.com"} {
		if err := once(nobody); err == nil {
			t.Errorf("%q: no error", nobody)
		}
	}
	h.mailbox.refuses("mail", 452)
	if err := once("vincent@example.com"); err == nil {
		t.Error("no error, though no mail is wanted")
	}
	h.mailbox.refuses("mail", 0)
	users, err := os.ReadDir(h.dir)
	if err != nil || len(users) > 0 {
		t.Errorf("in the store: %v, %v", users, err)
	}
	if err := once("paul@example.com"); err != nil {
		t.Error(err)
	}
	want(t, "ready when the mail is read", ready.read, []int{1})
	want(t, "left", h.left(t, paul), "[a:0]")
}

// watchedOutbox counts how often it was made ready.
type watchedOutbox struct {
	stores.Store
	made int
	read []int // how often, each time that a mail was read
}

func (o *watchedOutbox) Ready(ctx context.Context, user calendar.URI) error {
	o.made++
	return o.Store.Ready(ctx, user)
}

type readerFunc func([]byte) (int, error)

func (r readerFunc) Read(p []byte) (int, error) { return r(p) }

// forgetful is an outbox that cannot be written to, unreadable one that cannot be read.
type (
	forgetful  struct{ stores.Store }
	unreadable struct{ stores.Store }
)

func (forgetful) Note(context.Context, calendar.URI, string) error { return errors.New("no room") }

func (unreadable) Noted(context.Context, calendar.URI, string) (bool, error) {
	return false, errors.New("no luck")
}

func TestMake(t *testing.T) {
	h := newHouse(t)
	envelope := Envelope{Mailbox: true, Made: true, From: "a@example.com", To: "paul@example.com"}
	h.post(t, paul, Letter("m", Mail{envelope, stores.Mail("how")}, toOther("z@example.com", "answer\r\n")))
	if err := h.sender.Deliver(t.Context(), paul, "m"); err == nil || !strings.Contains(err.Error(), "until the mail system hands in its message again") {
		t.Errorf("error %v", err)
	}
	want(t, "left", h.left(t, paul), "[m:1]")
	h.age(t, paul, "m", 2*young)
	if err := h.sender.Rest(t.Context(), paul); err != nil {
		t.Errorf("that a message is awaited is an error: %v", err)
	}
	want(t, "left", h.left(t, paul), "[m:1]")
	broken := errors.New("no luck")
	h.sender.Make = func(Envelope, io.Reader) (io.ReadCloser, error) { return nil, broken }
	if err := h.sender.Deliver(t.Context(), paul, "m"); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	h.sender.Make = func(e Envelope, of io.Reader) (io.ReadCloser, error) {
		how, err := io.ReadAll(of)
		return io.NopCloser(strings.NewReader("made for " + e.To + ": " + string(how) + "\r\n")), err
	}
	if err := h.sender.Deliver(t.Context(), paul, "m"); err != nil {
		t.Error(err)
	}
	want(t, "mailbox", h.mailbox.all(), []taken{{"a@example.com", "paul@example.com", "made for paul@example.com: how\r\n"}})
	want(t, "others", h.others.all(), []taken{{"calendar@example.com", "z@example.com", "answer\r\n"}})
}

// The mailbox comes first, whatever the order; one that refuses is not given up, and does not
// hold up the answers.
func TestMailboxFirst(t *testing.T) {
	h := newHouse(t)
	h.post(t, paul, Letter("m", toOther("a@example.com", "answer\r\n"), toMailbox("paul@example.com", "mail\r\n")))
	for _, code := range []int{554, 451} {
		h.mailbox.refuses("data", code)
		err := h.sender.Deliver(t.Context(), paul, "m")
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Code != code {
			t.Errorf("got %v", err)
		}
		want(t, "left", h.left(t, paul), "[m:1]")
		want(t, "answers", len(h.others.all()), 1)
	}
	h.mailbox.refuses("data", 0)
	for range 2 {
		if err := h.sender.Deliver(t.Context(), paul, "m"); err != nil {
			t.Error(err)
		}
	}
	want(t, "left", h.left(t, paul), "[m:0]")
	want(t, "mails", len(h.mailbox.all())+len(h.others.all()), 2)

	h.sender.Keep = 0
	if err := h.sender.Deliver(t.Context(), paul, "m"); err != nil {
		t.Error(err)
	}
	want(t, "left", h.left(t, paul), "[]")
}

// Mails are shown instead of sent, without a server.
func TestInstead(t *testing.T) {
	h := newHouse(t)
	var shown strings.Builder
	h.sender = &Sender{Outbox: h.store, Instead: &shown, Log: h.sender.Log}
	h.post(t, paul, Letter("m", toOther("a@example.com", "answer\n"), toMailbox("paul@example.com", "mail\n")))
	if err := h.sender.Deliver(t.Context(), paul, "m"); err != nil {
		t.Error(err)
	}
	want(t, "shown", shown.String(), "mail from <a@example.com> for the mailbox of <paul@example.com>\nmail\nmail from <calendar@example.com> for <a@example.com>\nanswer\n")
	want(t, "left", h.left(t, paul), "[]")
}

// A large mail is never in memory: not as it came, nor enclosed, nor on its way.
func TestLarge(t *testing.T) {
	skip.OnOtherDays(t)
	h := newHouse(t)
	h.mailbox.sizes = true
	spool := mail.NewSpool(t.TempDir())
	defer spool.Close()
	io.WriteString(spool, "From: a@example.com\r\n\r\n")
	line := strings.Repeat("x", 76) + "\r\n"
	for spool.Size() < 40<<20 {
		if _, err := io.WriteString(spool, line); err != nil {
			t.Fatal(err)
		}
	}
	wrapped, err := mail.Wrap("text\n", spool)
	if err != nil {
		t.Fatal(err)
	}
	envelope := Envelope{Mailbox: true, To: "paul@example.com"}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h.post(t, paul, Letter("m", Mail{envelope, wrapped}))
	if err := h.sender.Deliver(t.Context(), paul, "m"); err != nil {
		t.Fatal(err)
	}
	if err := h.sender.Hand(t.Context(), envelope, spool.Open()); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	taken := h.mailbox.all()
	if len(taken) != 2 || taken[0].text <= taken[1].text || taken[1].text != fmt.Sprint(spool.Size(), " octets") {
		t.Errorf("taken: %v", taken)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("two mails of 40 MB took %d octets of memory", took)
	}
}

// A server that cannot be reached is tried once.
func TestServerGone(t *testing.T) {
	h := newHouse(t)
	calls := 0
	h.sender.Mailbox = &Server{LMTP: true, Network: "unix", Address: "/none", dial: func(context.Context, string, string) (net.Conn, error) {
		calls++
		return nil, syscall.ECONNREFUSED
	}}
	h.post(t, paul, Letter("m", toMailbox("paul@example.com", "1\r\n"), toMailbox("paul@example.com", "2\r\n"), toOther("a@example.com", "3\r\n")))
	if err := h.sender.Deliver(t.Context(), paul, "m"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	want(t, "left", h.left(t, paul), "[m:2]")
	want(t, "tries", calls, 1)

	h.sender.Close()
	h.sender.Others = nil
	h.post(t, paul, Letter("n", toOther("a@example.com", "x\r\n")))
	if err := h.sender.Deliver(t.Context(), paul, "n"); !errors.Is(err, errNoServer) {
		t.Errorf("no server: %v", err)
	}
}

// A server that ends a connection between two mails is connected to again.
func TestServerLeaves(t *testing.T) {
	h := newHouse(t)
	for n := range 3 {
		if err := h.sender.Hand(t.Context(), Envelope{To: "a@example.com"}, strings.NewReader(fmt.Sprintf("%d\r\n", n))); err != nil {
			t.Fatal(err)
		}
		h.sender.others.connection.conn.Conn.Close()
	}
	want(t, "mails", len(h.others.all()), 3)
}

func TestRest(t *testing.T) {
	h := newHouse(t)
	for name, age := range map[string]time.Duration{"late": 3 * time.Hour, "later": 2 * time.Hour, "young": 0, "old": GivenUp + time.Hour} {
		h.post(t, paul, Letter(name, toMailbox("paul@example.com", name+"\r\n")))
		h.age(t, paul, name, age)
	}
	h.post(t, paul, Letter("done"))
	h.post(t, paul, Letter("forgotten"))
	h.age(t, paul, "done", Kept-time.Hour)
	h.age(t, paul, "forgotten", Kept+time.Hour)
	h.post(t, vincent, Letter("other", toOther("450@example.com", "x\r\n"), toOther("a@example.com", "y\r\n")))
	h.age(t, vincent, "other", time.Hour)

	if err := h.sender.Rest(t.Context(), paul); err != nil {
		t.Error(err)
	}
	want(t, "left", h.left(t, paul), "[done:0 late:0 later:0 young:1]")
	want(t, "mailbox", h.mailbox.all(), []taken{{"a@example.com", "paul@example.com", "late\r\n"}, {"a@example.com", "paul@example.com", "later\r\n"}})
	if !strings.Contains(h.log.String(), "letter=old mails=1") || strings.Contains(h.log.String(), "forgotten") {
		t.Errorf("log: %s", h.log)
	}
	h.post(t, paul, Letter("another", toMailbox("paul@example.com", "another\r\n")))
	h.age(t, paul, "another", time.Hour)
	if err := h.sender.All(t.Context()); err == nil || !strings.Contains(err.Error(), "450") || !strings.Contains(err.Error(), "letter other of mailto:vincent@example.com") {
		t.Errorf("got %v", err)
	}
	want(t, "left", h.left(t, paul)+h.left(t, vincent), "[another:0 done:0 late:0 later:0 young:1][other:1]")

	// Somebody else is at it.
	h.post(t, paul, Letter("taken", toMailbox("paul@example.com", "taken\r\n")))
	h.age(t, paul, "taken", time.Hour)
	err := h.store.Deliver(t.Context(), paul, "taken", func(int, io.Reader) error {
		return h.sender.Rest(t.Context(), paul)
	})
	if err != nil {
		t.Error(err)
	}
	want(t, "mailbox", len(h.mailbox.all()), 3)
}

// A mail in a letter that is none of ours stays, and is told of.
func TestStrangeLetter(t *testing.T) {
	h := newHouse(t)
	for name, text := range map[string]string{
		"empty": "", "text": "From: a@example.com\r\n\r\n", "nobody": "{}\n\r\n", "newer": `{"to":"a@example.com","when":"later"}` + "\n\r\n", "long": strings.Repeat(" ", 100_000) + "\n",
	} {
		h.post(t, paul, stores.Letter{Name: name, Mails: []io.WriterTo{stores.Mail(text)}})
		if err := h.sender.Deliver(t.Context(), paul, name); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	want(t, "left", h.left(t, paul), "[empty:1 long:1 newer:1 nobody:1 text:1]")
}

func TestName(t *testing.T) {
	a, b := Name([32]byte{1}, paul), Name([32]byte{1}, vincent)
	if a == b || a != Name([32]byte{1}, paul) || a == Name([32]byte{2}, paul) || stores.CheckLetterName(a) != nil {
		t.Errorf("%s, %s", a, b)
	}
}

// The program that is killed is this test's own binary: it handles a message as a
// program does, up to a step at which it kills itself.
const childVariable = "IMIP_AGENT_DELIVER_CHILD"

// runChild does not return in such a program.
func runChild() {
	args := strings.Split(os.Getenv(childVariable), "|")
	if len(args) < 5 {
		return
	}
	step, err := strconv.Atoi(args[4])
	if err == nil {
		err = child(args[0], calendar.URI(args[1]), args[2], args[3], &killer{at: step})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(75)
	}
	os.Exit(0)
}

// killer ends the program at a step.
type killer struct{ n, at int }

func (k *killer) step() {
	if k.n++; k.n == k.at {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// killing is a connection of which each read and write is a step, and so is what comes after it.
type killing struct {
	net.Conn
	*killer
}

func (c killing) Read(p []byte) (int, error) {
	c.step()
	defer c.step()
	return c.Conn.Read(p)
}

func (c killing) Write(p []byte) (int, error) {
	c.step()
	defer c.step()
	return c.Conn.Write(p)
}

// killingOutbox is an outbox of which each crossing off is a step.
type killingOutbox struct {
	stores.Outbox
	*killer
}

func (o killingOutbox) Deliver(ctx context.Context, user calendar.URI, name string, send func(int, io.Reader) error) error {
	o.step()
	defer o.step()
	return o.Outbox.Deliver(ctx, user, name, func(number int, mail io.Reader) error {
		o.step()
		defer o.step()
		return send(number, mail)
	})
}

const change = "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20261122T120000Z\r\nSEQUENCE:0\r\nEND:VEVENT\r\n"

// child handles a message: it changes a record, and owes the message to the mailbox, and two
// answers.
func child(place string, paul calendar.URI, lmtp, smtp string, k *killer) error {
	ctx := context.Background()
	store, err := openPlace(ctx, place)
	if err != nil {
		return err
	}
	defer store.Close()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		k.step()
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return killing{conn, k}, err
	}
	mailbox, err1 := LMTPServer(lmtp)
	others, err2 := SMTPServer(smtp)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	mailbox.dial, others.dial = dial, dial
	spool := mail.NewSpool("")
	defer spool.Close()
	if _, err := io.Copy(spool, strings.NewReader(crashMessage)); err != nil {
		return err
	}
	name := Name(spool.Digest(), paul)
	k.step()
	err = store.Update(ctx, paul, func(tx stores.Tx) error {
		if sent, err := tx.Sent(name); sent || err != nil {
			return err
		}
		key := stores.Key{ID: stores.ID{UID: "u"}}
		if _, err := tx.Get(key); err == nil {
			return errors.New("the record has been changed already, and no letter says so")
		}
		wrapped, err := mail.Wrap("A mail.\n", spool)
		if err != nil {
			return err
		}
		letter := Letter(name, Mail{Envelope{Mailbox: true, From: "a@example.com", To: "paul@example.com"}, wrapped}, toOther("one@example.com", "1\r\n"), toOther("two@example.com", "2\r\n"))
		return errors.Join(tx.Put(key, []byte(change)), tx.Send(letter))
	})
	if err != nil {
		return err
	}
	k.step()
	sender := &Sender{Outbox: killingOutbox{store, k}, Mailbox: mailbox, Others: others, Keep: Kept, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	err = sender.Deliver(ctx, paul, name)
	k.step()
	if err == nil {
		err = sender.Rest(ctx, paul)
	}
	sender.Close()
	k.step()
	return err
}

// openPlace opens the store at a place: a directory, or what PostgreSQL connects by.
func openPlace(ctx context.Context, place string) (stores.Store, error) {
	if filepath.IsAbs(place) {
		return file.Open(file.Options{Dir: place})
	}
	return postgresql.Open(ctx, postgresql.Options{ConnInfo: place})
}

var crashMessage = "From: a@example.com\n\n" + strings.Repeat("What must get there once.\n", 1000)

// TestKilled kills the program at each of its steps, and handles the message again: each mail
// is handed over once, but for a mail that was taken and not yet crossed off.
func TestKilled(t *testing.T) {
	skip.OnOtherDays(t)
	t.Run("files", func(t *testing.T) { testKilled(t, "", stride) })
	t.Run("PostgreSQL", func(t *testing.T) {
		stride := 7 * stride
		if os.Getenv("IMIP_AGENT_FULL") != "" {
			stride = 1
		}
		place := postgresqltest.Database(t)
		s, err := postgresql.Open(t.Context(), postgresql.Options{ConnInfo: place})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.CreateSchema(t.Context()); err != nil {
			t.Fatal(err)
		}
		testKilled(t, place, stride)
	})
}

// testKilled does so in the database at a place, or in new files.
func testKilled(t *testing.T, place string, stride int) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	again := 0
	step := 1
	for ; ; step += stride {
		h := newHouse(t)
		if place != "" {
			h.store.Close()
			if h.store, err = openPlace(t.Context(), place); err != nil {
				t.Fatal(err)
			}
		}
		paul := calendar.URI(fmt.Sprintf("mailto:paul-%d@example.com", step))
		tries := 0
		var run func(step int) error
		run = func(step int) error {
			cmd := exec.Command(binary)
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%s|%s|%d", childVariable, cmp.Or(place, h.dir), paul, h.mailbox.Address, h.others.Address, step))
			out, err := cmd.CombinedOutput()
			// The database may not have seen yet that somebody was killed. The mail system tries again.
			if step == 0 && strings.Contains(string(out), stores.ErrLocked.Error()) && tries < 1200 {
				tries++
				time.Sleep(50 * time.Millisecond)
				return run(step)
			}
			if err != nil && step == 0 {
				t.Fatalf("step %d: %v: %s", step, err, out)
			}
			return err
		}
		err := run(step)
		var exit *exec.ExitError
		killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		if err != nil && !killed {
			t.Fatalf("step %d: %v", step, err)
		}
		h.mailbox.settle()
		h.others.settle()
		before := map[string]bool{}
		for _, m := range append(h.mailbox.all(), h.others.all()...) {
			before[m.to] = true
		}
		// Which mails are taken, and not crossed off?
		twice := map[string]bool{}
		letters, err := h.store.Letters(t.Context(), paul)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range letters {
			look := func(_ int, mail io.Reader) error {
				envelope, _, err := Open(mail)
				if err != nil {
					t.Error(err)
				}
				twice[envelope.To] = before[envelope.To]
				return errors.New("it stays")
			}
			for errors.Is(h.store.Deliver(t.Context(), paul, l.Name, look), stores.ErrLocked) && tries < 1200 {
				tries++
				time.Sleep(50 * time.Millisecond)
			}
		}
		if lock := filepath.Join(h.dir, string(paul), "__lock__"); exists(lock) {
			old := clock.Kernel().Add(-time.Hour)
			if err := os.Chtimes(lock, old, old); err != nil {
				t.Fatal(err)
			}
		}
		run(0)
		run(0) // the mail system, too, can lose what it was told
		count := map[string]int{}
		texts := map[string]string{}
		for _, m := range append(h.mailbox.all(), h.others.all()...) {
			count[m.to]++
			if text := texts[m.to]; text != "" && text != m.text {
				t.Errorf("step %d: %s got another mail the second time", step, m.to)
			}
			texts[m.to] = m.text
		}
		for _, to := range []string{"paul@example.com", "one@example.com", "two@example.com"} {
			expected := 1
			if twice[to] {
				expected, again = 2, again+1
			}
			if count[to] != expected {
				t.Errorf("step %d: %s got the mail %d times, not %d", step, to, count[to], expected)
			}
		}
		if !strings.Contains(texts["paul@example.com"], strings.ReplaceAll(crashMessage, "\n", "\r\n")) {
			t.Errorf("step %d: the message is not in the mailbox as it came", step)
		}
		h.sender.Close()
		h.store.Close()
		if !killed {
			break
		}
		if t.Failed() {
			break
		}
	}
	t.Logf("%d steps, at %d of them a mail was handed over again", step-1, again)
	// How many steps there are depends on how many answers of a server are read at once.
	if step < 40 || again > step/3 || again == 0 && stride == 1 {
		t.Errorf("%d steps, at %d of them a mail was handed over again: are these all?", step-1, again)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
