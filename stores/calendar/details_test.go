package calendar

import "testing"

func TestDetails(t *testing.T) {
	type details struct {
		location, status, organizer, attendee string
		allDay, recurs                        bool
	}
	for _, test := range []struct {
		name, text string
		want       details
	}{
		{"none", "DTSTART:20261202T090000Z\r\n", details{}},
		{"a date", "DTSTART;VALUE=DATE:20261202\r\n", details{allDay: true}},
		{"a rule", "DTSTART:20261202T090000Z\r\nRRULE:FREQ=DAILY\r\n", details{recurs: true}},
		{"dates", "DTSTART:20261202T090000Z\r\nRDATE:20261203T090000Z\r\n", details{recurs: true}},
		{
			"all", "DTSTART:20261202T090000Z\r\nLOCATION:Room 3\\, left\r\nSTATUS:tentative\r\n" +
				"ORGANIZER;CN=\"Boddie, Paul\":mailto:paul@example.com\r\nATTENDEE;CN=Vincent:mailto:vincent@example.com\r\n",
			details{location: "Room 3, left", status: "TENTATIVE", organizer: "Boddie, Paul", attendee: "Vincent"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, err := DecodeObject([]byte("BEGIN:VEVENT\r\nUID:u\r\n" + test.text + "END:VEVENT\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			got := details{o.Location(), o.Status(), o.OrganizerName(), "", o.AllDay(), o.Recurs()}
			for _, a := range o.Attendees() {
				got.attendee = a.Name()
			}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
