package itip

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

const stranger = "mailto:mallory@example.com"

// everything has bob's records with something of all kinds, and has bob answer all that there is to
// be answered.
func everything(t *testing.T) *room {
	r := newRoom(t)
	r.wants.Refreshing, r.wants.Offers, r.wants.AddResponse = true, 1e12, preferences.TakeOver
	for _, m := range []message{
		// What ann organizes.
		got(ann, "REQUEST", byAnn, version, at9, weekly),
		sent("REPLY", accepts, version, at9),
		got(ann, "REQUEST", byAnn, version, moved),
		got(ann, "CANCEL", byAnn, version, third),
		sent("COUNTER", accepts, version, moved),
		// What bob organizes.
		sent("REQUEST", own2(byBob), version, at9, weekly),
		got(eve, "REPLY", own2(accepted), version, on9),
		got(eve, "COUNTER", own2(accepted), version, at9),
		got(dan, "REPLY VFREEBUSY", toBob, "ATTENDEE:", dan, "\nFREEBUSY:20261203T090000Z/PT1H\n"),
	} {
		if o := r.handle(m); o.Refused != Applied {
			t.Fatalf("%s: %s", m.method, o)
		}
	}
	return r
}

// own2 are lines of another event, which bob organizes.
func own2(lines string) string { return "X-UID:own\n" + lines }

