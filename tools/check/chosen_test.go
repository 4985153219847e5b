package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// A series that its user has answered as free stays so, whatever its organizer says of it: when it
// is extended, and when it is worked out anew.
func TestAnsweredAsFree(t *testing.T) {
	room := compat.Room(tempDir(t))
	const vincentsFreeBusy = "store/" + vincent + "/freebusy"
	invited := strings.Replace(series, "ATTENDEE:"+vincent, "ATTENDEE;PARTSTAT=NEEDS-ACTION:"+vincent, 1)
	err := room.Furnish(&compat.Conversation{Initial: compat.Tree{
		"store/" + vincent + "/objects/series": object(invited + "SEQUENCE:0\n"),
		"store/" + vincent + "/requests":       "series\t\t\n",
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, room)
	answer := strings.Replace(invited, "NEEDS-ACTION", "ACCEPTED", 1) + "SEQUENCE:0\nTRANSP:TRANSPARENT\n"
	s := scene{from: "vincent.vole@example.com", method: "REPLY", lines: answer}
	if err := p.handle(s.message(p.now)); err != nil {
		t.Fatal(err)
	}
	count := func(transp string) int {
		table, err := os.ReadFile(filepath.Join(string(room), vincentsFreeBusy))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(table), "\t"+transp+"\t")
	}
	before := count("TRANSPARENT")
	p.now = p.now.AddDate(0, 0, 30)
	if r := p.check(t, check.Safe, vincent); strings.Join(r.ids(), " ") != "freebusy-window mended" {
		t.Errorf("extended:\n%s", r)
	}
	if free := count("TRANSPARENT"); free <= before || count("OPAQUE") > 0 {
		t.Errorf("extended: %d free, %d busy, before %d free", free, count("OPAQUE"), before)
	}
	all := count("TRANSPARENT") + count("OPAQUE")
	if r := p.check(t, check.All, vincent); r.String() != "" {
		t.Errorf("afterwards:\n%s", r)
	}
	if count("TRANSPARENT") != all {
		t.Errorf("afterwards %d free, %d busy", count("TRANSPARENT"), count("OPAQUE"))
	}

	// Worked out anew, as where one record is another than all the rest.
	d := &damager{t, p}
	d.replace(vincentsFreeBusy, "TRANSPARENT", "OPAQUE")
	if r := p.check(t, check.Safe, vincent); strings.Join(r.ids(), " ") != "freebusy-transparency mended" {
		t.Errorf("one is another:\n%s", r)
	}
	if count("TRANSPARENT") != all {
		t.Errorf("one is another: %d free, %d busy", count("TRANSPARENT"), count("OPAQUE"))
	}
	// And where one is missing.
	d.drop(vincentsFreeBusy, "20261209T08")
	p.check(t, check.Safe, vincent)
	if count("TRANSPARENT") < all-1 || count("OPAQUE") > 0 {
		t.Errorf("one is missing: %d free, %d busy", count("TRANSPARENT"), count("OPAQUE"))
	}
}
