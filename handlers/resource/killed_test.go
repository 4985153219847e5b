package resource_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
	"imip-agent/tests/skip"
)

// killed is a store whose transactions end before they are committed, when what they have changed elsewhere is.
type killed struct{ stores.Store }

// full is set for tests that take minutes.
var full = os.Getenv("IMIP_AGENT_FULL") != ""

var errKilled = errors.New("killed")

func (k killed) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return k.Store.Update(ctx, user, func(tx stores.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errKilled
	})
}

// files returns the files of a directory that are not empty, by path.
func (s *site) files(name string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	root := filepath.Join(s.dir, name)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.Name() == "__outbox__" {
				return filepath.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(path)
		if relative, _ := filepath.Rel(root, path); len(text) > 0 {
			all[relative] = string(text)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	return all
}

// A program is killed when the journal is committed, and the resource's own records are not. The message is handed in
// again, at once or after another that has taken the time or the quota: all is as if the first attempt had never been.
func TestKilledBetweenCommits(t *testing.T) {
	skip.OnOtherDays(t)
	const daily = "RRULE:FREQ=DAILY;COUNT=3"
	moved := []string{"SEQUENCE:1", "DTSTART:20261202T140000Z"}
	occurrence := []string{"SEQUENCE:1", "RECURRENCE-ID:20261203T090000Z", "DTSTART:20261203T140000Z"}
	first, series := request(), request(daily)
	byHarvey := func(lines ...string) string {
		return message(harvey, "REQUEST", event(append(lines, "ORGANIZER:mailto:"+harvey)...))
	}
	scenarios := []struct {
		name   string
		before []string
		text   string
	}{
		{"new", nil, first},
		{"a series", nil, series},
		{"without end", nil, request("RRULE:FREQ=DAILY")},
		{"moved", []string{first}, request(moved...)},
		{"a series that is moved", []string{series}, request(append(moved, daily)...)},
		{"a series instead of an event", []string{first}, request("SEQUENCE:1", "DTSTART:20261202T140000Z", daily)},
		{"an occurrence alone", nil, request(occurrence...)},
		{"an occurrence", []string{series}, request(occurrence...)},
		{"an occurrence again", []string{series, request("SEQUENCE:1", "RECURRENCE-ID:20261203T090000Z", "DTSTART:20261203T110000Z")}, request(append(occurrence, "SEQUENCE:2")[1:]...)},
		{"an occurrence beside another", []string{series, request("SEQUENCE:1", "RECURRENCE-ID:20261202T090000Z", "DTSTART:20261202T110000Z")}, request(occurrence...)},
		{"all later occurrences", []string{series}, request("SEQUENCE:1", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261203T090000Z", "DTSTART:20261203T140000Z")},
		{"a series with an occurrence", []string{series, request(occurrence...)}, request("SEQUENCE:2", "DTSTART:20261202T140000Z", daily)},
		{"of another organizer", []string{first}, message(harvey, "REQUEST", event("UID:other", "ORGANIZER:mailto:"+harvey, "DTSTART:20261203T140000Z"))},
		{"called off", []string{first}, message(paul, "CANCEL", event("SEQUENCE:1"))},
		{"an occurrence that is called off", []string{series}, message(paul, "CANCEL", event("SEQUENCE:1", "RECURRENCE-ID:20261203T090000Z"))},
		{"by ADD", []string{series}, message(paul, "ADD", event("SEQUENCE:1", "DTSTART:20261209T140000Z"))},
	}
	meanwhile := []struct {
		name  string
		texts []string
	}{
		{"at once", nil},
		{"the new time is taken", []string{byHarvey("UID:others", "DTSTART:20261202T140000Z"), byHarvey("UID:others2", "DTSTART:20261203T140000Z")}},
		{"the former time is taken", []string{byHarvey("UID:others", "DTSTART:20261202T090000Z")}},
		{"the quota is used up", []string{byHarvey("UID:others", "DTSTART:20261210T090000Z", "DURATION:PT20H")}},
	}
	number := 0
	for _, functions := range []string{
		"schedule_in_freebusy\ncheck_quota " + rooms,
		"check_quota " + rooms + "\nschedule_in_freebusy",
		"schedule_next_available_in_freebusy\ncheck_quota " + rooms,
		"schedule_across_quota " + rooms + "\nschedule_next_available_in_freebusy",
		"check_quota " + rooms + "\nschedule_across_quota " + rooms + "\nschedule_next_available_in_freebusy",
		"schedule_for_delegate " + rooms,
		"schedule_for_delegate " + rooms + "\nschedule_across_quota mailto:organizers@example.com\nschedule_next_available_in_freebusy",
	} {
		t.Run(strings.ReplaceAll(functions, "\n", ", "), func(t *testing.T) {
			for _, c := range scenarios {
				for i, m := range meanwhile {
					if number++; !full && (number+i)%4 != 0 {
						continue
					}
					t.Run(c.name+", "+m.name, func(t *testing.T) {
						open := func() *site {
							s := newSite(t)
							s.settings.SchedulingFunction, s.settings.Offers = functions, time.Hour
							s.settings.AddResponse = preferences.TakeOver
							s.list("limits", "all PT24H")
							s.list("groups", "* all")
							s.list("delegates", "mailto:"+room, "mailto:"+attic)
							for _, text := range c.before {
								s.handle(text, room)
							}
							return s
						}
						want, s := open(), open()
						store := s.Store
						s.Store = killed{store}
						if err := s.try(c.text, room); !errors.Is(err, errKilled) {
							t.Fatalf("%v\n%s", err, &s.log)
						}
						s.Store = store
						for _, s := range []*site{want, s} {
							s.settings.SchedulingFunction = "check_quota " + rooms // whoever else has the time
							for _, text := range m.texts {
								s.handle(text, room)
							}
							s.settings.SchedulingFunction = functions
						}
						if diff := cmp.Diff(want.handle(c.text, room), s.handle(c.text, room)); diff != "" {
							t.Errorf("answers: %s", diff)
						}
						for _, dir := range []string{"store", "journal"} {
							if diff := cmp.Diff(want.files(dir), s.files(dir)); diff != "" {
								t.Errorf("%s: %s\n%s", dir, diff, &s.log)
							}
						}
					})
				}
			}
		})
	}
}
