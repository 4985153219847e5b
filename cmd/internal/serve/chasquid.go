package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers/milter"
	"imip-agent/handlers/submission"
)

// hookTime is how long a message may take: after a minute chasquid ends its hook, and refuses the mail.
const hookTime = 40 * time.Second

// Chasquid hands the message on standard input in to the service, as the environment of chasquid's hook post-data says. An
// error is one with [process.ExitTemporary], if the service wants the mail refused for now. Any other failure is logged,
// and no error.
func Chasquid(ctx context.Context, options site.Given, env process.Environment) error {
	verdict, err := handIn(ctx, options, env)
	if err != nil {
		fmt.Fprintf(env.Stderr, "%s: the mail goes out, and the calendar does not know of it: %v\n", env.Program, err)
	}
	if verdict == submission.Later {
		fmt.Fprintln(env.Stdout, "the calendar cannot take this mail now, try again later") // chasquid tells the client
		return &process.ExitError{Code: process.ExitTemporary}
	}
	return nil
}

func handIn(ctx context.Context, options site.Given, env process.Environment) (submission.Verdict, error) {
	s, err := site.Configure(options, env, nil)
	if err != nil {
		return submission.Accept, err
	}
	if s.Config.MilterSocket == "" {
		return submission.Accept, errors.New("the service takes no mail that users send (MILTER_SOCKET)")
	}
	s.OpenLog(env)
	defer s.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, hookTime, fmt.Errorf("not done within %v", hookTime))
	defer cancel()
	e := milter.Envelope{
		Login: env.Getenv("AUTH_AS"), Client: env.Getenv("REMOTE_ADDR"), Helo: env.Getenv("EHLO_DOMAIN"),
		From: env.Getenv("MAIL_FROM"), To: strings.Fields(env.Getenv("RCPT_TO")),
	}
	type result struct {
		verdict submission.Verdict
		err     error
	}
	done := make(chan result, 1)
	go func() {
		verdict, err := milter.Hand(s.Config.MilterSocket, e, env.Stdin)
		if err == nil {
			_, _ = io.Copy(io.Discard, env.Stdin) // the writer at the other end is not cut off
		}
		done <- result{verdict, err}
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		r = result{submission.Accept, context.Cause(ctx)}
	}
	if r.err != nil {
		r.verdict = submission.Accept
		s.Log.Error("a mail goes out, and the calendar does not know of it", "login", e.Login, "sender", e.From, "socket", s.Config.MilterSocket, "error", r.err)
	}
	return r.verdict, r.err
}
