package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

const someone = calendar.URI("mailto:someone@example.com")

// pile is a store of which only the critical sections count: what each has committed.
type pile struct {
	stores.Store
	begun  chan struct{} // is told of each section
	hold   chan struct{} // each section waits for it; nil: it does not
	refuse string        // what cannot be committed
	fail   error         // what each section fails with
	lasts  bool          // each section lasts until its time ends

	mu       sync.Mutex
	within   bool
	now      []string // of the section that lasts
	sections [][]string
}

func (p *pile) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	p.mu.Lock()
	if p.within {
		p.mu.Unlock()
		return errors.New("two sections for a user at once")
	}
	p.within, p.now = true, nil
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.within = false
		p.mu.Unlock()
	}()
	if p.hold != nil {
		p.begun <- struct{}{}
		<-p.hold
	}
	if p.fail != nil {
		return p.fail
	}
	if p.lasts {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := fn(nil); err != nil {
		return err
	}
	if slices.Contains(p.now, p.refuse) {
		return &stores.UnstorableError{What: "event", Value: p.refuse, Reason: "it is odd"}
	}
	p.sections = append(p.sections, p.now)
	return nil
}

// put returns a function that puts something into the section that lasts.
func (p *pile) put(what string) func(stores.Tx) error {
	return func(stores.Tx) error {
		p.now = append(p.now, what)
		return nil
	}
}

// crowd is messages that are handled at the same time.
type crowd struct {
	*testing.T
	Sections
	pile
	clock time.Time
	wg    sync.WaitGroup
	mu    sync.Mutex
	errs  map[string]error
}

func newCrowd(t *testing.T) *crowd {
	c := &crowd{T: t, errs: map[string]error{}}
	c.begun, c.hold = make(chan struct{}, 100), make(chan struct{})
	return c
}

// come has a message come, and returns when it waits, or has begun a section.
func (c *crowd) come(ctx context.Context, name, uid string, fn func(stores.Tx) error) {
	c.Helper()
	before := c.waiting()
	c.wg.Go(func() {
		defer func() {
			if value := recover(); value != nil {
				c.note(name, fmt.Errorf("panic %v", value))
			}
		}()
		c.note(name, c.update(ctx, &c.pile, someone, func() time.Time { return c.clock }, []stores.ID{{UID: uid}}, fn))
	})
	if before < 0 {
		<-c.begun
		return
	}
	c.until("it waits", func() bool { return c.waiting() > before })
}

func (c *crowd) note(name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errs[name] = err
}

// waiting returns how many wait for the section that lasts; -1: there is none.
func (c *crowd) waiting() int {
	c.Sections.mu.Lock()
	defer c.Sections.mu.Unlock()
	if l := c.lanes[someone]; l != nil {
		return len(l.waiting)
	}
	return -1
}

func (c *crowd) until(what string, is func() bool) {
	c.Helper()
	for range 6000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.Fatalf("not in a minute: %s", what)
}

// end lets all sections end, and sees what each had, and who has an error.
func (c *crowd) end(sections, failed string) {
	c.Helper()
	close(c.hold)
	c.wg.Wait()
	if got := fmt.Sprint(c.sections); got != sections {
		c.Errorf("sections %s, want %s", got, sections)
	}
	var names []string
	for name, err := range c.errs {
		if err != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != failed {
		c.Errorf("failed %q, want %q: %v", got, failed, c.errs)
	}
	if n := c.waiting(); n >= 0 {
		c.Errorf("%d wait for ever", n)
	}
}

var errNone = errors.New("no luck")

// Who comes while a section lasts shares the next one.
func TestSections(t *testing.T) {
	c := newCrowd(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		c.come(t.Context(), name, name, c.put(name))
	}
	c.end("[[a] [b c d]]", "")
}

// Messages about the same event share no section, and stay in their order.
func TestSectionsSameEvent(t *testing.T) {
	c := newCrowd(t)
	for _, name := range []string{"a", "b1", "c1", "b2", "c2", "d"} {
		c.come(t.Context(), name, name[:1], c.put(name))
	}
	c.end("[[a] [b1 c1] [b2 c2 d]]", "")
}

// There is a limit.
func TestSectionsMany(t *testing.T) {
	c := newCrowd(t)
	var rest []string
	for i := range sharing + 2 {
		name := fmt.Sprint(i)
		c.come(t.Context(), name, name, c.put(name))
		rest = append(rest, name)
	}
	c.end(fmt.Sprint([][]string{rest[:1], rest[1 : sharing+1], rest[sharing+1:]}), "")
}

// A section that has lasted long takes no more.
func TestSectionsSlow(t *testing.T) {
	c := newCrowd(t)
	slowly := func(name string) func(stores.Tx) error {
		return func(stores.Tx) error {
			c.clock = c.clock.Add(sectionTime)
			return c.put(name)(nil)
		}
	}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		c.come(t.Context(), name, name, slowly(name))
	}
	c.end("[[a] [b c] [d e]]", "")
}

