package copy

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"imip-agent/stores"
	"imip-agent/tools/migrate"
)

// verify reads both sides again and compares them, user by user, but for those who were
// not copied.
func (c *copier) verify(ctx context.Context, tasks []task) error {
	tasks = slices.DeleteFunc(slices.Clone(tasks), func(t task) bool { return t.gone || c.failed[t] })
	c.progress = Progress{Verifying: true, Total: len(tasks), Items: c.progress.Items}
	locked, err := c.each(ctx, tasks, c.compare)
	if err != nil {
		return err
	}
	locked, err = c.each(ctx, locked, c.compare)
	for _, t := range locked {
		c.note(t, migrate.Issue{Kind: migrate.Locked, Text: "not compared: " + stores.ErrLocked.Error()})
	}
	return err
}

// compare compares the two sides of a user.
func (c *copier) compare(ctx context.Context, t task) error {
	var source, target map[key]digest
	if t.part == migrate.PreferencesPart {
		s, err := takePreferences(c.from.Preferences, t.user)
		if err != nil {
			return err
		}
		d, err := takePreferences(c.to.Preferences, t.user)
		if err != nil {
			return err
		}
		source, target = s.items, d.items
	} else {
		var from, to keeper = users{c.from.Store}, users{c.to.Store}
		if t.part == migrate.JournalPart {
			from, to = quotas{c.from.Journal}, quotas{c.to.Journal}
		}
		err := from.view(ctx, t.user, func(tx stores.Records) error {
			s, err := take(tx, c.from, c.ordered(), false)
			if err != nil {
				return err
			}
			s.fit(c.to) // what that changes was listed
			source = s.items
			return to.view(ctx, t.user, func(tx stores.Records) error {
				d, err := take(tx, c.to, c.ordered(), false)
				if err == nil {
					target = d.items
				}
				return err
			})
		})
		var cannot *stores.UnstorableError
		if errors.As(err, &cannot) {
			c.note(t, migrate.Issue{Kind: migrate.Differs, Text: err.Error()})
			return nil
		} else if err != nil {
			return err
		}
	}
	if hash(source) == hash(target) {
		c.mu.Lock()
		c.result.Verified++
		c.mu.Unlock()
		return nil
	}
	c.note(t, differences(source, target)...)
	return nil
}

// hash returns the canonical hash of what a side has of a user.
func hash(items map[key]digest) string {
	digests := make([]digest, 0, len(items))
	for _, d := range items {
		digests = append(digests, d)
	}
	slices.SortFunc(digests, func(a, b digest) int { return bytes.Compare(a[:], b[:]) })
	h := sha256.New()
	for _, d := range digests {
		h.Write(d[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// differences lists what differs between two sides.
func differences(source, target map[key]digest) []migrate.Issue {
	var issues []migrate.Issue
	for k, want := range source {
		have, there := target[k]
		switch {
		case !there:
			issues = append(issues, migrate.Issue{Kind: migrate.Differs, Item: k.String(), Text: "it is missing in the target"})
		case have != want:
			issues = append(issues, migrate.Issue{Kind: migrate.Differs, Item: k.String(), Text: "it is different in the target"})
		}
	}
	for k := range target {
		if _, there := source[k]; !there {
			issues = append(issues, migrate.Issue{Kind: migrate.Differs, Item: k.String(), Text: "it is missing in the source"})
		}
	}
	slices.SortFunc(issues, func(a, b migrate.Issue) int { return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Text, b.Text)) })
	return issues
}
