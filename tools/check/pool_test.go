package check_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tools/check"
)

// gathering is a store where the first critical sections wait for one another, each with its connection.
type gathering struct {
	stores.Store
	sections sync.WaitGroup
	entered  sync.Map // by user
}

func (m *gathering) View(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return m.Store.View(ctx, user, func(tx stores.Tx) error {
		if _, before := m.entered.LoadOrStore(user, true); !before {
			m.sections.Done()
		}
		m.sections.Wait()
		return fn(tx)
	})
}

// As many users are looked at as there are connections: nobody needs a second one.
func TestAsManyAsConnections(t *testing.T) {
	where := postgresqltest.Database(t)
	p := newHealthy(t)
	inDatabase(t, where, p)
	store, err := postgresql.Open(t.Context(), postgresql.Options{ConnInfo: where + " pool_max_conns=2", LockPerUser: true, LockTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	together := &gathering{Store: store}
	together.sections.Add(2)
	c := p.checkerOf(together, check.None)
	c.Workers, c.Users = 2, []calendar.URI{paul, vincent}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	summary, err := c.Run(ctx, func(check.Finding) {})
	if err != nil || len(summary.Failures) > 0 {
		t.Errorf("%v, %v", err, summary.Failures)
	}
}
