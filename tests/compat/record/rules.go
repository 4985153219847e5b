package main

// rules are events that recur by a rule.
func rules() []*builder {
	rule := func(name, about, rule string, blocks ...any) *builder {
		return conversation("rule-"+name, about).
			sends("paul", "REQUEST", event(append([]any{meeting, oslo, "RRULE:" + rule}, blocks...)...))
	}
	const utc = "DTSTART:20261202T090000Z\nDTEND:20261202T100000Z"
	return []*builder{
		rule("daily", "Every day, in a zone.", "FREQ=DAILY;COUNT=5"),
		rule("daily-interval", "Every third day until a time in UTC that an occurrence falls on.",
			"FREQ=DAILY;INTERVAL=3;UNTIL=20261214T080000Z"),
		rule("daily-utc", "Every day, in UTC.", "FREQ=DAILY;COUNT=3", utc),
		rule("daily-floating", "Every day, floating.", "FREQ=DAILY;COUNT=3", floating).prefers("paul", "TZID", "Europe/Oslo"),
		rule("daily-all-day", "Every second day, all day, until a date.",
			"FREQ=DAILY;INTERVAL=2;COUNT=4", allDay, "DTEND;VALUE=DATE:20261203").prefers("paul", "TZID", "America/New_York"),
		rule("weekly", "Every week.", "FREQ=WEEKLY;COUNT=4"),
		rule("weekly-days", "Every week on several days; the start is the first of them.", "FREQ=WEEKLY;BYDAY=WE,FR,MO;COUNT=7").deviates("lists-in-rules"),
		rule("weekly-interval", "Every second week on two days.", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,FR;COUNT=6").deviates("lists-in-rules"),
		rule("weekly-day", "Every second week on a day; the start is the first.", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE;COUNT=3"),
		rule("weekly-all-day", "Every week, two days long.", "FREQ=WEEKLY;COUNT=3", allDay),
		rule("monthly", "Every month on the day of the start.", "FREQ=MONTHLY;COUNT=3"),
		rule("monthly-day", "Every month on a day of the month.", "FREQ=MONTHLY;BYMONTHDAY=2;COUNT=3"),
		rule("monthly-weekday", "Every month on its first Wednesday.", "FREQ=MONTHLY;BYDAY=1WE;COUNT=3"),
		rule("monthly-last-weekday", "Every month on its last Friday.", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3",
			"DTSTART;TZID=Europe/Oslo:20261127T090000\nDTEND;TZID=Europe/Oslo:20261127T100000"),
		rule("monthly-last-day", "Every month on its last day.", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
			"DTSTART;TZID=Europe/Oslo:20261130T090000\nDTEND;TZID=Europe/Oslo:20261130T100000"),
		rule("monthly-weekdays", "All Wednesdays of the month.", "FREQ=MONTHLY;BYDAY=WE;COUNT=6"),
		rule("monthly-second-last", "The second last Wednesday of the month.", "FREQ=MONTHLY;BYDAY=-2WE;COUNT=3"),
		rule("monthly-friday-13th", "Friday the 13th.", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=1").prefers("paul", "window_size", "300"),
		rule("daily-weekday", "Every day, if it is a Wednesday.", "FREQ=DAILY;BYDAY=WE;COUNT=3"),
		rule("daily-month", "Every day in December.", "FREQ=DAILY;BYMONTH=12;UNTIL=20270104T080000Z",
			"DTSTART;TZID=Europe/Oslo:20261230T090000\nDTEND;TZID=Europe/Oslo:20261230T100000"),
		rule("yearly-day", "The first day of the year.", "FREQ=YEARLY;BYYEARDAY=1;COUNT=2").prefers("paul", "window_size", "800"),
		rule("yearly-last-day", "The last day of the year.", "FREQ=YEARLY;BYYEARDAY=-1;COUNT=2").prefers("paul", "window_size", "800"),
		rule("yearly", "Every year.", "FREQ=YEARLY;COUNT=3").prefers("paul", "window_size", "1000"),
		rule("yearly-month", "Every year in one month, on its first Wednesday.", "FREQ=YEARLY;BYMONTH=12;BYDAY=1WE;COUNT=3").
			prefers("paul", "window_size", "1000"),
		rule("hourly", "Every sixth hour.", "FREQ=HOURLY;INTERVAL=6;COUNT=6", "-DTEND\nDURATION:PT1H"),
		rule("minutely", "Every twenty minutes.", "FREQ=MINUTELY;INTERVAL=20;COUNT=5", "-DTEND\nDURATION:PT5M"),
		rule("secondly", "Every thirty seconds.", "FREQ=SECONDLY;INTERVAL=30;COUNT=5", "-DTEND\nDURATION:PT5S"),
		rule("forever", "Without end: as far as the window goes.", "FREQ=WEEKLY"),
		rule("forever-window", "Without end, with a window of 10 days.", "FREQ=DAILY").prefers("paul", "window_size", "10"),
		rule("window-edge", "The window ends at an occurrence.", "FREQ=DAILY",
			"DTSTART:20261122T120000Z\nDTEND:20261122T130000Z").prefers("paul", "window_size", "3"),
		rule("window-all-day", "The window ends within a day.", "FREQ=DAILY", allDay, "DTEND;VALUE=DATE:20261203").
			prefers("paul", "window_size", "14").prefers("paul", "TZID", "Europe/Oslo"),
		rule("before-now", "Occurrences before now are recorded too.", "FREQ=WEEKLY;COUNT=4",
			"DTSTART;TZID=Europe/Oslo:20261111T090000\nDTEND;TZID=Europe/Oslo:20261111T100000"),
		rule("summer-time", "Occurrences keep their local time when summer time begins.", "FREQ=DAILY;COUNT=4",
			"DTSTART;TZID=Europe/Oslo:20270326T090000\nDTEND;TZID=Europe/Oslo:20270326T100000").prefers("paul", "window_size", "200"),
		rule("transparent", "A rule for a transparent event.", "FREQ=WEEKLY;COUNT=2", three, oslo, "TRANSP:TRANSPARENT"),
		conversation("rule-changed", "A rule is replaced by another, and by none.").
			sends("paul", "REQUEST", event(meeting, oslo, weekly)).
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=DAILY;COUNT=2\nSEQUENCE:1")).
			sends("paul", "REQUEST", event(meeting, oslo, "SEQUENCE:2")),
	}
}

// dates are events that recur on given dates.
func dates() []*builder {
	return []*builder{
		conversation("rdate", "Further dates, without a rule.").
			sends("paul", "REQUEST", event(meeting, oslo, "RDATE;TZID=Europe/Oslo:20261205T090000")),
		conversation("rdate-list", "Several further dates, in one property and in two.").
			sends("paul", "REQUEST", event(meeting, oslo, "RDATE;TZID=Europe/Oslo:20261205T090000,20261207T120000")).
			sends("paul", "REQUEST", event(meeting, "UID:two\nRDATE:20261205T090000Z\nRDATE:20261207T120000Z")),
		conversation("rdate-period", "Further dates as periods: with an end, and with a duration.").
			sends("paul", "REQUEST", event(meeting, "RDATE;VALUE=PERIOD:20261205T090000Z/20261205T120000Z")).
			sends("paul", "REQUEST", event(meeting, "UID:two\nRDATE;VALUE=PERIOD:20261205T090000Z/PT5M,20261206T090000Z/20261206T093000Z")),
		conversation("rdate-all-day", "Further days.").
			sends("paul", "REQUEST", event(meeting, allDay, "RDATE;VALUE=DATE:20261210,20261220")),
		conversation("rdate-rule", "A rule and further dates; one of them the rule gives as well.").
			sends("paul", "REQUEST", event(meeting, oslo, weekly, "RDATE;TZID=Europe/Oslo:20261205T090000,20261209T090000")),
		conversation("rdate-after-window", "Further dates count after the window too.").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=WEEKLY\nRDATE;TZID=Europe/Oslo:20271205T090000")).
			prefers("paul", "window_size", "20"),
		conversation("exdate", "Dates that are left out.").
			sends("paul", "REQUEST", event(meeting, oslo, weekly, "EXDATE;TZID=Europe/Oslo:20261209T090000")),
		conversation("exdate-list", "Several dates left out, in one property and in two.").
			sends("paul", "REQUEST", event(meeting, oslo, weekly, "EXDATE;TZID=Europe/Oslo:20261209T090000,20261216T090000")).
			sends("paul", "REQUEST", event(meeting, oslo, weekly, "UID:two\nEXDATE;TZID=Europe/Oslo:20261209T090000\nEXDATE;TZID=Europe/Oslo:20261216T090000")),
		conversation("exdate-start", "The first occurrence is left out.").
			sends("paul", "REQUEST", event(meeting, oslo, weekly, "EXDATE;TZID=Europe/Oslo:20261202T090000")),
		conversation("exdate-utc", "A date left out in UTC, of an event in a zone.").
			sends("paul", "REQUEST", event(meeting, oslo, weekly, "EXDATE:20261209T080000Z")),
		conversation("exdate-all-day", "Days left out.").
			sends("paul", "REQUEST", event(meeting, allDay, weekly, "EXDATE;VALUE=DATE:20261209")),
		conversation("exdate-rdate", "A further date that is left out.").
			sends("paul", "REQUEST", event(meeting, oslo, "RDATE;TZID=Europe/Oslo:20261205T090000,20261207T090000\nEXDATE;TZID=Europe/Oslo:20261205T090000")),
		conversation("exdate-none", "A date left out that is no occurrence; and a single event whose only date is left out.").
			sends("paul", "REQUEST", event(meeting, oslo, weekly, "EXDATE;TZID=Europe/Oslo:20261210T090000")).
			sends("paul", "REQUEST", event(meeting, oslo, "UID:two\nEXDATE;TZID=Europe/Oslo:20261202T090000")),
	}
}