// Nobody can change anything, or learn anything, by a message that does not come from who may say
// it, or is not for this user.
func TestForged(t *testing.T) {
	replaced := func(lines string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(lines) }
	const free = "ORGANIZER:" + ann + "\nATTENDEE:" + bob + "\nDTSTART:20261202T000000Z\nFREEBUSY:20261203T090000Z/PT1H\n"
	r := everything(t)
	ours := "ORGANIZER:" + bob + "\nATTENDEE:" + eve + "\n" + latest + "DTSTART:20261203T090000Z\n"
	// From the organizer, to an attendee.
	for _, method := range []string{"REQUEST", "PUBLISH", "CANCEL", "ADD", "DECLINECOUNTER", "REQUEST VFREEBUSY", "PUBLISH VFREEBUSY"} {
		for _, lines := range []string{byAnn + latest + at9, byAnn + latest + moved, byAnn + latest + third, byAnn + latest + "RECURRENCE-ID:20261202T090000Z\n" + at9} {
			if strings.Contains(method, "VFREEBUSY") {
				lines = free
			}
			for _, c := range []struct {
				name, from, lines string
				want              Reason
			}{
				{"another sender", stranger, lines, WrongSender},
				{"an attendee", eve, lines, WrongSender},
				{"the user themself", bob, lines, WrongSender},
				{"the calendar system", system, lines, WrongSender},
				{"no sender", "", lines, WrongSender},
				{"no organizer", ann, replaced(lines, "ORGANIZER:"+ann+"\n", ""), NoOrganizer},
				{"the sender as organizer", stranger, replaced(lines, "ORGANIZER:"+ann, "ORGANIZER:"+stranger), OrganizerDiffers},
				{"the sender as organizer and attendee", stranger, replaced(lines, "ORGANIZER:"+ann, "ATTENDEE:"+stranger+"\nORGANIZER:"+stranger), OrganizerDiffers},
				{"not to the user", ann, replaced(lines, bob, dan), NotInvited},
				{"a delegator on one side", stranger, replaced(lines, "ATTENDEE;PARTSTAT=NEEDS-ACTION:"+bob, "ATTENDEE:"+stranger+"\nATTENDEE;DELEGATED-FROM=\""+stranger+"\":"+bob), WrongSender},
				{"a delegator on the other side", stranger, replaced(lines, "ATTENDEE;PARTSTAT=NEEDS-ACTION:"+bob, "ATTENDEE;DELEGATED-TO=\""+bob+"\":"+stranger+"\nATTENDEE:"+bob), WrongSender},
				{"an attendee who delegates on one side", eve, replaced(lines, "ATTENDEE:"+eve, "ATTENDEE;DELEGATED-TO=\""+bob+"\":"+eve), WrongSender},
				{"an attendee who has delegated on the other side", eve, replaced(lines, "ATTENDEE;PARTSTAT=NEEDS-ACTION:"+bob, "ATTENDEE;DELEGATED-FROM=\""+eve+"\":"+bob), WrongSender},
				{"a delegator whom nobody has invited", stranger, replaced(lines, "ATTENDEE;PARTSTAT=NEEDS-ACTION:"+bob, "ATTENDEE;DELEGATED-TO=\""+bob+"\":"+stranger+"\nATTENDEE;DELEGATED-FROM=\""+stranger+"\":"+bob), WrongSender},
				{"a delegator who is not the sender", stranger, replaced(lines, "ATTENDEE;PARTSTAT=NEEDS-ACTION:"+bob, "ATTENDEE;DELEGATED-TO=\""+bob+"\":"+eve+"\nATTENDEE;DELEGATED-FROM=\""+eve+"\":"+bob), WrongSender},
			} {
				isFreeBusy := strings.Contains(method, "VFREEBUSY")
				switch {
				case isFreeBusy && (c.want == OrganizerDiffers || strings.Contains(c.name, "deleg")):
					continue // nothing is stored of it, and anybody may tell of themself
				case method == "PUBLISH VFREEBUSY" && c.want == NotInvited:
					continue
				}
				c.lines = replaced(c.lines, "\n\n", "\n")
				t.Run(method+"/"+c.name, func(t *testing.T) { r.forged(t, message{Received, c.from, method, c.lines}, c.want) })
			}
		}
	}
	// From an attendee, to the organizer.
	for _, method := range []string{"REPLY", "COUNTER", "REFRESH", "REPLY VFREEBUSY"} {
		for _, times := range []string{at9, on9, third} {
			lines := own2(ours)
			if method == "REPLY VFREEBUSY" {
				lines = toBob + "ATTENDEE:" + eve + "\n"
			} else if times != at9 {
				lines += times[:strings.Index(times, "\n")+1]
			}
			for _, c := range []struct {
				name, from, lines string
				want              Reason
			}{
				{"another sender", stranger, lines, WrongSender},
				{"another attendee", dan, lines, WrongSender},
				{"the calendar system", system, lines, WrongSender},
				{"no sender", "", lines, WrongSender},
				{"no organizer", eve, replaced(lines, "ORGANIZER:"+bob+"\n", ""), NoOrganizer},
				{"another organizer", eve, replaced(lines, "ORGANIZER:"+bob, "ORGANIZER:"+ann), NotOrganizer},
				{"no attendee", eve, replaced(lines, "ATTENDEE:"+eve+"\n", ""), WrongSender},
				{"an answer to what another organizes", eve, replaced(lines, "X-UID:own\n", ""), OrganizerDiffers},
				{"a stranger, who names themself", stranger, replaced(lines, "ATTENDEE:"+eve, "ATTENDEE:"+stranger), Uninvited},
			} {
				switch {
				case method == "REPLY VFREEBUSY" && (c.want == OrganizerDiffers || c.want == Uninvited):
					continue
				case method == "REFRESH" && c.want == Uninvited:
					c.want = Applied // it is told of, and not answered
				}
				t.Run(method+"/"+c.name, func(t *testing.T) { r.forged(t, message{Received, c.from, method, c.lines}, c.want) })
			}
		}
	}
	// To oneself: whoever writes a message can name themself as who acts for the user.
	for _, method := range []string{"PUBLISH", "CANCEL"} {
		for _, c := range []struct {
			name, from, lines string
			want              Reason
		}{
			{"another sender", stranger, own2(byBob) + latest + at9, WrongSender},
			{"an attendee", eve, own2(byBob) + latest + at9, WrongSender},
			{"who acts for the user by their own word, and does not invite them", stranger, own2("ORGANIZER;SENT-BY=\""+stranger+"\":"+bob+"\nATTENDEE:"+eve+"\n") + latest + at9, WrongSender},
			{"the calendar system, of which the organizer says nothing", system, own2(byBob) + latest + at9, WrongSender},
			{"a delegator of the user's own event", eve, own2("ORGANIZER:"+bob+"\nATTENDEE;DELEGATED-TO=\""+bob+"\":"+eve+"\nATTENDEE;DELEGATED-FROM=\""+eve+"\":"+bob+"\n") + latest + at9, WrongSender},
		} {
			t.Run(method+"/to oneself/"+c.name, func(t *testing.T) { r.forged(t, message{Received, c.from, method, c.lines}, c.want) })
		}
	}
}

