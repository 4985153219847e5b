package copy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tools/migrate"
)

// Letters go along, those whose mails have gone out as well: a message that is handed in again at the target is known
// there. What has gone out from either side does not go out again from the target, as far as letters tell.

// letters copies the outboxes, after the records: whoever finds a letter relies on what was committed with it.
func (c *copier) letters(ctx context.Context) error {
	for user, err := range c.from.Store.Owing(ctx) {
		if err != nil {
			return err
		}
		t := task{part: migrate.StorePart, user: user}
		if len(c.o.Users) > 0 && !slices.ContainsFunc(c.o.Users, user.Is) || c.failed[t] {
			continue
		}
		err := c.from.Store.View(ctx, user, func(source stores.Tx) error { return c.lettersOf(ctx, t, source) })
		var cannot *stores.UnstorableError
		switch {
		case errors.Is(err, stores.ErrLocked):
			c.note(t, migrate.Issue{Kind: migrate.Locked, Text: "the outbox: " + err.Error()})
		case errors.As(err, &cannot):
			c.note(t, migrate.Issue{Kind: migrate.Unstorable, Text: "the outbox: " + err.Error()})
		case err != nil:
			return err
		}
	}
	return nil
}

// lettersOf copies a user's letters. The source is held.
func (c *copier) lettersOf(ctx context.Context, t task, source stores.Tx) error {
	all, err := c.from.Store.Letters(ctx, t.user)
	if err != nil {
		return err
	}
	there, err := c.to.Store.Letters(ctx, t.user)
	if err != nil {
		return err
	}
	for _, l := range all {
		// What was committed in part is done again when its message is handed in again, and then at the target.
		if done, err := source.Sent(l.Name); !done || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		i := slices.IndexFunc(there, func(other stores.LetterInfo) bool { return other.Name == l.Name })
		if i >= 0 && there[i].Left <= l.Left {
			c.result.Unchanged.Letters++
			continue
		}
		c.result.Written.Letters++
		if c.o.DryRun {
			continue
		}
		if i >= 0 { // more is left of it than at the source
			if err := c.to.Store.Drop(ctx, t.user, l.Name); err != nil {
				return err
			}
		}
		if err := c.letter(ctx, t.user, l.Name); err != nil {
			return fmt.Errorf("letter %s: %w", l.Name, err)
		}
	}
	return nil
}

// letter copies a letter with the mails that are left.
func (c *copier) letter(ctx context.Context, user calendar.URI, name string) error {
	letter := stores.Letter{Name: name}
	var failure error
	err := c.from.Store.Deliver(ctx, user, name, func(_ int, mail io.Reader) error {
		text, err := io.ReadAll(mail)
		if err != nil {
			failure = err
		}
		letter.Mails = append(letter.Mails, stores.Mail(text))
		return errKept
	})
	if failure != nil || err != nil && !errors.Is(err, errKept) {
		return errors.Join(failure, err)
	}
	return c.to.Store.Update(ctx, user, func(tx stores.Tx) error { return tx.Send(letter) })
}

// errKept keeps a mail in the source's outbox.
var errKept = errors.New("migrate: a mail is read and not sent")
