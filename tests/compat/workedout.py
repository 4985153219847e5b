"""Works out with the original's library what the events of stores record.

Reads a list of {"store": DIR, "users": {USER: [ZONE, "20270302T120000Z"]}} as JSON from
standard input, with the end of each user's window, and writes a list of {"USER UID RECURRENCE-ID": [LINE...]}, with the lines that a
free/busy table has of the event, if it is recorded at all.
"""

import json
import sys

from imiptools.data import Object
from imiptools.dates import get_datetime
from imiptools.stores.file import Store


def text(value):
    "Returns text, or octets, or nothing, as text."
    return value.decode("utf-8") if isinstance(value, str) else value or u""


def records(store, user, uid, recurrenceid, zone, until):
    "Returns the lines of one event."
    obj = Object(store.get_event(user, uid, recurrenceid))
    organises = obj.get_participation_status(user) == "ORG"
    replaced = store.get_recurrences(user, uid) if not recurrenceid else []
    lines = set()
    for period in obj.get_active_periods(replaced, zone, get_datetime(until)):
        columns = obj.get_freebusy_period(period, organises).as_tuple(True)
        lines.add("\t".join([text(column) for column in columns]))
    return sorted(lines)


def main():
    answers = []
    for request in json.load(sys.stdin):
        store = Store(request["store"].encode("utf-8"))
        answer = {}
        for user, (zone, until) in request["users"].items():
            for uid, recurrenceid in store.get_all_events(user.encode("utf-8")):
                lines = records(store, user.encode("utf-8"), uid, recurrenceid, zone, until)
                answer[" ".join([user, text(uid), text(recurrenceid)])] = lines
        answers.append(answer)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
