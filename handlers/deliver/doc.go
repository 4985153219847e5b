// Package deliver hands mails over: to the mailbox server of the users here, by LMTP (RFC 2033) or
// SMTP, and to the mail server that takes mail for everybody else, by SMTP (RFC 5321).
//
// A change of a user's records often owes mails: the message itself, which has to get to the
// mailbox, and answers. They are put into a [Letter], which the store commits with the change
// ([stores.Tx]). When the user's lock is given back, a [Sender] hands over each mail of the
// letter, the mailbox's first, and crosses it off as soon as the server has taken it. Handling
// the same message again finds the letter by its name, which [Name] makes of message and
// recipient, changes nothing more, and hands over what is left. So whenever a program is
// killed, a change is made once, and each mail is handed over once, but for one moment that
// SMTP cannot avoid (RFC 5321 section 4.5.3.2.6): if it is killed after the server has taken a
// mail and before the mail is crossed off, the mail is handed over again. It is the same mail
// then, with the same identifier.
//
// A message that changes no records needs no letter, and no lock: it is handed over straight
// from where it is spooled ([Sender.Once]). A letter of its name without mails, left right
// afterwards, keeps it from being handed over again if the program is killed before it can say
// that all is done, or if another recipient of the message fails. That note is not synced:
// nothing but itself can be lost.
//
// An answer that the server refuses for good is given up, with a warning, so that it does not
// hold up the rest. A mail for a mailbox is never given up so: whoever hands in the message has
// to know it. Letters of 14 days are dropped.
package deliver
