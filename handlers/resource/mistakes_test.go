package resource

import (
	"os"
	"strings"
	"testing"
)

func TestPreferenceMistakes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"good": "decline\n", "bad": "accept\nmaybe\n"} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		functions, acl string
		want           []string // what the mistakes say
	}{
		{"", "", nil},
		{"schedule_in_freebusy 2\n\n# all\ncheck_quota mailto:rooms@example.com", "nonsense", nil}, // nobody looks at acl
		{"schedule_in_freebusi\nsame_domain_only\nschedule_in_freebusy none", "", []string{"scheduling_function: line 1: schedule_in_freebusi: there is no such", "scheduling_function: line 3: schedule_in_freebusy: \"none\" is not a number"}},
		{"same_domain_only please", "", []string{"scheduling_function: line 1: same_domain_only: arguments without effect: please"}},
		{"check_quota a/b", "", []string{"there is a slash in it"}},
		{"access_control_list", "accept", nil},
		{"access_control_list", "", []string{"scheduling_function: line 1: there is no access control list in the preference acl"}},
		{"access_control_list", "accept\nmaybe", []string{`acl: line 2: "maybe" is none of`}},
		{"access_control_list " + dir + "/good", "", nil},
		{"access_control_list " + dir + "/bad", "accept", []string{"scheduling_function: line 1: " + dir + "/bad: line 2"}},
		{"access_control_list " + dir + "/none", "accept", []string{"the access control list cannot be read"}},
		{"access_control_list", "accept organiser <paul@example.com> MAILTO:vera@example.com\n\ndecline attendee *@example.org a,b@example.com # him", []string{
			`acl: line 1: "<paul@example.com>" is no address, and means nobody`, `acl: line 3: "*@example.org" is no address`, `"a,b@example.com"`, `"#"`, `"him"`}},
		{"access_control_list none", "accept", []string{"not the absolute path"}},
	} {
		got := Mistakes(c.functions, c.acl)
		ok := len(got) == len(c.want)
		for i := range got {
			ok = ok && strings.Contains(got[i].Error(), c.want[i])
		}
		if !ok {
			t.Errorf("%q, %q: %v, want %q", c.functions, c.acl, got, c.want)
		}
	}
}
