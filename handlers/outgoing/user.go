package outgoing

import (
	"imip-agent/handlers/itip"
	"imip-agent/stores/calendar"
)

// user finds whose records an event concerns: the first sender who is not the
// calendar system; if the calendar system sent it, the participant on whose
// behalf it did. It returns "" if that cannot be told.
//
// DEVIATION: user-of-each-event. The original asks this once a mail.
func (h *Handler) user(c itip.Change) calendar.URI {
	for _, sender := range c.Senders {
		if !h.IsSystem(sender) {
			return sender
		}
	}
	switch c.Method {
	case "ADD", "CANCEL", "DECLINECOUNTER", "PUBLISH", "REQUEST":
		organizer, _ := c.Object.Organizer()
		return organizer
	}
	for _, attendee := range c.Object.Attendees() {
		if h.IsSystem(attendee.URI) || h.IsSystem(attendee.SentBy()) {
			return attendee.URI
		}
	}
	return ""
}
