package site

import (
	"io"
	"log/slog"

	"imip-agent/cmd/internal/syslog"
)

// logging says where to log, and how much.
type logging struct {
	stderr   io.Writer
	verbose  bool   // what is done, to stderr
	debug    bool   // each step, to stderr
	facility string // of syslog; empty: not to syslog
	level    string // to syslog
	tag      string // the program's name
}

// open returns a logger, and what to call before the program ends. Without
// anything asked for, nothing is logged: what a mail system finds on standard
// error ends up in bounces.
func (l logging) open() (*slog.Logger, func()) {
	var handlers []slog.Handler
	switch {
	case l.debug:
		handlers = append(handlers, slog.NewTextHandler(l.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	case l.verbose:
		handlers = append(handlers, slog.NewTextHandler(l.stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	closed := func() {}
	if l.facility != "" {
		var handler slog.Handler
		handler, closed = syslog.New(l.facility, l.level, l.tag)
		handlers = append(handlers, handler)
	}
	if len(handlers) == 0 {
		return slog.New(slog.DiscardHandler), closed
	}
	return slog.New(slog.NewMultiHandler(handlers...)), closed
}
