package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/conf"
	"imip-agent/handlers/milter"
	"imip-agent/handlers/outgoing"
	"imip-agent/handlers/submission"
)

// Grace is how long the service may take to end.
const Grace = time.Minute

// leaving is how long connections are waited for at the end: mail systems keep theirs open.
const leaving = 5 * time.Second

// gcPercent is how much garbage there may be for what is in use: the service stays, beside a mail system that wants the memory.
const gcPercent = 50

// unused is how many octets of memory are reserved and never used, so that they take none. The collector counts them: else it would run
// after each two megabytes of garbage, some fifty mails, which took a third of the processor's work for a mail. So there may be eight.
const unused = 16 << 20

// atDisk is how many of Go's processors there are beside those of the machine: each sync of a file keeps one until the runtime notices that it
// waits for the disk. With two only, mails waited for two syncs of others while the machine's processors had nothing to do, and a
// quarter fewer were handled.
const atDisk = 6

// ending is how long mails may take at the end that have been handed in by LMTP, before they are told to end.
const ending = 20 * time.Second

// Run is the service: it takes messages from mail systems and handles them until ctx ends. Then it takes nothing new, and ends
// what it has begun. The rest stays in the spool. The monitor shows others how it does.
func Run(ctx context.Context, s *site.Site, env process.Environment, monitor Monitor) error {
	if env.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
		reserved := make([]byte, unused)
		defer runtime.KeepAlive(reserved)
	}
	if env.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + atDisk)
	}
	s.Config.Connections = connections(s)
	s.Store = &watchedStore{Store: s.Store, observer: monitor, now: env.Now}
	s.Rejected.Kept = monitor.PutAside
	queue := NewQueue(s, env, monitor)
	gate := &submission.Gate{
		Taker:  &outgoing.Later{Spool: &watchedSpool{queue, monitor}, Limit: s.Config.MessageSizeLimit},
		Refuse: s.Config.MilterRefuse, Most: s.Config.ServeSize, Log: s.Log,
	}
	var now atomic.Pointer[addresses]
	first, err := loadAddresses(s, &s.Config)
	if err != nil {
		return err
	}
	now.Store(first)
	gate.User = func(login string) (string, error) { return now.Load().logins.Address(login), nil }
	gate.Trusted = func(ip net.IP) bool { return now.Load().trusts(ip) }
	lmtpService, stopLMTP, err := newLMTP(s, env, &watchedSpool{queue, monitor}, monitor, &now)
	if err != nil {
		return err
	}
	process.OnReload(func() { reload(s, env, &now) })

	sockets, err := listen(s)
	defer func() { closeAll(sockets.milter, sockets.lmtp, sockets.metrics) }()
	if err != nil {
		return err
	}
	milterServer, lmtpServer := milter.NewServer(gate), lmtpService.NewServer()
	ended := make(chan error, len(sockets.milter)+len(sockets.lmtp))
	var guards []interface{ Open() int }
	for _, l := range sockets.milter {
		s.Log.Info("the service takes mail that users send", "milter", l.Addr().String())
		guard := &milter.Guard{Listener: l, Most: s.Config.Connections, Log: s.Log}
		guards = append(guards, guard)
		go func() { ended <- fmt.Errorf("the milter has ended: %w", milterServer.Serve(guard)) }()
	}
	guards = append(guards, lmtpServer)
	for _, l := range sockets.lmtp {
		s.Log.Info("the service takes mail", "lmtp", l.Addr().String(), "mailboxes", s.Config.MailboxServer)
		go func() { ended <- fmt.Errorf("the LMTP server has ended: %w", lmtpServer.Serve(l)) }()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	shown := monitor.Show(Vitals{
		Spool: queue.Depth, Lost: gate.Lost,
		Connections: func() (n int) {
			for _, guard := range guards {
				n += guard.Open()
			}
			return n
		},
		Health: func(asked context.Context) []string {
			return health(asked, s, queue, func() bool { return ctx.Err() != nil })
		},
	})
	for _, l := range sockets.metrics {
		defer show(s, l, shown)()
	}
	done := make(chan error, 1)
	go func() { done <- queue.Run(ctx) }()
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady) // without systemd, nobody wants to know
	select {
	case <-ctx.Done():
	case err = <-done:
		done <- nil
	case err = <-ended:
	}
	_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
	closeAll(sockets.milter, sockets.lmtp) // here, since a server that has not begun yet knows no socket to close
	var left sync.WaitGroup
	left.Go(func() {
		leave, stop := context.WithTimeout(context.Background(), ending)
		defer stop()
		if err := lmtpServer.Shutdown(leave); err != nil {
			s.Log.Warn("mails were not handled to the end, and are handed in again", "reason", err)
		}
		stopLMTP()
	})
	left.Go(func() {
		leave, stop := context.WithTimeout(context.Background(), leaving)
		defer stop()
		_ = milterServer.Shutdown(leave) // who is still there is cut off
		_ = milterServer.Close()
	})
	left.Wait()
	cancel(nil)
	err = errors.Join(err, <-done)
	depth := queue.Depth()
	s.Log.Info("the service ends", "left", depth.Messages, "lost", gate.Lost())
	return err
}

// addresses say whose mail counts, and what addresses are.
type addresses struct {
	senders
	resources conf.Resources
}

