package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"imip-agent/tests/skip"
)

const head = "From: Paul <paul@example.com>\r\nMIME-Version: 1.0\r\n"

// event is a calendar by which a test tells parts apart.
func event(uid string) string {
	return "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nUID:" + uid + "\r\nEND:VCALENDAR\r\n"
}

// entity is a calendar part with its header.
func entity(uid string) string {
	return "Content-Type: text/calendar; method=REQUEST\r\n\r\n" + event(uid)
}

// multipart is a multipart with its header.
func multipart(subtype, boundary string, parts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Content-Type: multipart/%s; boundary=\"%s\"\r\n\r\npreamble\r\n", subtype, boundary)
	for _, part := range parts {
		fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, part)
	}
	fmt.Fprintf(&b, "--%s--\r\nepilogue\r\n", boundary)
	return b.String()
}

func enclosed(message string) string {
	return "Content-Type: message/rfc822\r\n\r\n" + message
}

// uids returns the UIDs in the parts of a message.
func uids(m *Message) []string {
	var found []string
	for _, part := range m.Parts {
		for line := range strings.Lines(part.Text) {
			if uid, ok := strings.CutPrefix(line, "UID:"); ok {
				found = append(found, strings.TrimSpace(uid))
			}
		}
	}
	return found
}

func TestReadParts(t *testing.T) {
	text := "Content-Type: text/plain\r\n\r\nHello\r\n"
	single := head + entity("a")
	mixed := head + multipart("mixed", "B", entity("a"), entity("b"))
	tests := []struct {
		reason string
		mail   string
		want   []string
	}{
		{"a calendar and nothing else", single, []string{"a"}},
		{"x-vcalendar", strings.Replace(single, "text/calendar", "text/x-vcalendar", 1), []string{"a"}},
		{"application/ics", strings.Replace(single, "text/calendar", "application/ics", 1), []string{"a"}},
		{"another type, though with a method", strings.Replace(single, "text/calendar", "application/octet-stream", 1), nil},
		{"no method: an attached file", strings.Replace(single, "; method=REQUEST", "; name=x.ics", 1), nil},
		{"a method that does not exist is not for us to judge", strings.Replace(single, "=REQUEST", "=FOO", 1), []string{"a"}},
		{"multipart", mixed, []string{"a", "b"}},
		{"as mail clients do it", head + multipart("mixed", "A", multipart("alternative", "B", text, entity("a")), "Content-Type: application/ics; name=i.ics\r\n\r\n"+event("b")), []string{"a"}},
		{"no preamble", strings.Replace(mixed, "preamble\r\n", "", 1), []string{"a", "b"}},
		{"boundaries where one is the beginning of the other", head + multipart("mixed", "B", multipart("mixed", "BB", entity("a")), entity("b")), []string{"a", "b"}},
		{"a boundary that ends in dashes", head + multipart("mixed", "B--", multipart("mixed", "B", entity("a")), entity("b")), []string{"a", "b"}},
		{"white space after a delimiter (RFC 2046 section 5.1.1)", strings.ReplaceAll(mixed, "--B\r\n", "--B \t\r\n"), []string{"a", "b"}},
		{"a line that begins as a delimiter does", strings.Replace(mixed, "UID:a", "--Bad\r\n--\r\nUID:a", 1), []string{"a", "b"}},
		{"the epilogue is no part", mixed + "--B\r\n" + entity("c"), []string{"a", "b"}},
		{"an enclosed message", head + multipart("mixed", "B", enclosed("From: other@example.com\r\n"+entity("a")), entity("b")), []string{"b"}},
		{"an enclosed message that is not the first part", head + multipart("mixed", "B", entity("a"), enclosed("From: other@example.com\r\n"+entity("b"))), []string{"a"}},
		{"an enclosed multipart", head + multipart("mixed", "B", enclosed(multipart("mixed", "C", entity("a"))), entity("b")), []string{"b"}},
		{"an enclosed multipart of the same boundary", head + multipart("mixed", "B", enclosed(multipart("mixed", "B", entity("a"))), entity("b")), []string{"b"}},
		{"an enclosed message in an enclosed message", head + multipart("mixed", "B", enclosed(multipart("mixed", "C", enclosed(entity("a")), entity("b"))), entity("c")), []string{"c"}},
		{"an enclosed message and nothing else", head + enclosed(entity("a")), nil},
		{"an international message (RFC 6532)", head + strings.Replace(enclosed(entity("a")), "rfc822", "global", 1), nil},
		{"a digest's parts are messages", head + multipart("digest", "B", "\r\n"+entity("a"), "\r\n"+entity("b")), nil},
		{"LF for line breaks", strings.ReplaceAll(mixed, "\r\n", "\n"), []string{"a", "b"}},
		{"LF in the header only", strings.ReplaceAll(head, "\r\n", "\n") + mixed[len(head):], []string{"a", "b"}},
		{"an mbox line, as pipes put first", "From paul@example.com Sun Nov 22 10:00:00 2026\n" + mixed, []string{"a", "b"}},
		{"an escaped mbox line", ">From paul@example.com Sun Nov 22 10:00:00 2026\n" + mixed, []string{"a", "b"}},
		{"nothing", "", nil},
		{"a line break", "\r\n", nil},
		{"a header without a body", head, nil},
		{"a header without a line break at its end", "From: paul@example.com\r\nContent-Type: text/calendar; method=REQUEST", []string{}},
		{"a body without a header", "Hello,\r\n\r\n" + entity("a"), nil},

		{"broken: the last delimiter is missing", strings.Replace(mixed, "--B--", "", 1), []string{"a", "b"}},
		{"broken: a header of several lines of white space", strings.Replace(mixed, "REQUEST\r\n\r\n", "REQUEST\r\n \r\n\t\r\n\r\n", 1), []string{"a", "b"}},
		{"broken: cut off within the header of a part", mixed[:strings.LastIndex(mixed, "method")], []string{"a"}},
		{"broken: an inner multipart is never closed", head + multipart("mixed", "B", "Content-Type: multipart/alternative; boundary=C\r\n\r\n--C\r\n"+entity("a"), entity("b")), []string{"a", "b"}},
		{"broken: one boundary for two multiparts", head + multipart("mixed", "B", multipart("alternative", "B", entity("a")), entity("b")), []string{"a", "b"}},
		{"broken: no boundary parameter", strings.Replace(mixed, `; boundary="B"`, "", 1), []string{"a", "b"}},
		{"broken: an empty boundary parameter", strings.Replace(mixed, `"B"`, `""`, 1), []string{"a", "b"}},
		{"broken: another boundary than in the body", strings.Replace(mixed, `"B"`, `"x"`, 1), []string{"a", "b"}},
		{"broken: another boundary in an inner multipart", head + multipart("mixed", "B", strings.Replace(multipart("alternative", "C", entity("a")), `"C"`, "x", 1), entity("b")), []string{"a", "b"}},
		{"broken: no boundary anywhere", head + "Content-Type: multipart/mixed\r\n\r\n" + event("a"), nil},
		{"broken: no blank line between a part's header and the next delimiter", head + multipart("mixed", "B", "Content-Type: text/plain", entity("b")), []string{"b"}},
		{"broken: a boundary that needs quotes", strings.ReplaceAll(strings.ReplaceAll(mixed, `"B"`, "B=_:?x"), "--B", "--B=_:?x"), []string{"a", "b"}},
		{"broken: the multipart says it is base64, and is not", strings.Replace(mixed, "MIME-Version", "Content-Transfer-Encoding: base64\r\nMIME-Version", 1), []string{"a", "b"}},
		{"broken: the multipart is base64", head + "Content-Type: multipart/mixed; boundary=B\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped("--B\r\n"+entity("a")+"\r\n--B--"), []string{"a"}},
		{"broken: the enclosed message is base64", head + multipart("mixed", "B", "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"+wrapped(entity("a")), entity("b")), []string{"b"}},
		{"broken: the enclosed message says it is base64, and is not", head + "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + entity("a"), nil},
		{"broken: the enclosed message says it is quoted-printable", head + "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + entity("a"), nil},
		{"broken: blank lines before the header", "\r\n \r\n" + single, []string{"a"}},
		{"broken: a continuation line first", " folded\r\n" + single, []string{"a"}},
		{"broken: a line in the header that is no field", head + "this is garbage\r\n" + entity("a"), []string{"a"}},
		{"broken: a field name with a space", head + "X Y: z\r\n" + entity("a"), []string{"a"}},
		{"broken: a field name that is not ASCII", head + "Pr\xe4: z\r\n\tmore\r\n" + entity("a"), []string{"a"}},
		{"broken: a field without a name", head + ": z\r\n" + entity("a"), []string{"a"}},
		{"broken: white space before the colon", strings.Replace(single, "Type:", "Type \t:", 1), []string{"a"}},
		{"broken: white space in the blank line", strings.Replace(single, "REQUEST\r\n\r\n", "REQUEST\r\n \t\r\n", 1), []string{"a"}},
		{"folded with a line of white space (RFC 5322 section 4.2)", strings.Replace(single, " text/calendar;", " text/calendar;\r\n \r\n", 1), []string{"a"}},
		{"broken: no blank line before the calendar", strings.Replace(single, "REQUEST\r\n\r\n", "REQUEST\r\n", 1), []string{"a"}},
		{"broken: the calendar in the header", head + multipart("mixed", "B", event("a")+"Content-Type: text/calendar; method=REQUEST\r\n\r\n"), []string{"a"}},
		{"broken: a calendar before the header: no part says what it is", head + multipart("mixed", "B", event("a")+"\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n"), nil},
		{"broken: no blank line before base64", head + "Content-Type: text/calendar; method=REQUEST\r\nContent-Transfer-Encoding: base64\r\n" + wrapped(event("a")), []string{"a"}},
		{"broken: no blank line before base64 in a part", head + multipart("mixed", "B", "Content-Type: text/calendar; method=REQUEST\r\nContent-Transfer-Encoding: base64\r\n"+wrapped(event("a"))), []string{"a"}},
		{"broken: two media types, the first counts", head + "Content-Type: text/calendar; method=REQUEST\r\nContent-Type: text/plain\r\n\r\n" + event("a"), []string{"a"}},
		{"broken: two media types, the first empty", head + "Content-Type:\r\n" + entity("a"), []string{"a"}},
		{"broken: CR for line breaks", strings.ReplaceAll(mixed, "\r\n", "\r"), []string{"a", "b"}},
		{"broken: CR CR LF for line breaks", strings.ReplaceAll(mixed, "\r\n", "\r\r\n"), []string{"a", "b"}},
		{"broken: zeros", strings.Replace(mixed, "preamble", "\x00\x00", 1), []string{"a", "b"}},
		{"broken: a header of a megabyte", head + "X-Spam: " + strings.Repeat("x", 1<<20) + "\r\n" + entity("a"), []string{"a"}},
		{"broken: a field of many lines", head + "X-Spam:" + strings.Repeat(" x\r\n", 1<<16) + entity("a"), []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			m, err := Read(strings.NewReader(test.mail), 2<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			if len(want) == 0 {
				want = nil
			}
			if diff := cmp.Diff(want, uids(m)); diff != "" {
				t.Errorf("UIDs of the calendar parts (-want +got)\n%s", diff)
			}
			if string(m.Source) != test.mail {
				t.Error("Source is not what was read")
			}
			if len(m.Unread) > 0 {
				t.Errorf("warnings: %q", m.Unread)
			}
		})
	}
}

func wrapped(text string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	var b strings.Builder
	for len(encoded) > 76 {
		b.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	return b.String() + encoded
}

func TestReadFrom(t *testing.T) {
	tests := []struct {
		reason string
		mail   string
		want   []string
	}{
		{"one field", head + entity("a"), []string{"paul@example.com"}},
		{"two fields", "FROM: a@example.com\r\nfrom : b@example.com\r\n" + entity("a"), []string{"a@example.com", "b@example.com"}},
		{"folded", "From: \"Paul\r\n\tBoddie\"\r\n <paul@example.com>\r\n" + entity("a"), []string{"paul@example.com"}},
		{"none", "To: paul@example.com\r\n" + entity("a"), nil},
		{"of an enclosed message: not the sender", enclosed(head + entity("a")), nil},
		{"of a part: not the sender", multipart("mixed", "B", head+entity("a")), nil},
		{"of an encoded message: not the sender", "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(head+entity("a")), nil},
		{"the mbox line is none", "From other@example.com Sun Nov 22 10:00:00 2026\r\n" + head + entity("a"), []string{"paul@example.com"}},
		{"after a line that is no field", "garbage\r\n" + head + entity("a"), []string{"paul@example.com"}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			m, err := Read(strings.NewReader(test.mail), 1<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, m.From); diff != "" {
				t.Errorf("From (-want +got)\n%s", diff)
			}
		})
	}
}

func TestReadBounce(t *testing.T) {
	status := "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example.com\r\n\r\nAction: failed\r\n"
	tests := []struct {
		reason string
		mail   string
		want   bool
	}{
		{"a delivery report", head + multipart("report", "B", "\r\nSorry", status, enclosed(entity("a"))), true},
		{"in capitals", head + multipart("report", "B", strings.ToUpper(status)), true},
		{"an international one (RFC 6533)", head + multipart("report", "B", strings.Replace(status, "delivery", "global-delivery", 1)), true},
		{"and nothing else", head + status, true},
		{"in a forwarded message", head + multipart("mixed", "B", entity("a"), enclosed(multipart("report", "C", status))), true},
		{"a read receipt is none (RFC 8098)", head + multipart("report", "B", strings.Replace(status, "delivery-status", "disposition-notification", 1)), false},
		{"a report that lacks the part is none", head + "Content-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n--B\r\n" + entity("a"), false},
		{"an invitation", head + entity("a"), false},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			m, err := Read(strings.NewReader(test.mail), 1<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			if m.Bounce != test.want {
				t.Errorf("Bounce = %t, want %t", m.Bounce, test.want)
			}
		})
	}
}

func TestReadPart(t *testing.T) {
	m, err := Read(strings.NewReader(head+"Content-Type: Text/Calendar; METHOD=Request; charset=\"ISO-8859-1\"\r\n"+
		"Content-Transfer-Encoding: quoted-printable\r\n\r\nBEGIN:VCALENDAR\r\nSUMMARY;X=3D1:K=E4se und=\r\n so\r\n"), 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []Part{{
		Type: "text/calendar", Method: "Request", Charset: "ISO-8859-1",
		Text: "BEGIN:VCALENDAR\r\nSUMMARY;X=1:Käse und so\r\n",
	}}
	if diff := cmp.Diff(want, m.Parts); diff != "" {
		t.Errorf("parts (-want +got)\n%s", diff)
	}
}

func TestReadToTheEnd(t *testing.T) {
	broken := errors.New("broken pipe")
	text := head + entity("a")
	size := len(event("a"))
	over := "more than"
	tests := []struct {
		reason string
		reader io.Reader
		limit  int
		unread string
		want   error
	}{
		{"just within the limit", strings.NewReader(text), size, "", nil},
		{"one octet at a time", iotest.OneByteReader(strings.NewReader(text)), size, "", nil},
		{"the end comes with the data", iotest.DataErrReader(strings.NewReader(text)), size, "", nil},
		{"what is no calendar does not count", strings.NewReader(head + multipart("mixed", "B", "\r\n"+strings.Repeat("x\r\n", 100), entity("a"))), size, "", nil},
		{"one octet over the limit", strings.NewReader(text), size - 1, over, nil},
		{"the end comes with the data, over the limit", iotest.DataErrReader(strings.NewReader(text)), size - 1, over, nil},
		{"two parts are over the limit together", strings.NewReader(head + multipart("mixed", "B", entity("a"), entity("b"))), 2*size - 10, over, nil},
		{"far over the limit", io.MultiReader(strings.NewReader(text), strings.NewReader(strings.Repeat("x", 1<<20))), 10, over, nil},
		{"the limit is nothing", strings.NewReader(text), 0, over, nil},
		{"the limit is below nothing", strings.NewReader(text), -1, over, nil},
		{"reading fails", io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), 1 << 20, "", broken},
		{"reading fails beyond the limit", io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), 10, "", broken},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			m, err := Read(test.reader, int64(test.limit), nil)
			if !errors.Is(err, test.want) || (test.want == nil) != (err == nil) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			if (m != nil) != (err == nil) {
				t.Fatalf("message %v with error %v", m, err)
			}
			if n, _ := test.reader.Read(make([]byte, 1)); n > 0 {
				t.Error("it has not read to the end")
			}
			if m == nil {
				return
			}
			if got := strings.Join(m.Unread, "\n"); (got == "") != (test.unread == "") || !strings.Contains(got, test.unread) {
				t.Errorf("unread: %q, want %q", got, test.unread)
			}
		})
	}
}