// forged checks that a message changes nothing and tells nothing.
func (r *room) forged(t *testing.T, m message, want Reason) {
	t.Helper()
	before := r.state()
	o := r.handle(m)
	if o.Refused != want || len(o.Answers) > 0 || len(o.Effects) > 0 {
		t.Errorf("%s from %s: %s, want %s; answers %v\n%s", m.method, m.from, o, want, answers(o), m.lines)
	}
	if told := want == Uninvited || want == Applied; o.News.Told() != told {
		t.Errorf("news: %+v", o.News)
	}
	if lines := difference(before, r.state()); len(lines) > 0 {
		t.Errorf("%s from %s\n%s\nchanges\n%s", m.method, m.from, m.lines, strings.Join(lines, "\n"))
	}
	if want == Applied || want == Uninvited {
		return
	}
	// Several organizers: it is not said who of them it is.
	c := m.change(t)
	c.SeveralOrganizers = true
	if o = r.change(c, Received); o.Refused != SeveralOrganizers && o.Refused != NoOrganizer {
		t.Errorf("with several organizers: %s", o)
	}
}

// What is stored of an event decides who organizes it, whatever of it is left.
func TestRecordedOrganizer(t *testing.T) {
	for name, before := range map[string][]message{
		"an occurrence alone":             {got(ann, "REQUEST", byAnn, version, on9)},
		"a cancelled event":               {got(ann, "CANCEL", byAnn, version, at9)},
		"a cancelled occurrence":          {got(ann, "CANCEL", byAnn, version, on9)},
		"an event that nobody organizes":  {sent("PUBLISH", version, at9)},
		"an event, and a new occurrence":  {got(ann, "REQUEST", byAnn, version, at9, weekly)},
		"a cancelled series and its part": {got(ann, "CANCEL", byAnn, version, at9, weekly), got(ann, "CANCEL", byAnn, version, on9)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			for _, m := range before {
				r.handle(m)
			}
			stored := r.state()
			for _, times := range []string{at9, on9, third} {
				for _, method := range []string{"REQUEST", "PUBLISH", "CANCEL", "ADD"} {
					for _, wants := range []preferences.Replacement{preferences.AttendeeReplaces, preferences.NobodyReplaces} {
						r.wants.Replacement = wants
						o := r.handle(got(stranger, method, "ORGANIZER:", stranger, "\nATTENDEE:", bob, "\n", latest, times))
						if lines := difference(stored, r.state()); o.Refused != OrganizerDiffers || len(lines) > 0 {
							t.Errorf("%s: %s\n%s", method, o, strings.Join(lines, "\n"))
						}
					}
				}
			}
		})
	}
	// An attendee can become the organizer, unless the user lets nobody.
	r := newRoom(t)
	r.handle(got(ann, "REQUEST", byAnn, version, at9))
	r.wants.Replacement = preferences.NobodyReplaces
	byEve := strings.Replace(byAnn, "ORGANIZER:"+ann, "ORGANIZER:"+eve, 1)
	if o := r.handle(got(eve, "REQUEST", byEve, latest, at9)); o.Refused != OrganizerDiffers {
		t.Errorf("%s", o)
	}
}

// Addresses are the same in any letters, and any of a message's senders counts.
func TestSenders(t *testing.T) {
	for _, from := range []string{ann, "mailto:ANN@Example.com", stranger + "," + ann, ann + "," + system} {
		r := newRoom(t)
		if o := r.handle(got(from, "REQUEST", byAnn, version, at9)); o.Refused != Applied {
			t.Errorf("%s: %s", from, o)
		}
		o := r.handle(got(from, "CANCEL", strings.Replace(byAnn, bob, "mailto:BOB@example.com", 1), newer, at9))
		if o.Refused != Applied {
			t.Errorf("%s: %s", from, o)
		}
	}
}

