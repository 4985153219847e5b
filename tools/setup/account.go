package setup

import (
	"fmt"
	"os/user"
)

// Account returns the commands that make the user and the group that the handler runs
// as, as far as they are missing, and the directories of the store for them. Exists reports
// whether a path is there.
func Account(name, group string, dirs []Dir, exists func(string) bool) (commands [][]string) {
	if _, err := user.LookupGroup(group); err != nil {
		commands = append(commands, []string{"groupadd", "--system", group})
	}
	if _, err := user.Lookup(name); err != nil {
		commands = append(commands, []string{"useradd", "--system", "--gid", group, "--home-dir", "/var/lib/imip-agent", "--no-create-home",
			"--shell", "/usr/sbin/nologin", "--comment", "calendar records", name})
	}
	for _, dir := range dirs {
		if !exists(dir.Path) {
			commands = append(commands, []string{"install", "-d", "-o", name, "-g", group, "-m", fmt.Sprintf("%o", dir.Mode), dir.Path})
		}
	}
	return commands
}

// Dir is a directory that is to be there.
type Dir struct {
	Path string
	Mode uint32
}