// One that fails takes no others down.
func TestSectionsFailing(t *testing.T) {
	for name, fn := range map[string]func(*crowd) func(stores.Tx) error{
		"an error": func(*crowd) func(stores.Tx) error { return func(stores.Tx) error { return errNone } },
		"a panic":  func(*crowd) func(stores.Tx) error { return func(stores.Tx) error { panic("odd") } },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(t)
			for _, name := range []string{"a", "b", "c", "d", "e"} {
				if name == "c" {
					c.come(t.Context(), name, name, fn(c))
				} else {
					c.come(t.Context(), name, name, c.put(name))
				}
			}
			c.end("[[a] [b] [d e]]", "c")
		})
	}
	t.Run("the first", func(t *testing.T) {
		c := newCrowd(t)
		c.come(t.Context(), "a", "a", func(stores.Tx) error { panic("odd") })
		c.come(t.Context(), "b", "b", func(stores.Tx) error { panic("odd") })
		c.come(t.Context(), "c", "c", c.put("c"))
		c.end("[[c]]", "a b")
	})
	t.Run("a commit", func(t *testing.T) { // nobody knows because of whom
		c := newCrowd(t)
		c.refuse = "c"
		for _, name := range []string{"a", "b", "c", "d"} {
			c.come(t.Context(), name, name, c.put(name))
		}
		c.end("[[a] [b] [d]]", "c")
	})
	t.Run("all", func(t *testing.T) { // they would fail for the same reason
		c := newCrowd(t)
		c.fail = fmt.Errorf("somebody else: %w", stores.ErrLocked)
		for _, name := range []string{"a", "b", "c", "d"} {
			c.come(t.Context(), name, name, c.put(name))
		}
		c.end("[]", "a b c d")
		if n := len(c.begun); n != 1 { // the first was taken note of
			t.Errorf("%d more sections", n)
		}
	})
}

// Who has no more time leaves the others alone: while it waits, as the one that is to begin a section, and in one.
func TestSectionsTime(t *testing.T) {
	c := newCrowd(t)
	ended := func(name string) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(t.Context())
		return ctx, func() { cancel(errors.New(name)) }
	}
	b, endB := ended("b")
	d, endD := ended("d")
	f, endF := ended("f")
	c.come(t.Context(), "a", "a", c.put("a"))
	c.come(b, "b", "b", c.put("b"))
	c.come(t.Context(), "c", "c", c.put("c"))
	c.come(d, "d", "d", c.put("d"))
	c.come(f, "f", "f", func(stores.Tx) error {
		endF() // too late: it is in the section
		return c.put("f")(nil)
	})
	endB()
	endD()
	c.until("they have left", func() bool { return c.waiting() == 2 })
	c.end("[[a] [c f]]", "b d")
	if err := c.errs["d"]; err == nil || err.Error() != "d" {
		t.Errorf("error %v", err)
	}
}

// A section ends when nobody in it has time any more.
func TestSectionsNobody(t *testing.T) {
	c := newCrowd(t)
	ctx, cancel := context.WithCancel(t.Context())
	c.come(t.Context(), "a", "a", c.put("a"))
	c.come(ctx, "b", "b", c.put("b"))
	c.come(ctx, "c", "c", c.put("c"))
	c.hold <- struct{}{}
	<-c.begun
	c.lasts = true
	cancel()
	c.end("[[a]]", "b c")
}

// Many come at once, of whom some fail and some leave: each is done once, or has an error.
func TestSectionsCrowd(t *testing.T) {
	var s Sections
	p := &pile{refuse: "none"}
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := map[string]bool{}
	for i := range 50 {
		wg.Go(func() {
			for n := range 20 {
				name := fmt.Sprint(i, "-", n)
				ctx, cancel := context.WithCancel(t.Context())
				fn := p.put(name)
				switch (i + n) % 10 {
				case 0:
					fn = func(stores.Tx) error { return errNone }
				case 1:
					go cancel()
				}
				err := s.update(ctx, p, someone, func() time.Time { return time.Time{} }, []stores.ID{{UID: fmt.Sprint((i + n) % 30)}}, fn)
				cancel()
				mu.Lock()
				done[name] = err == nil
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	found := map[string]int{}
	for _, section := range p.sections {
		for _, name := range section {
			found[name]++
		}
	}
	for name, is := range done {
		if want := map[bool]int{true: 1}[is]; found[name] != want {
			t.Errorf("%s is done %d times, want %d", name, found[name], want)
		}
	}
	if len(s.lanes) > 0 {
		t.Errorf("%d lanes are left", len(s.lanes))
	}
}
