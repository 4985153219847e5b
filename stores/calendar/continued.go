package calendar

import (
	"strings"

	"github.com/emersion/go-ical"
)

// continued adds to a value the lines after it that belong to it, though they are
// not folded.
func (d *decoder) continued(prop *ical.Prop) {
	join := continuation(prop)
	if join == nil {
		return
	}
	var b strings.Builder
	last := prop.Value // is not in b yet
	for {
		next, ok := d.lines.peek()
		if !ok || isKeyword(next.text, "BEGIN") || isKeyword(next.text, "END") {
			break
		}
		before, after, ok := join(last, next.text)
		if !ok {
			break
		}
		b.WriteString(before)
		last = after
		d.lines.read()
	}
	if b.Len() > 0 {
		b.WriteString(last)
		prop.Value = b.String()
		d.warn("%s continues in lines that are not folded, and these are joined", prop.Name)
	}
}

// continuation returns how lines of a property that are not folded are known and
// joined, nil if it has none: join is given one line and the next, and returns
// what the two are as parts of the value, or false if the next is no part of it.
func continuation(prop *ical.Prop) (join func(last, next string) (before, after string, ok bool)) {
	encoding := prop.Params.Get(ical.ParamEncoding)
	switch {
	case strings.EqualFold(encoding, "QUOTED-PRINTABLE"): // vCalendar 1.0: a soft line break
		return func(last, next string) (string, string, bool) {
			before, ok := strings.CutSuffix(last, "=")
			return before, next, ok
		}
	case strings.EqualFold(encoding, "BASE64"): // vCalendar 1.0 has it in lines
		return func(last, next string) (string, string, bool) {
			return last, next, base64Digits(next) == len(strings.TrimRight(next, "="))
		}
	case isText[prop.Name] && prop.Name != ical.PropUID: // what can be nothing else than more of a text
		separator := " "
		if isMultiline(prop.Name + ":") {
			separator = `\n`
		}
		return func(last, next string) (string, string, bool) {
			_, end, isProperty := propertyName(next)
			return last, separator + next, !isProperty || !strings.Contains(next[end:], ":")
		}
	}
	return nil
}
