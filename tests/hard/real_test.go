package hard

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/handlers/mail"
	"imip-agent/stores/calendar"
	"imip-agent/tests/skip"
)

// realMail says what becomes of each mail of other projects' collections: which
// texts are stored and how many periods are recorded, why something is put aside,
// or why nothing changes.
var realMail = map[string]string{
	"calendarserver/dsn_failure_no_ics.eml":       "nothing: a delivery report",
	"calendarserver/dsn_failure_no_original.eml":  "nothing: a delivery report",
	"calendarserver/dsn_failure_with_ics.eml":     "nothing: a delivery report",
	"calendarserver/good_reply.eml":               "nothing: no calendar with a method",
	"calendarserver/good_reply_future.eml":        "nothing: no calendar with a method",
	"calendarserver/good_reply_past.eml":          "nothing: no calendar with a method",
	"calendarserver/reply_missing_attachment.eml": "nothing: no calendar with a method",
	"calendarserver/reply_missing_attendee.eml":   "nothing: no calendar with a method",
	"calendarserver/reply_missing_organizer.eml":  "nothing: no calendar with a method",
	"james/alternative.cal.eml":                   "nothing: REPLY the event is not stored and the answer has no times",
	"james/calendar.eml":                          "aside: the event is damaged: it has no BEGIN:VEVENT",
	"james/calendar2.eml":                         "aside: the event is damaged: it has no BEGIN:VEVENT",
	"james/calendar~2.eml":                        "nothing: REPLY the event is not stored",
	"james/charset.eml":                           "aside: the event is damaged: it has no BEGIN:VEVENT",
	"james/charset2.eml":                          "aside: the event is damaged: it has no BEGIN:VEVENT; the event is damaged: it has no BEGIN:VEVENT",
	"james/gmail.eml":                             "nothing: no calendar with a method",
	"james/gmail~2.eml":                           "nothing: no calendar with a method",
	"james/headerFolded.eml":                      "nothing: no calendar with a method",
	"james/ics_in_header.eml":                     "+",
	"james/invitationEmailFromOP.eml":             "objects/d41ce126-5e9c-45a6-a979-4bc5db77914e; +",
	"james/related_in_alternative_multipart.eml":  "nothing: CANCEL the event is not stored",
	"james/sendToRemoteHttp.eml":                  "nothing: no calendar with a method",
	"james/spam.eml":                              "nothing: no calendar with a method",
	"james/yahooInvitation.eml":                   "objects/5014513f-1026-4b58-82cf-80d4fc060bbe; +",
	"libical/2446.01.eml":                         "objects/0981234-1234234-23@example.com; +",
	"libical/2446.02.eml":                         "objects/0981234-1234234-23@example.com; +",
	"libical/2446.03.eml":                         "cancellations/objects/0981234-1234234-23@example.com",
	"libical/2446.04.eml":                         "objects/0981234-1234234-23@example.com; +",
	"libical/2446.05.eml":                         "objects/0981234-1234234-23@example.com; +",
	"libical/2446.06.eml":                         "objects/calsrv.example.com-873970198738777@example.com; +",
	"libical/2446.07.eml":                         "nothing: REPLY the event is not stored and the answer has no times",
	"libical/2446.08.eml":                         "objects/calsrv.example.com-873970198738777@example.com; +",
	"libical/2446.09.eml":                         "objects/calsrv.example.com-873970198738777a@example.com; +",
	"libical/2446.10.eml":                         "nothing: COUNTER the event is not stored",
	"libical/2446.11.eml":                         "objects/calsrv.example.com-873970198738777@example.com; +",
	"libical/2446.12.eml":                         "nothing: DECLINECOUNTER there is no such counter-proposal",
	"libical/2446.13.eml":                         "nothing: REPLY the event is not stored and the answer has no times",
	"libical/2446.14.eml":                         "objects/calsrv.example.com-873970198738777@example.com; +",
	"libical/2446.15.eml":                         "nothing: REPLY the event is not stored and the answer has no times",
	"libical/2446.16.eml":                         "nothing: REPLY the event is not stored and the answer has no times",
	"libical/2446.17.eml":                         "objects/calsrv.example.com-873970198738777@example.com; +",
	"libical/2446.18.eml":                         "cancellations/objects/calsrv.example.com-873970198738777@example.com",
	"libical/2446.19.eml":                         "nothing: CANCEL the event is not stored",
	"libical/2446.20.eml":                         "objects/calsrv.example.com-873970198738777@example.com; +",
	"libical/2446.21.eml":                         "objects/123456@example.com; +",
	"libical/2446.22.eml":                         "nothing: only VFREEBUSY",
	"libical/2446.23.eml":                         "nothing: only VFREEBUSY",
	"libical/2446.24.eml":                         "nothing: only VFREEBUSY",
	"libical/2446.25.eml":                         "objects/calsrv.example.com-873970198738777@example.com; ++",
	"libical/2446.26.eml":                         "objects/guid-1@host1.com; +",
	"libical/2446.27.eml":                         "recurrences/guid-1@host1com/19970701T210000Z; +",
	"libical/2446.28.eml":                         "cancellations/recurrences/guid-1@host1.com/19970801T210000Z",
	"libical/2446.29.eml":                         "cancellations/objects/guid-1@host1.com",
	"libical/2446.30.eml":                         "recurrences/guid-1@host1.com/19970901T210000Z; +",
	"libical/2446.31.eml":                         "nothing: ADD the event is not stored",
	"libical/2446.32.eml":                         "objects/123456789@host1.com; +",
	"libical/2446.33.eml":                         "nothing: ADD the event is not stored",
	"libical/2446.34.eml":                         "objects/123456789@host1.com; +",
	"libical/2446.35.eml":                         "objects/123456789@host1.com; +++",
	"libical/2446.36.eml":                         "recurrences/123456789@host1.com/19980311T180000Z; +",
	"libical/2446.37.eml":                         "nothing: ADD the event is not stored",
	"libical/2446.38.eml":                         "objects/123456789@host1.com; +++; aside: the event has no UID",
	"libical/2446.39.eml":                         "nothing: COUNTER the event is not stored",
	"libical/2446.40.eml":                         "objects/guid-1@host1.com; +",
	"libical/2446.41.eml":                         "nothing: REPLY the event is not stored and the answer has no times",
	"libical/2446.42.eml":                         "nothing: only VTODO",
	"libical/2446.43.eml":                         "nothing: only VTODO",
	"libical/2446.44.eml":                         "nothing: only VTODO",
	"libical/2446.45.eml":                         "nothing: only VTODO",
	"libical/2446.46.eml":                         "nothing: only VTODO",
	"libical/2446.47.eml":                         "nothing: only VTODO",
	"libical/2446.48.eml":                         "nothing: only VTODO",
	"libical/2446.49.eml":                         "nothing: only VTODO",
	"libical/2446.50.eml":                         "nothing: only VJOURNAL",
	"libical/2446.51.eml":                         "nothing: REFRESH",
	"libical/2446.52.eml":                         "recurrences/acme-12345@host1.com/19970809T210000Z; +",
	"libical/2446.53.eml":                         "nothing: REFRESH",
	"libical/complex-mime.eml":                    "objects/calsvr.example.com-873970198738777-8aa; +",
	"libical/mail-examples.01.eml":                "objects/calsvr.example.com-873970198738777; +",
	"libical/mail-examples.02.eml":                "nothing: REQUEST it is forwarded: somebody else organizes the event",
	"libical/mail-examples.03.eml":                "objects/calsvr.example.com-8739701987387771; +",
	"libical/mail-examples.04.eml":                "objects/CALSVR.EXAMPLE.COM-873970198738777-1; objects/CALSVR.EXAMPLE.COM-873970198738777-2; ++",
	"libical/mail-examples.05.eml":                "objects/calsvr.example.com-8739701987387772; +; aside: the event is damaged: it has no BEGIN:VEVENT",
	"libical/mail-examples.06.eml":                "objects/calsvr.example.com-873970198738777-8aa; +",
	"libical/simple-mime.eml":                     "objects/calsvr.example.com-873970198738777-8aa; +",
	"thunderbird/cancel-repeat-event.eml":         "cancellations/objects/02e79b96",
	"thunderbird/cancel-single-event.eml":         "cancellations/objects/02e79b96",
	"thunderbird/event-with-file-attachment.eml":  "objects/02e79b96-file; +",
	"thunderbird/exception-major.eml":             "recurrences/02e79b96/20220317T110000Z; +",
	"thunderbird/exception-minor.eml":             "recurrences/02e79b96/20220317T110000Z; +",
	"thunderbird/invite.eml":                      "objects/36138BFC6A7B03EFC2258776003DB5C5; +",
	"thunderbird/meet-meeting-invite.eml":         "objects/65m17hsdolmotv3kvmrtg40ont@google.com; +",
	"thunderbird/message-containing-event.eml":    "objects/20160824T204000Z-568860280@example.com; +",
	"thunderbird/message-non-invite.eml":          "nothing: no calendar with a method",
	"thunderbird/outlook-test-invite.eml":         "objects/030000008200E00074C5B7101A82E0080000000060B608D090DDD7010000000000000000100000004BE0CFFA54BCF64E956E34143362C3C0; +",
	"thunderbird/repeat-event.eml":                "objects/02e79b96; +++",
	"thunderbird/repeat-update-major.eml":         "objects/02e79b96; +++",
	"thunderbird/repeat-update-minor.eml":         "objects/02e79b96; +++",
	"thunderbird/single-event.eml":                "objects/02e79b96; +",
	"thunderbird/teams-meeting-invite.eml":        "objects/056000008200E00074C5B7101A82E008000000001AF84C64CBC8D601000000000000000010000000403B5AC10A0EB444A947D2B499A4B98C; +",
	"thunderbird/update-major.eml":                "objects/02e79b96; +",
	"thunderbird/update-minor.eml":                "objects/02e79b96; +",
}

