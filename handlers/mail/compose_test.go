package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	netmultipart "mime/multipart"
	netmail "net/mail"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
	"github.com/google/go-cmp/cmp"

	"imip-agent/tests/skip"
)

// spooled returns a spool with a message that comes in pieces.
func spooled(t testing.TB, text string) *Spool {
	t.Helper()
	s := NewSpool(t.TempDir())
	t.Cleanup(func() { s.Close() })
	for piece := range strings.SplitAfterSeq(text, "\n") {
		if _, err := io.WriteString(s, piece); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// written returns a composed mail, which must be the same when it is written again.
func written(t testing.TB, c *Composed, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var first, again bytes.Buffer
	n, err := c.WriteTo(&first)
	if err != nil || n != int64(first.Len()) {
		t.Fatalf("%d octets of %d, %v", n, first.Len(), err)
	}
	if _, err := c.WriteTo(&again); err != nil || again.String() != first.String() {
		t.Fatalf("written again, it is another mail (%v)", err)
	}
	if read, err := io.ReadAll(c.Open()); err != nil || string(read) != first.String() {
		t.Fatalf("read, it is another mail (%v)", err)
	}
	return first.String()
}

// part is a part of a mail, decoded.
type part struct{ Type, Params, Body string }

// readNet reads a mail with the libraries of Go.
func readNet(mail string) (header map[string][]string, parts []part, err error) {
	m, err := netmail.ReadMessage(strings.NewReader(mail))
	if err != nil {
		return nil, nil, err
	}
	media, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return nil, nil, err
	}
	if !strings.HasPrefix(media, "multipart/") {
		body, err := decoded(m.Header.Get("Content-Transfer-Encoding"), m.Body)
		return m.Header, []part{{media, fmt.Sprint(params), body}}, err
	}
	r := netmultipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return m.Header, parts, nil
		} else if err != nil {
			return nil, nil, err
		}
		media, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			return nil, nil, err
		}
		body, err := decoded(p.Header.Get("Content-Transfer-Encoding"), p)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, part{media, fmt.Sprint(params), body})
	}
}

func decoded(encoding string, r io.Reader) (string, error) {
	body, err := io.ReadAll(r)
	return string(decodeTransfer([]byte(encoding), body)), err
}

// readGo reads a mail with go-message.
func readGo(mail string) (header map[string][]string, parts []part, err error) {
	e, err := message.Read(strings.NewReader(mail))
	if err != nil {
		return nil, nil, err
	}
	header = e.Header.Map()
	r := e.MultipartReader()
	if r == nil {
		media, params, err := e.Header.ContentType()
		if err != nil {
			return nil, nil, err
		}
		body, err := io.ReadAll(e.Body)
		return header, []part{{media, fmt.Sprint(params), string(body)}}, err
	}
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			return header, parts, nil
		} else if err != nil {
			return nil, nil, err
		}
		media, params, err := p.Header.ContentType()
		if err != nil {
			return nil, nil, err
		}
		body, err := io.ReadAll(p.Body)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, part{media, fmt.Sprint(params), string(body)})
	}
}