// A message without a sender is nobody's, whoever acts for nobody; and nobody delegates by their own
// word alone what is not stored yet.
func TestUnknownSenders(t *testing.T) {
	r := newRoom(t)
	for _, m := range []message{got("", "REQUEST", byAnn, version, at9), got("", "REPLY", accepted, version, at9), got("", "PUBLISH", byBob, version, at9)} {
		c := m.change(t)
		c.Senders = []calendar.URI{""}
		if o := r.change(c, Received); o.Refused != WrongSender {
			t.Errorf("%s: %s", m.method, o)
		}
	}
	for _, lines := range []string{
		"ATTENDEE;DELEGATED-TO=\"" + bob + "\":" + stranger + "\nATTENDEE:" + bob + "\n",
		"ATTENDEE:" + stranger + "\nATTENDEE;DELEGATED-FROM=\"" + stranger + "\":" + bob + "\n",
		"ATTENDEE;DELEGATED-FROM=\"" + stranger + "\":" + bob + "\n",
	} {
		if o := r.handle(got(stranger, "REQUEST", "ORGANIZER:", ann, "\n", lines, version, at9)); o.Refused != WrongSender {
			t.Errorf("%s%s", lines, o)
		}
	}
	if state := r.state(); len(state) > 0 {
		t.Errorf("%q", state)
	}
}

// An offer that the user has made of an event that is not stored is taken back. One that has expired
// is no concern of a message that is refused.
func TestOfferOfUnknownEvent(t *testing.T) {
	r := newRoom(t)
	r.wants.Offers = 1e12
	r.handle(sent("COUNTER", accepts, version, at9))
	o := r.handle(got(ann, "DECLINECOUNTER", byAnn, version))
	if o.Refused != Applied || len(r.state()) > 0 {
		t.Errorf("%s %q", o, r.state())
	}
}

// Whoever knows the UID of such an event cannot take the offer back in the organizer's place.
func TestOfferToAnotherOrganizer(t *testing.T) {
	r := newRoom(t)
	r.wants.Offers = 1e12
	r.handle(sent("COUNTER", accepts, version, at9))
	before := r.state()
	for _, lines := range []string{version + at9, on9, version} {
		o := r.handle(got(eve, "DECLINECOUNTER", strings.ReplaceAll(byAnn, ann, eve), lines))
		if o.Refused != OrganizerDiffers || !slices.Equal(r.state(), before) {
			t.Errorf("%s %q", o, r.state())
		}
	}
	if len(before) == 0 {
		t.Error("there was no offer")
	}
}

// Free/busy is others' to send.
func TestFreeBusySent(t *testing.T) {
	r := newRoom(t)
	c := got(bob, "PUBLISH VFREEBUSY", toBob).change(t)
	var unstorable *stores.UnstorableError
	err := r.update(func(records *Records) error { _, err := records.Apply(c, Sent); return err })
	if !errors.As(err, &unstorable) {
		t.Errorf("%v", err)
	}
}

