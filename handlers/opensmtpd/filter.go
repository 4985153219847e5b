// Package opensmtpd takes the mail that users send from OpenSMTPD, as one of its filters (smtpd-filters(7)), to what
// decides about it: see package submission.
//
// smtpd starts a filter once, and ends if the filter does. So a [Filter] ends when its input does, and never before:
// what it does not understand it passes over, and what it must answer it answers. It goes on with each line of a mail at once,
// as it came, whatever it thinks of the mail. It keeps a copy of mail that counts. When the mail is complete, smtpd
// asks whether it may be committed; the answer waits until the message is on disk. Other mails go on meanwhile.
//
// The versions 0.5 to 0.7 of the protocol are known, which OpenSMTPD has from 6.6 on. A later one is taken for 0.7.
package opensmtpd

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"imip-agent/handlers/submission"
)

// Filter is a filter. It runs once.
type Filter struct {
	// Gate returns what mail goes through. It is called for each mail. An error is logged, and the mail goes on.
	Gate func() (*submission.Gate, error)
	Log  *slog.Logger

	sessions map[string]*session
	out      output
	commits  sync.WaitGroup
	slots    chan struct{}
}

// mostCommits is how many mails are put into the spool at once.
const mostCommits = 16

// session is a client of smtpd. It has one mail after another.
type session struct {
	login   string // empty: nobody has logged in
	host    string // the client's address
	mail    string // smtpd's name for the mail
	from    string // of its envelope
	begun   bool   // lines of it have come
	header  bool   // these are of its header
	whole   bool   // all of it has come
	later   bool   // it is to be refused for now
	message *submission.Message
}

// Run reads what smtpd says, and answers, until smtpd says no more. The error is that of reading; the end of the
// input is none.
func (f *Filter) Run(in io.Reader, out io.Writer) error {
	f.sessions = map[string]*session{}
	f.slots = make(chan struct{}, mostCommits)
	f.out.w = bufio.NewWriterSize(out, 64<<10)
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := r.ReadBytes('\n') // smtpd limits the lines of its clients
		if text, whole := bytes.CutSuffix(line, []byte{'\n'}); whole {
			f.handle(string(text))
		}
		if err == nil && r.Buffered() > 0 {
			continue
		}
		f.out.flush()
		if err == nil {
			continue
		}
		f.commits.Wait()
		for _, s := range f.sessions {
			s.forget()
		}
		if err == io.EOF {
			return nil
		}
		return err
	}
}

// events are the reports that smtpd is asked for.
var events = []string{"link-connect", "link-disconnect", "link-auth", "tx-begin", "tx-mail", "tx-reset", "tx-rollback", "tx-commit"}

// phases are what smtpd asks the filter about.
var phases = []string{"data-line", "commit"}

// handle handles a line of smtpd. A panic costs that line only.
func (f *Filter) handle(line string) {
	defer func() {
		if value := recover(); value != nil {
			f.Log.Error("internal error in the filter", "error", value, "stack", string(debug.Stack()))
		}
	}()
	kind, rest, _ := strings.Cut(line, "|")
	switch kind {
	case "config":
		if rest == "ready" {
			for _, event := range events {
				f.out.line("register|report|smtp-in|" + event)
			}
			for _, phase := range phases {
				f.out.line("register|filter|smtp-in|" + phase)
			}
			f.out.line("register|ready")
		}
	case "report", "filter":
		// version|time|smtp-in|event|session|words of the event
		words := strings.SplitN(rest, "|", 6)
		if len(words) < 5 || words[2] != "smtp-in" {
			f.Log.Warn("smtpd says what is not understood", "line", clipped(line))
			return
		}
		more := ""
		if len(words) == 6 {
			more = words[5]
		}
		if kind == "report" {
			f.report(words[0], words[3], words[4], more)
			return
		}
		token, parameter, _ := strings.Cut(more, "|")
		f.ask(words[3], words[4], token, parameter)
	default:
		f.Log.Warn("smtpd says what is not understood", "line", clipped(line))
	}
}

// clipped returns the beginning of a line, for the log.
func clipped(line string) string { return line[:min(len(line), 200)] }

