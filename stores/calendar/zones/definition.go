package zones

import "github.com/emersion/go-ical"

// byDefinition finds the IANA zone by what a VTIMEZONE says of it.
func byDefinition(*ical.Component) (string, bool) { return "", false }

// byFixedOffset finds a zone that is always at this offset, in seconds east.
func byFixedOffset(int) (string, bool) { return "", false }
