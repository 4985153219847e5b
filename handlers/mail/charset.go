package mail

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/emersion/go-message"
	"golang.org/x/text/encoding/charmap"

	"imip-agent/stores/calendar/charset"
)

// The parameters of fields are in any charset too.
func init() { message.CharsetReader = charset.Reader }

// charsetNames maps names that are in use, or that the original knows, to ones
// that the tables of go-message know.
var charsetNames = map[string]string{
	"ascii": "us-ascii", "ansi-x3.4-1968": "us-ascii", "iso-646-us": "us-ascii", "646": "us-ascii",
	"utf8": "utf-8", "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8", "cp65001": "utf-8", "65001": "utf-8",
	"utf7": "utf-7", "unicode-1-1-utf-7": "utf-7", "unicode-2-0-utf-7": "utf-7", "cp65000": "utf-7",
	"utf16": "utf-16", "ucs-2": "utf-16", "ucs2": "utf-16", "unicode": "utf-16", "csunicode": "utf-16", "iso-10646-ucs-2": "utf-16",
	"unicodefeff": "utf-16", "unicodefffe": "utf-16", "utf32": "utf-32", "ucs-4": "utf-32", "iso-10646-ucs-4": "utf-32",
	"latin-1": "iso-8859-1", "latin1": "iso-8859-1", "8859-1": "iso-8859-1", "8859": "iso-8859-1",
	"8859-15": "iso-8859-15", "latin9": "iso-8859-15", "latin-9": "iso-8859-15",
	"1252": "windows-1252", "win-1252": "windows-1252", "windows1252": "windows-1252", "ansi": "windows-1252",
	"1250": "windows-1250", "1251": "windows-1251", "win-1251": "windows-1251", "win1251": "windows-1251",
	"cp949": "euc-kr", "949": "euc-kr", "cp932": "shift_jis", "932": "shift_jis", "ms932": "shift_jis", "windows-31j": "shift_jis",
	"cp936": "gbk", "936": "gbk", "x-gb2312": "gbk", "cp950": "big5", "950": "big5",
}

// decodeText decodes content by the charset that its part names, which is UTF-8
// if it names none. If that fails, or nobody knows the charset, it is read as UTF-8,
// and if that fails too as windows-1252, which never does. Before content is given
// up as being in a charset, it is unfolded: some programs fold lines in the middle
// of a character (RFC 5545 section 3.1 warns of them).
//
// DEVIATION: wrong-charset.
func decodeText(content []byte, name string) string {
	if text, ok := decodeWide(content); ok {
		return text
	}
	name = charsetName(name)
	switch {
	case name == "", name == "utf-8":
	case strings.HasPrefix(name, "utf-16"), strings.HasPrefix(name, "utf-32"):
		// It isn't: almost any octets would pass for it.
	default:
		if text, ok := decodeAs(content, name); ok {
			return text
		}
		if text, ok := decodeAs(unfolded(content), name); ok && name != "us-ascii" {
			return text
		}
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if utf8.Valid(content) {
		return string(content)
	}
	if whole := unfolded(content); utf8.Valid(whole) {
		return string(whole)
	}
	return decodeWindows(content)
}

// decodeWindows decodes windows-1252, in which every octet means something.
func decodeWindows(content []byte) string {
	size := 0
	for _, c := range content {
		size += utf8.RuneLen(charmap.Windows1252.DecodeByte(c))
	}
	var text strings.Builder
	text.Grow(size)
	for _, c := range content {
		text.WriteRune(charmap.Windows1252.DecodeByte(c))
	}
	return text.String()
}

// charsetName returns the plain name of a charset.
func charsetName(name string) string {
	name = strings.ToLower(strings.Trim(name, " \t\"'"))
	if end := strings.IndexAny(name, " \t;,\"'"); end >= 0 {
		name = name[:end]
	}
	if known := charsetNames[strings.ReplaceAll(name, "_", "-")]; known != "" {
		return known
	}
	return name
}

// decodeAs decodes content by a charset, and reports whether it is in that charset.
func decodeAs(content []byte, name string) (string, bool) {
	switch name {
	case "us-ascii":
		for _, c := range content {
			if c >= utf8.RuneSelf {
				return "", false
			}
		}
		return string(content), true
	case "utf-7":
		return decodeUTF7(content)
	}
	reader, err := charset.Reader(name, bytes.NewReader(content))
	if err != nil {
		return "", false
	}
	var b strings.Builder
	b.Grow(len(content) + len(content)/2)
	_, err = io.Copy(&b, reader)
	text := b.String()
	if err != nil || !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
		return "", false // the decoders put U+FFFD for what they cannot decode
	}
	return strings.TrimPrefix(text, "\ufeff"), true
}

