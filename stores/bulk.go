package stores

import "iter"

// Text is a stored text with its key.
type Text struct {
	Key
	Content []byte
}

// Bulk is a [Tx] that is faster at many texts at once than at one after the other.
type Bulk interface {
	Tx
	// Texts yields every text, parents before their recurrences. A text must not be kept
	// beyond its step of the iteration, nor anything else be asked of the transaction
	// before the end of it.
	Texts() iter.Seq2[Text, error]
	// PutNew stores texts where none are, of neither status. The caller has looked.
	PutNew([]Text) error
}

// Checker is a [Tx] that can say beforehand what its Put refuses.
type Checker interface {
	Tx
	// Check returns an [UnstorableError] for a text that can never be stored.
	Check(Text) error
}

// Quota is a [Tx] of a journal, in which a quota stands in the place of a user.
type Quota interface {
	Tx
	// List returns the lines of one of the [QuotaLists], each as its columns, in no
	// particular order.
	List(name string) ([][]string, error)
	// SetList replaces one.
	SetList(name string, lines [][]string) error
}

// QuotaLists are what a journal has of a quota besides records of events, with the
// number of columns: who may use it on behalf of whom.
var QuotaLists = []struct {
	Name    string
	Columns int
}{
	{"delegates", 1}, // users who share the quota
	{"groups", 2},    // user, group
	{"limits", 2},    // group, how much
}
