package check

import (
	"fmt"

	"imip-agent/tools/quarantine"
)

// Severity says how bad a finding is.
type Severity int

const (
	Note    Severity = iota // worth knowing, nothing is wrong; shown only if asked for
	Warning                 // data will be lost, unreadable or wrong
	Error                   // data is lost, unreadable or wrong
)

var severityNames = [...]string{"note", "warning", "error"}

func (s Severity) String() string { return severityNames[s] }

// MarshalText writes "note", "warning" or "error".
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Repair says which repairs are made, or which a finding needs.
type Repair int

const (
	None Repair = iota // nothing is changed
	Safe               // what is derived from other data is made anew
	All                // and what is broken is moved away
)

var repairNames = [...]string{"", "safe", "all"}

func (r Repair) String() string { return repairNames[r] }

// ParseRepair reads "safe" or "all", or nothing for None.
func ParseRepair(text string) (Repair, error) {
	for r, name := range repairNames {
		if name == text {
			return Repair(r), nil
		}
	}
	return None, fmt.Errorf("unknown repair %.60q: it is safe or all", text)
}

// Kind is a kind of finding.
type Kind struct {
	ID       string // stable, in lower case, with hyphens
	Severity Severity
	Repair   Repair // what mends it
	Means    string // for documentation: what is wrong
}

