package calendar

// Error says that calendar data can never be handled, whatever is done and
// however often: put it aside and go on.
type Error struct {
	Reason string // what is wrong, for people
}

func (e *Error) Error() string { return e.Reason }
