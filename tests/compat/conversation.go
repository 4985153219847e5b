package compat

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"
)

// The programs of the original that a step can be for.
const (
	Outgoing = "imip_person_outgoing" // the program that ours replaces
	Incoming = "imip_person"          // likewise; ours handles each such step with the store that the original had then
	Resource = "imip_resource"        // likewise, for resources; its answers are compared in full
)

// clockLayout is how a step's time is written: UTC, as faketime takes it.
const clockLayout = "2006-01-02 15:04:05"

// Conversation is a sequence of messages, and what the original made of them.
//
// On disk it is a txtar archive. The comment says what it is about; a line in
// it "deviation: NAME" says that ours and the original differ here, and under
// which heading of DEVIATIONS.md that is explained. Its files are
//
//	preferences/USER/NAME       a user's preference
//	initial/store/...           what is in the store before the first step
//	N/step                      "program:", "clock:" and "user:", which is -o
//	N/message                   the mail
//	N/original/status           exit status and, if it is not 0, the error; imip_person and imip_resource are run
//	                            with -d, and end with 1 then, where they end with 75 without
//	N/original/store/...        files that the original changed in this step, whole
//	N/original/static/...       the same for published free/busy, and journal/... for the journal
//	N/original/removed          files that it removed, one a line
//	N/original/delivered        for these, the mails that they handed over: see handed
//	N/ours/status               ours where it differs from the original's
//	N/ours/rejected             how many mails or parts ours has put aside by then; for these, in this step
//	N/ours/delivered            the mails that ours handed over, where they differ
//	N/ours/store/..., static/   files that differ from the original's after this step
//	N/ours/absent               files that only the original has after this step
//
// Line ends are LF throughout; the programs see CRLF in neither mails nor
// expected files, and the comparison does not tell them apart.
type Conversation struct {
	Name        string
	About       string
	Deviation   string // a heading of DEVIATIONS.md, or empty
	Preferences Tree   // by USER/NAME
	Initial     Tree   // by store/...
	Steps       []*Step
}

// Step is one message given to one program.
type Step struct {
	Program string    // Outgoing, Incoming or Resource
	User    string    // the recipient's address; for Outgoing that of the copy; empty: the mail system does not say it
	Clock   time.Time // UTC, whole seconds; the clock stands still during the step
	Message []byte

	Original Effect
	Ours     Difference
}

// Effect is what the original did in a step.
type Effect struct {
	Status  int
	Error   string   // the last line on standard error, without places in its source
	Changed Tree     // files added or changed, by store/... or static/...
	Removed []string // files removed, sorted

	Delivered string // where a message arrives, the mails handed over, as handed tells of them
}

// Difference is how the state after a step has to differ between ours and the original.
type Difference struct {
	Status   *int     // nil: as the original
	Rejected int      // how much has been put aside by the end of the step
	Changed  Tree     // files that have other content, or that only ours has
	Absent   []string // files that only the original has, sorted

	Delivered *string // where a message arrives, the mails handed over; nil: as the original
}

// Arrives reports whether the message arrives for somebody, and is not one that somebody sends.
func (s *Step) Arrives() bool { return s.Program == Incoming || s.Program == Resource }

// OursStatus is the exit status that ours has to end a step with.
func (s *Step) OursStatus() int {
	if s.Ours.Status != nil {
		return *s.Ours.Status
	}
	return s.Original.Status
}

// OursDelivered is what ours has to hand over in a step.
func (s *Step) OursDelivered() string {
	if s.Ours.Delivered != nil {
		return *s.Ours.Delivered
	}
	return s.Original.Delivered
}

// Load reads a conversation from a file.
func Load(path string) (*Conversation, error) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		return nil, fmt.Errorf("read conversation: %w", err)
	}
	c := &Conversation{
		Name:        strings.TrimSuffix(filepath.Base(path), ".txtar"),
		Preferences: Tree{},
		Initial:     Tree{},
	}
	var about []string
	for line := range strings.Lines(string(archive.Comment)) {
		if name, ok := strings.CutPrefix(line, "deviation: "); ok {
			c.Deviation = strings.TrimSpace(name)
			continue
		}
		about = append(about, line)
	}
	c.About = strings.TrimSpace(strings.Join(about, ""))
	for _, file := range archive.Files {
		if err := c.add(file.Name, file.Data); err != nil {
			return nil, fmt.Errorf("read conversation %s: file %s: %w", path, file.Name, err)
		}
	}
	return c, nil
}