// unfolded returns content without its folds: line breaks that a space or tab follows.
func unfolded(content []byte) []byte {
	whole := make([]byte, 0, len(content))
	for {
		end := bytes.IndexByte(content, '\n')
		if end < 0 {
			return append(whole, content...)
		}
		if end+1 < len(content) && isBlank(content[end+1]) {
			whole = append(whole, bytes.TrimRight(content[:end], "\r")...)
			content = content[end+2:]
		} else {
			whole = append(whole, content[:end+1]...)
			content = content[end+1:]
		}
	}
}

// decodeWide decodes UTF-16 and UTF-32, which it knows by their byte order mark
// or by the zeros beside the first letter, whatever the part says: what is
// labelled so is often not, and without a mark the byte order is anybody's guess.
func decodeWide(content []byte) (string, bool) {
	if len(content) < 4 {
		return "", false
	}
	var order binary.ByteOrder = binary.LittleEndian
	a, b, c, d := content[0], content[1], content[2], content[3]
	size := 2
	switch {
	case a == 0xff && b == 0xfe && c == 0 && d == 0, a != 0 && b == 0 && c == 0 && d == 0:
		size = 4
	case a == 0 && b == 0 && c == 0xfe && d == 0xff, a == 0 && b == 0 && c == 0 && d != 0:
		order, size = binary.BigEndian, 4
	case a == 0xff && b == 0xfe, a != 0 && b == 0 && c != 0 && d == 0:
	case a == 0xfe && b == 0xff, a == 0 && b != 0 && c == 0 && d != 0:
		order = binary.BigEndian
	default:
		return "", false
	}

	var text strings.Builder
	text.Grow(len(content) / size)
	for ; len(content) >= size; content = content[size:] {
		var r rune
		if size == 4 {
			r = rune(order.Uint32(content))
		} else if r = rune(order.Uint16(content)); utf16.IsSurrogate(r) && len(content) >= 4 {
			if r = utf16.DecodeRune(r, rune(order.Uint16(content[2:]))); r != utf8.RuneError {
				content = content[2:]
			}
		}
		text.WriteRune(r)
	}
	return strings.TrimPrefix(text.String(), "\ufeff"), true
}

// decodeUTF7 decodes UTF-7 (RFC 2152), for which there is no decoder in the
// libraries. It is obsolete, and was Outlook's.
func decodeUTF7(content []byte) (string, bool) {
	var text strings.Builder
	for i := 0; i < len(content); {
		c := content[i]
		i++
		switch {
		case c >= utf8.RuneSelf:
			return "", false
		case c != '+':
			text.WriteByte(c)
			continue
		case i < len(content) && content[i] == '-':
			text.WriteByte('+')
			i++
			continue
		}
		var units []uint16
		var bits uint32
		count := 0 // of bits
		for ; i < len(content) && base64Values[content[i]] >= 0; i++ {
			bits = bits<<6 | uint32(base64Values[content[i]])
			if count += 6; count >= 16 {
				count -= 16
				units = append(units, uint16(bits>>count))
			}
		}
		if len(units) == 0 || count >= 6 {
			return "", false
		}
		for _, r := range utf16.Decode(units) {
			if r == utf8.RuneError {
				return "", false
			}
			text.WriteRune(r)
		}
		if i < len(content) && content[i] == '-' {
			i++
		}
	}
	return text.String(), true
}
