package check_test

import (
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// What an answer to a version that has not come in leaves is a note, and no repair makes the user
// busy at times that they have not answered. What no answer leaves stays an error; where only what is
// published tells it, for users who publish.
func TestAnswerToLaterVersion(t *testing.T) {
	const invited = "ATTENDEE;PARTSTAT=NEEDS-ACTION:" + vincent
	weekly := strings.Replace(series, "ATTENDEE:"+vincent, invited, 1)
	four := strings.Replace(weekly, "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=4", 1)
	inUTC := strings.NewReplacer(";TZID=Europe/Oslo:20261125T090000", ":20261125T080000Z", ";TZID=Europe/Oslo:20261125T100000", ":20261125T090000Z").Replace
	exdate := func(lines string) string { return strings.Replace(lines, "RRULE", "EXDATE:20261209T080000Z\nRRULE", 1) }
	const vincentsFreeBusy = "store/" + vincent + "/freebusy"
	for _, c := range []struct {
		name     string
		lines    string   // of the event, without SEQUENCE
		sequence string   // stored
		change   []string // old, new: in the answer
		damage   func(*damager)
		want     string // notes, too
	}{
		{"a series without one of them", inUTC(weekly), "SEQUENCE:1\n", []string{"RRULE", "EXDATE:20261209T080000Z\nRRULE"}, nil, "freebusy-later"},
		{"a series without the first", inUTC(four), "SEQUENCE:1\n", []string{"RRULE", "EXDATE:20261125T080000Z\nRRULE"}, nil, "freebusy-later"},
		{"a series without the last", inUTC(four), "SEQUENCE:1\n", []string{"RRULE", "EXDATE:20261216T080000Z\nRRULE"}, nil, "freebusy-later"},
		{"a series with an exception of its own", exdate(inUTC(weekly)), "SEQUENCE:1\n", []string{"EXDATE:20261209T080000Z", "EXDATE:20261216T080000Z"}, nil, "freebusy-later"},
		{"a series with an exception of its own, and another hour", exdate(inUTC(four)), "SEQUENCE:1\n", []string{"T080000Z\nDTEND", "T100000Z\nDTEND", "DTEND:20261125T09", "DTEND:20261125T11"}, nil, "freebusy-later"},
		{"a series with one more", weekly, "SEQUENCE:1\n", []string{"RRULE", "RDATE:20261210T080000Z\nRRULE"}, nil, "freebusy-later"},
		{"a series with one on another day", inUTC(weekly), "SEQUENCE:1\n", []string{"RRULE", "EXDATE:20261209T080000Z\nRDATE:20261210T080000Z\nRRULE"}, nil, "freebusy-later"},
		{"a series at several hours", inUTC(weekly), "SEQUENCE:1\n", []string{"FREQ=WEEKLY", "FREQ=WEEKLY;BYHOUR=8,13,20"}, nil, "freebusy-later"},
		{"a series at other hours", inUTC(weekly), "SEQUENCE:1\n", []string{"FREQ=WEEKLY", "FREQ=WEEKLY;BYHOUR=13,20"}, nil, "freebusy-later"},
		{"a series with an end at several hours", four, "SEQUENCE:1\n", []string{"COUNT=4", "COUNT=5;BYHOUR=9,15"}, nil, "freebusy-later"},
		{"a series by another rule", weekly, "SEQUENCE:1\n", []string{"FREQ=WEEKLY", "FREQ=MONTHLY;BYDAY=-1WE,1TH"}, nil, "freebusy-later"},
		{"an hour later", lunch, "SEQUENCE:0\n", []string{"T120000Z", "T130000Z", "T130000Z", "T140000Z"}, nil, "freebusy-later"},
		{"a series on another day", weekly, "SEQUENCE:1\n", []string{"20261125", "20261127"}, nil, "freebusy-later"},
		{"a series a week later", weekly, "SEQUENCE:1\n", []string{"20261125", "20261202"}, nil, "freebusy-absent"},
		{"a series with an end, a week later", four, "SEQUENCE:1\n", []string{"20261125", "20261202"}, nil, "freebusy-later"},
		{"a series that ends earlier", four, "SEQUENCE:1\n", []string{"COUNT=4", "COUNT=2"}, nil, "freebusy-absent"},
		{"a series in UTC that ends earlier", inUTC(four), "SEQUENCE:1\n", []string{"COUNT=4", "COUNT=2"}, nil, "freebusy-later"},
		{"a series that ends later", four, "SEQUENCE:1\n", []string{"COUNT=4", "COUNT=6"}, nil, "freebusy-later"},
		{"a series that ends no more", four, "SEQUENCE:1\n", []string{";COUNT=4", ""}, nil, "freebusy-later"},
		{"a series that ended not", weekly, "SEQUENCE:1\n", []string{"WEEKLY", "WEEKLY;COUNT=3"}, nil, "freebusy-later"},
		{"a series of every second week", four, "SEQUENCE:1\n", []string{"COUNT=4", "COUNT=4;INTERVAL=2"}, nil, "freebusy-later"},
		{"a series of every second week and more", weekly, "SEQUENCE:1\n", []string{"WEEKLY", "WEEKLY;INTERVAL=2"}, nil, "freebusy-absent"},
		{"a series in UTC of every second week and more", inUTC(weekly), "SEQUENCE:1\n", []string{"WEEKLY", "WEEKLY;INTERVAL=2"}, nil, "freebusy-later"},
		{"a series of two days a week", weekly, "SEQUENCE:1\n", []string{"WEEKLY", "WEEKLY;BYDAY=WE,TH"}, nil, "freebusy-later"},
		{"a series instead of one", lunch, "SEQUENCE:0\n", []string{"SUMMARY", "RRULE:FREQ=DAILY;COUNT=2\nSUMMARY"}, nil, "freebusy-later"},
		{"one record of a series is gone", inUTC(weekly), "SEQUENCE:0\n", nil, func(d *damager) {
			d.drop(vincentsFreeBusy, "20261209T08")
		}, "freebusy-missing, or freebusy-later"},
		{"one record of a series is more", weekly, "SEQUENCE:0\n", nil, func(d *damager) {
			d.write(vincentsFreeBusy, d.read(vincentsFreeBusy)+"20270630T050000Z\t20270630T060000Z\tseries\tOPAQUE\t\tWeekly\tmailto:paul.boddie@example.com\n")
		}, "freebusy-extra, or freebusy-later"},
		{"the same times", weekly, "SEQUENCE:0\n", nil, nil, ""},
		{"one record is elsewhere", lunch, "", nil, func(d *damager) {
			d.replace(vincentsFreeBusy, "T1", "T0")
		}, "freebusy-time, or freebusy-later"},
		{"one record of a series is elsewhere", weekly, "SEQUENCE:0\n", nil, func(d *damager) {
			d.replace(vincentsFreeBusy, "20261209T08", "20261209T07")
		}, "freebusy-time"},
		{"another length of a series, and one is gone", weekly, "SEQUENCE:0\n", nil, func(d *damager) {
			d.drop(vincentsFreeBusy, "20261209T08")
			d.write(vincentsFreeBusy, strings.ReplaceAll(d.read(vincentsFreeBusy), "T090000Z", "T091500Z"))
		}, "freebusy-time, or freebusy-later"},
		{"two summaries", weekly, "SEQUENCE:0\n", []string{"20261125", "20261127"}, func(d *damager) {
			d.replace(vincentsFreeBusy, "Weekly", "Meekly")
		}, "freebusy-time"},
	} {
		for _, publishes := range []string{"publish", "no"} {
			t.Run(c.name+", "+publishes, func(t *testing.T) {
				uid := strings.TrimPrefix(c.lines[:strings.Index(c.lines, "\n")], "UID:")
				room := compat.Room(tempDir(t))
				err := room.Furnish(&compat.Conversation{
					Preferences: compat.Tree{vincent + "/freebusy_sharing": "share", vincent + "/freebusy_publishing": publishes},
					Initial: compat.Tree{
						"store/" + vincent + "/objects/" + uid: object(strings.Replace(c.lines, "PARTSTAT=TENTATIVE", "PARTSTAT=NEEDS-ACTION", 1) + c.sequence),
						"store/" + vincent + "/requests":       uid + "\t\t\n",
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				p := newPlace(t, room)
				answer := strings.NewReplacer(append(c.change, invited, "ATTENDEE;PARTSTAT=ACCEPTED:"+vincent)...).Replace(c.lines)
				s := scene{from: "vincent.vole@example.com", method: "REPLY", lines: answer + "SEQUENCE:7\n"}
				if err := p.handle(s.message(p.now)); err != nil {
					t.Fatal(err)
				}
				if c.damage != nil {
					c.damage(&damager{t, p})
				}
				made := snapshot(t, room)
				checker := p.checker(check.All)
				if c.damage != nil {
					checker = p.checker(check.None)
				}
				checker.Verbose = true
				r := run(t, checker)
				want, silent, _ := strings.Cut(c.want, ", or ")
				if silent != "" && publishes == "no" {
					want = silent
				}
				ids := slices.DeleteFunc(r.ids(), func(id string) bool { return id == "published-differs" })
				if strings.Join(ids, " ") != want {
					t.Errorf("not %q but\n%s", want, r)
				}
				if paths := changed(made, snapshot(t, room)); len(paths) > 0 {
					t.Errorf("changed: %q", paths)
				}
			})
		}
	}
}

// Where the user publishes, a record that has moved by itself is not published; and the organizer's
// free/busy tells when an object has been changed by itself.
func TestMovedByItself(t *testing.T) {
	for name, damage := range map[string]func(*damager){
		"record": func(d *damager) {
			d.replace(vincents+"objects/meeting", "UID:meeting", "SEQUENCE:0\r\nUID:meeting")
			d.replace(vincents+"freebusy", "20261202T090000Z\t20261202T100000Z\tmeeting", "20261202T110000Z\t20261202T120000Z\tmeeting")
		},
		"object": func(d *damager) {
			text := strings.Replace(d.read(vincents+"objects/meeting"), "UID:meeting", "SEQUENCE:0\r\nUID:meeting", 1)
			d.write(vincents+"objects/meeting", strings.NewReplacer("T090000Z", "T110000Z", "T100000Z", "T120000Z").Replace(text))
		},
	} {
		t.Run(name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			makeOurs(t, room)
			p := newPlace(t, room)
			p.now = healthyTime
			damage(&damager{t, p})
			if r := p.check(t, check.None); !slices.Contains(r.ids(), "freebusy-time") {
				t.Errorf("found:\n%s", r)
			}
		})
	}
}

// Where the user publishes, records that were lost are published still; and where records of the
// user's own events are lost as well, no answer has taken them away.
func TestShortenedByItself(t *testing.T) {
	const shortened = "UID:course\nSUMMARY:Course\nDTSTART:20261125T080000Z\nDTEND:20261125T090000Z\nRRULE:FREQ=WEEKLY;COUNT=4\nSEQUENCE:0\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:" + vincent + "\n"
	own := strings.NewReplacer("UID:course", "UID:own", "paul.boddie", "vincent.vole").Replace(shortened)
	rows := func(uid, organizer string, n int) (text string) {
		for _, day := range []string{"20261125", "20261202", "20261209", "20261216"}[:n] {
			text += day + "T080000Z\t" + day + "T090000Z\t" + uid + "\tOPAQUE\t\tCourse\tmailto:" + organizer + "@example.com\n"
		}
		return text
	}
	for _, c := range []struct {
		name, publishes string
		published       int // of the four
		own             int // records
		want            string
	}{
		{"as an answer leaves it", "publish", 2, 4, "freebusy-later"},
		{"nothing is known", "no", 0, 4, "freebusy-later"},
		{"published", "publish", 4, 4, "freebusy-missing"},
		{"the table is cut off", "no", 0, 2, "freebusy-missing freebusy-missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := compat.Tree{
				"store/" + vincent + "/objects/course": object(shortened),
				"store/" + vincent + "/objects/own":    object(strings.ReplaceAll(own, "T08", "T07")),
				"store/" + vincent + "/freebusy": strings.Join(slices.Sorted(strings.Lines(
					rows("course", "paul.boddie", 2)+strings.ReplaceAll(rows("own", "vincent.vole", c.own), "T08", "T07"))), ""),
			}
			if c.publishes == "publish" {
				tree["static/"+vincent+"/freebusy"] = published(rows("course", "paul.boddie", c.published) + strings.ReplaceAll(rows("own", "vincent.vole", c.own), "T08", "T07"))
			}
			room := compat.Room(tempDir(t))
			err := room.Furnish(&compat.Conversation{
				Preferences: compat.Tree{vincent + "/freebusy_sharing": "share", vincent + "/freebusy_publishing": c.publishes}, Initial: tree,
			})
			if err != nil {
				t.Fatal(err)
			}
			p := newPlace(t, room)
			checker := p.checker(check.None)
			checker.Verbose = true
			r := run(t, checker)
			ids := slices.DeleteFunc(r.ids(), func(id string) bool { return id == "published-differs" || id == "freebusy-double" })
			if strings.Join(ids, " ") != c.want {
				t.Errorf("not %q but\n%s", c.want, r)
			}
		})
	}
}

// published is the published calendar of vincent with the periods of these records.
func published(rows string) string {
	text := "BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nPRODID:-//imip-agent//EN\r\nVERSION:2.0\r\nBEGIN:VFREEBUSY\r\nORGANIZER:" + vincent + "\r\nUID:" + vincent + "\r\nDTSTAMP:20261122T120000Z\r\n"
	for line := range strings.Lines(rows) {
		columns := strings.Split(line, "\t")
		text += "FREEBUSY;FBTYPE=BUSY:" + columns[0] + "/" + columns[1] + "\r\n"
	}
	return text + "END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
}
