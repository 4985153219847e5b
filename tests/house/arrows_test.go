package house

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The rooms that others build on.
const (
	itip     = "handlers/itip"
	agenda   = "handlers/agenda"
	summary  = "handlers/summary"
	draw     = "handlers/agenda/draw" // drawings: of calendars, not of what is in stores
	mail     = "handlers/mail"
	deliver  = "handlers/deliver"
	quota    = "handlers/quota"
	arrival  = "handlers/arrival"
	spool    = "handlers/spool"
	received = "handlers/submission" // mail that users send, whatever the protocol
	calendar = "stores/calendar/..." // with what lies below it
)

// data is what everybody may know who handles users' records: the interfaces of the stores,
// what is in them, and users' settings.
var data = []string{"stores", "stores/audit", calendar, "stores/freebusy", "stores/preferences"}

// arrows says which rooms of the project the packages of a room may import, besides those
// that lie below the room itself. The longest name counts. A package that is not named,
// and lies in no room that is, may import nothing.
//
// Packages for tests alone, and files of tests, may import what they like.
var arrows = map[string][]string{
	"cmd":               {"cmd/internal/...", "conf", "handlers/...", "tools/...", "stores/..."},
	"cmd/internal":      {"conf", "stores/..."},
	"conf":              nil,
	"handlers":          with(data, itip, mail, "stores/rejected"),
	itip:                data,
	quota:               with(data, itip),
	agenda:              with(data, itip),
	draw:                {agenda, calendar},
	summary:             {calendar},
	mail:                {calendar},
	deliver:             with(data, mail),
	spool:               {"stores/durable", "stores/rejected"},
	arrival:             with(data, "handlers", itip, mail, deliver, summary, "stores/rejected"),
	"handlers/outgoing": with(data, "handlers", itip, mail, agenda, draw, deliver, spool, "stores/rejected"),
	"handlers/person":   with(data, "handlers", arrival, itip, mail, agenda, draw, deliver, summary, "stores/rejected"),
	"handlers/resource": with(data, "handlers", "handlers/quota", arrival, itip, mail, agenda, draw, deliver, spool, summary, "stores/rejected"),
	"handlers/manager":  with(data, "handlers", itip, agenda, draw, deliver, summary, "stores/rejected"),
	received:            {mail, spool},
	"handlers/milter":   {received},
	"handlers/lmtp":     with(data, "handlers", "handlers/outgoing", "handlers/person", "handlers/resource", mail, deliver, spool),

	"handlers/opensmtpd": {received},

	"cmd/internal/handler":  {"cmd/internal/...", spool},
	"cmd/internal/outgoing": {"cmd/internal/...", "conf", "handlers", "handlers/outgoing", spool, calendar},
	"cmd/internal/incoming": {"cmd/internal/...", "conf", "handlers", arrival, deliver, calendar},
	"cmd/internal/resource": {"cmd/internal/...", "conf", "handlers", arrival, "handlers/resource", spool, "stores", calendar},
	"cmd/internal/person":   {"cmd/internal/...", "conf", "handlers", arrival, "handlers/person", deliver, summary, "stores", calendar},
	"cmd/internal/programs": {"cmd/internal/..."},
	"cmd/internal/serve":    {"cmd/internal/...", "conf", "handlers/...", "stores/..."},
	// It makes numbers of what the service tells it, and knows no socket and no setting.
	"cmd/internal/serve/metrics": {"cmd/internal/serve", "handlers", itip, spool, "stores/rejected"},

	"stores":             {calendar, "stores/freebusy"},
	"stores/audit":       {"stores", calendar, "stores/freebusy"},
	"stores/calendar":    nil,
	"stores/durable":     nil,
	"stores/freebusy":    {calendar},
	"stores/preferences": {"stores", calendar, "stores/durable"},
	"stores/rejected":    {"stores/durable"},
	"stores/file":        with(data, "stores/durable", "stores/rejected"),
	"stores/postgresql":  with(data, "stores/durable", "stores/rejected"),

	"tools":         with(data, "conf", "handlers", itip, quota, "handlers/resource", agenda, spool, "stores/rejected", "stores/durable", "tools/quarantine"),
	"tools/package": {"stores/preferences"}, // which the manual pages list
	"tools/setup":   {"conf/..."},
}

func with(rooms []string, more ...string) []string { return slices.Concat(rooms, more) }

func TestArrows(t *testing.T) { report(t, crossing(t, root)) }

