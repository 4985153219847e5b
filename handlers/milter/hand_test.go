package milter

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"imip-agent/handlers/spool"
	"imip-agent/handlers/submission"
)

// What is handed in as a mail system does it is taken as it is, whatever its line breaks.
func TestHand(t *testing.T) {
	for name, test := range map[string]struct {
		login, client, text, want string
	}{
		"an invitation":          {"paul", "192.0.2.1:33", invitation, invitation},
		"with line feeds":        {"paul", "[2001:db8::1]:33", strings.ReplaceAll(within, "\r\n", "\n"), within},
		"with a line that is no": {"paul", "", "From somebody\r\nno field\r\n" + invitation, invitation},
		"nobody has logged in":   {"", "192.0.2.1:33", invitation, ""},
		"a host that is trusted": {"", "127.0.0.1:33", invitation, invitation},
		"an unknown host":        {"", "", invitation, ""},
		"a letter":               {"paul", "", "From: a@x\r\n\r\nhello\r\n", ""},
		"a header alone":         {"paul", "", "From: a@x\r\nContent-Type: text/calendar; method=REQUEST", "From: a@x\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n"},
		"nothing":                {"paul", "", "", ""},
		"a large one":            {"paul", "", within + strings.Repeat("x\r\n", 200_000), within + strings.Repeat("x\r\n", 200_000)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			verdict, err := Hand(s.socket, Envelope{Login: test.login, Client: test.client, Helo: "client", From: "p@example.com", To: []string{"v@example.com"}},
				strings.NewReader(test.text))
			if verdict != submission.Accept || err != nil {
				t.Errorf("verdict %v, %v", verdict, err)
			}
			all := s.all()
			if test.want == "" {
				if len(all) > 0 {
					t.Errorf("taken: %+v", all)
				}
				return
			}
			if len(all) != 1 || all[0].text != test.want || all[0].Sender != "p@example.com" {
				t.Errorf("taken: %.2000s", fmt.Sprintf("%+v", all))
			}
		})
	}
}

func TestHandFailures(t *testing.T) {
	e := Envelope{Login: "paul", From: "p@example.com", To: []string{"v@example.com"}}
	s := newSite(t)
	s.Refuse, s.broken = true, spool.ErrFull
	if verdict, err := Hand(s.socket, e, strings.NewReader(invitation)); verdict != submission.Later || err != nil {
		t.Errorf("verdict %v, %v", verdict, err)
	}
	if _, err := Hand(s.socket, e, unreadable{}); !errors.Is(err, errAway) {
		t.Errorf("a mail that cannot be read: %v", err)
	}
	if _, err := Hand(filepath.Join(t.TempDir(), "nothing"), e, strings.NewReader(invitation)); err == nil {
		t.Error("no milter, and no error")
	}
}

var errAway = errors.New("away")

type unreadable struct{}

func (unreadable) Read([]byte) (int, error) { return 0, errAway }
