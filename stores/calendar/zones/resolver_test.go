package zones

import (
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-ical"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ tzid, want string }{
		{"Europe/Oslo", "Europe/Oslo"},
		{"US/Eastern", "US/Eastern"},
		{"Asia/Calcutta", "Asia/Calcutta"},
		{"GMT", "GMT"},
		{"Etc/GMT+1", "Etc/GMT+1"},
		{"EST5EDT", "EST5EDT"},
		{"Europe/Kyiv", "Europe/Kiev"},

		{"europe/oslo", "Europe/Oslo"},
		{"EUROPE/OSLO", "Europe/Oslo"},
		{"etc/gmt-1", "Etc/GMT-1"},
		{"America/New York", "America/New_York"},
		{"America-New_York", "America/New_York"},
		{"America-Chicago", "America/Chicago"},
		{"America/Port au Prince", "America/Port-au-Prince"},
		{`"Europe/Oslo"`, "Europe/Oslo"},
		{"'Europe/Oslo'", "Europe/Oslo"},
		{" Europe/Oslo ", "Europe/Oslo"},
		{"Europe/Oslo-1", "Europe/Oslo"},

		{"/mozilla.org/20050126_1/Europe/Oslo", "Europe/Oslo"},
		{"/freeassociation.sourceforge.net/Europe/Oslo", "Europe/Oslo"},
		{"/freeassociation.sourceforge.net/Tzfile/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"},
		{"/softwarestudio.org/Olson_20011030_5/America/New_York", "America/New_York"},
		{"/softwarestudio.org/Tzfile/America/New_York", "America/New_York"},
		{"/citadel.org/20211207_1/Europe/London", "Europe/London"},
		{"/example.org/20050126_1/W. Europe Standard Time", ""},

		{"UTC", "UTC"},
		{"utc", "UTC"},
		{"Z", "UTC"},
		{"UT", "UTC"},
		{"Etc/UTC", "Etc/UTC"},
		{"Coordinated Universal Time", "UTC"},
		{"(UTC) Coordinated Universal Time", "Etc/UTC"},
		{"tzone://Microsoft/Utc", "UTC"},
		{"GMT+0100", "Etc/GMT-1"},
		{"UTC+01:00", "Etc/GMT-1"},
		{"(UTC+01:00)", "Etc/GMT-1"},
		{"+01:00", "Etc/GMT-1"},
		{"GMT-5", "Etc/GMT+5"},
		{"UTC-11", "Etc/GMT+11"},
		{"GMT+00:00", "UTC"},
		{"GMT+05:30", "Asia/Calcutta"},
		{"GMT-03:30", ""}, // no zone is there all the year
		{"UTC+15", ""},

		{"W. Europe Standard Time", "Europe/Berlin"},
		{"w. europe standard time", "Europe/Berlin"},
		{`"W. Europe Standard Time"`, "Europe/Berlin"},
		{"W. Europe Daylight Time", "Europe/Berlin"},
		{"W. Europe Standard Time 1", "Europe/Berlin"},
		{"GMT Standard Time", "Europe/London"},
		{"FLE", "Europe/Kiev"},
		{"Pacific Standard Time", "America/Los_Angeles"},
		{"Pacific Standard Time (Mexico)", "America/Tijuana"},
		{"Central Asia Standard Time", "Asia/Bishkek"},
		{"Mexico Standard Time 2", "America/Chihuahua"},
		{"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"},
		{`(UTC+01:00) Amsterdam\, Berlin\, Bern\, Rome\, Stockholm\, Vienna`, "Europe/Berlin"},
		{"(GMT+01.00) Amsterdam / Berlin / Bern / Rome / Stockholm / Vienna", "Europe/Berlin"},
		{"Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"},
		{"(UTC+02:00) Helsinki, Kiev, Riga, Sofia, Tallinn, Vilnius", "Europe/Kiev"},
		{"(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London", "Europe/London"},
		{"(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"},
		{"(UTC-05:00) Eastern Time (US &amp; Canada)", "America/New_York"},
		{"Eastern Time (US & Canada)", "America/New_York"},
		{"(UTC+01:00) Europe/Oslo", "Europe/Oslo"},
		{"(UTC+01:00) Atlantis", "Etc/GMT-1"},
		{"Berlin", "Europe/Berlin"},
		{"Oslo", "Europe/Oslo"},
		{"PDT", "America/Los_Angeles"},
		{"CEST", "CET"},

		{"", ""},
		{"Customized Time Zone", ""},
		{"tzone://Microsoft/Custom", ""},
		{"Local", ""},
		{"../../etc/passwd", ""},
		{"/etc/localtime", ""},
		{"South", ""},
		{"Home", ""},
		{"1", ""},
		{"\x00", ""},
		{strings.Repeat("/a", 100000), ""},
		{strings.Repeat("Europe", 100000), ""},
	} {
		got, ok := NewResolver(nil).Resolve(c.tzid)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%.80q: got %q, %v, want %q", c.tzid, got, ok, c.want)
		}
	}
}

