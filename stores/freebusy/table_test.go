package freebusy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// day returns an instant on a day of December 2026.
func day(day, hour int) time.Time { return time.Date(2026, 12, day, hour, 0, 0, 0, time.UTC) }

// brief names the records of a table shortly: UID, recurrence id, day.
func brief(periods []Period) []string {
	list := []string{}
	for _, p := range periods {
		name := p.UID
		if p.RecurrenceID != "" {
			name += "/" + p.RecurrenceID
		}
		list = append(list, fmt.Sprintf("%s@%d", name, p.Start.Day()))
	}
	return list
}

func records(t *Table) []string { return brief(slices.Collect(t.All())) }

// TestInsertFrom has records with control characters as they stand, and made safe.
func TestInsertFrom(t *testing.T) {
	const odd = at9 + "u9\tOPAQUE\t\ta \x00b\x1fc\tmailto:o@x\n"
	from, _ := Read([]byte(odd+odd+sound11), Plain)
	into := New(Plain)
	into.InsertFrom(from, func(p Period) bool { return p.UID == "u9" })
	if diff := cmp.Diff(odd, string(into.Append(nil))); diff != "" {
		t.Errorf("(-want +got): %s", diff)
	}
	clean, changed := from.Cleaned()
	safe := at9 + "u9\tOPAQUE\t\ta b c\tmailto:o@x\n"
	if diff := cmp.Diff(safe+safe+sound11, string(clean.Append(nil))); diff != "" {
		t.Errorf("made safe (-want +got): %s", diff)
	}
	if diff := cmp.Diff([]string{"u9@2", "u9@2"}, brief(changed)); diff != "" {
		t.Errorf("changed (-want +got): %s", diff)
	}
	if got := string(from.Append(nil)); got != odd+odd+sound11 {
		t.Errorf("the table itself is %q", got)
	}
}

