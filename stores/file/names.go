package file

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

const (
	// maxName is the length of the longest file name, in octets, on the file systems
	// that matter (NAME_MAX).
	maxName = 255

	encodedPrefix = "__uid__"
	digestPrefix  = encodedPrefix + "sha256-"
)

// isPlain reports whether text can be the name of a file as it stands.
func isPlain(text string) bool {
	return text != "" && text != "." && text != ".." && len(text) <= maxName &&
		!strings.ContainsAny(text, "/\x00")
}

// uidName returns the file name for a UID. It never fails, and different UIDs have
// different names (digests apart), so that any UID can be looked up; which ones may
// be stored is [stores.CheckText]'s to say.
//
// DEVIATION: unsafe-uid: a UID that cannot be a plain file name is stored under
// "__uid__" and its percent-encoded form or, where that is too long, "__uid__sha256-"
// and its digest. The original fails on "/", "." and long names, and writes outside
// its directory for "../x".
func uidName(uid string) string {
	if isPlain(uid) && !strings.HasPrefix(uid, encodedPrefix) {
		return uid
	}
	if name := encodedPrefix + percentEncode(uid); len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(uid))
	return digestPrefix + hex.EncodeToString(sum[:])
}

// nameUID returns the UID that a file name stands for. It is not known, and ok is
// false, for a digest. A name with the prefix that is not the encoded form of any UID
// was given by the original, to a UID which looks like that.
func nameUID(name string) (uid string, ok bool) {
	encoded, found := strings.CutPrefix(name, encodedPrefix)
	if !found {
		return name, true
	}
	if uid, ok := percentDecode(encoded); ok && uidName(uid) == name {
		return uid, true
	}
	if digest := strings.TrimPrefix(name, digestPrefix); len(digest) == 2*sha256.Size && name == digestPrefix+digest {
		return "", false
	}
	return name, true
}

// percentEncode keeps the unreserved characters (RFC 3986 section 2.3) and writes
// every other octet as % and two upper-case digits.
func percentEncode(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if isUnreserved(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// percentDecode takes only what percentEncode writes.
func percentDecode(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' {
			if i+3 > len(text) {
				return "", false
			}
			octet, err := hex.DecodeString(text[i+1 : i+3])
			if err != nil {
				return "", false
			}
			c, i = octet[0], i+2
		}
		b.WriteByte(c)
	}
	return b.String(), percentEncode(b.String()) == text
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("-._~", c) >= 0
}

// checkURI returns an UnstorableError for a user, as what says, whose URI must not
// become the name of a file.
func checkURI(what string, uri calendar.URI) error {
	if err := stores.CheckText(what, string(uri)); err != nil {
		return err
	}
	if !isPlain(string(uri)) {
		return &stores.UnstorableError{What: what, Value: string(uri), Reason: "it cannot be the name of a file"}
	}
	return nil
}

// place is where something stands: a directory, relative to the user's with slashes,
// or empty for that itself, and a name in it.
type place struct{ dir, name string }

func (p place) String() string {
	if p.dir == "" {
		return p.name
	}
	return p.dir + "/" + p.name
}

// The directories of a user's texts, for whole events and for occurrences.
var (
	objectDirs = map[stores.Part]string{
		stores.Active: "objects", stores.Cancelled: "cancellations/objects", stores.Countered: "counters/objects",
	}
	recurrenceDirs = map[stores.Part]string{
		stores.Active: "recurrences", stores.Cancelled: "cancellations/recurrences", stores.Countered: "counters/recurrences",
	}
)

// textPlace returns where the text of key stands, with name for its UID. It is not ok
// where there can be no such file.
func textPlace(key stores.Key, name string) (p place, ok bool) {
	p = place{objectDirs[key.Part], name}
	if key.RecurrenceID != "" {
		p = place{recurrenceDirs[key.Part] + "/" + name, key.RecurrenceID}
	}
	if key.Part == stores.Countered {
		p = place{p.String(), string(key.Other)}
	}
	ok = p.dir != "" && isPlain(p.name) && (key.RecurrenceID == "" || isPlain(key.RecurrenceID))
	return p, ok
}

