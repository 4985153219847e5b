// Package syslog hands what is logged to a syslog daemon, and never waits for it longer
// than it has to.
package syslog

import (
	"bytes"
	"context"
	"log/slog"
	"log/syslog"
	"sync"
	"time"
)

// facilities are what SYSLOG can be.
var facilities = map[string]syslog.Priority{
	"kern": syslog.LOG_KERN, "user": syslog.LOG_USER, "mail": syslog.LOG_MAIL, "daemon": syslog.LOG_DAEMON,
	"auth": syslog.LOG_AUTH, "syslog": syslog.LOG_SYSLOG, "lpr": syslog.LOG_LPR, "news": syslog.LOG_NEWS,
	"uucp": syslog.LOG_UUCP, "cron": syslog.LOG_CRON, "authpriv": syslog.LOG_AUTHPRIV, "ftp": syslog.LOG_FTP,
	"local0": syslog.LOG_LOCAL0, "local1": syslog.LOG_LOCAL1, "local2": syslog.LOG_LOCAL2, "local3": syslog.LOG_LOCAL3,
	"local4": syslog.LOG_LOCAL4, "local5": syslog.LOG_LOCAL5, "local6": syslog.LOG_LOCAL6, "local7": syslog.LOG_LOCAL7,
}

// New returns a handler that logs from the named level on to a facility, under the name of
// a program, and what to call before the program ends.
func New(facility, level, program string) (slog.Handler, func()) {
	lines := start(func() (writer, error) { return syslog.New(facilities[facility], program) }, patience)
	return newHandler(lines, level), lines.stop
}

// patience is how long the end of the program waits for syslog to take
// what was logged.
const patience = 2 * time.Second

// lines hands lines to syslog behind the program's back. A syslog daemon
// that hangs loses lines, but never holds up the mail.
type lines struct {
	queue    chan line
	done     chan struct{}
	patience time.Duration
}

type line struct {
	level slog.Level
	text  string
	last  bool // no line, but the end
}

// writer is what is needed of a *syslog.Writer.
type writer interface {
	Debug(string) error
	Info(string) error
	Warning(string) error
	Err(string) error
}

// start hands lines to the daemon that dial reaches.
func start(dial func() (writer, error), patience time.Duration) *lines {
	lines := &lines{queue: make(chan line, 1000), done: make(chan struct{}), patience: patience}
	go func() {
		defer close(lines.done)
		// Without a daemon, and where it does not take a line, there is no other
		// place for what is logged.
		w, err := dial()
		if err != nil {
			return
		}
		for {
			switch line := <-lines.queue; {
			case line.last:
				return
			case line.level >= slog.LevelError:
				_ = w.Err(line.text)
			case line.level >= slog.LevelWarn:
				_ = w.Warning(line.text)
			case line.level >= slog.LevelInfo:
				_ = w.Info(line.text)
			default:
				_ = w.Debug(line.text)
			}
		}
	}()
	return lines
}

func (l *lines) put(line line) {
	select {
	case l.queue <- line:
	default: // syslog does not keep up
	}
}

// stop waits for syslog to take the lines, for as long as patience lasts. What
// is logged afterwards is lost.
func (l *lines) stop() {
	patience := time.After(l.patience)
	select {
	case l.queue <- line{last: true}:
	case <-l.done:
	case <-patience:
		return
	}
	select {
	case <-l.done:
	case <-patience:
	}
}

// handler is a slog.Handler for syslog, which notes time and level itself.
type handler struct {
	text   slog.Handler // writes into the buffer
	buffer *buffer
}

type buffer struct {
	mu    sync.Mutex
	line  bytes.Buffer
	lines *lines
}

// newHandler returns a handler for records from the named level on.
func newHandler(lines *lines, from string) slog.Handler {
	var level slog.Level
	_ = level.UnmarshalText([]byte(from)) // conf lets only names of levels through; others mean info
	buffer := &buffer{lines: lines}
	return &handler{buffer: buffer, text: slog.NewTextHandler(&buffer.line, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return a
		},
	})}
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.text.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, record slog.Record) error {
	h.buffer.mu.Lock()
	defer h.buffer.mu.Unlock()
	h.buffer.line.Reset()
	if err := h.text.Handle(ctx, record); err != nil {
		return err
	}
	h.buffer.lines.put(line{level: record.Level, text: h.buffer.line.String()})
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{text: h.text.WithAttrs(attrs), buffer: h.buffer}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{text: h.text.WithGroup(name), buffer: h.buffer}
}
