package freebusy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

const (
	morning = "DTSTART:20261202T090000Z\r\nDTEND:20261202T100000Z"
	daily   = morning + "\r\nRRULE:FREQ=WEEKLY"
	until   = "20270302T120000Z"
)

func vincentIs(status string) string {
	if status == "" {
		return "ATTENDEE:" + string(vincent)
	}
	return "ATTENDEE;PARTSTAT=" + status + ":" + string(vincent)
}

// at9 is the record of an event in the morning of a day.
func at9(day, uid, transp, recurrenceID string) string {
	return fmt.Sprintf("%sT090000Z %sT100000Z %s %s %s s mailto:paul.boddie@example.com\n", day, day, uid, transp, recurrenceID)
}

// weekly are the records of an event that recurs weekly from 2 December, without the
// days given.
func weekly(uid string, weeks int, without ...string) string {
	var table strings.Builder
	for i := range weeks {
		if day := time.Date(2026, 12, 2+7*i, 0, 0, 0, 0, time.UTC).Format("20060102"); !slices.Contains(without, day) {
			table.WriteString(at9(day, uid, "ORG", ""))
		}
	}
	return table.String()
}

// floating is the same event by the clock of whoever looks at it.
const floating = "DTSTART:20261202T090000\r\nDTEND:20261202T100000\r\nRRULE:FREQ=WEEKLY"

// accepted are the records that weekly gives for e, of an attendee.
func accepted(weeks int, without ...string) string {
	return strings.ReplaceAll(weekly("e", weeks, without...), "ORG", "OPAQUE")
}