// storedName returns the file name for an event's UID. Where the original has stored a UID
// that looks like our encoded ones, that is the file's name as it stands; exists tells
// whether there is such a file or directory in the user's.
func storedName(part stores.Part, id stores.ID, exists func(name string) bool) string {
	name := uidName(id.UID)
	if !strings.HasPrefix(id.UID, encodedPrefix) || !isPlain(id.UID) {
		return name
	}
	dir := objectDirs[part]
	if id.RecurrenceID != "" {
		dir = recurrenceDirs[part]
	}
	// Not if it is the encoded form of another UID.
	if uid, ok := nameUID(id.UID); (!ok || uid == id.UID) && exists(dir+"/"+id.UID) {
		return id.UID
	}
	return name
}

// checkKey returns an UnstorableError for a key at which no text may be stored.
func checkKey(key stores.Key) error {
	if err := stores.CheckID(key.ID); err != nil {
		return err
	}
	if key.Part == stores.Countered {
		return checkURI("user", key.Other)
	}
	return nil
}

// The files of a user's tables.
var (
	ownTable       = place{"", "freebusy"}
	offersTable    = place{"", "freebusy-offers"}
	requestsTable  = place{"", "requests"}
	providersTable = place{"", "freebusy-providers"}
)

const (
	othersDir  = "freebusy-other"
	stagingDir = "__staging__"
	outboxDir  = "__outbox__"
	lockDir    = "__lock__"
	nextDir    = "__lock__next__" // a lock that is being made or removed: nobody's
	published  = "freebusy"       // in the user's directory below PublishDir
)

// tablePlace returns where a free/busy table stands; it is not ok where there can be
// no such file.
func tablePlace(t stores.Table) (p place, ok bool) {
	switch t.Kind {
	case stores.Own:
		return ownTable, true
	case stores.Offers:
		return offersTable, true
	}
	return place{othersDir, string(t.Other)}, isPlain(string(t.Other))
}

// Path returns the path of the file where a user's text is, or would be; empty if
// there can be none.
func (s *Store) Path(user calendar.URI, key stores.Key) string {
	name := storedName(key.Part, key.ID, func(name string) bool {
		_, err := os.Lstat(filepath.Join(s.options.Dir, string(user), filepath.FromSlash(name)))
		return err == nil
	})
	p, ok := textPlace(key, name)
	return s.path(user, p, ok)
}

// TablePath returns the path of the file where one of a user's free/busy tables is,
// or would be; empty if there can be none.
func (s *Store) TablePath(user calendar.URI, table stores.Table) string {
	p, ok := tablePlace(table)
	return s.path(user, p, ok)
}

// RequestsPath returns the path of a user's request queue.
func (s *Store) RequestsPath(user calendar.URI) string { return s.path(user, requestsTable, true) }

// ProvidersPath returns the path of a user's table of events that recur without end.
func (s *Store) ProvidersPath(user calendar.URI) string { return s.path(user, providersTable, true) }

// PublishedPath returns the path of a user's published free/busy calendar.
func (s *Store) PublishedPath(user calendar.URI) string {
	if !isPlain(string(user)) {
		return ""
	}
	return filepath.Join(s.options.PublishDir, string(user), published)
}

// Bears implements [audit.Store].
func (s *Store) Bears(user calendar.URI, path string) bool {
	dir, name := filepath.Split(path)
	below, ok := strings.CutPrefix(filepath.Clean(dir), filepath.Join(s.options.Dir, string(user)))
	if !ok || name == "" {
		return false
	}
	if below == "" {
		return true
	}
	for _, texts := range objectDirs {
		if below == "/"+filepath.Dir(texts) {
			return true
		}
	}
	return false
}

func (s *Store) path(user calendar.URI, p place, ok bool) string {
	if !ok || !isPlain(string(user)) {
		return ""
	}
	return filepath.Join(s.options.Dir, string(user), filepath.FromSlash(p.String()))
}
