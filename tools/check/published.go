package check

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

// published compares the published calendar with the user's own free/busy.
func (e *examination) published() error {
	if !e.known || e.ownWrong {
		return nil // with the table, what is published is made anew
	}
	path := ""
	if files := e.checker.files(); files != nil {
		path = files.PublishedPath(e.user)
	}
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
			f := e.add(publishedUnwanted, path, stores.ID{}, "free/busy is published, and the user's preferences say that it is not to be")
			if path != "" {
				f.mend = func(m *mender) error { return m.aside(f, path) }
			}
		}
		return nil
	}
	table, err := e.tx.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return err
	}
	switch want := busyPeriods(table); {
	case none && len(want) == 0:
		return nil
	case none:
		e.republish(path, "free/busy is to be published, and is not")
	case !isPublished(text, e.user, nil):
		e.republish(path, "what is published is no calendar of the user's free/busy, or not a whole one")
	case !isPublished(text, e.user, append([]string{}, want...)):
		e.republish(path, "what is published is not what the user's free/busy says")
	}
	return nil
}

// busyPeriods returns the periods of a table that are published, in order, each once.
func busyPeriods(table *freebusy.Table) []string {
	var periods []string
	for p := range table.All() {
		if p.Transp == itip.Opaque {
			periods = append(periods, p.Start.Format(utcLayout)+"/"+p.End.Format(utcLayout))
		}
	}
	return compact(periods)
}

// isPublished reports whether a text is a published calendar of a user's, of those periods
// if any are given.
func isPublished(text []byte, user calendar.URI, want []string) bool {
	got, readable := publishedPeriods(string(text), user)
	return readable && (want == nil || slices.Equal(want, compact(got)))
}

func (e *examination) republish(path, text string) {
	f := e.add(publishedDiffers, path, stores.ID{}, "%s", text)
	f.mend = func(m *mender) error { return m.publish(f) }
}

func compact(periods []string) []string {
	slices.Sort(periods)
	return slices.Compact(periods)
}

const utcLayout = "20060102T150405Z"

// publishedPeriods returns the periods of a user's published calendar, each as start/end. It
// is ok if it is one whole calendar with one component (RFC 5546 section 3.3.1).
func publishedPeriods(text string, user calendar.URI) (periods []string, ok bool) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.NewReplacer("\n ", "", "\n\t", "").Replace(text)
	// Each of these is there once, and the components in this order.
	once := map[string]int{"METHOD:PUBLISH": 0, "ORGANIZER:" + string(user): 0}
	order := []string{"BEGIN:VCALENDAR", "BEGIN:VFREEBUSY", "END:VFREEBUSY", "END:VCALENDAR"}
	ended := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n ")
		name, value, found := strings.Cut(line, ":")
		bare, _, _ := strings.Cut(name, ";")
		switch {
		case ended && line != "":
			return nil, false
		case bare == "BEGIN" || bare == "END":
			if len(order) == 0 || line != order[0] {
				return nil, false
			}
			order = order[1:]
			ended = len(order) == 0
		case bare == "METHOD":
			once[line]++
		case bare == "ORGANIZER" && strings.HasSuffix(line, ":"+string(user)):
			once["ORGANIZER:"+string(user)]++
		case !found || bare != "FREEBUSY":
		case strings.Contains(name, "FBTYPE=FREE"):
		default:
			for _, period := range strings.Split(value, ",") {
				periods = append(periods, untilEnd(period))
			}
		}
	}
	for _, n := range once {
		ended = ended && n == 1
	}
	return periods, ended
}

// periodTimes returns the start and the end of a period, in seconds since 1970.
func periodTimes(period string) (start, end int64, ok bool) {
	from, to, _ := strings.Cut(period, "/")
	first, err := calendar.InstantOf(from, nil)
	last, errLast := calendar.InstantOf(to, nil)
	if err != nil || errLast != nil || !strings.HasSuffix(from, "Z") || !strings.HasSuffix(to, "Z") {
		return 0, 0, false
	}
	return first.Unix(), last.Unix(), true
}

// untilEnd returns a period (RFC 5545 section 3.3.9) as start/end.
func untilEnd(period string) string {
	start, rest, found := strings.Cut(period, "/")
	if !found || !strings.HasPrefix(rest, "P") {
		return period
	}
	from, err := time.Parse(utcLayout, start)
	length, errLength := preferences.ParseDuration(rest)
	if err != nil || errLength != nil {
		return period
	}
	return start + "/" + from.Add(length).Format(utcLayout)
}
