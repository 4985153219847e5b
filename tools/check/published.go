package check

import (
	"bytes"
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// published compares the published calendar with the user's own free/busy.
func (e finder) published() error {
	if !e.known || e.ownWrong {
		return nil // with the table, what is published is made anew
	}
	path := e.publishedPath()
	if path != "" && (e.blocked[path] || e.blocked[filepath.Dir(path)]) {
		return nil
	}
	text, err := e.tx.Published()
	none := errors.Is(err, stores.ErrNotFound)
	if err != nil && !none {
		return err
	}
	if !e.preferences.Publishes() {
		if !none && len(text) > 0 && !e.unsettled {
			f := e.add(publishedUnwanted, path, stores.ID{}, "free/busy is published against the user's preferences")
			if path != "" {
				f.mendBy(aside{})
			}
		}
		return nil
	}
	table, err := e.tx.Periods(ownTable)
	if err != nil {
		return err
	}
	switch {
	case none && len(busyPeriods(table)) == 0, !none && isPublished(text, e.user, table):
	case none:
		e.republish(path, "free/busy must be published, and is not")
	default:
		said := "the published free/busy differs from the user's free/busy"
		if _, readable := publishedPeriods(text, e.user); !readable {
			said = "the published file is not the user's free/busy, or is incomplete"
		}
		e.republish(path, said)
	}
	return nil
}

// isPublished reports whether a text is a published calendar of a table.
func isPublished(text []byte, user calendar.URI, table *freebusy.Table) bool {
	if isWritten(text, user, table) {
		return true
	}
	got, readable := publishedPeriods(text, user)
	return readable && slices.Equal(busyPeriods(table), compact(got))
}

// isWritten reports whether a text is what our programs publish of a table, whenever they did.
// That takes less than reading it, and a table of a million records can be published.
func isWritten(text []byte, user calendar.URI, table *freebusy.Table) bool {
	_, rest, _ := bytes.Cut(text, []byte("\r\nDTSTAMP:"))
	stamp, err := time.Parse(utcLayout, string(rest[:min(len(rest), len(utcLayout))]))
	return err == nil && bytes.Equal(text, freebusy.Published(string(user), stamp, table))
}

// busyPeriods returns the periods of a table that are published, in order, each once.
func busyPeriods(table *freebusy.Table) []instants {
	var periods []instants
	for p := range table.All() {
		if p.Transp == itip.Opaque {
			periods = append(periods, instants{p.Start.Unix(), p.End.Unix()})
		}
	}
	return compact(periods)
}

func (e finder) republish(path, text string) {
	e.add(publishedDiffers, path, stores.ID{}, "%s", text).mendBy(publish{})
}

func compact(periods []instants) []instants {
	slices.SortFunc(periods, func(a, b instants) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	return slices.Compact(periods)
}

const utcLayout = "20060102T150405Z"

// publishedPeriods returns the periods of a user's published calendar. It is ok if it is one
// whole calendar with one component (RFC 5546 section 3.3.1).
func publishedPeriods(text []byte, user calendar.URI) (periods []instants, ok bool) {
	if !bytes.HasSuffix(bytes.TrimSpace(text), []byte("END:VCALENDAR")) {
		return nil, false
	}
	calendars, err := calendar.Decode(string(text))
	if err != nil || len(calendars) != 1 {
		return nil, false
	}
	c := calendars[0]
	if c.Method != "PUBLISH" || len(c.FreeBusy) != 1 || len(c.Events)+len(c.Others)+len(c.Warnings) > 0 {
		return nil, false
	}
	found := c.FreeBusy[0]
	if found.Err != nil || len(found.Warnings) > 0 || found.FreeBusy.Organizer.URI != user {
		return nil, false
	}
	for _, p := range found.FreeBusy.Periods {
		if p.IsBusy() {
			periods = append(periods, instants{p.Start.Unix(), p.End.Unix()})
		}
	}
	return periods, true
}
