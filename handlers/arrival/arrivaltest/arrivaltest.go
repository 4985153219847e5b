// Package arrivaltest composes calendars for the tests of programs that handle messages.
package arrivaltest

import (
	"net/textproto"
	"strings"
)

// Component returns a component of a calendar with these lines, and with those by default whose property none of
// them has. A line "-NAME" leaves a property out.
func Component(kind string, lines, defaults []string) string {
	all := []string{"BEGIN:" + kind}
	named := func(line string) string { return textproto.TrimString(line[:strings.IndexAny(line+":", ":;")]) }
	has := map[string]bool{}
	for _, line := range lines {
		has[strings.TrimPrefix(named(line), "-")] = true
		if line[0] != '-' {
			all = append(all, line)
		}
	}
	for _, line := range defaults {
		if !has[named(line)] {
			all = append(all, line)
		}
	}
	return strings.Join(append(all, "END:"+kind, ""), "\r\n")
}

// Calendar returns a calendar of components.
func Calendar(method string, components ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example.com//test//EN\r\nMETHOD:" + method + "\r\n" + strings.Join(components, "") + "END:VCALENDAR\r\n"
}