func TestOrder(t *testing.T) {
	// As the original puts them; what each has over the one before is the reason.
	ordered := []Period{
		{Start: day(1, 9), End: day(1, 10), UID: "z"},
		{Start: day(2, 12), End: day(2, 11), UID: "z"},                       // start
		{Start: day(2, 12), End: day(2, 13)},                                 // end
		{Start: day(2, 12), End: day(2, 13), RecurrenceID: "x"},              // recurrence id, none first
		{Start: day(2, 12), End: day(2, 13), UID: "B"},                       // UID, none first
		{Start: day(2, 12), End: day(2, 13), UID: "a"},                       // by code point: capitals first
		{Start: day(2, 12), End: day(2, 13), UID: "a", RecurrenceID: "2026"}, // recurrence id
		{Start: day(2, 12), End: day(2, 13), UID: "a", RecurrenceID: "20261202"},
		{Start: day(2, 12), End: day(2, 13), UID: "a "},         // a text before what continues it
		{Start: day(2, 12), End: day(2, 13), UID: "a!"},         // so TAB is no part of the comparison
		{Start: day(2, 12), End: day(2, 13), UID: "\uffee"},     // after all ASCII
		{Start: day(2, 12), End: day(2, 13), UID: "\U0001F600"}, // by code point, not by UTF-16
	}
	rapid.Check(t, func(t *rapid.T) {
		shuffled := rapid.Permutation(ordered).Draw(t, "shuffled")
		one, all := New(Plain), New(Plain, shuffled[:4]...)
		for _, p := range shuffled {
			if !one.Insert(p) {
				t.Fatalf("did not insert %v", p)
			}
		}
		all.InsertAll(shuffled[4:])
		want := string(New(Plain, ordered...).Append(nil))
		if diff := cmp.Diff(want, string(one.Append(nil))); diff != "" {
			t.Fatalf("one by one (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, string(all.Append(nil))); diff != "" {
			t.Fatalf("at once (-want +got):\n%s", diff)
		}
		lines := rapid.Permutation(slices.Collect(strings.Lines(want))).Draw(t, "lines")
		read, _ := Read([]byte(strings.Join(lines, "")), Plain)
		if string(read.Append(nil)) != want {
			t.Fatalf("read out of order, got\n%s", read.Append(nil))
		}
	})
	var got []Period
	for p := range New(Plain, ordered...).All() {
		p.Transp = ""
		got = append(got, p)
	}
	if diff := cmp.Diff(ordered, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInsertEqual(t *testing.T) {
	first := Period{Start: day(1, 9), End: day(1, 10), UID: "u", RecurrenceID: "r", Transp: "OPAQUE", Summary: "first", Organizer: "mailto:o@x"}
	second := first
	second.Transp, second.Summary, second.Organizer = "ORG", "second", "mailto:p@x"
	table := New(Plain, first, second)
	want := string(table.Append(nil))
	if table.Insert(second) {
		t.Error("inserted what was there")
	}
	table.InsertAll([]Period{second, first, second})
	if table.Len() != 1 || string(table.Append(nil)) != want || !strings.Contains(want, "first") {
		t.Errorf("got %q", table.Append(nil))
	}
	if table.Changed() {
		t.Error("changed")
	}
}

func TestInsertMakesSafe(t *testing.T) {
	p := Period{Start: day(2, 9).In(time.FixedZone("", 3600)), End: day(2, 10).Add(time.Second / 2),
		UID: "a\tb", RecurrenceID: "r\n", Summary: "one\r\n two\u2028three \xff", Organizer: "mailto:o@x ",
		Expires: day(3, 0), Attendee: "mailto:a@x\v"}
	start := "20261202T090000Z\t20261202T100000Z\ta b\tOPAQUE\tr\tone two three \uFFFD\tmailto:o@x"
	for layout, want := range map[Layout]string{
		Plain:    start + "\n",
		Expiring: start + " \t20261203T000000Z\n",
		Attended: start + " \tmailto:a@x\n",
	} {
		if got := string(New(layout, p).Append(nil)); got != want {
			t.Errorf("layout %d: got %q, want %q", layout, got, want)
		}
	}
}

func TestInsertOutOfRange(t *testing.T) {
	for name, p := range map[string]Period{
		"no times":           {UID: "u"},
		"no end":             {Start: day(1, 1), UID: "u"},
		"before 1900":        {Start: time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC), End: day(1, 1), UID: "u"},
		"beyond four digits": {Start: day(1, 1), End: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), UID: "u"},
	} {
		table := New(Plain)
		table.InsertAll([]Period{p})
		if table.Insert(p) || table.Len() > 0 || table.Changed() {
			t.Errorf("%s: inserted", name)
		}
	}
	table := New(Expiring, Period{Start: day(1, 1), End: day(1, 2), UID: "u", Expires: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	if _, damages := Read(table.Append(nil), Expiring); len(damages) > 0 {
		t.Errorf("an expiry time out of range: %+v", damages)
	}
}

func TestRemove(t *testing.T) {
	periods := []Period{
		{Start: day(1, 9), End: day(1, 10), UID: "u"},
		{Start: day(2, 9), End: day(2, 10), UID: "u"},
		{Start: day(3, 9), End: day(3, 10), UID: "u", RecurrenceID: "r3"},
		{Start: day(4, 9), End: day(4, 10), UID: "u", RecurrenceID: "r4"},
		{Start: day(5, 9), End: day(5, 10), UID: "u", RecurrenceID: "r4"},
		{Start: day(6, 9), End: day(6, 10), UID: "uu"},
		{Start: day(7, 9), End: day(7, 10), UID: "u u  u"},
		{Start: day(8, 9), End: day(8, 10)},
	}
	for name, test := range map[string]struct {
		remove func(*Table) int
		gone   []string
	}{
		"whole event": {func(t *Table) int { return t.Remove("u", "") }, []string{"u@1", "u@2"}},
		"recurrence":  {func(t *Table) int { return t.Remove("u", "r4") }, []string{"u/r4@4", "u/r4@5"}},
		"unknown":     {func(t *Table) int { return t.Remove("v", "") }, nil},
		"beginning":   {func(t *Table) int { return t.Remove("u", "r") }, nil},
		"with spaces": {func(t *Table) int { return t.Remove("u u  u", "") }, []string{"u u  u@7"}},
		"made safe":   {func(t *Table) int { return t.Remove("u\tu  u", "") }, []string{"u u  u@7"}},
		"no UID":      {func(t *Table) int { return t.Remove("", "") }, []string{"@8"}},
		"starting": {func(t *Table) int {
			return t.RemoveStarting("u", "", day(2, 10).In(time.FixedZone("", 7200)).Add(-time.Hour))
		},
			[]string{"u@2"}},
		"starting, of a recurrence": {func(t *Table) int { return t.RemoveStarting("u", "r4", day(5, 9)) }, []string{"u/r4@5"}},
		"starting elsewhen":         {func(t *Table) int { return t.RemoveStarting("u", "", day(3, 9)) }, nil},
		"starting at no time":       {func(t *Table) int { return t.RemoveStarting("u", "", time.Time{}) }, nil},
		"recurrences": {func(t *Table) int { return t.RemoveRecurrences("u", func(id string) bool { return id == "r3" }) },
			[]string{"u/r4@4", "u/r4@5"}},
		"all recurrences": {func(t *Table) int { return t.RemoveRecurrences("u", func(string) bool { return false }) },
			[]string{"u/r3@3", "u/r4@4", "u/r4@5"}},
		"recurrences of none":        {func(t *Table) int { return t.RemoveRecurrences("uu", func(string) bool { return false }) }, nil},
		"expired in a table without": {func(t *Table) int { return t.DropExpired(day(31, 0)) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			table := New(Plain, periods...)
			want := records(table)
			want = slices.DeleteFunc(want, func(r string) bool { return slices.Contains(test.gone, r) })
			if n := test.remove(table); n != len(test.gone) {
				t.Errorf("says %d", n)
			}
			if diff := cmp.Diff(want, records(table)); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			removed, inserted := table.Changes()
			if diff := cmp.Diff(append([]string{}, test.gone...), brief(removed)); diff != "" || len(inserted) > 0 {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
			if table.Changed() != (len(test.gone) > 0) {
				t.Errorf("changed: %v", table.Changed())
			}
		})
	}
}

func TestDropExpired(t *testing.T) {
	table := New(Expiring,
		Period{Start: day(1, 9), End: day(1, 10), UID: "never"},
		Period{Start: day(2, 9), End: day(2, 10), UID: "before", Expires: day(20, 11)},
		Period{Start: day(3, 9), End: day(3, 10), UID: "now", Expires: day(20, 12)},
		Period{Start: day(4, 9), End: day(4, 10), UID: "after", Expires: day(20, 12).Add(time.Second)},
	)
	if n := table.DropExpired(day(20, 12)); n != 2 {
		t.Errorf("dropped %d", n)
	}
	if diff := cmp.Diff([]string{"never@1", "after@4"}, records(table)); diff != "" {
		t.Error(diff)
	}
}

func TestChanges(t *testing.T) {
	one := Period{Start: day(1, 9), End: day(1, 10), UID: "one"}
	two := Period{Start: day(2, 9), End: day(2, 10), UID: "two"}
	three := Period{Start: day(3, 9), End: day(3, 10), UID: "three"}
	renamed := one
	renamed.Summary = "otherwise"
	for name, test := range map[string]struct {
		change            func(*Table)
		removed, inserted []string
	}{
		"none":                 {func(*Table) {}, nil, nil},
		"removed":              {func(t *Table) { t.Remove("one", "") }, []string{"one@1"}, nil},
		"inserted":             {func(t *Table) { t.Insert(three) }, nil, []string{"three@3"}},
		"there already":        {func(t *Table) { t.InsertAll([]Period{one, two}) }, nil, nil},
		"removed and put back": {func(t *Table) { t.Remove("one", ""); t.Insert(one) }, nil, nil},
		"inserted and removed": {func(t *Table) { t.Insert(three); t.Remove("three", "") }, nil, nil},
		"replaced by another":  {func(t *Table) { t.Remove("one", ""); t.InsertAll([]Period{three}) }, []string{"one@1"}, []string{"three@3"}},
		"the same but for a summary": {func(t *Table) { t.Remove("one", ""); t.Insert(renamed) },
			[]string{"one@1"}, []string{"one@1"}},
		"some put back": {func(t *Table) { t.Remove("one", ""); t.Remove("two", ""); t.InsertAll([]Period{three, two}) },
			[]string{"one@1"}, []string{"three@3"}},
	} {
		t.Run(name, func(t *testing.T) {
			table := New(Plain, one, two)
			test.change(table)
			removed, inserted := table.Changes()
			if diff := cmp.Diff(append([]string{}, test.removed...), brief(removed)); diff != "" {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{}, test.inserted...), brief(inserted)); diff != "" {
				t.Errorf("inserted (-want +got):\n%s", diff)
			}
			if changed := len(test.removed)+len(test.inserted) > 0; table.Changed() != changed {
				t.Errorf("changed: %v", !changed)
			}
		})
	}
}

// TestAgainstSimple holds the table against a plain list under the same changes.
func TestAgainstSimple(t *testing.T) {
	var (
		uids   = rapid.SampledFrom([]string{"", "a", "ab", "b c", "ü"})
		ids    = rapid.SampledFrom([]string{"", "", "r1", "r2"})
		period = rapid.Custom(func(t *rapid.T) Period {
			at := day(rapid.IntRange(1, 9).Draw(t, "day"), 9)
			return Period{Start: at, End: at.Add(time.Hour), UID: uids.Draw(t, "uid"), RecurrenceID: ids.Draw(t, "id"),
				Transp: "OPAQUE", Summary: rapid.SampledFrom([]string{"", "x", "y z"}).Draw(t, "summary")}
		})
		same = func(a, b Period) bool {
			return a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.UID == b.UID && a.RecurrenceID == b.RecurrenceID
		}
	)
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SliceOfN(period, 0, 20).Draw(t, "start")
		table, damages := Read(New(Plain, start...).Append(nil), Plain)
		if len(damages) > 0 {
			t.Fatal(damages)
		}
		list := slices.Collect(table.All())
		original := slices.Clone(list)
		insert := func(p Period) {
			if !slices.ContainsFunc(list, func(q Period) bool { return same(p, q) }) {
				list = append(list, p)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				p := period.Draw(t, "p")
				table.Insert(p)
				insert(p)
			},
			"insertAll": func(t *rapid.T) {
				ps := rapid.SliceOfN(period, 0, 20).Draw(t, "ps")
				table.InsertAll(ps)
				for _, p := range ps {
					insert(p)
				}
			},
			"remove": func(t *rapid.T) {
				uid, id := uids.Draw(t, "uid"), ids.Draw(t, "id")
				n := len(list)
				list = slices.DeleteFunc(list, func(p Period) bool { return p.UID == uid && p.RecurrenceID == id })
				if got := table.Remove(uid, id); got != n-len(list) {
					t.Fatalf("removed %d, want %d", got, n-len(list))
				}
			},
			"": func(t *rapid.T) {
				want := New(Plain, list...)
				if diff := cmp.Diff(string(want.Append(nil)), string(table.Append(nil))); diff != "" {
					t.Fatalf("(-want +got):\n%s", diff)
				}
				removed, inserted := table.Changes()
				count := func(p Period) int {
					n := 0
					for _, q := range removed {
						if p == q {
							n++
						}
					}
					for _, q := range inserted {
						if p == q {
							n--
						}
					}
					return n
				}
				for _, p := range slices.Concat(original, list) {
					want := 0
					if slices.Contains(original, p) {
						want++
					}
					if slices.Contains(list, p) {
						want--
					}
					if count(p) != want {
						t.Fatalf("%v: removed less inserted is %d, want %d", p, count(p), want)
					}
				}
				if table.Changed() != (len(removed)+len(inserted) > 0) {
					t.Fatal("Changed and Changes differ")
				}
			},
		})
	})
}

