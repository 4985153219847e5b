package itip

import "imip-agent/stores/preferences"

// ADD: the user adds an occurrence to an event (RFC 5546 section 3.2.4).

// makeOccurrence makes the object one of the occurrence that starts when it does.
func makeOccurrence(u *update) (err error) {
	// DEVIATION: add-with-recurrence-id. The original adds to the recurrence of that
	// id, if it is stored.
	u.Object.RecurAtStart()
	u.ID.RecurrenceID, err = u.Object.RecurrenceID()
	return err
}

// readParent reads the whole event, without which nothing can be added to it.
func readParent(u *update) (err error) {
	u.parent, err = u.whole()
	if err == nil && u.parent == nil {
		return u.refuse(NotStored)
	}
	return err
}

// ifNewerThanParent refuses an addition that is older than the event.
//
// DEVIATION: late-additions. The original knows no order for what arrives.
func ifNewerThanParent(u *update) error {
	if isOld(u.Object, u.parent, true) {
		return u.refuse(Old)
	}
	return nil
}

// What others add.

// ifAdditionsWanted refuses an addition if the user passes over all of them.
func ifAdditionsWanted(u *update) error {
	if u.Preferences.AddResponse == preferences.PassOver {
		return u.refuse(NotWanted)
	}
	return nil
}

// wantsAdditions reports whether the user takes over what is added.
func (u *update) wantsAdditions() bool { return u.Preferences.AddResponse == preferences.TakeOver }

// findParent reads the whole event, if it is stored.
func findParent(u *update) (err error) {
	u.parent, err = u.whole()
	return err
}
