package service

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/clock"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// database is a store that several services share.
type database struct {
	t        *testing.T
	connInfo string
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{t, postgresqltest.Database(t)}
	migrate, said := program.Command(path, clock.Today(), furnish(t, "").room, nil, "migrate", "schema", "postgresql:"+d.connInfo)
	migrate.Args = migrate.Args[:4] // the room's directories are not needed
	if err := migrate.Run(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return d
}

// host is a service with a spool of its own on the database.
func (d *database) host() *service {
	s := furnish(d.t, "STORE_TYPE = 'postgresql'\n")
	s.adjust = func(cmd *exec.Cmd) {
		for _, option := range []string{"-S", "-j"} {
			cmd.Args[slices.Index(cmd.Args, option)+1] = d.connInfo
		}
	}
	return s
}

// wantHandled fails unless all that was accepted has been handled, once and in its order.
func (d *database) wantHandled(l *load) {
	d.t.Helper()
	c, err := pgx.Connect(d.t.Context(), d.connInfo)
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close(d.t.Context())
	for i, user := range l.users {
		for n := range l.accepted[i] {
			var objects, cancelled, records int
			err := c.QueryRow(d.t.Context(), `SELECT count(*), count(*) FILTER (WHERE status = 'cancelled'),
				(SELECT count(*) FROM freebusy WHERE store_user = $1 AND object_uid = $2)
				FROM objects WHERE store_user = $1 AND object_uid = $2`, "mailto:"+user, l.uid(n)).Scan(&objects, &cancelled, &records)
			if off := n % 2; err != nil || objects != 1 || cancelled != off || records != 1-off {
				d.t.Errorf("%s of %s: %d objects, %d of them cancelled, %d records, %v", l.uid(n), user, objects, cancelled, records, err)
			}
		}
	}
}

// Two hosts share a database, and take mail of the same users. One or the other is killed: nothing is lost or there twice, and what
// a user sends by one host keeps its order.
func TestTwoHosts(t *testing.T) {
	skip.OnOtherDays(t)
	needFull(t)
	kills, users, lasts := 4, 2, time.Duration(0)
	switch {
	case long:
		kills, users, lasts = 40, 10, 2*time.Minute
	case full:
		kills, users = 12, 4
	}
	d := newDatabase(t)
	hosts := []*service{d.host(), d.host()}
	var loads []*load
	for i, s := range hosts {
		s.run()
		// Some stay on this host, others send by both at once, about other events by each.
		loads = append(loads, begin(t, usersFrom(i*users, users), "event-", time.Millisecond, s.send),
			begin(t, usersFrom(2*users, users), fmt.Sprintf("host-%d-", i), time.Millisecond, s.send))
	}
	least := func() int {
		n := loads[0].least()
		for _, l := range loads {
			n = min(n, l.least())
		}
		return n
	}
	random := rand.New(rand.NewPCG(3, 4))
	killed := 0
	for began := time.Now(); killed < kills || time.Since(began) < lasts || least() == 0; killed++ {
		time.Sleep(time.Duration(100+random.IntN(300)) * time.Millisecond)
		hosts[random.IntN(2)].crash()
	}
	for _, l := range loads {
		l.end()
	}
	for _, s := range hosts {
		s.ends()
		s.wantClean()
	}
	for _, l := range loads {
		t.Log(l)
		d.wantHandled(l)
	}
	t.Logf("killed %d times", killed)
}

// The database goes away for a while: mail is taken and waits, and is handled when it is back, without anybody's help.
func TestDatabaseAway(t *testing.T) {
	skip.OnOtherDays(t)
	needFull(t)
	d := newDatabase(t)
	s := d.host()
	s.run()
	waits := func() int {
		waiting, err := filepath.Glob(filepath.Join(string(s.room), "spool", "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		return len(waiting)
	}
	s.sent(user(0), event(user(0), "REQUEST", "before", 0))
	s.until("it is handled", func() bool { return waits() == 0 })
	postgresqltest.Stop(t)
	restart := sync.OnceFunc(func() { postgresqltest.Restart(t) })
	defer restart()
	l := begin(t, usersFrom(0, 5), "event-", time.Millisecond, s.send)
	s.until("mail is taken", func() bool { return l.least() >= 4 })
	l.end()
	if got, want := waits(), 5*(3+2); got < want {
		t.Errorf("%d messages wait of at least %d", got, want)
	}
	s.until("it has been tried", func() bool {
		tried, err := filepath.Glob(filepath.Join(string(s.room), "spool", "*.txt"))
		return err == nil && len(tried) >= 4
	})
	restart()
	back := time.Now()
	s.ends()
	t.Logf("%v; all handled %v after the database was back", l, time.Since(back))
	d.wantHandled(l)
	s.wantClean()
}
