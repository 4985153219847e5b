"""Keeps the original imip-agent in memory and runs it on request.

Starting Python and loading the original costs some 200 ms a message; a child
forked from a process that has loaded it already costs a few. This program,
run by the original's own Python, reads one JSON request a line from standard
input and answers each with one line:

  {"run": "/path/imip_person_outgoing", "args": [...], "message": BASE64,
   "now": "2026-11-22 12:00:00", "patience": 60}
      runs the program as a child, as a mail system would, and kills it when it
      has not ended after so many seconds
      -> {"status": 0, "stdout": ..., "stderr": ..., "timed_out": false}

  {"read": "/path/store"}
      reads everything in a store through the original's own FileStore; an item
      tells how much there is of something
      -> {"items": ["user what name: number", ...], "errors": [...]}

The clock is libfaketime's: with FAKETIME_NO_CACHE it looks at the variable
FAKETIME, which a child sets for itself, each time it is asked.
"""

import base64
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import traceback

# Loaded here once, found loaded by every child.
from imiptools.handlers import person, person_outgoing, resource as _
from imiptools.stores.file import Store


# Stands for what only says what there is to be read.
LISTING = ""


def run(request):
    "Runs a program of the original in a child process."
    room = tempfile.mkdtemp()
    try:
        names = [os.path.join(room, name) for name in ("in", "out", "err")]
        with open(names[0], "wb") as f:
            f.write(base64.b64decode(request["message"]))
        # The child holds the writing end, so that the pipe ends when the child does. To
        # wait on it is independent of the clock that is made up for this process.
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            become(request, names)
        os.close(writing)
        timed_out = not select.select([reading], [], [], request["patience"])[0]
        if timed_out:
            os.kill(child, signal.SIGKILL)
        os.close(reading)
        status = os.waitpid(child, 0)[1]
        status = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        out, err = [open(name).read().decode("utf-8", "replace") for name in names[1:]]
        return {"status": status, "stdout": out, "stderr": err, "timed_out": timed_out}
    finally:
        shutil.rmtree(room)


def become(request, names):
    "Turns this child into the program asked for. It never returns."
    status = 1
    try:
        for number, name in enumerate(names):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
            fd = os.open(name, flags, 0600)
            os.dup2(fd, number)
            os.close(fd)
        sys.stdin = os.fdopen(0, "r")
        sys.stdout = os.fdopen(1, "w")
        sys.stderr = os.fdopen(2, "w")
        # A rule by the second fills the memory.
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        os.environ["FAKETIME"] = request["now"].encode("ascii")
        sys.argv = [arg.encode("utf-8") for arg in [request["run"]] + request["args"]]
        execfile(sys.argv[0], {"__name__": "__main__"})
        status = 0
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
    except:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def read(request):
    "Reads a whole store through the original's FileStore."
    store = Store(request["read"].encode("utf-8"))
    items, errors = [], []

    def attempt(user, what, name, get):
        try:
            got = get()
        except Exception as e:
            errors.append("%s %s %s: %s: %s" % (user, what, name, e.__class__.__name__, e))
            return None
        # What is empty may as well not be there.
        if got and name != LISTING:
            items.append("%s %s %s: %d" % (user, what, name, len(list(got))))
        return got

    def events(user, what, uid, recurrenceid, get):
        # An object that the original can read is a dictionary with its component as the only key.
        node = attempt(user, what, "%s %s" % (uid, recurrenceid or "-"), get)
        if not node:
            errors.append("%s %s %s %s: no object" % (user, what, uid, recurrenceid))

    for user in sorted(store.get_users()):
        for uid, recurrenceid in sorted(attempt(user, "events", LISTING, lambda: store.get_all_events(user)) or []):
            events(user, "event", uid, recurrenceid, lambda: store.get_event(user, uid, recurrenceid))
            for other in sorted(attempt(user, "counters", LISTING, lambda: store.get_counters(user, uid, recurrenceid)) or []):
                events(user, "counter " + other, uid, recurrenceid,
                       lambda: store.get_counter(user, other, uid, recurrenceid))
        for uid, recurrenceid in sorted(attempt(user, "cancelled", LISTING, lambda: store.get_all_events(user, "cancellations")) or []):
            events(user, "cancellation", uid, recurrenceid,
                   lambda: store.get_event(user, uid, recurrenceid, "cancellations"))
        attempt(user, "freebusy", "own", lambda: store.get_freebusy(user))
        attempt(user, "offers", "own", lambda: store.get_freebusy_offers(user))
        attempt(user, "providers", "own", lambda: store.get_freebusy_providers(user))
        attempt(user, "requests", "own", lambda: store.get_requests(user))
        for other in sorted(attempt(user, "others", LISTING, lambda: store.get_freebusy_others(user)) or []):
            attempt(user, "freebusy-other", other, lambda: store.get_freebusy_for_other(user, other))
    return {"items": items, "errors": errors}


def main():
    answers = os.fdopen(os.dup(1), "w")
    # The readline method, since iterating over a file reads ahead.
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        answer = run(request) if "run" in request else read(request)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
