package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"imip-agent/stores/rejected"
)

// site is a queue, and what has been handled.
type site struct {
	*Queue
	t   *testing.T
	log bytes.Buffer

	mu      sync.Mutex
	now     time.Time
	handled []string         // "user: message", in order
	fails   map[string]error // by message
	panics  map[string]bool  // by message
	batches []int
	gate    chan struct{} // closed: messages are handled
}

var errAway = errors.New("the database is away")

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, now: received, fails: map[string]error{}, panics: map[string]bool{}, gate: make(chan struct{})}
	close(s.gate)
	now := func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.now
	}
	dir := filepath.Join(t.TempDir(), "spool")
	s.Queue = &Queue{
		Dir: &Dir{Path: dir, Now: now}, Handle: s.handle, Away: func(err error) bool { return errors.Is(err, errAway) },
		Rejected: &rejected.Dir{Path: dir + "-rejected", Now: now}, Now: now, Poll: 20 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(&locked{w: &s.log, mu: &s.mu}, nil)),
	}
	return s
}

// locked is a writer for many.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (s *site) handle(_ context.Context, messages []*Message) []error {
	<-s.gate
	results := make([]error, len(messages))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, len(messages))
	for i, m := range messages {
		content, err := io.ReadAll(m)
		if err != nil {
			s.t.Error(err)
		}
		if s.panics[string(content)] {
			panic("a bug")
		}
		if results[i] = s.fails[string(content)]; results[i] != nil {
			break
		}
		s.handled = append(s.handled, m.Lane()+": "+string(content))
	}
	return results
}

func (s *site) put(user, message string) {
	s.t.Helper()
	if err := s.Put(Note{User: user}, text(message), int64(len(message))); err != nil {
		s.t.Fatal(err)
	}
}

// run runs the queue until stop is called, which returns when it has ended.
func (s *site) run() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	}
}

// open locks the spool and finds its messages, without workers.
func (s *site) open() (unlock func()) {
	s.t.Helper()
	ids, unlock, err := s.begin()
	if err != nil {
		s.t.Fatal(err)
	}
	s.fill(s.t.Context(), ids)
	return unlock
}

// until waits until something is so.
func (s *site) until(what string, is func() bool) {
	s.t.Helper()
	for began := time.Now(); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			s.t.Fatalf("not within a minute: %s\n%s", what, s.logged())
		}
	}
}

// untilTried waits until a user's first message has been tried so often, and waits for its next try. Its note says so a little
// before the queue does.
func (s *site) untilTried(user, id string, tries int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%s is tried %d times", id, tries), func() bool {
		s.Queue.mu.Lock()
		l := s.lanes[user]
		waits := l != nil && !l.busy && s.Now().Before(l.due)
		s.Queue.mu.Unlock()
		try, err := s.Dir.Try(id)
		return waits && err == nil && try.Tries == tries
	})
}

func (s *site) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *site) empty() bool {
	ids, err := s.Dir.IDs()
	return err == nil && len(ids) == 0
}

// of returns what was handled of a user.
func (s *site) of(user string) (messages []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.handled {
		if message, ok := strings.CutPrefix(line, user+": "); ok {
			messages = append(messages, message)
		}
	}
	return messages
}

func (s *site) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *site) want(user string, messages ...string) {
	s.t.Helper()
	if got := s.of(user); !slices.Equal(got, messages) {
		s.t.Errorf("handled of %s: %q, want %q\n%s", user, got, messages, s.logged())
	}
}

const paul, vincent = "paul@example.com", "vincent@example.com"

// Messages are handled in their order, those that were there before, those that come, and those of other programs.
func TestQueue(t *testing.T) {
	s := newSite(t)
	s.put(paul, "1")
	s.put(vincent, "1")
	s.put("Paul@Example.com", "2")
	stop := s.run()
	s.put(paul, "3")
	other := &Dir{Path: s.Dir.Path, Now: s.Now}
	put(t, other, paul, "4")
	s.until("all is handled", s.empty)
	put(t, other, vincent, "2")
	s.until("all is handled", s.empty)
	stop()
	s.want(paul, "1", "2", "3", "4")
	s.want(vincent, "1", "2")
	if got := names(t, s.Dir); !slices.Equal(got, []string{"last", "running"}) {
		t.Errorf("left: %q", got)
	}
	if d := s.Depth(); d != (Depth{}) {
		t.Errorf("depth %+v", d)
	}
	// What comes when the queue has ended is there at the next start.
	s.put(paul, "5")
	stop = s.run()
	s.until("all is handled", s.empty)
	stop()
	s.want(paul, "1", "2", "3", "4", "5")
}

