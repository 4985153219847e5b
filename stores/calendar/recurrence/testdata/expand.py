"""Expand rules with dateutil: a line of JSON [start, rule] in, one of occurrences out.

null stands for a rule that dateutil refuses or is too slow for.
"""
import json
import signal
import sys
from datetime import datetime

from dateutil.rrule import rrulestr

FORM = "%Y%m%dT%H%M%S"


class TooSlow(Exception):
    pass


def alarm(signum, frame):
    raise TooSlow()


signal.signal(signal.SIGALRM, alarm)
for line in sys.stdin:
    start, rule = json.loads(line)
    found = []
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        for t in rrulestr(rule, dtstart=datetime.strptime(start, FORM)):
            if t.year > 2080 or len(found) == 30:
                break
            found.append(t.strftime(FORM))
    except Exception:  # it fails on rules in many ways
        found = None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps(found), flush=True)