// TestUser works out a user's free/busy at noon, mostly anew.
func TestUser(t *testing.T) {
	noted := func(uids ...string) stores.Providers {
		p := stores.Providers{Until: noon.AddDate(0, 0, 100)}
		for _, uid := range uids {
			p.Events = append(p.Events, stores.ID{UID: uid})
		}
		return p
	}
	one := func(lines ...string) map[stores.Key]string {
		return map[stores.Key]string{active("e", ""): event("e", append(lines, morning)...)}
	}
	tests := []struct {
		name      string
		user      calendar.URI
		with      func(*Maker)
		before    records
		want      string
		providers stores.Providers
		read      int
		problems  int
	}{
		{
			name: "nothing", user: paul,
		},
		{
			name: "organised, without attending", user: paul,
			before: records{texts: one()},
			want:   at9("20261202", "e", "ORG", ""), providers: noted(), read: 1,
		},
		{
			name: "organised and attended", user: paul,
			before: records{texts: one("ATTENDEE;PARTSTAT=ACCEPTED:" + string(paul))},
			want:   at9("20261202", "e", "OPAQUE", ""), providers: noted(), read: 1,
		},
		{
			name: "accepted", user: vincent,
			before: records{texts: one(vincentIs("ACCEPTED"))},
			want:   at9("20261202", "e", "OPAQUE", ""), providers: noted(), read: 1,
		},
		{
			name: "accepted, and transparent", user: vincent,
			before: records{texts: one(vincentIs("ACCEPTED"), "TRANSP:TRANSPARENT")},
			want:   at9("20261202", "e", "TRANSPARENT", ""), providers: noted(), read: 1,
		},
		{
			name: "declined", user: vincent,
			before:    records{texts: one(vincentIs("DECLINED")), table: at9("20261202", "e", "OPAQUE", "")},
			providers: noted(), read: 1,
		},
		{
			name: "not answered", user: vincent,
			before:    records{texts: one(vincentIs("NEEDS-ACTION"))},
			providers: noted(), read: 1,
		},
		{
			name: "not answered again since it was moved", user: vincent,
			before: records{texts: one(vincentIs("NEEDS-ACTION")), table: at9("20261201", "e", "OPAQUE", "")},
			want:   at9("20261201", "e", "OPAQUE", ""), providers: noted(), read: 1,
		},
		{
			name: "accepted as the organizer says, and not answered", user: vincent,
			before:    records{texts: one(vincentIs("ACCEPTED")), requests: []stores.Request{{ID: stores.ID{UID: "e"}}}},
			providers: noted(), read: 1,
		},
		{
			name: "accepted as the organizer says, and answered before it was moved", user: vincent,
			before: records{texts: one(vincentIs("ACCEPTED")), table: at9("20261201", "e", "OPAQUE", ""), requests: []stores.Request{{ID: stores.ID{UID: "e"}}}},
			want:   at9("20261201", "e", "OPAQUE", ""), providers: noted(), read: 1,
		},
		{
			name: "declined as the organizer says, and accepted before", user: vincent,
			before: records{texts: one(vincentIs("DECLINED")), table: at9("20261202", "e", "OPAQUE", ""), requests: []stores.Request{{ID: stores.ID{UID: "e"}}}},
			want:   at9("20261202", "e", "OPAQUE", ""), providers: noted(), read: 1,
		},
		{
			name: "an occurrence accepted as the organizer says, and not answered", user: vincent,
			before: records{
				texts: map[stores.Key]string{
					active("e", ""):                 event("e", morning, "RRULE:FREQ=WEEKLY;COUNT=2", vincentIs("ACCEPTED")),
					active("e", "20261209T090000Z"): event("e", "RECURRENCE-ID:20261209T090000Z", "DTSTART:20261210T090000Z", "DURATION:PT1H", vincentIs("ACCEPTED")),
				},
				table:    at9("20261202", "e", "OPAQUE", "") + at9("20261209", "e", "OPAQUE", ""),
				requests: []stores.Request{{ID: stores.ID{UID: "e", RecurrenceID: "20261209T090000Z"}}},
			},
			want: at9("20261202", "e", "OPAQUE", "") + at9("20261209", "e", "OPAQUE", ""), providers: noted(), read: 2,
		},
		{
			name: "accepted, with a counter-proposal of somebody", user: vincent,
			before: records{texts: one(vincentIs("ACCEPTED")), requests: []stores.Request{{ID: stores.ID{UID: "e"}, Type: "COUNTER"}}},
			want:   at9("20261202", "e", "OPAQUE", ""), providers: noted(), read: 1,
		},
		{
			name: "not answered, to be taken for accepted", user: vincent, with: func(m *Maker) { m.NeedsAction = true },
			before: records{texts: one(vincentIs("NEEDS-ACTION"))},
			want:   at9("20261202", "e", "OPAQUE", ""), providers: noted(), read: 1,
		},
		{
			name: "declined, where who has not answered is taken for accepting", user: vincent, with: func(m *Maker) { m.NeedsAction = true },
			before:    records{texts: one(vincentIs("DECLINED"))},
			providers: noted(), read: 1,
		},
		{
			name: "no status, and not recorded", user: vincent,
			before:    records{texts: one(vincentIs(""))},
			providers: noted(), read: 1,
		},
		{
			name: "no status, recorded at another time", user: vincent,
			before: records{texts: one(vincentIs("")), table: at9("20261201", "e", "OPAQUE", "")},
			want:   at9("20261202", "e", "OPAQUE", ""), providers: noted(), read: 1,
		},
		{
			name: "not named, and recorded as organised", user: vincent,
			before: records{texts: one(), table: at9("20261202", "e", "ORG", "")},
			want:   at9("20261202", "e", "ORG", ""), providers: noted(), read: 1,
		},
		{
			name: "records of events that are not stored, as those of received free/busy", user: paul,
			before: records{table: at9("20261202", "gone", "OPAQUE", "") + at9("20261203", "", "OPAQUE", "")},
			want:   at9("20261202", "gone", "OPAQUE", "") + at9("20261203", "", "OPAQUE", ""), providers: noted(),
		},
		{
			// The original stores nothing of such an answer: reply-to-occurrence-east-of-utc.
			name: "declined at one time, by the user's own clock", user: vincent, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts: map[stores.Key]string{active("e", ""): event("e", vincentIs("ACCEPTED"), floating)},
				table: accepted(12, "20261209"), providers: noted("e"),
			},
			want: accepted(13, "20261209"), providers: noted("e"), read: 1,
		},
		{
			name: "declined at one time, by the user's own clock, before anything was noted", user: vincent, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts: map[stores.Key]string{active("e", ""): event("e", vincentIs("ACCEPTED"), floating)},
				table: accepted(12, "20261209"),
			},
			want: accepted(13, "20261209"), providers: noted("e"), read: 1,
		},
		{
			name: "declined at one time, and all anew", user: vincent,
			before: records{
				texts: map[stores.Key]string{active("e", ""): event("e", vincentIs("ACCEPTED"), floating)},
				table: accepted(12, "20261209"), providers: noted("e"),
			},
			want: accepted(13), providers: noted("e"), read: 1,
		},
		{
			name: "lost, more than is left", user: vincent, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts: map[stores.Key]string{active("e", ""): event("e", vincentIs("ACCEPTED"), floating)},
				table: accepted(4, "20261202", "20261209", "20261216"), providers: noted("e"),
			},
			want: accepted(13), providers: noted("e"), read: 1,
		},
		{
			name: "lost, in UTC", user: vincent, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts: map[stores.Key]string{active("e", ""): event("e", vincentIs("ACCEPTED"), daily)},
				table: accepted(12, "20261209"), providers: noted("e"),
			},
			want: accepted(13), providers: noted("e"), read: 1,
		},
		{
			name: "cancelled, with what is recorded of its recurrences", user: paul,
			before: records{
				texts: map[stores.Key]string{cancelled("e", ""): event("e", morning), cancelled("f", "20261209T090000Z"): event("f", morning)},
				table: at9("20261202", "e", "ORG", "") + at9("20261209", "e", "ORG", "20261209T090000Z") + at9("20261209", "f", "ORG", "20261209T090000Z"),
			},
			providers: noted(),
		},
		{
			name: "a recurrence stands for its occurrence, and a cancelled one for none", user: paul,
			before: records{texts: map[stores.Key]string{
				active("e", ""):                    event("e", morning, "RRULE:FREQ=WEEKLY;COUNT=4"),
				active("e", "20261209T090000Z"):    event("e", "RECURRENCE-ID:20261209T090000Z", "DTSTART:20261210T090000Z", "DURATION:PT1H"),
				cancelled("e", "20261216T090000Z"): event("e", "RECURRENCE-ID:20261216T090000Z", "DTSTART:20261216T090000Z", "DURATION:PT1H"),
			}},
			want: at9("20261202", "e", "ORG", "") + at9("20261210", "e", "ORG", "20261209T090000Z") + at9("20261223", "e", "ORG", ""),
			// The cancelled one is not read.
			providers: noted(), read: 2,
		},
		{
			name: "a moved occurrence, not answered again: as the whole was answered", user: vincent,
			before: records{
				texts: map[stores.Key]string{
					active("e", ""):                 event("e", morning, "RRULE:FREQ=WEEKLY;COUNT=2", vincentIs("ACCEPTED")),
					active("e", "20261209T090000Z"): event("e", "RECURRENCE-ID:20261209T090000Z", "DTSTART:20261210T090000Z", "DURATION:PT1H", vincentIs("NEEDS-ACTION")),
				},
				table: at9("20261202", "e", "OPAQUE", "") + at9("20261209", "e", "OPAQUE", ""),
			},
			want: at9("20261202", "e", "OPAQUE", "") + at9("20261209", "e", "OPAQUE", ""), providers: noted(), read: 2,
		},
		{
			name: "a moved occurrence, declined", user: vincent,
			before: records{
				texts: map[stores.Key]string{
					active("e", ""):                 event("e", morning, "RRULE:FREQ=WEEKLY;COUNT=2", vincentIs("ACCEPTED")),
					active("e", "20261209T090000Z"): event("e", "RECURRENCE-ID:20261209T090000Z", "DTSTART:20261210T090000Z", "DURATION:PT1H", vincentIs("DECLINED")),
				},
				table: at9("20261202", "e", "OPAQUE", "") + at9("20261209", "e", "OPAQUE", ""),
			},
			want: at9("20261202", "e", "OPAQUE", ""), providers: noted(), read: 2,
		},
		{
			name: "without end, or further than the window", user: paul,
			before: records{texts: map[stores.Key]string{
				active("a", ""): event("a", daily),
				active("b", ""): event("b", daily+";UNTIL=20280101T000000Z"),
				active("c", ""): event("c", daily+";COUNT=100"),
				active("d", ""): event("d", daily+";COUNT=13"),
				active("e", ""): event("e", "DTSTART:20280101T090000Z", "DTEND:20280101T100000Z"),
			}},
			want:      merged(weekly("a", 13), weekly("b", 13), weekly("c", 13), weekly("d", 13), at9("20280101", "e", "ORG", "")),
			providers: noted("a", "b", "c"), read: 5,
		},
		{
			name: "without end, and declined", user: vincent,
			before:    records{texts: map[stores.Key]string{active("a", ""): event("a", daily, vincentIs("DECLINED"))}},
			providers: noted("a"), read: 1,
		},
		{
			name: "an object that cannot be read", user: paul,
			before: records{
				texts: map[stores.Key]string{active("e", ""): event("e", morning), active("bad", ""): "BEGIN:VEVENT\r\nUID:bad\r\n"},
				table: at9("20261202", "bad", "ORG", ""),
			},
			want: at9("20261202", "bad", "ORG", "") + at9("20261202", "e", "ORG", ""), providers: noted(), read: 2, problems: 1,
		},
		{
			name: "an object without a time", user: paul,
			before: records{
				texts: map[stores.Key]string{active("bad", ""): event("bad", "DTSTART:tomorrow")},
				table: at9("20261202", "bad", "ORG", ""),
			},
			want: at9("20261202", "bad", "ORG", ""), providers: noted(), read: 1, problems: 1,
		},
		{
			name: "a UID with white space", user: paul,
			before: records{texts: map[stores.Key]string{active("a  b", ""): event("a  b", morning)}},
			want:   strings.ReplaceAll(at9("20261202", "a__b", "ORG", ""), "__", "  "), providers: noted(), read: 1,
		},
		{
			name: "only what is noted is read, and extended", user: paul, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts: map[stores.Key]string{
					active("a", ""):                    event("a", daily),
					active("a", "20261209T090000Z"):    event("a", "RECURRENCE-ID:20261209T090000Z", "DTSTART:20261210T090000Z", "DURATION:PT1H"),
					cancelled("a", "20270217T090000Z"): event("a", "RECURRENCE-ID:20270217T090000Z", "DTSTART:20270217T090000Z", "DURATION:PT1H"),
					active("b", ""):                    event("b", morning),
				},
				table:     merged(weekly("a", 8, "20261209"), at9("20261210", "a", "ORG", "20261209T090000Z")),
				providers: stores.Providers{Until: noon.AddDate(0, 0, 60), Events: []stores.ID{{UID: "a"}, {UID: "a"}}},
			},
			want:      merged(weekly("a", 13, "20261209", "20270217"), at9("20261210", "a", "ORG", "20261209T090000Z")),
			providers: noted("a"), read: 1,
		},
		{
			name: "noted, and not there any more, or over, or declined", user: vincent, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts: map[stores.Key]string{
					cancelled("a", ""): event("a", daily, vincentIs("ACCEPTED")),
					active("b", ""):    event("b", daily+";COUNT=1", vincentIs("ACCEPTED")),
					active("c", ""):    event("c", daily, vincentIs("DECLINED")),
				},
				table: at9("20261202", "a", "OPAQUE", "") + at9("20261202", "b", "OPAQUE", "") + at9("20261202", "gone", "OPAQUE", ""),
				providers: stores.Providers{
					Until:  noon.AddDate(0, 0, 60),
					Events: []stores.ID{{UID: "a"}, {UID: "b"}, {UID: "c"}, {UID: "gone"}},
				},
			},
			want:      at9("20261202", "b", "OPAQUE", "") + at9("20261202", "gone", "OPAQUE", ""),
			providers: noted("c"), read: 2,
		},
		{
			name: "noted, and cannot be read: it stays noted", user: paul, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts:     map[stores.Key]string{active("bad", ""): "BEGIN:VEVENT\r\n"},
				table:     at9("20261202", "bad", "ORG", ""),
				providers: stores.Providers{Until: noon.AddDate(0, 0, 60), Events: []stores.ID{{UID: "bad"}}},
			},
			want: at9("20261202", "bad", "ORG", ""), providers: noted("bad"), read: 1, problems: 1,
		},
		{
			name: "noted, no status, and not recorded because it had not begun", user: vincent, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts:     map[stores.Key]string{active("a", ""): event("a", "DTSTART:20270301T090000Z", "DTEND:20270301T100000Z", "RRULE:FREQ=YEARLY", vincentIs(""))},
				providers: stores.Providers{Until: noon.AddDate(0, 0, 60), Events: []stores.ID{{UID: "a"}}},
			},
			want: at9("20270301", "a", "OPAQUE", ""), providers: noted("a"), read: 1,
		},
		{
			name: "noted, no status, and not recorded because it was taken back", user: vincent, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts:     map[stores.Key]string{active("a", ""): event("a", daily, vincentIs(""))},
				providers: stores.Providers{Until: noon.AddDate(0, 0, 60), Events: []stores.ID{{UID: "a"}}},
			},
			providers: noted("a"), read: 1,
		},
		{
			name: "not noted, but going on up to the end of the window", user: paul, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts: map[stores.Key]string{
					active("a", ""): event("a", daily+";UNTIL=20280101T000000Z"),
					active("b", ""): event("b", daily+";COUNT=9"),
					active("c", ""): event("c", daily+";COUNT=3"),
					active("d", ""): event("d", morning),
				},
				table:     merged(weekly("a", 8, "20270120"), weekly("b", 8), weekly("c", 3), at9("20261202", "d", "ORG", "")),
				providers: stores.Providers{Until: noon.AddDate(0, 0, 60)},
			},
			want:      merged(weekly("a", 13), weekly("b", 9), weekly("c", 3), at9("20261202", "d", "ORG", "")),
			providers: noted("a"), read: 2,
		},
		{
			name: "a window that has become smaller", user: paul, with: func(m *Maker) { m.Reset = false },
			before: records{
				texts:     map[stores.Key]string{active("a", ""): event("a", daily), active("b", ""): event("b", morning)},
				table:     weekly("a", 20),
				providers: stores.Providers{Until: noon.AddDate(0, 0, 200), Events: []stores.ID{{UID: "a"}}},
			},
			want: merged(weekly("a", 13), at9("20261202", "b", "ORG", "")), providers: noted("a"), read: 2,
		},
		{
			name: "nothing is noted yet", user: paul, with: func(m *Maker) { m.Reset = false },
			before: records{texts: one()},
			want:   at9("20261202", "e", "ORG", ""), providers: noted(), read: 1,
		},
		{
			name: "not to be stored", user: paul, with: func(m *Maker) { m.Keep = false },
			before: records{texts: one()},
			read:   1,
		},
		{
			name: "to be published only", user: paul, with: func(m *Maker) { m.Keep, m.Publish = false, true },
			before: records{texts: one()},
			read:   1,
		},
	}
	everyStore(t, func(t *testing.T, empty func(*testing.T) stores.Store) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				store := empty(t)
				test.before.lay(t, store, test.user, stores.Table{})
				m := maker(store, noon)
				m.Reset = true
				if test.with != nil {
					test.with(m)
				}
				r := m.User(t.Context(), test.user)
				if r.Err != nil {
					t.Fatal(r.Err)
				}
				table, providers := state(t, store, test.user, stores.Table{})
				if diff := cmp.Diff(test.want, table); diff != "" {
					t.Errorf("table (-want +got)\n%s", diff)
				}
				if diff := cmp.Diff(test.providers, providers, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("providers (-want +got)\n%s", diff)
				}
				if r.Read != test.read || len(r.Problems) != test.problems {
					t.Errorf("%d read, want %d; problems %v, want %d", r.Read, test.read, r.Problems, test.problems)
				}
				again := m.User(t.Context(), test.user)
				if again.Err != nil || m.Keep && again.Removed+again.Inserted > 0 {
					t.Errorf("again: %d removed, %d inserted, %v", again.Removed, again.Inserted, again.Err)
				}
			})
		}
	})
}

// merged puts tables together in their order.
func merged(tables ...string) string {
	lines := slices.Sorted(strings.Lines(strings.Join(tables, "")))
	return strings.Join(lines, "")
}