// TestCost reads mail that is made to cost time or memory.
func TestCost(t *testing.T) {
	skip.OnOtherDays(t)
	nested := func(levels int, inner string) string {
		var b strings.Builder
		for i := range levels {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=B%d\r\n\r\n--B%d\r\n", i, i)
		}
		return b.String() + inner
	}
	encodedWithin := func(levels int) string {
		text := entity("a")
		for i := range levels {
			text = fmt.Sprintf("Content-Type: multipart/mixed; boundary=B%d\r\nContent-Transfer-Encoding: base64\r\n\r\n", i) +
				wrapped(fmt.Sprintf("--B%d\r\n%s\r\n--B%d--\r\n", i, text, i))
		}
		return text
	}
	tests := []struct {
		reason  string
		mail    string
		want    int // calendar parts
		warning string
	}{
		{"deep", nested(900, entity("a")), 1, ""},
		{"too deep", nested(5000, entity("a")), 0, "more than 1000 deep"},
		{"deep, each with a wrong boundary", strings.ReplaceAll(nested(900, strings.Repeat("x", 1<<20)), "boundary=B", "boundary=x"), 0, ""},
		{"deep, each encoded and with a wrong boundary", strings.NewReplacer("boundary=B", "boundary=x", "Content-Type", "Content-Transfer-Encoding: base64\r\nContent-Type").Replace(nested(900, strings.Repeat("x", 1<<20))), 0, ""},
		{"messages within messages", strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 900) + entity("a"), 0, ""},
		{"encoded multiparts within encoded multiparts", encodedWithin(maxEncoded), 1, ""},
		{"too many of them", encodedWithin(maxEncoded + 1), 0, "more than 10 multiparts encoded"},
		{"many parts", multipart("mixed", "B", strings.Repeat("\r\n--B\r\n", 90_000)+entity("a")), 1, ""},
		{"too many parts", multipart("mixed", "B", strings.Repeat("\r\n--B\r\n", 200_000)+entity("a")), 0, "more than 100000 parts"},
		{"many calendars", multipart("mixed", "B", slices.Repeat([]string{entity("a")}, maxCalendars)...), maxCalendars, ""},
		{"too many calendars", multipart("mixed", "B", slices.Repeat([]string{entity("a")}, maxCalendars+1)...), maxCalendars, "more than 1000 calendar parts"},
		{"a calendar that grows when it is decoded", entity(strings.Repeat("\x80", maxText/3)), 0, "has more than 50331648 octets"},
		{"nothing but dashes", nested(500, strings.Repeat("--\r\n", 1<<18)), 0, ""},
		{"a sender of brackets", "From: " + strings.Repeat("<a,", 1<<17) + "\r\n" + entity("a"), 1, ""},
		{"a sender of comments", "From: " + strings.Repeat("(", 1<<20) + "\r\n" + entity("a"), 1, ""},
		{"a sender of quotes", "From: " + strings.Repeat(`"\"`, 1<<17) + "\r\n" + entity("a"), 1, ""},
		{"a sender of pieces", "From: " + strings.Repeat(`a"b"`, 1<<16) + "\r\n" + entity("a"), 1, ""},
		{"a sender of many lines", "From: " + strings.Repeat("a\r\n ", 1<<18) + "\r\n" + entity("a"), 1, ""},
		{"a media type of parameters", "Content-Type: text/calendar; method=REQUEST" + strings.Repeat(";x*0=a", 1<<18) + "\r\n\r\n" + event("a"), 1, ""},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			m, err := Read(strings.NewReader(test.mail), 32<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Parts) != test.want {
				t.Errorf("%d calendar parts, want %d", len(m.Parts), test.want)
			}
			if got := strings.Join(m.Unread, "\n"); (got == "") != (test.warning == "") || !strings.Contains(got, test.warning) {
				t.Errorf("warnings %q, want %q", got, test.warning)
			}
		})
	}
}

