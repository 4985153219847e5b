package check_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tools/check"
)

// damager does damage in a room.
type damager struct {
	t testing.TB
	p *place
}

func (d *damager) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *damager) path(name string) string { return filepath.Join(string(d.p.Room), name) }

// write puts a file in place of another, or where there is none, with the mode it should
// have.
func (d *damager) write(name, content string) {
	d.t.Helper()
	d.must(os.MkdirAll(filepath.Dir(d.path(name)), 0o770))
	for dir := filepath.Dir(d.path(name)); dir != d.p.Store() && dir != d.p.Preferences() && strings.HasPrefix(dir, string(d.p.Room)+"/"); dir = filepath.Dir(dir) {
		d.must(os.Chmod(dir, os.ModeSetgid|0o770))
	}
	d.must(os.WriteFile(d.path(name), []byte(content), 0o660))
	d.must(os.Chmod(d.path(name), 0o660))
}

func (d *damager) read(name string) string {
	d.t.Helper()
	content, err := os.ReadFile(d.path(name))
	d.must(err)
	return string(content)
}

// replace replaces a text in a file, which must be there.
func (d *damager) replace(name, old, new string) {
	d.t.Helper()
	text := d.read(name)
	if !strings.Contains(text, old) {
		d.t.Fatalf("%s has no %q in it:\n%s", name, old, text)
	}
	d.write(name, strings.Replace(text, old, new, 1))
}

// drop takes the line out of a table that has a text in it.
func (d *damager) drop(name, text string) {
	d.t.Helper()
	lines := strings.SplitAfter(d.read(name), "\n")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, text) })
	if i < 0 {
		d.t.Fatalf("%s has no line with %q", name, text)
	}
	d.write(name, strings.Join(slices.Delete(lines, i, i+1), ""))
}

// dropAll removes all lines with a text from a file.
func (d *damager) dropAll(name, text string) {
	d.t.Helper()
	for strings.Contains(d.read(name), text) {
		d.drop(name, text)
	}
}

// insert puts a record into a table, in order.
func (d *damager) insert(name, line string) {
	d.t.Helper()
	lines := append(strings.SplitAfter(d.read(name), "\n"), line+"\n")
	slices.Sort(lines)
	d.write(name, strings.Join(lines, ""))
}

func (d *damager) remove(name string)     { d.t.Helper(); d.must(os.RemoveAll(d.path(name))) }
func (d *damager) rename(from, to string) { d.t.Helper(); d.must(os.Rename(d.path(from), d.path(to))) }
func (d *damager) chmod(name string, m int) {
	d.t.Helper()
	d.must(syscall.Chmod(d.path(name), uint32(m)))
}
func (d *damager) later(days int) { d.p.now = d.p.now.AddDate(0, 0, days) }

// copy copies a file, as an editor does, with other permissions.
func (d *damager) copy(from, to string) { d.t.Helper(); d.write(to, d.read(from)); d.chmod(to, 0o644) }

const (
	pauls    = "store/" + paul + "/"
	vincents = "store/" + vincent + "/"
	cancels  = pauls + "cancellations/"
)

// lock makes Paul's lock directory with a process id in it, unless that is 0.
func (d *damager) lock(pid int, age time.Duration) {
	dir := d.path(pauls + "__lock__")
	d.must(os.Mkdir(dir, 0o770))
	if pid > 0 {
		d.must(os.Mkdir(filepath.Join(dir, strconv.Itoa(pid)), 0o770))
	}
	long := clock.Kernel().Add(-age)
	d.must(os.Chtimes(dir, long, long))
}

// long makes a file or directory an hour old.
func (d *damager) long(name string) {
	long := clock.Kernel().Add(-time.Hour)
	d.must(os.Chtimes(d.path(name), long, long))
}

// byZone lays an event of Paul's in his own time zone, which is no damage.
func (d *damager) byZone() {
	d.write(pauls+"objects/walk", object("UID:walk\nSUMMARY:Walk\nDTSTART;VALUE=DATE:20261206\nORGANIZER:"+paul+"\nATTENDEE;PARTSTAT=ACCEPTED:"+paul+"\n"))
	d.insert(pauls+"freebusy", "20261205T230000Z\t20261206T230000Z\twalk\tOPAQUE\t\tWalk\t"+paul)
	if r := d.p.check(d.t, check.Safe, paul); len(r.findings) != 1 || r.findings[0].Kind.ID != "published-differs" {
		d.t.Fatalf("found:\n%s", r)
	}
	d.remove("quarantine")
}

// accept lays a series of Paul's that Vincent takes part in, with one occurrence moved, as it
// would be stored for him, which is no damage.
func (d *damager) accept() {
	d.t.Helper()
	const his = "ATTENDEE;PARTSTAT=ACCEPTED:" + vincent
	d.write(vincents+"objects/series", object(strings.Replace(series, "ATTENDEE:"+vincent, his, 1)))
	d.write(vincents+"recurrences/series/20261202T080000Z", object(strings.Replace(moved, "ATTENDEE:"+vincent, his, 1)))
	for line := range strings.Lines(d.read(pauls + "freebusy")) {
		if strings.Contains(line, "\tseries\t") && !strings.HasPrefix(line, "20261209") {
			d.insert(vincents+"freebusy", strings.TrimSuffix(line, "\n"))
			d.insert(vincents+"freebusy-other/"+paul, strings.TrimSuffix(line, "\n")) // as the invitation says
		}
	}
	d.insert(vincents+"freebusy-other/"+paul, "20261209T080000Z\t20261209T090000Z\tseries\tOPAQUE\t\tWeekly\t"+paul)
	d.insert(vincents+"freebusy", "20261209T080000Z\t20261209T090000Z\tseries\tOPAQUE\t\tWeekly\t"+paul)
	if r := d.p.check(d.t, check.Safe, vincent); len(r.findings) != 1 || r.findings[0].Kind.ID != "published-differs" {
		d.t.Fatalf("found:\n%s", r)
	}
	d.remove("quarantine")
}

// settle gives all files of a directory the modes that they should have, and a time.
func (d *damager) settle(name string, later time.Duration) {
	d.must(filepath.WalkDir(d.path(name), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o660)
		if entry.IsDir() {
			mode = fs.ModeSetgid | 0o770
		}
		at := clock.Kernel().Add(later)
		return errors.Join(os.Chmod(path, mode), os.Chtimes(path, at, at))
	}))
}
