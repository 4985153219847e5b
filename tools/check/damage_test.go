package check_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
	"imip-agent/tools/check"
)

// damages are all kinds of damage: what is done, and exactly what is to be found.
var damages = []struct {
	name   string
	damage func(*damager)
	want   string // kinds of findings, with spaces between
	repair check.Repair
	also   []string // what a repair writes besides the paths of the findings
}{
	{"unreadable object", func(d *damager) { d.write(pauls+"objects/meeting", "BEGIN:VEVENT\r\nUID:meet") }, "event-unreadable", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"no calendar at all", func(d *damager) { d.write(pauls+"objects/alone", "hello\n") }, "event-unreadable", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"unreadable cancellation", func(d *damager) { d.write(cancels+"objects/gone", "\x00\x00") }, "event-unreadable", check.All, nil},
	{"unreadable occurrence", func(d *damager) {
		d.replace(pauls+"recurrences/series/20261202T080000Z", "END:VEVENT", "")
	}, "event-unreadable", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"alarm without its end, before the UID", func(d *damager) {
		d.replace(pauls+"objects/alone", "UID:alone", "BEGIN:VALARM\r\nACTION:DISPLAY\r\nUID:alone")
	}, "event-unreadable", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"alarm without its end, after all else", func(d *damager) {
		d.replace(pauls+"objects/alone", "END:VEVENT", "BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VEVENT")
	}, "event-foreign", check.All, nil},
	{"lower-case names", func(d *damager) { d.replace(pauls+"objects/alone", "SUMMARY", "summary") }, "event-foreign", check.All, nil},
	{"unescaped comma", func(d *damager) { d.replace(pauls+"objects/alone", "For others", "For others, not me") }, "event-foreign", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"line separator", func(d *damager) { d.replace(pauls+"objects/alone", "For others", "For\u2028others") }, "event-foreign", check.All, nil},
	{"parameter without value", func(d *damager) { d.replace(pauls+"objects/alone", "ORGANIZER", "ORGANIZER;X") }, "event-foreign", check.All, nil},
	{"twice the same property", func(d *damager) {
		d.replace(pauls+"objects/alone", "UID:alone", "UID:alone\r\nUID:alone")
	}, "event-foreign", check.All, nil},
	{"windows-1252", func(d *damager) { d.replace(pauls+"objects/alone", "For others", "F\xf8r others") }, "event-foreign", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"another UID", func(d *damager) { d.replace(pauls+"objects/alone", "UID:alone", "UID:another") }, "event-wrong-name", check.All, []string{pauls + "objects/another", pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"occurrence among events", func(d *damager) {
		d.replace(pauls+"objects/alone", "UID:alone", "UID:alone\r\nRECURRENCE-ID:20261205T090000Z")
	}, "event-wrong-name", check.All, []string{pauls + "recurrences/alone", pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"another occurrence", func(d *damager) {
		d.rename(pauls+"recurrences/series/20261202T080000Z", pauls+"recurrences/series/20261203T080000Z")
	}, "event-wrong-name", check.All, []string{pauls + "recurrences/series", pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"name in upper case", func(d *damager) { d.rename(pauls+"objects/alone", pauls+"objects/Alone") }, "event-wrong-name", check.All, []string{pauls + "objects/alone"}},
	{"name in upper case of an event to which somebody has proposed another time", func(d *damager) {
		d.rename(pauls+"objects/lunch", pauls+"objects/LUNCH")
	}, "event-wrong-name", check.All, []string{pauls + "objects/lunch"}},
	{"request queue under another name", func(d *damager) { d.rename(pauls+"requests", pauls+"requests.txt") }, "file-strayed", check.All, []string{pauls + "requests"}},
	{"file in the place of the outbox", func(d *damager) {
		d.remove(pauls + "__outbox__")
		d.write(pauls+"__outbox__", "x")
	}, "file-misplaced", check.All, nil},
	{"queue of NULs", func(d *damager) { d.write(vincents+"requests", "\x00\x00\x00") }, "table-line", check.All, nil},
	{"user with a space after the name", func(d *damager) { d.must(os.Mkdir(d.path("store/"+paul+" "), 0o770)) }, "user-none", check.All, nil},
	{"preference in upper case", func(d *damager) {
		d.rename("prefs/"+vincent+"/freebusy_offers", "prefs/"+vincent+"/FREEBUSY_OFFERS")
	}, "preference-unknown", check.All, []string{"prefs/" + vincent + "/freebusy_offers"}},
	{"preferences one level too deep", func(d *damager) {
		d.must(os.Mkdir(d.path("prefs/"+vincent+"/"+vincent), 0o770))
		d.rename("prefs/"+vincent+"/freebusy_offers", "prefs/"+vincent+"/"+vincent+"/freebusy_offers")
	}, "file-strayed", check.All, []string{"prefs/" + vincent + "/freebusy_offers"}},
	{"name cut off", func(d *damager) { d.rename(pauls+"objects/meeting", pauls+"objects/meet") }, "event-wrong-name", check.All, []string{pauls + "objects/meeting"}},
	{"name that is another's as well", func(d *damager) {
		d.copy(pauls+"objects/meeting", pauls+"objects/other")
		d.chmod(pauls+"objects/other", 0o660)
	}, "event-wrong-name", check.All, nil},
	{"names swapped", func(d *damager) {
		d.rename(pauls+"objects/alone", pauls+"objects/x")
		d.rename(pauls+"objects/meeting", pauls+"objects/alone")
		d.rename(pauls+"objects/x", pauls+"objects/meeting")
	}, "event-wrong-name event-wrong-name", check.All, nil},
	{"name of another normalisation", func(d *damager) {
		d.write(pauls+"objects/cafe\u0301", object("UID:caf\u00e9\nDTSTART:20261106T090000Z\nDTEND:20261106T100000Z\n"))
	}, "event-wrong-name", check.All, []string{pauls + "objects/caf\u00e9"}},
	{"two components", func(d *damager) {
		d.write(pauls+"objects/alone", d.read(pauls+"objects/alone")+d.read(pauls+"objects/meeting"))
	}, "event-several", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"unreadable object of a UID as those are encoded", func(d *damager) { d.write(pauls+"objects/__uid__foo", "hello\n") }, "event-unreadable", check.All, nil},
	{"lower-case names of a UID as those are encoded", func(d *damager) {
		d.write(pauls+"objects/__uid__foo%", object("UID:__uid__foo%\nsummary:Foo\nDTSTART:20261101T090000Z\n"))
	}, "event-foreign", check.All, nil},
	{"editor's backup", func(d *damager) { d.copy(pauls+"objects/meeting", pauls+"objects/meeting~") }, "event-leftover", check.All, nil},
	{"swap file", func(d *damager) { d.write(pauls+"objects/.meeting.swp", "b0VIM 8.2\x00\x00") }, "event-leftover", check.All, nil},
	{"bak file", func(d *damager) { d.copy(pauls+"objects/meeting", pauls+"objects/meeting.bak") }, "event-leftover", check.All, nil},
	{"backup of an occurrence", func(d *damager) {
		d.copy(pauls+"recurrences/series/20261202T080000Z", pauls+"recurrences/series/20261202T080000Z~")
	}, "file-name", check.All, nil},
	{"backup of another's table", func(d *damager) {
		d.copy(vincents+"freebusy-other/"+paul, vincents+"freebusy-other/"+paul+"~")
	}, "file-name", check.All, nil},
	{"name with a line break", func(d *damager) { d.write(pauls+"objects/a\nb", object("UID:a\nb\nDTSTART:20261202T090000Z\n")) }, "file-name", check.All, nil},
	{"name that is not UTF-8", func(d *damager) { d.write(pauls+"objects/m\xf8te", object(alone)) }, "file-name", check.All, nil},
	{"empty object", func(d *damager) { d.write(pauls+"objects/alone", "") }, "file-empty", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"sparse object", func(d *damager) {
		d.write(pauls+"objects/alone", "")
		d.must(os.Truncate(d.path(pauls+"objects/alone"), 3<<30))
	}, "file-large", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"sparse table", func(d *damager) { d.must(os.Truncate(d.path(pauls+"freebusy"), 512<<20)) }, "file-large", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"sparse table of another", func(d *damager) { d.must(os.Truncate(d.path(vincents+"freebusy-other/"+paul), 512<<20)) }, "file-large", check.All, nil},
	{"sparse queue", func(d *damager) { d.must(os.Truncate(d.path(vincents+"requests"), 64<<20)) }, "file-large", check.All, nil},
	{"sparse counter-proposal", func(d *damager) {
		d.must(os.Truncate(d.path(pauls+"counters/objects/lunch/"+vincent), 1<<40))
	}, "file-large", check.All, []string{pauls + "requests"}},
	{"sparse published calendar", func(d *damager) { d.must(os.Truncate(d.path("static/"+paul+"/freebusy"), 2<<30)) }, "file-large", check.All, nil},
	{"directory in the place of an object", func(d *damager) {
		d.remove(pauls + "objects/alone")
		d.must(os.Mkdir(d.path(pauls+"objects/alone"), 0o770))
	}, "file-misplaced", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"file in the place of a directory", func(d *damager) { d.write(pauls+"recurrences/stray", "x") }, "file-misplaced", check.All, nil},
	{"file in the place of all counter-proposals", func(d *damager) {
		d.remove(vincents + "counters")
		d.write(vincents+"counters", object(alone))
	}, "file-misplaced", check.All, nil},
	{"symbolic link", func(d *damager) {
		d.rename(pauls+"objects/alone", pauls+"kept")
		d.must(os.Symlink("../kept", d.path(pauls+"objects/alone")))
	}, "file-link", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"dangling link", func(d *damager) { d.must(os.Symlink("nowhere", d.path(pauls+"objects/link"))) }, "file-link", check.All, nil},
	{"pipe", func(d *damager) { d.must(syscall.Mkfifo(d.path(pauls+"objects/pipe"), 0o660)) }, "file-device", check.All, nil},
	{"hard link", func(d *damager) { d.must(os.Link(d.path(pauls+"objects/alone"), d.path("elsewhere"))) }, "file-hard-link", check.Safe, nil},
	{"mode of an object", func(d *damager) { d.chmod(pauls+"objects/alone", 0o600) }, "file-mode", check.Safe, nil},
	{"mode of a table", func(d *damager) { d.chmod(pauls+"freebusy", 0o666) }, "file-mode", check.Safe, nil},
	{"mode of a directory", func(d *damager) { d.chmod(pauls+"objects", 0o755) }, "file-mode", check.Safe, nil},
	{"mode of a user's directory", func(d *damager) { d.chmod(pauls[:len(pauls)-1], 0o770) }, "file-mode", check.Safe, nil},
	{"mode of what is published", func(d *damager) { d.chmod("static/"+paul+"/freebusy", 0o600) }, "file-mode", check.Safe, nil},
	{"group", func(d *damager) {
		if os.Getuid() != 0 {
			skip.Because(d.t, "only the superuser can give a file away")
		}
		d.must(os.Lchown(d.path(pauls+"objects/alone"), -1, 4242))
	}, "file-group", check.Safe, nil},
	{"staging", func(d *damager) { d.write(pauls+"__staging__/0", "half") }, "file-staging", check.Safe, nil},
	{"staging of what is published", func(d *damager) { d.write("static/"+paul+"/.freebusy.new", "half") }, "file-staging", check.Safe, nil},

	{"user one level deeper", func(d *damager) {
		d.rename(pauls[:len(pauls)-1], "x")
		d.must(os.Mkdir(d.path(pauls), 0o770))
		d.rename("x", pauls+paul)
		d.chmod(pauls[:len(pauls)-1], 0o2770)
	}, "file-strayed", check.All, []string{pauls[:len(pauls)-1]}},
	{"records of a user one level deeper", func(d *damager) {
		d.rename(pauls[:len(pauls)-1], "x")
		d.must(os.Mkdir(d.path(pauls), 0o770))
		d.rename("x", pauls+"store")
		d.chmod(pauls[:len(pauls)-1], 0o2770)
	}, "file-strayed", check.All, []string{pauls[:len(pauls)-1]}},
	{"events one level too deep", func(d *damager) {
		d.rename(pauls+"objects", pauls+"x")
		d.must(os.Mkdir(d.path(pauls+"objects"), 0o770))
		d.rename(pauls+"x", pauls+"objects/objects")
		d.chmod(pauls+"objects", 0o2770)
	}, "file-strayed", check.All, []string{pauls + "objects"}},
	{"events below something else", func(d *damager) {
		d.rename(pauls+"objects", pauls+"x")
		d.must(os.Mkdir(d.path(pauls+"data"), 0o770))
		d.rename(pauls+"x", pauls+"data/objects")
	}, "file-strayed", check.All, []string{pauls + "objects"}},
	{"cancellations below cancellations", func(d *damager) {
		d.rename(pauls+"cancellations", pauls+"x")
		d.must(os.Mkdir(d.path(pauls+"cancellations"), 0o770))
		d.rename(pauls+"x", pauls+"cancellations/cancellations")
		d.chmod(pauls+"cancellations", 0o2770)
	}, "file-strayed", check.All, []string{pauls + "cancellations"}},
	{"occurrences one level too deep", func(d *damager) {
		d.rename(pauls+"recurrences", pauls+"x")
		d.must(os.Mkdir(d.path(pauls+"recurrences"), 0o770))
		d.rename(pauls+"x", pauls+"recurrences/recurrences")
		d.chmod(pauls+"recurrences", 0o2770)
	}, "file-strayed", check.All, []string{pauls + "recurrences"}},
	{"events in a directory among the events", func(d *damager) {
		d.write(pauls+"objects/more/walk", object("UID:walk\nDTSTART:20261106T090000Z\nDTEND:20261106T100000Z\n"))
	}, "file-strayed", check.All, []string{pauls + "objects"}},
	{"names in upper case", func(d *damager) {
		for _, name := range []string{"objects", "recurrences", "cancellations", "freebusy", "requests"} {
			d.rename(pauls+name, pauls+strings.ToUpper(name))
		}
	}, "file-strayed file-strayed file-strayed file-strayed file-strayed", check.All, []string{pauls + "objects", pauls + "recurrences", pauls + "cancellations", pauls + "freebusy", pauls + "requests"}},
	{"user's name in upper case", func(d *damager) {
		d.rename(pauls[:len(pauls)-1], "store/MAILTO:paul.boddie@example.com")
		d.rename("prefs/"+paul, "x")
		d.rename("static/"+paul, "y")
		d.rename("x", "prefs/"+paul)
		d.rename("y", "static/"+paul)
	}, "file-strayed", check.All, []string{pauls[:len(pauls)-1]}},
	{"events under another name", func(d *damager) { d.rename(pauls+"objects", pauls+"objects.bak") }, "file-strayed", check.All, []string{pauls + "objects"}},
	{"store below the store", func(d *damager) {
		d.must(os.Mkdir(d.path("store/store"), 0o770))
		d.rename(pauls[:len(pauls)-1], "store/store/"+paul)
		d.rename(vincents[:len(vincents)-1], "store/store/"+vincent)
		d.remove("static")
	}, "file-strayed", check.All, []string{pauls[:len(pauls)-1], vincents[:len(vincents)-1], "static"}},
	{"no events at all", func(d *damager) { d.remove(vincents + "objects"); d.write(vincents+"requests", "meeting\t\t\n") }, "events-missing", check.All, []string{vincents + "requests", vincents + "freebusy", "static/" + vincent + "/freebusy"}},
	{"no events of an organizer", func(d *damager) {
		d.remove(pauls + "objects")
		d.remove(pauls + "recurrences")
		d.remove(pauls + "counters")
	}, "events-missing", check.All, []string{pauls + "requests", pauls + "freebusy", pauls + "freebusy-providers", "static/" + paul + "/freebusy"}},
	{"file among users", func(d *damager) { d.write("store/notes.txt", "x") }, "user-none", check.All, nil},
	{"directory that is no user", func(d *damager) { d.write("store/backup/objects/x", object(alone)) }, "user-none", check.All, nil},
	{"copy of a user", func(d *damager) { d.write("store/"+paul+".bak/objects/alone", object(alone)) }, "user-none", check.All, nil},
	{"users who differ in case, with the same records", func(d *damager) {
		d.must(os.CopyFS(d.path("store/mailto:Vincent.Vole@example.com"), os.DirFS(d.path(vincents))))
		d.settle("store/mailto:Vincent.Vole@example.com", -time.Hour)
	}, "user-same", check.All, nil},
	{"user with a scheme in upper case, with more records", func(d *damager) {
		d.must(os.CopyFS(d.path("store/MAILTO:vincent.vole@example.com"), os.DirFS(d.path(vincents))))
		d.write("store/MAILTO:vincent.vole@example.com/objects/more", object("UID:more\nDTSTART:20261202T090000Z\n"))
		d.settle("store/MAILTO:vincent.vole@example.com", time.Hour)
	}, "user-same", check.All, nil},
	{"link to another user", func(d *damager) {
		d.must(os.Symlink(paul, d.path("store/mailto:alias@example.com")))
	}, "user-none", check.All, nil},
	{"users who differ in case", func(d *damager) { d.write("store/mailto:Paul.Boddie@example.com/requests", "") }, "user-same", check.All, nil},

	{"line without columns", func(d *damager) { d.replace(vincents+"freebusy-other/"+paul, "2026", "garbage\n2026") }, "table-line", check.All, nil},
	{"line without columns in the own table", func(d *damager) {
		d.write(pauls+"freebusy", d.read(pauls+"freebusy")+"garbage\n")
	}, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"table cut within the last line", func(d *damager) {
		text := d.read(pauls + "freebusy")
		d.write(pauls+"freebusy", text[:strings.LastIndex(strings.TrimSpace(text), "\n")+1+len("20270")])
	}, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"table cut within the last line, after the start", func(d *damager) {
		text := d.read(pauls + "freebusy")
		d.write(pauls+"freebusy", text[:strings.LastIndex(strings.TrimSpace(text), "\n")+1+len("20270101T080000Z\t2027")])
	}, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"line break in a summary", func(d *damager) { d.replace(pauls+"freebusy", "Project meeting", "Project\nmeeting") }, "table-broken", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"TAB lost before the transparency", func(d *damager) { d.replace(pauls+"freebusy", "\tmeeting\tOPAQUE", "\tmeetingOPAQUE") }, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"TAB lost before the UID", func(d *damager) { d.replace(pauls+"freebusy", "\tmeeting\tOPAQUE", "meeting\tOPAQUE") }, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"TAB lost between the times", func(d *damager) { d.replace(pauls+"freebusy", "20261202T090000Z\t", "20261202T090000Z") }, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"TAB lost after the transparency", func(d *damager) { d.replace(pauls+"freebusy", "\tmeeting\tOPAQUE\t\t", "\tmeeting\tOPAQUE\t") }, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"TAB lost after the recurrence id", func(d *damager) {
		d.replace(pauls+"freebusy", "\t20261202T080000Z\tWeekly moved", "\t20261202T080000ZWeekly moved")
	}, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"TAB lost before the organizer", func(d *damager) { d.replace(pauls+"freebusy", "Project meeting\t", "Project meeting") }, "table-broken", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"summary in the place of the recurrence id", func(d *damager) {
		d.replace(pauls+"freebusy", "\tmeeting\tOPAQUE\t\tProject meeting\t"+paul, "\tmeeting\tOPAQUE\tProject meeting\t"+paul+"\t")
	}, "table-nonsense", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"summary in the place of the recurrence id of an offer", func(d *damager) {
		d.insert(vincents+"freebusy-offers", "20261206T130000Z\t20261206T140000Z\tlunch\tOPAQUE\tLunch\t\t\t20261224T120000Z")
	}, "table-nonsense", check.All, nil},
	{"NULs at the end of a table", func(d *damager) { d.write(pauls+"freebusy", d.read(pauls+"freebusy")+strings.Repeat("\x00", 100)) }, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"NULs for a table", func(d *damager) { d.write(pauls+"freebusy", strings.Repeat("\x00", 1000)) }, "table-line freebusy-missing freebusy-missing freebusy-missing freebusy-missing freebusy-missing", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"NULs for an object", func(d *damager) { d.write(pauls+"objects/alone", strings.Repeat("\x00", 100)) }, "event-unreadable", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"record of nothing and nobody", func(d *damager) {
		d.insert(pauls+"freebusy", "20261210T090000Z\t20261210T100000Z\tghost\tOPAQUE\t\tGhost\t")
	}, "freebusy-uninvited", check.All, []string{"static/" + paul + "/freebusy"}},
	{"record whose UID has a control character", func(d *damager) {
		d.insert(pauls+"freebusy", "20261210T090000Z\t20261210T100000Z\tgh\x01ost\tOPAQUE\t\tGhost\t"+paul)
	}, "freebusy-unstored", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"record of an event whose UID has got a control character", func(d *damager) { d.replace(pauls+"freebusy", "\talone\t", "\talone\x01\t") }, "freebusy-missing freebusy-unstored", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"reversed record whose UID has a control character", func(d *damager) {
		d.insert(vincents+"freebusy-offers", "20261203T130000Z\t20261203T120000Z\tgh\x01ost\tOPAQUE\t\tGhost\t\t20261224T120000Z")
	}, "table-reversed", check.Safe, nil},
	{"spaces in the place of TABs", func(d *damager) {
		d.write(pauls+"freebusy", strings.ReplaceAll(d.read(pauls+"freebusy"), "\t", " "))
	}, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"TAB in a summary", func(d *damager) { d.replace(pauls+"freebusy", "Project meeting", "Project\tmeeting") }, "table-broken", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"too few columns", func(d *damager) {
		d.replace(pauls+"freebusy", "meeting\tOPAQUE\t\tProject meeting\t"+paul, "meeting")
	}, "table-broken", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"too many columns", func(d *damager) {
		d.replace(pauls+"freebusy", "Project meeting\t"+paul, "Project meeting\t"+paul+"\tone\ttwo")
	}, "table-broken", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"bad time", func(d *damager) { d.replace(pauls+"freebusy", "20261202T090000Z", "2026-12-02 09:00") }, "table-line", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"table not UTF-8", func(d *damager) { d.replace(pauls+"freebusy", "For others", "F\xf8r others") }, "table-broken", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"old layout", func(d *damager) {
		d.write(pauls+"freebusy", strings.ReplaceAll(d.read(pauls+"freebusy"), "\n", "\t\n"))
	}, "table-old-layout", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"out of order", func(d *damager) {
		lines := strings.SplitAfter(d.read(pauls+"freebusy"), "\n")
		lines[0], lines[3] = lines[3], lines[0]
		d.write(pauls+"freebusy", strings.Join(lines, ""))
	}, "table-order", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"duplicate", func(d *damager) {
		first := strings.SplitAfter(d.read(pauls+"freebusy"), "\n")[0]
		d.write(pauls+"freebusy", first+d.read(pauls+"freebusy"))
	}, "table-duplicate", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"duplicate in another's table", func(d *damager) {
		name := vincents + "freebusy-other/" + paul
		d.write(name, d.read(name)+d.read(name))
	}, "table-duplicate", check.Safe, nil},
	{"reversed", func(d *damager) {
		d.replace(pauls+"freebusy", "20261205T090000Z\t20261205T100000Z", "20261205T090000Z\t20261205T080000Z")
	}, "table-reversed", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"reversed offer", func(d *damager) {
		d.replace(vincents+"freebusy-offers", "20261203T130000Z\t20261203T140000Z", "20261203T130000Z\t20261203T120000Z")
	}, "table-reversed", check.Safe, nil},
	{"byte order mark in the queue", func(d *damager) { d.write(pauls+"requests", "\uFEFF"+d.read(pauls+"requests")) }, "table-broken", check.Safe, nil},
	{"byte order mark in the providers", func(d *damager) {
		d.write(pauls+"freebusy-providers", "\uFEFF"+d.read(pauls+"freebusy-providers"))
	}, "table-broken", check.Safe, nil},
	{"line of the queue", func(d *damager) { d.write(pauls+"requests", "a\tb\tc\td\n"+d.read(pauls+"requests")) }, "table-line", check.All, nil},
	{"line of the providers", func(d *damager) {
		d.write(pauls+"freebusy-providers", d.read(pauls+"freebusy-providers")+"\t\t\tx\n")
	}, "table-line", check.All, nil},

	{"record of nothing", func(d *damager) {
		d.insert(pauls+"freebusy", "20261210T090000Z\t20261210T100000Z\tghost\tOPAQUE\t\tGhost\t"+paul)
	}, "freebusy-unstored", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"record of another's event that is not stored", func(d *damager) { d.remove(vincents + "objects/meeting") }, "freebusy-uninvited", check.All, []string{"static/" + vincent + "/freebusy"}},
	{"deleted object", func(d *damager) { d.remove(pauls + "objects/alone") }, "freebusy-unstored", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"deleted occurrence", func(d *damager) { d.remove(pauls + "recurrences/series") }, "freebusy-unstored", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"record of nothing in what is known of another", func(d *damager) {
		d.write(pauls+"freebusy-other/"+vincent, "20261210T090000Z\t20261210T100000Z\tghost\tOPAQUE\t\tGhost\t"+paul+"\n")
	}, "freebusy-unstored", check.Safe, nil},
	{"deleted object of which something is known of another", func(d *damager) {
		d.write(pauls+"freebusy-other/"+vincent, "20261205T090000Z\t20261205T100000Z\talone\tOPAQUE\t\tFor others\t"+paul+"\n")
		d.remove(pauls + "objects/alone")
	}, "freebusy-unstored", check.Safe, []string{pauls + "freebusy-other/" + vincent, "static/" + paul + "/freebusy"}},
	{"deleted object of others' event that has an occurrence of its own", func(d *damager) {
		d.accept()
		d.remove(vincents + "objects/series")
	}, "freebusy-uninvited", check.All, []string{"static/" + vincent + "/freebusy"}},
	{"deleted occurrence of others' event", func(d *damager) {
		d.accept()
		d.remove(vincents + "recurrences/series")
	}, "freebusy-unstored", check.Safe, []string{"static/" + vincent + "/freebusy"}},
	{"declined occurrence still busy as its event", func(d *damager) {
		d.accept()
		d.replace(vincents+"recurrences/series/20261202T080000Z", "PARTSTAT=ACCEPTED:"+vincent, "PARTSTAT=DECLINED:"+vincent)
		d.drop(vincents+"freebusy", "Weekly moved")
		d.insert(vincents+"freebusy", "20261202T080000Z\t20261202T090000Z\tseries\tOPAQUE\t\tWeekly\t"+paul)
		d.replace("static/"+vincent+"/freebusy", "FREEBUSY;FBTYPE=BUSY:20261202T130000Z/20261202T140000Z\r\n", "") // as it was published when they declined
	}, "freebusy-declined", check.Safe, []string{"static/" + vincent + "/freebusy"}},
	{"moved occurrence where its event has it", func(d *damager) {
		d.drop(pauls+"freebusy", "Weekly moved")
		d.insert(pauls+"freebusy", "20261202T080000Z\t20261202T090000Z\tseries\tOPAQUE\t\tWeekly\t"+paul)
	}, "freebusy-time", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"occurrence of a cancelled event still busy", func(d *damager) {
		d.write(pauls+"recurrences/gone/20261204T090000Z", strings.Replace(object(gone), "UID:gone", "UID:gone\r\nSEQUENCE:0\r\nRECURRENCE-ID:20261204T090000Z", 1))
		d.insert(pauls+"freebusy", "20261204T090000Z\t20261204T100000Z\tgone\tOPAQUE\t20261204T090000Z\tCalled off\t"+paul)
	}, "freebusy-cancelled", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"missing record", func(d *damager) { d.drop(pauls+"freebusy", "\tmeeting\t") }, "freebusy-missing", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"missing record of others' event", func(d *damager) { d.drop(vincents+"freebusy", "\tmeeting\t") }, "freebusy-missing", check.Safe, []string{"static/" + vincent + "/freebusy"}},
	{"missing record of the organizer only", func(d *damager) { d.drop(pauls+"freebusy", "\talone\t") }, "freebusy-missing", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"missing record of an event with a counter-proposal", func(d *damager) { d.drop(pauls+"freebusy", "\tlunch\t") }, "freebusy-missing", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"missing in a series", func(d *damager) { d.drop(pauls+"freebusy", "20261216T080000Z") }, "freebusy-missing", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"missing at the end of a series", func(d *damager) { d.drop(pauls+"freebusy", "20270224T080000Z") }, "freebusy-missing", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"missing occurrence", func(d *damager) { d.drop(pauls+"freebusy", "Weekly moved") }, "freebusy-missing", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"empty table", func(d *damager) { d.write(vincents+"freebusy", "") }, "freebusy-missing", check.Safe, []string{"static/" + vincent + "/freebusy"}},
	{"no table", func(d *damager) { d.remove(vincents + "freebusy") }, "freebusy-missing", check.Safe, []string{"static/" + vincent + "/freebusy"}},
	{"extra record", func(d *damager) {
		d.insert(pauls+"freebusy", "20261206T090000Z\t20261206T100000Z\tmeeting\tOPAQUE\t\tProject meeting\t"+paul)
	}, "freebusy-extra", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"wrong time", func(d *damager) {
		d.replace(pauls+"freebusy", "20261205T090000Z\t20261205T100000Z", "20261205T090000Z\t20261205T110000Z")
	}, "freebusy-time", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"wrong transparency", func(d *damager) {
		d.replace(pauls+"freebusy", "\tmeeting\tOPAQUE", "\tmeeting\tTRANSPARENT")
	}, "freebusy-transparency", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"busy for who only organises", func(d *damager) { d.replace(pauls+"freebusy", "\talone\tORG", "\talone\tOPAQUE") }, "freebusy-transparency", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"another summary", func(d *damager) { d.replace(pauls+"freebusy", "Project meeting", "Nothing") }, "freebusy-text", check.Safe, nil},
	{"another organizer", func(d *damager) { d.replace(pauls+"freebusy", "Project meeting\t"+paul, "Project meeting\t"+vincent) }, "freebusy-text", check.Safe, nil},
	{"cancelled event still busy", func(d *damager) {
		d.insert(pauls+"freebusy", "20261204T090000Z\t20261204T100000Z\tgone\tOPAQUE\t\tCalled off\t"+paul)
	}, "freebusy-cancelled", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"cancelled occurrence still busy", func(d *damager) {
		d.insert(pauls+"freebusy", "20261209T080000Z\t20261209T090000Z\tseries\tOPAQUE\t\tWeekly\t"+paul)
	}, "freebusy-cancelled", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"moved occurrence still busy", func(d *damager) {
		d.insert(pauls+"freebusy", "20261202T080000Z\t20261202T090000Z\tseries\tOPAQUE\t\tWeekly\t"+paul)
	}, "freebusy-extra", check.Safe, []string{"static/" + paul + "/freebusy"}},
	{"declined event still busy", func(d *damager) {
		d.replace(vincents+"objects/meeting", "PARTSTAT=ACCEPTED:mailto:vinc", "PARTSTAT=DECLINED:mailto:vinc")
		d.replace("static/"+vincent+"/freebusy", "FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z\r\n", "") // as it was published when they declined
	}, "freebusy-declined", check.Safe, []string{vincents + "freebusy", "static/" + vincent + "/freebusy"}},
	{"window moved on", func(d *damager) { d.later(9) }, "freebusy-window offer-expired", check.Safe, []string{"static/" + paul + "/freebusy", pauls + "freebusy-providers"}},
	{"not extended", func(d *damager) { d.replace(pauls+"freebusy-providers", "20270302T", "20270225T") }, "freebusy-window", check.Safe, nil},
	{"expired offer", func(d *damager) {
		d.replace(vincents+"freebusy-offers", "20261124T", "20261121T")
	}, "offer-expired", check.Safe, nil},
	{"published differs", func(d *damager) { d.replace("static/"+paul+"/freebusy", "20261202T090000Z/", "20261202T093000Z/") }, "published-differs", check.Safe, nil},
	{"published is cut off", func(d *damager) {
		text := d.read("static/" + paul + "/freebusy")
		d.write("static/"+paul+"/freebusy", text[:len(text)/2])
	}, "published-differs", check.Safe, nil},
	{"end of what is published is missing", func(d *damager) {
		d.replace("static/"+paul+"/freebusy", "END:VCALENDAR\r\n", "")
	}, "published-differs", check.Safe, nil},
	{"published twice in one", func(d *damager) {
		d.write("static/"+paul+"/freebusy", strings.Repeat(d.read("static/"+paul+"/freebusy"), 2))
	}, "published-differs", check.Safe, nil},
	{"published in another's name", func(d *damager) { d.replace("static/"+paul+"/freebusy", "ORGANIZER:"+paul, "ORGANIZER:"+vincent) }, "published-differs", check.Safe, nil},
	{"published without a method", func(d *damager) { d.replace("static/"+paul+"/freebusy", "METHOD:PUBLISH\r\n", "") }, "published-differs", check.Safe, nil},
	{"published with NULs after it", func(d *damager) {
		d.write("static/"+paul+"/freebusy", d.read("static/"+paul+"/freebusy")+strings.Repeat("\x00", 40))
	}, "published-differs", check.Safe, nil},
	{"nothing published", func(d *damager) { d.remove("static/" + paul) }, "published-differs", check.Safe, []string{"static/" + paul}},
	{"published and not wanted", func(d *damager) { d.write("prefs/"+paul+"/freebusy_publishing", "no") }, "published-unwanted", check.Safe, nil},

	{"directory in the place of a table", func(d *damager) {
		d.remove(vincents + "freebusy-offers")
		d.must(os.Mkdir(d.path(vincents+"freebusy-offers"), 0o770))
	}, "file-misplaced", check.All, nil},
	{"pipe in the place of a table", func(d *damager) {
		d.remove(vincents + "freebusy-offers")
		d.must(syscall.Mkfifo(d.path(vincents+"freebusy-offers"), 0o660))
	}, "file-device", check.All, nil},
	{"file in the place of all cancellations", func(d *damager) {
		d.remove(cancels + "objects")
		d.write(cancels+"objects", object(gone))
	}, "file-misplaced", check.All, nil},
	{"occurrence without a start", func(d *damager) {
		d.replace(pauls+"recurrences/series/20261202T080000Z", "DTSTART", "X-START")
	}, "event-unreadable", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"start that cannot be read", func(d *damager) {
		d.replace(pauls+"recurrences/series/20261202T080000Z", "DTSTART;TZID=Europe/Oslo:2026", "DTSTART;TZID=Europe/Oslo:soon")
	}, "event-unreadable", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"cancelled occurrence under another name", func(d *damager) {
		d.rename(cancels+"recurrences/series/20261209T080000Z", cancels+"recurrences/series/20261216T080000Z")
	}, "event-wrong-name", check.All, []string{cancels + "recurrences/series", pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"no start", func(d *damager) { d.replace(pauls+"objects/alone", "DTSTART", "X-START") }, "event-unreadable", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"rule that cannot be read", func(d *damager) { d.replace(pauls+"objects/series", "FREQ=WEEKLY", "FREQ=NEVER") }, "event-times", check.All, []string{pauls + "freebusy", pauls + "freebusy-providers", "static/" + paul + "/freebusy"}},
	{"end that cannot be read", func(d *damager) { d.replace(pauls+"objects/alone", ":20261205T100000Z", ":later") }, "event-times", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"length that cannot be read", func(d *damager) { d.replace(pauls+"objects/alone", "DTEND", "DURATION:1 hour\r\nX-DTEND") }, "event-times", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},

	{"active and cancelled", func(d *damager) {
		d.write(cancels+"objects/alone", strings.Replace(d.read(pauls+"objects/alone"), "SEQUENCE:0", "SEQUENCE:1", 1))
	}, "event-both", check.All, []string{pauls + "objects/alone", pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"cancelled before it was sent again", func(d *damager) {
		d.write(cancels+"objects/alone", strings.Replace(d.read(pauls+"objects/alone"), "DTSTAMP:2026", "DTSTAMP:2025", 1))
	}, "event-both", check.All, nil},
	{"occurrence active and cancelled", func(d *damager) {
		d.write(cancels+"recurrences/series/20261202T080000Z", d.read(pauls+"recurrences/series/20261202T080000Z"))
	}, "event-both", check.All, nil},

	{"noted and not stored", func(d *damager) {
		d.write(pauls+"freebusy-providers", d.read(pauls+"freebusy-providers")+"ghost\t\n")
	}, "provider-unstored", check.Safe, nil},
	{"occurrence noted that is not stored", func(d *damager) {
		d.write(pauls+"freebusy-providers", d.read(pauls+"freebusy-providers")+"series\t20261216T080000Z\n")
	}, "provider-unstored", check.Safe, nil},
	{"recurring without end and not noted", func(d *damager) { d.drop(pauls+"freebusy-providers", "series") }, "provider-missing", check.Safe, nil},

	{"recurring without end and noted twice", func(d *damager) {
		d.write(pauls+"freebusy-providers", d.read(pauls+"freebusy-providers")+"series\t\n")
	}, "table-duplicate", check.Safe, nil},

	{"queue entry of nothing", func(d *damager) { d.write(vincents+"requests", d.read(vincents+"requests")+"ghost\t\t\n") }, "request-orphan", check.Safe, nil},
	{"queue entry of no occurrence", func(d *damager) {
		d.write(vincents+"requests", d.read(vincents+"requests")+"meeting\t20261202T090000Z\t\n")
	}, "request-orphan", check.Safe, nil},
	{"cancelled queue entry", func(d *damager) { d.write(pauls+"requests", d.read(pauls+"requests")+"gone\t\t\n") }, "request-cancelled", check.Safe, nil},
	{"queue entry twice", func(d *damager) { d.write(pauls+"requests", d.read(pauls+"requests")+d.read(pauls+"requests")) }, "request-duplicate", check.Safe, nil},
	{"queue entry of a proposal that is gone", func(d *damager) { d.remove(pauls + "counters/objects/lunch") }, "request-orphan", check.Safe, []string{pauls + "requests"}},
	{"queue entry of no type", func(d *damager) {
		d.replace(pauls+"requests", "COUNTER", "ASK")
	}, "request-type", check.Safe, nil},
	{"past queue entry", func(d *damager) {
		d.write(vincents+"objects/past", object("UID:past\nDTSTART:20261101T090000Z\nDURATION:PT1H\nORGANIZER:"+paul+"\nATTENDEE;PARTSTAT=NEEDS-ACTION:"+vincent+"\n"))
		d.write(vincents+"requests", d.read(vincents+"requests")+"past\t\t\n")
	}, "request-past", check.Safe, nil},
	{"counter-proposal to nothing", func(d *damager) {
		d.write(pauls+"counters/objects/ghost/"+vincent, object("UID:ghost\nDTSTART:20261202T090000Z\nDURATION:PT1H\n"))
	}, "counter-orphan", check.All, nil},
	{"counter-proposal to a cancelled event", func(d *damager) {
		d.write(pauls+"counters/objects/gone/"+vincent, object("UID:gone\nDTSTART:20261202T090000Z\nDURATION:PT1H\n"))
	}, "counter-cancelled", check.All, nil},
	{"counter-proposal to a past event", func(d *damager) {
		past := object("UID:past\nDTSTART:20261101T090000Z\nDURATION:PT1H\nORGANIZER:" + vincent + "\n")
		d.write(pauls+"objects/past", past)
		d.write(pauls+"counters/objects/past/"+vincent, past)
	}, "counter-past", check.All, nil},

	{"stale lock", func(d *damager) { d.lock(4194305, time.Hour) }, "lock-stale", check.Safe, nil},
	{"stale lock of the time before the clock was set back", func(d *damager) { d.lock(4194305, -time.Hour) }, "lock-stale", check.Safe, nil},
	{"stale lock of a number that is another's now", func(d *damager) { d.lock(os.Getpid(), 100*24*time.Hour) }, "lock-stale", check.Safe, nil},
	{"lock without holder", func(d *damager) { d.lock(0, time.Hour) }, "lock-stale", check.Safe, nil},
	{"file in the place of a lock", func(d *damager) {
		d.write(pauls+"__lock__", "")
		d.long(pauls + "__lock__")
	}, "lock-strange", check.Safe, nil},
	{"file in a lock", func(d *damager) {
		d.lock(0, time.Hour)
		d.must(os.WriteFile(d.path(pauls+"__lock__/notes"), []byte("mine"), 0o600))
		d.long(pauls + "__lock__")
	}, "lock-strange", check.Safe, nil},
	{"second name in a lock", func(d *damager) {
		d.lock(4194305, time.Hour)
		d.must(os.Mkdir(d.path(pauls+"__lock__/two"), 0o770))
		d.long(pauls + "__lock__")
	}, "lock-strange", check.Safe, nil},
	{"lock that is a link", func(d *damager) {
		d.must(os.Mkdir(d.path("elsewhere"), 0o770))
		d.must(os.Symlink("../../elsewhere", d.path(pauls+"__lock__")))
		at := unix.NsecToTimespec(clock.Kernel().Add(-time.Hour).UnixNano())
		d.must(unix.UtimesNanoAt(unix.AT_FDCWD, d.path(pauls+"__lock__"), []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW))
	}, "lock-strange", check.Safe, nil},

	{"unknown preference", func(d *damager) { d.write("prefs/"+paul+"/TZID~", "Europe/Oslo") }, "preference-unknown", check.All, nil},
	{"zone that there is not, for events by it", func(d *damager) { d.byZone(); d.write("prefs/"+paul+"/TZID", "Europe/Olso") }, "preference-value", check.All, []string{pauls + "freebusy", "static/" + paul + "/freebusy"}},
	{"zone under another name", func(d *damager) { d.byZone(); d.rename("prefs/"+paul+"/TZID", "prefs/"+paul+"/tzid") }, "preference-unknown", check.All, []string{"prefs/" + paul + "/TZID"}},
	{"zone that there is not", func(d *damager) { d.write("prefs/"+vincent+"/TZID", "Europe/Olso") }, "preference-value", check.All, nil},
	{"preference that is a link to nowhere", func(d *damager) { d.must(os.Symlink("nowhere", d.path("prefs/"+paul+"/CN"))) }, "file-link", check.All, nil},
	{"unknown value", func(d *damager) { d.write("prefs/"+paul+"/incoming", "yes") }, "preference-value", check.All, nil},
	{"duration that cannot be read", func(d *damager) { d.write("prefs/"+vincent+"/freebusy_offers", "two days") }, "preference-value", check.All, nil},
	{"preferences of somebody without records", func(d *damager) { d.write("prefs/mailto:new@example.com/window_size", "many") }, "preference-value", check.All, nil},

	{"file in the place of preferences", func(d *damager) {
		d.remove("prefs/" + vincent)
		d.write("prefs/"+vincent, "x")
	}, "file-misplaced", check.All, []string{"static/" + vincent + "/freebusy"}},
	{"file in the place of who has something published", func(d *damager) {
		d.remove("static/" + vincent)
		d.write("static/"+vincent, "x")
	}, "file-misplaced", check.All, nil},
	{"published of nobody", func(d *damager) {
		d.write("static/mailto:gone@example.com/freebusy", d.read("static/"+paul+"/freebusy"))
	}, "published-unwanted", check.Safe, nil},

	{"rejected", func(d *damager) {
		h := scene{from: "paul.boddie@example.com", method: "REQUEST", lines: "SUMMARY:Nothing\n"}
		d.must(d.p.handle(h.message(d.p.now)))
	}, "rejected", check.All, nil},
}

// Each kind of damage is found, and nothing else; it is mended, which writes no more than
// it has to; then the store is whole; and what was done can be undone.
func TestDamage(t *testing.T) {
	for name, make := range map[string]func(testing.TB, compat.Room){"ours": makeOurs, "original": makeOriginal} {
		t.Run(name, func(t *testing.T) {
			healthy := compat.Room(tempDir(t))
			make(t, healthy)
			for _, c := range damages {
				t.Run(c.name, func(t *testing.T) {
					p := newPlace(t, copyRoom(t, healthy))
					p.now = healthyTime
					c.damage(&damager{t, p})
					testDamage(t, p, strings.Fields(c.want), c.repair, c.also)
				})
			}
		})
	}
}

func testDamage(t *testing.T, p *place, want []string, repair check.Repair, also []string) {
	damaged := snapshot(t, p.Room)
	found := p.check(t, check.None)
	if !slices.Equal(found.ids(), want) || len(found.summary.Failures) > 0 {
		t.Fatalf("found %q, not %q:\n%s", found.ids(), want, found)
	}
	allowed := slices.Clone(also)
	for _, f := range found.findings {
		if f.Command == "" || f.Needs() == check.None {
			t.Errorf("%s is not to be mended: %+v", f.Kind.ID, f)
		}
		name, _ := filepath.Rel(string(p.Room), f.Path)
		allowed = append(allowed, name)
	}
	dry := p.checker(repair)
	dry.DryRun = true
	if r := run(t, dry); !slices.Equal(r.ids(), suffixed(want, " would")) {
		t.Errorf("a dry run tells %q", r.ids())
	}
	if paths := changed(damaged, snapshot(t, p.Room)); len(paths) > 0 {
		t.Fatalf("looking has changed %q", paths)
	}

	mended := p.check(t, repair)
	for _, id := range mended.ids() {
		if !strings.HasSuffix(id, " mended") {
			t.Fatalf("after the repair:\n%s", mended)
		}
	}
	if mended.summary.Manifest == "" || mended.summary.Mended < len(want) || mended.summary.Remaining > 0 {
		t.Errorf("summary: %+v", mended.summary)
	}
	if again := p.check(t, check.None); again.String() != "" {
		t.Errorf("the store is not whole after the repair:\n%s", again)
	}
	for _, path := range changed(damaged, snapshot(t, p.Room)) {
		if !slices.ContainsFunc(allowed, func(a string) bool {
			return path == a || strings.HasPrefix(path, a+"/") || path+".eml" == a || strings.TrimSuffix(path, ".txt")+".eml" == a
		}) {
			t.Errorf("the repair has changed %q", path)
		}
	}

	undo(t, p.checker(check.None), mended.summary.Manifest)
	back := snapshot(t, p.Room)
	for _, path := range changed(damaged, back) {
		if info, err := os.Stat(filepath.Join(string(p.Room), path)); err == nil && info.IsDir() && damaged[path] == "" {
			continue // an empty directory is no more than it was
		}
		t.Errorf("undoing has not put back %q:\n%s\n%s", path, damaged[path], back[path])
	}
}

// A quarantine on another file system than the store, as where the store is mounted, keeps
// and gives back the same.
func TestOtherFileSystem(t *testing.T) {
	healthy := compat.Room(tempDir(t))
	makeOurs(t, healthy)
	elsewhere := t.TempDir()
	var here, there syscall.Stat_t
	if err := errors.Join(syscall.Stat(string(healthy), &here), syscall.Stat(elsewhere, &there)); err != nil {
		t.Fatal(err)
	}
	if here.Dev == there.Dev {
		skip.Because(t, "there is one file system only")
	}
	for i, c := range damages {
		if !full() && i%4 != 0 {
			continue // each is tested on one file system anyway
		}
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, copyRoom(t, healthy))
			p.now, p.kept = healthyTime, filepath.Join(elsewhere, t.Name())
			c.damage(&damager{t, p})
			testDamage(t, p, strings.Fields(c.want), c.repair, c.also)
		})
	}
}

// What its owner may not read is mended by its owner, as whom the check runs at night.
func TestOwner(t *testing.T) {
	if os.Getuid() != 0 {
		skip.Because(t, "only the superuser can be somebody else")
	}
	const nobody = 65534
	own := filepath.Join(tempDir(t), "check.test") // where everybody can get at it
	program, err := os.ReadFile(os.Args[0])
	if err := errors.Join(err, os.WriteFile(own, program, 0o755), os.Chmod(filepath.Dir(own), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"freebusy", "objects", "objects/alone", "recurrences/series"} {
		t.Run(name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			makeOurs(t, room)
			d := damager{t, newPlace(t, room)}
			d.must(filepath.WalkDir(string(room), func(path string, entry os.DirEntry, err error) error {
				if err != nil {
					return err
				}
				info, err := entry.Info()
				if err != nil {
					return err
				}
				return errors.Join(os.Chown(path, nobody, nobody), os.Chmod(path, info.Mode()))
			}))
			d.chmod(pauls+name, 0)
			mend := child(t.Context(), "mend", string(room))
			mend.Path, mend.Dir = own, string(room)
			mend.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			told, err := mend.Output()
			if err != nil || string(told) != "file-mode\nfile-mode mended\n" {
				t.Errorf("it tells %q, %v", told, err)
			}
		})
	}
}

// mendChild looks at a room, mends what is safe, and looks again.
func mendChild(room string) error {
	p, err := openPlace(compat.Room(room))
	if err != nil {
		return err
	}
	p.now = healthyTime
	for _, repair := range []check.Repair{check.None, check.Safe, check.None} {
		summary, err := p.checker(repair).Run(context.Background(), func(f check.Finding) {
			fmt.Println(strings.TrimSuffix(f.Kind.ID+" "+string(f.State), " "+string(check.Found)))
		})
		if err := errors.Join(append(summary.Failures, err)...); err != nil {
			return err
		}
	}
	return nil
}

func suffixed(ids []string, suffix string) []string {
	var all []string
	for _, id := range ids {
		all = append(all, id+suffix)
	}
	return all
}

// Every kind of finding that can be mended has its damage.
func TestEveryKind(t *testing.T) {
	tested := make(map[string]bool)
	for _, c := range damages {
		for _, id := range strings.Fields(c.want) {
			tested[id] = true
		}
	}
	for _, k := range check.Kinds() {
		ofQuotas := strings.HasPrefix(k.ID, "quota-") // which TestJournal damages
		if k.Repair != check.None && !tested[k.ID] && !ofQuotas {
			t.Errorf("no damage is tested that is %s", k.ID)
		}
		if k.Severity == check.Note && k.Repair != check.None {
			t.Errorf("%s is a note, which nothing mends", k.ID)
		}
	}
}
