package resource

import (
	"errors"
	"fmt"

	"imip-agent/stores/preferences"
)

// PreferenceMistake is what is wrong with a preference of a resource.
type PreferenceMistake struct {
	Preference string // scheduling_function or acl
	Err        error
}

func (m PreferenceMistake) Error() string { return fmt.Sprintf("%s: %v", m.Preference, m.Err) }

// Mistakes returns what is wrong with the preferences scheduling_function and acl of a resource, and
// with the access control lists in files that they name, as a message would meet it.
func Mistakes(functions, acl string) (all []PreferenceMistake) {
	const scheduling = "scheduling_function"
	read, err := ReadFunctions(functions)
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, mistake := range joined.Unwrap() {
			all = append(all, PreferenceMistake{scheduling, mistake})
		}
	} else if err != nil {
		all = append(all, PreferenceMistake{scheduling, err})
	}
	for _, warning := range read.Warnings {
		all = append(all, PreferenceMistake{scheduling, errors.New(warning)})
	}
	for _, f := range read.All {
		list, ok := f.decider.(accessList)
		if !ok {
			continue
		}
		preference, text := "acl", acl
		if list.file != "" {
			content, err := preferences.ReadFile(list.file)
			if err != nil {
				all = append(all, PreferenceMistake{scheduling, fmt.Errorf("line %d: the access control list cannot be read: %w", f.Line, err)})
				continue
			}
			preference, text = scheduling, string(content)
		}
		rules, err := ReadACL(text)
		found := rules.nobody()
		if err != nil {
			found = []error{err}
		}
		for _, err := range found {
			switch {
			case list.file != "":
				err = fmt.Errorf("line %d: %s: %w", f.Line, list.file, err)
			case text == "":
				preference, err = scheduling, fmt.Errorf("line %d: there is no access control list in the preference acl", f.Line)
			}
			all = append(all, PreferenceMistake{preference, err})
		}
	}
	return all
}
