// Package spool is the queue of messages that the service has taken and must still handle. It knows no
// protocol and no calendar: a message comes with a [Note] of whose it is, and [Queue.Handle] handles it.
//
// The rooms around it, and what each may know:
//
//   - handlers/spool: a directory of files, their order, when to try again. No mail, no protocol, no store.
//   - handlers/submission: whose message it is that a user sends, and whether it counts. No protocol, no store.
//   - handlers/milter and handlers/lmtp: their protocol. No file, no store.
//   - handlers/outgoing, handlers/person, handlers/resource: what a message means. No queue, no protocol.
//   - cmd/internal/serve: sockets, signals, systemd, limits. It puts the others together.
//
// A message on its way: the mail system sends an invitation of paul by the milter protocol. The milter takes
// paul's name from the macro {auth_authen}, keeps headers and body, and finds a calendar part. At the end of
// the message it calls Put. The file is written, synced and renamed, and its directory is synced. Now the mail is accepted.
// A worker of the queue takes all messages of paul that wait, oldest first, and gives them to the outgoing
// handler, which changes paul's records in one critical section. Then the files are removed. A process that is killed
// anywhere leaves either no file, and the mail was not accepted, or the file, and the message is handled at the next start.
//
// # Files
//
// Each message is one file, ID.eml. The ID is the time at which the message was put there, with nanoseconds, so that
// names are in the order of messages; it never goes back, though the clock may. The file is a mail that mail programs
// can open. It begins with the fields of the note, the last of them its size:
//
//	X-Imip-Agent-User: paul@example.com
//	X-Imip-Agent-Received: 2026-11-26T08:00:04Z
//	X-Imip-Agent-Source: milter
//	X-Imip-Agent-Size: 4711
//
// One that has arrived for a resource has the field X-Imip-Agent-Recipient in the place of User.
//
// The message follows as it came. A message that could not be handled also has ID.txt, with the number of tries, the reason
// and the time of the next one. Whoever removes ID.txt has the message tried again at once; whoever removes both drops it.
// The file "last" has the newest ID, and how many messages were counted last, together with those that were put there since: there are not
// more. The file "running" is locked by the one process that handles the messages.
//
// # Order
//
// Messages of one user are handled in their order: while one waits for its next try, those behind it wait too. Those of
// others go on. After five days a message is rejected with the reason, and the next one is tried. A message is
// removed after it was handled, so that a process that is killed in between has it handled again, together with all
// behind it, in order. That does no harm: see package handlers.
//
// While a hundred messages or more come in a second, those of a user wait for a second at most before they are handled, unless there are
// as many as are handled together: mail systems wait for what handles them.
package spool
