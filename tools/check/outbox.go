package check

import (
	"fmt"
	"time"

	"imip-agent/stores"
)

// waitsLong is the age of a letter from which on something keeps it: handlers send the mails of a message
// at once, and mail systems hand in a message again within the hour.
const waitsLong = time.Hour

// outbox looks for mails that have not been sent.
func (e *examination) outbox() error {
	letters, err := e.checker.Store.Letters(e.ctx, e.user)
	if err != nil {
		return fmt.Errorf("the outbox of %s: %w", e.user, err)
	}
	for _, l := range letters {
		if l.Left == 0 || l.Age < waitsLong {
			continue
		}
		f := e.add(outboxWaiting, "", stores.ID{}, "%d mails of the letter %s wait since %s", l.Left, l.Name, l.Time.Format(time.DateTime))
		f.Command = e.checker.command("outbox", "send", string(e.user))
	}
	return nil
}
