package quota_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// period is a record of a table, of a day of December 2026 and hours of it.
func period(uid string, day, from, to int, resource calendar.URI) freebusy.Period {
	at := func(hour int) time.Time { return time.Date(2026, 12, day, hour, 0, 0, 0, time.UTC) }
	return freebusy.Period{Start: at(from), End: at(to), UID: uid, Transp: "OPAQUE", Attendee: string(resource)}
}

// occurrence is a record of an occurrence that stands apart, on a day at 9.
func occurrence(uid string, day int, resource calendar.URI) freebusy.Period {
	p := period(uid, day, 9, 10, resource)
	p.RecurrenceID = p.Start.Format("20060102T150405Z")
	return p
}

// fill puts records into the table of a group.
func fill(t testing.TB, j stores.Journal, group string, rows ...freebusy.Period) {
	t.Helper()
	update(t, j, func(q *quota.Quota) {
		table, err := q.Periods(stores.Table{Kind: stores.Other, Other: calendar.URI(group)})
		must(t, err)
		table.InsertAll(rows)
	})
}

func TestCheck(t *testing.T) {
	const twice = "RRULE:FREQ=DAILY;COUNT=2"
	for _, c := range []struct {
		name   string
		lists  lists
		booked []freebusy.Period // of the group staff
		lines  []string          // of the event u, which is an hour on the 2nd at 9
		want   quota.Reason
		group  string
	}{
		{"nobody has a limit", nil, nil, nil, quota.NoAllocation, string(paul)},
		{"others have a limit", lists{"limits": "staff PT9H"}, nil, nil, quota.NoAllocation, string(paul)},
		{"a group without a limit", lists{"groups": string(paul) + " staff", "limits": "others PT9H"}, nil, nil, quota.NoAllocation, "staff"},
		{"their own limit", lists{"limits": string(paul) + " PT1H"}, nil, nil, quota.Accepted, string(paul)},
		{"everybody's limit", lists{"limits": "* PT1H"}, nil, nil, quota.Accepted, string(paul)},
		{"everybody's group", lists{"groups": "* staff", "limits": "staff PT1H"}, nil, nil, quota.Accepted, "staff"},
		{"their own line before everybody's", lists{"groups": string(paul) + " staff\n* others", "limits": "staff PT1H\n* PT0S"}, nil, nil, quota.Accepted, "staff"},
		{"the last line counts", lists{"limits": "staff PT9H\nstaff PT59M", "groups": "* staff"}, nil, nil, quota.Exceeded, "staff"},
		{"letter case of addresses", lists{"groups": "MAILTO:Paul@Example.COM staff", "limits": "staff PT1H"}, nil, nil, quota.Accepted, "staff"},
		{"no limit at all", lists{"groups": "* staff", "limits": "staff *"}, []freebusy.Period{period("o", 3, 0, 23, cave)}, []string{"RRULE:FREQ=DAILY"}, quota.Accepted, "staff"},
		{"just enough", lists{"groups": "* staff", "limits": "staff PT3H"}, []freebusy.Period{period("o", 3, 9, 11, cave)}, nil, quota.Accepted, "staff"},
		{"a second too much", lists{"groups": "* staff", "limits": "staff PT2H59M59S"}, []freebusy.Period{period("o", 3, 9, 11, cave)}, nil, quota.Exceeded, "staff"},
		{"all periods count", lists{"groups": "* staff", "limits": "staff PT1H"}, nil, []string{twice}, quota.Exceeded, "staff"},
		{"without end", lists{"groups": "* staff", "limits": "staff P3W"}, nil, []string{"RRULE:FREQ=YEARLY"}, quota.Exceeded, "staff"},
		{"its own record does not count", lists{"groups": "* staff", "limits": "staff PT1H"}, []freebusy.Period{period("u", 4, 9, 10, attic)}, nil, quota.Accepted, "staff"},
		{"that of another room does", lists{"groups": "* staff", "limits": "staff PT1H"}, []freebusy.Period{period("u", 4, 9, 10, cave)}, nil, quota.Exceeded, "staff"},
		{"what an occurrence replaces does not count", lists{"groups": "* staff", "limits": "staff PT2H"},
			[]freebusy.Period{period("u", 2, 9, 10, attic), period("u", 3, 9, 10, attic)}, []string{"RECURRENCE-ID:20261203T090000Z"}, quota.Accepted, "staff"},
		{"other occurrences do", lists{"groups": "* staff", "limits": "staff PT2H"},
			[]freebusy.Period{period("u", 2, 9, 11, attic), period("u", 3, 9, 10, attic)}, []string{"RECURRENCE-ID:20261203T090000Z"}, quota.Exceeded, "staff"},
		{"what its occurrences have does not count", lists{"groups": "* staff", "limits": "staff PT1H"},
			[]freebusy.Period{occurrence("u", 3, attic), occurrence("u", 4, attic)}, nil, quota.Accepted, "staff"},
		{"all later occurrences that one replaces do not count", lists{"groups": "* staff", "limits": "staff PT2H"},
			[]freebusy.Period{period("u", 2, 9, 10, attic), period("u", 3, 9, 10, attic), period("u", 4, 9, 10, attic)},
			[]string{"RECURRENCE-ID;RANGE=THISANDFUTURE:20261203T090000Z"}, quota.Accepted, "staff"},
		{"what nothing can be recorded for", lists{"limits": "* *"}, nil, []string{"ORGANIZER:mailto:a/b@example.com"}, quota.NoAllocation, "mailto:a/b@example.com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := journal(t)
			c.lists.set(t, j)
			fill(t, j, "staff", c.booked...)
			update(t, j, func(q *quota.Quota) {
				v, err := q.Check(booking(t, object(t, "u", []calendar.URI{attic}, c.lines...), attic))
				must(t, err)
				if v.Reason != c.want || v.Group != c.group || v.String() == "" {
					t.Errorf("%d for group %q (%s), want %d for %q", v.Reason, v.Group, v, c.want, c.group)
				}
			})
		})
	}
}

