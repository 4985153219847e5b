// Package draw shows a calendar as people look at one: as an agenda for a terminal, or by
// weeks as a page or a picture for a browser.
//
// It knows no store: a calendar is all that it gets. Everything that comes from messages is
// made harmless: no control character reaches a terminal, and no markup a page.
package draw

import "imip-agent/handlers/agenda"

// plan is a calendar as it is drawn.
type plan struct{ *agenda.Calendar }

// kinds are what the kinds of entries are called, and the marks that tell them apart where
// there is no colour.
var kinds = [...]struct{ title, mark string }{
	agenda.Busy:        {"busy", "●"},
	agenda.Tentative:   {"tentative", "◐"},
	agenda.Organized:   {"organized, not attending", "◆"},
	agenda.Transparent: {"shown as free", "○"},
	agenda.Waiting:     {"waiting for an answer", "?"},
	agenda.Proposed:    {"proposed by others", "↔"},
	agenda.Offered:     {"proposed by the user", "→"},
	agenda.Cancelled:   {"cancelled", "✕"},
}
