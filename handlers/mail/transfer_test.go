package mail

import (
	"bytes"
	"encoding/base64"
	"mime/quotedprintable"
	"testing"
)

const calendarText = "BEGIN:VCALENDAR\r\nSUMMARY;X=\"=41\":Zeit für Kaffee\r\nEND:VCALENDAR"

func TestDecodeTransfer(t *testing.T) {
	base := base64.StdEncoding.EncodeToString([]byte(calendarText))
	tests := []struct {
		reason   string
		encoding string
		content  string
		want     string
	}{
		{"no encoding", "", calendarText, calendarText},
		{"7bit, with 8-bit text", "7bit", calendarText, calendarText},
		{"8bit", " 8bit", calendarText, calendarText},
		{"binary", "Binary", calendarText + "\x00\xff", calendarText + "\x00\xff"},
		{"unknown: as it is", "x-gzip64", calendarText, calendarText},
		{"unknown, nothing in it", "x-unknown", "", ""},

		{"base64", "base64", base, calendarText},
		{"base64 in capitals, with a comment", "BASE64 (encoded)", base, calendarText},
		{"base64 misspelt", `"Base-64";`, base, calendarText},
		{"base64 in short lines, indented", "base64", indent(base, 5), calendarText},
		{"base64 without padding", "base64", "QQ", "A"},
		{"base64 without padding, two octets", "base64", "QUI", "AB"},
		{"base64 that ends within an octet", "base64", "QUJDR", "ABC"},
		{"base64 with too much padding", "base64", "QQ======", "A"},
		{"base64 joined from two pieces, padding in the middle", "base64", "QQ==\r\nQkM=", "ABC"},
		{"base64 with other characters amidst", "base64", "Q!U\x00J\xffD-", "ABC"},
		{"base64 with a line before and after it", "base64", "!! scanned\r\n" + base + "\r\n-- \r\na mailing list\r\n", calendarText},
		{"base64 said, but it is not", "base64", "\r\n" + calendarText, "\r\n" + calendarText},
		{"base64 not said, but it is", "7bit", base, calendarText},
		{"base64, nothing in it", "base64", "\r\n", ""},

		{"quoted-printable", "quoted-printable", "a=3Db=C3=A9\r\nc", "a=b\u00e9\r\nc"},
		{"quoted-printable misspelt", "Quoted_Printable", "a=3Db", "a=b"},
		{"lower case digits", "quoted-printable", "a=3db=c3=a9", "a=b\u00e9"},
		{"soft line breaks, CRLF and LF", "quoted-printable", "a=\r\nb=\nc", "abc"},
		{"soft line break with white space added", "quoted-printable", "a= \t\r\nb", "ab"},
		{"soft line break at the end", "quoted-printable", "abc=", "abc"},
		{"white space at the end of a line", "quoted-printable", "=3D a  \r\n b", "= a  \r\n b"},
		{"escapes that are none", "quoted-printable", "=3D100=ZZ==\r\nx=4", "=100=ZZ=x=4"},
		{"8-bit text amidst", "quoted-printable", "=3Dé", "=é"},
		{"quoted-printable said, but it is not", "quoted-printable", "A;PARTSTAT=ACCEPTED;TZID=Europe/Oslo:1", "A;PARTSTAT=ACCEPTED;TZID=Europe/Oslo:1"},

		{"uuencode", "x-uuencode", "begin 644 cat.ics\r\n#0V%T\r\n`\r\nend\r\nx", "Cat"},
		{"uuencode, characters missing at the end of a line are zeros", "uuencode", "begin 644 x\n#0V%\n$0V%T0P\n \nend", "Ca@CatC"},
		{"uuencode without an end", "x-uue", "text\nbegin 644 x\n#0V%T\n", "Cat"},
		{"uuencode said, but it is not", "x-uuencode", calendarText, calendarText},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			content := []byte(test.content)
			got := decodeTransfer([]byte(test.encoding), content)
			if string(got) != test.want {
				t.Errorf("decodeTransfer(%q, %q) = %q, want %q", test.encoding, test.content, got, test.want)
			}
			if string(content) != test.content {
				t.Error("it changed the content that it was given")
			}
		})
	}
}

func indent(text string, width int) string {
	var b bytes.Buffer
	for len(text) > width {
		b.WriteString(" \t" + text[:width] + " \r\n")
		text = text[width:]
	}
	return b.String() + text
}

// FuzzDecodeTransfer checks that what an encoder makes comes back as it was.
func FuzzDecodeTransfer(f *testing.F) {
	f.Add([]byte(calendarText))
	f.Add([]byte("=\r\n=3D = \t"))
	f.Add([]byte{0, 0xff, '\n', 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		encoded := base64.StdEncoding.EncodeToString(data)
		trimmed := data
		if end := bytes.LastIndex(data, calendarEnd); end >= 0 && bytes.HasPrefix(data, calendarBegin) {
			trimmed = data[:end+len(calendarEnd)]
		}
		if got := decodeTransfer([]byte("base64"), []byte(encoded)); !bytes.Equal(got, trimmed) {
			t.Errorf("base64 of %q came back as %q", data, got)
		}
		decodeTransfer([]byte("base64"), data)
		decodeTransfer([]byte("x-uuencode"), data)
		decodeTransfer([]byte("quoted-printable"), data)

		var quoted bytes.Buffer
		w := quotedprintable.NewWriter(&quoted)
		w.Binary = true
		w.Write(data)
		w.Close()
		if got := decodeTransfer([]byte("quoted-printable"), quoted.Bytes()); !bytes.Equal(got, data) {
			t.Errorf("quoted-printable of %q came back as %q", data, got)
		}
	})
}
