package milter

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"imip-agent/conf"
	"imip-agent/handlers/spool"
)

// fuzzPut puts messages into a spool in files.
type fuzzPut struct{ dir *spool.Dir }

func (p fuzzPut) Put(note spool.Note, message io.WriterTo, size int64) error {
	_, err := p.dir.Put(note, message, size)
	return err
}

// FuzzMacros has a mail system say anything in its macros, and of the sender. What gets into the spool can be read there: it is
// the whole message, of the one user whom the login means, and of nobody where it means nobody.
func FuzzMacros(f *testing.F) {
	f.Add("paul", "4bX", "p@example.com")
	f.Add("Paul@Example.com", "", "")
	f.Add("nobody at all@", "a\r\nX-Imip-Agent-User: simon@example.com", "p@example.com\r\nX-Imip-Agent-Size: 0\r\n\r\n")
	f.Add("../../paul@example.com", strings.Repeat("x", 70_000), "\xff\x7f<>")
	f.Add("paul@example.com/../simon@example.com", "%s", "\"a b\"@x")
	f.Add(strings.Repeat("p", 2000)+"@example.com", "1", "p@example.com")
	logins, _, err := conf.LoadLogins("", "example.com")
	if err != nil {
		f.Fatal(err)
	}
	s := newSite(f)
	s.User = func(login string) (string, error) { return logins.Address(login), nil }
	dir := &spool.Dir{Path: f.TempDir(), Now: func() time.Time { return time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC) }}
	s.put = fuzzPut{dir}.Put
	f.Fuzz(func(t *testing.T, login, queue, from string) {
		if strings.ContainsRune(login+queue+from, 0) || len(login)+len(queue)+len(from) > 1<<20 {
			return // no macro can have it
		}
		c, err := net.Dial("unix", s.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		text := negotiation + packet('C', "c\x004\x00\x19192.0.2.1\x00") + packet('D', "M{auth_authen}\x00"+login+"\x00") + packet('M', from+"\x00") +
			packet('L', "Content-Type\x00 text/calendar; method=REQUEST\x00") + packet('N', "") + packet('B', calendar) +
			packet('D', "Ei\x00"+queue+"\x00") + packet('E', "")
		if _, err := io.WriteString(c, text); err == nil {
			c.(*net.UnixConn).CloseWrite()
			io.Copy(io.Discard, c)
		}
		ids, err := dir.IDs()
		if err != nil {
			t.Fatal(err)
		}
		user := logins.Address(login)
		if len(ids) > 1 || len(ids) == 1 && user == "" {
			t.Errorf("%d messages are in the spool, of %q", len(ids), login)
		}
		for _, id := range ids {
			m, err := dir.Open(id)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(m)
			m.Close()
			if err != nil || string(content) != "Content-Type: text/calendar; method=REQUEST\r\n\r\n"+calendar || m.User != user {
				t.Errorf("of %q the spool has %q for %q, %v", login, content, m.User, err)
			}
			if err := dir.Drop(id); err != nil {
				t.Fatal(err)
			}
		}
	})
}