// onWire returns what goes over the wire: line ends are CRLF there.
func onWire(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

const textPlain = "map[charset:utf-8]"

// isWrapped sees that a mail is the text and the message as it came, whoever reads it.
func isWrapped(t *testing.T, mail, text, came string) {
	t.Helper()
	for name, read := range map[string]func(string) (map[string][]string, []part, error){"net/mail": readNet, "go-message": readGo} {
		_, _, unread := read("X: y\r\n" + came)
		for _, wire := range []bool{false, true} {
			mail, came := mail, came
			if wire {
				mail, came = onWire(mail), onWire(came)
			}
			header, parts, err := read(mail)
			if err != nil {
				if unread == nil {
					t.Errorf("%s: %v", name, err)
				}
				continue // it does not read the message's own header either
			}
			want := []part{{"text/plain", textPlain, onWire(strings.ReplaceAll(text, "\r", "\n"))}, {"message/rfc822", "map[]", came}}
			got := parts
			if len(got) == 2 {
				got[0].Body = strings.ReplaceAll(got[0].Body, "\r\n", "\n")
				want[0].Body = strings.ReplaceAll(text, "\r\n", "\n")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, on the wire %v: parts (-want +got)\n%s", name, wire, diff)
			}
			if got := header[infoKey]; len(got) != 1 || got[0] != "info" {
				t.Errorf("%s: %s is %q", name, InfoField, got)
			}
		}
	}
	// And ourselves: a calendar in the message is not the mail's.
	m, err := Read(strings.NewReader(mail), 1<<20, nil)
	if err != nil || len(m.Parts) > 0 {
		t.Errorf("we find %d calendars in it, %v", len(m.Parts), err)
	}
}

const infoKey = "X-Imip-Agent"

var messages = []struct{ reason, text string }{
	{"as it should be", "From: a@example.com\r\nTo: b@example.com\r\nSubject: =?utf-8?q?M=C3=B8te?=\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"},
	{"bare line feeds", "From: a@example.com\nSubject: x\n y\n\nbody\n"},
	{"no line break at the end", "From: a@example.com\n\nbody"},
	{"a header alone", "From: a@example.com\n"},
	{"a header alone, in the middle of a line", "From: a@example.com"},
	{"nothing", ""},
	{"a blank line", "\n"},
	{"blank lines first", "\r\n\r\nFrom: a@example.com\r\n\r\nbody\r\n"},
	{"a line of an mbox file first", "From a@example.com Sun Nov 22 12:00:00 2026\nFrom: a@example.com\n\nbody\nFrom here on\n>From there\n"},
	{"very long lines", "From: a@example.com\nX-Long: " + strings.Repeat("x", 3000) + "\n\n" + strings.Repeat("y", 5000) + "\n"},
	{"8-bit header in ISO 8859-1, NUL octets", "From: Bj\xf8rn <a@example.com>\nSubject: \x00\n\n\x00\xff\n"},
	{"UTF-8 in the header", "From: Bjørn <bjørn@example.com>\nSubject: 日本\n\nå\n"},
	{"dots", "From: a@example.com\n\n.\n..\n.x\n"},
	{"carriage returns only", "From: a@example.com\rSubject: x\r\rbody\r"},
	{"carriage returns in lines", "From: a@example.com\nSubject: x\ry\n\nbo\rdy\r\r\n"},
	{"a line that is no field", "From: a@example.com\nwhat is this\nSubject: x\n\nbody\n"},
	{"a continuation of nothing", " x\n y\nFrom: a@example.com\n\nbody\n"},
	{"a line of white space in a field", "From: a@example.com\nSubject: x\n \n y\nTo: b@example.com\n\nbody\n"},
	{"white space ends the header", "From: a@example.com\n \nbody: that\n"},
	{"no blank line", "From: a@example.com\nand then\nbody: that\n"},
	{"a multipart that is not closed", "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx"},
	{"somebody else's summary", "From: a@example.com\nX-IMIP-Agent: info\nx-imip-agent: no\n\nbody\n"},
	{"MIME fields in odd letter case", "From: a@example.com\nmime-version: 1.0\nCONTENT-TYPE: text/html\ncontent-description: x\nContents: y\n\nbody\n"},
}

func TestWrap(t *testing.T) {
	for _, text := range []string{"An invitation.\n", "Møte\r\nmed = og . og\n.\nFrom here\n \nlange " + strings.Repeat("ord ", 300), ""} {
		for _, m := range messages {
			t.Run(m.reason, func(t *testing.T) {
				c, err := Wrap(text, spooled(t, m.text))
				isWrapped(t, written(t, c, err), text, m.text)
			})
		}
	}
}

// TestWrapFields looks at what is repeated outside.
func TestWrapFields(t *testing.T) {
	const came = "Return-Path: <r@example.com>\nReceived: from x\n\tby y\nFrom: a@example.com\nSUBJECT:  x\n  y \nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Language: nb\n" +
		"junk\n junk\nMessage-Id: <1@example.com>\nBcc: c@example.com\nX-IMIP-Agent: forged\nreceived: again\nX-Empty:\n\nSubject: body\n"
	c, err := Wrap("text", spooled(t, came))
	head, _, _ := strings.Cut(written(t, c, err), "boundary=")
	const want = "Return-Path: <r@example.com>\r\nReceived: from x\r\n\tby y\r\nFrom: a@example.com\r\nSUBJECT:  x\r\n  y \r\n" +
		"Message-Id: <1@example.com>\r\nBcc: c@example.com\r\nreceived: again\r\nX-Empty:\r\nX-IMIP-Agent: info\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
	if diff := cmp.Diff(want, head); diff != "" {
		t.Errorf("header (-want +got)\n%s", diff)
	}
}

// TestWrapEncoding looks at how the message is labelled (RFC 2045 section 6.4).
func TestWrapEncoding(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for body, want := range map[string]string{
		"x\n" + long + "\r\n" + long + "\n" + long: "7bit", "ø\n": "8bit", long + "x\n": "binary", "ø" + long: "binary", "\x00": "binary",
	} {
		c, err := Wrap("text", spooled(t, "From: a@example.com\n\n"+body))
		text := written(t, c, err)
		outside := strings.Count(text, "\r\nContent-Transfer-Encoding: "+want+"\r\n")
		if expected := map[bool]int{true: 1, false: 2}[want == "7bit"]; outside != expected {
			t.Errorf("%d labels %q for %.20q", outside, want, body)
		}
	}
}

func FuzzWrap(f *testing.F) {
	for _, m := range messages {
		f.Add("text ø\n", []byte(m.text))
	}
	for _, name := range sampleNames(f) {
		mail, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("=\r\n. \n", mail)
	}
	f.Fuzz(func(t *testing.T, text string, came []byte) {
		text = strings.ReplaceAll(text, "\r", "")
		c, err := Wrap(text, spooled(t, string(came)))
		isWrapped(t, written(t, c, err), text, string(came))
	})
}

// Each of the real mails that are at hand is enclosed as it came, and everything is outside that
// another reader finds in its header.
func TestWrapRealMail(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "eml", "*", "*.eml"))
	if len(names) == 0 {
		skip.Because(t, "no collection of real mails beside the project, in ../shared")
	}
	for _, name := range append(names, sampleNames(t)...) {
		mail, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Wrap("text", spooled(t, string(mail)))
		text := written(t, c, err)
		isWrapped(t, text, "text", string(mail))
		was, err := netmail.ReadMessage(bytes.NewReader(mail))
		if err != nil {
			continue
		}
		is, err := netmail.ReadMessage(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for key, values := range was.Header {
			if !ofMIME(key) && !cmp.Equal(values, is.Header[key]) {
				t.Errorf("%s: %s is %q, not %q", name, key, is.Header[key], values)
			}
		}
	}
}

