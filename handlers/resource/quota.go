package resource

import (
	"slices"

	"imip-agent/handlers/itip"
	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// quotaFunction is a function that needs a quota: a name in the journal, "" for the resource's own.
type quotaFunction interface {
	quota() calendar.URI
	books() quota.Books // where it records what is accepted
}

// checkQuota accepts what the group of the organizer may book.
//
// DEVIATION: moved-bookings. For the original an event that is moved counts as two.
type checkQuota struct{ name calendar.URI }

// acrossQuota accepts what collides with nothing that the organizer has booked under the quota, in whatever resource.
type acrossQuota struct{ name calendar.URI }

// forDelegate accepts what the group of the organizer may book, or delegates it to a resource of the quota that is free.
//
// DEVIATION: delegates-in-order. The original takes any that is free.
type forDelegate struct {
	name   calendar.URI
	policy quota.Policy
}

func (f checkQuota) quota() calendar.URI  { return f.name }
func (f acrossQuota) quota() calendar.URI { return f.name }
func (f forDelegate) quota() calendar.URI { return f.name }

func (checkQuota) books() quota.Books  { return quota.InGroup }
func (acrossQuota) books() quota.Books { return quota.ByOrganizer }
func (forDelegate) books() quota.Books { return quota.InGroup }

func (f checkQuota) decide(q *request) (answer, error) {
	return q.ask(f, (*quota.Quota).Check)
}

func (f acrossQuota) decide(q *request) (answer, error) {
	return q.ask(f, (*quota.Quota).Across)
}

func (f forDelegate) decide(q *request) (answer, error) {
	return q.ask(f, func(of *quota.Quota, b quota.Booking) (quota.Verdict, error) {
		return of.ForDelegate(b, f.policy, q.Now)
	})
}

// ask asks the quota of a function.
func (q *request) ask(f quotaFunction, about func(*quota.Quota, quota.Booking) (quota.Verdict, error)) (a answer, err error) {
	booking, err := q.rules.booking(q.Invited, q.object)
	if err != nil {
		return a, err
	}
	verdict, err := about(q.rules.quotas[q.rules.nameOf(f)], booking)
	if err != nil {
		return a, err
	}
	a.note = verdict.String()
	switch verdict.Reason {
	case quota.Accepted:
		return accepted.because(a.note), nil
	case quota.NoAllocation:
		a.decision, a.why = itip.Decline, itip.NoAllocation
	case quota.Exceeded:
		a.decision, a.why = itip.Decline, itip.Exceeded
	case quota.Delegated:
		a.decision, a.why, a.delegate = itip.Delegate, itip.Delegated, verdict.Delegate
	default:
		return taken.because(a.note), nil
	}
	return a, nil
}

// booking returns what an invitation asks of a quota, as that object.
func (r *rules) booking(i itip.Invited, object *calendar.Object) (quota.Booking, error) {
	times, err := i.Times(object)
	return quota.Booking{ID: i.ID, Object: object, Resource: r.user, Spans: times.Own(), At: i.At}, err
}

// nameOf returns the name of the quota of a function.
func (r *rules) nameOf(f quotaFunction) calendar.URI { return nameFor(f, r.user) }

func nameFor(f quotaFunction, resource calendar.URI) calendar.URI {
	if name := f.quota(); name != "" {
		return name
	}
	return resource
}

// Books says where a resource with these functions records under a quota what it accepts; 0: nowhere.
func (f Functions) Books(resource, name calendar.URI) (books quota.Books) {
	for _, f := range f.All {
		if of, ok := f.decider.(quotaFunction); ok && nameFor(of, resource) == name {
			books |= of.books()
		}
	}
	return books
}

// Needed returns the quotas without whose limits a resource with these functions accepts nothing, in order.
func (f Functions) Needed(resource calendar.URI) (names []calendar.URI) {
	for _, f := range f.All {
		if of, ok := f.decider.(quotaFunction); ok && of.books()&quota.InGroup != 0 {
			names = append(names, nameFor(of, resource))
		}
	}
	return stores.InOrder(names)
}

// haveQuota reports whether a function needs a quota.
func (f Functions) haveQuota() bool {
	return slices.ContainsFunc(f.All, func(f Function) bool { _, ok := f.decider.(quotaFunction); return ok })
}

// quotaNames returns the names of the quotas that functions need, each once, in order.
func (r *rules) quotaNames() (names []calendar.URI) {
	for _, f := range r.functions.All {
		if of, ok := f.decider.(quotaFunction); ok {
			names = append(names, r.nameOf(of))
		}
	}
	return stores.InOrder(names)
}

// Confirm implements [itip.Rules]: what is accepted is booked under each quota.
//
// DEVIATION: journal-of-the-first-version. The original leaves there what was accepted first.
// DEVIATION: bookings-once-more. The original fails where that does not name the resource any more.
func (r *rules) Confirm(i itip.Invited) error {
	if len(r.quotas) == 0 {
		return nil
	}
	booking, err := r.booking(i, i.Object)
	if err != nil {
		return err
	}
	own, err := i.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return err
	}
	for _, name := range r.quotaNames() {
		if err := r.quotas[name].Confirm(booking, own, r.functions.Books(r.user, name)); err != nil {
			return err
		}
	}
	return nil
}

// Pass implements [itip.Rules]: each quota by which the resource delegates notes it.
func (r *rules) Pass(i itip.Invited, to calendar.URI) error {
	booking, err := r.booking(i, i.Object)
	if err != nil {
		return err
	}
	for _, f := range r.functions.All {
		if of, ok := f.decider.(forDelegate); ok {
			if err := r.quotas[r.nameOf(of)].Pass(booking, to, i.Now); err != nil {
				return err
			}
		}
	}
	return nil
}

// Retract implements [itip.Rules]: what is booked is given back to each quota, also where the resource's records say
// that there is nothing. Where the journal is committed first, a program that was killed may have left it there.
//
// DEVIATION: bookings-that-are-given-up. The original leaves what is declined after it was accepted.
// DEVIATION: bookings-across-a-quota. The original leaves what schedule_across_quota has booked.
func (r *rules) Retract(i itip.Invited) error {
	if len(r.quotas) == 0 {
		return nil
	}
	own, err := i.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return err
	}
	for _, name := range r.quotaNames() {
		if err := r.quotas[name].Retract(i.ID, r.user, own, i.CalledOff); err != nil {
			return err
		}
	}
	return nil
}

// Uphold implements [itip.Rules]: each quota has what the resource has accepted. A program that was killed between
// the commits may have left there what is decided otherwise now.
func (r *rules) Uphold(i itip.Invited, accepted []itip.Accepted) error {
	if len(r.quotas) == 0 {
		return nil
	}
	own, err := i.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return err
	}
	var bookings []quota.Booking
	for _, a := range accepted {
		bookings = append(bookings, quota.Booking{ID: a.ID, Object: a.Object, Resource: r.user})
	}
	for _, name := range r.quotaNames() {
		if err := r.quotas[name].Uphold(i.ID, bookings, own, r.functions.Books(r.user, name), i.Now); err != nil {
			return err
		}
	}
	return nil
}
