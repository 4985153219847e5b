// Package charset finds the decoder of a charset by its name. It knows the names of
// the IANA and those of browsers, as golang.org/x/text does, but from a table that
// costs nothing before it is used.
package charset

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

//go:generate go run gen.go

// Find returns a decoder for the charset of that name, in whatever case. It puts U+FFFD
// for what it cannot decode.
func Find(name string) (*encoding.Decoder, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	// These are in no list, and in use.
	switch name {
	case "ansi_x3.110-1983": // RFC 1345: nearly ISO 8859-1
		name = "iso-8859-1"
	case "x-utf_8j":
		name = "utf-8"
	}
	i, ok := slices.BinarySearchFunc(charsets[:], name, func(c struct {
		name     string
		encoding uint8
	}, name string) int {
		return strings.Compare(c.name, name)
	})
	if !ok {
		return nil, false
	}
	return numbered(charsets[i].encoding), true
}

// Reader returns a reader of the text that r has in a charset, in UTF-8. It is for
// mime.WordDecoder and go-message, whose CharsetReader it can be.
func Reader(name string, r io.Reader) (io.Reader, error) {
	decoder, ok := Find(name)
	if !ok {
		return nil, fmt.Errorf("charset %.60q is not known", name)
	}
	return decoder.Reader(r), nil
}

// ascii decodes US-ASCII, where golang.org/x/text keeps its own to itself.
type ascii struct{ transform.NopResetter }

func (ascii) Transform(dst, src []byte, _ bool) (written, read int, err error) {
	for ; read < len(src); read++ {
		r := rune(src[read])
		if r >= utf8.RuneSelf {
			r = utf8.RuneError
		}
		if written+utf8.RuneLen(r) > len(dst) {
			return written, read, transform.ErrShortDst
		}
		written += utf8.EncodeRune(dst[written:], r)
	}
	return written, read, nil
}
