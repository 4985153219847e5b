package main

import (
	"context"
	"os"
	"strings"
	"time"

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
		return connection.Ask("", to), nil
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
