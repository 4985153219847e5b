package copy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/freebusy"
	"imip-agent/tools/migrate"
)

// writeAtOnce is how many octets of texts are written in one transaction, so that a
// store which keeps changes in memory until the commit does not need much of it.
const writeAtOnce = 16 << 20

// applier carries a plan out in a transaction of the target.
type applier struct {
	plan   *plan
	from   *snapshot
	source stores.Records
	to     *snapshot
	target stores.Records
	one    bool // Side.OneStatus of the target

	written map[key]digest // with what the target now has of them
	removed []key
	issues  []migrate.Issue
	left    bool // there is more to be done in another transaction
}

// apply carries the plan out, or as much of it as goes into one transaction.
func (a *applier) apply() error {
	a.written = make(map[key]digest)
	if err := a.writeTexts(); err != nil || a.left {
		return err
	}
	if err := a.removeTexts(); err != nil {
		return err
	}
	if err := a.writeTables(); err != nil {
		return err
	}
	if err := a.writeRequests(); err != nil {
		return err
	}
	if err := a.writeProviders(); err != nil {
		return err
	}
	return a.writeLists()
}

// text returns a text of the source.
func (a *applier) text(k stores.Key) ([]byte, bool, error) {
	content, known := a.from.texts[k]
	if !known || content != nil {
		return content, known, nil
	}
	content, err := a.source.Get(k)
	return content, err == nil, err
}

// unstorable notes an item that the target cannot hold; any other error goes on.
func (a *applier) unstorable(item key, err error) error {
	var cannot *stores.UnstorableError
	if !errors.As(err, &cannot) {
		return err
	}
	a.issues = append(a.issues, migrate.Issue{Kind: migrate.Unstorable, Item: item.String(), Text: cannot.Error()})
	return nil
}

// check returns why the target cannot hold an item.
func (a *applier) check(item key) error {
	if which, ok := item.table(); ok {
		_, err := a.target.Periods(which)
		return err
	}
	switch item.kind {
	case event, counter:
		target, ok := a.target.(stores.Checker)
		if !ok {
			return nil
		}
		texts, _, err := a.textsOf(item)
		for _, t := range texts {
			err = errors.Join(err, target.Check(t))
		}
		return err
	case request:
		return stores.CheckRequest(stores.Request{ID: item.id(), Type: item.extra})
	case provider:
		return stores.CheckID(item.id())
	}
	return nil
}

