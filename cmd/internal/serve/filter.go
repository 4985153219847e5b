package serve

import (
	"errors"
	"io"
	"log/slog"
	"sync"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/conf"
	"imip-agent/handlers/opensmtpd"
	"imip-agent/handlers/outgoing"
	"imip-agent/handlers/spool"
	"imip-agent/handlers/submission"
)

// NewFilter returns a filter for OpenSMTPD. It puts messages into the spool of a site, which the service handles. The
// configuration is read with the first mail, and again with each one until it can be read.
func NewFilter(options site.Given, env process.Environment) *opensmtpd.Filter {
	var mu sync.Mutex
	var gate *submission.Gate
	return &opensmtpd.Filter{
		Log: slog.New(slog.NewTextHandler(env.Stderr, nil)), // which smtpd has in its own log
		Gate: func() (*submission.Gate, error) {
			mu.Lock()
			defer mu.Unlock()
			if gate != nil {
				return gate, nil
			}
			var err error
			gate, err = openGate(options, env)
			return gate, err
		},
	}
}

func openGate(options site.Given, env process.Environment) (*submission.Gate, error) {
	s, err := site.Configure(options, env, nil)
	if err != nil {
		return nil, err
	}
	c := &s.Config
	s.OpenLog(env)
	who, err := loadSenders(s, c)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	dir := Spool(s, env)
	dir.MostMessages, dir.MostOctets = c.SpoolLimit, c.SpoolSize // the service, which knows what is there, may be away
	return &submission.Gate{
		Taker: &outgoing.Later{Spool: &putter{dir, s.Log}, Limit: c.MessageSizeLimit},
		// Each time anew: the file may have changed, and nobody tells a filter.
		User: func(login string) (string, error) {
			logins, _, err := conf.LoadLogins(c.Logins, c.LoginDomain)
			return logins.Address(login), err
		},
		Trusted: who.trusts,
		Refuse:  c.MilterRefuse, Most: c.ServeSize, Log: s.Log,
	}, nil
}

// putter puts messages into a spool that another process looks at.
type putter struct {
	dir *spool.Dir
	log *slog.Logger
}

func (p *putter) Put(note spool.Note, message io.WriterTo, size int64) error {
	item, err := p.dir.Put(note, message, size)
	if err == nil {
		p.log.Info("spooled", "id", item.ID, "user", item.Lane(), "source", item.Source, "mail", item.Mail)
	}
	return err
}
