package compat

import (
	"os"
	"path/filepath"
	"strings"

	"pgregory.net/rapid"

	"imip-agent/stores/calendar"
)

// comparable tells whether ours is to make of a message that arrives what the original makes of it. Else it is a
// deviation: of a message that is old, or repeated, or about what is not there, or lacks times, ours stores nothing or
// something else.
func (p plan) comparable(t rapid.TB, room Room, s *Step) bool {
	setting, err := os.ReadFile(filepath.Join(room.Preferences(), "mailto:"+Address(p.to), "participating"))
	participates := err != nil || strings.TrimSpace(string(setting)) != "no"
	events := strings.Split(string(s.Message), "BEGIN:VEVENT\n")[1:]
	for i, text := range events {
		text, _, _ = strings.Cut(text, "END:VEVENT")
		message := decode(t, []byte("BEGIN:VEVENT\n"+text+"END:VEVENT\n"))
		stored := func(name string) *calendar.Object { return decode(t, p.stored(room, name)) }
		id, event := p.ids[i], "objects/"+uidOf(p.ids[i])
		is, parent := stored(id), stored(event)
		if !participates || !message.HasStart() || !message.Has("DTEND") && !message.Has("DURATION") || p.method != "REPLY" && message.Status() == "CANCELLED" || message.OrganizerSentBy() != "" {
			return false
		}
		for _, other := range []*calendar.Object{is, stored("cancellations/" + id), stored("cancellations/" + event)} {
			if other != nil && message.Compare(other, true) <= 0 {
				return false
			}
		}
		names := func(who string) bool {
			for _, a := range message.Attendees() {
				if a.URI.Is(calendar.NewURI(Address(who))) {
					return true
				}
			}
			return false
		}
		switch p.method {
		case "REQUEST", "CANCEL":
			if !names(p.to) || p.method == "CANCEL" && is == nil && parent == nil {
				return false
			}
		case "REPLY", "COUNTER":
			if is == nil || !names(p.from) {
				return false
			}
		case "REFRESH":
			if is == nil {
				return false
			}
		case "ADD":
			if parent == nil || !names(p.to) || message.OlderThan(parent, true) { // late-additions
				return false
			}
		default:
			return false
		}
	}
	return true
}
