// Package quota says what resources may take that share a quota, and keeps account of it.
//
// A quota is a name in the journal ([stores.Journal]). It has lists: how much each group may
// book (limits), to which group an organizer belongs (groups), and which resources can stand in
// for one another (delegates). What was booked stands in tables, one for each group, whose
// records name the resource, and the events are kept for as long as they are booked.
//
// The package decides by what stands there, inside a critical section, and answers with a
// [Verdict]. It records a booking with [Quota.Confirm], and gives it back with [Quota.Retract].
// What is past goes by [Quota.Expire]. It knows no mail, path, lock, clock or logger.
//
// A resource's records of an event in the quota's tables are those of its own free/busy. So it
// is one place, namely package itip, that says when somebody is busy.
package quota

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// Everybody is the organizer or the group of a line that counts for all who have none of
// their own.
const Everybody = "*"

// Unlimited is a limit that allows everything.
const Unlimited = "*"

// Limit is how much a group may book.
type Limit struct {
	Group  string        // [Everybody]: each group without a line of its own
	Amount time.Duration // negative: there is no limit
}

// Member says to which group an organizer belongs.
type Member struct {
	Organizer calendar.URI // [Everybody]: each without a line of their own
	Group     string
}

// Quota is what is shared under a quota, inside one critical section.
type Quota struct {
	stores.JournalTx
	Limits    []Limit        // of several for one group the last counts: the original, observed
	Groups    []Member       // of several for one organizer the last counts
	Delegates []calendar.URI // resources that can stand in for one another, in order of preference
}

// MistakeError says that a quota's lists cannot be used. It is for an administrator to mend:
// until then nothing can be decided.
type MistakeError struct {
	Quota calendar.URI
	Err   error // most often a [*stores.ListError]
}

func (e *MistakeError) Error() string { return fmt.Sprintf("quota %q: %v", string(e.Quota), e.Err) }

func (e *MistakeError) Unwrap() error { return e.Err }

// Open reads a quota's lists. The error is a [*MistakeError] if one of them cannot be used.
//
// DEVIATION: lists-of-quotas. The original fails on blank lines and comments.
func Open(tx stores.JournalTx) (*Quota, error) {
	q := &Quota{JournalTx: tx}
	for _, list := range stores.QuotaLists {
		lines, err := tx.List(list.Name)
		if err != nil {
			return nil, mistake(tx.User(), err)
		}
		for i, words := range lines {
			if err := q.add(list.Name, words); err != nil {
				return nil, mistake(tx.User(), tx.ListMistake(list.Name, i, err.Error()))
			}
		}
	}
	return q, nil
}

// mistake returns an error as one of the administrator's if it is one.
func mistake(quota calendar.URI, err error) error {
	if list := (*stores.ListError)(nil); errors.As(err, &list) {
		return &MistakeError{quota, err}
	}
	return err
}

// add adds a line of a list.
func (q *Quota) add(list string, words []string) error {
	switch list {
	case "limits":
		limit, err := ParseLimit(words[0], words[1])
		if err != nil {
			return err
		}
		q.Limits = append(q.Limits, limit)
	case "groups":
		if err := CheckGroup(words[1]); err != nil {
			return err
		}
		q.Groups = append(q.Groups, Member{calendar.URI(words[0]), words[1]})
	case "delegates":
		q.Delegates = append(q.Delegates, calendar.URI(words[0]))
	}
	return nil
}

// String returns the limit as a list has it, in hours, minutes and seconds.
func (l Limit) String() string {
	if l.Amount < 0 {
		return Unlimited
	}
	return "PT" + strings.ToUpper(length(l.Amount))
}

// ParseLimit reads a group and its limit: a duration (RFC 5545 section 3.3.6), or [Unlimited].
func ParseLimit(group, amount string) (Limit, error) {
	if err := CheckGroup(group); err != nil {
		return Limit{}, err
	}
	if amount == Unlimited {
		return Limit{group, -1}, nil
	}
	length, err := preferences.ParseDuration(amount)
	if err != nil {
		return Limit{}, fmt.Errorf("the limit %.60q: %w", amount, err)
	}
	return Limit{group, length}, nil
}