// Messages of one user that wait are handled together, others beside them.
func TestTogether(t *testing.T) {
	s := newSite(t)
	for i := range 250 {
		s.put(paul, fmt.Sprint(i))
	}
	s.put(vincent, "1")
	if left, err := s.Drain(t.Context()); left > 0 || err != nil {
		t.Fatal(left, err)
	}
	slices.Sort(s.batches)
	if !slices.Equal(s.batches, []int{1, 50, 100, 100}) {
		t.Errorf("handled together: %v", s.batches)
	}
	if got := s.of(paul); len(got) != 250 || got[0] != "0" || got[249] != "249" {
		t.Errorf("handled %q", got)
	}
}

// While a message waits for its next try, those behind it wait, too, and nobody else does. Pauses grow.
func TestRetry(t *testing.T) {
	s := newSite(t)
	s.fails["2"] = errors.New("the records are locked")
	for _, m := range []string{"1", "2", "3"} {
		s.put(paul, m)
	}
	stop := s.run()
	defer func() { stop() }()
	ids, err := s.Dir.IDs()
	if err != nil {
		t.Fatal(err)
	}
	second := ids[len(ids)-2]
	last := time.Duration(0)
	for n := 1; n < 5; n++ {
		s.untilTried(paul, second, n)
		try, _ := s.Dir.Try(second)
		wait := try.Next.Sub(s.Now().Truncate(time.Second))
		if wait <= last || try.Reason != "the records are locked" {
			t.Errorf("%+v after a pause of %v", try, last)
		}
		last = wait
		s.put(vincent, fmt.Sprint("v", n))
		s.until("another user's is handled", func() bool { return len(s.of(vincent)) == n })
		s.want(paul, "1")
		s.set(func() { s.now = s.now.Add(wait + time.Second) })
	}
	s.untilTried(paul, second, 5)
	// A start does not forget how often it was tried, and tries at once.
	stop()
	stop = s.run()
	s.untilTried(paul, second, 6)
	// Somebody wants it tried again, while nobody waits for so long.
	s.set(func() { delete(s.fails, "2") })
	if err := s.Dir.Retry(second); err != nil {
		t.Fatal(err)
	}
	s.until("all is handled", s.empty)
	s.want(paul, "1", "2", "3")
}

// After five days a message is rejected with the reason, and those behind it are handled.
func TestGivenUp(t *testing.T) {
	s := newSite(t)
	s.fails["1"] = errors.New("no luck")
	s.put(paul, "1")
	s.put(paul, "2")
	s.now = s.now.Add(5*24*time.Hour - time.Minute)
	if left, err := s.Drain(t.Context()); left != 2 || err != nil {
		t.Fatal(left, err)
	}
	s.now = s.now.Add(time.Minute)
	if left, err := s.Drain(t.Context()); left != 0 || err != nil {
		t.Fatal(left, err)
	}
	s.want(paul, "2")
	items, err := s.Rejected.List()
	if err != nil || len(items) != 1 || items[0].Note.User != paul || !strings.HasPrefix(items[0].Note.Reason, "it could not be handled in 2 tries: no luck") {
		t.Fatalf("rejected %+v, %v", items, err)
	}
	if content, err := os.ReadFile(items[0].Path); err != nil || string(content) != "1" {
		t.Errorf("rejected %q, %v", content, err)
	}
}

// What everybody waits for is back: nobody waits longer.
func TestAway(t *testing.T) {
	s := newSite(t)
	for _, user := range []string{paul, vincent} {
		s.fails[user] = errAway
		s.put(user, user)
	}
	ids, err := s.Dir.IDs()
	if err != nil {
		t.Fatal(err)
	}
	stop := s.run()
	defer stop()
	s.untilTried(paul, ids[0], 1)
	s.untilTried(vincent, ids[1], 1)
	s.set(func() { clear(s.fails) })
	s.put("harvey@example.com", "hello")
	s.until("all is handled", s.empty)
	if pause(20, true) != awayPause || pause(20, false) != lastPause || pause(1, true) != firstPause {
		t.Error("pauses are wrong")
	}
}