// TestRealMail handles those mails, each in an empty store.
func TestRealMail(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "eml")
	if _, err := os.Stat(dir); err != nil {
		skip.Because(t, "no collection of real mails beside the project, in ../shared")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	rooms, got := make(map[string]*room), make(map[string]string)
	base := tempDir(t)
	for _, file := range files {
		name, _ := filepath.Rel(dir, file)
		name = filepath.ToSlash(name)
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := newRoom(t, filepath.Join(base, strings.ReplaceAll(name, "/", "-")), nil, nil)
		if err := r.handle(content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		rooms[name], got[name] = r, r.verdict(t, content)
	}
	if diff := cmp.Diff(realMail, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	readByOriginal(t, rooms, nil)
}

var unchanged = regexp.MustCompile(`method=(\w+) .*changes="?none(?:, )?([^"\n]*?)"? ms=`)

// verdict says in a line what became of a mail in a room that was empty before.
func (r *room) verdict(t *testing.T, content []byte) string {
	var stored, aside []string
	periods := 0
	for _, line := range r.outcome(t) {
		if reason, ok := strings.CutPrefix(line, "rejected: "); ok {
			aside = append(aside, "aside: "+reason)
			continue
		}
		_, what, _ := strings.Cut(line, " ") // after the user
		if strings.HasPrefix(what, "freebusy ") {
			periods++
		} else {
			stored = append(stored, what)
		}
	}
	if periods > 0 {
		stored = append(stored, strings.Repeat("+", periods))
	}
	if all := slices.Concat(stored, aside); len(all) > 0 {
		return strings.Join(all, "; ")
	}
	if match := unchanged.FindStringSubmatch(r.log.String()); match != nil {
		return strings.TrimSpace("nothing: " + match[1] + " " + match[2])
	}
	message, err := mail.Read(bytes.NewReader(content), int64(len(content)), nil)
	switch {
	case err != nil:
		return err.Error()
	case message.Bounce:
		return "nothing: a delivery report"
	case len(message.Parts) == 0:
		return "nothing: no calendar with a method"
	}
	var others []string
	for _, part := range message.Parts {
		calendars, err := calendar.Decode(part.Text)
		if err != nil {
			return err.Error()
		}
		for _, c := range calendars {
			others = append(others, c.Others...)
			for range c.FreeBusy {
				others = append(others, "VFREEBUSY")
			}
		}
	}
	return "nothing: only " + strings.Join(others, ", ")
}