// report takes an event of a session.
func (f *Filter) report(version, event, id, words string) {
	if event == "link-connect" { // name|whether it is the address's|address:port|our address:port
		fields := strings.Split(words, "|")
		f.sessions[id] = &session{host: host(fields[max(0, len(fields)-2)])}
		return
	}
	s := f.sessions[id]
	if s == nil {
		return
	}
	switch event {
	case "link-disconnect":
		s.forget()
		delete(f.sessions, id)
	case "link-auth":
		result, login := "", ""
		if since(version, 7) {
			result, login, _ = strings.Cut(words, "|")
		} else if i := strings.LastIndexByte(words, '|'); i >= 0 {
			login, result = words[:i], words[i+1:]
		}
		if result == "pass" {
			s.login = login
		}
	case "tx-begin":
		s.forget()
		s.mail = words
	case "tx-mail":
		name, rest, _ := strings.Cut(words, "|")
		result, address, _ := strings.Cut(rest, "|")
		if !since(version, 6) {
			if i := strings.LastIndexByte(rest, '|'); i >= 0 {
				address, result = rest[:i], rest[i+1:]
			}
		}
		if result == "ok" {
			s.mail, s.from = name, address
		}
	default: // the end of a mail
		s.forget()
	}
}

// since reports whether a version of the protocol is 0.MINOR, or later. What is no version is later.
func since(version string, minor int) bool {
	major, rest, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(rest)
	return major != "0" || err != nil || n >= minor
}

// host returns the address of ADDRESS:PORT. Clients of smtpd's own socket are on this machine.
func host(place string) string {
	if strings.HasPrefix(place, "unix:") || place == "local" {
		return "127.0.0.1"
	}
	address, _, err := net.SplitHostPort(place)
	if err != nil {
		return place
	}
	return strings.TrimPrefix(address, "IPv6:")
}

// ask answers a question of smtpd.
func (f *Filter) ask(phase, id, token, parameter string) {
	s := f.sessions[id]
	switch phase {
	case "data-line":
		f.out.line("filter-dataline|" + id + "|" + token + "|" + parameter)
		if s != nil {
			f.dataLine(s, parameter)
		}
	case "commit":
		if s != nil && s.message != nil && s.whole {
			f.commit(id, token, s.message, s.mail)
			s.message = nil
			return
		}
		f.answer(id, token, s != nil && s.later)
	default:
		f.answer(id, token, false)
	}
}

// answer answers whether a mail may be committed.
func (f *Filter) answer(id, token string, later bool) {
	result := "proceed"
	if later {
		result = "reject|451 4.3.0 The calendar cannot take this mail now, try again later"
	}
	f.out.line("filter-result|" + id + "|" + token + "|" + result)
}

// dataLine takes a line of a mail, dots at its beginning doubled.
func (f *Filter) dataLine(s *session, line string) {
	if !s.begun {
		s.begun, s.header = true, true
		gate, err := f.Gate()
		if err != nil {
			f.Log.Error("mail goes on, and the calendar does not know of it", "login", s.login, "error", err)
			return
		}
		var verdict submission.Verdict
		s.message, verdict = gate.Begin(submission.Sender{Login: s.login, Trusted: gate.Trusts(s.host), Address: s.from, Source: "opensmtpd"})
		s.judge(verdict)
	}
	if s.message == nil {
		return
	}
	if line == "." {
		s.whole = true
		return
	}
	line = strings.TrimSuffix(strings.TrimPrefix(line, "."), "\r") // RFC 5321 section 4.5.2
	s.judge(s.message.Write([]byte(line + "\r\n")))
	if s.header && line == "" && s.message != nil {
		s.header = false
		s.judge(s.message.Header())
	}
}

// judge ends a message whose verdict there is.
func (s *session) judge(verdict submission.Verdict) {
	if verdict == submission.More {
		return
	}
	if s.message != nil {
		s.message.Forget()
		s.message = nil
	}
	s.later = verdict == submission.Later
}

// commit puts a message into the spool, and answers then.
func (f *Filter) commit(id, token string, message *submission.Message, name string) {
	f.commits.Go(func() {
		f.slots <- struct{}{}
		verdict := message.End(name)
		<-f.slots
		message.Forget()
		f.answer(id, token, verdict == submission.Later)
		f.out.flush()
	})
}

// forget forgets the mail of a session.
func (s *session) forget() {
	if s.message != nil {
		s.message.Forget()
	}
	*s = session{login: s.login, host: s.host}
}

// output is what smtpd reads. When smtpd is gone, nothing is written any more.
type output struct {
	mu sync.Mutex
	w  *bufio.Writer
}

func (o *output) line(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w.WriteString(text) // the writer keeps an error, and smtpd closes our input when it ends
	o.w.WriteByte('\n')
}

func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w.Flush()
}
