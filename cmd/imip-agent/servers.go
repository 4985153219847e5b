package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/d--j/go-milter"

	"imip-agent/conf"
	"imip-agent/handlers/deliver"
	"imip-agent/tools/doctor"
)

// answerWithin is how long a server may take for each answer to a question.
const answerWithin = 10 * time.Second

// askServers returns what asks a mail server, as imip_person would hand a mail over, whether it takes mail for
// addresses.
func askServers(config conf.Config) doctor.Ask {
	return func(ctx context.Context, kind doctor.ServerKind, place string, to []string) ([]error, error) {
		var server *deliver.Server
		var err error
		if kind == doctor.LMTP {
			server, err = deliver.LMTPServer(place)
		} else {
			server, err = deliver.SMTPServer(place)
		}
		if err != nil {
			return nil, err
		}
		if kind == doctor.LocalSMTP {
			server.Prefix = config.LocalPrefix
		}
		server.Name, _ = os.Hostname() // at worst servers get to know none
		server.Patience = answerWithin
		connection, err := server.Connect(ctx)
		if err != nil {
			return nil, err
		}
		defer connection.Close()
		if len(to) == 0 {
			return nil, nil
		}
		results := connection.Ask("", to)
		for i, err := range results {
			if refused := (*deliver.RefusedError)(nil); errors.As(err, &refused) {
				results[i] = fmt.Errorf("%d %s", refused.Code, refused.Text) // who refuses whom is said with it
			}
		}
		return results, nil
	}
}

// reachAs returns what tries whether a user can get to a mailbox server.
func reachAs(config conf.Config, user, group string) func(context.Context, string) error {
	return func(ctx context.Context, place string) error {
		if strings.HasPrefix(place, "/") {
			if err := doctor.MayOpen(ctx, user, group, place); err != nil {
				return err
			}
		}
		_, err := askServers(config)(ctx, doctor.LMTP, place, nil)
		return err
	}
}

// handIn hands in a message to the service, as a mail system does whose client has logged in.
func handIn(ctx context.Context, network, address, login, message string) error {
	macros := milter.NewMacroBag()
	macros.Set(milter.MacroAuthAuthen, login)
	dialer := net.Dialer{Timeout: answerWithin}
	client := milter.NewClient(network, address, milter.WithDialer(dialContext{ctx, dialer}), milter.WithReadTimeout(answerWithin), milter.WithWriteTimeout(answerWithin))
	session, err := client.Session(macros)
	if err != nil {
		return err
	}
	defer session.Close()
	if message == "" {
		return nil
	}
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	steps := []func() (*milter.Action, error){
		func() (*milter.Action, error) { return session.Conn("localhost", milter.FamilyInet, 1, "127.0.0.1") },
		func() (*milter.Action, error) { return session.Helo("localhost") },
		func() (*milter.Action, error) { return session.Mail(login, "") },
		func() (*milter.Action, error) { return session.Rcpt(login, "") },
		session.DataStart,
	}
	for field := range strings.SplitSeq(head, "\r\n") {
		name, value, _ := strings.Cut(field, ":")
		steps = append(steps, func() (*milter.Action, error) { return session.HeaderField(name, value, nil) })
	}
	steps = append(steps, session.HeaderEnd,
		func() (*milter.Action, error) { return session.BodyChunk([]byte(body)) },
		func() (*milter.Action, error) { _, action, err := session.End(); return action, err })
	for i, step := range steps {
		action, err := step()
		switch {
		case err != nil:
			return err
		case action.Type == milter.ActionAccept && i < len(steps)-1:
			return fmt.Errorf("the service does not count mail of %s (LOGINS, LOGIN_DOMAIN)", login)
		case action.Type != milter.ActionAccept && action.Type != milter.ActionContinue && action.Type != milter.ActionSkip:
			return fmt.Errorf("the service refuses it: %s", action.SMTPReply)
		}
	}
	return nil
}

// dialContext dials as long as a context lasts.
type dialContext struct {
	ctx context.Context
	net.Dialer
}

func (d dialContext) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(d.ctx, network, address)
}
