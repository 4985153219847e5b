package storestest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

func freeBusy(t *testing.T, s stores.Store) {
	own := stores.Table{Kind: stores.Own}
	evening := busy("u3", "", 18)
	evening.Transp, evening.Summary, evening.Organizer = "ORG", "grün, 予定", ""
	update(t, s, Paul, func(tx stores.Tx) {
		table := must2(t, tx, own)
		if table.Len() != 0 {
			t.Error("a table that is not there has records")
		}
		table.InsertAll([]freebusy.Period{busy("u2", "20261202T120000Z", 12), evening, busy("u1", "", 9)})
	})
	view(t, s, Paul, func(tx stores.Tx) {
		equal(t, "periods", periods(t, tx, own),
			[]freebusy.Period{busy("u1", "", 9), busy("u2", "20261202T120000Z", 12), evening})
		equal(t, "offers", periods(t, tx, stores.Table{Kind: stores.Offers}), nil)
	})
	update(t, s, Paul, func(tx stores.Tx) {
		table := must2(t, tx, own)
		table.Remove("u1", "")
		table.Insert(busy("u4", "", 10))
	})
	view(t, s, Paul, func(tx stores.Tx) {
		equal(t, "periods", periods(t, tx, own),
			[]freebusy.Period{busy("u4", "", 10), busy("u2", "20261202T120000Z", 12), evening})
	})
	update(t, s, Paul, func(tx stores.Tx) {
		table := must2(t, tx, own)
		for _, p := range periods(t, tx, own) {
			table.Remove(p.UID, p.RecurrenceID)
		}
	})
	view(t, s, Paul, func(tx stores.Tx) { equal(t, "periods", periods(t, tx, own), nil) })
	view(t, s, Vincent, func(tx stores.Tx) { equal(t, "periods", periods(t, tx, own), nil) })
}

func offers(t *testing.T, s stores.Store) {
	table := stores.Table{Kind: stores.Offers}
	soon, never := busy("u1", "", 9), busy("u2", "", 9)
	soon.Expires = at(8)
	update(t, s, Paul, func(tx stores.Tx) { must2(t, tx, table).InsertAll([]freebusy.Period{soon, never}) })
	view(t, s, Paul, func(tx stores.Tx) {
		equal(t, "offers", periods(t, tx, table), []freebusy.Period{soon, never})
		equal(t, "own periods", periods(t, tx, stores.Table{}), nil)
	})
	update(t, s, Paul, func(tx stores.Tx) { must2(t, tx, table).DropExpired(at(8)) })
	view(t, s, Paul, func(tx stores.Tx) { equal(t, "offers", periods(t, tx, table), []freebusy.Period{never}) })
}

func others(t *testing.T, s stores.Store) {
	of := func(uri calendar.URI) stores.Table { return stores.Table{Kind: stores.Other, Other: uri} }
	update(t, s, Paul, func(tx stores.Tx) {
		must2(t, tx, of(Vincent)).Insert(busy("u1", "", 9))
		must2(t, tx, of(Harvey)).Insert(busy("u1", "", 10))
		must2(t, tx, of("mailto:nobody@example.com"))
		equal(t, "others", first2(tx.Others()), []calendar.URI{Harvey, Vincent})
	})
	view(t, s, Paul, func(tx stores.Tx) {
		equal(t, "others", first2(tx.Others()), []calendar.URI{Harvey, Vincent})
		equal(t, "Vincent's", periods(t, tx, of(Vincent)), []freebusy.Period{busy("u1", "", 9)})
		equal(t, "Harvey's", periods(t, tx, of(Harvey)), []freebusy.Period{busy("u1", "", 10)})
		equal(t, "own", periods(t, tx, stores.Table{}), nil)
	})
	update(t, s, Paul, func(tx stores.Tx) {
		must2(t, tx, of(Vincent)).Remove("u1", "")
		equal(t, "others", first2(tx.Others()), []calendar.URI{Harvey})
	})
	view(t, s, Paul, func(tx stores.Tx) { equal(t, "others", first2(tx.Others()), []calendar.URI{Harvey}) })
	// Nothing is kept of one who cannot be stored.
	err := s.Update(t.Context(), Paul, func(tx stores.Tx) error {
		_, err := tx.Periods(of("mailto:a\x01b@example.com"))
		return err
	})
	var cannot *stores.UnstorableError
	if !errors.As(err, &cannot) {
		t.Errorf("got %v, want an UnstorableError", err)
	}
}

