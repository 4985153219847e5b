package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"imip-agent/conf"
)

// Less than this is too little space: one large message, and the tables of many users.
const (
	enoughOctets = 256 << 20
	enoughFiles  = 10_000
)

// place is a directory of the site.
type place struct {
	setting, path string
	written       bool // by the handler
}

// places returns the site's directories of files.
func (d *Doctor) places() []place {
	c := d.Config
	var all []place
	if c.StoreType == "file" {
		all = append(all, place{"STORE_DIR", c.StoreDir, true}, place{"JOURNAL_DIR", c.JournalDir, false})
	}
	return append(all, place{"PUBLISH_DIR", c.PublishDir, true}, place{"PREFERENCES_DIR", c.PreferencesDir, false})
}

// directories looks at the owners, the modes and the space of the site's directories.
func (d *Doctor) directories(ctx context.Context, h handler, report report) {
	spaces := map[uint64]bool{} // the file systems that have been looked at
	for _, p := range d.places() {
		info, err := os.Stat(p.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			report(Directory, Failed, d.making(p.path, h.account), "%s does not exist (%s)", p.path, p.setting)
			continue
		case err != nil:
			report(Directory, Unknown, "run this as root", "%s cannot be examined (%s): %v", p.path, p.setting, err)
			continue
		case !info.IsDir():
			report(Directory, Failed, "correct "+p.setting, "%s is no directory (%s)", p.path, p.setting)
			continue
		}
		d.mode(p, info, report)
		d.access(ctx, p, h.account, report)
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && !spaces[uint64(stat.Dev)] {
			spaces[uint64(stat.Dev)] = true
			space(p, report)
		}
	}
	d.aside(ctx, h.account, report)
	d.spool(ctx, h.account, report)
	d.recordsOf(ctx, h.account, report)
	d.aliases(ctx, h.account, report)
}

// recordsOf looks whether the account can write the records of users that are there.
func (d *Doctor) recordsOf(ctx context.Context, a account, report report) {
	if !a.known || d.Config.StoreType != "file" {
		return
	}
	entries, err := os.ReadDir(d.Config.StoreDir)
	if err != nil {
		return // said already
	}
	var closed []string
	for _, entry := range entries[:min(len(entries), 1000)] {
		info, err := entry.Info()
		if err != nil || !info.IsDir() {
			continue
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if ok && (stat.Uid != a.uid || stat.Mode&0o700 != 0o700) && (stat.Gid != a.gid || stat.Mode&0o070 != 0o070) && stat.Mode&0o007 != 0o007 {
			closed = append(closed, entry.Name())
		}
	}
	if len(closed) > 0 {
		user, group, _ := strings.Cut(a.name, ":")
		report(Directory, Failed, fmt.Sprintf("chown -R %s:%s '%s'", user, group, d.Config.StoreDir),
			"the records of %d users cannot be written by %s: %s", len(closed), a.name, few(closed))
	}
}

// aliases looks at the file of users' other addresses.
func (d *Doctor) aliases(ctx context.Context, a account, report report) {
	if d.Config.Aliases == "" {
		return
	}
	_, warnings, err := conf.LoadAliases(d.Config.Aliases)
	if err != nil {
		report(Configuration, Failed, "create it, or set ALIASES = None", "%v", err)
		return
	}
	for _, warning := range warnings {
		report(Configuration, Warning, "correct the line", "%v", warning)
	}
	if !a.known {
		return
	}
	if cmd, err := a.command(ctx, "test", "-r", d.Config.Aliases); err == nil && cmd.Run() != nil {
		report(Configuration, Failed, "chmod a+r '"+d.Config.Aliases+"'", "%s cannot be read by %s (ALIASES): all mail of users would wait", d.Config.Aliases, a.name)
	}
}

// making returns the command that makes a directory.
func (d *Doctor) making(path string, a account) string {
	owner, group := "imip-agent", "www-data"
	if a.known {
		owner, group, _ = strings.Cut(a.name, ":")
	}
	return fmt.Sprintf("install -d -o %s -g %s -m %o '%s'", owner, group, d.Config.DirPermissions, path)
}

// mode looks at the owner and the mode of a directory.
func (d *Doctor) mode(p place, info fs.FileInfo, report report) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	owner, mode := numbered(stat.Uid, stat.Gid).name, stat.Mode&0o7777
	// What the group may do, the web manager and the mail system may do to each other's files.
	if want := uint32(d.Config.DirPermissions) & 0o2070; mode&want != want {
		report(Directory, Warning, fmt.Sprintf("chmod %o '%s'", d.Config.DirPermissions, p.path),
			"%s has mode %04o: programs of its group cannot use each other's files (%s, DEFAULT_DIR_PERMISSIONS %04o)",
			p.path, mode, p.setting, d.Config.DirPermissions)
		return
	}
	if mode&0o007 != 0 && p.setting != "PUBLISH_DIR" {
		report(Directory, Warning, fmt.Sprintf("chmod o-rwx '%s'", p.path),
			"%s has mode %04o: everybody on this machine can look into it (%s)", p.path, mode, p.setting)
		return
	}
	report(Directory, OK, "", "%s belongs to %s and has mode %04o (%s)", p.path, owner, mode, p.setting)
}