// Names that Windows shows, in its languages.
func TestShownNames(t *testing.T) {
	for _, c := range []struct{ tzid, want string }{
		{"(UTC-05:00) Eastern Time (US and Canada)", "America/New_York"},
		{"Eastern Time (US and Canada)", "America/New_York"},
		{"(UTC-05:00) Ostküste (USA und Kanada)", "America/New_York"},
		{"(UTC-05:00) Est (États-Unis et Canada)", "America/New_York"},
		{"(UTC-05:00) Hora del este (EE.UU. y Canadá)", "America/New_York"},
		{"(UTC-05:00) Østlig tid (USA og Canada)", "America/New_York"},
		{"(UTC-06:00) Hora central (EE.UU. y Canadá)", "America/Chicago"},
		{"(UTC-07:00) Rocky Mountains (USA und Kanada)", "America/Denver"},
		{"(UTC-08:00) Pacifique (É.-U. et Canada)", "America/Los_Angeles"},
		{"Pacific Time (US & Canada); Tijuana", "America/Los_Angeles"},
		{"(UTC-04:00) Atlantik (Kanada)", "America/Halifax"},
		{"(UTC-03:30) Neufundland", "America/St_Johns"},
		{"(UTC-03:00) Groenland", "America/Godthab"},
		{"(UTC-10:00) Hawaï", "Pacific/Honolulu"},
		{"(UTC-05:00) Indiana (Ost)", "America/Indianapolis"},
		{"(UTC-06:00) Zentralamerika", "America/Guatemala"},
		{"(UTC-06:00) Saskatchewan", "America/Regina"},
		{"(UTC+01:00) West-Zentralafrika", "Africa/Lagos"},
		{"(UTC+01:00) Bruxelles, Copenhague, Madrid, Paris", "Europe/Brussels"},
		{"(UTC+01:00) Brussel, København, Madrid, Paris", "Europe/Brussels"},
		{"(UTC+01:00) Ámsterdam, Berlín, Berna, Roma, Estocolmo, Viena", "Europe/Amsterdam"},
		{"(UTC+01:00) Belgrad, Bratislava (Pressburg), Budapest, Ljubljana, Prag", "Europe/Belgrade"},
		{"(UTC+00:00) Dublin, Édimbourg, Lisbonne, Londres", "Europe/London"},
		{"(UTC+02:00) Athen, Bukarest", "Europe/Athens"},
		{"(UTC+02:00) Kairo", "Africa/Cairo"},
		{"Wien", "Europe/Vienna"},
		{"Москва", "Europe/Moscow"},
	} {
		zone := NewResolver(nil).Find(c.tzid, Use{})
		if zone.IANA != c.want || zone.Guess != "" {
			t.Errorf("%q: got %q (guess: %q), want %q", c.tzid, zone.IANA, zone.Guess, c.want)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(translated), "\n") {
		name, iana, _ := strings.Cut(line, "\t")
		if _, err := Load(iana); err != nil || name != strings.ToLower(name) {
			t.Errorf("%q: %v", line, err)
		}
	}
	for _, r := range regions {
		if _, err := Load(r.iana); err != nil {
			t.Error(err)
		}
	}
}

// TestTables checks that every zone that a table names can be loaded, and that
// every name in them is found.
func TestTables(t *testing.T) {
	var all []string
	for _, zone := range append(windowsZones, formerWindows...) {
		all = append(all, zone.iana)
		for _, name := range []string{zone.name, zone.display} {
			if got, _ := NewResolver(nil).Resolve(name); name != "" && got != zone.iana && !strings.Contains(name, "UTC") {
				t.Errorf("%q: got %q, want %q", name, got, zone.iana)
			}
		}
	}
	if len(windowsZones) < 130 || len(ianaNames) < 500 {
		t.Errorf("the tables have %d and %d zones", len(windowsZones), len(ianaNames))
	}
	for _, name := range abbreviations {
		all = append(all, name)
	}
	for _, name := range renamed {
		all = append(all, name)
	}
	for _, name := range append(all, ianaNames...) {
		if _, err := Load(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range ianaNames {
		if got, ok := NewResolver(nil).Resolve(strings.ToLower(name)); !ok || got != name && renamed[name] != got {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

const tokyo = "BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD"

func TestResolve(t *testing.T) {
	r := NewResolver([]*ical.Component{
		nil,
		vtimezone(t, "X-NO-TZID:here"),
		vtimezone(t, "TZID:Europe/Oslo\n"+tokyo),
		vtimezone(t, "TZID:My Zone\n"+tokyo),
		vtimezone(t, "TZID:My Zone\nX-LIC-LOCATION:Europe/Paris"),
		vtimezone(t, `TZID:"Office\, home"`+"\n"+tokyo),
		vtimezone(t, "TZID:1\nX-LIC-LOCATION:Europe/Paris\n"+tokyo),
		vtimezone(t, "TZID:2\nX-LIC-LOCATION:Atlantis\n"+tokyo),
		vtimezone(t, "TZID:3\nTZURL:http://tzurl.org/zoneinfo/Europe/Paris.ics"),
		vtimezone(t, "TZID:GMT+0100\n"+tokyo),
		vtimezone(t, "TZID:(UTC+01:00) Atlantis\n"+tokyo),
		vtimezone(t, "TZID:W. Europe Standard Time\n"+tokyo),
		vtimezone(t, "TZID:Rome\n"+tokyo),
	})
	for _, c := range []struct{ tzid, want, reason string }{
		{"Europe/Oslo", "Europe/Oslo", "an IANA name stands against its definition"},
		{"W. Europe Standard Time", "Europe/Berlin", "so does a name of Windows"},
		{"My Zone", "Asia/Tokyo", "by definition; the first of two counts"},
		{"MY ZONE", "Asia/Tokyo", "in any case"},
		{`"My Zone"`, "Asia/Tokyo", "quoted"},
		{"My Zone 2", "Asia/Tokyo", "a second version of it"},
		{"Office, home", "Asia/Tokyo", "quoted and escaped in the definition"},
		{"1", "Europe/Paris", "by X-LIC-LOCATION"},
		{"2", "Asia/Tokyo", "by definition, where X-LIC-LOCATION is none"},
		{"3", "Europe/Paris", "by TZURL"},
		{"GMT+0100", "Asia/Tokyo", "a definition says more than an offset"},
		{"(UTC+01:00) Atlantis", "Asia/Tokyo", "so here"},
		{"Rome", "Asia/Tokyo", "and more than a place"},
		{"Other", "", "not defined"},
	} {
		for range 2 { // the second time from memory
			got, ok := r.Resolve(c.tzid)
			if got != c.want || ok != (c.want != "") {
				t.Errorf("%q: got %q, %v, want %q: %s", c.tzid, got, ok, c.want, c.reason)
			}
		}
	}
}

func TestResolveManyNames(t *testing.T) {
	r := NewResolver(nil)
	for i := range maxNames + 100 {
		r.Resolve("Europe / Oslo " + strings.Repeat("x", i))
	}
	if len(r.resolved) > maxNames {
		t.Errorf("%d names are kept", len(r.resolved))
	}
	for _, c := range []struct{ tzid, want, reason string }{
		{"Europe/Oslo", "Europe/Oslo", "spelled as by the IANA"},
		{"W. Europe Standard Time", "Europe/Berlin", "spelled as by Windows"},
		{"europe/oslo", "", "not looked into any more"},
	} {
		if got, ok := r.Resolve(c.tzid); got != c.want || ok != (c.want != "") {
			t.Errorf("%q: got %q, %v, want %q: %s", c.tzid, got, ok, c.want, c.reason)
		}
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("W. Europe Standard Time", "+0100", "+0200", "16011028T030000", "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10")
	f.Add("/mozilla.org/20050126_1/Europe/Oslo", "+9900", "", "", "FREQ=SECONDLY")
	f.Add("(UTC+01:00) Amsterdam, Berlin", "-0330", "-0330", "20261025", "FREQ=DAILY;UNTIL=20261025")
	f.Fuzz(func(t *testing.T, tzid, from, to, start, rule string) {
		component := ical.NewComponent(ical.CompTimezone)
		component.Props.Set(&ical.Prop{Name: ical.PropTimezoneID, Value: "x"})
		for _, name := range []string{ical.CompTimezoneStandard, ical.CompTimezoneDaylight} {
			child := ical.NewComponent(name)
			child.Props.Set(&ical.Prop{Name: ical.PropTimezoneOffsetFrom, Value: from})
			child.Props.Set(&ical.Prop{Name: ical.PropTimezoneOffsetTo, Value: to})
			child.Props.Set(&ical.Prop{Name: ical.PropDateTimeStart, Value: start})
			child.Props.Set(&ical.Prop{Name: ical.PropRecurrenceRule, Value: rule})
			component.Children = append(component.Children, child)
			from, to = to, from
		}
		r := NewResolver([]*ical.Component{component})
		for _, id := range []string{tzid, "x"} {
			iana, ok := r.Resolve(id)
			if _, err := Load(iana); ok != (err == nil) {
				t.Errorf("%q: got %q, %v, %v", id, iana, ok, err)
			}
		}
	})
}

// TestSpelled checks that names as the IANA and Windows spell them mean the same with
// and without the index.
func TestSpelled(t *testing.T) {
	if !slices.IsSorted(ianaNames) {
		t.Fatal("the IANA's names are not in order")
	}
	all := slices.Clone(ianaNames)
	for _, zone := range windowsZones {
		all = append(all, zone.name)
	}
	for _, name := range all {
		fast, ok := spelled(name)
		slow, known := names().byName(name)
		if fast != slow || !ok || !known {
			t.Errorf("%q: got %q without the index, %q with it", name, fast, slow)
		}
	}
	for _, name := range []string{"", "europe/oslo", "/Europe/Oslo", "W. Europe Standard Times"} {
		if iana, ok := spelled(name); ok {
			t.Errorf("%q: got %q", name, iana)
		}
	}
}
