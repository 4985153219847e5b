package doctor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Sent is the examination of a message that goes through the mail system.
const Sent = "send"

// Send sends a message as a user through the mail system, and waits until the event in it
// is in the user's records. It takes the event out again. Wait is how long it has patience.
func (d *Doctor) Send(ctx context.Context, user calendar.URI, wait time.Duration, report func(Result)) {
	say := func(status Status, remedy, format string, args ...any) {
		report(Result{ID: Sent, Status: status, Text: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	sendmail, ok := d.Find("sendmail")
	if !ok {
		say(Failed, "install a mail system such as Postfix or Exim", "the sendmail command is missing")
		return
	}
	address := user.Address()
	uid := fmt.Sprintf("doctor-%d@imip-agent.invalid", d.Now().UnixNano())
	key := stores.Key{ID: stores.ID{UID: uid}}
	send, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	cmd := exec.CommandContext(send, sendmail, "-i", "-f", address, address)
	cmd.Stdin = strings.NewReader(publication(address, uid, d.Now()))
	if out, err := cmd.CombinedOutput(); err != nil {
		say(Failed, "see the mail log", "the mail system does not accept a message from %s: %v: %s", address, err, strings.TrimSpace(string(out)))
		return
	}

	ctx, stop := context.WithTimeout(ctx, wait)
	defer stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	began := d.Now()
	for {
		err := d.Store.View(ctx, user, func(tx stores.Tx) error {
			_, err := tx.Get(key)
			return err
		})
		switch {
		case err == nil:
			took := d.Now().Sub(began).Round(100 * time.Millisecond)
			if err := d.takeOut(user, key); err != nil {
				say(Warning, "remove the event of UID "+uid, "the message was handled, but its event cannot be removed: %v", err)
				return
			}
			say(OK, "", "a message from %s has gone through the mail system, and was in the records after %v", address, took)
			return
		case !errors.Is(err, stores.ErrNotFound) && ctx.Err() == nil:
			say(Failed, "run this as root", "the records of %s cannot be read: %v", address, err)
			return
		}
		select {
		case <-ctx.Done():
			text := "its event is not in the records"
			if reason := d.putAside(uid); reason != "" {
				text = "it was rejected: " + reason
			}
			say(Failed, "see the lines on "+d.address(address)+" in the mail log, and what `imip-agent doctor` says; the message may still come, with UID "+uid,
				"a message from %s was sent %v ago, but %s", address, wait, text)
			return
		case <-tick.C:
		}
	}
}

// takeOut removes the event of a message that was sent to be looked for.
func (d *Doctor) takeOut(user calendar.URI, key stores.Key) error {
	// Whoever waits for it is not to wait for long; the time to look for it is over.
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	return d.Store.Update(ctx, user, func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{Kind: stores.Own})
		if err != nil {
			return err
		}
		table.Remove(key.UID, "")
		return tx.Delete(key)
	})
}

// putAside returns why a message was put aside, "" if it was not.
func (d *Doctor) putAside(uid string) string {
	if d.Rejected == nil {
		return ""
	}
	items, err := d.Rejected.List()
	if err != nil {
		return ""
	}
	for _, item := range items {
		if item.Note.UID == uid {
			return item.Note.Reason
		}
	}
	return ""
}

// publication returns a message in which a user publishes an event of a minute's length
// that takes no time, to themself.
func publication(address, uid string, now time.Time) string {
	const form = "20060102T150405Z"
	begin := now.UTC().Add(24 * time.Hour).Truncate(time.Hour)
	return fmt.Sprintf(`From: %[1]s
To: %[1]s
Subject: Test of the calendar system
Date: %[6]s
Message-ID: <%[2]s>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_doctor"

--=_doctor
Content-Type: text/plain; charset=us-ascii

The administrator of the calendar system has tried whether your mail reaches your
calendar. Nothing is to be done, and nothing has changed.

--=_doctor
Content-Type: text/calendar; charset=utf-8; method=PUBLISH

BEGIN:VCALENDAR
PRODID:-//imip-agent//doctor//EN
VERSION:2.0
METHOD:PUBLISH
BEGIN:VEVENT
UID:%[2]s
DTSTAMP:%[3]s
DTSTART:%[4]s
DTEND:%[5]s
SUMMARY:Test of the calendar system
TRANSP:TRANSPARENT
ORGANIZER:mailto:%[1]s
END:VEVENT
END:VCALENDAR

--=_doctor--
`, address, uid, now.UTC().Format(form), begin.Format(form), begin.Add(time.Minute).Format(form), now.Format(time.RFC1123Z))
}
