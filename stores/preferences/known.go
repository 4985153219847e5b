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
		{Name: "TZID", Means: "the time zone; default: the system's", Check: zone},
		{Name: "acl", Means: "who may book a resource", Check: anything},
		oneOf("add_method_response", "the response to ADD", "add", "refresh", "ignore"),
		oneOf("event_refreshing", "whether REFRESH is answered at once", "always", "never"),
		oneOf("freebusy_bundling", "whether free/busy goes with other messages", "always", "never"),
		oneOf("freebusy_messages", "whether the user is notified of free/busy messages", "notify", "none"),
		{Name: "freebusy_offers", Means: "how long offered periods are reserved, a duration; not at all if it cannot be read", Check: duration},
		oneOf("freebusy_publishing", "whether shared free/busy is published", "publish", "no"),
		oneOf("freebusy_sharing", "whether free/busy is shared with others", "share", "no"),
		oneOf("incoming", "how messages are presented", "message-only", "message-then-summary",
			"summary-then-message", "summary-only", "summary-wraps-message"),
		oneOf("organiser_replacement", "who may become the organizer of an event", "any", "attendee", "never"),
		oneOf("participating", "whether the user takes part in the calendar system", "participate", "no"),
		{Name: "permitted_times", Means: "the times at which events may begin and end", Check: times},
		{Name: "scheduling_function", Means: "how a resource decides on invitations", Check: functions},
		{Name: "window_size", Means: "the days for which occurrences are recorded; default: 100", Check: window},
	}
}

// Check says what is wrong with the value of a setting, as text with the white
// space around it taken off. An unknown setting is wrong too.
func Check(name, value string) error {
	known := Known()
	i := slices.IndexFunc(known, func(p Preference) bool { return p.Name == name })
	if i < 0 {
		return errors.New("unknown preference")
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
		return errors.New("it has more than one line, or control characters")
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
		return fmt.Errorf("%.60q is not a number of days from 1 to %d", value, maxWindow)
	}
	return nil
}

// fallbacks are what a word counts as that is none of a setting's.
var fallbacks = map[string]string{
	"participating": "participate", "freebusy_sharing": "no", "freebusy_publishing": "no", "freebusy_bundling": "never",
	"freebusy_messages": "none", "event_refreshing": "never", "incoming": "summary-wraps-message",
	"add_method_response": "ignore", "organiser_replacement": "never",
}

func times(value string) error {
	_, err := ParseTimes(value)
	return err
}

// ParseTimes reads times of day: lists of hours, minutes and seconds, each with commas
// between its numbers, and colons between the lists. An empty list permits all. One list
// alone is minutes, two are hours and minutes.
func ParseTimes(value string) (Times, error) {
	fields := strings.Split(value, ":")
	switch len(fields) {
	case 1:
		fields = []string{"", fields[0], ""}
	case 2:
		fields = append(fields, "")
	case 3:
	default:
		return Times{}, fmt.Errorf("%.60q is more than hours, minutes and seconds", value)
	}
	var t Times
	for i, field := range []struct {
		list  *[]int
		limit int
	}{{&t.Hours, 24}, {&t.Minutes, 60}, {&t.Seconds, 60}} {
		for _, text := range strings.Split(fields[i], ",") {
			text = strings.TrimSpace(text)
			if text == "" {
				continue
			}
			number, err := strconv.Atoi(text)
			if err != nil || number < 0 || number >= field.limit {
				return Times{}, fmt.Errorf("%.60q is not a number from 0 to %d", text, field.limit-1)
			}
			*field.list = append(*field.list, number)
		}
		slices.Sort(*field.list)
		*field.list = slices.Compact(*field.list)
	}
	return t, nil
}

// functions checks for a function's name at the start of each line. Lines that begin with # are comments.
func functions(value string) error {
	for _, text := range strings.Split(value, "\n") {
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "#") {
			continue
		}
		name, _, _ := strings.Cut(text, " ")
		for _, r := range name {
			if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
				return fmt.Errorf("%.60q is not the name of a function", name)
			}
		}
	}
	return nil
}