// writeTexts stores events and counter-proposals.
func (a *applier) writeTexts() error {
	bulk, _ := a.target.(stores.Bulk)
	var fresh []stores.Text // for bulk
	var freshItems []key
	size := 0
	for _, item := range a.plan.write {
		if item.kind != event && item.kind != counter {
			continue
		}
		if size > writeAtOnce {
			a.left = true
			break
		}
		texts, gone, err := a.textsOf(item)
		if err != nil {
			return err
		}
		for _, t := range texts {
			size += len(t.Content)
		}
		if _, there := a.to.items[item]; bulk != nil && !there && checkTexts(texts) == nil {
			fresh, freshItems = append(fresh, texts...), append(freshItems, item)
			a.written[item] = digestOfTexts(item, texts)
			continue
		}
		if err := a.put(item, texts, gone); err != nil {
			return err
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	err := bulk.PutNew(fresh)
	var cannot *stores.UnstorableError
	if !errors.As(err, &cannot) {
		return err
	}
	for _, item := range freshItems { // one by one, to see which
		delete(a.written, item)
		texts, gone, err := a.textsOf(item)
		if err != nil {
			return err
		}
		if err := a.put(item, texts, gone); err != nil {
			return err
		}
	}
	return nil
}

// checkTexts fails for what would spoil a whole piece of bulk.
func checkTexts(texts []stores.Text) error {
	for _, t := range texts {
		if err := stores.CheckID(t.ID); err != nil {
			return err
		}
	}
	return nil
}

// put stores the texts of an item one by one.
func (a *applier) put(item key, texts []stores.Text, gone []stores.Key) error {
	if target, ok := a.target.(stores.Checker); ok { // before what is there goes
		for _, t := range texts {
			if err := target.Check(t); err != nil {
				return a.unstorable(item, err)
			}
		}
	}
	for _, k := range gone {
		if err := a.target.Delete(k); err != nil {
			return err
		}
	}
	for _, t := range texts {
		if err := a.target.Put(t.Key, t.Content); err != nil {
			return a.unstorable(item, err)
		}
	}
	a.written[item] = digestOfTexts(item, texts)
	return nil
}

// textsOf returns what the target is to have of an item, and what not.
func (a *applier) textsOf(item key) (texts []stores.Text, gone []stores.Key, err error) {
	keys := []stores.Key{{Part: stores.Countered, ID: item.id(), Other: uri(item.other)}}
	if item.kind == event {
		keys = []stores.Key{{Part: stores.Active, ID: item.id()}, {Part: stores.Cancelled, ID: item.id()}}
	}
	for _, k := range keys {
		content, there, err := a.text(k)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case !there:
			gone = append(gone, k)
		case a.one && len(texts) == 1 && k.Part == stores.Cancelled:
			// The active text is the one that counts in the other kind of store.
		default:
			texts = append(texts, stores.Text{Key: k, Content: content})
		}
	}
	return texts, gone, nil
}

func digestOfTexts(item key, texts []stores.Text) digest {
	if item.kind == counter {
		return item.of(texts[0].Content)
	}
	var active, cancelled []byte
	for _, t := range texts {
		if t.Part == stores.Cancelled {
			cancelled = t.Content
		} else {
			active = t.Content
		}
	}
	return eventDigest(item, active, cancelled)
}

// removeTexts deletes events and counter-proposals.
func (a *applier) removeTexts() error {
	for _, item := range a.plan.remove {
		keys := []stores.Key{{Part: stores.Countered, ID: item.id(), Other: uri(item.other)}}
		switch item.kind {
		case event:
			keys = []stores.Key{{Part: stores.Active, ID: item.id()}, {Part: stores.Cancelled, ID: item.id()}}
		case counter:
		default:
			continue
		}
		for _, k := range keys {
			if err := a.target.Delete(k); err != nil {
				return err
			}
		}
		a.removed = append(a.removed, item)
	}
	return nil
}

// writeTables brings the records of free/busy tables up to date.
func (a *applier) writeTables() error {
	wanted := make(map[stores.Table]map[key]bool) // the items to be written
	of := func(which stores.Table) map[key]bool {
		if wanted[which] == nil {
			wanted[which] = make(map[key]bool)
		}
		return wanted[which]
	}
	for _, item := range a.plan.write {
		if which, ok := item.table(); ok {
			of(which)[item] = true
		}
	}
	for _, item := range a.plan.remove {
		if which, ok := item.table(); ok {
			of(which)[item] = false
		}
	}
	for which, items := range wanted {
		table, err := a.target.Periods(which)
		if err != nil {
			for item := range items {
				if err := a.unstorable(item, err); err != nil {
					return err
				}
			}
			continue
		}
		for item, write := range items {
			if _, there := a.to.items[item]; there {
				table.Remove(item.uid, item.recurrenceID)
			}
			if write {
				a.written[item] = a.from.items[item]
			} else {
				a.removed = append(a.removed, item)
			}
		}
		if rows := a.from.rows[which]; rows != nil {
			table.InsertFrom(rows, func(p freebusy.Period) bool { return items[periodKey(which, p)] })
		}
	}
	return nil
}

// changes splits what the plan says of items of some kinds.
func (a *applier) changes(kinds ...kind) (write, remove map[key]bool) {
	write, remove = make(map[key]bool), make(map[key]bool)
	for _, item := range a.plan.write {
		if slices.Contains(kinds, item.kind) {
			write[item] = true
			a.written[item] = a.from.items[item]
		}
	}
	for _, item := range a.plan.remove {
		if slices.Contains(kinds, item.kind) {
			remove[item] = true
			a.removed = append(a.removed, item)
		}
	}
	return write, remove
}

// writeRequests brings the request queue up to date: the source's come in its order, and
// what else the target has after them.
func (a *applier) writeRequests() error {
	write, remove := a.changes(request)
	if len(write)+len(remove) == 0 {
		return nil
	}
	var queue []stores.Request
	item := func(r stores.Request) key {
		return key{kind: request, uid: r.UID, recurrenceID: r.RecurrenceID, extra: r.Type}
	}
	placed := make(map[key]bool)
	add := func(r stores.Request) {
		if !placed[item(r)] {
			queue = append(queue, r)
			placed[item(r)] = true
		}
	}
	for _, r := range a.from.requests {
		_, there := a.to.items[item(r)]
		if !write[item(r)] && !there {
			continue
		}
		if err := stores.CheckRequest(r); err != nil {
			if err := a.unstorable(item(r), err); err != nil {
				return err
			}
			delete(a.written, item(r))
			continue
		}
		add(r)
	}
	for _, r := range a.to.requests {
		if !remove[item(r)] {
			add(r)
		}
	}
	user, ok := a.target.(stores.Tx)
	if !ok {
		return nil // a quota has no queue
	}
	return user.SetRequests(queue)
}

// writeProviders brings the events that recur without end up to date.
func (a *applier) writeProviders() error {
	write, remove := a.changes(provider, until)
	if len(write)+len(remove) == 0 {
		return nil
	}
	p := stores.Providers{Until: a.to.providers.Until}
	if write[key{kind: until}] {
		p.Until = a.from.providers.Until
	} else if remove[key{kind: until}] {
		p.Until = a.from.providers.Until // none
	}
	item := func(id stores.ID) key { return key{kind: provider, uid: id.UID, recurrenceID: id.RecurrenceID} }
	placed := make(map[key]bool)
	for _, id := range a.from.providers.Events {
		_, there := a.to.items[item(id)]
		if placed[item(id)] || !write[item(id)] && !there {
			continue
		}
		if err := stores.CheckID(id); err != nil {
			if err := a.unstorable(item(id), err); err != nil {
				return err
			}
			delete(a.written, item(id))
			continue
		}
		p.Events = append(p.Events, id)
		placed[item(id)] = true
	}
	for _, id := range a.to.providers.Events {
		if !remove[item(id)] && !placed[item(id)] {
			p.Events = append(p.Events, id)
			placed[item(id)] = true
		}
	}
	return a.target.SetProviders(p)
}

// writeLists brings a quota's lists up to date.
func (a *applier) writeLists() error {
	write, remove := a.changes(list)
	if len(write)+len(remove) == 0 {
		return nil
	}
	quota, ok := a.target.(stores.JournalTx)
	if !ok {
		return fmt.Errorf("the target has no place for a quota's lists")
	}
	for _, l := range stores.QuotaLists {
		var lines [][]string
		placed := make(map[key]bool)
		place := func(items []key, wanted func(key) bool) {
			for _, item := range items {
				if item.other == l.Name && wanted(item) && !placed[item] {
					lines = append(lines, strings.Split(item.uid, "\t"))
					placed[item] = true
				}
			}
		}
		stays := make(map[key]bool)
		for _, item := range a.to.lists {
			stays[item] = !remove[item]
		}
		// What the source has is in its order, but where somebody has changed that in the target.
		if _, there := a.to.items[orderOf(l.Name)]; there && !write[orderOf(l.Name)] {
			place(a.to.lists, func(item key) bool { return stays[item] })
		}
		place(a.from.lists, func(item key) bool { return stays[item] || write[item] })
		place(a.to.lists, func(item key) bool { return stays[item] })
		if err := quota.SetList(l.Name, lines); err != nil {
			return err
		}
	}
	return nil
}
