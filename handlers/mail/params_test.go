package mail

import "testing"

func TestParseContentType(t *testing.T) {
	request := contentType{media: "text/calendar", method: "REQUEST"}
	utf8 := contentType{media: "text/calendar", method: "REQUEST", charset: "utf-8"}
	mixed := func(boundary string) contentType {
		return contentType{media: "multipart/mixed", boundary: boundary}
	}
	tests := []struct {
		reason string
		value  string
		want   contentType
	}{
		{"plain", ` text/calendar; method=REQUEST; charset=utf-8`, utf8},
		{"the media type and names are in any case", `TEXT/Calendar; METHOD=REQUEST; Charset=utf-8`, utf8},
		{"the value of method is left as it is", `text/calendar; method=request`, contentType{media: "text/calendar", method: "request"}},
		{"quoted", `text/calendar; charset="utf-8"; method="REQUEST"`, utf8},
		{"no white space", `text/calendar;charset=utf-8;method=REQUEST`, utf8},
		{"folded", "text/calendar;\tmethod=REQUEST; charset=utf-8", utf8},
		{"extended (RFC 2231 section 4)", `text/calendar; method*=utf-8''REQUEST; charset*=us-ascii'en'utf-8`, utf8},
		{"continued (RFC 2231 section 3)", `text/calendar; method*0=REQ; method*1=UEST; charset=utf-8`, utf8},
		{"continued and extended", `text/calendar; method*0*=utf-8''RE%51; method*1=UEST`, request},
		{"other parameters", `text/calendar; name="invite.ics"; method=REQUEST; component=VEVENT`, request},
		{"boundary quoted, with odd characters", `multipart/mixed; boundary="=_(a b)?:/\"x"`, mixed(`=_(a b)?:/"x`)},
		{"boundary that ends in a space: it cannot", `multipart/mixed; boundary="B "`, mixed("B")},
		{"no parameters", `text/calendar`, contentType{media: "text/calendar"}},

		{"broken: nothing", ``, contentType{}},
		{"broken: white space", " \t", contentType{}},
		{"broken: no subtype", `text`, contentType{}},
		{"broken: no subtype, but parameters", `calendar; method=REQUEST`, contentType{}},
		{"broken: two slashes", `text/calendar/x; method=REQUEST`, contentType{}},
		{"broken: trailing semicolon", `text/calendar; charset=utf-8; method=REQUEST;`, utf8},
		{"broken: semicolons doubled", `text/calendar;; charset=utf-8;; method=REQUEST; ;`, utf8},
		{"broken: semicolons missing", `text/calendar method=REQUEST charset=utf-8`, utf8},
		{"broken: commas for semicolons", `text/calendar, method=REQUEST, charset=utf-8`, utf8},
		{"broken: white space around =", `text/calendar; method = REQUEST ; charset = "utf-8"`, utf8},
		{"broken: closing quote missing", `text/calendar; method="REQUEST; charset=utf-8`, utf8},
		{"broken: closing quote missing at the end", `text/calendar; charset=utf-8; method="REQUEST`, utf8},
		{"broken: opening quote missing", `text/calendar; charset=utf-8"; method=REQUEST"`, utf8},
		{"broken: junk after the quote", `text/calendar; method="REQUEST"x; charset=utf-8`, utf8},
		{"broken: given twice", `text/calendar; method=REQUEST; method=CANCEL; charset=utf-8`, utf8},
		{"broken: given twice, first empty", `text/calendar; method=; method=REQUEST`, request},
		{"broken: comments", `text/calendar (an event); method=REQUEST (to attend); (x=y) charset=utf-8`, utf8},
		{"broken: a word without a value", `text/calendar; inline; method=REQUEST; charset=utf-8`, utf8},
		{"broken: a method without a value is none", `text/calendar; method; charset=utf-8`, contentType{media: "text/calendar", charset: "utf-8"}},
		{"broken: an empty method is none", `text/calendar; method=""; charset=utf-8`, contentType{media: "text/calendar", charset: "utf-8"}},
		{"broken: an unquoted name with spaces", `text/calendar; name=my invite.ics; method=REQUEST`, request},
		{"broken: 8-bit name", "text/calendar; name=r\xe9union.ics; method=REQUEST", request},
		{"broken: a zero", "text/calendar; method=REQ\x00UEST", request},
		{"broken: percent without digits", `text/calendar; method*=utf-8''REQUEST%; method*0=CANCEL`, contentType{media: "text/calendar", method: "REQUEST%"}},
		{"broken: pieces with an escape that is none", `text/calendar; method*0*=utf-8''REQ; method*1*=UEST; x*=%zz; ;=`, request},
		{"broken: boundary with = and : unquoted", `multipart/mixed; boundary=----=_Part_1:2.3`, mixed("----=_Part_1:2.3")},
		{"broken: boundary before a missing semicolon", `multipart/mixed boundary="a b"`, mixed("a b")},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			if got := parseContentType([]byte(test.value)); got != test.want {
				t.Errorf("parseContentType(%q) = %+v, want %+v", test.value, got, test.want)
			}
		})
	}
}
