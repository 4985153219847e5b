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
		err := c.lettersOf(ctx, t)
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

// lettersOf copies a user's letters. The source is held while it is found out which. To read one takes a connection to a
// database, and who holds the source has one already: they are read afterwards.
func (c *copier) lettersOf(ctx context.Context, t task) error {
	var all []stores.LetterInfo
	err := c.from.Store.View(ctx, t.user, func(source stores.Tx) (err error) {
		if all, err = stores.LettersOf(ctx, c.from.Store, source); err != nil {
			return err
		}
		// What was committed in part is done again when its message is handled again, and then at the target.
		for i := 0; i < len(all); {
			done, err := source.Sent(all[i].Name)
			if err != nil {
				return err
			}
			if done {
				i++
			} else {
				all = slices.Delete(all, i, i+1)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	there, err := c.to.Store.Letters(ctx, t.user)
	if err != nil {
		return err
	}
	for _, l := range all {
		i := slices.IndexFunc(there, func(other stores.LetterInfo) bool { return other.Name == l.Name })
		if i >= 0 && there[i].Left <= l.Left {
			c.result.Unchanged.Letters++
			continue
		}
		if c.o.DryRun {
			c.result.Written.Letters++
			continue
		}
		letter, err := c.letter(ctx, t.user, l.Name)
		if errors.Is(err, stores.ErrNotFound) {
			continue // it has been dropped meanwhile
		}
		if err == nil && i >= 0 { // more is left of it than at the source
			err = c.to.Store.Drop(ctx, t.user, l.Name)
		}
		if err == nil {
			err = c.to.Store.Update(ctx, t.user, func(tx stores.Tx) error { return tx.Send(letter) })
		}
		if err != nil {
			return fmt.Errorf("letter %s: %w", l.Name, err)
		}
		c.result.Written.Letters++
	}
	return nil
}

// letter reads a letter with the mails that are left.
func (c *copier) letter(ctx context.Context, user calendar.URI, name string) (stores.Letter, error) {
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
	return letter, errors.Join(failure, withoutKept(err))
}

// withoutKept returns what else has gone wrong than that mails were kept: without those that could not be read, a letter is not whole.
func withoutKept(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return errors.Join(slices.DeleteFunc(slices.Clone(several.Unwrap()), func(one error) bool { return errors.Is(one, errKept) })...)
	}
	if errors.Is(err, errKept) {
		return nil
	}
	return err
}

// errKept keeps a mail in the source's outbox.
var errKept = errors.New("migrate: a mail is read and not sent")
