package copy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/tools/migrate"
)

func uri(text string) calendar.URI { return calendar.URI(text) }

// keepTexts is how many octets of a user's texts are kept from the reading to the
// writing. Of a user who has more they are read twice.
const keepTexts = 16 << 20

// snapshot is what one side has of a user.
type snapshot struct {
	items     map[key]digest
	texts     map[stores.Key][]byte // nil for one that has to be read again
	tables    []stores.Table
	rows      map[stores.Table]*freebusy.Table
	requests  []stores.Request
	providers stores.Providers
	lists     []key // the lines of a quota's lists, in order
	issues    []migrate.Issue
	// activeOnly has the digests of events that are active and cancelled at once, without
	// the cancelled text.
	activeOnly map[stores.ID]digest
}

// stamp is how the end of the free/busy window is compared.
const stamp = "20060102T150405Z"

// take reads what a side has of a user. Texts are kept if they are wanted. What is copied
// of it otherwise than it is there is among the issues. The order of a quota's delegates is an item
// of its own, if both sides keep one.
func take(tx stores.Records, side *Side, ordered, keep bool) (*snapshot, error) {
	s := &snapshot{items: make(map[key]digest), rows: make(map[stores.Table]*freebusy.Table)}
	if keep {
		s.texts = make(map[stores.Key][]byte)
	}
	if err := s.takeTexts(tx); err != nil {
		return nil, err
	}
	s.tables = []stores.Table{{Kind: stores.Own}, {Kind: stores.Offers}}
	known, err := tx.Others()
	if err != nil {
		return nil, err
	}
	for _, other := range known {
		s.tables = append(s.tables, stores.Table{Kind: stores.Other, Other: other})
	}
	for _, table := range s.tables {
		if err := s.takePeriods(tx, table); err != nil {
			return nil, err
		}
	}
	if user, ok := tx.(stores.Tx); ok {
		if s.requests, err = user.Requests(); err != nil {
			return nil, err
		}
	}
	for _, r := range s.requests {
		k := key{kind: request, uid: r.UID, recurrenceID: r.RecurrenceID, extra: r.Type}
		if _, there := s.items[k]; there {
			s.twice(k)
		}
		s.items[k] = k.of()
	}
	if s.providers, err = tx.Providers(); err != nil {
		return nil, err
	}
	if !s.providers.Until.IsZero() {
		k := key{kind: until}
		s.items[k] = k.of([]byte(s.providers.Until.UTC().Format(stamp)))
	}
	for _, id := range s.providers.Events {
		k := key{kind: provider, uid: id.UID, recurrenceID: id.RecurrenceID}
		s.items[k] = k.of()
	}
	if quota, ok := tx.(stores.JournalTx); ok {
		for _, l := range stores.QuotaLists {
			lines, err := quota.List(l.Name)
			if err != nil {
				return nil, err
			}
			for _, line := range lines {
				k := key{kind: list, other: l.Name, uid: strings.Join(line, "\t")}
				s.items[k] = k.of()
				s.lists = append(s.lists, k)
			}
			if k := orderOf(l.Name); ordered && len(lines) > 1 && l.Name == "delegates" { // where it counts
				s.items[k] = k.of([]byte(fmt.Sprintf("%q", lines)))
			}
		}
	}
	return s, nil
}

// takeTexts reads the user's texts.
func (s *snapshot) takeTexts(tx stores.Records) error {
	type state struct{ active, cancelled []byte } // digests
	events := make(map[stores.ID]*state)
	kept := 0
	add := func(k stores.Key, content []byte) {
		if s.texts != nil {
			s.texts[k] = nil
			if kept += len(content); kept <= keepTexts {
				s.texts[k] = content
			}
		}
		if k.Part == stores.Countered {
			item := key{kind: counter, uid: k.UID, recurrenceID: k.RecurrenceID, other: string(k.Other)}
			s.items[item] = item.of(content)
			return
		}
		e := events[k.ID]
		if e == nil {
			e = new(state)
			events[k.ID] = e
		}
		d := digestOf(content)
		if k.Part == stores.Cancelled {
			e.cancelled = d[:]
		} else {
			e.active = d[:]
		}
	}
	if bulk, ok := tx.(stores.Bulk); ok {
		for text, err := range bulk.Texts() {
			if err != nil {
				return err
			}
			if s.texts != nil && kept+len(text.Content) <= keepTexts {
				text.Content = bytes.Clone(text.Content)
			}
			add(text.Key, text.Content)
		}
	} else {
		for k, err := range tx.Keys() {
			if err != nil {
				return err
			}
			content, err := tx.Get(k)
			if err != nil {
				return fmt.Errorf("reading event %q %s: %w", k.UID, k.RecurrenceID, err)
			}
			add(k, content)
		}
	}
	for id, e := range events {
		item := key{kind: event, uid: id.UID, recurrenceID: id.RecurrenceID}
		s.items[item] = item.of(e.active, e.cancelled)
		if e.active != nil && e.cancelled != nil {
			if s.activeOnly == nil {
				s.activeOnly = make(map[stores.ID]digest)
			}
			s.activeOnly[id] = item.of(e.active, nil)
		}
	}
	return nil
}

