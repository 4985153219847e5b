package handlers

import "imip-agent/stores/calendar"

// user finds whose records an event concerns: the first sender who is not the
// calendar system; if the calendar system sent it, the participant on whose
// behalf it did. It returns "" if that cannot be told.
//
// DEVIATION: user-of-each-event. The original asks this once a mail.
func (h *Handler) user(senders []calendar.URI, e event) calendar.URI {
	for _, sender := range senders {
		if !h.isSystem(sender) {
			return sender
		}
	}
	switch e.method {
	case "ADD", "CANCEL", "DECLINECOUNTER", "PUBLISH", "REQUEST":
		organizer, _ := e.object.Organizer()
		return organizer
	}
	for _, attendee := range e.object.Attendees() {
		if h.isSystem(attendee.URI) || h.isSystem(attendee.SentBy()) {
			return attendee.URI
		}
	}
	return ""
}

// isSystem reports whether the calendar system itself goes by this URI.
func (h *Handler) isSystem(uri calendar.URI) bool {
	return uri != "" && uri.Is(h.Sender)
}

// isSender reports whether the message comes from the attendee, or from who
// answers for them (RFC 5545 section 3.2.18). The calendar system is no sender, and
// if no other is known, it may be anybody: the original, observed.
func (r *request) isSender(attendee calendar.Attendee) bool {
	known := false
	for _, sender := range r.senders {
		if r.handler.isSystem(sender) {
			continue
		}
		if sender.Is(attendee.URI) || sender.Is(attendee.SentBy()) {
			return true
		}
		known = true
	}
	return !known
}
