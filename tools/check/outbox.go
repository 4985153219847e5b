package check

import (
	"time"

	"imip-agent/stores"
)

// waitsLong is the age of a letter from which on something keeps it: handlers send the mails of a message
// at once, and mail systems hand in a message again within the hour.
const waitsLong = time.Hour

// outbox looks for mails that have not been sent.
func (e finder) outbox() {
	for _, l := range e.letters {
		if l.Left == 0 || l.Age < waitsLong {
			continue
		}
		f := e.add(outboxWaiting, "", stores.ID{}, "%d mails of the letter %s wait since %s", l.Left, l.Name, l.Time.Format(time.DateTime))
		f.Command = e.command("outbox", "send", string(e.user))
	}
}
