package calendar

// Limits on what is read. They are far beyond what any calendar needs that came
// by mail, and keep one that was made to do harm from taking much memory or time.
const (
	maxComponents = 20_000 // calendars and events in a text, or components in an event
	// maxProperties is for an event with the components inside it. A rule with exceptions for
	// all its occurrences, a line each, has a quarter.
	maxProperties = 200_000
	maxDepth      = 8      // components inside one another, VCALENDAR counting
	maxAttendees  = 10_000 // of an event: handlers compare them with each other

	// maxUID is for the octets of a UID, which tables and logs repeat.
	maxUID = 1 << 20

	// maxSize is for an event as it is stored. It can be larger than its text was, where that
	// was in an old charset, or had characters that have to be escaped.
	maxSize = 40 << 20
)

// budget is how much memory a text may still take beside itself, in octets, about.
// It is overdrawn by what does not fit any more.
type budget int

// What parts of a calendar take: Go's maps are large when they hold little.
const (
	costComponent budget = 600
	costProperty  budget = 64
	costParams    budget = 400 // of a property that has any
	costName      budget = 120 // of a parameter, beyond the first namesIncluded
	costValue     budget = 40  // of a parameter
	costTime      budget = 200 // a value of EXDATE or RDATE, once its times are asked for
)

// namesIncluded is how many parameters of different names costParams is for.
const namesIncluded = 8

// maxBudget is the most for any text. That is 200,000 properties with one parameter.
const maxBudget budget = 96 << 20

// newBudget returns the budget of a text of a size. Events that are short and without
// description, as a calendar may hold by the thousands, take up to nine times theirs.
func newBudget(size int) budget {
	return min(2<<20+12*budget(size), maxBudget)
}

func (b *budget) spend(cost budget) { *b -= cost }

// spent tells whether there is nothing left.
func (b *budget) spent() bool { return *b < 0 }