func requests(t *testing.T, s stores.Store) {
	queue := []stores.Request{
		{ID: stores.ID{UID: "z"}},
		{ID: stores.ID{UID: "a", RecurrenceID: "20261202T090000Z"}, Type: "COUNTER"},
		{ID: stores.ID{UID: "a/b"}},
		{ID: stores.ID{UID: "a"}},
	}
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.SetRequests(queue)) })
	view(t, s, Paul, func(tx stores.Tx) { equal(t, "requests", must2r(t, tx), queue) })
	shorter := append(queue[:1:1], queue[2:]...)
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.SetRequests(shorter)) })
	view(t, s, Paul, func(tx stores.Tx) { equal(t, "requests", must2r(t, tx), shorter) })
	// What was returned stays as it is, whatever is made of it.
	update(t, s, Paul, func(tx stores.Tx) {
		wants := [][]stores.Request{shorter}
		var gots [][]stores.Request
		set := func(next []stores.Request) {
			gots = append(gots, must2r(t, tx))
			ok(t, tx.SetRequests(next))
			wants = append(wants, slices.Clone(next))
		}
		longer := func(by string) []stores.Request {
			return append(must2r(t, tx), stores.Request{ID: stores.ID{UID: by}})
		}
		set(longer("one"))
		other := longer("never")
		set(longer("two"))
		set(wants[1])
		set(longer("three"))
		set(append(must2r(t, tx)[1:3:3], stores.Request{ID: stores.ID{UID: "four"}}))
		set(longer("five"))
		equal(t, "what is not stored", other, append(wants[1][:4:4], stores.Request{ID: stores.ID{UID: "never"}}))
		for i, got := range append(gots, must2r(t, tx)) {
			equal(t, "the requests over time", got, wants[i])
		}
		ok(t, tx.SetRequests(shorter))
	})
	view(t, s, Paul, func(tx stores.Tx) { equal(t, "requests", must2r(t, tx), shorter) })
	update(t, s, Paul, func(tx stores.Tx) {
		var cannot *stores.UnstorableError
		for _, bad := range []stores.Request{
			{ID: stores.ID{UID: "a\tb"}}, // would be two columns
			{ID: stores.ID{UID: "a\nb"}}, // would be two lines
			{ID: stores.ID{UID: ""}},     // no event
			{ID: stores.ID{UID: "a", RecurrenceID: "\t"}},
			{ID: stores.ID{UID: "a"}, Type: "\n"},
		} {
			if err := tx.SetRequests([]stores.Request{bad}); !errors.As(err, &cannot) {
				t.Errorf("request %q: got %v, want an UnstorableError", bad, err)
			}
		}
	})
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.SetRequests(nil)) })
	view(t, s, Paul, func(tx stores.Tx) { equal(t, "requests", must2r(t, tx), nil) })
}

func providers(t *testing.T, s stores.Store) {
	wantProviders := func(tx stores.Tx, want stores.Providers) {
		t.Helper()
		got, err := tx.Providers()
		ok(t, err)
		if !got.Until.Equal(want.Until) {
			t.Errorf("providers until %v, want %v", got.Until, want.Until)
		}
		equal(t, "providers", got.Events, want.Events)
	}
	some := stores.Providers{
		Until:  time.Date(2027, 3, 12, 0, 0, 0, 0, time.UTC),
		Events: []stores.ID{{UID: "u1"}, {UID: "u2", RecurrenceID: "20261202"}},
	}
	update(t, s, Paul, func(tx stores.Tx) {
		wantProviders(tx, stores.Providers{})
		ok(t, tx.SetProviders(some))
		wantProviders(tx, some)
	})
	view(t, s, Paul, func(tx stores.Tx) { wantProviders(tx, some) })
	none := stores.Providers{Until: some.Until}
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.SetProviders(none)) })
	view(t, s, Paul, func(tx stores.Tx) { wantProviders(tx, none) })
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.SetProviders(stores.Providers{})) })
	view(t, s, Paul, func(tx stores.Tx) { wantProviders(tx, stores.Providers{}) })
}

func publishing(t *testing.T, s stores.Store) {
	first, second := []byte("BEGIN:VCALENDAR\r\n1"), []byte("BEGIN:VCALENDAR\r\n2")
	wantPublished := func(tx stores.Tx, want []byte) {
		t.Helper()
		got, err := tx.Published()
		if err != nil || string(got) != string(want) {
			t.Errorf("published %q, %v; want %q", got, err, want)
		}
	}
	update(t, s, Paul, func(tx stores.Tx) {
		if _, err := tx.Published(); !errors.Is(err, stores.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
		ok(t, tx.Publish(first))
		wantPublished(tx, first)
	})
	view(t, s, Paul, func(tx stores.Tx) { wantPublished(tx, first) })
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Publish(second)) })
	view(t, s, Paul, func(tx stores.Tx) { wantPublished(tx, second) })
	err := s.Update(t.Context(), Paul, func(tx stores.Tx) error {
		ok(t, tx.Publish(first))
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		t.Errorf("got %v", err)
	}
	view(t, s, Paul, func(tx stores.Tx) { wantPublished(tx, second) })
}