// What is too late, or is about what is not there, changes nothing and is nothing to tell.
func TestReceivedRefused(t *testing.T) {
	series, ownSeries := got(ann, "REQUEST", byAnn, newer, at9, weekly), sent("REQUEST", byBob, newer, at9, weekly)
	called := got(ann, "CANCEL", byAnn, newer, at9)
	back := "ORGANIZER:" + bob + "\nATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"" + bob + "\":" + eve + "\nATTENDEE;DELEGATED-FROM=\"" + eve + "\":" + bob + "\n"
	for _, c := range []struct {
		name   string
		wants  func(*preferences.Preferences)
		before []message
		message
		want Reason
	}{
		// Nobody invites the user to an event of their own, by delegating it to them.
		{"the user's event, by an attendee", nil, []message{ownSeries}, got(eve, "REQUEST", back, latest, at9), WrongSender},
		{"an addition to the user's event, by an attendee", func(p *preferences.Preferences) { p.AddResponse = preferences.TakeOver }, []message{ownSeries}, got(eve, "ADD", back, latest, on9), WrongSender},
		{"an event in the user's name", nil, nil, got(eve, "REQUEST", back, version, at9), WrongSender},
		{"an old invitation", nil, []message{series}, got(ann, "REQUEST", byAnn, version, at9), Old},
		{"old details", nil, []message{series}, got(ann, "PUBLISH", byAnn, version, at9), Old},
		{"an old cancellation", nil, []message{series}, got(ann, "CANCEL", byAnn, version, at9), Old},
		{"old details to oneself", nil, []message{ownSeries}, got(bob, "PUBLISH", byBob, version, at9), Old},
		{"an old cancellation to oneself", nil, []message{ownSeries}, got(bob, "CANCEL", byBob, version, at9), Old},
		{"an invitation to what was called off", nil, []message{called}, got(ann, "REQUEST", byAnn, version, at9), OldAgainstCancelled},
		{"an occurrence of what was called off", nil, []message{called}, got(ann, "REQUEST", byAnn, version, on9), OldAgainstCancelled},
		{"details to oneself of what was called off", nil, []message{ownSeries, sent("CANCEL", byBob, newer, at9)}, got(bob, "PUBLISH", byBob, version, at9), OldAgainstCancelled},
		{"an answer to what is not stored", nil, nil, got(eve, "REPLY", accepted, version, at9), NotStored},
		{"an answer to an occurrence of what is not stored", nil, nil, got(eve, "REPLY", accepted, version, on9), NotStored},
		{"an answer to what was called off", nil, []message{ownSeries, sent("CANCEL", byBob, latest, at9)}, got(eve, "REPLY", accepted, latest, at9), CalledOffAlready},
		{"an answer to an occurrence that was called off", nil, []message{ownSeries, sent("CANCEL", byBob, latest, on9)}, got(eve, "REPLY", accepted, latest, on9), CalledOffAlready},
		{"an answer to no occurrence", nil, []message{ownSeries}, got(eve, "REPLY", accepted, newer, "RECURRENCE-ID:20261210T090000Z\nDTSTART:20261210T090000Z\n"), NoOccurrence},
		{"an old answer", nil, []message{ownSeries}, got(eve, "REPLY", accepted, version, at9), Old},
		{"an answer stamped before", nil, []message{ownSeries}, got(eve, "REPLY", accepted, "SEQUENCE:2\nDTSTAMP:20261122T100000Z\n", at9), Old},
		{"a proposal to what is not stored", nil, nil, got(eve, "COUNTER", accepted, version, at9), NotStored},
		{"a proposal to what was called off", nil, []message{ownSeries, sent("CANCEL", byBob, latest, on9)}, got(eve, "COUNTER", accepted, latest, on9), CalledOffAlready},
		{"an old proposal", nil, []message{ownSeries}, got(eve, "COUNTER", accepted, version, at9), Old},
		{"no proposal turned down", nil, nil, got(ann, "DECLINECOUNTER", byAnn, version), NotStored},
		{"an old addition", func(p *preferences.Preferences) { p.AddResponse = preferences.TakeOver }, []message{series}, got(ann, "ADD", byAnn, version, on9), Old},
		{"an old addition, which would be asked for", nil, []message{series}, got(ann, "ADD", byAnn, version, on9), Old},
		{"an addition of an unknown wish", func(p *preferences.Preferences) { p.AddResponse = preferences.PassOver }, []message{series}, got(ann, "ADD", byAnn, newer, on9), NotWanted},
		{"nothing to be asked for", func(p *preferences.Preferences) { p.Refreshing = true }, nil, got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n"), NotStored},
		{"an occurrence of nothing to be asked for", func(p *preferences.Preferences) { p.Refreshing = true }, nil, got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n", second), NotStored},
		{"free/busy that is not shared", func(p *preferences.Preferences) { p.Sharing = false }, []message{ownSeries}, got(eve, "REQUEST VFREEBUSY", "ORGANIZER:", eve, "\nATTENDEE:", bob, "\n"), NotWanted},
		{"a method that free/busy does not have", nil, []message{ownSeries}, got(eve, "CANCEL VFREEBUSY", "ORGANIZER:", eve, "\nATTENDEE:", bob, "\n"), UnknownMethod},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t)
			if c.wants != nil {
				c.wants(&r.wants)
			}
			for _, m := range c.before {
				if o := r.handle(m); o.Refused != Applied {
					t.Fatalf("%s: %s", m.method, o)
				}
			}
			before := r.state()
			o := r.handle(c.message)
			if o.Refused != c.want || len(o.Effects)+len(o.Answers) > 0 || o.News.Kind != NoNews {
				t.Errorf("%s, want %s; %+v", o, c.want, o.News)
			}
			if lines := difference(before, r.state()); len(lines) > 0 {
				t.Errorf("changes\n%s", strings.Join(lines, "\n"))
			}
		})
	}
}

