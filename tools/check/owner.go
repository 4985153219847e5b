package check

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// An event is in a user's records because they are in it, as its organizer or an attendee, or
// because they sent it out for somebody. Of two users whose directories are in each other's place,
// all events in the one's have the other in them, while somebody's own are missing there.

// isStranger reports whether the user is not in an event.
func (e finder) isStranger(t *text) bool {
	if t.simple {
		return !t.facts.Organizes && !t.facts.Attends
	}
	return !slices.Contains(participants(t.object()), e.user)
}

// swapped tells if the records in the user's directory are those of another user, who has the
// user's, or if their events are. The user is in none of some of the events there.
func (e finder) swapped(v verdict) bool {
	if e.at == nil {
		return false
	}
	knows := func(user calendar.URI) bool {
		_, err := os.Lstat(e.tablePath(stores.Table{Kind: stores.Other, Other: user}))
		return err == nil
	}
	knowsSelf := knows(e.user) // no program records what a user knows of themself
	if !knowsSelf && v.strangers == 0 && !e.ownWrong && len(e.findings) == 0 && !e.lacksOwn(v.seen) {
		return false // nothing speaks for it
	}
	everywhere := make(map[calendar.URI][]calendar.URI)
	inAll := func(user calendar.URI) []calendar.URI {
		all, known := everywhere[user]
		if !known {
			all = e.inAll(user)
			everywhere[user] = all
		}
		return all
	}
	mine := inAll(e.user)
	for _, other := range mine {
		if other == e.user || !slices.Contains(inAll(other), e.user) {
			continue
		}
		// Some have been taken out of events. The directory of somebody who is known in it is not that one's.
		isLeft := (!v.recorded || knows(other)) && !knowsSelf && !e.elsewhere(e.user, other) && !e.elsewhere(other, e.user)
		if (!slices.Contains(mine, e.user) || !slices.Contains(inAll(other), other) || knowsSelf) && !isLeft {
			e.tellSwapped(other)
			return true
		}
	}
	return false
}

// lacksOwn reports whether free/busy has an event of the user's own that is not stored at all. Some records have been seen.
func (e finder) lacksOwn(s seen) bool {
	for id := range e.rows.left(s) {
		if e.uids[id.UID] == nil && calendar.URI(e.rows.of(id)[0].organizer).Is(e.user) {
			return true
		}
	}
	return false
}

// elsewhere reports whether a user's free/busy has an event of their own that is among another's events and not among theirs.
// It reads without locks.
func (e finder) elsewhere(user, other calendar.URI) bool {
	table, err := os.ReadFile(e.at.TablePath(user, ownTable))
	if err != nil {
		return false
	}
	stored := func(of calendar.URI, uid string) bool {
		path := e.at.Path(of, stores.Key{ID: stores.ID{UID: uid}})
		_, err := os.Lstat(path)
		return path != "" && err == nil
	}
	number := 0
	for line := range strings.Lines(string(table)) {
		if number++; number > maxOwned {
			break
		}
		columns := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(columns) > 6 && columns[4] == "" && calendar.URI(columns[6]).Is(user) && !stored(user, columns[2]) && stored(other, columns[2]) {
			return true
		}
	}
	return false
}

func (e finder) tellSwapped(other calendar.URI) {
	// What else is wrong is so for that reason, but for the files.
	e.findings = slices.DeleteFunc(e.findings, func(f *Finding) bool { return !strings.HasPrefix(f.Kind.ID, "file-") })
	here, there := filepath.Dir(e.at.RequestsPath(e.user)), filepath.Dir(e.at.RequestsPath(other))
	what := "the directories"
	if e.elsewhere(e.user, other) || e.elsewhere(other, e.user) { // the tables are in their places
		what = "the events (the directories objects)"
		here, there = filepath.Join(here, "objects"), filepath.Join(there, "objects")
	}
	f := e.add(userSwapped, here, stores.ID{}, "%s of %s and %s are swapped, judging by organizers and attendees; stop the mail system and swap them back", what, e.user, other)
	first, second := min(here, there), max(here, there) // the same for both: it is to be done once
	beside := filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(e.at.RequestsPath(e.user)))), "swapped")
	f.Command = "mv -T " + Quote(first) + " " + Quote(beside) + " && mv -T " + Quote(second) + " " + Quote(first) + " && mv -T " + Quote(beside) + " " + Quote(second)
}

// maxOwned is how many of a user's events are looked at for whose they are.
const maxOwned = 1000

// inAll returns the users who are in all whole events in a user's directory: nobody if there are
// fewer than two. It reads without the lock of that user, whose records are not changed.
func (e finder) inAll(user calendar.URI) []calendar.URI {
	dir := filepath.Dir(e.at.Path(user, stores.Key{ID: stores.ID{UID: "x"}}))
	entries, _ := os.ReadDir(dir) // else there is none
	var all []calendar.URI
	number := 0
	for _, entry := range entries[:min(len(entries), maxOwned)] {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue
		}
		object, err := calendar.DecodeObject(content)
		if err != nil {
			continue
		}
		in := participants(object)
		if number++; number == 1 {
			all = in
		}
		all = slices.DeleteFunc(all, func(uri calendar.URI) bool { return !slices.Contains(in, uri) })
		if len(all) == 0 {
			break
		}
	}
	if number < 2 {
		all = nil
	}
	return all
}

// participants returns the organizer and the attendees of an event.
func participants(object *calendar.Object) (uris []calendar.URI) {
	if organizer, ok := object.Organizer(); ok {
		uris = append(uris, organizer)
	}
	for _, attendee := range object.Attendees() {
		uris = append(uris, attendee.URI)
	}
	return uris
}
