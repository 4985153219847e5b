package preferences

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"imip-agent/stores/calendar/zones"
)

// Preference is a setting that users have.
type Preference struct {
	Name   string                   // the name of its file
	Means  string                   // what it says, for people
	Values []string                 // the values that it can have; nil: see Check
	Check  func(value string) error // says what is wrong with a value, white space around it taken off
}

// Known returns every setting that the calendar system's programs know, in order
// of name.
func Known() []Preference {
	return []Preference{
		{Name: "CN", Means: "the user's name, for messages", Check: line},
		{Name: "LANG", Means: "the language of messages", Check: line},
		{Name: "TZID", Means: "the time zone; without: the system's", Check: zone},
		{Name: "acl", Means: "who may change the user's events, and how", Check: anything},
		oneOf("add_method_response", "what is answered to ADD", "add", "refresh", "ignore"),
		oneOf("event_refreshing", "whether REFRESH is answered at once", "always", "never"),
		oneOf("freebusy_bundling", "whether free/busy goes with other messages", "always", "never"),
		oneOf("freebusy_messages", "whether the user is told of free/busy messages", "notify", "none"),
		{Name: "freebusy_offers", Means: "how long offered periods are kept; a duration that cannot be read: not at all", Check: duration},
		oneOf("freebusy_publishing", "whether shared free/busy is published", "publish", "no"),
		oneOf("freebusy_sharing", "whether free/busy is shared with others", "share", "no"),
		oneOf("incoming", "how messages are presented", "message-only", "message-then-summary",
			"summary-then-message", "summary-only", "summary-wraps-message"),
		oneOf("organiser_replacement", "who may become organiser of an event", "any", "attendee", "never"),
		oneOf("participating", "whether the user takes part in the calendar system", "participate", "no"),
		{Name: "permitted_times", Means: "the times at which events may begin and end", Check: times},
		{Name: "scheduling_function", Means: "how a resource decides on invitations", Check: functions},
		{Name: "window_size", Means: "the days for which occurrences are worked out, 100", Check: window},
	}
}

// Check says what is wrong with the value of a setting, as text with the white
// space around it taken off. An unknown setting is wrong too.
func Check(name, value string) error {
	known := Known()
	i := slices.IndexFunc(known, func(p Preference) bool { return p.Name == name })
	if i < 0 {
		return errors.New("there is no such preference")
	}
	return known[i].Check(value)
}

func oneOf(name, means string, values ...string) Preference {
	return Preference{Name: name, Means: means, Values: values, Check: func(value string) error {
		if !slices.Contains(values, value) {
			return fmt.Errorf("%.60q is none of: %s", value, strings.Join(values, ", "))
		}
		return nil
	}}
}

func anything(string) error { return nil }

func line(value string) error {
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("it is more than one line, or has control characters")
	}
	return nil
}

func zone(value string) error {
	_, err := zones.Load(value)
	if err != nil {
		return fmt.Errorf(`%.60q is no time zone such as "Europe/Oslo"`, value)
	}
	return nil
}

func duration(value string) error {
	_, err := ParseDuration(value)
	if err != nil {
		return fmt.Errorf("%.60q: %w", value, err)
	}
	return nil
}

// maxWindow is the largest number of days that does not lead beyond the year
// 9999, where iCalendar's dates end (RFC 5545 section 3.3.4).
const maxWindow = 2_900_000

func window(value string) error {
	days, err := strconv.Atoi(value)
	if err != nil || days < 1 || days > maxWindow {
		return fmt.Errorf("%.60q is no number of days from 1 to %d", value, maxWindow)
	}
	return nil
}

// times checks hours, minutes and seconds, each a comma-separated list of
// numbers, with colons between them. Later ones may be left out.
func times(value string) error {
	fields := strings.Split(value, ":")
	limits := []int{24, 60, 60}
	if len(fields) > len(limits) {
		return fmt.Errorf("%.60q is more than hours, minutes and seconds", value)
	}
	for i, field := range fields {
		for _, text := range strings.Split(field, ",") {
			text = strings.TrimSpace(text)
			number, err := strconv.Atoi(text)
			if text != "" && (err != nil || number < 0 || number >= limits[i]) {
				return fmt.Errorf("%.60q is no number from 0 to %d", text, limits[i]-1)
			}
		}
	}
	return nil
}

// functions checks for a function's name at the start of each line.
func functions(value string) error {
	for _, text := range strings.Split(value, "\n") {
		name, _, _ := strings.Cut(strings.TrimSpace(text), " ")
		for _, r := range name {
			if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
				return fmt.Errorf("%.60q is no name of a function", name)
			}
		}
	}
	return nil
}