func TestAcross(t *testing.T) {
	for _, c := range []struct {
		name   string
		booked []freebusy.Period // of paul
		lines  []string          // of the event u, which is an hour on the 2nd at 9
		want   quota.Reason
	}{
		{"nothing", nil, nil, quota.Accepted},
		{"the same room", []freebusy.Period{period("o", 2, 9, 10, attic)}, nil, quota.Unavailable},
		{"another room", []freebusy.Period{period("o", 2, 9, 10, cave)}, nil, quota.Unavailable},
		{"the same event in another room", []freebusy.Period{period("u", 2, 9, 10, cave)}, nil, quota.Accepted},
		{"it ends when this begins", []freebusy.Period{period("o", 2, 8, 9, cave)}, nil, quota.Accepted},
		{"it begins when this ends", []freebusy.Period{period("o", 2, 10, 11, cave)}, nil, quota.Accepted},
		{"all around it", []freebusy.Period{period("o", 1, 0, 1, cave), period("o", 2, 8, 11, cave)}, nil, quota.Unavailable},
		{"a later occurrence", []freebusy.Period{period("o", 4, 9, 10, cave)}, []string{"RRULE:FREQ=DAILY;COUNT=3"}, quota.Unavailable},
		{"between occurrences", []freebusy.Period{period("o", 3, 10, 20, cave)}, []string{"RRULE:FREQ=DAILY;COUNT=3"}, quota.Accepted},
		{"during a long period in which another one lies", []freebusy.Period{period("o", 2, 15, 16, cave)}, []string{"RDATE;VALUE=PERIOD:20261202T070000Z/PT10H"}, quota.Unavailable},
		{"an occurrence of the event", []freebusy.Period{occurrence("u", 2, cave)}, nil, quota.Accepted},
		{"what an occurrence replaces", []freebusy.Period{period("u", 2, 9, 10, cave)}, []string{"RECURRENCE-ID:20261202T090000Z"}, quota.Accepted},
		{"another occurrence of the event", []freebusy.Period{period("u", 2, 9, 10, cave)}, []string{"RECURRENCE-ID:20261203T090000Z"}, quota.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := journal(t)
			fill(t, j, "mailto:PAUL@example.com", c.booked...) // letter case does not matter
			update(t, j, func(q *quota.Quota) {
				v, err := q.Across(booking(t, object(t, "u", []calendar.URI{attic}, c.lines...), attic))
				must(t, err)
				if v.Reason != c.want || v.String() == "" {
					t.Errorf("%d (%s), want %d", v.Reason, v, c.want)
				}
			})
		})
	}
}

