package charset

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	known "github.com/emersion/go-message/charset"
)

// Each name means what it means to go-message, which asks the tables of
// golang.org/x/text in the same order.
func TestNames(t *testing.T) {
	octets := []byte("text \x1b$B%F\x1b(B \xe3\x83\x86 \xc6\xfc\xcb\xdc ")
	for c := range 256 {
		octets = append(octets, byte(c))
	}
	for i, c := range charsets {
		if i > 0 && charsets[i-1].name >= c.name {
			t.Errorf("%q is not in order", c.name)
		}
		for _, name := range []string{c.name, strings.ToUpper(c.name)} {
			if got, want := decode(t, Reader, name, octets), decode(t, known.Reader, name, octets); got != want {
				t.Errorf("%q decodes to\n%q, want\n%q", name, got, want)
			}
		}
	}
}

func decode(t *testing.T, reader func(string, io.Reader) (io.Reader, error), name string, octets []byte) string {
	t.Helper()
	r, err := reader(name, bytes.NewReader(octets))
	if err != nil {
		t.Errorf("%q: %v", name, err)
		return ""
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Errorf("%q: %v", name, err)
	}
	return string(text)
}

// What go-message knows is known here, and nothing else.
func TestUnknownNames(t *testing.T) {
	names := []string{
		"us-ascii", "ascii", "utf-8", "utf8", "utf-16", "utf-16le", "iso-8859-1", "iso-8859-8-i", "iso-8859-11", "latin1", "l1", "cp819",
		"windows-1252", "cp1252", "x-cp1250", "koi8-r", "koi8-u", "cskoi8r", "macintosh", "x-mac-cyrillic", "gb2312", "gbk", "gb18030",
		"hz-gb-2312", "big5", "big5-hkscs", "euc-jp", "iso-2022-jp", "shift_jis", "ms_kanji", "windows-31j", "euc-kr", "ks_c_5601-1987",
		"iso-2022-kr", "tis-620", "ibm866", "cp437", "437", "utf-7", "utf-32", "ansi_x3.110-1983", "x-utf_8j", "x-user-defined", "replacement",
		"", " ", "unknown", "unknown-8bit", "x-unknown", "utf-", "iso-8859-", "iso-8859-99", "cs", "default_charset", strings.Repeat("x", 1000),
	}
	for _, name := range names {
		_, err := known.Reader(name, strings.NewReader(""))
		if _, ok := Find(name); ok != (err == nil) {
			t.Errorf("%.60q is known: %v; to go-message: %v", name, ok, err)
		}
	}
	if !slices.ContainsFunc(names, func(name string) bool { _, ok := Find(name); return !ok }) {
		t.Error("every name is known")
	}
}
