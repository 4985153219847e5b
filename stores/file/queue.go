package file

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"imip-agent/stores"
	"imip-agent/stores/freebusy"
)

// requestTable is the request queue as the transaction has read it and changed it.
type requestTable struct {
	requests []stores.Request
	read     []stores.Request // as the file has them
	damages  []freebusy.Damage
}

// providerTable is the table of events that recur without end.
type providerTable struct {
	providers stores.Providers
	read      stores.Providers // as the file has them
	damages   []freebusy.Damage
}

func (r *requestTable) changed() bool { return !slices.Equal(r.requests, r.read) }

func (r *providerTable) changed() bool {
	return !r.providers.Until.Equal(r.read.Until) || !slices.Equal(r.providers.Events, r.read.Events)
}

// readRequests reads a request queue: lines of uid, recurrence id and type, the last
// two of which may be missing. It reads past lines that are no request.
func readRequests(data []byte) ([]stores.Request, []freebusy.Damage) {
	var requests []stores.Request
	data, damages := skipMark(data)
	for _, l := range readLines(data) {
		columns, flaw := l.columns(3)
		if l.isBlank() {
			continue
		}
		if flaw == 0 && columns[0] == "" {
			flaw = freebusy.NoUID
		}
		if flaw != 0 {
			damages = append(damages, freebusy.Damage{Line: l.number, Text: l.text, Flaws: []freebusy.Flaw{flaw}})
			continue
		}
		requests = append(requests, stores.Request{
			ID:   stores.ID{UID: columns[0], RecurrenceID: columns[1]},
			Type: columns[2],
		})
	}
	return requests, damages
}

// writeRequests returns the text of a request queue.
func writeRequests(requests []stores.Request) []byte {
	const ends = len("\t\t\n")
	size := 0
	for _, r := range requests {
		size += len(r.UID) + len(r.RecurrenceID) + len(r.Type) + ends
	}
	text := make([]byte, 0, size)
	for _, r := range requests {
		text = append(append(text, r.UID...), '\t')
		text = append(append(text, r.RecurrenceID...), '\t')
		text = append(append(text, r.Type...), '\n')
	}
	return text
}

// readProviders reads the table of events that recur without end: the end of the window
// in the first line, then lines of uid and recurrence id.
func readProviders(data []byte) (stores.Providers, []freebusy.Damage) {
	var providers stores.Providers
	data, damages := skipMark(data)
	for i, l := range readLines(data) {
		columns, flaw := l.columns(2)
		if i > 0 && l.isBlank() {
			continue
		}
		if i == 0 && flaw == 0 {
			// The original writes an empty column after the time.
			until, ok := readUntil(columns[0])
			if ok && columns[1] == "" {
				providers.Until = until
				continue
			}
			flaw = freebusy.NoWindow
		} else if flaw == 0 && columns[0] == "" {
			flaw = freebusy.NoUID
		}
		if flaw != 0 {
			damages = append(damages, freebusy.Damage{Line: l.number, Text: l.text, Flaws: []freebusy.Flaw{flaw}})
			continue
		}
		providers.Events = append(providers.Events, stores.ID{UID: columns[0], RecurrenceID: columns[1]})
	}
	return providers, damages
}

// The forms of the end of the window, none of which is a valid one as well. The
// original writes the first, and what it was given.
var untilLayouts = []string{"20060102T150405Z", "20060102T150405", "20060102"}

func readUntil(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	for _, layout := range untilLayouts {
		if until, err := time.Parse(layout, text); err == nil {
			return until, true
		}
	}
	return time.Time{}, false
}

// writeProviders returns the table's text; nothing for the zero value.
func writeProviders(p stores.Providers) []byte {
	if p.Until.IsZero() && len(p.Events) == 0 {
		return nil
	}
	var b strings.Builder
	if !p.Until.IsZero() {
		b.WriteString(p.Until.UTC().Format(untilLayouts[0]))
	}
	b.WriteString("\t\n")
	for _, e := range p.Events {
		fmt.Fprintf(&b, "%s\t%s\n", e.UID, e.RecurrenceID)
	}
	return []byte(b.String())
}

// skipMark goes past a byte order mark at the start of a table, which an editor has left.
func skipMark(data []byte) ([]byte, []freebusy.Damage) {
	const mark = "\uFEFF"
	rest, found := bytes.CutPrefix(data, []byte(mark))
	if !found {
		return data, nil
	}
	return rest, []freebusy.Damage{{Line: 1, Text: mark, Flaws: []freebusy.Flaw{freebusy.ByteOrderMark}}}
}