// eventDigest returns the digest of an event with these texts; nil: none.
func eventDigest(item key, active, cancelled []byte) digest {
	part := func(text []byte) []byte {
		if text == nil {
			return nil
		}
		d := digestOf(text)
		return d[:]
	}
	return item.of(part(active), part(cancelled))
}

// takePeriods reads a free/busy table.
func (s *snapshot) takePeriods(tx stores.Records, which stores.Table) error {
	table, err := tx.Periods(which)
	if err != nil {
		return err
	}
	s.rows[which] = table
	s.addPeriods(which)
	return nil
}

// addPeriods takes the records of a table apart into items.
func (s *snapshot) addPeriods(which stores.Table) {
	table := s.rows[which]
	var current key // whose records row has
	var row []byte
	var last freebusy.Period
	settle := func() {
		if len(row) > 0 {
			s.items[current] = current.of(row)
		}
		row = row[:0]
	}
	for _, number := range table.ByEvent() {
		p := table.At(int(number))
		k := periodKey(which, p)
		if k != current {
			settle()
			current = k
		}
		if p.Start.Equal(last.Start) && p.End.Equal(last.End) && p.UID == last.UID &&
			p.RecurrenceID == last.RecurrenceID && p.Attendee == last.Attendee {
			s.twice(k) // as on insertion
			continue
		}
		last = p
		for _, column := range []string{
			p.Start.UTC().Format(stamp), p.End.UTC().Format(stamp), p.Transp, p.Summary, p.Organizer, expiry(p.Expires), p.Attendee,
		} {
			row = append(append(row, column...), '\t')
		}
		row = append(row, '\n')
	}
	settle()
}

// twice notes that a table has more than one record where there can be one.
func (s *snapshot) twice(k key) {
	issue := migrate.Issue{Kind: migrate.Damaged, Item: k.String(), Text: "the table has it more than once: the first one is copied"}
	if !slices.Contains(s.issues, issue) {
		s.issues = append(s.issues, issue)
	}
}

// clean makes what there is of the tables as a target has it that keeps no control
// characters in them, and lists what that changes.
func (s *snapshot) clean() []migrate.Issue {
	var issues []migrate.Issue
	changed := make(map[key]bool)
	for which, table := range s.rows {
		clean, fresh := table.Cleaned()
		if len(fresh) == 0 {
			continue
		}
		for p := range table.All() {
			delete(s.items, periodKey(which, p))
		}
		s.rows[which] = clean
		s.addPeriods(which)
		for _, p := range fresh {
			changed[periodKey(which, p)] = true
		}
	}
	for k := range changed {
		issues = append(issues, migrate.Issue{Kind: migrate.Unstorable, Item: k.String(),
			Text: "it has control characters, which become spaces in the target"})
	}
	slices.SortFunc(issues, func(a, b migrate.Issue) int { return strings.Compare(a.Item, b.Item) })
	return issues
}

func expiry(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stamp)
}

func periodKey(which stores.Table, p freebusy.Period) key {
	k := key{kind: own, uid: p.UID, recurrenceID: p.RecurrenceID}
	switch which.Kind {
	case stores.Offers:
		k.kind = offers
	case stores.Other:
		k.kind, k.other = others, string(which.Other)
	}
	return k
}

// findDamage lists what of the user's tables cannot be read, and so is not copied.
func (s *snapshot) findDamage(tx stores.Records) {
	damaged := func(where, what string) {
		s.issues = append(s.issues, migrate.Issue{Kind: migrate.Damaged, Item: where, Text: what})
	}
	if tables, ok := tx.(stores.Damaged); ok {
		for _, d := range tables.Damages() {
			if d.Flaw != freebusy.Twice { // twice the same is once, as on insertion
				damaged("free/busy", fmt.Sprintf("of event %q: %s", d.UID, d.Reason()))
			}
		}
	}
	files, ok := tx.(audit.Damaged)
	if !ok {
		return
	}
	for _, table := range files.Damaged() {
		for _, d := range table.Damages {
			switch {
			case !d.Mended():
				damaged(table.Path, fmt.Sprintf("line %d: %s", d.Line, d.Reason()))
			case strings.Trim(d.Text, "\ufeff \t\r\n") != "":
				damaged(table.Path, fmt.Sprintf("line %d: %s: it is copied as far as it can be read", d.Line, d.Reason()))
			}
		}
	}
}