// add takes in one file of the archive.
func (c *Conversation) add(name string, data []byte) error {
	first, rest, _ := strings.Cut(name, "/")
	switch first {
	case "preferences":
		c.Preferences[rest] = string(data)
		return nil
	case "initial":
		c.Initial[rest] = string(data)
		return nil
	}
	number, err := strconv.Atoi(first)
	if err != nil {
		return fmt.Errorf("neither a step nor a known name")
	}
	if number == len(c.Steps)+1 {
		c.Steps = append(c.Steps, &Step{
			Program:  Outgoing,
			Original: Effect{Changed: Tree{}},
			Ours:     Difference{Changed: Tree{}},
		})
	}
	if number != len(c.Steps) {
		return fmt.Errorf("steps must be numbered in order, from 1")
	}
	return c.Steps[number-1].add(rest, data)
}

// add takes in one file of a step.
func (s *Step) add(name string, data []byte) error {
	switch {
	case name == "step":
		return s.parse(string(data))
	case name == "message":
		s.Message = data
	case name == "original/status":
		status, message, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
		n, err := strconv.Atoi(status)
		s.Original.Status, s.Original.Error = n, message
		return err
	case name == "original/removed":
		s.Original.Removed = strings.Split(strings.TrimSpace(string(data)), "\n")
	case name == "original/delivered":
		s.Original.Delivered = string(data)
	case name == "ours/delivered":
		delivered := string(data)
		s.Ours.Delivered = &delivered
	case strings.HasPrefix(name, "original/"):
		s.Original.Changed[strings.TrimPrefix(name, "original/")] = string(data)
	case name == "ours/status":
		n, err := strconv.Atoi(strings.TrimSpace(string(data)))
		s.Ours.Status = &n
		return err
	case name == "ours/rejected":
		n, err := strconv.Atoi(strings.TrimSpace(string(data)))
		s.Ours.Rejected = n
		return err
	case name == "ours/absent":
		s.Ours.Absent = strings.Split(strings.TrimSpace(string(data)), "\n")
	case strings.HasPrefix(name, "ours/"):
		s.Ours.Changed[strings.TrimPrefix(name, "ours/")] = string(data)
	default:
		return fmt.Errorf("unknown file")
	}
	return nil
}

// parse reads the settings of a step.
func (s *Step) parse(text string) error {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "program":
			s.Program = value
		case "user":
			s.User = value
		case "clock":
			clock, err := time.Parse(clockLayout, value)
			if err != nil {
				return err
			}
			s.Clock = clock
		default:
			return fmt.Errorf("unknown setting %q", key)
		}
	}
	if s.Program != Outgoing && !s.Arrives() {
		return fmt.Errorf("unknown program %q", s.Program)
	}
	if s.Clock.IsZero() {
		return fmt.Errorf("no clock")
	}
	return nil
}

// Save writes the conversation into a directory as NAME.txtar.
func (c *Conversation) Save(dir string) error {
	return os.WriteFile(filepath.Join(dir, c.Name+".txtar"), c.Format(), 0o666)
}

// Format returns the conversation as Load reads it.
func (c *Conversation) Format() []byte {
	var archive txtar.Archive
	archive.Comment = []byte(c.About + "\n")
	if c.Deviation != "" {
		archive.Comment = fmt.Appendf(archive.Comment, "\ndeviation: %s\n", c.Deviation)
	}
	add := func(name, data string) {
		data = strings.ReplaceAll(data, "\r\n", "\n")
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(data)})
	}
	addTree := func(prefix string, tree Tree) {
		for _, path := range tree.Paths() {
			add(prefix+path, tree[path])
		}
	}
	addTree("preferences/", c.Preferences)
	addTree("initial/", c.Initial)
	for i, s := range c.Steps {
		prefix := strconv.Itoa(i+1) + "/"
		settings := "program: " + s.Program + "\nclock: " + s.Clock.Format(clockLayout) + "\n"
		if s.User != "" {
			settings += "user: " + s.User + "\n"
		}
		add(prefix+"step", settings)
		add(prefix+"message", string(bytes.TrimSuffix(s.Message, []byte("\n")))+"\n")
		add(prefix+"original/status", strings.TrimSpace(fmt.Sprintf("%d %s", s.Original.Status, s.Original.Error))+"\n")
		addTree(prefix+"original/", s.Original.Changed)
		if len(s.Original.Removed) > 0 {
			add(prefix+"original/removed", strings.Join(s.Original.Removed, "\n")+"\n")
		}
		if s.Arrives() {
			add(prefix+"original/delivered", s.Original.Delivered)
		}
		if s.Ours.Status != nil {
			add(prefix+"ours/status", strconv.Itoa(*s.Ours.Status)+"\n")
		}
		if s.Ours.Rejected > 0 {
			add(prefix+"ours/rejected", strconv.Itoa(s.Ours.Rejected)+"\n")
		}
		if s.Ours.Delivered != nil {
			add(prefix+"ours/delivered", *s.Ours.Delivered)
		}
		addTree(prefix+"ours/", s.Ours.Changed)
		if len(s.Ours.Absent) > 0 {
			add(prefix+"ours/absent", strings.Join(s.Ours.Absent, "\n")+"\n")
		}
	}
	return txtar.Format(&archive)
}
