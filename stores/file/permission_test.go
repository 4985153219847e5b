package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/tests/skip"
)

// nobody is a user, and a group, of which nothing else is known.
const nobody = 54321

// nobodyChild looks at stores, then changes them, as whoever runs it, and says in a line
// each what comes of it. The arguments are directories with a store and what it publishes.
func nobodyChild(args []string) error {
	for _, dir := range args {
		s, err := Open(Options{Dir: dir + "/store", PublishDir: dir + "/static", LockTimeout: 200 * time.Millisecond})
		if err != nil {
			return err
		}
		fmt.Println(s.View(bg, paul, func(tx stores.Tx) error {
			_, err := tx.Periods(stores.Table{})
			return err
		}))
		fmt.Println(changeAll(s, 10))
	}
	return nil
}

// asNobody runs nobodyChild, by a program that anybody can run, as a user who may do
// nothing but what the modes say.
func asNobody(t *testing.T, program string, dirs []string) []string {
	t.Helper()
	c := child(t, "nobody", dirs...)
	c.Path, c.Args[0] = program, program
	if os.Geteuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.Split(string(out), "\n")
}

// handOver gives what is below a directory to nobody, who must also get there.
func handOver(t *testing.T, dir string) {
	t.Helper()
	for d := dir; d != filepath.Dir(d) && d != filepath.Clean(os.TempDir()); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPermissions(t *testing.T) {
	skip.OnOtherDays(t)
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		skip.Because(t, "the test's own program cannot be read: %v", err)
	}
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	handOver(t, filepath.Dir(program))
	tests := []struct {
		why, name string
		mode      fs.FileMode
		says      []string
		viewSays  string // "<nil>": looking works
	}{
		{"a directory of the user's that is read-only", "", 0o550, []string{"making", "__lock__"}, "__lock__"},
		{"a directory that may not be entered", "", 0, []string{"locking"}, "locking"},
		{"a read-only directory of texts", "objects", 0o550, []string{"writing in", "/objects", "nothing is changed yet"}, "<nil>"},
		{"a read-only directory of an event", "recurrences", 0o550, []string{"making", "/recurrences/u9"}, "<nil>"},
		{"a directory from which nothing can be deleted", "recurrences/u1", 0o550, []string{"writing in", "/recurrences/u1"}, "<nil>"},
		{"a table that may not be read", "freebusy", 0, []string{"reading", "/freebusy"}, "reading"},
		{"nothing wrong at all", "objects/u1", 0o660, nil, "<nil>"},
	}
	var dirs []string
	var before [][]string
	for _, test := range tests {
		s := openTest(t)
		fill(t, s)
		dir := filepath.Dir(s.options.Dir)
		handOver(t, dir)
		path := filepath.Join(s.options.Dir, string(paul), test.name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(path, info.Mode()) })
		dirs, before = append(dirs, dir), append(before, readable(t, dir))
	}
	results := asNobody(t, program, dirs)
	for i, test := range tests {
		viewed, changed := results[2*i], results[2*i+1]
		if !strings.Contains(viewed, test.viewSays) {
			t.Errorf("%s: looking gives %q, want %q", test.why, viewed, test.viewSays)
		}
		if test.says == nil {
			if changed != "<nil>" {
				t.Errorf("%s: %s", test.why, changed)
			}
			continue
		}
		wantError(t, errors.New(changed), append(test.says, "permission denied", "give user")...)
		wantTree(t, readable(t, dirs[i]), before[i])
	}
}

// readable is tree, for those who may look at everything.
func readable(t *testing.T, dir string) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	return tree(t, dir)
}

// Replacing a file keeps its group, as overwriting it would.
func TestGroupIsKept(t *testing.T) {
	if os.Geteuid() != 0 {
		skip.Because(t, "only root can change groups")
	}
	s := openTest(t)
	fill(t, s)
	path := s.TablePath(paul, stores.Table{})
	if err := os.Chown(path, -1, nobody); err != nil {
		t.Fatal(err)
	}
	if err := changeAll(s, 10); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Sys().(*syscall.Stat_t).Gid != nobody || info.Mode() != 0o660 {
		t.Errorf("got %v, %v", info, err)
	}
}