// failing is a disk that is full after so many octets.
type failing int

func (f *failing) Write(p []byte) (int, error) {
	if len(p) > int(*f) {
		return int(*f), errors.New("disk full")
	}
	*f -= failing(len(p))
	return len(p), nil
}

func TestWriteTo(t *testing.T) {
	for _, n := range []int{0, 1, 3, 5000} {
		text := tableText(n)
		table, _ := Read(text, Plain)
		table.Insert(Period{Start: day(1, 1), End: day(1, 2), UID: "long", Summary: strings.Repeat("x", 2*writeSize)})
		want := table.Append([]byte("before\n"))
		var got bytes.Buffer
		got.WriteString("before\n")
		written, err := table.WriteTo(&got)
		if err != nil || written != int64(got.Len()-len("before\n")) || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d records: wrote %d octets of %d, error %v", n, written, len(want), err)
		}
		full := failing(writeSize)
		if written, err := table.WriteTo(&full); err == nil || written > writeSize {
			t.Errorf("%d records: wrote %d octets to a full disk", n, written)
		}
	}
	var _ io.WriterTo = New(Plain)
}

func TestAllStops(t *testing.T) {
	table, _ := Read(tableText(10), Plain)
	n := 0
	for range table.All() {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d records", n)
	}
}

// An index changes nothing: what goes on in a table that is used for long is the same as in one
// that is read anew each time.
func TestIndex(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	used := New(Plain)
	fresh := New(Plain)
	at := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)
	text := func(t *Table) string { return string(t.Append(nil)) }
	for range 3000 {
		uid := string(rune('a' + random.IntN(4)))
		recurrenceID := ""
		if n := random.IntN(6); n > 1 {
			recurrenceID = fmt.Sprintf("2026120%dT090000Z", n)
		}
		start := at.AddDate(0, 0, random.IntN(20))
		var removed [2]int
		op := random.IntN(8)
		kept := fmt.Sprintf("2026120%dT090000Z", random.IntN(6))
		for i, table := range []*Table{used, fresh} {
			switch op {
			case 0:
				removed[i] = table.Remove(uid, recurrenceID)
			case 1:
				removed[i] = table.RemoveRecurrences(uid, func(id string) bool { return id == kept })
			case 2:
				removed[i] = table.RemoveStarting(uid, recurrenceID, start)
			case 3:
				var many []Period
				for n := range 2 * fewRows {
					many = append(many, Period{Start: start.AddDate(0, 0, n), End: start.AddDate(0, 0, n+1), UID: uid, RecurrenceID: recurrenceID})
				}
				table.InsertAll(many)
			default:
				table.Insert(Period{Start: start, End: start.Add(time.Hour), UID: uid, RecurrenceID: recurrenceID})
			}
		}
		if removed[0] != removed[1] || text(used) != text(fresh) {
			t.Fatalf("operation %d on %q %q: removed %d and %d:\n%s\nand\n%s", op, uid, recurrenceID, removed[0], removed[1], text(used), text(fresh))
		}
		fresh, _ = Read([]byte(text(fresh)), Plain)
	}
}
