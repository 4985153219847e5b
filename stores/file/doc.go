// Package file is the store in the original's directories, beside which the
// original's other programs go on working: its web manager, imip_person, and
// its cron jobs read and write the same files.
//
//	DIR/USER/objects/UID                             whole events
//	DIR/USER/recurrences/UID/RECURRENCE-ID           changed or added occurrences
//	DIR/USER/cancellations/objects/UID               cancelled events
//	DIR/USER/cancellations/recurrences/UID/RECURRENCE-ID
//	DIR/USER/counters/objects/UID/OTHER              counter-proposals
//	DIR/USER/counters/recurrences/UID/RECURRENCE-ID/OTHER
//	DIR/USER/freebusy, freebusy-offers, freebusy-other/OTHER
//	DIR/USER/requests, freebusy-providers
//	DIR/USER/__outbox__/LETTER/NUMBER                mails that have not gone out
//	DIR/USER/__outbox__/LETTER/unfinished            the change that owes it is not done
//	PUBLISHDIR/USER/freebusy                         a calendar for web servers
//
// # Names
//
// A UID that can be a file name is one. Any other is percent-encoded under a
// prefix, or hashed under it: see [uidName]. Other users' URIs and recurrence ids
// are file names as they stand, or cannot be stored. Everything below a user's
// directory is reached through an [os.Root], so that neither a name nor a symbolic
// link leads out of it; the store's and the user's directories themselves may be
// links.
//
// # Locks
//
// A critical section holds two locks on the user, in this order: flock(2) on the
// user's directory, which keeps our own programs apart without polling and goes
// when its holder dies; and the original's lock, the directory __lock__ with its
// holder's process id in it, which keeps the Python programs out. What a dead
// program leaves of the latter is broken once it is a minute old: see [LockInfo].
// Ours make it complete as __lock__next__, and rename it; and back, to remove it. What a dead program
// leaves of that is nobody's lock, and the next one removes it.
//
// # Writing
//
// A transaction's changes are written in full in __staging__ below the user's directory, and then synced, all at
// once. Then they are renamed into place: letters first, then tables, then texts, then texts are deleted. At last the
// directories are synced. Until the first rename a failure of any kind leaves the store as it was. A crash between
// renames leaves what made the message apply in place, so that handling it again mends the rest; what it leaves of
// __staging__ is removed by the next one that writes.
//
// The machine can fail, too. Then what was synced is there, and each name that was changed and not synced can be the old
// one or the new one. So these are synced in this order:
//
//   - The contents of all files, and the names in the directory of a letter: before any name is changed. Whatever name is found
//     later, its content is whole. None of these needs another to be synced before it.
//   - The name of a letter: before tables and texts are renamed. Whoever handles the message again finds the
//     letter as it was owed at first, although a text may say that the message is old by now.
//   - The names of tables and texts: before the letter counts as owed by a change that is made, and before the lock is given
//     back. So no mail of the letter is sent, and nobody is told of what can be lost; and whoever handles the message again
//     makes the change again.
//   - That a mail is crossed off: before the next is sent, and before the message counts as handled.
//
// Directories of the store get DirMode and files FileMode whatever the umask, since
// the mail system and the web manager are different users of one group; a chmod
// that fails is ignored, as by the original. Unlike the original, which leaves them,
// emptied directories of recurrences and counter-proposals are removed.
package file
