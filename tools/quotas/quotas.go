// Package quotas shows and changes what administrators say of quotas: how much each group may
// book (limits), who belongs to a group (groups), and which resources can stand in for one another
// (delegates). It gives back what was booked and is past.
//
// The lists are the original's, in files or tables. What a change leaves stays as it is written,
// with comments. See package handlers/quota for what they mean.
package quotas

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// State is what there is of a quota.
type State struct {
	Quota     calendar.URI
	Limits    [][2]string // group, limit: a duration, or [quota.Unlimited]
	Groups    [][2]string // organizer, group
	Delegates []string
	Accounts  []Account
}

// Account is what a group has booked.
type Account struct {
	Group    string
	Bookings int
	Booked   time.Duration
	Limit    string // empty: there is none that counts for the group
}

// UnknownError says that there is nothing of a quota.
type UnknownError struct{ Quota calendar.URI }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no quota %q in the journal", string(e.Quota))
}

// All returns the quotas of a journal, in order. There are none if there is no journal.
func All(ctx context.Context, journal stores.Journal) (all []calendar.URI, err error) {
	for name, err := range journal.Quotas(ctx) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, nil
}

// known fails with an [UnknownError] if there is nothing of a quota.
func known(ctx context.Context, journal stores.Journal, name calendar.URI) error {
	all, err := All(ctx, journal)
	if err == nil && !slices.Contains(all, name) {
		return &UnknownError{name}
	}
	return err
}

// Read returns what there is of a quota.
func Read(ctx context.Context, journal stores.Journal, name calendar.URI) (s State, err error) {
	if err := known(ctx, journal, name); err != nil {
		return s, err
	}
	err = quota.View(ctx, journal, []calendar.URI{name}, func(quotas map[calendar.URI]*quota.Quota) (err error) {
		s, err = read(quotas[name])
		return err
	})
	return s, err
}

func read(q *quota.Quota) (State, error) {
	s := State{Quota: q.User()}
	for _, list := range stores.QuotaLists {
		lines, err := q.List(list.Name)
		if err != nil {
			return s, err
		}
		for _, words := range lines {
			switch list.Name {
			case "limits":
				s.Limits = append(s.Limits, [2]string(words))
			case "groups":
				s.Groups = append(s.Groups, [2]string(words))
			case "delegates":
				s.Delegates = append(s.Delegates, words[0])
			}
		}
	}
	groups, err := q.Others()
	if err != nil {
		return s, err
	}
	for _, group := range groups {
		table, err := q.Periods(stores.Table{Kind: stores.Other, Other: group})
		if err != nil {
			return s, err
		}
		s.Accounts = append(s.Accounts, account(q, string(group), table))
	}
	return s, nil
}

func account(q *quota.Quota, group string, table *freebusy.Table) Account {
	a := Account{Group: group, Bookings: table.Len(), Booked: quota.Total(table)}
	if limit, ok := q.LimitOf(group); ok {
		a.Limit = limit.String()
	}
	return a
}

// List returns the lines of one of a quota's lists, each as its words.
func List(ctx context.Context, journal stores.Journal, name calendar.URI, list string) (lines [][]string, err error) {
	if err := known(ctx, journal, name); err != nil {
		return nil, err
	}
	err = journal.View(ctx, name, func(tx stores.JournalTx) (err error) {
		lines, err = tx.List(list)
		return err
	})
	return lines, err
}

// errNoLine says that a list lacks a line that is to be removed.
var errNoLine = errors.New("there is no such line")

// Change is a change of a list: it returns what is to be there instead of lines, or why that
// cannot be.
type Change func(lines [][]string) ([][]string, error)

// Apply changes one of a quota's lists. The quota need not be there, where something is added.
// It fails if the list has a line that cannot be read, which somebody must mend by hand, and with an
// [UnknownError] if a line is to be removed and there is nothing of the quota.
func Apply(ctx context.Context, journal stores.Journal, name calendar.URI, list string, change Change) error {
	err := journal.Update(ctx, name, func(tx stores.JournalTx) error {
		lines, err := tx.List(list)
		if err != nil {
			return err
		}
		if lines, err = change(lines); err != nil {
			return err
		}
		return tx.SetList(list, lines)
	})
	if errors.Is(err, errNoLine) {
		if unknown := known(ctx, journal, name); unknown != nil {
			return unknown
		}
	}
	return err
}

// SetLimit has a group book at most so much: a duration, or [quota.Unlimited]. The group
// [quota.Everybody] is all that have no line of their own.
func SetLimit(group, amount string) (Change, error) {
	group = Group(group)
	if _, err := quota.ParseLimit(group, amount); err != nil {
		return nil, err
	}
	return set(group, []string{group, amount}), nil
}

// RemoveLimit takes a group's limit out.
func RemoveLimit(group string) Change { return remove("limit of group", group, Group(group)) }

