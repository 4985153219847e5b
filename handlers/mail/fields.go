package mail

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"
)

// Field is a field of a message's header.
type Field struct {
	Name string
	// Lines are the lines of the field, of which the first has the name, without their line
	// breaks and otherwise as they came.
	Lines [][]byte
}

// Fields is the header of a message, in its order. Lines that are no field are not in it.
type Fields []Field

// ReadFields reads the header of a message, at most 2 MB of it. What stands behind that, and
// behind the header, is of no interest. The error is that of r.
//
// A header that is broken is read as far as it makes sense: lines that are no field are passed
// over, as [Read] does, unless there is no blank line to end the header: then it ends at the
// first of them.
func ReadFields(r io.Reader) (Fields, error) {
	b := fieldReaders.Get().(*bufio.Reader)
	b.Reset(io.LimitReader(r, maxHeader))
	defer func() {
		b.Reset(nil)
		fieldReaders.Put(b)
	}()
	lines := lineReader{r: b, end: '\n'}
	if begin, err := b.Peek(mostRead); bytes.IndexByte(begin, '\n') < 0 && bytes.IndexByte(begin, '\r') >= 0 {
		lines.end = '\r'
	} else if err != nil && err != io.EOF {
		return nil, err
	}
	var fields Fields
	bad := -1     // how many fields there are before the first line that is none
	open := false // continuation lines belong to the last field
	for {
		line, err := lines.next()
		if err != nil && err != io.EOF {
			return nil, err
		}
		name, _, ok := field(line)
		switch {
		case err == io.EOF && len(line) == 0, beginsCalendar(line):
			if bad >= 0 {
				fields = fields[:bad]
			}
			return fields, nil
		case isBlankLine(line):
			if len(fields) == 0 && bad < 0 {
				continue // blank lines before the header
			}
			if len(line) == 0 || !lines.continues() {
				return fields, nil
			}
			// As part of a field it would end the header for some who read it.
		case isBlank(line[0]):
			if open {
				last := &fields[len(fields)-1]
				last.Lines = append(last.Lines, line)
			}
		case ok:
			fields = append(fields, Field{name, [][]byte{line}})
			open = true
		default:
			open = false
			if bad < 0 && !bytes.HasPrefix(line, []byte("From ")) && !bytes.HasPrefix(line, []byte(">From ")) {
				bad = len(fields)
			}
		}
	}
}

// fieldReaders are readers for headers. A service reads the header of each mail; their buffers were half of its garbage.
var fieldReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, mostRead) }}

// lineReader reads lines.
type lineReader struct {
	r   *bufio.Reader
	end byte
}

// next returns the next line without its line break. "\r\r\n", which broken gateways make, is one.
func (l lineReader) next() ([]byte, error) {
	line, err := l.r.ReadBytes(l.end)
	line = bytes.TrimSuffix(line, []byte{l.end})
	return bytes.TrimRight(line, "\r"), err
}

// continues reports whether the next line is one of a header: then the line of white space
// before it did not end the header.
func (l lineReader) continues() bool {
	begin, _ := l.r.Peek(maxLine)
	line, _, _ := bytes.Cut(begin, []byte{l.end})
	line = bytes.TrimRight(line, "\r")
	if len(line) == 0 || beginsCalendar(line) {
		return false
	}
	_, _, ok := field(line)
	return ok || isBlank(line[0])
}

// All returns the values of all fields of that name, unfolded and without white space around
// them. Letter case of names does not matter.
func (f Fields) All(name string) []string {
	var values []string
	for _, field := range f {
		if strings.EqualFold(field.Name, name) {
			values = append(values, field.value())
		}
	}
	return values
}

// Value returns the value of the first field of that name that has one.
func (f Fields) Value(name string) string {
	for _, value := range f.All(name) {
		if value != "" {
			return value
		}
	}
	return ""
}

// value returns the text of a field, unfolded (RFC 5322 section 2.2.3).
func (f Field) value() string {
	_, value, _ := bytes.Cut(bytes.Join(f.Lines, nil), []byte{':'})
	return strings.TrimSpace(string(value))
}

// Addresses returns the addresses in all fields of those names, as [Message] has those of
// From fields.
func (f Fields) Addresses(names ...string) []string {
	var found []string
	for _, name := range names {
		var values [][]byte
		for i, value := range f.All(name) {
			if i < maxFromFields {
				values = append(values, []byte(value))
			}
		}
		found = append(found, addresses(values)...)
	}
	return found[:min(len(found), maxSenders)]
}