// access looks whether the account can use a directory.
func (d *Doctor) access(ctx context.Context, p place, a account, report report) {
	if !a.known {
		return
	}
	test, need := "-r", "be read"
	if p.written {
		test, need = "-w", "be written"
	}
	cmd, err := a.command(ctx, "test", test, p.path, "-a", "-x", p.path)
	if err != nil {
		report(Directory, Unknown, "run this as root", "it is unknown whether %s can %s by %s: %v", p.path, need, a.name, err)
		return
	}
	if err := cmd.Run(); err != nil {
		report(Directory, Failed, fmt.Sprintf("`namei -l '%s'` shows the owners and modes of the directories: correct them", p.path),
			"%s cannot %s by %s, and the mail system runs the handler as that user (%s)", p.path, need, a.name, p.setting)
	}
}

// aside looks whether there is a place for what has to be put aside.
func (d *Doctor) aside(ctx context.Context, a account, report report) {
	rejected := d.Config.Rejected()
	path := rejected
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		path = filepath.Dir(path) // it is made when it is first needed
	}
	if !a.known {
		return
	}
	cmd, err := a.command(ctx, "test", "-w", path, "-a", "-x", path)
	if err != nil {
		return // said of the store already
	}
	if err := cmd.Run(); err != nil {
		report(Directory, Failed, fmt.Sprintf("chown %s '%s', or set REJECTED_DIR to a directory of %[1]s", strings.SplitN(a.name, ":", 2)[0], path),
			"%s cannot be written by %s, so no message can be rejected to %s: such messages would be tried again for ever", path, a.name, rejected)
		return
	}
	report(Directory, OK, "", "rejected messages are kept in %s", rejected)
}

// spool looks whether who handles messages can use the directory in which they wait, once there is one.
func (d *Doctor) spool(ctx context.Context, a account, report report) {
	path := d.Config.Spool()
	if _, err := os.Stat(path); err != nil || !a.known {
		return
	}
	cmd, err := a.command(ctx, "test", "-r", path, "-a", "-w", path, "-a", "-x", path)
	if err != nil {
		return // said of the store already
	}
	if err := cmd.Run(); err != nil {
		report(Directory, Failed, fmt.Sprintf("chown -R %s '%s'", a.name, path), "%s cannot be used by %s, so no message can wait there (SPOOL_DIR)", path, a.name)
	}
}

// space looks at the space that a directory's file system has left.
func space(p place, report report) {
	var stat unix.Statfs_t
	if err := unix.Statfs(p.path, &stat); err != nil {
		report(Space, Unknown, "", "the space at %s is unknown: %v", p.path, err)
		return
	}
	octets, files := stat.Bavail*uint64(stat.Bsize), stat.Ffree
	switch {
	case octets < enoughOctets:
		report(Space, Warning, "make room: a handler that cannot write leaves mail in the queue", "%d MiB are left at %s", octets>>20, p.path)
	case stat.Files > 0 && files < enoughFiles: // some file systems do not count
		report(Space, Warning, "make room: each event is a file", "room for %d more files at %s", files, p.path)
	default:
		report(Space, OK, "", "%d MiB are left at %s", octets>>20, p.path)
	}
}

// command prepares a program to be run as the account, as a mail system does: with one
// group, in no directory of anybody's, and without an environment.
func (a account) command(ctx context.Context, program string, args ...string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	switch {
	case os.Geteuid() == 0:
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
	case uint32(os.Geteuid()) != a.uid || uint32(os.Getegid()) != a.gid:
		return nil, errors.New("only root can try it")
	}
	return cmd, nil
}