func TestForDelegate(t *testing.T) {
	here := func(resource calendar.URI, hours ...int) (rows []freebusy.Period) {
		for _, hour := range hours {
			p := period("o", 2, 9, 10, resource)
			p.UID += string(rune('0' + hour))
			rows = append(rows, p)
		}
		return rows
	}
	three := string(cave) + "\n" + string(attic) + "\n" + string(barn)
	rows := func(all ...[]freebusy.Period) (rows []freebusy.Period) {
		for _, r := range all {
			rows = append(rows, r...)
		}
		return rows
	}
	for _, c := range []struct {
		name      string
		delegates string
		booked    []freebusy.Period
		attendees []calendar.URI
		lines     []string
		policy    quota.Policy
		want      calendar.URI // "": unavailable
		loads     string
	}{
		{"free itself", three, nil, nil, nil, quota.Available, attic, "attic 0, cave 0, barn 0"},
		{"the first that is free", three, here(attic, 1), nil, nil, quota.Available, cave, "attic 1, cave 0, barn 0"},
		{"the second", three, rows(here(attic, 1), here(cave, 2)), nil, nil, quota.Available, barn, "attic 1, cave 1, barn 0"},
		{"none", three, rows(here(attic, 1), here(cave, 2), here(barn, 3)), nil, nil, quota.Available, "", "attic 1, cave 1, barn 1"},
		{"the least, itself first", three, rows(here(attic, 1), here(cave, 2), here(barn, 3)), nil, nil, quota.MostAvailable, attic, "attic 1, cave 1, barn 1"},
		{"the least", three, rows(here(attic, 1, 4, 5), here(cave, 2, 6), here(barn, 3, 7)), nil, nil, quota.MostAvailable, cave, "attic 3, cave 2, barn 2"},
		{"who is invited already", three, here(attic, 1), []calendar.URI{"mailto:CAVE@example.com"}, nil, quota.Available, barn, "attic 1, barn 0"},
		{"no delegates", "", here(attic, 1), nil, nil, quota.Available, "", "attic 1"},
		{"touching", three, []freebusy.Period{period("o", 2, 8, 9, attic), period("p", 2, 10, 11, attic)}, nil, nil, quota.Available, attic, "attic 0, cave 0, barn 0"},
		{"its own record", three, []freebusy.Period{period("u", 2, 9, 10, attic)}, nil, nil, quota.Available, attic, "attic 0, cave 0, barn 0"},
		{"one record once", three, []freebusy.Period{period("o", 2, 0, 23, attic)}, nil, []string{"RDATE:20261202T120000Z"}, quota.MostAvailable, cave, "attic 1, cave 0, barn 0"},
		{"letter case", string(attic) + "\nmailto:CAVE@example.com", rows(here(attic, 1), here(cave, 2)), nil, nil, quota.Available, "", "attic 1, CAVE 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := journal(t)
			lists{"groups": "* staff", "limits": "staff P3W", "delegates": c.delegates}.set(t, j)
			fill(t, j, "staff", c.booked...)
			update(t, j, func(q *quota.Quota) {
				v, err := q.ForDelegate(booking(t, object(t, "u", append(c.attendees, attic), c.lines...), attic), c.policy, now)
				must(t, err)
				got := map[quota.Reason]calendar.URI{quota.Accepted: attic, quota.Delegated: v.Delegate}[v.Reason]
				_, loads, _ := strings.Cut(strings.NewReplacer("mailto:", "", "@example.com", "").Replace(v.String()), "in the way: ")
				if got != c.want || loads != c.loads {
					t.Errorf("%q with %s, want %q with %s", got, loads, c.want, c.loads)
				}
			})
		})
	}
}

