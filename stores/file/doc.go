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
//
// # Writing
//
// A transaction's changes are written in full and synced in __staging__ below the
// user's directory, and then renamed into place: letters first, then tables, then texts,
// then texts are deleted, then the directories are synced. Until the first rename a
// failure of any kind leaves the store as it was. A crash between renames leaves
// what made the message apply in place, so that handling it again mends the rest;
// what it leaves of __staging__ is removed by the next one that writes.
//
// Directories of the store get DirMode and files FileMode whatever the umask, since
// the mail system and the web manager are different users of one group; a chmod
// that fails is ignored, as by the original. Unlike the original, which leaves them,
// emptied directories of recurrences and counter-proposals are removed.
package file
