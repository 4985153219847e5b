package calendars

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tools/migrate"
)

// Export says how users' events are written for other calendar software.
type Export struct {
	Form  string         // "ics": one calendar a user; "vdir": one file an event, in a directory for each user
	Dir   string         // where to; empty: to Out
	Out   io.Writer      // for the form "ics"
	Users []calendar.URI // none: everybody
	// NoInvite marks organizers and attendees so that servers into which this is imported
	// do not send invitations (RFC 6638 section 7.1).
	NoInvite bool
	// Overwrite allows writing where there are other calendar files. Delete removes those of
	// events and users that are no more: what an export wrote, and with Overwrite also what
	// others have put among a user's events.
	Overwrite, Delete bool
	// Name returns how a user's calendar is called; empty: by the address.
	Name func(calendar.URI) string
	// Zone returns a user's zone, for dates and times without one; nil: UTC.
	Zone func(calendar.URI) *time.Location
	Now  time.Time
	// Progress is called with how many users are done; nil: never.
	Progress func(done, total int)
}

// Exported is what was written.
type Exported struct {
	Users  int // looked at
	Events int // whole events, with their changed occurrences
	migrate.Report
}

// Run writes the events of a store's users.
func (x *Export) Run(ctx context.Context, from stores.Store) (*Exported, error) {
	done := new(Exported)
	users, err := migrate.Names(from.Users(ctx))
	if err != nil {
		return done, migrate.NoSource(err)
	}
	if x.Delete && x.Dir != "" && len(x.Users) == 0 {
		if err := x.forgetOthers(users); err != nil {
			done.Note(migrate.Issue{Kind: migrate.Failed, Part: migrate.StorePart, Text: err.Error()})
		}
	}
	if len(x.Users) > 0 {
		for _, user := range x.Users {
			if !slices.Contains(users, user) {
				done.Note(migrate.Issue{Kind: migrate.Unknown, Part: migrate.StorePart, User: user, Text: "the store has no records of that user"})
			}
		}
		users = slices.DeleteFunc(users, func(user calendar.URI) bool { return !slices.Contains(x.Users, user) })
	}
	for _, user := range users {
		if x.Progress != nil {
			x.Progress(done.Users, len(users))
		}
		done.Users++
		err := x.user(ctx, from, user, done)
		switch {
		case errors.Is(err, stores.ErrAway), ctx.Err() != nil:
			return done, err
		case errors.Is(err, errNotEmpty):
			done.Note(migrate.Issue{Kind: migrate.Conflict, Part: migrate.StorePart, User: user, Text: err.Error()})
		case errors.Is(err, stores.ErrLocked):
			done.Note(migrate.Issue{Kind: migrate.Locked, Part: migrate.StorePart, User: user, Text: err.Error()})
		case err != nil:
			done.Note(migrate.Issue{Kind: migrate.Failed, Part: migrate.StorePart, User: user, Text: err.Error()})
		}
	}
	if len(x.Users) > 0 && done.Users == 0 {
		return done, fmt.Errorf("the store has no records of the named users: %w", migrate.ErrNoSource)
	}
	return done, nil
}

// user writes a user's events.
func (x *Export) user(ctx context.Context, from stores.Store, user calendar.URI, done *Exported) error {
	byUID := make(map[string][]component)
	var keep []string // files of events that cannot be exported, but are not gone
	issue := func(id stores.ID, text string) {
		done.Note(migrate.Issue{Kind: migrate.Damaged, Part: migrate.StorePart, User: user, Item: migrate.EventItem(id), Text: text})
		keep = append(keep, itemName(id.UID))
	}
	type unread struct {
		id  stores.ID
		err error
	}
	var unreadable []unread
	err := from.View(ctx, user, func(tx stores.Tx) error {
		clear(byUID) // a try before this one counts for nothing
		unreadable = nil
		for k, err := range tx.Keys() {
			if err != nil {
				return err
			}
			if k.Part == stores.Countered {
				continue // somebody else's proposal is no event of the user's
			}
			content, err := tx.Get(k)
			if err != nil {
				return err
			}
			object, err := calendar.DecodeObject(content)
			if err != nil {
				unreadable = append(unreadable, unread{k.ID, err})
				continue
			}
			byUID[k.UID] = append(byUID[k.UID], component{
				id: k.ID, cancelled: k.Part == stores.Cancelled, object: object,
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, u := range unreadable {
		issue(u.id, u.err.Error())
	}
	uids := make([]string, 0, len(byUID))
	for uid := range byUID {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	files := make(map[string][]byte)
	var all []*calendar.Object
	zone := time.UTC
	if x.Zone != nil {
		zone = x.Zone(user)
	}
	for _, uid := range uids {
		objects := x.event(byUID[uid], zone, issue)
		if len(objects) == 0 {
			continue
		}
		if x.Form == "vdir" {
			d := calendar.Document{Objects: objects}
			files[itemName(uid)] = d.Encode()
		} else {
			all = append(all, objects...)
		}
		done.Events++
	}
	name := strings.TrimPrefix(string(user), "mailto:")
	if x.Name != nil && x.Name(user) != "" {
		name = x.Name(user)
	}
	if x.Form == "vdir" {
		files["displayname"] = []byte(name)
		return x.writeDir(filepath.Join(x.Dir, fileName(user)), files, keep)
	}
	path := filepath.Join(x.Dir, fileName(user)+".ics")
	switch {
	case len(all) > 0: // a calendar has at least one component, RFC 5545 section 3.6
	case x.Dir != "" && x.Delete && len(keep) == 0:
		return x.forget(path)
	default:
		return nil
	}
	d := calendar.Document{Name: name, Objects: all}
	text := d.Encode()
	if x.Dir == "" {
		_, err := x.Out.Write(text)
		return err
	}
	if old, err := os.ReadFile(path); err == nil && !bytes.Equal(old, text) && !x.Overwrite {
		return fmt.Errorf("%s: %w", path, errNotEmpty)
	}
	return x.write(path, text)
}

var errNotEmpty = errors.New("calendar files exist already: --overwrite replaces them")
