package copy

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"imip-agent/stores"
)

// kind says what an item is.
type kind byte

const (
	event    kind = 'e' // the texts of an event, active and cancelled
	counter  kind = 'c' // a counter-proposal
	own      kind = 'f' // free/busy records of one event
	offers   kind = 'o'
	others   kind = 't'
	request  kind = 'q'
	provider kind = 'p'
	until    kind = 'u' // up to when free/busy of providers is worked out
	list     kind = 'l' // a line of a quota's list
	setting  kind = 's' // a preference
)

// key names an item of a user.
type key struct {
	kind         kind
	uid          string // or a setting's name, or a line of a list
	recurrenceID string
	other        string // another user, or the list
	extra        string // a request's type
}

// orderOf names the order of the lines of a quota's list.
func orderOf(name string) key { return key{kind: list, other: name, extra: "order"} }

func (k key) id() stores.ID { return stores.ID{UID: k.uid, RecurrenceID: k.recurrenceID} }

// table returns the free/busy table that an item is of.
func (k key) table() (stores.Table, bool) {
	switch k.kind {
	case own:
		return stores.Table{Kind: stores.Own}, true
	case offers:
		return stores.Table{Kind: stores.Offers}, true
	case others:
		return stores.Table{Kind: stores.Other, Other: uri(k.other)}, true
	}
	return stores.Table{}, false
}

var kindNames = map[kind]string{
	event: "event", counter: "counter-proposal", own: "free/busy", offers: "offer", others: "free/busy of another",
	request: "request", provider: "provider", until: "end of the free/busy window", list: "list", setting: "preference",
}

func (k key) String() string {
	words := []string{kindNames[k.kind]}
	if k.extra == "order" {
		words[0] = "order of list"
	}
	if k.other != "" {
		words = append(words, k.other)
	}
	if k.uid != "" {
		words = append(words, fmt.Sprintf("%q", k.uid))
	}
	if k.recurrenceID != "" {
		words = append(words, k.recurrenceID)
	}
	return strings.Join(words, " ")
}

// count adds n items of a key's kind.
func (c *Counts) count(k key, n int) {
	switch k.kind {
	case event:
		c.Events += n
	case counter:
		c.Counters += n
	case own, offers, others:
		c.Periods += n
	case request:
		c.Requests += n
	case provider, until:
		c.Providers += n
	case list:
		if k.extra == "" { // not the order of one
			c.Lists += n
		}
	case setting:
		c.Preferences += n
	}
}

// digest stands for an item's key and content. 96 bits are enough for there never to be
// two alike by chance.
type digest [12]byte

// digestOf returns the digest of texts, which cannot run into one another.
func digestOf(texts ...[]byte) digest {
	h := sha256.New()
	var size [8]byte
	for _, text := range texts {
		binary.LittleEndian.PutUint64(size[:], uint64(len(text)))
		h.Write(size[:])
		h.Write(text)
	}
	var d digest
	copy(d[:], h.Sum(nil))
	return d
}

// of returns the digest of an item with that content.
func (k key) of(content ...[]byte) digest {
	name := []byte(strings.Join([]string{string(rune(k.kind)), k.uid, k.recurrenceID, k.other, k.extra}, "\x00"))
	return digestOf(append([][]byte{name}, content...)...)
}