// line is a line of a table, without its end.
type line struct {
	number int // from 1
	text   string
}

// readLines splits a table into its lines. Spaces and CR at the end of a line do not
// count, TABs do, and the last line may lack its end.
func readLines(data []byte) []line {
	var lines []line
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		lines = append(lines, line{number, strings.TrimRight(text, " \r\n")})
	}
	return lines
}

// isBlank reports whether a line says nothing.
func (l line) isBlank() bool { return strings.Trim(l.text, "\t") == "" }

// columns splits a line into n columns, where those at the end may be missing, and more
// be there if they are empty. The flaw says why that cannot be done; 0: it can.
func (l line) columns(n int) (columns []string, flaw freebusy.Flaw) {
	if !utf8.ValidString(l.text) {
		return nil, freebusy.LineNotUTF8
	}
	text := strings.TrimRight(l.text, "\t")
	if strings.Count(text, "\t")+1 > n {
		return nil, freebusy.TooManyColumns
	}
	columns = strings.Split(text, "\t")
	for len(columns) < n {
		columns = append(columns, "")
	}
	for _, c := range columns {
		if strings.ContainsFunc(c, stores.IsControl) {
			if strings.Trim(l.text, "\x00") == "" {
				return nil, freebusy.OnlyNULs
			}
			return nil, freebusy.ControlCharacters
		}
	}
	return columns, 0
}

func (t *tx) Requests() ([]stores.Request, error) {
	table, err := t.requestTable()
	if err != nil {
		return nil, err
	}
	return slices.Clip(table.requests), nil // who appends to it makes a copy
}

func (t *tx) requestTable() (*requestTable, error) {
	if t.requests == nil {
		data, err := t.tableData(requestsTable)
		if err != nil {
			return nil, err
		}
		table := new(requestTable)
		table.read, table.damages = readRequests(data)
		table.requests = table.read
		t.warn(requestsTable, table.damages)
		t.requests = table
	}
	return t.requests, nil
}

func (t *tx) SetRequests(requests []stores.Request) error {
	table, err := t.requestTable()
	if err != nil {
		return err
	}
	if len(requests) > maxLines {
		return failed("writing", t.dir.full(requestsTable.String()), &linesError{len(requests)})
	}
	same := 0 // as many stay in their places at the beginning
	for same < min(len(requests), len(table.requests)) && requests[same] == table.requests[same] {
		same++
	}
	var known map[stores.Request]bool
	for _, r := range requests[same:] {
		err := stores.CheckRequest(r)
		if err == nil {
			continue
		}
		if known == nil {
			known = make(map[stores.Request]bool, len(table.read))
			for _, r := range table.read {
				known[r] = true
			}
		}
		if !known[r] { // else it is as odd as it may be
			return err
		}
	}
	if same == len(table.requests) { // what Requests has returned stays as it is
		table.requests = append(table.requests, requests[same:]...)
	} else {
		table.requests = slices.Clone(requests)
	}
	return nil
}

func (t *tx) Providers() (stores.Providers, error) {
	table, err := t.providerTable()
	if err != nil {
		return stores.Providers{}, err
	}
	p := table.providers
	p.Events = slices.Clone(p.Events)
	return p, nil
}

func (t *tx) providerTable() (*providerTable, error) {
	if t.providers == nil {
		data, err := t.tableData(providersTable)
		if err != nil {
			return nil, err
		}
		table := new(providerTable)
		table.read, table.damages = readProviders(data)
		table.providers = table.read
		t.warn(providersTable, table.damages)
		t.providers = table
	}
	return t.providers, nil
}

func (t *tx) SetProviders(p stores.Providers) error {
	table, err := t.providerTable()
	if err != nil {
		return err
	}
	if len(p.Events) >= maxLines {
		return failed("writing", t.dir.full(providersTable.String()), &linesError{len(p.Events) + 1})
	}
	known := make(map[stores.ID]bool, len(table.providers.Events))
	for _, e := range table.read.Events {
		known[e] = true
	}
	for _, e := range p.Events {
		if known[e] {
			continue // as odd as it may be
		}
		if err := stores.CheckID(e); err != nil {
			return err
		}
	}
	p.Events = slices.Clone(p.Events)
	table.providers = p
	return nil
}

// tableData returns the text of a table; nothing if there is none.
func (t *tx) tableData(p place) ([]byte, error) {
	if err := t.ended(); err != nil {
		return nil, err
	}
	data, err := t.dir.read(p.String())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if lines := bytes.Count(data, []byte{'\n'}); lines > maxLines {
		return nil, failed("reading", t.dir.full(p.String()), &linesError{lines})
	}
	return data, nil
}
