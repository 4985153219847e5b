package outgoing_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers/outgoing"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

func copiesOf(messages ...string) (copies []outgoing.Copy) {
	for _, m := range messages {
		copies = append(copies, outgoing.Copy{Recipient: calendar.NewURI(paul), Message: strings.NewReader(m)})
	}
	return copies
}

// Messages of one user share a critical section; one that can never be handled is put aside alone.
func TestInOrder(t *testing.T) {
	s := newSite(t)
	store := &watched{Store: s.Store}
	s.Store = store
	errs := s.HandleInOrder(t.Context(), copiesOf(
		message(paul, "REQUEST", event("UID:a"), event("UID:b")),
		message(paul, "REQUEST", event("UID:c")),
		"From: "+paul+"\r\n\r\nhello\r\n",
		message(vincent, "REQUEST", event("UID:forged")),
		message(paul, "CANCEL", event("UID:a", "SEQUENCE:1")),
		message(paul, "REQUEST", event("UID:d")),
	))
	if slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
		t.Fatalf("%q\n%s", errs, &s.log)
	}
	if want := [][]string{{"a", "b", "c"}, {"a", "d"}}; !slices.EqualFunc(store.sections, want, slices.Equal) {
		t.Errorf("in critical sections: %q, want %q", store.sections, want)
	}
	if busy := s.busy(paul); strings.Contains(busy, "\ta\t") || strings.Contains(busy, "forged") || !strings.Contains(busy, "\td\t") {
		t.Errorf("free/busy %q", busy)
	}
	if aside := s.files("rejected"); len(aside) != 2 {
		t.Errorf("put aside: %v", aside)
	}
}

// Nothing that follows a message that fails changes anything, whatever it fails with; all before it is done.
func TestInOrderFails(t *testing.T) {
	for name, where := range map[string]int{"first": 0, "middle": 1, "last": 2} {
		s := newSite(t)
		broken := errors.New("disk")
		s.Store = &stubborn{Store: s.Store, uid: fmt.Sprint("m", where), err: broken}
		var messages []string
		for i := range 3 {
			messages = append(messages, message(paul, "REQUEST", event(fmt.Sprint("UID:m", i))))
		}
		errs := s.HandleInOrder(t.Context(), copiesOf(messages...))
		for i, err := range errs {
			if errors.Is(err, broken) != (i >= where) {
				t.Errorf("%s: message %d: %v", name, i, err)
			}
			if stored := strings.Contains(s.busy(paul), fmt.Sprint("\tm", i, "\t")); stored != (i < where) {
				t.Errorf("%s: message %d is stored: %v", name, i, stored)
			}
		}
	}
}

// A message that cannot be read to its end stops those that follow.
func TestInOrderUnread(t *testing.T) {
	s := newSite(t)
	copies := copiesOf(message(paul, "REQUEST", event("UID:a")), "", message(paul, "REQUEST", event("UID:c")))
	broken := errors.New("disk")
	copies[1].Message = badReader{broken}
	errs := s.HandleInOrder(t.Context(), copies)
	if errs[0] != nil || !errors.Is(errs[1], broken) || !errors.Is(errs[2], broken) {
		t.Errorf("%q", errs)
	}
	if busy := s.busy(paul); !strings.Contains(busy, "\ta\t") || strings.Contains(busy, "\tc\t") {
		t.Errorf("free/busy %q", busy)
	}
}

type badReader struct{ err error }

func (r badReader) Read([]byte) (int, error) { return 0, r.err }

// However messages are handed in, one by one or together, and however often, the store is the same.
func TestInOrderAgain(t *testing.T) {
	messages := []string{
		message(paul, "REQUEST", event("UID:a")),
		message(paul, "REQUEST", event("UID:a", "SEQUENCE:1", "SUMMARY:Moved")),
		message(paul, "REQUEST", event("UID:b")),
		message(paul, "CANCEL", event("UID:b", "SEQUENCE:1")),
		message(paul, "REPLY", event("UID:c", "ORGANIZER:mailto:"+vincent, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+paul)),
		message(paul, "CANCEL", event("UID:a", "SEQUENCE:2")),
	}
	one := newSite(t)
	for _, m := range messages {
		one.Recipient = calendar.NewURI(paul)
		one.handle(m)
	}
	together := newSite(t)
	for _, until := range []int{2, 4, 6, 6} { // each try ends after it has handled them
		if errs := together.HandleInOrder(t.Context(), copiesOf(messages[:until]...)); errors.Join(errs...) != nil {
			t.Fatal(errs)
		}
	}
	if a, b := fmt.Sprint(one.files("store")), fmt.Sprint(together.files("store")); a != b {
		t.Errorf("one by one:\n%s\ntogether:\n%s", a, b)
	}
}

// A section that takes long does not put anything out of order.
func TestInOrderSlow(t *testing.T) {
	s := newSite(t)
	now := s.Now()
	s.Now = func() time.Time { // a section has time for one change
		now = now.Add(3 * time.Second)
		return now
	}
	var messages []string
	for i := range 20 {
		messages = append(messages, message(paul, "REQUEST", event("UID:same", fmt.Sprint("SEQUENCE:", i), fmt.Sprint("SUMMARY:", i))))
	}
	if errs := s.HandleInOrder(t.Context(), copiesOf(messages...)); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	if object := fmt.Sprint(s.files("store")); !strings.Contains(object, "SUMMARY:19") || strings.Contains(object, "SUMMARY:18") {
		t.Errorf("stored %s", object)
	}
}

// stubborn is a store that cannot store one event, temporarily.
type stubborn struct {
	stores.Store
	uid string
	err error
}

type stubbornTx struct {
	stores.Tx
	*stubborn
}

func (s *stubborn) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return s.Store.Update(ctx, user, func(tx stores.Tx) error { return fn(stubbornTx{tx, s}) })
}

func (t stubbornTx) Put(key stores.Key, content []byte) error {
	if key.UID == t.uid {
		return t.err
	}
	return t.Tx.Put(key, content)
}
