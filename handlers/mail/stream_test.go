package mail

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/tests/skip"
)

// repeated is text over and over again, size octets long: as large as one likes.
func repeated(text string, size int64) io.Reader {
	return io.LimitReader(&repeater{text: text}, size)
}

type repeater struct {
	text string
	pos  int
}

func (r *repeater) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		copied := copy(p[n:], r.text[r.pos:])
		n += copied
		r.pos = (r.pos + copied) % len(r.text)
	}
	return n, nil
}

// huge is a mail of which a piece is repeated until it has this size.
type huge struct {
	reason, before, repeated string
	size                     int64
	after                    string
	want                     []string // the UIDs
	unread                   string
}

func (h huge) reader() io.Reader {
	return io.MultiReader(strings.NewReader(h.before), repeated(h.repeated, h.size), strings.NewReader(h.after))
}

// watch notes how much memory is in use while it is read from.
type watch struct {
	io.Reader
	reads int
	most  int64 // octets more than at first
	first int64
}

func (w *watch) Read(p []byte) (int, error) {
	if w.reads++; w.reads == 1 || w.reads%100 == 0 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		if w.reads == 1 {
			w.first = int64(stats.HeapAlloc)
		}
		w.most = max(w.most, int64(stats.HeapAlloc)-w.first)
	}
	return w.Reader.Read(p)
}

// TestHuge reads mail that is larger than what may be kept of it: attachments cost no memory,
// and neither do things that are made to cost some.
func TestHuge(t *testing.T) {
	skip.OnOtherDays(t)
	const size = 6 << 20
	lines := strings.Repeat("QUJD", 19) + "\r\n"
	open := head + "Content-Type: multipart/mixed; boundary=B\r\n\r\n"
	attachment := "--B\r\nContent-Type: video/mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	part := func(uid string) string { return "\r\n--B\r\n" + entity(uid) }
	for _, test := range []huge{
		{"an attachment before the calendar", open + attachment, lines, size, part("a") + "\r\n--B--\r\n", []string{"a"}, ""},
		{"an attachment after the calendar", open + part("a") + attachment, lines, size, "\r\n--B--\r\n", []string{"a"}, ""},
		{"an attachment that never ends", open + part("a") + attachment, lines, size, "", []string{"a"}, ""},
		{"an attachment in one line", open + attachment, "QUJD", size, part("a"), []string{"a"}, ""},
		{"an attachment of line breaks", open + attachment, "\r\n", size, part("a"), []string{"a"}, ""},
		{"an attachment of dashes", open + attachment, "--x\n", size, part("a"), []string{"a"}, ""},
		{"an attached calendar, which is no message", open + strings.Replace(attachment, "video/mp4", "text/calendar", 1), lines, size, part("a"), []string{"a"}, ""},
		{"an enclosed message", open + "--B\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n", lines, size, part("a"), []string{"a"}, ""},
		{"enclosed messages", open, "\r\n--B\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ntext" + strings.Repeat(" x", 500), size / 4, part("a"), []string{"a"}, ""},
		{"a preamble", open, lines, size, part("a"), []string{"a"}, ""},
		{"an epilogue", open + part("a") + "\r\n--B--\r\n", lines, size, part("b"), []string{"a"}, ""},
		{"a wrong boundary", strings.Replace(open, "=B", "=C", 1) + attachment, lines, size, part("a"), []string{"a"}, ""},
		{"no boundary", strings.Replace(open, "boundary=B", "", 1) + attachment, lines, size, part("a"), []string{"a"}, ""},
		{"CR for line breaks", strings.ReplaceAll(open+attachment, "\r\n", "\r"), strings.ReplaceAll(lines, "\r\n", "\r"), size, strings.ReplaceAll(part("a"), "\r\n", "\r"), []string{"a"}, ""},
		{"no MIME", head + "\r\n", "text\r\n", size, "", nil, ""},
		{"no mail", "", "\x00", size, "", nil, ""},
		{"noise", "", "noise", size, "", nil, ""},
		{"blank lines before the header", "", "\r\n", size, head + entity("a"), []string{"a"}, ""},
		{"a header without end", head, "X-Spam: yes\r\n", size, "", nil, ""},
		{"a long header", head, "X-Spam: yes\r\n", size, "\r\n" + entity("a"), nil, ""},
		{"a long header with the media type at its end", head, "X-Spam: yes\r\n", size, "Content-Type: text/calendar; method=REQUEST\r\n\r\n" + event("a"), []string{"a"}, ""},
		{"a field without end", head + "X-Spam: ", "x", size, "", nil, ""},
		{"a long field", head + "X-Spam: ", "x", size, "\r\n" + entity("a"), []string{"a"}, ""},
		{"a field of many lines", head + "X-Spam:", " x\r\n", size, entity("a"), []string{"a"}, ""},
		{"senders", head, "From: a@example.com\r\n", size, entity("a"), []string{"a"}, ""},
		{"a sender of many lines", "From: x\r\n", "\tx@example.com,\r\n", size, entity("a"), []string{"a"}, ""},
		{"a header that is none", "", "what is this\r\n", size, entity("a"), nil, ""},
		{"a calendar in the header", head, event("b"), size, entity("a"), nil, ""},
		{"no blank line before base64", head + "Content-Type: video/mp4\r\nContent-Transfer-Encoding: base64\r\n", lines, size, "", nil, ""},
		{"parts", open, "--B\r\n\r\n", size, part("a"), nil, "more than 100000 parts"},
		{"parts with headers", open, "--B\r\nContent-Type: multipart/mixed\r\nX-Spam: " + strings.Repeat("x", 1000) + "\r\n\r\n", 2 * size, part("a"), nil, "more than"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			test.size -= test.size % int64(max(1, len(test.repeated)))
			watched := &watch{Reader: test.reader()}
			m, err := Read(watched, 1<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, uids(m)); diff != "" {
				t.Errorf("UIDs of the calendar parts (-want +got)\n%s", diff)
			}
			if got := strings.Join(m.Unread, "\n"); (got == "") != (test.unread == "") || !strings.Contains(got, test.unread) {
				t.Errorf("unread: %q, want %q", got, test.unread)
			}
			if kept := len(m.Source); kept > maxStructure+maxHeader {
				t.Errorf("%d octets are kept", kept)
			}
			if all := int64(len(test.before)+len(test.after)) + test.size; int64(len(m.Source))+m.LeftOut != all {
				t.Errorf("%d octets are kept and %d left out of %d", len(m.Source), m.LeftOut, all)
			}
			if watched.most > 8<<20 && test.unread == "" || watched.most > 3*maxStructure {
				t.Errorf("%d MiB of memory", watched.most>>20)
			}
			again, err := Read(bytes.NewReader(m.Source), 1<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, uids(again)); diff != "" {
				t.Errorf("UIDs of the calendar parts in what was kept (-want +got)\n%s", diff)
			}
		})
	}
}

