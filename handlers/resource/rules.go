package resource

import (
	"log/slog"

	"imip-agent/handlers/itip"
	"imip-agent/handlers/quota"
	"imip-agent/stores/calendar"
)

// rules decide for one resource by its functions. They implement [itip.Rules].
type rules struct {
	functions Functions
	user      calendar.URI                  // the resource
	quotas    map[calendar.URI]*quota.Quota // those of the functions, by name
	log       *slog.Logger
	tell      func(Function, answer) // what each function says; nil: nobody asks
}

// request is what a function decides on.
type request struct {
	itip.Invited
	object *calendar.Object // as the functions before have it
	rules  *rules
}

// answer is what a function says.
type answer struct {
	decision itip.Decision
	why      itip.Why
	object   *calendar.Object // with Counter: what is proposed
	delegate calendar.URI     // with Delegate
	note     string           // more, for the log
}

// Decide implements [itip.Rules]: the first function that declines or delegates decides. Else other times are
// proposed if a function does so, and the functions after it decide on these.
func (r *rules) Decide(i itip.Invited) (itip.Verdict, error) {
	q := &request{Invited: i, object: i.Object, rules: r}
	verdict := itip.Verdict{Decision: itip.Accept, Why: itip.Scheduled}
	for _, f := range r.functions.list() {
		a, err := f.decide(q)
		if err != nil {
			return verdict, err
		}
		r.log.Info("a scheduling function says", "function", f.Name, "decision", a.decision.String(), "uid", i.ID.UID, "note", a.note)
		if r.tell != nil {
			r.tell(f, a)
		}
		switch a.decision {
		case itip.Decline, itip.Delegate:
			return itip.Verdict{Decision: a.decision, Why: a.why, Delegate: a.delegate}, nil
		case itip.Counter:
			q.object = a.object
			verdict = itip.Verdict{Decision: itip.Counter, Why: a.why, Object: a.object}
		}
	}
	return verdict, nil
}

// The answers that functions have in common.
var (
	accepted = answer{decision: itip.Accept, why: itip.Scheduled}
	taken    = answer{decision: itip.Decline, why: itip.Unavailable}
)

// because returns the answer with a note.
func (a answer) because(note string) answer {
	a.note = note
	return a
}