func loadAddresses(s *site.Site, c *conf.Config) (*addresses, error) {
	who, err := loadSenders(s, c)
	if err != nil {
		return nil, err
	}
	resources, warnings, err := conf.LoadResources(c.Resources)
	for _, warning := range warnings {
		s.Log.Warn("resources: " + warning.String())
	}
	return &addresses{*who, resources}, err
}

// senders says whose mail counts.
type senders struct {
	logins conf.Logins
	hosts  []netip.Prefix
}

func loadSenders(s *site.Site, c *conf.Config) (*senders, error) {
	var w senders
	var err error
	for _, word := range strings.FieldsFunc(c.MilterHosts, func(r rune) bool { return r == ' ' || r == ',' }) {
		prefix, err := netip.ParsePrefix(word)
		if err != nil {
			address, errAddress := netip.ParseAddr(word)
			if errAddress != nil {
				return nil, fmt.Errorf("MILTER_HOSTS: %.60q is neither an address nor a network, such as 192.0.2.0/24", word)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		w.hosts = append(w.hosts, prefix.Masked())
	}
	var warnings []conf.Warning
	w.logins, warnings, err = conf.LoadLogins(c.Logins, c.LoginDomain)
	for _, warning := range warnings {
		s.Log.Warn("logins: " + warning.String())
	}
	return &w, err
}

func (w *senders) trusts(ip net.IP) bool {
	address, ok := netip.AddrFromSlice(ip)
	if !ok {
		return false
	}
	for _, prefix := range w.hosts {
		if prefix.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}

// reload reads again what addresses are. Aliases and preferences are read each time anyway; other settings need a new start.
func reload(s *site.Site, env process.Environment, now *atomic.Pointer[addresses]) {
	c, err := conf.Load(s.Config.File, env.Getenv)
	var w *addresses
	if err == nil {
		w, err = loadAddresses(s, &c)
	}
	if err != nil {
		s.Log.Error("the configuration cannot be read again: what was read before holds", "error", err)
		return
	}
	now.Store(w)
	s.Log.Info("it is read again whose mail counts, and which addresses are resources")
}

// sockets are where others connect.
type sockets struct {
	milter  []net.Listener // mail systems with what users send
	lmtp    []net.Listener // mail systems with what arrives
	metrics []net.Listener // who wants to know how the service does
}

// closeAll closes sockets, and removes those that the service has made. They may be closed already.
func closeAll(kinds ...[]net.Listener) {
	for _, kind := range kinds {
		for _, l := range kind {
			_ = l.Close()
		}
	}
}

// listen returns the sockets that systemd has opened, by the names that they have there, or else those of the
// configuration. With an error, it returns those that are open.
func listen(s *site.Site) (sockets, error) {
	var found sockets
	named, err := activation.ListenersWithNames()
	if err != nil {
		return found, fmt.Errorf("the sockets that systemd has opened: %w", err)
	}
	for name, opened := range named {
		switch name {
		case "metrics":
			found.metrics = append(found.metrics, opened...)
		case "lmtp":
			found.lmtp = append(found.lmtp, opened...)
		default:
			found.milter = append(found.milter, opened...)
		}
	}
	if len(found.milter) == 0 && s.Config.MilterSocket != "" {
		l, err := open(s.Config.MilterSocket)
		if err != nil {
			return found, fmt.Errorf("MILTER_SOCKET: %w", err)
		}
		found.milter = append(found.milter, l)
	}
	if len(found.lmtp) == 0 && s.Config.LMTPSocket != "" {
		l, err := open(s.Config.LMTPSocket)
		if err != nil {
			return found, fmt.Errorf("LMTP_SOCKET: %w", err)
		}
		found.lmtp = append(found.lmtp, l)
	}
	if len(found.metrics) == 0 && s.Config.MetricsAddress != "" {
		l, err := open(s.Config.MetricsAddress)
		if err != nil { // mail goes on
			s.Log.Warn("nobody can see how the service does: METRICS_ADDRESS", "error", err)
			return found, nil
		}
		found.metrics = append(found.metrics, l)
	}
	return found, nil
}

// open opens a socket at a path, for its owner and its group, or at HOST:PORT on this machine.
func open(place string) (net.Listener, error) {
	if !strings.Contains(place, "/") {
		host, _, err := net.SplitHostPort(place)
		if err != nil {
			return nil, fmt.Errorf("%q is neither the path of a socket nor HOST:PORT", place)
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, fmt.Errorf("%s is no address of this machine alone, such as 127.0.0.1: whoever can connect can send in anybody's name", place)
		}
		return net.Listen("tcp", place)
	}
	if info, err := os.Lstat(place); err == nil {
		if info.Mode()&fs.ModeSocket == 0 {
			return nil, fmt.Errorf("%s is there, and no socket: move it away", place)
		}
		c, err := net.DialTimeout("unix", place, time.Second)
		if err == nil {
			c.Close()
			return nil, fmt.Errorf("somebody takes connections at %s: does the service run already?", place)
		}
		if errors.Is(err, syscall.ECONNREFUSED) { // whose owner has ended
			if err := os.Remove(place); err != nil {
				return nil, err
			}
		}
	}
	before := syscall.Umask(0o117)
	defer syscall.Umask(before)
	return net.Listen("unix", place)
}
