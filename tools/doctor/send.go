package doctor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Sent is the examination of a message that goes through the mail system.
const Sent = "send"

// Send sends a message as a user through the mail system, and waits until the event in it is in the
// user's records. If mail that arrives is handled, it then sends an invitation to the user in the same
// way, and waits until that is in the records and in the mailbox. It takes the events out again. Wait
// is how long it has patience for each.
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
	lmtp, arrives := d.mailboxOf(ctx, address)
	if arrives && d.Ask != nil {
		kind, place, what := d.mailboxServer(lmtp)
		// If the server does not answer, the invitation shows it.
		if refused, err := d.Ask(ctx, kind, place, []string{address}); err == nil && len(refused) > 0 && refused[0] != nil {
			say(Failed, "name a user who has a mailbox there. Nothing was sent", "%s takes no mail for %s: %v", what, address, refused[0])
			return
		}
	}
	t := trial{d: d, sendmail: sendmail, user: user, wait: wait, say: say}
	service := d.findService(ctx)
	if service != nil && d.HandIn != nil {
		t.service = service
	}
	t.run(ctx, sending{
		from: address, what: "a message from " + address, mailLog: d.address(address), done: "was in the records",
		text: func(uid string) string {
			return letter(address, address, address, guest, uid, "whether your mail reaches your calendar", d.Now())
		},
		arrived: func(ctx context.Context, key stores.Key) (string, error) {
			return "its event is not in the records", d.recorded(ctx, user, key, false)
		},
	})
	if !arrives {
		return
	}
	t.service = nil // it is not for what arrives
	before, err := d.Store.Letters(ctx, user)
	if err != nil {
		say(Failed, "run this as root", "the records of %s cannot be read: %v", address, err)
		return
	}
	sender := strings.TrimPrefix(d.Config.MessageSender, "mailto:")
	t.run(ctx, sending{
		from: sender, what: "an invitation to " + address, mailLog: address, done: "was in the records and in the mailbox",
		text: func(uid string) string {
			return letter(sender, address, sender, address, uid, "whether invitations to you reach your calendar and your mailbox", d.Now())
		},
		arrived: func(ctx context.Context, key stores.Key) (string, error) {
			if err := d.recorded(ctx, user, key, true); err != nil {
				return "its event is not in the records", err
			}
			return "it is not in the mailbox", d.delivered(ctx, user, before)
		},
	})
}

// mailboxOf reports whether mail that arrives for an address is handled, and returns the socket of the mailbox server that it goes
// to, empty if that is done by SMTP.
func (d *Doctor) mailboxOf(ctx context.Context, address string) (lmtp string, arrives bool) {
	if in := d.findIncoming(ctx); in != nil {
		return in.lmtp, true
	}
	h := d.findHandover(ctx)
	return d.Config.MailboxServer, h != nil && h.handed(address)
}

// trial sends messages that concern a user, and waits for what becomes of them.
type trial struct {
	d        *Doctor
	sendmail string
	user     calendar.URI
	wait     time.Duration
	say      func(status Status, remedy, format string, args ...any)
	service  *milter // which the message is handed in to; nil: it goes through the mail system
}

// send sends a message, and returns what it goes through.
func (t *trial) send(ctx context.Context, m sending, uid string) (through string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	if t.service != nil {
		// What Postfix does once a user has logged in, which only users can.
		err := t.d.HandIn(ctx, t.service.network, t.service.address, m.from, strings.ReplaceAll(m.text(uid), "\n", "\r\n"))
		return "the service at " + t.service.address, err
	}
	cmd := exec.CommandContext(ctx, t.sendmail, "-i", "-f", m.from, t.user.Address())
	cmd.Stdin = strings.NewReader(m.text(uid))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "the mail system", fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return "the mail system", nil
}

// sending is a message of a trial.
type sending struct {
	from    string // the envelope's sender
	what    string // the message, for reports
	mailLog string // the address under which the mail log has it
	done    string // what is so when it has arrived
	text    func(uid string) string
	// arrived returns an error that matches errMissing as long as the message has not arrived, and what
	// is missing.
	arrived func(ctx context.Context, key stores.Key) (missing string, err error)
}

// errMissing says that a message has not arrived.
var errMissing = errors.New("it has not arrived")

