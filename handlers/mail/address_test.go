package mail

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddresses(t *testing.T) {
	tests := []struct {
		reason string
		from   []string
		want   []string
	}{
		{"no field", nil, nil},
		{"empty field", []string{""}, nil},
		{"bare address", []string{"paul@example.com"}, []string{"paul@example.com"}},
		{"brackets only", []string{" <paul@example.com>"}, []string{"paul@example.com"}},
		{"display name", []string{"Paul Boddie <paul@example.com>"}, []string{"paul@example.com"}},
		{"case is kept: records are named by it", []string{"PAUL@Example.COM"}, []string{"PAUL@Example.COM"}},
		{"quoted comma", []string{`"Boddie, Paul" <paul@example.com>`}, []string{"paul@example.com"}},
		{"escaped quotes", []string{`"Paul \"X\" B" <paul@example.com>`}, []string{"paul@example.com"}},
		{"quotes amidst a word", []string{`"Paul"X"B" <paul@example.com>`}, []string{"paul@example.com"}},
		{"address in the display name", []string{`"other@example.org" <paul@example.com>`}, []string{"paul@example.com"}},
		{"address as an unquoted display name", []string{`other@example.org <paul@example.com>`}, []string{"paul@example.com"}},
		{"encoded word", []string{"=?utf-8?Q?P=C3=A5l?= <paul@example.com>"}, []string{"paul@example.com"}},
		{"comment after", []string{"paul@example.com (Paul B)"}, []string{"paul@example.com"}},
		{"comments everywhere", []string{"(c) Paul (d) <(e) paul (f) @ (g) example.com (h)>"}, []string{"paul@example.com"}},
		{"nested comment with a bracket", []string{`paul@example.com (a (b <c@example.org>) \) d)`}, []string{"paul@example.com"}},
		{"quoted local part stays quoted", []string{`"paul b"@example.com`}, []string{`"paul b"@example.com`}},
		{"quoted local part in brackets", []string{`P <"paul@b, c"@example.com>`}, []string{`"paul@b, c"@example.com`}},
		{"domain literal", []string{"paul@[IPv6:2001:db8::1]"}, []string{"paul@[IPv6:2001:db8::1]"}},
		{"several", []string{"a@example.com, B <b@example.com>"}, []string{"a@example.com", "b@example.com"}},
		{"several fields, in order", []string{"a@example.com", "b@example.com"}, []string{"a@example.com", "b@example.com"}},
		{"empty places in the list", []string{", a@example.com,, b@example.com,"}, []string{"a@example.com", "b@example.com"}},
		{"group", []string{"A Group: a@example.com, B <b@example.com>;"}, []string{"a@example.com", "b@example.com"}},
		{"empty group", []string{"undisclosed-recipients:;"}, nil},
		{"obsolete route", []string{"<@a.example,@b.example:paul@example.com>"}, []string{"paul@example.com"}},
		{"obsolete white space", []string{"paul @ example . com"}, []string{"paul@example.com"}},
		{"folded, with a tab", []string{"Paul\t<paul@ example.com>"}, []string{"paul@example.com"}},
		{"UTF-8 address", []string{"pål@exämple.com"}, []string{"pål@exämple.com"}},
		{"punycode", []string{"paul@xn--exmple-cua.com"}, []string{"paul@xn--exmple-cua.com"}},
		{"dots that are not allowed", []string{".paul..b@example.com"}, []string{".paul..b@example.com"}},
		{"trailing dot", []string{"paul@example.com."}, []string{"paul@example.com."}},
		{"subaddress", []string{"paul+tag@example.com"}, []string{"paul+tag@example.com"}},
		{"local user", []string{"paul"}, []string{"paul"}},
		{"local user with a comment", []string{"root (Cron Daemon)"}, []string{"root"}},
		{"local user in brackets", []string{"Paul B <paul>"}, []string{"paul"}},
		{"a name is no address", []string{"Paul Boddie"}, nil},
		{"nor is one in brackets", []string{"<Paul Boddie>"}, nil},

		{"broken: unquoted comma in the name", []string{"Boddie, Paul <paul@example.com>"}, []string{"paul@example.com"}},
		{"broken: unquoted colon in the name", []string{"Sales: Paul <paul@example.com>"}, []string{"paul@example.com"}},
		{"broken: brackets missing", []string{"Paul Boddie paul@example.com"}, []string{"paul@example.com"}},
		{"broken: closing bracket missing", []string{"Paul <paul@example.com"}, []string{"paul@example.com"}},
		{"broken: closing bracket missing, words after", []string{"<paul@example.com Paul"}, []string{"paul@example.com"}},
		{"broken: closing bracket missing in a list", []string{"A <a@example.com, B <b@example.com>"}, []string{"a@example.com", "b@example.com"}},
		{"broken: quote not closed", []string{`"Paul <paul@example.com>`}, []string{"paul@example.com"}},
		{"broken: comment not closed", []string{`Paul (x <paul@example.com>`}, []string{"paul@example.com"}},
		{"broken: brackets doubled", []string{"<<paul@example.com>>"}, []string{"paul@example.com"}},
		{"broken: mailto in brackets", []string{"<mailto:paul@example.com>"}, []string{"paul@example.com"}},
		{"broken: mailto", []string{"MAILTO:paul@example.com"}, []string{"paul@example.com"}},
		{"broken: all of it quoted", []string{`"paul@example.com"`}, []string{"paul@example.com"}},
		{"broken: all of it in single quotes", []string{`'paul@example.com'`}, []string{"paul@example.com"}},
		{"broken: single quotes in brackets", []string{`Paul <'paul@example.com'>`}, []string{"paul@example.com"}},
		{"broken: Outlook's way of quoting", []string{"Paul [mailto:paul@example.com]"}, []string{"paul@example.com"}},
		{"broken: semicolons between", []string{"a@example.com; b@example.com"}, []string{"a@example.com", "b@example.com"}},
		{"broken: address encoded with the name", []string{"=?utf-8?Q?=22Paul=22_=3Cpaul=40example.com=3E?="}, []string{"paul@example.com"}},
		{"broken: name in windows-1252", []string{"P\xe5l <paul@example.com>"}, []string{"paul@example.com"}},
		{"broken: address in windows-1252", []string{"p\xe5l@example.com"}, []string{"pål@example.com"}},
		{"broken: two signs", []string{"paul@@example.com"}, nil},
		{"no address in the brackets", []string{"MAILER-DAEMON <>"}, nil},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			var fields [][]byte
			for _, value := range test.from {
				fields = append(fields, []byte(value))
			}
			if diff := cmp.Diff(test.want, addresses(fields)); diff != "" {
				t.Errorf("addresses(%q): (-want +got)\n%s", test.from, diff)
			}
		})
	}
}
