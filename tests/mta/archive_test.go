package mta

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestArchive runs the programs of the archive from where they are unpacked.
func TestArchive(t *testing.T) {
	need(t, "package")
	t.Parallel()
	files, err := others()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "some where")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "-xzf", files["tar"], "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name()+".tar.gz" != filepath.Base(files["tar"]) {
		t.Fatalf("%s holds %v: %v", files["tar"], entries, err)
	}
	root := filepath.Join(dir, entries[0].Name())
	version := regexp.MustCompile(`^imip-agent-go-(.*)-linux-[a-z0-9]+$`).FindStringSubmatch(entries[0].Name())
	if version == nil {
		t.Fatalf("the name of the directory is %s", entries[0].Name())
	}

	has := map[string]fs.FileMode{}
	if err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		has[strings.TrimPrefix(path, root)] = info.Mode()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for path, mode := range has {
		want := fs.FileMode(0o644)
		if mode.IsDir() || filepath.Dir(path) == "/bin" || path == "/conf/chasquid/post-data" {
			want = 0o755
		}
		if mode.Perm() != want || mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSymlink) != 0 || strings.HasSuffix(path, ".go") {
			t.Errorf("%s is %v, want %v", path, mode, want)
		}
	}
	for _, name := range []string{
		"COPYING", "README.md", "changelog", "copyright", "conf/README.md", "conf/config.txt", "conf/cron/imip-agent",
		"conf/systemd/imip-agent.service", "conf/postfix/main.cf", "conf/exim/routers", "conf/grafana/dashboard.json",
		"completion/imip-agent.bash", "completion/imip-agent.zsh", "completion/imip-agent.fish",
	} {
		if !has["/"+name].IsRegular() || has["/"+name] == 0 {
			t.Errorf("%s is missing", name)
		}
	}

	programs := []string{"imip-agent", "imip-agent-postgresql", "imip-agent-serve", "imip_person", "imip_person_outgoing", "imip_resource"}
	for _, name := range programs {
		path := filepath.Join(root, "bin", name)
		cmd := exec.Command(path, "--version")
		cmd.Dir, cmd.Env = "/", []string{} // nothing that this machine helps with
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), version[1]) {
			t.Errorf("%s --version: %v %s, want %s", name, err, out, version[1])
		}
		static(t, path)
	}

	// As README.md says.
	t.Run("install", func(t *testing.T) {
		m := newMachine(t, "package", "", "")
		m.copyIn(t, files["tar"], "/root/archive.tar.gz")
		m.run(t, `cd /root; tar -xzf archive.tar.gz; cd "$1"
			cp bin/* /usr/bin; mkdir /etc/imip-agent; cp conf/config.txt /etc/imip-agent
			imip-agent setup user`, entries[0].Name())
		const user = "paul@example.com"
		cmd := m.command(`exec setpriv --reuid imip-agent --regid www-data --clear-groups env -i ` + handlerPath)
		cmd.Stdin = bytes.NewReader(invitation(user, user, "one", 9, "vincent@example.org"))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("handling: %v %s", err, out)
		}
		if name := store + "/mailto:" + user + "/objects/one"; m.read(t, name) == "" {
			t.Errorf("%s is missing", name)
		}
	})

	// A page for each command, and no others than the packages have.
	pages := map[string]bool{}
	for path := range has {
		if strings.HasPrefix(path, "/man/") && strings.HasSuffix(path, ".gz") {
			pages[strings.TrimPrefix(path, "/man/")] = true
			if text := unzipped(t, root+path); !strings.Contains(text, "\n.SH NAME\n") {
				t.Errorf("%s is no manual page:\n%.200s", path, text)
			}
		}
	}
	out, err := exec.Command("dpkg-deb", "--fsys-tarfile", mustDebian(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("tar", "-t")
	list.Stdin = strings.NewReader(string(out))
	if out, err = list.Output(); err != nil {
		t.Fatal(err)
	}
	packaged := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^\./usr/share/man/(man.*\.gz)$`).FindAllStringSubmatch(string(out), -1) {
		packaged[match[1]] = true
	}
	if len(pages) < len(programs) || !maps.Equal(pages, packaged) {
		t.Errorf("the archive has the pages %q, the package %q", slices.Sorted(maps.Keys(pages)), slices.Sorted(maps.Keys(packaged)))
	}
}

// mustDebian returns the file of the Debian package.
func mustDebian(t *testing.T) string {
	t.Helper()
	file, err := debian()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// static fails the test where a program needs libraries, or a loader, of the machine.
func static(t *testing.T, path string) {
	t.Helper()
	program, err := elf.Open(path)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	defer program.Close()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			t.Errorf("%s needs a loader", path)
		}
	}
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("%s needs the libraries %q: %v", path, libraries, err)
	}
}

// unzipped returns the text of a compressed file.
func unzipped(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	content, err := io.ReadAll(text)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(content)
}