// CheckGroup says why there can be no group of that name: it names a file.
func CheckGroup(name string) error {
	if reason := badName(name); reason != "" {
		return fmt.Errorf("the group %.60q: %s", name, reason)
	}
	return nil
}

// CheckName says why there can be no quota of that name: it names a directory.
func CheckName(name calendar.URI) error {
	if reason := badName(string(name)); reason != "" {
		return fmt.Errorf("the quota %.60q: %s", string(name), reason)
	}
	return nil
}

// maxName is how long a name can be, in octets, in both kinds of journals.
const maxName = 255

func badName(name string) string {
	switch reason := stores.BadText(name); {
	case reason != "":
		return reason
	case strings.Contains(name, "/"):
		return "there is a slash in it"
	case name == "." || name == "..":
		return "it is no name of a file"
	case strings.HasPrefix(name, "__"):
		return "it begins with __"
	case len(name) > maxName:
		return fmt.Sprintf("it is longer than %d octets", maxName)
	}
	return ""
}

// Update runs fn inside the critical sections of several quotas, and commits what it changed, by
// itself or with own ([stores.UpdateWithin]): it is called inside the critical section of the resource's own records.
// Without quotas, journal may be nil, and fn is run with none.
func Update(ctx context.Context, own stores.Tx, journal stores.Journal, names []calendar.URI, fn func(map[calendar.URI]*Quota) error) error {
	if len(names) == 0 {
		return fn(nil)
	}
	return stores.UpdateWithin(ctx, own, journal, names, opened(fn))
}

// View runs fn inside the critical sections of several quotas as Update does, without changes, and with a connection of its own.
func View(ctx context.Context, journal stores.Journal, names []calendar.URI, fn func(map[calendar.URI]*Quota) error) error {
	if len(names) == 0 {
		return fn(nil)
	}
	return journal.ViewAll(ctx, names, opened(fn))
}

func opened(fn func(map[calendar.URI]*Quota) error) func([]stores.JournalTx) error {
	return func(all []stores.JournalTx) error {
		quotas := make(map[calendar.URI]*Quota, len(all))
		for _, tx := range all {
			q, err := Open(tx)
			if err != nil {
				return err
			}
			quotas[tx.User()] = q
		}
		return fn(quotas)
	}
}

// GroupOf returns the group of an organizer: without a line for them, and for everybody, their URI.
func (q *Quota) GroupOf(organizer calendar.URI) string {
	group := string(organizer)
	for _, everybody := range []bool{true, false} {
		for _, m := range q.Groups {
			if everybody && m.Organizer == Everybody || !everybody && m.Organizer != Everybody && m.Organizer.Is(organizer) {
				group = m.Group
			}
		}
	}
	return group
}

// LimitOf returns the limit of a group, and whether there is any that counts for it.
func (q *Quota) LimitOf(group string) (limit Limit, ok bool) {
	for _, matches := range []func(string) bool{
		func(name string) bool { return name == group },
		func(name string) bool { return isURI(group) && calendar.URI(name).Is(calendar.URI(group)) },
		func(name string) bool { return name == Everybody },
	} {
		for _, l := range slices.Backward(q.Limits) {
			if matches(l.Group) {
				return l, true
			}
		}
	}
	return Limit{}, false
}

// isURI reports whether a group is called like a user, whose letter case does not matter.
func isURI(group string) bool { return strings.Contains(group, ":") }

// table returns the table of a group: where somebody's URI is the group's name, the one that
// there is under a name that differs in letter case.
func (q *Quota) table(group string) (stores.Table, error) {
	name := calendar.URI(group)
	if isURI(group) {
		others, err := q.Others()
		if err != nil {
			return stores.Table{}, err
		}
		if found := calendar.Find(others, name); found != "" {
			name = found
		}
	}
	return stores.Table{Kind: stores.Other, Other: name}, nil
}
