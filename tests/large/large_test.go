// Package large measures what programs take that meet what is larger than anything should be. It is
// alone in its package: Linux counts the memory of who starts a program as the program's, and so the
// tests that start these must be small themselves.
package large

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// now is the day on which the programs run.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// mostMemory is what a program may take, in MiB, whatever lies in a store; mostTime what it may
// work, on a machine that has other things to do as well.
const (
	mostMemory = 300
	mostTime   = 60 * time.Second
)

const (
	large    = 42_000_000 // octets: about the largest object that is read
	organize = "mailto:paul.boddie@example.com"
)

// tooLargeCase is a file, the object big if there is no path.
type tooLargeCase struct {
	name, path string
	size       int64  // of a file with a hole
	piece      string // repeated, of an object
	lines      func(*bufio.Writer)
}

// tooLarge is what nobody should find in a store, as files of paul's.
var tooLarge = []tooLargeCase{
	{name: "an object of 512 MiB with holes", path: "store/" + organize + "/objects/big", size: 512 << 20},
	{name: "an object of 3 GiB with holes", path: "store/" + organize + "/objects/big", size: 3 << 30},
	{name: "a table of 2 GiB with holes", path: "store/" + organize + "/freebusy", size: 2 << 30},
	{name: "a published calendar of 2 GiB with holes", path: "static/" + organize + "/freebusy", size: 2 << 30},
	{name: "14,000,000 properties", piece: "A:\n"},
	{name: "2,400,000 components", piece: "BEGIN:X\nA:\nEND:X\n"},
	{name: "6,000,000 properties with parameters", piece: "A;B=c:\n"},
	{name: "21,000,000 lines that are no properties", piece: "x\n"},
	{name: "an attachment of 38 MB", lines: func(w *bufio.Writer) {
		w.WriteString("ATTACH;ENCODING=BASE64;VALUE=BINARY:")
		for range 9_500_000 {
			w.WriteString("AAAA")
		}
		w.WriteString("\r\n")
	}},
	{name: "RDATE with 100,000 times", lines: func(w *bufio.Writer) {
		w.WriteString("RDATE:20261203T090000Z")
		for i := range 100_000 {
			w.WriteString(time.Date(2026, 12, 3, 10+i, 0, 0, 0, time.UTC).Format(",20060102T150405Z"))
		}
		w.WriteString("\r\n")
	}},
	{name: "a table of 1,000,000 lines", path: "store/" + organize + "/freebusy", lines: func(w *bufio.Writer) {
		for i := range 1_000_000 {
			at := time.Date(2026, 11, 26, 0, i, 0, 0, time.UTC)
			const form = "20060102T150405Z\t"
			fmt.Fprintf(w, "%s%sx%07d\tOPAQUE\t\tS\t%s\n", at.Format(form), at.Add(time.Minute).Format(form), i, organize)
		}
	}},
}

// TestTooLarge has each program meet what is larger than anything should be: it says so or does
// its work, and takes neither the memory nor the time of the host.
func TestTooLarge(t *testing.T) {
	if os.Getenv("IMIP_AGENT_FULL") == "" {
		skip.Because(t, "takes a minute; IMIP_AGENT_FULL is not set")
	}
	base := t.TempDir() // on a disk: in memory, holes would be none
	if err := program.BuildAll(base); err != nil {
		t.Fatal(err)
	}
	agent := filepath.Join(base, "imip-agent")
	for _, c := range tooLarge {
		t.Run(c.name, func(t *testing.T) {
			const lines = "UID:big\nDTSTAMP:20261120T000000Z\nSEQUENCE:%d\nSUMMARY:S\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\n" +
				"ORGANIZER:" + organize + "\nATTENDEE;PARTSTAT=ACCEPTED:" + organize + "\nATTENDEE:mailto:vincent.vole@example.com\n"
			message := compat.Mail("paul", "REQUEST", "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\n"+fmt.Sprintf(lines, 1)+"END:VEVENT\nEND:VCALENDAR\n")
			for _, run := range []struct {
				name         string
				words, after []string // before the options that say where everything is, and after them
			}{
				{"check", []string{"check", "--verbose"}, nil},
				{"show", []string{"show"}, []string{organize}},
				{"freebusy", []string{"freebusy", "--store", "--publish"}, nil},
				{"migrate copy", []string{"migrate", "copy"}, nil},
				{"a message", nil, nil},
			} {
				copies := run.name == "migrate copy"
				if copies && strings.HasPrefix(c.name, "a table of 1,000,000") {
					continue // it keeps something of each event that has records
				}
				room := compat.Room(t.TempDir())
				err := room.Furnish(&compat.Conversation{
					Preferences: compat.Tree{organize + "/freebusy_sharing": "share", organize + "/freebusy_publishing": "publish"},
					Initial: compat.Tree{
						"store/" + organize + "/objects/big":  "BEGIN:VEVENT\n" + fmt.Sprintf(lines, 0) + "END:VEVENT\n",
						"store/" + organize + "/freebusy":     "20261202T090000Z\t20261202T100000Z\tbig\tOPAQUE\t\tS\t" + organize + "\n",
						"static/" + organize + "/freebusy":    "x",
						"store/" + organize + "/objects/else": "BEGIN:VEVENT\n" + strings.Replace(fmt.Sprintf(lines, 0), "UID:big", "UID:else", 1) + "END:VEVENT\n",
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := program.Settings(room, ""); err != nil {
					t.Fatal(err)
				}
				c.lay(t, room, fmt.Sprintf(lines, 0))
				path := agent
				if run.words == nil {
					path = filepath.Join(base, program.Name)
				}
				cmd, stderr := program.Command(path, now, room, message, run.words...)
				cmd.Args = append(cmd.Args, run.after...)
				if copies {
					cmd.Args = append([]string{agent}, append(run.words, "file:"+room.Store(), "file:"+room.Store()+"-copy")...)
				}
				status := program.Status(cmd, cmd.Run())
				usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
				memory, worked := usage.Maxrss>>10, cmd.ProcessState.SystemTime()+cmd.ProcessState.UserTime()
				t.Logf("%-14s %4d MiB, %5.1f s, status %d", run.name, memory, worked.Seconds(), status)
				if memory > mostMemory || worked > mostTime {
					t.Errorf("%s takes %d MiB and %v", run.name, memory, worked)
				}
				switch status {
				case 0, 1, 4, 8:
				default:
					if status != 75 || run.words != nil {
						t.Errorf("%s ends with status %d: %s", run.name, status, stderr)
					}
				}
			}
		})
	}
}

// lay lays what is too large into a room. The event's lines are for an object of which it is
// a part.
func (c *tooLargeCase) lay(t *testing.T, room compat.Room, event string) {
	path := c.path
	if path == "" {
		path = "store/" + organize + "/objects/big"
	}
	file, err := os.OpenFile(filepath.Join(string(room), path), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	if c.path == "" {
		w.WriteString("BEGIN:VEVENT\n" + event)
	}
	for n := 0; c.piece != "" && n < large; n += len(c.piece) {
		w.WriteString(c.piece)
	}
	if c.lines != nil {
		c.lines(w)
	}
	if c.path == "" {
		w.WriteString("END:VEVENT\n")
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if c.size > 0 {
		if err := file.Truncate(c.size); err != nil {
			t.Fatal(err)
		}
	}
}