// crossing returns the imports that point the wrong way, once for each pair of packages.
func crossing(t *testing.T, project fs.FS) (wrong []string) {
	t.Helper()
	for _, s := range sources(t, project) {
		if s.isTest() {
			continue
		}
		from := path.Dir(s.path)
		for _, spec := range s.file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			to, ours := strings.CutPrefix(name, module)
			if err != nil || !ours || mayImport(from, to) {
				continue
			}
			line := fmt.Sprintf("%s imports %s, which it may not know (%s)", from, to, s.where(spec.Pos()))
			if !slices.ContainsFunc(wrong, func(other string) bool { return strings.HasPrefix(other, from+" imports "+to+",") }) {
				wrong = append(wrong, line)
			}
		}
	}
	return wrong
}

// mayImport reports whether a package may import another one.
func mayImport(from, to string) bool {
	room, known := from, false
	for ; room != "."; room = path.Dir(room) {
		if _, known = arrows[room]; known {
			break
		}
	}
	if !known || slices.ContainsFunc(forTests, func(room string) bool { return below(to, room) }) {
		return false
	}
	// Programs beside each other share nothing but what is below cmd/internal; tools
	// neither.
	if own := strings.Join(strings.Split(from, "/")[:min(2, strings.Count(from, "/")+1)], "/"); below(to, own) && (own == room || path.Dir(own) == room) {
		if _, apart := arrows[to]; !apart || to == room {
			return true
		}
	}
	return slices.ContainsFunc(arrows[room], func(allowed string) bool {
		if all, ok := strings.CutSuffix(allowed, "/..."); ok {
			return below(to, all)
		}
		return to == allowed
	})
}

func TestCrossedArrow(t *testing.T) {
	files := map[string]string{}
	for _, pair := range [][2]string{
		{"cmd/imip-agent", "cmd/internal/site"}, {"cmd/imip-agent", "stores/file"}, {"cmd/imip_person", "handlers/person"},
		{"handlers/person", "handlers"}, {"handlers", "handlers/itip"}, {"handlers/itip", "stores/calendar/zones"},
		{"stores/calendar", "stores/calendar/recurrence"}, {"tools/migrate/copy", "tools/migrate/internal"}, {"tools/check", "tools/quarantine"},
		{"tests/crash", "stores/file"}, {"stores/postgresql/postgresqltest", "tests/compat"}, {"tools/doctor", "fmt"}, {"handlers/manager", "handlers/agenda/draw"}, {"handlers/agenda/draw", "handlers/agenda"},
	} {
		files[pair[0]+"/good_"+path.Base(pair[1])+".go"] = fmt.Sprintf("import _ %q", module+pair[1])
	}
	files["tools/doctor/fmt.go"] = `import _ "fmt"`
	delete(files, "tools/doctor/good_fmt.go")
	files["tools/check/good_test.go"] = `import _ "imip-agent/stores/file"`
	files["tools/check/good_testdata/testdata/x.go"] = `import _ "imip-agent/stores/file"`
	broken(t, crossing(t, project(files)))

	for _, pair := range [][2]string{
		{"stores", "handlers"}, {"stores/file", "handlers/itip"}, {"stores/calendar", "stores"}, {"stores/file", "stores/postgresql"},
		{"handlers/itip", "handlers/mail"}, {"handlers/itip", "stores/rejected"}, {"handlers/itip", "stores/file"}, {"handlers/itip", "handlers"},
		{"handlers", "tools/check"}, {"handlers", "handlers/person"}, {"handlers", "stores/file"}, {"handlers/person", "handlers/resource"},
		{"handlers/agenda/draw", "stores"}, {"handlers/agenda/draw", "stores/preferences"}, {"handlers/agenda", "handlers/agenda/draw"}, {"handlers/agenda", "handlers/mail"},
		{"tools/check", "stores/postgresql"}, {"tools/check", "tools/migrate"}, {"tools/check", "cmd/internal/site"}, {"tools/migrate/copy", "tools/check"},
		{"cmd/imip-agent", "cmd/imip_person"}, {"cmd/internal/site", "handlers"}, {"conf", "stores"},
		{"cmd/imip-agent", "tests/clock"}, {"tools/check", "stores/storestest"}, {"somewhere", "stores"},
	} {
		name := pair[0] + "/bad.go"
		broken(t, crossing(t, project(map[string]string{name: fmt.Sprintf("import _ %q", module+pair[1])})), pair[0]+" imports "+pair[1]+", which it may not know ("+name+":2)")
	}
}
