package itip

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// Series is an event or an occurrence that is stored, with what else is stored of the event, as
// far as that says when it takes place. It is the one place that says when somebody is busy because
// of an event: see [Series.Times], and how: see [Expectation].
type Series struct {
	ID     stores.ID
	Object *calendar.Object // what counts of ID

	// all is the event, and what is stored apart of its occurrences. Of those that stand for all
	// later ones it has the objects: of the others, their recurrence ids say all.
	all calendar.Series
}

// NewSeries returns what is stored under id, where nothing that is stored apart of the event
// stands for all later occurrences.
func NewSeries(id stores.ID, object *calendar.Object, apart ...calendar.Apart) *Series {
	s := &Series{ID: id, Object: object}
	if id.RecurrenceID == "" {
		s.all = calendar.Series{Event: object, Apart: apart}
	}
	s.put(id, object)
	return s
}

// ReadSeries returns what is stored under id, which is object, and reads what else matters.
// Apart is what is stored apart of the event: see [Apart].
func ReadSeries(tx stores.Records, id stores.ID, object *calendar.Object, apart []calendar.Apart) (s *Series, err error) {
	if id.RecurrenceID == "" && len(apart) == 0 || id.RecurrenceID != "" && !object.Future() {
		return NewSeries(id, object, apart...), nil
	}
	s = &Series{ID: id, Object: object}
	if s.all.Event = object; id.RecurrenceID != "" {
		if s.all.Event, err = wholeEvent(tx, id.UID); err != nil {
			return nil, err
		}
	}
	if s.all.Apart, err = withObjects(tx, id.UID, apart); err != nil {
		return nil, err
	}
	s.put(id, object)
	return s, nil
}

// Apart returns the occurrences of an event that are stored apart, active or cancelled, without
// their objects.
func Apart(tx stores.Records, uid string) (all []calendar.Apart, err error) {
	for _, part := range []stores.Part{stores.Active, stores.Cancelled} {
		ids, err := tx.Recurrences(part, uid)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			all = append(all, calendar.Apart{ID: id, Cancelled: part == stores.Cancelled})
		}
	}
	return all, nil
}

// withObjects returns what is stored apart of an event, with the objects of what stands for all
// later occurrences. What cannot be read is left to those who read it for itself.
func withObjects(tx stores.Records, uid string, apart []calendar.Apart) ([]calendar.Apart, error) {
	apart = slices.Clone(apart)
	for i, a := range apart {
		key := stores.Key{ID: stores.ID{UID: uid, RecurrenceID: a.ID}}
		if a.Cancelled {
			key.Part = stores.Cancelled
		}
		object, err := readObject(tx, key, "RANGE", "THISANDFUTURE")
		if err != nil {
			return nil, err
		}
		if object != nil && object.Future() {
			apart[i].Object = object
		}
	}
	return apart, nil
}

// put has an occurrence stand as that object in the series. That of a whole event is there.
func (s *Series) put(id stores.ID, object *calendar.Object) {
	if id.RecurrenceID == "" {
		return
	}
	s.all.Apart = slices.DeleteFunc(s.all.Apart, func(a calendar.Apart) bool { return a.ID == id.RecurrenceID })
	s.all.Apart = append(s.all.Apart, calendar.Apart{ID: id.RecurrenceID, Object: object})
}

// wholeEvent returns an event as it is stored, or cancelled, or nil.
func wholeEvent(tx stores.Records, uid string) (*calendar.Object, error) {
	for _, part := range []stores.Part{stores.Active, stores.Cancelled} {
		object, err := readObject(tx, stores.Key{Part: part, ID: stores.ID{UID: uid}})
		if object != nil || err != nil {
			return object, err
		}
	}
	return nil, nil
}

// readObject returns a stored object, or nil if there is none, if it has none of the words where
// some are given, or if it cannot be read.
func readObject(tx stores.Records, key stores.Key, words ...string) (*calendar.Object, error) {
	text, err := tx.Get(key)
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	wanted := len(words) == 0
	for _, word := range words {
		wanted = wanted || bytes.Contains(text, []byte(word))
	}
	if !wanted {
		return nil, nil
	}
	object, err := calendar.DecodeObject(text)
	if err != nil {
		return nil, nil
	}
	return object, nil
}

