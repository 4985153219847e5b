package file

import (
	"reflect"
	"testing"
	"time"

	"imip-agent/stores"
)

func TestReadRequests(t *testing.T) {
	request := func(uid, recurrenceID, kind string) stores.Request {
		return stores.Request{ID: stores.ID{UID: uid, RecurrenceID: recurrenceID}, Type: kind}
	}
	for _, test := range []struct {
		why, text string
		want      []stores.Request
		damaged   []int
	}{
		{"empty", "", nil, nil},
		{"as the original writes them", "u1\t\t\nu1\t20261202\tCOUNTER\n",
			[]stores.Request{request("u1", "", ""), request("u1", "20261202", "COUNTER")}, nil},
		{"two columns, as before there were types", "u1\t\nu2\tr\n",
			[]stores.Request{request("u1", "", ""), request("u2", "r", "")}, nil},
		{"one column", "u1\n", []stores.Request{request("u1", "", "")}, nil},
		{"no end of line", "u1\t\tCOUNTER", []stores.Request{request("u1", "", "COUNTER")}, nil},
		{"CR and spaces at the end", "u1\t\tCOUNTER  \r\n", []stores.Request{request("u1", "", "COUNTER")}, nil},
		{"spaces belong to a UID", "u1 \t\t\n", []stores.Request{request("u1 ", "", "")}, nil},
		{"columns too many, but empty", "u1\t\t\t\t\n", []stores.Request{request("u1", "", "")}, nil},
		{"a column too many", "u1\t\t\tx\nu2\t\t\n", []stores.Request{request("u2", "", "")}, []int{1}},
		{"no UID", "\t20261202\t\n", nil, []int{1}},
		{"lines that say nothing", "\n\t\t\nu1\t\t\n", []stores.Request{request("u1", "", "")}, nil},
		{"not UTF-8", "\xff\t\t\nu1\t\t\n", []stores.Request{request("u1", "", "")}, []int{1}},
		{"the original ends a line there", "u1\vx\t\t\n", nil, []int{1}},
		{"the original ends a line there", "u1\u2028x\t\t\n", nil, []int{1}},
		{"NUL", "u\x00\t\t\n", nil, []int{1}},
	} {
		requests, damages := readRequests([]byte(test.text))
		var damaged []int
		for _, d := range damages {
			damaged = append(damaged, d.Line)
		}
		if !reflect.DeepEqual(requests, test.want) || !reflect.DeepEqual(damaged, test.damaged) {
			t.Errorf("%s: got %q, damaged %v", test.why, requests, damages)
		}
	}
}

func TestReadProviders(t *testing.T) {
	until := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	event := func(uid, recurrenceID string) stores.ID { return stores.ID{UID: uid, RecurrenceID: recurrenceID} }
	for _, test := range []struct {
		why, text string
		want      stores.Providers
		damaged   []int
	}{
		{"empty", "", stores.Providers{}, nil},
		{"as the original writes it", "20260301T000000Z\t\nu1\t\nu2\t20261202\n",
			stores.Providers{Until: until, Events: []stores.ID{event("u1", ""), event("u2", "20261202")}}, nil},
		{"no events", "20260301T000000Z\t\n", stores.Providers{Until: until}, nil},
		{"columns missing", "20260301T000000Z\nu1\n", stores.Providers{Until: until, Events: []stores.ID{event("u1", "")}}, nil},
		{"a date", "20260301\t\n", stores.Providers{Until: until}, nil},
		{"a local time", "20260301T000000\t\n", stores.Providers{Until: until}, nil},
		{"no time", "\t\nu1\t\n", stores.Providers{Events: []stores.ID{event("u1", "")}}, nil},
		{"an event where the time should be", "u1\t\nu2\t\n", stores.Providers{Events: []stores.ID{event("u2", "")}}, []int{1}},
		{"no such day", "20260231T000000Z\t\n", stores.Providers{}, []int{1}},
		{"a time with more to it", "20260301T000000Z\tx\n", stores.Providers{}, []int{1}},
		{"a column too many", "20260301T000000Z\t\nu1\t\tx\n", stores.Providers{Until: until}, []int{2}},
		{"no UID", "20260301T000000Z\t\n\t20261202\n", stores.Providers{Until: until}, []int{2}},
		{"not UTF-8", "20260301T000000Z\t\n\xff\t\n", stores.Providers{Until: until}, []int{2}},
	} {
		providers, damages := readProviders([]byte(test.text))
		var damaged []int
		for _, d := range damages {
			damaged = append(damaged, d.Line)
		}
		if !reflect.DeepEqual(providers, test.want) || !reflect.DeepEqual(damaged, test.damaged) {
			t.Errorf("%s: got %v, damaged %v", test.why, providers, damages)
		}
	}
}

func FuzzQueue(f *testing.F) {
	for _, text := range []string{"", "u1\t\t\n", "u1\t20261202\tCOUNTER\r\n", "\xff\n\t\n", "20260301T000000Z\t\nu1\t\n", "20260301\n\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		requests, _ := readRequests(data)
		again, damages := readRequests(writeRequests(requests))
		if len(damages) > 0 || !reflect.DeepEqual(requests, again) {
			t.Errorf("requests %q came back as %q, damaged %v", requests, again, damages)
		}
		providers, _ := readProviders(data)
		back, damages := readProviders(writeProviders(providers))
		if len(damages) > 0 || !reflect.DeepEqual(providers, back) {
			t.Errorf("providers %v came back as %v, damaged %v", providers, back, damages)
		}
	})
}