func TestAlone(t *testing.T) {
	const came = "Return-Path: <r@example.com>\nFrom: A <a@example.com>\nSender: s@example.com\nTo: b@example.com\nCc: Bj\xf8rn <c@example.com>\nReply-To: r@example.com\nDate: Sun, 22 Nov 2026 12:00:00 +0100\n" +
		"Subject: =?utf-8?q?M=C3=B8te?=\n på\nMessage-ID: <2@example.com>\nReferences: <0@example.com>\n <1@example.com>\nIn-Reply-To: <1@example.com>\nX: y\nContent-Type: text/html\n\nbody\n"
	c, err := Alone("Møte\n", spooled(t, came), "mail.example.com")
	text := written(t, c, err)
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	id := ""
	if begin := strings.Index(head, "Message-Id: "); begin >= 0 {
		id, _, _ = strings.Cut(head[begin+len("Message-Id: "):], "\r\n")
	}
	if !strings.HasPrefix(id, "<imip-agent-") || !strings.HasSuffix(id, "@mail.example.com>") {
		t.Errorf("identifier %q", id)
	}
	want := "From: A <a@example.com>\r\nSender: s@example.com\r\nTo: b@example.com\r\nCc: Bj\xf8rn <c@example.com>\r\nReply-To: r@example.com\r\nDate: Sun, 22 Nov 2026 12:00:00 +0100\r\n" +
		"Subject: =?utf-8?q?M=C3=B8te?=\r\n på\r\nMessage-Id: " + id + "\r\nIn-Reply-To: <2@example.com>\r\nReferences: <0@example.com> <1@example.com> <2@example.com>\r\n" +
		"Auto-Submitted: auto-generated\r\nX-IMIP-Agent: info\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Disposition: inline"
	if diff := cmp.Diff(want, head); diff != "" {
		t.Errorf("header (-want +got)\n%s", diff)
	}
	if body != "M=C3=B8te\r\n\r\n" {
		t.Errorf("body %q", body)
	}
	other, err := Alone("Another text\n", spooled(t, came), "mail.example.com")
	if strings.Contains(written(t, other, err), id) {
		t.Error("two summaries have one identifier")
	}
	for _, m := range messages {
		c, err := Alone("x", spooled(t, m.text), "")
		if mail := written(t, c, err); !strings.Contains(mail, "@localhost>\r\n") || !strings.HasSuffix(mail, "\r\n\r\nx\r\n") {
			t.Errorf("%s: %q", m.reason, mail)
		}
	}
}