// A message that causes panics is rejected in the end. No other is lost with it, nor is the queue.
func TestPanic(t *testing.T) {
	s := newSite(t)
	for _, m := range []string{"1", "2", "3", "4"} {
		s.put(paul, m)
	}
	s.panics["3"] = true
	for range fewPanics - 1 {
		if left, err := s.Drain(t.Context()); left != 2 || err != nil {
			t.Fatal(left, err)
		}
	}
	if left, err := s.Drain(t.Context()); left != 0 || err != nil {
		t.Fatal(left, err)
	}
	if got := s.of(paul); slices.Contains(got, "3") || got[len(got)-1] != "4" {
		t.Errorf("handled %q", got)
	}
	if items, err := s.Rejected.List(); err != nil || len(items) != 1 || !strings.Contains(items[0].Note.Reason, "internal error: a bug") {
		t.Errorf("rejected %+v, %v", items, err)
	}
	if !strings.Contains(s.logged(), "goroutine") {
		t.Errorf("the log has no stack: %s", s.logged())
	}
}

// A file that is damaged is rejected, also if that happens while it waits.
func TestDamaged(t *testing.T) {
	s := newSite(t)
	for _, m := range []string{"1", "2", "3"} {
		s.put(paul, m)
	}
	ids, err := s.Dir.IDs()
	if err != nil {
		t.Fatal(err)
	}
	damage := func(id string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(s.Dir.Path, id+".eml"), []byte("damaged "+id), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	damage(ids[0])
	s.gate = make(chan struct{})
	s.put("blocker", "0")
	s.Workers = 1
	stop := s.run()
	s.until("the first is rejected", func() bool {
		items, err := s.Rejected.List()
		return err == nil && len(items) == 1
	})
	s.until("all are known", func() bool { return s.Depth().Messages == 3 })
	close(s.gate)
	s.until("all is handled", s.empty)
	stop()
	s.want(paul, "2", "3")

	s.put(paul, "4")
	s.put(paul, "5")
	unlock := s.open()
	if ids, err = s.Dir.IDs(); err != nil {
		t.Fatal(err)
	}
	damage(ids[0])
	s.draining = true
	s.work(t.Context())
	unlock()
	s.want(paul, "2", "3", "5")
	if items, err := s.Rejected.List(); err != nil || len(items) != 2 {
		t.Errorf("rejected %+v, %v", items, err)
	}
}

// A file that cannot be read is reported once, however often the directory changes, and handled when it can be read.
func TestUnreadable(t *testing.T) {
	s := newSite(t)
	s.put(paul, "1")
	ids, err := s.Dir.IDs()
	if err != nil {
		t.Fatal(err)
	}
	file, aside := s.Dir.File(ids[0]), filepath.Join(t.TempDir(), "aside")
	if err := errors.Join(os.Rename(file, aside), os.Symlink(aside, file)); err != nil { // which is not followed
		t.Fatal(err)
	}
	stop := s.run()
	defer stop()
	const report = "cannot be read, nor whose it is: it keeps no order, and later ones of its user are handled before it"
	s.until("it is reported", func() bool { return strings.Contains(s.logged(), report) })
	for n := range 5 {
		// Another program puts it there, so that the queue looks at the directory.
		other := &Dir{Path: s.Dir.Path, Now: s.Now}
		if _, err := other.Put(Note{User: vincent}, text(fmt.Sprint(n)), 1); err != nil {
			t.Fatal(err)
		}
		s.until("it is handled", func() bool { return len(s.of(vincent)) == n+1 })
	}
	if n := strings.Count(s.logged(), report); n != 1 {
		t.Errorf("reported %d times: %s", n, s.logged())
	}
	if err := os.Rename(aside, file); err != nil {
		t.Fatal(err)
	}
	s.until("all is handled", s.empty)
	s.want(paul, "1")
}

// A directory, or a link, with a message's name is left alone, and reported once.
func TestNoFiles(t *testing.T) {
	s := newSite(t)
	s.put(paul, "1")
	const dir, link = "20260101T000000.000000000Z", "20260101T000000.000000001Z"
	if err := errors.Join(os.Mkdir(s.Dir.File(dir), 0o700), os.WriteFile(s.Dir.File(dir)+"/inside", nil, 0o600), os.Symlink("/etc/passwd", s.Dir.File(link))); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{dir, link} {
		if _, err := s.Dir.Open(id); err == nil || !strings.Contains(err.Error(), s.Dir.File(id)+" is a ") || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: %v", id, err)
		}
	}
	stop := s.run()
	defer stop()
	for n := range 3 {
		other := &Dir{Path: s.Dir.Path, Now: s.Now}
		if _, err := other.Put(Note{User: vincent}, text(fmt.Sprint(n)), 1); err != nil {
			t.Fatal(err)
		}
		s.until("it is handled", func() bool { return len(s.of(vincent)) == n+1 })
	}
	s.until("it is handled", func() bool { return len(s.of(paul)) == 1 })
	if log := s.logged(); strings.Count(log, "move it away") != 2 {
		t.Errorf("logged: %s", log)
	}
	if items, err := s.Rejected.List(); err != nil || len(items) > 0 {
		t.Errorf("rejected %+v, %v", items, err)
	}
	if _, err := os.Stat(s.Dir.File(dir) + "/inside"); err != nil {
		t.Error(err)
	}
}