// The kinds of findings, with what their identifiers begin with: file, table, event,
// freebusy and so on, after what is wrong.
var (
	fileLink      = kind("file-link", Warning, All, "a symbolic link is in the place of a file or directory")
	fileDevice    = kind("file-device", Error, All, "a pipe, a socket or a device is in the place of a file")
	fileName      = kind("file-name", Error, All, "a file has a name that does not belong in its directory")
	fileEmpty     = kind("file-empty", Error, All, "an event's file is empty")
	fileLarge     = kind("file-large", Error, All, "a file is larger than the programs ever write, and is not read")
	fileMisplaced = kind("file-misplaced", Error, All, "a file is in the place of a directory, or the reverse")
	fileStrayed   = kind("file-strayed", Error, All, "records are in a place where no program looks for them")
	fileMode      = kind("file-mode", Warning, Safe, "a file or directory has a mode other than the configured one")
	fileGroup     = kind("file-group", Warning, Safe, "a file or directory has another group than its directory")
	fileHardLink  = kind("file-hard-link", Warning, Safe, "a file has several names (hard links)")
	fileStaging   = kind(quarantine.FileStaging, Warning, Safe, "a program was interrupted and left staging files")
	fileEmptyDir  = kind("file-empty-directory", Note, None, "the directory of an event is empty")
	fileUnknown   = kind("file-unknown", Note, None, "a file does not belong here, and does no harm")

	userNone    = kind("user-none", Warning, All, "something that is not the directory of a user, or of a quota, is in the place of one")
	userSwapped = kind("user-swapped", Error, None, "the directories of two users are swapped")
	userBoth    = kind("user-both", Error, None, "the names of two users differ only in upper and lower case, and both are in use: merge them by hand")
	userSame    = kind("user-same", Warning, All, "the names of two users differ only in upper and lower case, and one is unused")

	eventsMissing   = kind("events-missing", Error, All, "a user has free/busy, requests or recurring events in tables, but no event is stored; the repair removes them")
	eventUnreadable = kind("event-unreadable", Error, All, "a stored event cannot be read")
	eventSeveral    = kind("event-several", Error, All, "the file of an event has more than one event")
	eventForeign    = kind("event-foreign", Error, All, "the original's programs cannot read a stored event, or only a part of it; the repair rewrites it")
	eventWrongName  = kind("event-wrong-name", Error, All, "a stored event differs from its file's name")
	eventLeftover   = kind("event-leftover", Error, All, "programs take a leftover copy, for example of an editor, for an event")
	eventTimes      = kind("event-times", Error, All, "the times of a stored event can be read only in part, and free/busy has more")
	eventPartly     = kind("event-partly", Note, None, "the times of a stored event can be read only in part, as they were sent")
	eventBoth       = kind("event-both", Error, All, "an event is both active and cancelled; the repair moves the older one away")

	recurrenceAlone   = kind("recurrence-alone", Note, None, "an occurrence is stored without its event (iTIP allows it)")
	recurrenceForeign = kind("recurrence-foreign", Note, None, "an occurrence is not one of its event's recurrence rule (iTIP allows it)")
	recurrenceOld     = kind("recurrence-old", Note, None, "an occurrence is older than the cancellation of its event")

	tableLine      = kind("table-line", Error, All, "a line of a table cannot be read")
	tableBroken    = kind("table-broken", Error, Safe, "a record of a table is broken, and can be repaired")
	tableOldLayout = kind("table-old-layout", Warning, Safe, "a table has the eighth column that the first releases wrote")
	tableOrder     = kind("table-order", Warning, Safe, "the records of a table are not in order")
	tableDuplicate = kind("table-duplicate", Warning, Safe, "a table has the same record twice")
	tableNonsense  = kind("table-nonsense", Error, All, "the recurrence id of a record is not a date or date-time")
	tableReversed  = kind("table-reversed", Error, Safe, "a record ends before it starts")

	freebusyUnstored  = kind("freebusy-unstored", Error, Safe, "free/busy has records of the user's own event, which is not stored")
	freebusyUninvited = kind("freebusy-uninvited", Warning, All, "free/busy has records of another organizer's event that is not stored")
	freebusyAnswered  = kind("freebusy-answered", Note, None, "free/busy has records of an event that the user answered, but whose invitation was never stored")
	freebusyReplaced  = kind("freebusy-replaced", Note, None, "free/busy has an occurrence of another organizer's event that is not stored: either an update of the whole event took it away after the user answered, or its file is lost")
	freebusyMissing   = kind("freebusy-missing", Error, Safe, "free/busy lacks records of a stored event")
	freebusyExtra     = kind("freebusy-extra", Error, Safe, "free/busy has records at times when the event does not take place")
	freebusyTime      = kind("freebusy-time", Error, Safe, "free/busy has an event at wrong times")
	freebusyTransp    = kind("freebusy-transparency", Error, Safe, "free/busy has an event with the wrong transparency")
	freebusyChosen    = kind("freebusy-chosen", Note, None, "free/busy has an event as free that is busy, or the reverse, perhaps because the user answered so")
	freebusyAbsent    = kind("freebusy-absent", Note, None, "free/busy lacks occurrences of another organizer's event, which the user may have declined with the original's program")
	freebusyCountered = kind("freebusy-countered", Note, None, "free/busy has another organizer's event that the user declined, or lacks one that the user accepted, perhaps because of a counter-proposal")
	freebusyLater     = kind("freebusy-later", Note, None, "free/busy has other times for another organizer's event than the stored ones, perhaps since the user answered another version of it")
	freebusyLeft      = kind("freebusy-left", Note, None, "free/busy lacks the user's own event, which the user may have left")
	freebusyCalledOff = kind("freebusy-called-off", Note, None, "free/busy has records of another organizer's cancelled event, which the user may have answered afterwards")
	freebusyText      = kind("freebusy-text", Warning, Safe, "free/busy has the user's own event with another summary or organizer")
	freebusyCancelled = kind("freebusy-cancelled", Error, Safe, "free/busy has records of a cancelled event or occurrence")
	freebusyDeclined  = kind("freebusy-declined", Error, Safe, "free/busy has records of an event in which the user does not take part")
	freebusyWindow    = kind("freebusy-window", Warning, Safe, "free/busy of recurring events was not extended for more than a day")
	freebusyDouble    = kind("freebusy-double", Note, None, "two events take place at the same time")

	publishedDiffers  = kind("published-differs", Error, Safe, "published free/busy differs from the table")
	publishedUnwanted = kind("published-unwanted", Warning, Safe, "free/busy is published against a user's preferences, or for a user without records")

	offerExpired = kind("offer-expired", Warning, Safe, "an offered period has expired")

	providerUnstored = kind("provider-unstored", Warning, Safe, "an event that is not stored is listed as recurring without end")
	providerMissing  = kind("provider-missing", Warning, Safe, "an event that recurs without end is not listed, and will not be extended")

	requestOrphan    = kind("request-orphan", Warning, Safe, "the request queue has an event that is not stored")
	requestReplaced  = kind("request-replaced", Note, None, "the request queue has an occurrence that an update or a cancellation removed, or a counter-proposal to a cancelled occurrence")
	requestCancelled = kind("request-cancelled", Warning, Safe, "the request queue has a cancelled event")
	requestPast      = kind("request-past", Warning, Safe, "the request queue has an event that is over")
	requestType      = kind("request-type", Warning, Safe, "the request queue has an entry of unknown type")
	requestDuplicate = kind("request-duplicate", Warning, Safe, "the request queue has an entry twice")

	counterLeft      = kind("counter-left", Note, None, "a counter-proposal is to a cancelled occurrence")
	counterOrphan    = kind("counter-orphan", Warning, All, "a counter-proposal is to an event that is not stored")
	counterCancelled = kind("counter-cancelled", Warning, All, "a counter-proposal is to a cancelled event")
	counterPast      = kind("counter-past", Warning, All, "a counter-proposal is to an event that is over")

	quotaList     = kind("quota-list", Error, None, "a list of a quota has a line that cannot be read; resources that use the quota answer nothing until it is corrected")
	quotaDelegate = kind("quota-delegate", Warning, None, "a delegate of a quota has neither records nor preferences")
	quotaGroup    = kind("quota-group", Warning, None, "a group has a limit and no members, or members and no limit")
	quotaExceeded = kind("quota-exceeded", Warning, None, "a group has booked more than its limit, which may have been lowered")
	quotaBooking  = kind("quota-booking", Error, Safe, "something is booked under a quota for an event that the resource does not have")

	lockStale   = kind(quarantine.LockStale, Error, Safe, "a program has left a lock; the original's programs wait for it for ever")
	lockStrange = kind(quarantine.LockStrange, Error, Safe, "something else is in the place of a lock; the original's programs wait for it for ever; --undo puts it back")
	lockHeld    = kind("lock-held", Warning, None, "a user's records are locked for more than a minute")

	outboxWaiting = kind("outbox-waiting", Warning, None, "mails wait in a user's outbox for more than an hour")

	spoolWaiting = kind("spool-waiting", Warning, None, "a message that was taken waits for more than an hour to be handled")
	spoolDamaged = kind("spool-damaged", Error, None, "a message that waits to be handled cannot be read")

	preferenceUnknown = kind("preference-unknown", Warning, All, "a user has an unknown preference")
	preferenceValue   = kind("preference-value", Warning, All, "a user's preference has a value that cannot be used")

	rejectedItem = kind("rejected", Warning, All, "a message or data was rejected, since it can never be handled")
)

// kinds has every kind, in the order in which they stand above.
var kinds []*Kind

func kind(id string, severity Severity, repair Repair, means string) *Kind {
	k := &Kind{ID: id, Severity: severity, Repair: repair, Means: means}
	kinds = append(kinds, k)
	return k
}

// Kinds returns every kind of finding.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = *k
	}
	return all
}
