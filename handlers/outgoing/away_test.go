package outgoing_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// gone is a store whose server has gone away.
type gone struct {
	stores.Store
	asked int
}

func (g *gone) Named(_ context.Context, user calendar.URI) (calendar.URI, error) {
	g.asked++
	return user, fmt.Errorf("%w: connection refused", stores.ErrAway)
}

func (g *gone) Update(context.Context, calendar.URI, func(stores.Tx) error) error {
	g.asked++
	return fmt.Errorf("%w: connection refused", stores.ErrAway)
}

// A message does not try the store anew for each of its events when the server is away: the
// store has tried for a while before it says so.
func TestStoreAway(t *testing.T) {
	s := newSite(t)
	store := &gone{Store: s.Store}
	s.Store = store
	var message strings.Builder
	message.WriteString("From: paul@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST; charset=UTF-8\r\n\r\n" +
		"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n")
	for i := range 200 {
		fmt.Fprintf(&message, "BEGIN:VEVENT\r\nUID:u%d\r\nORGANIZER:mailto:paul@example.com\r\nDTSTART:20261202T090000Z\r\nEND:VEVENT\r\n", i)
	}
	message.WriteString("END:VCALENDAR\r\n")
	err := s.Handle(t.Context(), strings.NewReader(message.String()))
	if !errors.Is(err, stores.ErrAway) || store.asked != 1 {
		t.Errorf("the store was asked %d times: %v", store.asked, err)
	}
}