// What an administrator drops is not handled, and what is behind it is, at once.
func TestDropped(t *testing.T) {
	s := newSite(t)
	s.fails["1"] = errors.New("no luck")
	s.put(paul, "1")
	s.put(paul, "2")
	stop := s.run()
	defer stop()
	ids, err := s.Dir.IDs()
	if err != nil {
		t.Fatal(err)
	}
	s.untilTried(paul, ids[0], 1)
	if err := s.Dir.Drop(ids[0]); err != nil {
		t.Fatal(err)
	}
	s.until("all is handled", s.empty)
	s.want(paul, "2")
}

// One process handles the messages.
func TestOne(t *testing.T) {
	s := newSite(t)
	unlock, err := s.Dir.run()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); !errors.Is(err, ErrRunning) {
		t.Errorf("a second one: %v", err)
	}
	unlock()
	if _, err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// When the queue ends, what is being handled is done, and the rest stays.
func TestEnd(t *testing.T) {
	s := newSite(t)
	s.Workers, s.gate = 1, make(chan struct{})
	for i := range together + 1 {
		s.put(paul, fmt.Sprint(i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	s.until("a worker is at it", func() bool {
		s.Queue.mu.Lock()
		defer s.Queue.mu.Unlock()
		return len(s.known) == together+1 && len(s.ready) == 0
	})
	cancel()
	s.until("it is to end", func() bool {
		s.Queue.mu.Lock()
		defer s.Queue.mu.Unlock()
		return s.ending
	})
	close(s.gate)
	if err := <-done; err != nil {
		t.Error(err)
	}
	ids, err := s.Dir.IDs()
	if n := len(s.of(paul)); err != nil || len(s.batches) != 1 || n != s.batches[0] || len(ids) != together+1-n {
		t.Errorf("%d wait, %d are handled, together %v, %v", len(ids), n, s.batches, err)
	}
}

// What was there before the start is handled before all of it is known, and what comes meanwhile after it.
func TestFilling(t *testing.T) {
	s := newSite(t)
	s.put(vincent, "1")
	s.put(paul, "1")
	s.put(paul, "2")
	ids, unlock, err := s.begin()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() { s.work(t.Context()) })
	}
	s.find(ids[0])
	s.until("the first is handled", func() bool { return len(s.of(vincent)) == 1 })
	s.put(paul, "3")
	s.put(vincent, "2")
	s.fill(t.Context(), ids)
	s.put(paul, "4")
	s.until("all is handled", s.empty)
	s.end()
	workers.Wait()
	s.want(vincent, "1", "2")
	s.want(paul, "1", "2", "3", "4")
	if d := s.Depth(); d != (Depth{}) {
		t.Errorf("depth %+v", d)
	}
}

// A message that another program has put there just before is handled before.
func TestOthersFirst(t *testing.T) {
	s := newSite(t)
	s.Poll = time.Hour
	stop := s.run()
	s.put(vincent, "1")
	s.until("all is handled", s.empty)
	other := &Dir{Path: s.Dir.Path, Now: s.Now}
	for n := range 5 {
		put(t, other, paul, fmt.Sprint(3*n))
		put(t, other, paul, fmt.Sprint(3*n+1))
		s.put(paul, fmt.Sprint(3*n+2))
		s.until("all is handled", s.empty)
	}
	stop()
	s.want(paul, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14")
}

// There is an end to what can wait.
func TestFull(t *testing.T) {
	s := newSite(t)
	s.fails["1"] = errors.New("no luck")
	s.MostMessages = 2
	defer s.open()()
	s.put(paul, "1")
	s.put(paul, "2")
	if err := s.Put(Note{User: paul}, text("3"), 1); !errors.Is(err, ErrFull) {
		t.Errorf("the third of two: %v", err)
	}
	s.MostMessages, s.MostOctets = 0, 3
	s.put(vincent, "3")
	if err := s.Put(Note{User: paul}, text("4"), 1); !errors.Is(err, ErrFull) {
		t.Errorf("the fourth octet of three: %v", err)
	}
	if d := s.Depth(); d.Messages != 3 || d.Octets != 3 || d.Users != 2 || d.Oldest.IsZero() {
		t.Errorf("depth %+v", d)
	}
}
