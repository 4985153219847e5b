package durable

import (
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	name := func(id int, lookup func(string) (string, error)) string {
		text := strconv.Itoa(id)
		if found, err := lookup(text); err == nil {
			return found
		}
		return text
	}
	ids, err := os.Getgroups()
	if err != nil {
		ids = nil
	}
	ids = append(ids, os.Getegid())
	slices.Sort(ids)
	var groups []string
	for _, id := range slices.Compact(ids) {
		groups = append(groups, name(id, func(text string) (string, error) {
			g, err := user.LookupGroupId(text)
			if err != nil {
				return "", err
			}
			return g.Name, nil
		}))
	}
	who := name(os.Geteuid(), func(text string) (string, error) {
		u, err := user.LookupId(text)
		if err != nil {
			return "", err
		}
		return u.Username, nil
	})
	return "user " + who + " (groups " + strings.Join(groups, ", ") + ")"
}
