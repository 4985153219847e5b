package hard

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"imip-agent/tests/program"
)

// TestProgram gives some of the cases to the built program, and the real mails, if
// they are there: it ends with status 0 without a word, and stores the same
// as the handler does in this process.
func TestProgram(t *testing.T) {
	base := tempDir(t)
	path, err := program.Build(base, program.Name)
	if err != nil {
		t.Fatal(err)
	}
	mails := map[string][]byte{}
	for i, c := range slices.Concat(textCases, nameCases, structureCases, mimeCases) {
		if i%6 == 0 && len(c.prefs) == 0 && !strings.Contains(c.in, "\n====\n") {
			mails[c.name] = asMail(c.in)
		}
	}
	files, err := filepath.Glob("../../../shared/data/eml/*/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if mails[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range slices.Sorted(maps.Keys(mails)) {
		t.Run(strings.ReplaceAll(name, "/", "-"), func(t *testing.T) {
			theirs := newRoom(t, filepath.Join(base, strconv.Itoa(i)+"-program"), nil, nil)
			if err := program.Settings(theirs.Room, ""); err != nil {
				t.Fatal(err)
			}
			cmd, stderr := program.Command(path, now, theirs.Room, mails[name])
			stdout := new(bytes.Buffer)
			cmd.Stdout = stdout
			if status := program.Status(cmd, cmd.Run()); status != 0 || stderr.Len()+stdout.Len() > 0 {
				t.Errorf("status %d, says %q %q", status, stdout, stderr)
			}
			here := newRoom(t, filepath.Join(base, strconv.Itoa(i)), nil, nil)
			if err := here.handle(mails[name]); err != nil {
				t.Error(err)
			}
			got, want := theirs.outcome(t), here.outcome(t)
			if !slices.Equal(got, want) {
				t.Errorf("the program leaves %q, the handler %q", got, want)
			}
		})
	}
}