// An answer that somebody gives counts whenever it comes, if the event is the same.
func TestCounterStampedBefore(t *testing.T) {
	r := newRoom(t)
	r.handle(sent("REQUEST", byBob, newer, at9))
	o := r.handle(got(eve, "COUNTER", declined, "SEQUENCE:2\nDTSTAMP:20261122T100000Z\n", at9))
	want := []Effect{{Kind: StoredCounter}, {Kind: Queued}} // eve's participation is not merged
	if o.Refused != Applied || !slices.Equal(o.Effects, want) {
		t.Errorf("%s", o)
	}
}

// Free/busy under a UID that no store can have is recorded all the same.
func TestFreeBusyUID(t *testing.T) {
	for _, uid := range []string{"", strings.Repeat("long", 200), "/", "a\x01b"} {
		r := newRoom(t)
		m := got(eve, "REPLY VFREEBUSY", toBob, "ATTENDEE:", eve, "\nFREEBUSY:20261203T090000Z/PT1H\n").change(t)
		m.FreeBusy.UID, m.ID.UID = uid, uid
		o := r.change(m, Received)
		if want := []string{"+ known of eve 03 0900-03 1000  OPAQUE"}; o.Refused != Applied || !slices.Equal(difference(nil, r.state()), want) {
			t.Errorf("%.10q: %s %q", uid, o, r.state())
		}
	}
}

// Of free/busy no more is recorded than of an event.
func TestFreeBusyLimit(t *testing.T) {
	r := newRoom(t)
	r.limit = 2
	o := r.handle(got(eve, "REPLY VFREEBUSY", toBob, "ATTENDEE:", eve, "\nFREEBUSY:20261205T090000Z/PT1H,20261204T090000Z/PT1H,20261101T090000Z/PT1H,20261203T090000Z/PT1H\n"))
	want := []string{"+ known of eve 03 0900-03 1000  OPAQUE", "+ known of eve 04 0900-04 1000  OPAQUE"}
	if got := difference(nil, r.state()); !slices.Equal(got, want) || len(o.Warnings) != 1 || o.Warnings[0].Limit != 2 {
		t.Errorf("%q, %+v", got, o.Warnings)
	}
}

