package resource

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Function is a scheduling function that a preference names.
type Function struct {
	Name      string
	Arguments []string
	Line      int // of the preference, from 1; 0: it is the one of a resource whose preference names none

	decider
}

// decider decides on a request. Its error is temporary.
type decider interface {
	decide(*request) (answer, error)
}

// Functions are those of a resource, in their order.
type Functions struct {
	All      []Function
	Warnings []string // what has no effect
}

// list returns the functions, which decide where the preference names none.
func (f Functions) list() []Function {
	if len(f.All) == 0 {
		return []Function{{Name: usual, decider: inFreeBusy{most: 1}}}
	}
	return f.All
}

// usual is the function of a resource whose preference names none.
const usual = "schedule_in_freebusy"

// maker makes a function of its arguments, which are most at most; less than 0: any number.
type maker struct {
	most int
	make func(arguments []string) (decider, error)
}

// makers are the functions that there are, by name.
var makers = map[string]maker{
	usual:                                 {1, withNumber(func(most int) decider { return inFreeBusy{most} })},
	"schedule_corrected_in_freebusy":      {1, withNumber(func(most int) decider { return corrected{most} })},
	"schedule_next_available_in_freebusy": {1, withNumber(func(most int) decider { return nextAvailable{most} })},
	"same_domain_only":                    {0, func([]string) (decider, error) { return sameDomain{}, nil }},
	"access_control_list":                 {1, withFile(func(file string) decider { return accessList{file} })},
	"check_quota":                         {1, withQuota(func(name calendar.URI, _ []string) decider { return checkQuota{name} })},
	"schedule_across_quota":               {1, withQuota(func(name calendar.URI, _ []string) decider { return acrossQuota{name} })},
	"schedule_for_delegate": {-1, withQuota(func(name calendar.URI, policy []string) decider {
		return forDelegate{name, quota.ParsePolicy(policy...)}
	})},
}

// MistakeError is a mistake in a preference of a resource, which its administrator must correct.
type MistakeError struct {
	Line   int    // from 1
	Name   string // of the function
	Reason string
}

func (e *MistakeError) Error() string {
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Name, e.Reason)
}

// ReadFunctions reads the preference scheduling_function: a function a line, its name and its arguments, as
// [stores.Words] splits it. Blank lines, and those that begin with "#", are none. The error joins a [MistakeError] for each line that is wrong.
func ReadFunctions(text string) (Functions, error) {
	var functions Functions
	var mistakes []error
	number := 0
	for line := range linesOf(text) {
		number++
		words, err := stores.Words(line)
		if err == nil && len(words) == 0 { // DEVIATION: blank-lines-among-functions
			continue
		}
		name := strings.TrimSpace(line)
		if err == nil {
			name = words[0]
			f, extra, failure := makeFunction(name, words[1:])
			f.Line, err = number, failure
			functions.All = append(functions.All, f)
			if len(extra) > 0 {
				functions.Warnings = append(functions.Warnings, fmt.Sprintf("line %d: %s: arguments without effect: %s", number, name, strings.Join(extra, " ")))
			}
		}
		if err != nil {
			mistakes = append(mistakes, &MistakeError{number, name, err.Error()})
		}
	}
	return functions, errors.Join(mistakes...)
}

// linesOf returns the lines of a preference, without the byte order mark that some editors write before them.
func linesOf(text string) iter.Seq[string] { return strings.Lines(strings.TrimPrefix(text, "\ufeff")) }

// makeFunction makes a function of its name and arguments, and returns those that have no effect.
func makeFunction(name string, arguments []string) (f Function, extra []string, err error) {
	m, ok := makers[name]
	if !ok {
		return f, nil, fmt.Errorf("there is no such scheduling function, but there are: %s", strings.Join(slices.Sorted(maps.Keys(makers)), ", "))
	}
	if m.most >= 0 && len(arguments) > m.most { // DEVIATION: arguments-of-functions
		arguments, extra = arguments[:m.most], arguments[m.most:]
	}
	f = Function{Name: name, Arguments: arguments}
	f.decider, err = m.make(arguments)
	if _, ok := f.decider.(forDelegate); ok && len(arguments) > 1 {
		extra = quota.UnknownPolicies(arguments[1:]...)
	}
	return f, extra, err
}

// withNumber makes functions whose argument is how many bookings there may be at a time: 1 without it.
func withNumber(make func(int) decider) func([]string) (decider, error) {
	return func(arguments []string) (decider, error) {
		if len(arguments) == 0 {
			return make(1), nil
		}
		n, err := strconv.Atoi(arguments[0])
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a number of bookings at a time, from 1", arguments[0])
		}
		return make(n), nil
	}
}

// withFile makes functions whose argument is a file: none without it.
func withFile(make func(string) decider) func([]string) (decider, error) {
	return func(arguments []string) (decider, error) {
		if len(arguments) == 0 {
			return make(""), nil
		}
		if !filepath.IsAbs(arguments[0]) {
			return nil, fmt.Errorf("%q is not the absolute path of a file", arguments[0])
		}
		return make(arguments[0]), nil
	}
}

// withQuota makes functions whose first argument is the name of a quota: "" without it, which is the resource's own.
func withQuota(make func(name calendar.URI, others []string) decider) func([]string) (decider, error) {
	return func(arguments []string) (decider, error) {
		if len(arguments) == 0 {
			return make("", nil), nil
		}
		name := calendar.URI(arguments[0])
		return make(name, arguments[1:]), quota.CheckName(name)
	}
}