// run sends a message, waits for it, and takes its event out again.
func (t *trial) run(ctx context.Context, m sending) {
	d, address := t.d, t.user.Address()
	uid := fmt.Sprintf("doctor-%d@imip-agent.invalid", d.Now().UnixNano())
	key := stores.Key{ID: stores.ID{UID: uid}}
	through, err := t.send(ctx, m, uid)
	if err != nil {
		t.say(Failed, "see the mail log, and what `imip-agent doctor` says", "%s does not accept a message from %s: %v", through, m.from, err)
		return
	}

	ctx, stop := context.WithTimeout(ctx, t.wait)
	defer stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	began := d.Now()
	for {
		missing, err := m.arrived(ctx, key)
		switch {
		case err == nil:
			took := d.Now().Sub(began).Round(100 * time.Millisecond)
			if err := d.takeOut(t.user, key); err != nil {
				t.say(Warning, "remove the event of UID "+uid, "the message was handled, but its event cannot be removed: %v", err)
				return
			}
			t.say(OK, "", "%s has gone through %s, and %s after %v", m.what, through, m.done, took)
			return
		case !errors.Is(err, errMissing) && ctx.Err() == nil:
			t.say(Failed, "run this as root", "the records of %s cannot be read: %v", address, err)
			return
		}
		select {
		case <-ctx.Done():
			if reason := d.putAside(uid); reason != "" {
				missing = "it was rejected: " + reason
			}
			t.say(Failed, "see the lines on "+m.mailLog+" in the mail log, and what `imip-agent doctor` says; the message may still come, with UID "+uid,
				"%s was sent %v ago, but %s", m.what, t.wait, missing)
			return
		case <-tick.C:
		}
	}
}

// recorded returns an error that matches errMissing if a user's records have no event, or if it is to be in the request
// queue and is not.
func (d *Doctor) recorded(ctx context.Context, user calendar.URI, key stores.Key, requested bool) error {
	return d.Store.View(ctx, user, func(tx stores.Tx) error {
		if _, err := tx.Get(key); errors.Is(err, stores.ErrNotFound) {
			return errMissing
		} else if err != nil || !requested {
			return err
		}
		requests, err := tx.Requests()
		if err == nil && !slices.ContainsFunc(requests, func(r stores.Request) bool { return r.ID == key.ID }) {
			err = errMissing
		}
		return err
	})
}

// delivered returns an error that matches errMissing if there is a mail for a user that has not been handed over, and was
// not owed before.
func (d *Doctor) delivered(ctx context.Context, user calendar.URI, before []stores.LetterInfo) error {
	letters, err := d.Store.Letters(ctx, user)
	if err != nil {
		return err
	}
	for _, letter := range letters {
		if letter.Left > 0 && !slices.ContainsFunc(before, func(b stores.LetterInfo) bool { return b.Name == letter.Name }) {
			return errMissing
		}
	}
	return nil
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
		requests, err := tx.Requests()
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(requests), func(r stores.Request) bool { return r.ID == key.ID })
		if len(left) < len(requests) {
			if err := tx.SetRequests(left); err != nil {
				return err
			}
		}
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

// letter returns a message with an event of a minute's length that takes no time, by an organizer for an
// attendee. If the user is the organizer, it goes to the user all the same: then only the copy that is
// handled as outgoing mail changes records, since the message invites somebody else.
func letter(from, to, organizer, attendee, uid, tests string, now time.Time) string {
	const form = "20060102T150405Z"
	begin := now.UTC().Add(24 * time.Hour).Truncate(time.Hour)
	return fmt.Sprintf(`From: %[1]s
To: %[2]s
Subject: Test of the calendar system
Date: %[3]s
Message-ID: <%[4]s>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_doctor"

--=_doctor
Content-Type: text/plain; charset=us-ascii

The administrator of the calendar system has tested %[5]s.
You need not do anything, and nothing has changed.

--=_doctor
Content-Type: text/calendar; charset=utf-8; method=REQUEST

BEGIN:VCALENDAR
PRODID:-//imip-agent//doctor//EN
VERSION:2.0
METHOD:REQUEST
BEGIN:VEVENT
UID:%[4]s
DTSTAMP:%[6]s
DTSTART:%[7]s
DTEND:%[8]s
SUMMARY:Test of the calendar system
TRANSP:TRANSPARENT
ORGANIZER:mailto:%[9]s
ATTENDEE:mailto:%[10]s
END:VEVENT
END:VCALENDAR

--=_doctor--
`, from, to, now.Format(time.RFC1123Z), uid, tests, now.UTC().Format(form), begin.Format(form), begin.Add(time.Minute).Format(form), organizer, attendee)
}
