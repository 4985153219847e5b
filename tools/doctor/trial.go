package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// owner returns who the store belongs to.
func (d *Doctor) owner() account {
	for _, p := range d.places() {
		if info, err := os.Stat(p.path); err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				return numbered(stat.Uid, stat.Gid)
			}
		}
	}
	return account{}
}

// temporary makes a directory beside the store, for an account, and returns it with
// what removes it.
func (d *Doctor) temporary(a account) (string, func(), error) {
	beside := filepath.Dir(filepath.Clean(d.Config.StoreDir))
	if d.Config.StoreType != "file" {
		beside = filepath.Dir(filepath.Clean(d.Config.PreferencesDir))
	}
	dir, err := os.MkdirTemp(beside, ".imip-agent-doctor-")
	if err != nil {
		return "", nil, err
	}
	remove := func() { os.RemoveAll(dir) }
	if os.Geteuid() == 0 && a.known {
		if err := os.Chown(dir, int(a.uid), int(a.gid)); err != nil {
			remove()
			return "", nil, err
		}
	}
	return dir, remove, nil
}

// somebody is a user who is in no store.
const somebody = calendar.URI("mailto:doctor@imip-agent.invalid")

// lock looks whether a lock on a user's records, where the store is, keeps another
// program out: file systems that come over a network may not do that.
func (d *Doctor) lock(ctx context.Context, h handler, report report) {
	if d.Config.StoreType != "file" {
		return
	}
	dir, remove, err := d.temporary(h.account)
	if err != nil {
		report(Lock, Unknown, remedyFor(err), "locks cannot be tested: %v", err)
		return
	}
	defer remove()
	const remedy = "keep the store on a local file system, or on one that supports flock(2)"
	first, err := d.Open(filepath.Join(dir, "store"), patient)
	if err != nil {
		report(Lock, Failed, remedy, "a store cannot be opened beside %s: %v", d.Config.StoreDir, err)
		return
	}
	defer first.Close()
	const short = 200 * time.Millisecond
	second, err := d.Open(filepath.Join(dir, "store"), short)
	if err != nil {
		report(Lock, Failed, remedy, "a store cannot be opened beside %s: %v", d.Config.StoreDir, err)
		return
	}
	defer second.Close()
	// A user with records: for others there may be nothing to be locked.
	if err := first.Update(ctx, somebody, func(tx stores.Tx) error {
		return tx.SetRequests([]stores.Request{{ID: stores.ID{UID: "doctor"}}})
	}); err != nil {
		report(Lock, Failed, remedy, "a store beside %s cannot be written: %v", d.Config.StoreDir, err)
		return
	}
	nothing := func(stores.Tx) error { return nil }
	var inside error
	err = first.Update(ctx, somebody, func(stores.Tx) error {
		inside = second.Update(ctx, somebody, nothing)
		return nil
	})
	switch {
	case err != nil:
		report(Lock, Failed, remedy, "a lock cannot be taken: %v", err)
	case inside == nil:
		report(Lock, Failed, remedy, "a lock does not keep another program out")
	case !errors.Is(inside, stores.ErrLocked):
		report(Lock, Failed, remedy, "waiting for a held lock fails: %v", inside)
	default:
		if err := second.Update(ctx, somebody, nothing); err != nil {
			report(Lock, Failed, remedy, "a released lock cannot be taken: %v", err)
			return
		}
		report(Lock, OK, "", "locks beside %s keep other programs out", d.Config.StoreDir)
	}
}

// message hands a message to the handler, as the mail system would, with a store of its own.
func (d *Doctor) message(ctx context.Context, h handler, report report) {
	if h.program == "" {
		report(Message, Failed, "install "+Handler, "%s is missing", Handler)
		return
	}
	dir, remove, err := d.temporary(h.account)
	if err != nil {
		report(Message, Unknown, remedyFor(err), "%s cannot be tested: %v", h.program, err)
		return
	}
	defer remove()
	args := []string{"-T", "file"}
	for option, name := range map[string]string{"-S": "store", "-P": "static", "-p": "preferences", "-j": "journal"} {
		args = append(args, option, filepath.Join(dir, name))
	}
	if d.Config.File != "" {
		args = append(args, "--config", d.Config.File)
	}
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	cmd, err := h.account.command(ctx, h.program, args...)
	if !h.account.known || err != nil {
		report(Message, Unknown, "run this as root", "%s cannot be tested: %v", h.program, err)
		return
	}
	const uid = "doctor@imip-agent.invalid"
	cmd.Stdin = strings.NewReader(invitation(somebody.Address(), guest, uid, d.Now()))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	start := d.Now()
	if err := cmd.Run(); err != nil {
		report(Message, Failed, "run it by hand with -d: "+h.program+" "+strings.Join(args, " ")+" < MESSAGE",
			"%s does not handle a message (%v): %s", h.program, err, strings.TrimSpace(said.String()))
		return
	}
	took := d.Now().Sub(start)
	if err := d.findTrial(ctx, dir, uid); err != nil {
		report(Message, Failed, "see what `"+h.program+" --version` says, and whether users take part (PARTICIPATING_DEFAULT)",
			"%s reports success, but the event of the message is not in the store: %v", h.program, err)
		return
	}
	report(Message, OK, "", "%s has handled a message as %s in %d ms", h.program, h.account.name, took.Milliseconds())
}

// findTrial returns an error unless the store of a trial in a directory has the event.
func (d *Doctor) findTrial(ctx context.Context, dir, uid string) error {
	store, err := d.Open(filepath.Join(dir, "store"), patient)
	if err != nil {
		return err
	}
	err = store.View(ctx, somebody, func(tx stores.Tx) error {
		_, err := tx.Get(stores.Key{ID: stores.ID{UID: uid}})
		return err
	})
	return errors.Join(err, store.Close())
}

// remedyFor returns what to do about a temporary directory that cannot be made.
func remedyFor(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "run this as root"
	case errors.Is(err, fs.ErrNotExist):
		return "create the directories first"
	}
	return ""
}

// guest is somebody else, who is in no store either.
const guest = "guest@imip-agent.invalid"

// invitation returns a message from an organizer that invites somebody to a meeting tomorrow.
func invitation(organizer, attendee, uid string, now time.Time) string {
	const form = "20060102T150405Z"
	begin := now.UTC().Add(24 * time.Hour).Truncate(time.Hour)
	return strings.ReplaceAll(fmt.Sprintf(`From: %[1]s
To: %[6]s
Subject: test
Message-ID: <%[2]s>
MIME-Version: 1.0
Content-Type: text/calendar; charset=utf-8; method=REQUEST

BEGIN:VCALENDAR
PRODID:-//imip-agent//doctor//EN
VERSION:2.0
METHOD:REQUEST
BEGIN:VEVENT
UID:%[2]s
DTSTAMP:%[3]s
DTSTART:%[4]s
DTEND:%[5]s
SUMMARY:Test
ORGANIZER:mailto:%[1]s
ATTENDEE;RSVP=TRUE:mailto:%[6]s
END:VEVENT
END:VCALENDAR
`, organizer, uid, now.UTC().Format(form), begin.Format(form), begin.Add(time.Hour).Format(form), attendee), "\n", "\r\n")
}