// Times are when an event or an occurrence takes place.
type Times struct {
	// Spans are the periods, in order of time, without those that an occurrence has which stands
	// for all later ones. Those that single occurrences stand for are among them: see Apart.
	Spans      []calendar.Span
	Truncated  bool      // there are more than the options allow
	Incomplete error     // why some may be missing, if not all of the times can be read
	Warnings   []Warning // of that, and of what is stored apart and cannot be placed

	apart map[int64][]calendar.Apart // by instants
}

// Apart returns what is stored apart of the event and stands for its occurrence at a start: that
// one is not the event's any more.
func (t *Times) Apart(start time.Time) []calendar.Apart { return t.apart[start.Unix()] }

// Own returns the periods without those that occurrences stored apart stand for.
func (t *Times) Own() []calendar.Span {
	if len(t.apart) == 0 {
		return t.Spans
	}
	return slices.DeleteFunc(slices.Clone(t.Spans), func(s calendar.Span) bool { return len(t.Apart(s.Start)) > 0 })
}

// Times works out when the event or occurrence takes place: an occurrence that stands for all later
// ones, when they do. It fails if its beginning is not known.
func (s *Series) Times(o calendar.PeriodOptions) (t Times, err error) {
	switch {
	case s.ID.RecurrenceID == "":
		later := calendar.Series{Event: s.Object}
		for _, a := range s.all.Apart {
			if a.Object != nil {
				later.Apart = append(later.Apart, a)
			}
		}
		t.Spans, t.Truncated, err = later.Periods("", o)
		s.place(&t, o.Zone)
	case s.Object.Future():
		t.Spans, t.Truncated, err = s.all.Periods(s.ID.RecurrenceID, o)
	default:
		t.Spans, t.Truncated, err = s.Object.Periods(o)
	}
	var incomplete *calendar.IncompleteError
	if errors.As(err, &incomplete) {
		t.Incomplete, err = incomplete, nil
		t.Warnings = append(t.Warnings, incompleteTimes(incomplete))
	}
	if t.Truncated {
		t.Warnings = append(t.Warnings, Warning{Text: "the event has more periods than are recorded", Limit: o.Max})
	}
	return t, err
}

// place finds which of an event's occurrences single ones that are stored apart stand for.
func (s *Series) place(t *Times, zone *time.Location) {
	for _, a := range s.all.Apart {
		if a.Object != nil {
			continue
		}
		at, err := s.Object.InstantOf(a.ID, zone)
		if err != nil {
			t.Warnings = append(t.Warnings, unreadableTime(a.ID, err))
			continue
		}
		if t.apart == nil {
			t.apart = make(map[int64][]calendar.Apart)
		}
		t.apart[at.Unix()] = append(t.apart[at.Unix()], a)
	}
}

func incompleteTimes(reason error) Warning {
	return Warning{Text: "the periods of the event are known only in part", Reason: reason}
}

func unreadableTime(recurrenceID string, reason error) Warning {
	return Warning{Text: "the time of an occurrence cannot be read", Recurrence: recurrenceID, Reason: reason}
}

// Records returns a free/busy record for each of the periods.
func (s *Series) Records(spans []calendar.Span, transp string, expires time.Time) []freebusy.Period {
	organizer, _ := s.Object.Organizer()
	summary := s.Object.Summary()
	records := make([]freebusy.Period, len(spans))
	for i, span := range spans {
		records[i] = freebusy.Period{
			Start: span.Start, End: span.End, UID: s.ID.UID, Transp: transp, RecurrenceID: s.ID.RecurrenceID,
			Summary: summary, Organizer: string(organizer), Expires: expires,
		}
	}
	return records
}

// Busy says when a user is busy because of an event or an occurrence, and how.
type Busy struct {
	Expectation
	Times
}

// Busy works out when a user is busy because of the event or occurrence, which is active, and how.
// It fails if its beginning is not known.
func (s *Series) Busy(user calendar.URI, o calendar.PeriodOptions) (b Busy, err error) {
	if b.Expectation = Expect(s.Object, user); len(b.Transps) == 0 {
		return b, nil
	}
	b.Times, err = s.Times(o)
	return b, err
}
