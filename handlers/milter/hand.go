package milter

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/d--j/go-milter"
	"github.com/d--j/go-milter/milterutil"
	"golang.org/x/text/transform"

	"imip-agent/handlers/submission"
)

// Envelope is what is known of a mail besides its text.
type Envelope struct {
	Login  string // of the client; empty: nobody has logged in
	Client string // its address, or ADDRESS:PORT; empty: unknown
	Helo   string // what it calls itself
	From   string
	To     []string // one at least
}

// Hand hands a mail in to the milter at a place, a path or HOST:PORT, as a mail system does, and returns what becomes of the mail. It is for
// mail systems that do not know the protocol. Line breaks of any kind become CRLF. It may read less than all of r. After an error the
// milter may have the mail or not.
func Hand(place string, e Envelope, r io.Reader) (submission.Verdict, error) {
	network := "tcp"
	if strings.Contains(place, "/") {
		network = "unix"
	}
	macros := milter.NewMacroBag()
	macros.Set(milter.MacroAuthAuthen, e.Login)
	s, err := milter.NewClient(network, place, milter.WithReadTimeout(handTime), milter.WithWriteTimeout(handTime), milter.WithActions(milter.OptSetMacros)).Session(macros)
	if err != nil {
		return submission.More, err
	}
	defer s.Close()
	family, port, address := milter.FamilyUnknown, uint16(0), e.Client
	if host, _, err := net.SplitHostPort(e.Client); err == nil {
		address = host
	}
	if ip := net.ParseIP(address); ip.To4() != nil {
		family = milter.FamilyInet
	} else if ip != nil {
		family = milter.FamilyInet6
	} else {
		address = ""
	}
	h := handing{ClientSession: s, r: bufio.NewReader(transform.NewReader(r, &milterutil.CrLfCanonicalizationTransformer{}))}
	h.step(func() (*milter.Action, error) { return s.Conn("localhost", family, port, address) })
	h.step(func() (*milter.Action, error) { return s.Helo(e.Helo) })
	h.step(func() (*milter.Action, error) { return s.Mail(e.From, "") })
	for _, to := range e.To {
		h.step(func() (*milter.Action, error) { return s.Rcpt(to, "") })
	}
	h.step(s.DataStart)
	h.header()
	h.step(s.HeaderEnd)
	h.step(func() (*milter.Action, error) {
		if _, err := h.r.Peek(1); err == io.EOF { // the library wants some body before the end
			if action, err := s.BodyChunk(nil); err != nil || action.Type != milter.ActionContinue && action.Type != milter.ActionSkip {
				return action, err
			}
		}
		_, action, err := s.BodyReadFrom(h.r)
		return action, err
	})
	if h.err == nil && h.verdict == submission.More {
		h.err = errors.New("the milter has no answer at the end of the mail")
	}
	return h.verdict, h.err
}

// handTime is how long the milter may take for an answer.
const handTime = 30 * time.Second

// handing is a mail that is being handed in, until there is a verdict or an error.
type handing struct {
	*milter.ClientSession
	r       *bufio.Reader
	verdict submission.Verdict
	err     error
}

// step does what comes next.
func (h *handing) step(do func() (*milter.Action, error)) {
	if h.err != nil || h.verdict != submission.More {
		return
	}
	action, err := do()
	switch {
	case err != nil:
		h.err = err
	case action.Type == milter.ActionContinue || action.Type == milter.ActionSkip:
	case action.Type == milter.ActionAccept:
		h.verdict = submission.Accept
	case action.Type == milter.ActionTempFail:
		h.verdict = submission.Later
	default:
		h.err = fmt.Errorf("the milter answers %v", action)
	}
}

// header hands in the fields of the header. Lines that are no field are left out.
func (h *handing) header() {
	name, value := "", ""
	field := func() {
		if name != "" {
			h.step(func() (*milter.Action, error) { return h.HeaderField(name, value, nil) })
		}
		name, value = "", ""
	}
	for h.err == nil && h.verdict == submission.More {
		line, err := h.r.ReadString('\n')
		if err != nil && err != io.EOF {
			h.err = err
			return
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if name != "" {
				value += "\n" + line
			}
			continue
		}
		field()
		name, value, _ = strings.Cut(line, ":")
		if len(name) == len(line) {
			name = "" // no field
		}
	}
	field()
}