// A resource that was delegated to stands for itself alone, and the quota comes first.
func TestDelegatedTo(t *testing.T) {
	j := journal(t)
	lists{"limits": "* PT1H", "delegates": string(attic) + "\n" + string(cave)}.set(t, j)
	fill(t, j, "mailto:vera@example.com", period("o", 2, 9, 10, attic))
	line := "ATTENDEE;DELEGATED-FROM=\"" + string(barn) + "\":" + string(attic)
	update(t, j, func(q *quota.Quota) {
		v, err := q.ForDelegate(booking(t, object(t, "u", nil, line, "ORGANIZER:"+string(vera)), attic), quota.Available, now)
		must(t, err)
		if v.Reason != quota.Exceeded {
			t.Errorf("over the limit: %d, %s", v.Reason, v)
		}
		must(t, q.SetList("limits", [][]string{{"*", "*"}}))
	})
	update(t, j, func(q *quota.Quota) {
		v, err := q.ForDelegate(booking(t, object(t, "u", nil, line, "ORGANIZER:"+string(vera)), attic), quota.MostAvailable, now)
		must(t, err)
		if v.Reason != quota.Accepted || len(v.Loads) != 1 {
			t.Errorf("delegated again: %d, %s", v.Reason, v)
		}
	})
}

func TestParsePolicy(t *testing.T) {
	for words, want := range map[string]quota.Policy{
		"": quota.Available, "available": quota.Available, "most-available": quota.MostAvailable, "nonsense": quota.Available,
		"available most-available": quota.MostAvailable, "most-available nonsense": quota.MostAvailable,
	} {
		if got := quota.ParsePolicy(strings.Fields(words)...); got != want {
			t.Errorf("%q: %d", words, got)
		}
	}
}

// What is wrong with a list is said with file, line and value.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ list, text, want string }{
		{"limits", "staff PT1H\n\nothers 10H\n", `/limits, line 3: "others 10H": the limit "10H": it is not an iCalendar duration such as "P1D", "P2W" or "PT1H30M"`},
		{"limits", "staff -PT1H\n", `/limits, line 1: "staff -PT1H": the limit "-PT1H": it is not an iCalendar duration such as "P1D", "P2W" or "PT1H30M"`},
		{"limits", "# all\nstaff\n", `/limits, line 2: "staff": it has 1 word, and must have 2`},
		{"limits", "a/b PT1H\n", `/limits, line 1: "a/b PT1H": the group "a/b": there is a slash in it`},
		{"groups", "mailto:paul@example.com staff of ours\n", `/groups, line 1: "mailto:paul@example.com staff of ours": it has 4 words, and must have 2`},
		{"groups", "mailto:paul@example.com ..\n", `/groups, line 1: "mailto:paul@example.com ..": the group "..": it is no name of a file`},
		{"delegates", "mailto:attic@example.com 'mailto:cave@example.com\n", `/delegates, line 1: "mailto:attic@example.com 'mailto:cave@example.com": the quote ' is not closed`},
	} {
		j := journal(t)
		write(t, j, c.list, c.text)
		err := quota.View(t.Context(), j, []calendar.URI{rooms}, func(map[calendar.URI]*quota.Quota) error { return errors.New("it was read") })
		mistake := (*quota.MistakeError)(nil)
		if !errors.As(err, &mistake) || err.Error() != `quota "`+string(rooms)+`": `+j.Dir()+"/"+string(rooms)+c.want {
			t.Errorf("%s %q: %v", c.list, c.text, err)
		}
	}
	for _, name := range []calendar.URI{"", ".", "a/b", "a\tb", "__lock__", calendar.URI(strings.Repeat("a", 256))} {
		if quota.CheckName(name) == nil {
			t.Errorf("%q is taken for the name of a quota", name)
		}
	}
	must(t, quota.CheckName(rooms))
}