// TestOverTheLimit reads mail with too much calendar data: it is written elsewhere, all of it
// but attachments, and what came before is read.
func TestOverTheLimit(t *testing.T) {
	skip.OnOtherDays(t)
	small := multipart("mixed", "B", entity("a"), entity(strings.Repeat("b", 3000)), entity("c"))
	encoded := "Content-Type: multipart/mixed; boundary=B\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped("--B\r\n"+entity(strings.Repeat("b", 3000)))
	for _, test := range []struct {
		reason, mail string
		want         []string
	}{
		{"the second part", head + small, []string{"a"}},
		{"the only part", head + entity(strings.Repeat("a", 3000)), nil},
		{"base64", head + "Content-Type: text/calendar; method=REQUEST\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(event(strings.Repeat("a", 3000))), nil},
		{"a multipart in base64", head + encoded, nil},
		{"the rest is large", head + small + strings.Repeat("x", 3<<20), []string{"a"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var aside bytes.Buffer
			m, err := Read(strings.NewReader(test.mail), 2000, func() (io.Writer, error) { return &aside, nil })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, uids(m)); diff != "" {
				t.Errorf("UIDs of the calendar parts (-want +got)\n%s", diff)
			}
			if len(m.Unread) != 1 || !strings.Contains(m.Unread[0], "more than 2000 octets of calendar data") {
				t.Errorf("unread: %q", m.Unread)
			}
			if aside.String() != test.mail || m.Source != nil || m.LeftOut != 0 {
				t.Errorf("%d octets of %d are put aside", aside.Len(), len(test.mail))
			}
		})
	}
	full := io.ErrShortWrite
	rest := strings.NewReader(head + small)
	if _, err := Read(rest, 2000, func() (io.Writer, error) { return nil, full }); err == nil || rest.Len() > 0 {
		t.Errorf("error %v, %d octets are not read", err, rest.Len())
	}
}

// TestPieces checks that it makes no difference in which pieces a mail comes in, which is
// another at each delivery: what is put aside twice is to be the same.
func TestPieces(t *testing.T) {
	skip.OnOtherDays(t)
	random := rand.New(rand.NewPCG(1, 2))
	lines := strings.Repeat("QUJD", 19) + "\r\n"
	for n := range 30 {
		var parts []string
		for i := range 1 + random.IntN(6) {
			switch random.IntN(5) {
			case 0:
				parts = append(parts, entity(fmt.Sprint(i)))
			case 1:
				parts = append(parts, enclosed("X: y\r\n"+multipart("mixed", "C", strings.Repeat(lines, random.IntN(10_000)), entity("no"))))
			case 2:
				parts = append(parts, strings.Replace(multipart("mixed", "D", strings.Repeat(lines, random.IntN(10_000)), entity(fmt.Sprint(i))), "boundary", "bound", random.IntN(2)))
			default:
				parts = append(parts, "Content-Type: image/png\r\n\r\n"+strings.Repeat(lines, random.IntN(20_000)))
			}
		}
		text := head + multipart("mixed", "B", parts...)
		want, err := Read(strings.NewReader(text), 1<<20, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(&pieces{strings.NewReader(text), random}, 1<<20, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(uids(want), uids(got)); diff != "" {
			t.Errorf("%d: UIDs (-want +got)\n%s", n, diff)
		}
		if !bytes.Equal(want.Source, got.Source) || want.LeftOut != got.LeftOut {
			t.Errorf("%d: %d and %d octets are kept, which differ; %d and %d left out", n, len(want.Source), len(got.Source), want.LeftOut, got.LeftOut)
		}
	}
}

// pieces reads in pieces of any size.
type pieces struct {
	r      io.Reader
	random *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	return p.r.Read(b[:1+p.random.IntN(len(b))])
}
