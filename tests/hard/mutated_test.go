package hard

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMutated damages the sample mails, and the real ones where they are at hand, at
// random, and handles them one after the other on a few stores. Whatever they have become, the
// exit status is 0, and the original can read what is stored.
func TestMutated(t *testing.T) {
	mails := 400
	if os.Getenv("IMIP_AGENT_FULL") != "" {
		mails = 20_000
	}
	var sources [][]byte
	for _, pattern := range []string{"../messages/*.eml", "../../../shared/data/eml/*/*.eml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, content)
		}
	}
	const seed, rooms = 3, 4
	base := tempDir(t)
	made := make(map[string]*room)
	for i := range rooms {
		name := fmt.Sprint("store ", i)
		r := newRoom(t, filepath.Join(base, name), nil, nil)
		made[name] = r
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		for n := range mails / rooms {
			mail := bytes.Clone(sources[random.IntN(len(sources))])
			for range 1 + random.IntN(4) {
				mail = mutate(random, mail)
			}
			r.log.Reset()
			if err := r.handle(mail); err != nil {
				t.Fatalf("%s, mail %d: status 75: %v\n%s\nlog:\n%s", name, n, err, clip(string(mail)), clip(r.log.String()))
			}
		}
		if wrong, err := r.WrongModes(); err != nil || len(wrong) > 0 {
			t.Errorf("modes: %v %s", err, strings.Join(wrong, "\n"))
		}
	}
	readByOriginal(t, made, nil)
}

// mutate does one kind of damage to a mail, mostly in its calendar.
func mutate(random *rand.Rand, mail []byte) []byte {
	lines := bytes.SplitAfter(mail, []byte("\n"))
	line := func() int { return random.IntN(len(lines)) }
	switch random.IntN(9) {
	case 0: // an octet is another
		if len(mail) > 0 {
			mail[random.IntN(len(mail))] = byte(random.IntN(256))
		}
		return mail
	case 1: // a line is lost
		i := line()
		lines = append(lines[:i:i], lines[i+1:]...)
	case 2: // a line is there twice
		i := line()
		lines = append(lines[:i+1:i+1], lines[i:]...)
	case 3: // two lines change places
		i, j := line(), line()
		lines[i], lines[j] = lines[j], lines[i]
	case 4: // a line is broken in two
		i := line()
		at := random.IntN(len(lines[i]) + 1)
		lines[i] = append(append(bytes.Clone(lines[i][:at]), '\n'), lines[i][at:]...)
	case 5: // the rest is lost
		if random.IntN(4) == 0 {
			lines = lines[:line()]
		}
	case 6: // a number is another
		i := line()
		for k, c := range lines[i] {
			if '0' <= c && c <= '9' && random.IntN(4) == 0 {
				lines[i][k] = byte('0' + random.IntN(10))
			}
		}
	case 7: // something odd is put in
		i := line()
		at := random.IntN(len(lines[i]) + 1)
		odd := oddities[random.IntN(len(oddities))]
		lines[i] = append(append(bytes.Clone(lines[i][:at]), odd...), lines[i][at:]...)
	case 8: // a value is replaced by an odd one
		i := line()
		if at := bytes.IndexByte(lines[i], ':'); at >= 0 {
			lines[i] = append(append(bytes.Clone(lines[i][:at+1]), oddities[random.IntN(len(oddities))]...), '\n')
		}
	}
	return bytes.Join(lines, nil)
}

var oddities = []string{
	"\x00", "\u2028", "\u0085", "\v", "\f", "\x1c", "\t", "\r", "\xff", "\xc3", "ø", "🎉", "\ufeff", ",", ";", ":", `"`, `\`, `\n`, "=", "=0A", "%2F",
	"/", "..", "../../x", "mailto:", "mailto:../x@y", "a b", " ", "99999999999999999999", "-1", "00010101T000000Z", "99991231T235959Z",
	"20261202T090000", "20261202", "20261202T090000Z/PT1H", "FREQ=SECONDLY", "FREQ=DAILY;COUNT=99999999", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
	"FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", "P1D", "-PT1H", "PT", ";TZID=Nowhere", ";TZID=W. Europe Standard Time", ";VALUE=DATE", ";X", `;X="`,
	"BEGIN:VEVENT\n", "END:VEVENT\n", "END:VCALENDAR\n", "BEGIN:VALARM\n", "BEGIN:X-FOO\n", "RECURRENCE-ID:20261202T090000Z\n", "RDATE:20261202T090000Z,20261203\n",
}
