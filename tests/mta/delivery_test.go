package mta

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// testDelivery sends all kinds of mail while the handler works.
func testDelivery(t *testing.T, s *server) {
	t.Run("invitation", func(t *testing.T) {
		const user, guest = "paul@example.com", "vincent@example.org"
		message := invitation(user, user, "one", 9, guest)
		s.submit(t, user, message, guest)
		arrived := s.arrived(t, guest)
		unchanged(t, arrived.data, message)
		if arrived.from != user {
			t.Errorf("envelope sender %q, want %q", arrived.from, user)
		}
		s.handled(t, user, "one")
		s.idle(t)
		s.once(t, user)
		if n := len(s.sink.to(guest)); n != 1 {
			t.Errorf("the guest got the message %d times", n)
		}
	})

	t.Run("non-calendar", func(t *testing.T) {
		const user, guest = "simon@example.com", "friend@example.org"
		message := letter(user, "lunch", guest)
		s.submit(t, user, message, guest)
		unchanged(t, s.arrived(t, guest).data, message)
		s.idle(t)
		s.once(t, user)
		if out, _ := s.try("ls -d " + store + "/*" + user + "/*"); out != "" {
			t.Errorf("records in the store: %s", out)
		}
	})

	t.Run("not a calendar user", func(t *testing.T) {
		const user, guest = "sara@example.com", "sam@example.org"
		message := invitation(user, user, "unlisted", 9, guest)
		s.submit(t, user, message, guest)
		unchanged(t, s.arrived(t, guest).data, message)
		s.idle(t)
		s.untouched(t, user)
	})

	// The web manager sends an invitation on a user's behalf, from the calendar
	// system's address, to the guests, and a blind copy to the handler.
	t.Run("calendar system", func(t *testing.T) {
		const user, guest = "managed@example.com", "guest-of-managed@example.org"
		message := invitation(calendarSystem, user, "managed", 10, guest)
		if err := send(s.public, "", calendarSystem, []string{guest, "people-outgoing+" + user}, message); err != nil {
			t.Fatal(err)
		}
		unchanged(t, s.arrived(t, guest).data, message)
		s.handled(t, user, "managed")
		s.idle(t)
		s.once(t, user)
	})

	t.Run("30 recipients", func(t *testing.T) {
		const user = "crowd@example.com"
		var guests []string
		for i := range 30 {
			guests = append(guests, fmt.Sprintf("crowd%02d@host%d.example.org", i, i%4))
		}
		message := invitation(user, user, "crowd", 11, guests...)
		s.submit(t, user, message, guests...)
		for _, guest := range guests {
			unchanged(t, s.arrived(t, guest).data, message)
		}
		s.handled(t, user, "crowd")
		s.idle(t)
		s.once(t, user)
		for _, guest := range guests {
			if n := len(s.sink.to(guest)); n != 1 {
				t.Errorf("%s got the message %d times", guest, n)
			}
		}
	})

	// The spelling of a sender's address does not matter, nor does an extension.
	t.Run("spelling", func(t *testing.T) {
		const user, spelled, guest = "case@example.com", "CASE@Example.COM", "guest-of-case@example.org"
		message := invitation(user, user, "spelled", 9, guest)
		s.submit(t, spelled, message, guest)
		unchanged(t, s.arrived(t, guest).data, message)
		s.handled(t, user, "spelled")
		s.idle(t)
	})

	// A guest's server refuses the invitation: the user hears of it, as ever, and
	// the bounce, with the invitation in it, is not handled as if it were mail of theirs.
	t.Run("bounce", func(t *testing.T) {
		const user = "bounced@example.com"
		message := invitation(user, user, "bounced", 9, "refused@example.org")
		s.submit(t, user, message, "refused@example.org")
		bounce := s.arrived(t, user)
		if bounce.from != "" || !bytes.Contains(bounce.data, []byte("UID:bounced")) {
			t.Errorf("not a bounce of the invitation: from %q\n%.2000s", bounce.from, bounce.data)
		}
		s.handled(t, user, "bounced")
		s.idle(t)
		s.once(t, user)

		// The same coming from another system, and one that goes astray to the handler.
		report := bounce.data
		before := s.read(t, store+"/mailto:"+user+"/freebusy")
		if err := send(s.public, outside, "", []string{user}, report); err != nil {
			t.Fatal(err)
		}
		if err := send(s.public, "", "", []string{"people-outgoing+" + user}, report); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the second bounce", func() bool { return len(s.sink.to(user)) == 2 }, func() string { return s.describe(t) })
		s.idle(t)
		if failed := s.ran(t, user, 2); failed != 0 {
			t.Errorf("the handler failed %d times", failed)
		}
		if after := s.read(t, store+"/mailto:"+user+"/freebusy"); after != before {
			t.Errorf("a bounce changed free/busy from %q to %q", before, after)
		}
	})

	t.Run("20 MiB attachment", func(t *testing.T) {
		const user, guest = "attached@example.com", "guest-of-attached@example.org"
		message := multipart(user, "attached", []string{guest}, attachment(20<<20),
			calendarPart(invitation(user, user, "attached", 9, guest)))
		s.submit(t, user, message, guest)
		unchanged(t, s.arrived(t, guest).data, message)
		s.handled(t, user, "attached")
		s.idle(t)
		s.once(t, user)
	})

	t.Run("sendmail command", func(t *testing.T) {
		const user, guest = "local@example.com", "guest-of-local@example.org"
		message := invitation(user, user, "local", 9, guest)
		cmd := s.command(`exec /usr/sbin/sendmail -i -f "$1" "$2"`, user, guest)
		// A local program hands over lines that end in LF.
		cmd.Stdin = bytes.NewReader(bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n")))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if arrived := s.arrived(t, guest).data; !bytes.HasSuffix(arrived, message) {
			// The program's own identity may be added to the header, but nothing below it.
			_, body, _ := bytes.Cut(message, []byte("\r\n\r\n"))
			if !bytes.HasSuffix(arrived, body) {
				t.Errorf("the message has been changed:\n%.2000s", arrived)
			}
		}
		s.handled(t, user, "local")
		s.idle(t)
		s.once(t, user)
	})

	// Somebody outside claims to be a user, or writes to the handler.
	t.Run("forged from outside", func(t *testing.T) {
		const user, guest = "forged@example.com", "sara@example.com"
		message := invitation(user, user, "forged", 9, guest)
		if err := send(s.public, outside, user, []string{guest}, message); err != nil {
			t.Fatal(err)
		}
		s.arrived(t, guest)
		for _, to := range []string{"people-outgoing+" + user, "People-Outgoing+forged@EXAMPLE.com"} {
			err := send(s.public, outside, "mallory@example.org", []string{to}, message)
			if err == nil || !strings.HasPrefix(err.Error(), "5") {
				t.Errorf("mail from outside to %s: %v, want a refusal", to, err)
			}
		}
		s.idle(t)
		s.untouched(t, user)
	})

	// A client that asks for reports hears of its recipients, and not of the copy.
	t.Run("reports", func(t *testing.T) {
		const user, guest = "reported@example.com", "guest-of-reported@example.org"
		message := invitation(user, user, "reported", 9, guest)
		asked := " NOTIFY=SUCCESS,FAILURE,DELAY"
		if err := send(s.submission, "", user, []string{guest + asked}, message); err != nil {
			t.Fatal(err)
		}
		copyTo := "people-outgoing+" + user
		if err := send(s.public, "", calendarSystem, []string{guest + asked, copyTo + asked}, message); err != nil {
			t.Fatal(err)
		}
		s.handled(t, user, "reported")
		s.idle(t)
		reports := 0
		for _, d := range s.sink.all() {
			if d.from == "" && bytes.Contains(d.data, []byte(guest)) {
				reports++
			}
			if d.from == "" && bytes.Contains(d.data, []byte(copyTo)) {
				t.Errorf("a report to %v about the copy:\n%.3000s", d.to, d.data)
			}
		}
		if s.reports && reports != 2 {
			t.Errorf("%d reports about the guest, want 2", reports)
		}
	})

	// A guest's server puts the message off: it arrives later, and the copy is not
	// handled again with every attempt.
	t.Run("later", func(t *testing.T) {
		const user, guest = "later@example.com", "later@example.org"
		message := invitation(user, user, "later", 9, guest, "prompt@example.org")
		s.submit(t, user, message, guest, "prompt@example.org")
		unchanged(t, s.arrived(t, guest).data, message)
		s.handled(t, user, "later")
		s.idle(t)
		s.once(t, user)
		for _, to := range []string{guest, "prompt@example.org"} {
			if n := len(s.sink.to(to)); n != 1 {
				t.Errorf("%s got the message %d times", to, n)
			}
		}
	})
}
