package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// examination is one look at one user's records, inside one critical section.
type examination struct {
	checker *Checker
	ctx     context.Context
	user    calendar.URI
	tx      stores.Tx
	session audit.Session // nil for a store without files
	now     time.Time

	preferences preferences.Preferences
	known       bool // preferences could be read, and say what they are to
	unsettled   bool // something is wrong with them
	zoneless    bool // namely with the time zone

	findings []*Finding
	throngs  map[throngKey]*throng
	told     map[stores.ID]bool // events of which there are findings, notes apart
	events   int
	failures []error

	blocked map[string]bool    // paths whose file is no use, by what was found already
	strayed bool               // something stands where no program looks for it
	closed  bool               // something may not be read, for its mode
	claimed map[stores.ID]bool // events that are in a file of another name
	torn    tornLines          // of the user's own free/busy table

	uids       map[string]*event
	order      []string           // of the UIDs
	rows       *rowIndex          // of the user's own free/busy
	waiting    map[stores.ID]bool // in the request queue
	requests   []stores.Request
	rebuilt    map[stores.ID]bool // free/busy of these is made anew by a repair
	lost       map[stores.ID]bool // occurrences that are recorded, and not stored, and that their event yields
	late       []lateEvent
	provider   map[stores.ID]bool              // noted as recurring without end
	extended   bool                            // such notes are kept
	until      time.Time                       // up to where these have been worked out
	partly     string                          // why the times of the event that is looked at cannot all be read
	others     int                             // whole events that the user is not in
	everywhere map[calendar.URI][]calendar.URI // who is in all events of a user
	doubts     []doubt
	ownLost    bool              // records are missing that nothing but damage can take away
	wereBusy   *publishedTimes   // nil: not read yet
	busy       map[instants]bool // when the user is busy by the table; nil: not worked out yet
	ownWrong   bool              // something is wrong with the user's own free/busy
	// invited says that the invitations of other organizers are stored here.
	invited bool
}

// event is what there is of one UID.
type event struct {
	uid         string
	active      bool
	cancelled   bool
	recurrences map[string]*occurrence
	counters    []stores.Key
}

// occurrence is what there is of one recurrence id.
type occurrence struct{ active, cancelled bool }

func (e *examination) add(k *Kind, path string, id stores.ID, format string, args ...any) *Finding {
	f := &Finding{Kind: k, State: Found, User: e.user, Path: path, ID: id, Text: fmt.Sprintf(format, args...)}
	e.findings = append(e.findings, f)
	if k.Severity > Note {
		if e.told == nil {
			e.told = make(map[stores.ID]bool)
		}
		e.told[id] = true
	}
	return f
}

func (e *examination) fail(err error) {
	if e.ctx != nil && e.ctx.Err() != nil {
		return // all that is still looked at fails for that reason, which is said once
	}
	e.failures = append(e.failures, err)
}

// run looks at everything that a user has.
func (e *examination) run() error {
	e.blocked = make(map[string]bool)
	e.rebuilt = make(map[stores.ID]bool)
	e.lost = make(map[stores.ID]bool)
	e.claimed = make(map[stores.ID]bool)
	p, err := e.checker.Preferences.Load(e.user)
	if err != nil {
		// Without the zone and the window nothing can be worked out.
		e.fail(fmt.Errorf("preferences of %s: %w", e.user, err))
	} else {
		// Without the zone that was meant, what is recorded by it is not to be judged.
		e.preferences, e.known = p, !e.zoneless
	}
	if err := e.outbox(); err != nil {
		return err
	}
	if e.session != nil {
		if err := e.files(); err != nil {
			return err
		}
		if e.groundless() {
			return nil // what is missing for that reason is not missing
		}
		if err := e.tables(); err != nil {
			return err
		}
	} else if err := e.otherTables(); err != nil {
		return err
	}
	for _, step := range []func() error{e.collect, e.readRows, e.badRows, e.readQueue, e.readProviders} {
		if err := step(); err != nil {
			return err
		}
	}
	if e.nothingLeft() && (e.checker.Repair != All || e.checker.DryRun) {
		return nil // from what could it be made anew
	}
	if err := e.eachEvent(); err != nil {
		return err
	}
	if e.swapped() {
		return nil
	}
	steps := []func() error{e.settleDoubts, e.window, e.leftRows, e.leftOthers, e.queue, e.providers, e.offers, e.published}
	for _, step := range steps {
		if e.ctx.Err() != nil {
			return context.Cause(e.ctx)
		}
		if err := step(); err != nil {
			return err
		}
	}
	if e.checker.Verbose {
		e.doubleBookings()
	}
	e.dropCovered()
	return nil
}

