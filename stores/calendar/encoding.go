package calendar

import (
	"io"
	"mime/quotedprintable"
	"strings"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/charset"
)

// encoding sees to values in an ENCODING (RFC 5545 section 3.2.7) that the
// original decodes, and fails on where they are damaged.
//
// DEVIATION: attachments
func (n *normaliser) encoding(p *ical.Prop) {
	switch encoding := p.Params.Get(ical.ParamEncoding); {
	case encoding == "BASE64":
		value, ok := mendBase64(p.Value)
		if ok {
			p.Value = value
			return
		}
		n.warn("%s is not BASE64, and is kept as X-ENCODING", p.Name)
		p.Params.Del(ical.ParamEncoding)
		p.Params.Set("X-ENCODING", encoding)
	case strings.EqualFold(encoding, "QUOTED-PRINTABLE"): // vCalendar 1.0
		p.Value = decodeQuotedPrintable(p.Value, p.Params.Get("CHARSET"))
		p.Params.Del(ical.ParamEncoding)
		p.Params.Del("CHARSET")
	}
}

// mendBase64 returns base64 text as it should be: without white space and the
// escaped line breaks that the original puts into it, and with its padding. It
// fails where that makes no base64.
func mendBase64(value string) (string, bool) {
	digits := base64Digits(value)
	if pad := len(value) - digits; digits > 0 && len(value)%4 == 0 && (pad == 0 || pad <= 2 && value[digits:] == "=="[:pad]) {
		return value, true
	}
	value = strings.NewReplacer(`\n`, "", `\N`, "", `\r`, "", " ", "", "\t", "").Replace(value)
	value = strings.TrimRight(value, "=")
	if value == "" || base64Digits(value) < len(value) || len(value)%4 == 1 {
		return "", false
	}
	return value + "==="[:(4-len(value)%4)%4], true
}

// base64Digits returns how many digits of base64 value begins with.
func base64Digits(value string) int {
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/':
		default:
			return i
		}
	}
	return len(value)
}

// decodeQuotedPrintable returns the TEXT value that a value in quoted-printable
// and a charset, both of vCalendar 1.0, stands for.
func decodeQuotedPrintable(value, name string) string {
	data, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(value)))
	if err != nil {
		data = []byte(value) // then it is none, as with "a = b"
	}
	text := string(data)
	switch strings.ToLower(name) {
	case "us-ascii", "iso-8859-1":
		name = "windows-1252" // has all of both, and is often labelled so
	}
	if decoder, ok := charset.Find(name); ok {
		if decoded, err := decoder.String(text); err == nil {
			text = decoded
		}
	}
	text = strings.NewReplacer("\r\n", `\n`, "\r", `\n`, "\n", `\n`).Replace(text)
	if !isClean(text) {
		text, _, _ = repair(text)
	}
	return text
}
