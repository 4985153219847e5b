package arrival

import (
	"slices"

	"imip-agent/handlers"
	"imip-agent/handlers/itip"
	"imip-agent/stores/calendar"
)

// A user can have other addresses: what comes for them is the user's, and who is invited by one of them is the
// user. Records know the user by one address only.

// named returns the users who go by an address: those whose alias it is, or else whose own it is.
func (h *Handler) named(address calendar.URI) ([]calendar.URI, error) {
	if h.UsersOf == nil {
		return []calendar.URI{address}, nil
	}
	names, err := h.UsersOf(address.Address())
	if err != nil || len(names) == 0 {
		return []calendar.URI{address}, err
	}
	users := make([]calendar.URI, len(names))
	for i, name := range names {
		users[i] = calendar.NewURI(name)
	}
	return users, nil
}

// rename names the user by their own address where a change has an alias. It returns the alias by which the user
// attends, empty if they do by their own.
func (h *Handler) rename(c *handlers.Change, user calendar.URI) (alias calendar.URI, err error) {
	if h.UsersOf == nil {
		return "", nil
	}
	renamed := false
	name := func(uri calendar.URI) calendar.URI {
		if err != nil || uri.Address() == "" || uri.Is(user) {
			return uri
		}
		var users []calendar.URI
		if users, err = h.named(uri); err != nil || !slices.ContainsFunc(users, user.Is) {
			return uri
		}
		renamed = true
		return user
	}
	attendees := func(all []calendar.Attendee) {
		for _, a := range all {
			if a.URI.Is(user) {
				alias = ""
				return
			}
			if alias == "" && name(a.URI) == user {
				alias = a.URI
			}
		}
	}
	senders := slices.Clone(c.Senders)
	for i := range senders {
		senders[i] = name(senders[i])
	}
	switch {
	case c.FreeBusy != nil:
		attendees(c.FreeBusy.Attendees)
		told := *c.FreeBusy
		told.Attendees = slices.Clone(told.Attendees)
		for i := range told.Attendees {
			told.Attendees[i], _ = told.Attendees[i].Renamed(name)
		}
		told.Organizer, _ = told.Organizer.Renamed(name)
		c.FreeBusy = &told
	case c.Object != nil:
		attendees(c.Object.Attendees())
		object := c.Object.Clone()
		object.Rename(name)
		c.Object = object
	}
	c.Senders = senders
	if renamed {
		c.Warnings = append(slices.Clone(c.Warnings), "it has an alias of the user, which is stored as the user's address")
	}
	return alias, err
}

// answersAs returns answers in which the user attends by the alias that they were asked by: whoever asked knows nobody
// else.
func answersAs(alias, user calendar.URI, answers []itip.Answer) []itip.Answer {
	if alias == "" {
		return answers
	}
	name := func(uri calendar.URI) calendar.URI {
		if uri.Is(user) {
			return alias
		}
		return uri
	}
	for _, answer := range answers {
		if answer.As != itip.AsAttendee {
			continue
		}
		for _, part := range answer.Parts {
			for _, object := range part.Objects {
				object.Rename(name)
			}
			for _, told := range part.FreeBusy {
				for i := range told.Attendees {
					told.Attendees[i], _ = told.Attendees[i].Renamed(name)
				}
			}
		}
	}
	return answers
}