func TestThread(t *testing.T) {
	many := ""
	for i := range 100 {
		many += fmt.Sprintf("<%d@example.com> ", i)
	}
	for _, test := range []struct{ reason, header, about, references string }{
		{"the first", "Message-ID: <1@x>", "<1@x>", "<1@x>"},
		{"in a thread", "Message-ID: <3@x>\nReferences: <1@x> <2@x>\nIn-Reply-To: <2@x>", "<3@x>", "<1@x> <2@x> <3@x>"},
		{"an answer without references", "Message-ID: <3@x>\nIn-Reply-To: your mail <2@x>", "<3@x>", "<2@x> <3@x>"},
		{"an answer to several", "Message-ID: <3@x>\nIn-Reply-To: <1@x> <2@x>", "<3@x>", "<3@x>"},
		{"without an identifier", "References: <1@x>", "", ""},
		{"an identifier without brackets", "Message-ID: 1@x", "", ""},
		{"an identifier that is folded", "Message-ID:\n <1@x>", "<1@x>", "<1@x>"},
		{"text between, brackets that are no identifiers", "Message-ID: <3@x>\nReferences: (a < b) <1@x>, <> <ø@x> <a b> <2@x> <", "<3@x>", "<1@x> <2@x> <3@x>"},
		{"identifiers that are not closed", "Message-ID: <3@x>\nReferences: <0@x <1@x> <2@x>", "<3@x>", "<1@x> <2@x> <3@x>"},
		{"a long thread", "Message-ID: <x@x>\nReferences: " + many, "<x@x>", "<0@example.com> " + many[strings.Index(many, "<82@"):] + "<x@x>"},
	} {
		fields, err := ReadFields(strings.NewReader(test.header + "\n\nbody"))
		if err != nil {
			t.Fatal(err)
		}
		about, references := fields.Thread()
		if about != test.about || strings.Join(references, " ") != test.references {
			t.Errorf("%s: in reply to %s, references %q, want %s, %q", test.reason, about, references, test.about, test.references)
		}
	}
}