// dropCovered drops findings about the permissions of files that are to be moved away
// for a graver reason.
func (e *examination) dropCovered() {
	moved := make(map[string]bool)
	for _, f := range e.findings {
		switch f.Kind {
		case eventUnreadable, eventSeveral, eventWrongName, eventLeftover, eventBoth:
			moved[f.Path] = true
		}
	}
	e.findings = slices.DeleteFunc(e.findings, func(f *Finding) bool {
		return moved[f.Path] && (f.Kind == fileMode || f.Kind == fileGroup || f.Kind == fileHardLink)
	})
}

// path returns where a text is.
func (e *examination) path(key stores.Key) string {
	if files := e.checker.files(); files != nil {
		return files.Path(e.user, key)
	}
	return ""
}

// fileKinds are the findings for what is wrong with files as files.
var fileKinds = map[audit.Kind]*Kind{
	audit.Link: fileLink, audit.Device: fileDevice, audit.BadName: fileName, audit.Empty: fileEmpty, audit.Strayed: fileStrayed, audit.Oversize: fileLarge,
	audit.Misplaced: fileMisplaced, audit.Mode: fileMode, audit.Group: fileGroup, audit.HardLink: fileHardLink,
	audit.Staging: fileStaging, audit.EmptyDir: fileEmptyDir, audit.Unknown: fileUnknown,
	audit.NoUser: userNone, audit.SameUser: userSame, audit.BothUsed: userBoth, audit.Ownerless: publishedUnwanted,
}

// files looks at the user's files as files.
func (e *examination) files() error {
	problems, err := e.session.Problems()
	if err != nil {
		return err
	}
	for _, p := range problems {
		if p.Kind.Blocks() {
			e.blocked[p.Path] = true
		}
		// Whoever owns it can change that, but not read it before.
		e.closed = e.closed || p.Kind == audit.Mode && errors.Is(unix.Access(p.Path, unix.R_OK), unix.EACCES)
		e.strayed = e.strayed || p.Kind == audit.Strayed
		e.addFile(p)
	}
	return nil
}

// groundless reports whether something may not be read, or a table or one of the directories in which everything else
// stands cannot be used, so that there is no point in looking at what hangs on it before
// that is mended.
func (e *examination) groundless() bool {
	if e.closed || e.strayed {
		return true
	}
	for path := range e.blocked {
		if e.checker.files().Bears(e.user, path) {
			return true
		}
	}
	return false
}

func (e *examination) addFile(p audit.Problem) {
	k := fileKinds[p.Kind]
	f := e.add(k, p.Path, stores.ID{}, "%s %s", filepath.Base(p.Path), p.Text)
	switch p.Kind {
	case audit.Mode:
		f.mendBy(chmod{p.Mode})
	case audit.Group:
		f.mendBy(chgrp{p.GID})
	case audit.HardLink:
		f.mendBy(separate{})
	case audit.Strayed:
		if len(p.Moves) > 0 {
			f.mendBy(relocate{p.Moves})
		}
	case audit.EmptyDir, audit.Unknown, audit.BothUsed:
	default:
		f.mendBy(aside{})
	}
}

// collect lists the user's texts by UID.
func (e *examination) collect() error {
	e.uids = make(map[string]*event)
	for key, err := range e.tx.Keys() {
		if err != nil {
			return err
		}
		v := e.uids[key.UID]
		if v == nil {
			v = &event{uid: key.UID}
			e.uids[key.UID] = v
			e.order = append(e.order, key.UID)
		}
		switch {
		case key.Part == stores.Countered:
			v.counters = append(v.counters, key)
		case key.RecurrenceID != "":
			if v.recurrences == nil {
				v.recurrences = make(map[string]*occurrence)
			}
			o := v.recurrences[key.RecurrenceID]
			if o == nil {
				o = new(occurrence)
				v.recurrences[key.RecurrenceID] = o
			}
			o.active = o.active || key.Part == stores.Active
			o.cancelled = o.cancelled || key.Part == stores.Cancelled
		case key.Part == stores.Active:
			v.active = true
		default:
			v.cancelled = true
		}
	}
	return nil
}