// Senders returns the addresses in the fields From, Reply-To and Sender, as far as they stand where an address does. A name
// or a comment that looks like an address is none, though nothing else is there, and a field with control characters has none:
// programs differ in what they read there, and one of them is that which decides whether a sender is forged.
//
// DEVIATION: senders-by-their-address. The original takes a name for the address where there is none.
func (f Fields) Senders() []string {
	var found []string
	for _, name := range []string{"From", "Reply-To", "Sender"} {
		for i, value := range f.All(name) {
			if i < maxFromFields && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				found = append(found, listed(inUTF8(value))...)
			}
		}
	}
	return found[:min(len(found), maxSenders)]
}

// ReturnPath returns the envelope sender of the message, as the mail system that took it has
// noted it (RFC 5321 section 4.4): an address, or "" for the null sender. It returns false if
// there is none that can be read.
func (f Fields) ReturnPath() (address string, ok bool) {
	value := f.Value("Return-Path")
	if begin := strings.IndexByte(value, '<'); begin >= 0 {
		end := strings.LastIndexByte(value, '>')
		if end < begin {
			return "", false
		}
		if value = strings.TrimSpace(value[begin+1 : end]); value == "" {
			return "", true
		}
	}
	if strings.HasPrefix(value, "@") { // a route (RFC 5321 appendix C)
		_, value, _ = strings.Cut(value, ":")
	}
	found := listed(value)
	if len(found) != 1 || found[0] != value || strings.ContainsFunc(value, isControl) {
		return "", false
	}
	return value, true
}

// Automatic reports whether nobody is there to read an answer to the message, or whether an
// answer could go in circles: it is an automatic answer itself (RFC 3834 section 2), comes from
// a list or in bulk, or has the null sender (RFC 5321 section 4.5.5). Mail that programs send
// of their own accord, such as calendars' (auto-generated), may be answered.
func (f Fields) Automatic() bool {
	for _, value := range f.All("Auto-Submitted") {
		if keyword, _, _ := strings.Cut(value, ";"); strings.EqualFold(strings.TrimSpace(keyword), "auto-replied") {
			return true
		}
	}
	for _, value := range f.All("Precedence") {
		if slices.Contains([]string{"bulk", "junk", "list"}, strings.ToLower(value)) {
			return true
		}
	}
	sender, ok := f.ReturnPath()
	return ok && sender == "" || len(f.All("List-Id")) > 0
}

// Thread returns what a mail about a message says of it (RFC 5322 section 3.6.4): the message's
// identifier, which is to be In-Reply-To ("" if it has none), and those of its thread, which
// are to be References; all with their angle brackets. Of a long thread, it is the first
// message and the last ones.
func (f Fields) Thread() (inReplyTo string, references []string) {
	if ids := identifiers(f.Value("Message-ID")); len(ids) > 0 {
		inReplyTo = ids[0]
	}
	references = identifiers(f.Value("References"))
	if before := identifiers(f.Value("In-Reply-To")); len(references) == 0 && len(before) == 1 {
		references = before
	}
	if inReplyTo == "" {
		return "", nil
	}
	references = append(references, inReplyTo)
	if more := len(references) - maxReferences; more > 0 {
		references = append(references[:1], references[1+more:]...)
	}
	return inReplyTo, references
}

// maxReferences is how many messages of a thread are named.
const maxReferences = 20

// identifiers returns the message identifiers in the value of a field (RFC 5322 section 3.6.4). What
// could not stand in one is passed over.
func identifiers(value string) []string {
	var found []string
	for {
		begin := strings.IndexByte(value, '<')
		if begin < 0 {
			return found
		}
		value = value[begin:]
		end := strings.IndexByte(value, '>')
		if end < 0 {
			return found
		}
		id := value[:end+1]
		odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '<' }
		if bad := strings.LastIndexFunc(id[1:], odd); bad >= 0 {
			value = value[1+bad:] // it may be the beginning of another
			if value[0] != '<' {
				value = value[1:]
			}
			continue
		}
		if len(id) > 2 && len(id) < maxIdentifier {
			found = append(found, id)
		}
		value = value[end+1:]
	}
}

// maxIdentifier is how long an identifier may be: it has to stand in one line.
const maxIdentifier = 900

// MayHoldCalendar reports whether a message with this header can have calendar parts: it is one, or of several parts.
// Of several fields that say what it is, any may be right.
func (f Fields) MayHoldCalendar() bool {
	for _, field := range f {
		if !strings.EqualFold(field.Name, "Content-Type") {
			continue
		}
		ct := parseContentType([]byte(field.value()))
		kind, _, _ := strings.Cut(ct.media, "/")
		if kind == "multipart" || calendarTypes[ct.media] {
			return true
		}
	}
	return false
}
