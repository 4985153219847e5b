package check

import (
	"errors"
	"slices"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/availability"
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
	if e.blocked[path] && path != "" {
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
	case !isPublished(text, nil):
		e.republish(path, "what is published is no calendar")
	case !isPublished(text, append([]string{}, want...)):
		e.republish(path, "what is published is not what the user's free/busy says")
	}
	return nil
}

// busyPeriods returns the periods of a table that are published, in order, each once.
func busyPeriods(table *freebusy.Table) []string {
	var periods []string
	for p := range table.All() {
		if p.Transp == availability.Opaque {
			periods = append(periods, p.Start.Format(utcLayout)+"/"+p.End.Format(utcLayout))
		}
	}
	return compact(periods)
}

// isPublished reports whether a text is a published calendar, of those periods if any are
// given.
func isPublished(text []byte, want []string) bool {
	got, readable := publishedPeriods(string(text))
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

// publishedPeriods returns the periods of a published calendar, each as start/end.
func publishedPeriods(text string) (periods []string, ok bool) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.NewReplacer("\n ", "", "\n\t", "").Replace(text)
	begun, ended := false, false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n ")
		name, value, found := strings.Cut(line, ":")
		switch {
		case line == "BEGIN:VFREEBUSY":
			begun = true
		case line == "END:VFREEBUSY":
			ended = true
		case !found || name != "FREEBUSY" && !strings.HasPrefix(name, "FREEBUSY;"):
		case strings.Contains(name, "FBTYPE=FREE"):
		default:
			for _, period := range strings.Split(value, ",") {
				periods = append(periods, untilEnd(period))
			}
		}
	}
	return periods, begun && ended
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
