package doctor

import (
	"context"
	"os"
	"strings"
)

// mailSystem looks which mail system there is, and how it runs the handler.
func (d *Doctor) mailSystem(ctx context.Context, report report) handler {
	var found handler
	postconf, hasPostfix := d.Find("postconf")
	exim, hasExim := d.Find("exim4")
	if !hasExim {
		exim, hasExim = d.Find("exim")
	}
	switch {
	case hasPostfix:
		found = d.postfix(ctx, postconf, report)
	case hasExim:
		found = d.exim(ctx, exim, report)
	default:
		report(MailSystem, Warning, "check by hand whether the mail system runs "+Handler+" on what users send",
			"neither Postfix nor Exim is on this machine")
	}

	if found.program == "" {
		if program, ok := d.Find(Handler); ok {
			found.program = program
		}
	} else if info, err := os.Stat(found.program); err != nil || info.Mode()&0o111 == 0 {
		report(MailSystem, Failed, "correct the path there, or install "+Handler,
			"the mail system runs %s, which is missing or not a program", found.program)
		found.program = ""
	}

	if !found.account.known {
		// What is made has to belong to somebody: as it is now.
		found.account = d.owner()
		if !found.account.known {
			report(Account, Unknown, "", "the user that the handler runs as is unknown")
			return found
		}
		report(Account, OK, "", "the store belongs to %s: the handler is assumed to run as that user", found.account.name)
		return found
	}
	if found.account.uid == 0 {
		report(Account, Failed, "let it run as imip-agent", "the mail system runs the handler as root")
		return found
	}
	report(Account, OK, "", "the handler runs as %s", found.account.name)
	return found
}

// address returns where the copies of a user's mail go: OUTGOING_PREFIX+USER@DOMAIN.
func (d *Doctor) address(user string) string { return d.Config.OutgoingPrefix + "+" + user }

// someUsers is how many users are asked for, of those who have records.
const someUsers = 50

// users returns the addresses of some users who have records, and whether there are any.
func (d *Doctor) users(ctx context.Context) []string {
	if d.Store == nil {
		return nil
	}
	var users []string
	for user, err := range d.Store.Users(ctx) {
		if err != nil || len(users) == someUsers {
			break // what is wrong with the store is said elsewhere
		}
		if address := user.Address(); strings.Contains(address, "@") && !strings.ContainsAny(address, " \t\"") {
			users = append(users, strings.ToLower(address))
		}
	}
	return users
}

// probe is an address of nobody in the domain of the calendar system.
func (d *Doctor) probe() string {
	_, domain, _ := strings.Cut(strings.ToLower(d.Config.MessageSender), "@")
	return "doctor@" + domain
}

// few joins the first of some words.
func few(words []string) string {
	if len(words) > 3 {
		return strings.Join(words[:3], ", ") + " and others"
	}
	return strings.Join(words, ", ")
}
