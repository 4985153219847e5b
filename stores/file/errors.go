package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"imip-agent/stores/durable"
)

// failed describes a failure of the file system for the person who has to mend it:
// what was being done, to which file, why it failed, and what to do.
func failed(doing, path string, err error) error {
	if err == nil {
		return nil
	}
	cause := cause(err)
	if advice := advice(cause); advice != "" {
		return fmt.Errorf("%s %s: %w; %s", doing, path, cause, advice)
	}
	return fmt.Errorf("%s %s: %w", doing, path, cause)
}

// cause strips the operation and the path that package os puts before an error.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		if path.Err.Error() == unix.ENOTDIR.Error() {
			return unix.ENOTDIR // os.OpenRoot has a look-alike of its own
		}
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// advice says what to do about an error; empty if nobody knows.
func advice(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		// The way in which os.Root refuses has no name to compare with.
		if err != nil && err.Error() == "path escapes from parent" {
			return "a symbolic link leads out of the user's directory: replace it by its target"
		}
		return ""
	}
	switch errno {
	case unix.ENOSPC, unix.EDQUOT:
		return "make room on that file system"
	case unix.EPERM:
		return "the file or its directory may be immutable: lsattr shows it, chattr -i removes it; or " + accessAdvice()
	case unix.EACCES:
		return accessAdvice()
	case unix.EROFS:
		return "mount that file system for writing"
	case unix.EFBIG:
		return "raise the limit on the size of files"
	case unix.EMFILE, unix.ENFILE:
		return "raise the limit on open files"
	case unix.ENOTDIR:
		return "a file is in the place of a directory: move it away"
	case unix.EISDIR:
		return "a directory is in the place of a file: move it away"
	case unix.ELOOP:
		return "a symbolic link is in its place: replace it by its target"
	case unix.EXDEV:
		return "the parts of a user's directory must be on one file system"
	case unix.ENOTSUP, unix.ENOLCK, unix.ENOSYS, unix.EBADF:
		return "the file system must support flock(2) on directories; over NFS, mount with local_lock=flock"
	case unix.EIO:
		return "check the disk"
	}
	return ""
}

// accessAdvice says who needs access, and which modes give it.
func accessAdvice() string {
	return fmt.Sprintf("give %s access to it: directories need mode 02770 and files 0660 in a group that the mail system and the web manager share", durable.Who())
}
