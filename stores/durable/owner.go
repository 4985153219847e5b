package durable

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Own gives a file or directory that this process has just made the owner and the group of the
// directory that it is in, if the superuser has made it: the programs of the mail system
// and the web, which run as others, have to go on with it. As far as it can be done.
func Own(path string) {
	if os.Geteuid() != 0 {
		return
	}
	if info, err := os.Lstat(filepath.Dir(filepath.Clean(path))); err == nil {
		if uid, gid, ok := owner(info); ok {
			_ = os.Lchown(path, uid, gid)
		}
	}
}

// OwnBelow is [Own] for what is below root.
func OwnBelow(root *os.Root, name string) {
	if os.Geteuid() != 0 {
		return
	}
	if info, err := root.Lstat(path.Dir(path.Clean(name))); err == nil {
		if uid, gid, ok := owner(info); ok {
			_ = root.Lchown(name, uid, gid)
		}
	}
}

// Mode gives a directory that this process has just made a mode, as far as it can. Who is not in
// the directory's group loses the setgid bit with each change of the mode (chmod(2)), so one
// that has the mode already, by its parent's setgid bit, is left alone.
func Mode(path string, mode fs.FileMode) {
	if info, err := os.Lstat(path); err != nil || !has(info, mode) {
		_ = os.Chmod(path, mode)
	}
}

// ModeBelow is [Mode] for what is below root.
func ModeBelow(root *os.Root, name string, mode fs.FileMode) {
	if info, err := root.Lstat(name); err != nil || !has(info, mode) {
		_ = root.Chmod(name, mode)
	}
}

// MakeAll makes a directory and those above it that are missing, each with a mode, and
// the owner of the directory that it is in if the superuser makes it.
func MakeAll(dir string, mode fs.FileMode) error {
	dir = filepath.Clean(dir)
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := MakeAll(parent, mode); err != nil {
			return err
		}
	}
	err := os.Mkdir(dir, mode&fs.ModePerm)
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := os.Stat(dir); statErr == nil && info.IsDir() {
			return nil // somebody else has made it
		}
	}
	if err != nil {
		return err
	}
	Own(dir)
	Mode(dir, mode)
	return nil
}

// MakePrivate makes a directory that only its owner can read, unless it is there, and syncs its name. What is missing above
// is made too, and is not private: others may have to pass.
func MakePrivate(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	Own(path)
	return NamesIn(filepath.Dir(path))
}

func has(info fs.FileInfo, mode fs.FileMode) bool {
	const bits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	return info.Mode()&bits == mode&bits
}

// MaySetgid reports whether this process can give a directory the setgid bit: the superuser,
// and who is in the directory's group.
func MaySetgid(info fs.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known || os.Geteuid() == 0 || int(stat.Gid) == os.Getegid() {
		return true
	}
	groups, err := os.Getgroups()
	return err == nil && slices.Contains(groups, int(stat.Gid))
}

// GroupName names a group for messages. One that has no name is named by the number.
func GroupName(gid int) string {
	if name, known := groupNames.Load(gid); known {
		return name.(string)
	}
	name := strconv.Itoa(gid)
	if g, err := user.LookupGroupId(name); err == nil {
		name = g.Name
	}
	groupNames.Store(gid, name)
	return name
}

// groupNames are the names that were asked for, by number: a store can have many files of one
// group.
var groupNames sync.Map

// owner returns whose something is, unless it is the superuser's.
func owner(info os.FileInfo) (uid, gid int, ok bool) {
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known || stat.Uid == 0 {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}

// Who names the user that this process runs as, and its groups, for messages: "user
// imip-agent (groups www-data)". Who has no name is named by the number.
func Who() string {
	ids, err := os.Getgroups()
	if err != nil {
		ids = nil
	}
	ids = append(ids, os.Getegid())
	slices.Sort(ids)
	var groups []string
	for _, id := range slices.Compact(ids) {
		groups = append(groups, GroupName(id))
	}
	return "user " + UserName(uint32(os.Geteuid())) + " (groups " + strings.Join(groups, ", ") + ")"
}

// UserName names a user for messages. One that has no name is named by the number.
func UserName(uid uint32) string {
	name := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(name); err == nil {
		return u.Username
	}
	return name
}