// To a program or a mailing list nobody answers, and what would have been answered is told of, or
// delivered.
func TestAutomatic(t *testing.T) {
	for _, c := range []struct {
		message
		refused Reason
		news    NewsKind
	}{
		{got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n"), Applied, Question},
		{got(eve, "REPLY", declined, version, on9), Applied, Answered},
		{got(ann, "REQUEST VFREEBUSY", "ORGANIZER:", ann, "\nATTENDEE:", bob, "\n"), NotAnswered, NoNews},
	} {
		r := newRoom(t)
		r.wants.Refreshing = true
		r.handle(sent("REQUEST", byBob, version, at9, weekly))
		change := c.change(t)
		change.Automatic = true
		o := r.change(change, Received)
		if o.Refused != c.refused || o.News.Kind != c.news || len(o.Answers) > 0 {
			t.Errorf("%s: %s, %+v, %v", c.method, o, o.News, answers(o))
		}
	}
	r := newRoom(t)
	change := got(ann, "ADD", byAnn, version, at9).change(t)
	change.Automatic = true
	if o := r.change(change, Received); o.Refused != NotAnswered || o.News.Kind != NoNews || len(o.Answers) > 0 {
		t.Errorf("ADD: %s", o)
	}
}

// Who is asked is not told by themself, nor does the calendar system write to itself, or act for
// itself.
func TestAnswersToOneself(t *testing.T) {
	r := newRoom(t)
	r.wants.Refreshing = true
	r.handle(sent("REQUEST", byBob, "ATTENDEE:", system, "\n", version, at9, weekly))
	if o := r.handle(got(bob, "REFRESH", toBob, "ATTENDEE:", bob, "\n")); len(o.Answers) > 0 || o.News.Kind != Question {
		t.Errorf("%v %+v", answers(o), o.News)
	}
	o := r.handle(got(eve, "REPLY", declined, version, on9))
	if len(o.Answers) != 1 || o.Answers[0].To != dan {
		t.Errorf("%v", answers(o))
	}
	// What is stored keeps nothing of what an answer says.
	for _, line := range r.state() {
		if strings.Contains(line, "(calendar)") {
			t.Errorf("stored: %s", line)
		}
	}
	u := &update{Records: &Records{Tx: fakeTx{user: "mailto:Calendar@example.com"}, System: system}}
	if by := u.sentBy(); by != "" {
		t.Errorf("sent by %s", by)
	}
}

// Free/busy goes with messages to others if the user shares it, and wants that.
func TestOwnFreeBusy(t *testing.T) {
	r := newRoom(t)
	r.handle(sent("REQUEST", byBob, version, at9, weekly))
	for _, c := range []struct {
		sharing, bundling bool
		want              string
	}{
		{true, true, ">  asks organizer PUBLISH imip-agent-20261122T120000Z-bob [bob(calendar) 1122 1200-0302 1200 1202 0900-1202 1000 1209 0900-1209 1000 1216 0900-1216 1000]"},
		{false, true, ""},
		{true, false, ""},
	} {
		r.wants.Sharing, r.wants.Bundling = c.sharing, c.bundling
		err := r.update(func(records *Records) error {
			part, wanted, err := OwnFreeBusy(records.Tx, r.wants, system, now)
			got := ""
			if wanted {
				got = answers(Outcome{Answers: []Answer{{Parts: []calendar.Document{part}}}})[0]
			}
			if got != c.want {
				t.Errorf("%+v: %q", c, got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What a summary shows: the message's object, and what the records have of it.
func TestNews(t *testing.T) {
	r := newRoom(t)
	r.handle(sent("REQUEST", byBob, "SUMMARY:Talk\n", version, at9, weekly))
	for _, c := range []struct {
		message
		object, stored string
	}{
		{got(eve, "REPLY", declined, untimed, "RECURRENCE-ID:20261216T090000Z\n"), "", "20261216T090000Z"},
		{got(eve, "REPLY", declined, untimed, "RECURRENCE-ID:20261216T090000Z\n"), "", "20261216T090000Z"},
		{got(eve, "REPLY", declined, version, on9), "20261209T090000Z", "20261209T090000Z"},
		{got(eve, "REPLY", declined, untimed), "", "20261202T090000Z"},
		{got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n"), "", "20261202T090000Z"},
		{got(stranger, "REPLY", toBob, "ATTENDEE:", stranger, "\n", second), "", "20261209T090000Z"},
		{got(eve, "COUNTER", accepted, version, moved), "20261209T150000Z", "20261209T090000Z"},
		{got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\nRECURRENCE-ID:20261202T090000Z\n"), "", "20261202T090000Z"},
	} {
		n := r.handle(c.message).News
		if n.Object == nil || n.Object.Value("DTSTART") != c.object || n.Stored == nil || n.Stored.Value("DTSTART") != c.stored || n.Stored.Summary() != "Talk" {
			t.Errorf("%s: %+v", c.method, n)
			continue
		}
		if len(n.From) != 1 || string(n.From[0].URI) != c.from {
			t.Errorf("%s: from %v", c.method, n.From)
		}
	}
	n := r.handle(got(ann, "REQUEST", "UID:new\n", byAnn, version, at9)).News
	if n.Kind != NoNews { // it is bob's event
		t.Errorf("%+v", n)
	}
	r = newRoom(t)
	if n := r.handle(got(ann, "REQUEST", byAnn, version, at9)).News; n.Kind != Invitation || n.Stored != nil || len(n.From) != 0 {
		t.Errorf("%+v", n)
	}
	if n := r.handle(got(ann, "CANCEL", byAnn, newer)).News; n.Stored == nil || n.Stored.Value("DTSTART") == "" {
		t.Errorf("%+v", n)
	}
	r.wants.Notifying = true
	n = r.handle(got(eve, "REPLY VFREEBUSY", toBob, "ATTENDEE:", eve, "\nDTSTART:20261202T000000Z\n")).News
	if n.Kind != BusyTimes || n.FreeBusy == nil || len(n.From) != 1 || n.Object != nil || !n.Told() {
		t.Errorf("%+v", n)
	}
	if (News{Kind: Silence}).Told() || (News{}).Told() {
		t.Error("silence is told")
	}
}

// fakeTx is nobody's records but says whose they are.
type fakeTx struct {
	stores.Tx
	user calendar.URI
}

func (f fakeTx) User() calendar.URI { return f.user }
