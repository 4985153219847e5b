package check

import "fmt"

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
	return None, fmt.Errorf("there is no repair %.60q: it is safe or all", text)
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
	fileLink      = kind("file-link", Warning, All, "a symbolic link stands where a file or directory belongs")
	fileDevice    = kind("file-device", Error, All, "a pipe, a socket or a device stands where a file belongs")
	fileName      = kind("file-name", Error, All, "a file is taken for what its name cannot be")
	fileEmpty     = kind("file-empty", Error, All, "an event's file is empty")
	fileLarge     = kind("file-large", Error, All, "a file is larger than any that the programs write, and is not read")
	fileMisplaced = kind("file-misplaced", Error, All, "a file stands where a directory belongs, or the reverse")
	fileStrayed   = kind("file-strayed", Error, All, "records stand in a place where no program looks for them")
	fileMode      = kind("file-mode", Warning, Safe, "a file or directory has other permissions than those that are set")
	fileGroup     = kind("file-group", Warning, Safe, "a file or directory has another group than the directory it is in")
	fileHardLink  = kind("file-hard-link", Warning, Safe, "a file has several names")
	fileStaging   = kind("file-staging", Warning, Safe, "a program has left what it did not finish writing")
	fileEmptyDir  = kind("file-empty-directory", Note, None, "the directory of an event is empty")
	fileUnknown   = kind("file-unknown", Note, None, "a file is of no known use, and does no harm")

	userNone    = kind("user-none", Warning, All, "something among the users' directories is none, and is taken for one")
	userSwapped = kind("user-swapped", Error, None, "the directories of two users are in each other's place")
	userBoth    = kind("user-both", Error, None, "two users differ in letters only, and both are in use: somebody has to put them together")
	userSame    = kind("user-same", Warning, All, "two users differ in upper and lower case only")

	eventsMissing   = kind("events-missing", Error, All, "a user has free/busy, requests or notes of events, and not one event is stored; the repair drops them")
	eventUnreadable = kind("event-unreadable", Error, All, "a stored event cannot be read")
	eventSeveral    = kind("event-several", Error, All, "a stored event is more than one component")
	eventForeign    = kind("event-foreign", Error, All, "the original's programs cannot read a stored event, or not all of it; it is written anew")
	eventWrongName  = kind("event-wrong-name", Error, All, "a stored event is another than its file's name says")
	eventLeftover   = kind("event-leftover", Error, All, "a copy that an editor or somebody has left is taken for an event")
	eventTimes      = kind("event-times", Error, All, "when a stored event takes place cannot all be read, and free/busy knows of more")
	eventPartly     = kind("event-partly", Note, None, "when a stored event takes place cannot all be read, as it was sent so")
	eventBoth       = kind("event-both", Error, All, "an event is active and cancelled at once; the older text is moved away")

	recurrenceAlone   = kind("recurrence-alone", Note, None, "an occurrence is stored without its event (iTIP allows it)")
	recurrenceForeign = kind("recurrence-foreign", Note, None, "an occurrence is none that its event's rule yields (iTIP allows it)")
	recurrenceOld     = kind("recurrence-old", Note, None, "an occurrence is older than the cancellation of its event")

	tableLine      = kind("table-line", Error, All, "a line of a table cannot be read")
	tableBroken    = kind("table-broken", Error, Safe, "a record of a table is broken, and can be put together")
	tableOldLayout = kind("table-old-layout", Warning, Safe, "a table has the eighth column that the first releases wrote")
	tableOrder     = kind("table-order", Warning, Safe, "the records of a table are not in order")
	tableDuplicate = kind("table-duplicate", Warning, Safe, "a table has the same record twice")
	tableNonsense  = kind("table-nonsense", Error, All, "a record is of an occurrence whose recurrence id is none")
	tableReversed  = kind("table-reversed", Error, Safe, "a record ends before it starts")

	freebusyUnstored  = kind("freebusy-unstored", Error, Safe, "free/busy has records of an event of the user's own that is not stored")
	freebusyUninvited = kind("freebusy-uninvited", Warning, All, "free/busy has records of another organizer's event that is not stored")
	freebusyAnswered  = kind("freebusy-answered", Note, None, "free/busy has records of an event that the user answered, and whose invitation never came in")
	freebusyMissing   = kind("freebusy-missing", Error, Safe, "free/busy lacks records of a stored event")
	freebusyExtra     = kind("freebusy-extra", Error, Safe, "free/busy has records at times at which the event is not")
	freebusyTime      = kind("freebusy-time", Error, Safe, "free/busy has an event at wrong times")
	freebusyTransp    = kind("freebusy-transparency", Error, Safe, "free/busy has an event with the wrong transparency")
	freebusyChosen    = kind("freebusy-chosen", Note, None, "free/busy has an event as free that says busy, or the reverse, as an answer can have it")
	freebusyAbsent    = kind("freebusy-absent", Note, None, "free/busy lacks some occurrences of another organizer's event, which the user may have declined by the original's program")
	freebusyCountered = kind("freebusy-countered", Note, None, "free/busy has another organizer's event that the user has declined, or lacks one that they have accepted, as their counter-proposal leaves it")
	freebusyLater     = kind("freebusy-later", Note, None, "free/busy has another organizer's event, in which the user takes part, at other times than are stored, or at more or fewer, as an answer to a version that has not come in leaves it")
	freebusyText      = kind("freebusy-text", Warning, Safe, "free/busy has an event under another summary or organizer than the user has given it")
	freebusyCancelled = kind("freebusy-cancelled", Error, Safe, "free/busy has records of a cancelled event or occurrence")
	freebusyDeclined  = kind("freebusy-declined", Error, Safe, "free/busy has records of an event in which the user does not take part")
	freebusyWindow    = kind("freebusy-window", Warning, Safe, "free/busy of recurring events has not been extended for more than a day")
	freebusyDouble    = kind("freebusy-double", Note, None, "two events take place at the same time")

	publishedDiffers  = kind("published-differs", Error, Safe, "published free/busy is not what the table says")
	publishedUnwanted = kind("published-unwanted", Warning, Safe, "free/busy is published of a user who does not want that, or has no records")

	offerExpired = kind("offer-expired", Warning, Safe, "an offered period has expired")

	providerUnstored = kind("provider-unstored", Warning, Safe, "an event is noted as recurring without end that is not stored")
	providerMissing  = kind("provider-missing", Warning, Safe, "an event that recurs without end is not noted, and will not be extended")

	requestOrphan    = kind("request-orphan", Warning, Safe, "the request queue has an event that is not stored")
	requestReplaced  = kind("request-replaced", Note, None, "the request queue has an occurrence that a message has taken away: an update or the cancellation of its event, or, of counter-proposals, its own cancellation")
	requestCancelled = kind("request-cancelled", Warning, Safe, "the request queue has a cancelled event")
	requestPast      = kind("request-past", Warning, Safe, "the request queue has an event that is over")
	requestType      = kind("request-type", Warning, Safe, "the request queue has an entry of a type that there is not")
	requestDuplicate = kind("request-duplicate", Warning, Safe, "the request queue has an entry twice")

	counterLeft      = kind("counter-left", Note, None, "a counter-proposal is to an occurrence that was called off, alone or with its event")
	counterOrphan    = kind("counter-orphan", Warning, All, "a counter-proposal is to an event that is not stored")
	counterCancelled = kind("counter-cancelled", Warning, All, "a counter-proposal is to a cancelled event")
	counterPast      = kind("counter-past", Warning, All, "a counter-proposal is to an event that is over")

	lockStale   = kind("lock-stale", Error, Safe, "a program has left a lock, for which the original's programs wait for ever")
	lockStrange = kind("lock-strange", Error, Safe, "something that no program makes stands in the place of a lock, for which the original's programs wait for ever; --undo puts it back")
	lockHeld    = kind("lock-held", Warning, None, "a user's records are locked for more than a minute")

	preferenceUnknown = kind("preference-unknown", Warning, All, "a user has a preference that no program knows")
	preferenceValue   = kind("preference-value", Warning, All, "a user's preference has a value that cannot be used")

	rejectedItem = kind("rejected", Warning, All, "something that could not be handled was put aside")
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
