package quarantine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// ManifestName is the name of a manifest in its quarantine. It is a file of JSON values,
// one a line, of which the first says what it is.
const ManifestName = "manifest.jsonl"

// header is the first line of a manifest.
type header struct {
	Quarantine int       `json:"quarantine"` // the version of the format: 1
	Time       time.Time `json:"time"`
	Repair     string    `json:"repair"`
}

const quarantineVersion = 1

// The actions that entries of a manifest are about.
const (
	actionMove   = "move"   // path was renamed to saved
	actionChange = "change" // path, or a record of a store without files, was written anew; saved is what it was
	actionAfter  = "after"  // what path or the record, of a change before, is changed to
	actionRename = "rename" // path was renamed to to
	actionMode   = "mode"   // path had that mode
	actionGroup  = "group"  // path had that group
)

// entry is a line of a manifest.
type entry struct {
	Action string `json:"action"`
	Kind   string `json:"kind,omitempty"` // of the finding
	User   string `json:"user,omitempty"`
	Path   octets `json:"path,omitempty"`
	To     octets `json:"to,omitempty"`     // where it is now
	Saved  string `json:"saved,omitempty"`  // in the quarantine
	Absent bool   `json:"absent,omitempty"` // there was nothing
	Mode   string `json:"mode,omitempty"`   // octal
	GID    int    `json:"gid,omitempty"`
	Sum    string `json:"sum,omitempty"` // SHA-256 of the content

	// What was changed in a store without files.
	Table        string `json:"table,omitempty"`
	Part         string `json:"part,omitempty"`
	UID          octets `json:"uid,omitempty"`
	RecurrenceID string `json:"recurrence,omitempty"`
	Other        string `json:"other,omitempty"`
}

// about returns what an entry is about, which others about the same have as well.
func (e *entry) about() string {
	if e.Path != "" {
		return string(e.Path)
	}
	return strings.Join([]string{"", e.User, e.Table, e.Part, string(e.UID), e.RecurrenceID, e.Other}, "\n")
}

// octets is a text that need not be UTF-8, as names of files are not always. JSON has no
// strings for these: then it is an object with the octets in base64.
type octets string

// MarshalJSON implements [json.Marshaler].
func (o octets) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(o)) {
		return json.Marshal(string(o))
	}
	return json.Marshal(map[string][]byte{"base64": []byte(o)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (o *octets) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		var value map[string][]byte
		err := json.Unmarshal(data, &value)
		*o = octets(value["base64"])
		return err
	}
	return json.Unmarshal(data, (*string)(o))
}

// readManifest reads a manifest.
func readManifest(path string) ([]entry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(bytes.Trim(content, "\x00")) == 0 {
		return nil, nil // the disk was full, or the power cut, before anything was done
	}
	first, rest, _ := bytes.Cut(content, []byte("\n"))
	var h header
	if err := json.Unmarshal(first, &h); err != nil || h.Quarantine != quarantineVersion {
		return nil, fmt.Errorf("%s is not a manifest of a quarantine", path)
	}
	var entries []entry
	for line := range bytes.Lines(rest) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			continue // it was cut off; nothing was done then
		}
		entries = append(entries, e)
	}
	return entries, nil
}