func TestFields(t *testing.T) {
	fields, err := ReadFields(strings.NewReader("From: A <a@x>,\n b@x\nsender: c@x\nREPLY-TO :d@x\nFrom: e@x\nEmpty:\nEmpty: \n full\nPrecedence: bulk\n\nFrom: f@x\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(fields.Addresses("From", "Reply-To", "Sender"), " "); got != "a@x b@x e@x d@x c@x" {
		t.Errorf("senders: %s", got)
	}
	if got := fields.Value("empty"); got != "full" {
		t.Errorf("a field that is empty first: %q", got)
	}
	if got := fields.All("precedence"); !cmp.Equal(got, []string{"bulk"}) {
		t.Errorf("precedence: %q", got)
	}
	if got := fields.Value("None"); got != "" {
		t.Errorf("no field: %q", got)
	}
}

func TestReturnPath(t *testing.T) {
	for value, want := range map[string]string{
		"<a@example.com>": "a@example.com", " a@example.com": "a@example.com", "<>": "<>", "< >": "<>", "<\"a b\"@example.com>": "\"a b\"@example.com",
		"<@one,@two:a@example.com>": "a@example.com", "<bjørn@example.com>": "bjørn@example.com", "": "none", "<": "none", "<a@example.com": "none", "<a>": "none", "<a b@example.com>": "none", "<a@example.com><b@example.com>": "none",
		"<a@example.com> SIZE=1": "a@example.com",
	} {
		fields, err := ReadFields(strings.NewReader("Return-Path:" + value + "\nReturn-Path: <second@example.com>\n\n"))
		if err != nil {
			t.Fatal(err)
		}
		if value == "" {
			fields = fields[:1]
		}
		address, ok := fields.ReturnPath()
		got := address
		switch {
		case !ok:
			got = "none"
		case address == "":
			got = "<>"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func TestAutomatic(t *testing.T) {
	for header, want := range map[string]bool{
		"From: a@example.com": false, "Auto-Submitted: no": false, "auto-submitted: Auto-Generated": false,
		"Auto-Submitted: auto-replied": true, "AUTO-SUBMITTED: Auto-Replied; owner-email=\"a@example.com\"": true, "Auto-Submitted: no\nAuto-Submitted: auto-replied": true,
		"List-Id: <x.example.com>": true, "list-id:": true, "List-Unsubscribe: <x>": false,
		"Precedence: Bulk": true, "Precedence: junk": true, "Precedence:list ": true, "Precedence: first-class": false,
		"Return-Path: <>": true, "Return-Path: <a@example.com>": false, "Return-Path:": false,
	} {
		fields, err := ReadFields(strings.NewReader(header + "\n\nList-Id: x\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := fields.Automatic(); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// What is read of senders can stand in an envelope, or in a field.
func FuzzSenders(f *testing.F) {
	f.Add("<a@example.com>", "A <a@example.com>, b@example.com")
	f.Add("<\"a\\\" b\"@example.com>", "group: a@example.com;")
	f.Fuzz(func(t *testing.T, path, reply string) {
		if strings.ContainsAny(path+reply, "\r\n") {
			return
		}
		fields, err := ReadFields(strings.NewReader("Return-Path: " + path + "\nReply-To: " + reply + "\n\n"))
		if err != nil {
			t.Fatal(err)
		}
		address, ok := fields.ReturnPath()
		if ok && strings.ContainsAny(address, "\x00\x7f\t\x1f") {
			t.Errorf("%q gives the sender %q", path, address)
		}
		if ok && address == "" && !strings.Contains(path, "<") {
			t.Errorf("%q gives the null sender", path)
		}
		for _, address := range fields.Addresses("Reply-To") {
			if strings.ContainsAny(address, "\r\n") || address == "" {
				t.Errorf("%q gives %q", reply, address)
			}
		}
	})
}

func draft(calendars ...string) *Draft {
	d := &Draft{From: "calendar@example.com", To: "b@example.com", Subject: "Svar på møteforespørsel " + strings.Repeat("om møte ", 10), Date: time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("", 3600))}
	for _, text := range calendars {
		d.Calendars = append(d.Calendars, Calendar{"REQUEST", []byte(text)})
	}
	return d
}

// sameDraft sees that all read from a draft what is in it.
func sameDraft(t *testing.T, d *Draft, mail string) {
	t.Helper()
	for name, read := range map[string]func(string) (map[string][]string, []part, error){"net/mail": readNet, "go-message": readGo} {
		header, parts, err := read(mail)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var want []part
		for _, c := range d.Calendars {
			want = append(want, part{"text/calendar", "map[charset:utf-8 method:" + c.Method + "]", onWire(string(c.Text))})
		}
		for i := range parts {
			parts[i].Body = onWire(parts[i].Body)
		}
		if diff := cmp.Diff(want, parts); diff != "" {
			t.Errorf("%s: parts (-want +got)\n%s", name, diff)
		}
		for key, want := range map[string]string{"Auto-Submitted": "auto-generated", "Date": d.Date.Format(time.RFC1123Z), "Mime-Version": "1.0"} {
			if got := header[key]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, not %q", name, key, got, want)
			}
		}
		if got := header["Message-Id"]; len(got) != 1 || !strings.HasPrefix(got[0], "<") {
			t.Errorf("%s: Message-ID is %q", name, got)
		}
		for key, want := range map[string]string{"From": d.From, "To": d.To} {
			list, err := netmail.Header(header).AddressList(key)
			if parsed, err := netmail.ParseAddress("<" + want + ">"); err == nil {
				want = parsed.Address // without quotes
			}
			if err != nil || len(list) != 1 || list[0].Address != want {
				t.Errorf("%s: %s is %v, %v, not %q", name, key, list, err, want)
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(header["Subject"][0])
		if want := strings.Join(strings.FieldsFunc(d.Subject, isControl), " "); err != nil || strings.Join(strings.Fields(subject), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%s: subject %q, %v, not %q", name, subject, err, want)
		}
	}
}

const calendarOne = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Møte=\r\nEND:VCALENDAR\r\n"
const calendarTwo = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:x\r\nEND:VCALENDAR\r\n"

func TestDraft(t *testing.T) {
	for _, d := range []*Draft{draft(calendarOne), draft(calendarTwo), draft(calendarOne, calendarTwo, calendarOne)} {
		c, err := d.Compose()
		mail := written(t, c, err)
		sameDraft(t, d, mail)
		for line := range strings.SplitSeq(mail, "\r\n") {
			if len(line) > 78 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' }) {
				t.Errorf("line %q", line)
			}
		}
		m, err := Read(strings.NewReader(mail), 1<<20, nil)
		if err != nil || len(m.Parts) != len(d.Calendars) || !cmp.Equal(m.From, []string{d.From}) {
			t.Errorf("we read %+v, %v", m, err)
		}
	}
	quoted := draft(calendarOne)
	quoted.To = `"a \"b\" c"@example.com`
	q, err := quoted.Compose()
	text := written(t, q, err)
	sameDraft(t, quoted, text)
	if !strings.Contains(text, "\r\nTo: <\"a \\\"b\\\" c\"@example.com>\r\n") {
		t.Errorf("a quoted address: %s", text)
	}
	d := draft(calendarOne)
	d.About = Fields{{Name: "Message-ID", Lines: [][]byte{[]byte("Message-ID: <1@example.com>")}}}
	c, err := d.Compose()
	mail := written(t, c, err)
	for _, want := range []string{"\r\nIn-Reply-To: <1@example.com>\r\n", "\r\nReferences: <1@example.com>\r\n", "\r\nMessage-Id: <imip-agent-"} {
		if strings.Count(mail, want) != 1 {
			t.Errorf("not once %q in\n%s", want, mail)
		}
	}
	for reason, bad := range map[string]func(*Draft){
		"no calendar": func(d *Draft) { d.Calendars = nil }, "no address": func(d *Draft) { d.To = "b" }, "a line break in an address": func(d *Draft) { d.From = "a\r\nBcc: c@example.com" },
		"no method": func(d *Draft) { d.Calendars[0].Method = "" }, "a method that is none": func(d *Draft) { d.Calendars[0].Method = "REQUEST; x=y" },
	} {
		d := draft(calendarOne)
		bad(d)
		if _, err := d.Compose(); err == nil {
			t.Errorf("no error: %s", reason)
		}
	}
}

func FuzzDraft(f *testing.F) {
	f.Add("Svar på møte", "bjørn@example.com", []byte(calendarOne), []byte(calendarTwo))
	f.Add(strings.Repeat("x", 200)+"\r\nBcc: c@example.com", "\"a b\"@example.com", []byte("From x\r\n.\r\n=\r\n"), []byte("\x00\r\xff"))
	f.Fuzz(func(t *testing.T, subject, to string, one, two []byte) {
		subject = strings.ToValidUTF8(subject, "?")
		if address, err := netmail.ParseAddress("<" + to + ">"); err != nil || address.Name != "" || strings.ContainsFunc(to, isControl) {
			return
		}
		for _, calendars := range [][]string{{string(one)}, {string(one), string(two)}} {
			for i := range calendars {
				calendars[i] = onWire(strings.ReplaceAll(calendars[i], "\r", ""))
			}
			d := draft(calendars...)
			d.Subject, d.To = subject, to
			c, err := d.Compose()
			sameDraft(t, d, written(t, c, err))
		}
	})
}

// TestSpool keeps messages of every size around the limit of what is in memory.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	line := strings.Repeat("x", 99) + "\n"
	for _, lines := range []int{0, 1, maxInMemory / 100, maxInMemory/100 + 1, maxInMemory / 10} {
		s := NewSpool(dir)
		for range lines {
			io.WriteString(s, line)
		}
		again := NewSpool(dir)
		if n, err := again.ReadFrom(s.Open()); err != nil || n != s.Size() || again.Digest() != s.Digest() {
			t.Errorf("%d lines: kept again are %d octets, %v", lines, n, err)
		}
		var b bytes.Buffer
		if n, err := s.WriteTo(&b); err != nil || n != s.Size() || b.String() != strings.Repeat(line, lines) {
			t.Errorf("%d lines: %d octets, %v", lines, n, err)
		}
		got, err := io.ReadAll(s.Open())
		if err != nil || len(got) != lines*100 {
			t.Errorf("%d lines: read %d octets, %v", lines, len(got), err)
		}
		if err := errors.Join(s.Close(), again.Close()); err != nil {
			t.Error(err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("left: %v, %v", entries, err)
		}
	}
	s := NewSpool(filepath.Join(dir, "none"))
	if _, err := s.Write(make([]byte, maxInMemory+1)); err == nil {
		t.Error("no error where there is no place for a file")
	}
	if _, err := s.WriteTo(io.Discard); err == nil {
		t.Error("a message that was kept in part is written")
	}
}

// A large mail is never in memory.
func TestLargeWrap(t *testing.T) {
	skip.OnOtherDays(t)
	s := NewSpool(t.TempDir())
	defer s.Close()
	io.WriteString(s, "From: a@example.com\n\n")
	line := strings.Repeat("x", 76) + "\n"
	for s.Size() < 40<<20 {
		if _, err := io.WriteString(s, line); err != nil {
			t.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 3 {
		c, err := Wrap("text", s)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.WriteTo(io.Discard); err != nil || n < s.Size() {
			t.Fatal(n, err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 2<<20 {
		t.Errorf("three mails took %d octets of memory", took)
	}
}