// SetGroup puts an organizer into a group. [quota.Everybody] is all who have no line of their own.
func SetGroup(organizer, group string) (Change, error) {
	uri, err := User(organizer)
	if err != nil {
		return nil, fmt.Errorf("organizer %w", err)
	}
	group = Group(group)
	if err := quota.CheckGroup(group); err != nil {
		return nil, err
	}
	return set(string(uri), []string{string(uri), group}), nil
}

// RemoveGroup takes an organizer out of their group.
func RemoveGroup(organizer string) Change {
	uri := organizer
	if named, err := User(organizer); err == nil {
		uri = string(named)
	}
	return remove("group of organizer", organizer, uri)
}

// AddDelegates adds resources after those that are there.
func AddDelegates(resources ...string) (Change, error) { return delegates(resources, true) }

// SetDelegates has these resources in place of those that are there, in that order.
func SetDelegates(resources ...string) (Change, error) { return delegates(resources, false) }

func delegates(resources []string, keep bool) (Change, error) {
	var fresh []calendar.URI
	for _, r := range resources {
		uri, err := User(r)
		switch {
		case err != nil:
			return nil, fmt.Errorf("resource %w", err)
		case uri == quota.Everybody:
			return nil, fmt.Errorf("resource %q: a delegate is one resource", r)
		case slices.ContainsFunc(fresh, uri.Is):
			return nil, fmt.Errorf("resource %q is named twice", r)
		}
		fresh = append(fresh, uri)
	}
	return func(lines [][]string) ([][]string, error) {
		if !keep {
			lines = nil
		}
		lines = slices.Clone(lines)
		for _, uri := range fresh {
			there := slices.ContainsFunc(lines, func(words []string) bool { return uri.Is(calendar.URI(words[0])) })
			if !there {
				lines = append(lines, []string{string(uri)})
			}
		}
		return lines, nil
	}, nil
}

// RemoveDelegates takes resources out.
func RemoveDelegates(resources ...string) Change {
	return func(lines [][]string) ([][]string, error) {
		for _, r := range resources {
			uri := r
			if named, err := User(r); err == nil {
				uri = string(named)
			}
			var err error
			if lines, err = remove("delegate", r, uri)(lines); err != nil {
				return nil, err
			}
		}
		return lines, nil
	}
}

// is reports whether a word of a list means a name: URIs do whatever their letter case.
func is(word, name string) bool {
	return word == name || strings.Contains(name, ":") && calendar.URI(word).Is(calendar.URI(name))
}

// set has a line in place of those whose first word means a name, or at the end.
func set(name string, line []string) Change {
	return func(lines [][]string) ([][]string, error) {
		at := slices.IndexFunc(lines, func(words []string) bool { return is(words[0], name) })
		if at < 0 {
			return append(slices.Clone(lines), line), nil
		}
		rest := slices.DeleteFunc(slices.Clone(lines[at+1:]), func(words []string) bool { return is(words[0], name) })
		return slices.Concat(lines[:at], [][]string{line}, rest), nil
	}
}

// remove takes out the lines whose first word is a name as it was given or as it is meant.
func remove(what, given, meant string) Change {
	return func(lines [][]string) ([][]string, error) {
		left := slices.DeleteFunc(slices.Clone(lines), func(words []string) bool {
			return words[0] == given || is(words[0], meant)
		})
		if len(left) == len(lines) {
			return nil, fmt.Errorf("%s %q: %w", what, given, errNoLine)
		}
		return left, nil
	}
}

// Group returns the name of a group: an address is that of an organizer, who is a group of their
// own, and becomes a URI.
func Group(name string) string {
	if strings.Contains(name, "@") {
		return string(calendar.NewURI(name))
	}
	return name
}

// User returns the URI of a user who is named by URI or address, or [quota.Everybody].
func User(name string) (calendar.URI, error) {
	if name == quota.Everybody {
		return quota.Everybody, nil
	}
	uri := calendar.NewURI(name)
	switch reason := stores.BadText(string(uri)); {
	case reason != "":
		return "", fmt.Errorf("%.60q: %s", name, reason)
	case !strings.Contains(name, ":") && !strings.Contains(name, "@"), strings.ContainsAny(name, " \"'"):
		return "", fmt.Errorf("%.60q is neither an address nor a URI", name)
	case strings.HasPrefix(string(uri), "mailto:"):
		local, domain, ok := strings.Cut(uri.Address(), "@")
		if !ok || local == "" || domain == "" {
			return "", fmt.Errorf("%.60q is no address", name)
		}
	}
	return uri, nil
}

// Name returns the name of a quota, which by convention is an address as URI.
func Name(word string) (calendar.URI, error) {
	name := calendar.URI(Group(word))
	return name, quota.CheckName(name)
}

// Expire gives back what has ended before now. Zone is that of dates and of times without one.
func Expire(ctx context.Context, journal stores.Journal, name calendar.URI, now time.Time, zone *time.Location) (gone quota.Expired, err error) {
	err = journal.Update(ctx, name, func(tx stores.JournalTx) (err error) {
		gone, err = (&quota.Quota{JournalTx: tx}).Expire(now, zone) // whatever is wrong with the lists
		return err
	})
	return gone, err
}