// read reads a text, and looks whether it is what its key says. It returns nil if there
// is none, or none that can be used; unusable tells the two apart.
func (e *examination) read(key stores.Key) (t *text, unusable bool) {
	path := e.path(key)
	if e.blocked[path] {
		return nil, true
	}
	content, err := e.tx.Get(key)
	if errors.Is(err, stores.ErrNotFound) {
		return nil, false
	} else if err != nil {
		e.fail(err)
		return nil, true
	}
	e.events++
	if len(content) > 0 && len(bytes.Trim(content, "\x00")) == 0 {
		e.addText(eventUnreadable, key, "the file has only NULs, perhaps after a power cut")
		return nil, true
	}
	s := look(content, string(e.user))
	if s.brief != nil {
		if t, ok := readSimple(s.brief, e.user); ok && key.RecurrenceID == "" && t.uid == key.UID {
			return t, false
		}
		content = s.brief
	}
	object, err := calendar.DecodeObject(content)
	if err == nil && s.cut != "" && (object.UID() != key.UID || !object.HasStart()) {
		err = fmt.Errorf("it is cut: %s is not ended", s.cut) // and has what comes after it
	}
	switch {
	case s.events > 1:
		e.addText(eventSeveral, key, "the file has more than one event")
		return nil, true
	case err != nil && audit.Leftover(filepath.Base(path)):
		e.addText(eventLeftover, key, "programs take %q for an event: it looks like a copy that somebody has left", filepath.Base(path))
		return nil, true
	case err != nil:
		e.addText(eventUnreadable, key, "the event cannot be read: %v", err)
		return nil, true
	}
	if e.misnamed(key, object, path) {
		return nil, true
	}
	if s.foreign != "" {
		e.addAbout(eventForeign, key, "the original's programs cannot read the event: %s", s.foreign).mendBy(rewriteText{key, object.Encode()})
	}
	return &text{content: content, decoded: object}, false
}

// addText adds a finding about a text, which is moved aside to mend it.
func (e *examination) addText(k *Kind, key stores.Key, format string, args ...any) *Finding {
	return e.addAbout(k, key, format, args...).mendBy(removeText{key})
}

// addAbout adds a finding about a text.
func (e *examination) addAbout(k *Kind, key stores.Key, format string, args ...any) *Finding {
	return e.add(k, e.path(key), key.ID, format, args...)
}

// misnamed reports whether an object is another than its key says.
func (e *examination) misnamed(key stores.Key, object *calendar.Object, path string) bool {
	recurrenceID, err := object.RecurrenceID()
	is := stores.ID{UID: object.UID(), RecurrenceID: recurrenceID}
	switch {
	case err != nil:
		e.addText(eventUnreadable, key, "the event cannot be read: %v", err)
	case is == key.ID:
		return false
	case audit.Leftover(filepath.Base(path)):
		e.addText(eventLeftover, key, "programs take %q for an event: it looks like a copy that somebody has left", filepath.Base(path))
	case key.Part == stores.Countered && key.RecurrenceID != "" && is.UID == key.UID && recurrenceID == "":
		return false // a proposal may be kept as it came
	case is.UID != key.UID:
		e.addAbout(eventWrongName, key, "the file's name says %q, and its event says %q", key.UID, is.UID).mendBy(renameText{key, is})
	default:
		e.addAbout(eventWrongName, key, "the file's name says %s, and its event says %s", occurrenceName(key.RecurrenceID), occurrenceName(recurrenceID)).
			mendBy(renameText{key, is})
	}
	if key.Part != stores.Countered {
		e.claimed[is] = true
	}
	return true
}

func occurrenceName(recurrenceID string) string {
	if recurrenceID == "" {
		return "the whole event"
	}
	return "the occurrence " + recurrenceID
}

// eachEvent looks at the events, one after the other.
func (e *examination) eachEvent() error {
	for _, uid := range e.order {
		if e.ctx.Err() != nil {
			return context.Cause(e.ctx)
		}
		e.event(e.uids[uid])
	}
	return nil
}

// isAbsent reports whether an error says that there is no such file.
func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// plural returns "1 record", "2 records".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// clock returns an instant as people read it.
func clock(seconds int64) string {
	return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04") + " UTC"
}

// Quote puts a word for a shell into quotes, if it needs any.
func Quote(word string) string {
	safe := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("@%_-+=:,./", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
