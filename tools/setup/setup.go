// Package setup puts what a mail system needs to hand copies of users' mail to the
// handler into that mail system's own configuration, and takes it out again.
//
// Nothing that the mail system reads then lies in a place of ours: whether our package is
// there or has been purged, the mail system can read its configuration. The texts are
// those of conf/postfix and conf/exim, with the site's names in them. What was there before
// stays as it is, octet by octet, so that taking out leaves what was there.
package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/diff"
)

// Options are what a site's configuration differs in from others.
type Options struct {
	Domains  []string // of calendar users; only the first is used in examples
	Users    []string // who takes part, as addresses; nil: as it was, or everybody in the domains
	Everyone bool     // everybody in the domains, also where it was a list
	Services []string // more services that users send through, as SERVICE/TYPE; Postfix only

	Program, User, Group string // the handler, and whom it runs as
	Prefix               string // OUTGOING_PREFIX
	Sender               string // MESSAGE_SENDER, which is no user

	// ByService has the mail system hand mail to the service, in place of running the handlers. Without it the service is
	// taken out, if it was set up so.
	ByService bool
	Service   Service

	// Incoming also lets mail that arrives go through imip_person, or leaves only this out with Remove.
	// Where it does already, it goes on.
	Incoming bool
	Person   string // imip_person; may be empty if no mail that arrives is handled
	// Mailbox is where the mailbox server takes mail by LMTP: a socket, or HOST:PORT. By "smtp" the mail system
	// itself takes it. Empty: it is looked for.
	Mailbox string
	Router  string // above which the users' mail is taken; empty: it is looked for; Exim only
	Etc     string // where the configuration of mailbox servers is; empty: /etc

	// Resources are rooms and equipment, as addresses, whose mail imip_resource handles. Nil: as it was.
	Resources   []string
	NoResources bool   // none any more
	Resource    string // imip_resource; may be empty if there are no resources

	// Reach returns why a mailbox server cannot be reached by the handler. Nil: it is not tried.
	Reach func(ctx context.Context, mailbox string) error

	Remove bool // take everything out again
}

// Error is a reason for which nothing can be done before somebody does something else.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

