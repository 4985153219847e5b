package site

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

// syslogPatience is how long the end of the program waits for syslog to take
// what was logged.
const syslogPatience = 2 * time.Second

// syslogLines hands lines to syslog behind the program's back. A syslog daemon
// that hangs loses lines, but never holds up the mail.
type syslogLines struct {
	queue    chan syslogLine
	done     chan struct{}
	patience time.Duration
}

type syslogLine struct {
	level slog.Level
	text  string
	last  bool // no line, but the end
}

// syslogWriter is what is needed of a *syslog.Writer.
type syslogWriter interface {
	Debug(string) error
	Info(string) error
	Warning(string) error
	Err(string) error
}

// startSyslog hands lines to the daemon that dial reaches.
func startSyslog(dial func() (syslogWriter, error), patience time.Duration) *syslogLines {
	lines := &syslogLines{queue: make(chan syslogLine, 1000), done: make(chan struct{}), patience: patience}
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

func (l *syslogLines) put(line syslogLine) {
	select {
	case l.queue <- line:
	default: // syslog does not keep up
	}
}

// stop waits for syslog to take the lines, for as long as patience lasts. What
// is logged afterwards is lost.
func (l *syslogLines) stop() {
	patience := time.After(l.patience)
	select {
	case l.queue <- syslogLine{last: true}:
	case <-l.done:
	case <-patience:
		return
	}
	select {
	case <-l.done:
	case <-patience:
	}
}

// syslogHandler is a slog.Handler for syslog, which notes time and level itself.
type syslogHandler struct {
	text   slog.Handler // writes into the buffer
	buffer *syslogBuffer
}

type syslogBuffer struct {
	mu    sync.Mutex
	line  bytes.Buffer
	lines *syslogLines
}

// newSyslogHandler returns a handler for records from the named level on.
func newSyslogHandler(lines *syslogLines, from string) slog.Handler {
	var level slog.Level
	_ = level.UnmarshalText([]byte(from)) // conf lets only names of levels through; others mean info
	buffer := &syslogBuffer{lines: lines}
	return &syslogHandler{buffer: buffer, text: slog.NewTextHandler(&buffer.line, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return a
		},
	})}
}

func (h *syslogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.text.Enabled(ctx, level)
}

func (h *syslogHandler) Handle(ctx context.Context, record slog.Record) error {
	h.buffer.mu.Lock()
	defer h.buffer.mu.Unlock()
	h.buffer.line.Reset()
	if err := h.text.Handle(ctx, record); err != nil {
		return err
	}
	h.buffer.lines.put(syslogLine{level: record.Level, text: h.buffer.line.String()})
	return nil
}

func (h *syslogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &syslogHandler{text: h.text.WithAttrs(attrs), buffer: h.buffer}
}

func (h *syslogHandler) WithGroup(name string) slog.Handler {
	return &syslogHandler{text: h.text.WithGroup(name), buffer: h.buffer}
}
