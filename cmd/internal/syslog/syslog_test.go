package syslog

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"imip-agent/conf"
)

// daemon is a syslog daemon, as far as the writer shows it.
type daemon struct {
	mu    sync.Mutex
	lines []string
	hangs chan struct{} // not nil: takes no line until it is closed
	fails error
}

func (d *daemon) take(severity, text string) error {
	if d.hangs != nil {
		<-d.hangs
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, severity+" "+text)
	return d.fails
}

func (d *daemon) Debug(text string) error   { return d.take("debug", text) }
func (d *daemon) Info(text string) error    { return d.take("info", text) }
func (d *daemon) Warning(text string) error { return d.take("warning", text) }
func (d *daemon) Err(text string) error     { return d.take("err", text) }

func TestSyslog(t *testing.T) {
	for _, fails := range []error{nil, errors.New("connection refused")} {
		d := &daemon{fails: fails}
		lines := start(func() (writer, error) { return d, nil }, time.Minute)
		log := slog.New(newHandler(lines, "info"))
		log.Debug("below the level")
		log.Info("handled", "user", "mailto:a@x", "summary", "two\nlines")
		log.With("uid", "u1").WithGroup("g").Warn("odd", "level", 3)
		log.Error("bad")
		lines.stop()
		log.Info("too late")
		want := []string{
			"info msg=handled user=mailto:a@x summary=\"two\\nlines\"\n",
			"warning msg=odd uid=u1 g.level=3\n",
			"err msg=bad\n",
		}
		if !slices.Equal(d.lines, want) {
			t.Errorf("got %q, want %q", d.lines, want)
		}
	}
}

func TestSyslogHangs(t *testing.T) {
	d := &daemon{hangs: make(chan struct{})}
	defer close(d.hangs)
	lines := start(func() (writer, error) { return d, nil }, 20*time.Millisecond)
	log := slog.New(newHandler(lines, "debug"))
	for range 5000 { // more than are kept
		log.Debug("step")
	}
	lines.stop()
}

// There is no daemon, or what stands in its place never answers.
func TestSyslogIsNotThere(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	for _, dial := range map[string]func() (writer, error){
		"none":   func() (writer, error) { return nil, errors.New("no daemon") },
		"silent": func() (writer, error) { <-forever; return nil, errors.New("no daemon") },
	} {
		lines := start(dial, 20*time.Millisecond)
		log := slog.New(newHandler(lines, "debug"))
		for range 5000 { // more than are kept
			log.Debug("step")
		}
		lines.stop()
	}
}

// Each facility that the configuration lets through is one.
func TestFacilities(t *testing.T) {
	for name := range facilities {
		if c := conf.Read([]byte("SYSLOG = '"+name+"'"), "f"); c.Syslog != name {
			t.Errorf("%s is not taken: %v", name, c.Warnings)
		}
	}
	c := conf.Read([]byte("SYSLOG = 'none such'"), "f")
	if len(c.Warnings) != 1 {
		t.Fatalf("warnings %v", c.Warnings)
	}
	_, listed, _ := strings.Cut(c.Warnings[0].Text, "none of: ")
	listed, _, _ = strings.Cut(listed, ";")
	for name := range strings.SplitSeq(listed, ", ") {
		if _, ok := facilities[name]; !ok {
			t.Errorf("%q is taken, but is none", name)
		}
	}
}
