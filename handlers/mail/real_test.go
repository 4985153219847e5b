package mail

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/tests/skip"
)

// TestRealMail reads mails of other projects' collections, where they are at hand.
// None may fail; what is in them was found with another MIME reader (Python's),
// and looked up in the mail where the two disagree.
func TestRealMail(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "eml")
	if _, err := os.Stat(dir); err != nil {
		skip.Because(t, "no collection of real mails beside the project, in ../shared")
	}
	type contents struct{ From, Methods string }
	bounce := "bounce"
	want := map[string]contents{
		"calendarserver/dsn_failure_no_ics.eml":       {"MAILER-DAEMON@mail-out4.example.com", bounce},
		"calendarserver/dsn_failure_no_original.eml":  {"MAILER-DAEMON@relay11.example.com", bounce},
		"calendarserver/dsn_failure_with_ics.eml":     {"MAILER-DAEMON@relay11.example.com", bounce},
		"calendarserver/good_reply.eml":               {"xyzzy@example.com", ""}, // no method parameter
		"calendarserver/good_reply_future.eml":        {"xyzzy@example.com", ""},
		"calendarserver/good_reply_past.eml":          {"xyzzy@example.com", ""},
		"calendarserver/reply_missing_attachment.eml": {"xyzzy@example.com", ""},
		"calendarserver/reply_missing_attendee.eml":   {"xyzzy@example.com", ""},
		"calendarserver/reply_missing_organizer.eml":  {"xyzzy@example.com", ""},
		"james/alternative.cal.eml":                   {"j@linagora.com", "REPLY"},
		"james/calendar.eml":                          {"test1@linagora.com", "COUNTER"},
		"james/calendar2.eml":                         {"test1@linagora.com", "COUNTER"},
		"james/calendar~2.eml":                        {"fromUser@localhost.com", "REPLY"},
		"james/charset.eml":                           {"test1@linagora.com", "COUNTER"},
		"james/charset2.eml":                          {"test1@linagora.com", "COUNTER COUNTER"},
		"james/gmail.eml":                             {"duprat@linagora.com", ""}, // forwarded as files: no method parameter
		"james/gmail~2.eml":                           {"duprat@linagora.com", ""},
		"james/headerFolded.eml":                      {"duprat@linagora.com", ""},
		"james/ics_in_header.eml":                     {"alice@linagora.com", "REPLY"}, // the calendar stands in the part's header
		"james/invitationEmailFromOP.eml":             {"rbevillard@linagora.com", "REQUEST"},
		"james/related_in_alternative_multipart.eml":  {"", "CANCEL"},
		"james/sendToRemoteHttp.eml":                  {"duprat@linagora.com", ""},
		"james/spam.eml":                              {"user@james.org", ""},
		"james/yahooInvitation.eml":                   {"obmlinagora@yahoo.fr", "REQUEST"},
		"libical/complex-mime.eml":                    {"foo1@example.com", "REQUEST REQUEST"},
		"libical/mail-examples.01.eml":                {"foo1@example.com", "REQUEST"},
		"libical/mail-examples.02.eml":                {"foo2@example.com", "REQUEST"},
		"libical/mail-examples.03.eml":                {"foo3@example.com", "REQUEST"},
		"libical/mail-examples.04.eml":                {"foo4@example.com", "PUBLISH"},
		"libical/mail-examples.05.eml":                {"foo5@example.com", "REQUEST REQUEST"},
		"libical/mail-examples.06.eml":                {"foo6@example.com", "REQUEST"},
		"libical/simple-mime.eml":                     {"foo1@example.com", "REQUEST"},
		"thunderbird/cancel-repeat-event.eml":         {"sender@example.com", "CANCEL"},
		"thunderbird/cancel-single-event.eml":         {"sender@example.com", "CANCEL"},
		"thunderbird/event-with-file-attachment.eml":  {"sender@example.com", "REQUEST"},
		"thunderbird/exception-major.eml":             {"sender@example.com", "REQUEST"},
		"thunderbird/exception-minor.eml":             {"sender@example.com", "REQUEST"},
		"thunderbird/invite.eml":                      {"john@example.com", "REQUEST"},
		"thunderbird/meet-meeting-invite.eml":         {"example@gmail.com", "REQUEST"},
		"thunderbird/message-containing-event.eml":    {"noreply@example.com", "PUBLISH"},
		"thunderbird/message-non-invite.eml":          {"noreply@example.com", ""},
		"thunderbird/outlook-test-invite.eml":         {"marge@example.org", "REQUEST"},
		"thunderbird/repeat-event.eml":                {"sender@example.com", "REQUEST"},
		"thunderbird/repeat-update-major.eml":         {"sender@example.com", "REQUEST"},
		"thunderbird/repeat-update-minor.eml":         {"sender@example.com", "REQUEST"},
		"thunderbird/single-event.eml":                {"sender@example.com", "REQUEST"},
		"thunderbird/teams-meeting-invite.eml":        {"marge@example.com", "REQUEST"},
		"thunderbird/update-major.eml":                {"sender@example.com", "REQUEST"},
		"thunderbird/update-minor.eml":                {"sender@example.com", "REQUEST"},
	}
	// The examples of iTIP's RFC, in order.
	for i, method := range strings.Fields(`PUBLISH PUBLISH CANCEL PUBLISH PUBLISH REQUEST REPLY REQUEST REQUEST COUNTER
		REQUEST DECLINECOUNTER REPLY REQUEST REPLY REPLY REQUEST CANCEL CANCEL REQUEST
		REQUEST PUBLISH REQUEST REPLY REQUEST REQUEST REQUEST CANCEL CANCEL REQUEST
		ADD REQUEST ADD REQUEST REQUEST REQUEST ADD REQUEST COUNTER REQUEST
		REPLY REQUEST REPLY REQUEST REPLY REPLY REQUEST REQUEST REPLY PUBLISH
		REFRESH REQUEST REFRESH`) {
		name := "libical/2446." + string([]byte{'0' + byte((i+1)/10), '0' + byte((i+1)%10)}) + ".eml"
		want[name] = contents{"eric@busboom.org", method}
	}

	files, err := filepath.Glob(filepath.Join(dir, "*", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]contents)
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Read(file, 1<<20, nil)
		file.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var methods []string
		if m.Bounce {
			methods = append(methods, bounce)
		}
		for _, part := range m.Parts {
			methods = append(methods, part.Method)
			if !strings.HasPrefix(part.Text, "BEGIN:VCALENDAR") || !strings.Contains(part.Text, "END:VCALENDAR") {
				t.Errorf("%s: a part is no calendar, or not all of one: %q", name, part.Text)
			}
		}
		short, _ := filepath.Rel(dir, name)
		got[filepath.ToSlash(short)] = contents{strings.Join(m.From, " "), strings.Join(methods, " ")}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contents (-want +got)\n%s", diff)
	}
}
