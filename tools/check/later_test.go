package check_test

import (
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// What an answer to a version that has not come in leaves is a note, and no repair makes the user
// busy at times that they have not answered. What no answer leaves stays an error.
func TestAnswerToLaterVersion(t *testing.T) {
	const invited = "ATTENDEE;PARTSTAT=NEEDS-ACTION:" + vincent
	weekly := strings.Replace(series, "ATTENDEE:"+vincent, invited, 1)
	four := strings.Replace(weekly, "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=4", 1)
	const vincentsFreeBusy = "store/" + vincent + "/freebusy"
	for _, c := range []struct {
		name     string
		lines    string   // of the event, without SEQUENCE
		sequence string   // stored
		change   []string // old, new: in the answer
		damage   func(*damager)
		want     string // notes, too
	}{
		{"an hour later", lunch, "SEQUENCE:0\n", []string{"T120000Z", "T130000Z", "T130000Z", "T140000Z"}, nil, "freebusy-later"},
		{"a series on another day", weekly, "SEQUENCE:1\n", []string{"20261125", "20261127"}, nil, "freebusy-later"},
		{"a series a week later", weekly, "SEQUENCE:1\n", []string{"20261125", "20261202"}, nil, "freebusy-absent"},
		{"a series with an end, a week later", four, "SEQUENCE:1\n", []string{"20261125", "20261202"}, nil, "freebusy-later"},
		{"the same times", weekly, "SEQUENCE:0\n", nil, nil, ""},
		{"nothing is later than no SEQUENCE", lunch, "", nil, func(d *damager) {
			d.replace(vincentsFreeBusy, "T1", "T0")
		}, "freebusy-time"},
		{"one record of a series is elsewhere", weekly, "SEQUENCE:0\n", nil, func(d *damager) {
			d.replace(vincentsFreeBusy, "20261209T08", "20261209T07")
		}, "freebusy-time"},
		{"another length of a series, and one is gone", weekly, "SEQUENCE:0\n", nil, func(d *damager) {
			d.drop(vincentsFreeBusy, "20261209T08")
			d.write(vincentsFreeBusy, strings.ReplaceAll(d.read(vincentsFreeBusy), "T090000Z", "T091500Z"))
		}, "freebusy-time"},
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
				ids := slices.DeleteFunc(r.ids(), func(id string) bool { return id == "published-differs" })
				if strings.Join(ids, " ") != c.want {
					t.Errorf("not %q but\n%s", c.want, r)
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