func problem(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

var (
	domainForm  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$`)
	addressForm = regexp.MustCompile(`^[A-Za-z0-9!#&'*/?^_.~+-]+@[A-Za-z0-9.-]+$`)
	wordForm    = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	pathForm    = regexp.MustCompile(`^/[A-Za-z0-9/_.+-]+$`)
)

// check looks whether the options can stand in a configuration.
func (o *Options) check() error {
	if o.Remove {
		return nil
	}
	if len(o.Domains) == 0 {
		return problem("whose mail? name the domain of the calendar users: --domain DOMAIN")
	}
	for i, domain := range o.Domains {
		if !domainForm.MatchString(domain) {
			return problem("%.80q is not a domain such as example.org", domain)
		}
		o.Domains[i] = strings.ToLower(domain)
	}
	for i, user := range o.Users {
		_, domain, _ := strings.Cut(user, "@")
		if !addressForm.MatchString(user) {
			return problem("%.80q is not a user's mail address such as paul@%s", user, o.Domains[0])
		}
		o.Users[i] = strings.ToLower(user)
		known := false
		for _, d := range o.Domains {
			known = known || strings.EqualFold(d, domain)
		}
		if !known {
			return problem("%s is in none of the domains %s, and the copies would leave the site: add --domain %s, if that is your domain",
				user, strings.Join(o.Domains, ", "), domain)
		}
	}
	for _, word := range []string{o.User, o.Group, o.Prefix} {
		if !wordForm.MatchString(word) {
			return problem("%.80q cannot be a name in a mail system's configuration", word)
		}
	}
	if !pathForm.MatchString(o.Program) {
		return problem("%.80q cannot be a program's path in a mail system's configuration", o.Program)
	}
	if o.ByService {
		return nil // which runs no program
	}
	if o.Incoming && o.Person == "" {
		return problem("imip_person is missing beside this program: install it, or name it by --person")
	}
	if o.Incoming && !pathForm.MatchString(o.Person) {
		return problem("%.80q cannot be a program's path in a mail system's configuration", o.Person)
	}
	return nil
}

// Change is a file as it is and as it is to be.
type Change struct {
	Path     string
	Old, New []byte // nil: the file is not there
}

// Plan is what is to be done.
type Plan struct {
	Changes []Change
	Notes   []string   // what the administrator should know
	Verify  [][]string // commands that have to go well afterwards, or everything is put back
	Then    [][]string // commands that make it count
}

// Empty reports whether everything is as it is to be.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

func (p *Plan) change(path string, old, new []byte) {
	if !bytes.Equal(old, new) || (old == nil) != (new == nil) {
		p.Changes = append(p.Changes, Change{path, old, new})
	}
}

// Diff returns the changes as a unified diff.
func (p *Plan) Diff() string {
	var b strings.Builder
	for _, c := range p.Changes {
		from, to := c.Path, c.Path
		if c.Old == nil {
			from = "/dev/null"
		}
		if c.New == nil {
			to = "/dev/null"
		}
		b.Write(diff.Diff(from, c.Old, to, c.New))
	}
	return b.String()
}

// Apply makes the changes, and puts the files back as they were if something fails. Run
// runs a program.
func (p *Plan) Apply(ctx context.Context, run func(ctx context.Context, words ...string) error) error {
	for i, c := range p.Changes {
		if err := write(c.Path, c.New); err != nil {
			return errors.Join(err, p.restore(i))
		}
	}
	for _, words := range p.Verify {
		if err := run(ctx, words...); err != nil {
			return errors.Join(fmt.Errorf("the mail system refuses the new configuration, and the old one is restored: %w", err),
				p.restore(len(p.Changes)))
		}
	}
	for _, words := range p.Then {
		if err := run(ctx, words...); err != nil {
			return fmt.Errorf("the configuration is changed, but not yet in use: %w", err)
		}
	}
	return nil
}

// restore puts the first files back.
func (p *Plan) restore(number int) error {
	var failures []error
	for _, c := range p.Changes[:number] {
		failures = append(failures, write(c.Path, c.Old))
	}
	return errors.Join(failures...)
}

// write replaces a file, as a whole and with the owner and the mode that it has; nil
// removes it. A link stays, and what it leads to is replaced.
func write(path string, text []byte) error {
	if text == nil {
		err := os.Remove(path)
		if err == nil {
			_ = os.Remove(filepath.Dir(path)) // if it is empty now, which Debian's directories are not
		}
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	mode, uid, gid := fs.FileMode(0o644), -1, -1
	info, err := os.Stat(path)
	switch {
	case err == nil:
		mode = info.Mode().Perm()
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			uid, gid = int(stat.Uid), int(stat.Gid)
		}
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
	default:
		return err
	}
	// Exim's run-parts and Postfix take no notice of a name with a dot in front.
	file, err := os.CreateTemp(filepath.Dir(path), ".imip-agent-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // where it has not been renamed
	_, err = file.Write(text)
	if uid >= 0 {
		err = errors.Join(err, file.Chown(uid, gid))
	}
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// read returns a file, nil if there is none.
func read(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && text == nil {
		text = []byte{}
	}
	return text, err
}

// Each part that stands in a file of others is between these lines.
const (
	begin = "# BEGIN imip-agent"
	end   = "# END imip-agent"
)

// withoutBlocks returns text without the parts that are ours.
func withoutBlocks(text string) (string, error) { return withoutParts(text, begin) }

// withoutParts returns text without those of our parts that begin in a certain way.
func withoutParts(text, beginning string) (string, error) {
	var b strings.Builder
	inside, ours, at := false, false, 0
	number := 0
	for line := range strings.Lines(text) {
		number++
		switch {
		case strings.HasPrefix(line, begin):
			if inside {
				return "", problem("line %d begins a part of imip-agent inside another, from line %d: remove one of them", number, at)
			}
			inside, ours, at = true, strings.HasPrefix(line, beginning), number
			if !ours {
				b.WriteString(line)
			}
		case strings.HasPrefix(line, end):
			if !inside {
				return "", problem("line %d ends a part of imip-agent that does not begin: remove it", number)
			}
			if !ours {
				b.WriteString(line)
			}
			inside, ours = false, false
		case !ours:
			b.WriteString(line)
		}
	}
	if inside {
		return "", problem("the part of imip-agent from line %d lacks its end %q: add it", at, end)
	}
	return b.String(), nil
}

// partOf returns the lines of our part that begins in a certain way, without those around it.
func partOf(text, beginning string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, begin):
			inside = strings.HasPrefix(line, beginning)
		case strings.HasPrefix(line, end):
			inside = false
		case inside:
			b.WriteString(line)
		}
	}
	return b.String()
}

// fill puts the site's names into one of the examples.
func (o *Options) fill(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") && strings.Contains(line, `@example\.com`) {
			for _, domain := range o.Domains { // a line a domain
				b.WriteString(strings.NewReplacer(`example\.com`, strings.ReplaceAll(domain, ".", `\.`), "example.com", domain).Replace(line))
			}
			continue
		}
		b.WriteString(line)
	}
	local, _, _ := strings.Cut(o.Sender, "@")
	text = strings.NewReplacer(
		"/usr/bin/imip_person_outgoing", o.Program,
		"/usr/lib/imip-agent-go/imip_person", o.Person,
		"/usr/lib/imip-agent-go/imip_resource", o.Resource,
		"user=imip-agent:www-data", "user="+o.User+":"+o.Group,
		"people-outgoing", o.Prefix,
		"(calendar|postmaster|", "("+regexp.QuoteMeta(local)+"|postmaster|",
	).Replace(b.String())
	return text
}
