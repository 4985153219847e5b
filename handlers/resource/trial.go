package resource

import (
	"context"
	"fmt"
	"io"
	"os"

	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/itip"
	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/rejected"
)

// Trial is what would become of an event of a message for a resource, and why.
type Trial struct {
	ID       stores.ID
	Method   string
	Steps    []Step // what each function says, as far as they are asked; none: nothing is to be decided
	Decision string // empty: nothing is decided
	Delegate calendar.URI
	Result   string // what would be done, or why nothing would
}

// Step is what a scheduling function says.
type Step struct {
	Function  string
	Arguments []string
	Decision  string
	Note      string // why
}

// Try decides on a message as Handle does for one resource, and changes nothing and answers nobody. Warnings are
// what in the preference has no effect.
func (h *Handler) Try(ctx context.Context, r io.Reader, resource calendar.URI) (trials []Trial, warnings []string, err error) {
	aside, err := os.MkdirTemp(h.Spool, "imip-agent-trial-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(aside)
	dry := *h
	dry.Store = unchanged{h.Store}
	dry.Rejected = &rejected.Dir{Path: aside, Now: h.Now, Log: h.Log}
	m, err := dry.Open(r, itip.Decided)
	if err != nil {
		return nil, nil, err
	}
	defer m.Done()
	to := arrival.Recipient{User: resource, Letter: deliver.Name(m.Source.Digest(), "trial")}
	if to.Preferences, err = h.Preferences.Load(resource); err != nil {
		return nil, nil, err
	}
	if !to.Preferences.Participates() {
		return nil, nil, fmt.Errorf("%s does not participate, and decides on nothing", resource.Address())
	}
	if to.Records, err = h.Store.Named(ctx, resource); err != nil {
		return nil, nil, err
	}
	functions, err := ReadFunctions(to.Preferences.SchedulingFunction)
	if err != nil {
		return nil, nil, fmt.Errorf("scheduling_function of %s: %w", resource.Address(), err)
	}
	journal, err := h.journal(functions)
	if err != nil {
		return nil, nil, err
	}
	var asked *asked
	within := func(tx stores.Tx, change func(itip.Rules) error) error {
		rules := &rules{functions: functions, user: tx.User(), log: h.Log}
		return quota.View(ctx, journal, rules.quotaNames(), func(quotas map[calendar.URI]*quota.Quota) error {
			rules.quotas = quotas
			asked = newAsked(rules)
			return change(asked)
		})
	}
	for _, p := range m.Problems {
		trials = append(trials, Trial{Result: p.Reason})
	}
	err = dry.Together(ctx, m, to, within, func(_ stores.Tx, results []handlers.Result) ([]deliver.Mail, error) {
		for i, result := range results {
			c := m.Changes[i]
			trial := Trial{ID: c.ID, Method: c.Method, Result: result.String()}
			if t := asked.of[c.ID]; t != nil {
				trial.Steps, trial.Decision, trial.Delegate = t.Steps, t.Decision, t.Delegate
			}
			if result.Err != nil {
				trial.Result = result.Err.Error()
			}
			trials = append(trials, trial)
		}
		return nil, nil
	})
	return trials, functions.Warnings, err
}

// asked are rules that tell what their functions say, by event.
type asked struct {
	*rules
	of map[stores.ID]*Trial
}

func newAsked(r *rules) *asked { return &asked{r, make(map[stores.ID]*Trial)} }

// Decide implements [itip.Rules].
func (a *asked) Decide(i itip.Invited) (itip.Verdict, error) {
	t := &Trial{}
	a.of[i.ID] = t
	a.tell = func(f Function, said answer) {
		t.Steps = append(t.Steps, Step{f.Name, f.Arguments, said.decision.String(), said.note})
	}
	verdict, err := a.rules.Decide(i)
	t.Decision, t.Delegate = verdict.Decision.String(), verdict.Delegate
	return verdict, err
}

// unchanged is a store in which all changes are dropped.
type unchanged struct{ stores.Store }

func (s unchanged) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return s.View(ctx, user, fn)
}