// TestManySenders checks that no more senders come out of a mail than can be
// compared with each attendee.
func TestManySenders(t *testing.T) {
	skip.OnOtherDays(t)
	for _, test := range []struct {
		reason, from string
		want         int
	}{
		{"many in a field", "From: " + strings.Repeat("a@example.com, ", maxSenders+1) + "\r\n", maxSenders},
		{"many fields", strings.Repeat("From: a@example.com\r\n", 1<<18), maxFromFields},
		{"many in many fields", strings.Repeat("From: "+strings.Repeat("a@example.com,", 100)+"\r\n", 50), maxSenders},
	} {
		m, err := Read(strings.NewReader(test.from+entity("a")), 32<<20, nil)
		if err != nil || len(m.From) != test.want || len(m.Parts) != 1 {
			t.Errorf("%s: %d senders, want %d; %d calendar parts; error %v", test.reason, len(m.From), test.want, len(m.Parts), err)
		}
	}
}

// FuzzRead checks that any mail is read, to its end, and that what comes out of it
// is fit for those who use it.
func FuzzRead(f *testing.F) {
	f.Add([]byte(head + multipart("mixed", "B", multipart("alternative", "C", entity("a")), enclosed(entity("b")))))
	f.Add([]byte("From x\nFrom: \"a\" <@b:c@d>, e (f) g@h\nContent-Type: text/calendar; method*=utf-8''REQUEST; charset=\"utf-7\n\nBEGIN:VCALENDAR"))
	f.Add([]byte(head + "Content-Type: multipart/digest\r\nContent-Transfer-Encoding: base64\r\n\r\n--B\r\n\r\nContent-Type: message/delivery-status\r\n"))
	f.Add([]byte(head + "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: x-uue\r\n\r\nbegin 644 x\r\n#0V%T\r\n"))
	for _, name := range sampleNames(f) {
		sample, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sample)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(strings.NewReader(string(data)), int64(len(data)), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range m.Parts {
			if !calendarTypes[part.Type] || part.Method == "" || !utf8.ValidString(part.Text) {
				t.Errorf("part %+v", part)
			}
		}
		for _, address := range m.From {
			if address == "" || !utf8.ValidString(address) {
				t.Errorf("address %q", address)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	text := strings.Repeat("A line of the text that goes with an invitation.\r\n", 60)
	mail := head + strings.Repeat("Received: from a.example.com by b.example.com; Sun, 22 Nov 2026 10:00:00 +0000\r\n", 8) +
		multipart("mixed", "A", multipart("alternative", "B", "Content-Type: text/plain\r\n\r\n"+text, entity("a")),
			"Content-Type: application/ics; method=REQUEST\r\nContent-Transfer-Encoding: base64\r\n\r\n"+wrapped(event("a")))
	b.SetBytes(int64(len(mail)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(strings.NewReader(mail), 1<<20, nil); err != nil {
			b.Fatal(err)
		}
	}
}
