package stores

import "iter"

// Text is a stored text with its key.
type Text struct {
	Key
	Content []byte
}

// Bulk is also what [Records] are that are faster at many texts at once than at one after the other.
type Bulk interface {
	// Texts yields every text, parents before their recurrences. A text must not be kept
	// beyond its step of the iteration, nor anything else be asked of the transaction
	// before the end of it.
	Texts() iter.Seq2[Text, error]
	// PutNew stores texts where none are, of neither status. The caller has looked.
	PutNew([]Text) error
}

// Checker is also what [Records] are that can say beforehand what their Put refuses.
type Checker interface {
	// Check returns an [UnstorableError] for a text that can never be stored.
	Check(Text) error
}
