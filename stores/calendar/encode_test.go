package calendar

import (
	"bytes"
	"strings"
	"testing"

	"github.com/emersion/go-ical"
)

func TestFold(t *testing.T) {
	for _, c := range []struct {
		name  string
		value string // of X
		want  []string
	}{
		{"75 octets", strings.Repeat("a", 73), []string{"X:" + strings.Repeat("a", 73)}},
		{"76 octets", strings.Repeat("a", 74), []string{"X:" + strings.Repeat("a", 73), " a"}},
		{"continuations are 75 octets too", strings.Repeat("a", 73+74+1), []string{"X:" + strings.Repeat("a", 73), " " + strings.Repeat("a", 74), " a"}},
		{"not inside a character", strings.Repeat("a", 72) + "é", []string{"X:" + strings.Repeat("a", 72), " é"}},
		{"nor one of four octets", strings.Repeat("a", 70) + "😀b", []string{"X:" + strings.Repeat("a", 70), " 😀b"}},
		{"spaces at the fold", strings.Repeat("a", 72) + "   b", []string{"X:" + strings.Repeat("a", 72) + " ", "   b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &Object{ical.NewComponent("VEVENT")}
			o.component.Props.Add(&ical.Prop{Name: "X", Value: c.value})
			text := o.Encode()
			want := "BEGIN:VEVENT\r\n" + strings.Join(c.want, "\r\n") + "\r\nEND:VEVENT\r\n"
			if string(text) != want {
				t.Errorf("written as\n%q, want\n%q", text, want)
			}
			again, err := DecodeObject(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := again.value("X"); got != c.value {
				t.Errorf("read again as %q", got)
			}
		})
	}
}

// Whatever got into an object, what is written is one object.
func TestEncodeIsSafe(t *testing.T) {
	for _, text := range []string{"a\r\nEND:VEVENT\r\nb", "a\rb", "a\nb", "a\x00\v\u2028b", "\xff\xfe", strings.Repeat("\x80", 200), `"a"b`, `a";X-C="b`} {
		o := &Object{ical.NewComponent("VEVENT")}
		o.component.Props.Add(&ical.Prop{Name: "X-A", Params: ical.Params{"X-B": {text}, "SENT-BY": {text}}, Value: text})
		checkStable(t, o)
		again, err := DecodeObject(o.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if props := again.component.Props; len(props) != 1 || len(props["X-A"]) != 1 || len(props["X-A"][0].Params) != 2 {
			t.Errorf("%q makes other properties:\n%s", text, o.Encode())
		}
	}
}

func TestEncodeIsDeterministic(t *testing.T) {
	lines := []string{"B;Y=1;X=2;Z=3:1", "A:1", "C:1", "B:2", "D;V=1;U=2:1", "BEGIN:VALARM\nB:1\nA:1\nEND:VALARM", "UID:u"}
	first := object(t, lines...).Encode()
	for range 20 {
		if again := object(t, lines...).Encode(); !bytes.Equal(again, first) {
			t.Fatalf("written as\n%s and as\n%s", first, again)
		}
	}
}
