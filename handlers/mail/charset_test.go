package mail

import (
	"testing"
	"unicode/utf8"
)

func TestDecodeText(t *testing.T) {
	tests := []struct {
		reason  string
		content string
		charset string
		want    string
	}{
		{"UTF-8", "K\u00e4se", "UTF-8", "Käse"},
		{"no charset: UTF-8", "K\u00e4se", "", "Käse"},
		{"no charset and not UTF-8: windows-1252", "K\xe4se \x80", "", "Käse €"},
		{"quoted once more", "Käse", `"utf-8"`, "Käse"},
		{"in single quotes", "K\xe4se", `'iso-8859-1'`, "Käse"},
		{"with junk behind", "K\xe4se", "iso-8859-1; format=flowed", "Käse"},
		{"short name of UTF-8", "Käse", "utf8", "Käse"},
		{"old name of UTF-8", "Käse", "unicode-1-1-utf-8", "Käse"},
		{"byte order mark goes", "\xef\xbb\xbfBEGIN", "utf-8", "BEGIN"},
		{"byte order mark goes, no charset", "\xef\xbb\xbfBEGIN", "", "BEGIN"},
		{"byte order mark goes, ASCII said", "\xef\xbb\xbfBEGIN", "us-ascii", "BEGIN"},
		{"UTF-8 said, windows-1252 meant", "K\xe4se \x93x\x94", "utf-8", "Käse “x”"},
		{"ASCII said, UTF-8 meant", "Käse", "us-ascii", "Käse"},
		{"ASCII said, windows-1252 meant", "K\xe4se", "US-ASCII", "Käse"},
		{"latin 1", "K\xe4se", "ISO-8859-1", "Käse"},
		{"latin 1, as Python spells it", "K\xe4se", "latin-1", "Käse"},
		{"latin 1 said, UTF-8 meant: what is said holds, since it can be so", "Käse", "iso-8859-1", "K\u00c3\u00a4se"},
		{"latin 1 said: its control characters stay", "\x93", "iso-8859-1", "\u0093"},
		{"windows-1252", "\x80", "windows-1252", "€"},
		{"windows-1252 by its number", "\x80", "CP1252", "€"},
		{"windows-1251", "\xff", "windows-1251", "я"},
		{"latin 9", "\xa4", "iso-8859-15", "€"},
		{"KOI8-R", "\xd1", "koi8-r", "я"},
		{"GB 2312", "\xd6\xd0", "gb2312", "中"},
		{"GB 18030", "\xd6\xd0", "gb18030", "中"},
		{"Big 5", "\xa4\xa4", "big5", "中"},
		{"Shift JIS", "\x92\x86", "Shift_JIS", "中"},
		{"Shift JIS by its number", "\x92\x86", "cp932", "中"},
		{"EUC-JP", "\xc3\xe6", "euc-jp", "中"},
		{"EUC-KR", "\xb0\xa1", "ks_c_5601-1987", "가"},
		{"ISO 2022-JP", "\x1b$BCf\x1b(B", "iso-2022-jp", "中"},
		{"not in the charset that is said: UTF-8", "Käse 中", "euc-kr", "Käse 中"},
		{"not in the charset that is said, nor UTF-8", "K\xff\xe4", "big5", "Kÿä"},
		{"unknown charset: UTF-8", "Käse", "x-unknown", "Käse"},
		{"unknown charset, not UTF-8", "K\xe4se", "iso-4444-5", "Käse"},
		{"a charset that isn't one", "Käse", "unknown-8bit", "Käse"},
		{"a charset with a line break in it", "Käse", "foo\r\nbar", "Käse"},
		{"empty", "", "utf-16", ""},

		{"UTF-16, little endian by its mark", "\xff\xfeB\x00E\x00\xe4\x00", "utf-16", "BEä"},
		{"UTF-16, big endian by its mark", "\xfe\xff\x00B\x00E\x00\xe4", "utf-16", "BEä"},
		{"UTF-16 without a mark, little endian", "B\x00E\x00\xe4\x00", "utf-16", "BEä"},
		{"UTF-16 without a mark, big endian", "\x00B\x00E\x00\xe4", "utf-16", "BEä"},
		{"UTF-16LE", "B\x00E\x00\xe4\x00", "utf-16le", "BEä"},
		{"UTF-16 that is not said", "\xff\xfeB\x00E\x00", "", "BE"},
		{"UTF-16 that is not said, no mark", "B\x00E\x00G\x00", "utf-8", "BEG"},
		{"UTF-16 said, UTF-8 meant", "BEGIN: Käse", "utf-16", "BEGIN: Käse"},
		{"UTF-16 said by another name, UTF-8 meant", "BEGIN: Käse", "UCS-2", "BEGIN: Käse"},
		{"UTF-16 with a surrogate pair", "B\x00E\x00\x3d\xd8\x00\xde", "utf-16", "BE😀"},
		{"UTF-16 with half a pair", "B\x00E\x00\x3d\xd8", "utf-16", "BE\ufffd"},
		{"UTF-16 that lost its last octet", "B\x00E\x00G\x00I", "utf-16", "BEG"},
		{"UTF-32", "B\x00\x00\x00E\x00\x00\x00", "utf-32", "BE"},
		{"UTF-32 with a mark", "\x00\x00\xfe\xff\x00\x00\x00B", "utf-32", "B"},
		{"UTF-32 beyond Unicode", "\x00\x00\x00B\x7f\x00\x00\x00", "utf-32", "B\ufffd"},
		{"UTF-7", "K+AOQ-se 1 +- 1 +2D3eAA", "utf-7", "Käse 1 + 1 😀"},
		{"UTF-7 by its old name, ended by another character", "K+AOQ se", "unicode-1-1-utf-7", "Kä se"},
		{"UTF-7 said, UTF-8 meant", "Käse", "utf-7", "Käse"},
		{"UTF-7 said, a plus meant", "1+1", "utf-7", "1+1"},

		{"folded within a character", "K\xc3\r\n \xa4se\r\n x", "utf-8", "Käsex"},
		{"folded within a character, LF and tab", "K\xc3\n\t\xa4se\nA", "", "Käse\nA"},
		{"folded within a character, ASCII said", "K\xc3\r\n \xa4se", "us-ascii", "Käse"},
		{"folded within a character of two octets", "\xd6\r\n \xd0", "gb2312", "中"},
		{"folds that split nothing stay", "Kä\r\n se", "utf-8", "Kä\r\n se"},
		{"neither UTF-8 nor folded: folds stay", "K\xe4\r\n se", "utf-8", "Kä\r\n se"},
		{"a zero stays", "a\x00b", "utf-8", "a\x00b"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			if got := decodeText([]byte(test.content), test.charset); got != test.want {
				t.Errorf("decodeText(%q, %q) = %q, want %q", test.content, test.charset, got, test.want)
			}
		})
	}
}

// FuzzDecodeText checks that text is UTF-8 whatever the content and the charset,
// and that UTF-8 comes through as it is.
func FuzzDecodeText(f *testing.F) {
	for _, charset := range []string{"", "utf-8", "us-ascii", "utf-7", "utf-16", "iso-2022-jp", "gb2312", "hz-gb-2312", "iso-8859-16", "x"} {
		f.Add([]byte("BEGIN:\r\n K\xc3\r\n \xa4se +AOQ-\xff"), charset)
	}
	f.Fuzz(func(t *testing.T, content []byte, charset string) {
		text := decodeText(content, charset)
		if !utf8.ValidString(text) {
			t.Fatalf("decodeText(%q, %q) = %q, not UTF-8", content, charset, text)
		}
		calendar := "BEGIN:VCALENDAR" + text
		if got := decodeText([]byte(calendar), "utf-8"); got != calendar {
			t.Errorf("decodeText(%q) = %q", calendar, got)
		}
	})
}
