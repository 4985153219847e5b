package freebusy

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"",
		sound9 + sound11,
		sound11 + sound9,
		strings.ReplaceAll(sound9, "\n", "\t20261203T000000Z\r\n"),
		at9 + "u9\tOPAQUE\t\ta\nb\tmailto:o@x\n" + sound11,
		at9 + "u9\tOPAQUE\t\ta\t\u2028\tb\n\nc\td\te\tmailto:o@x\t\n",
		at9 + "u9\tOPAQUE\t\ta\tRe: b\u0085" + sound11 + "hello\n",
		at9 + "u9\t\t\tcaf\xe9\tmailto:o@x\n",
		at9 + "u\v9\tOPAQUE\t\t\xed\xa0\x80\tmailto:o@x\n",
		"\ufeff\n \n20261202\t20261203T101010\tu9\n",
		"18991231T000000Z\t20261203T101010Z\tu9\n20260230\t20261203\n",
		at9 + " \n" + at9 + "\n\t\t\t\t\t\n",
	} {
		for layout := range 3 {
			f.Add([]byte(text), layout)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, number int) {
		layout := Layout(uint(number) % 3)
		table, damages := Read(slices.Clone(data), layout)
		if table.Changed() {
			t.Error("reading has changed it")
		}
		for _, d := range damages {
			if d.Line < 1 || !strings.Contains(string(data), d.Text) || d.Reason() == "" {
				t.Errorf("damage %+v", d)
			}
		}

		// The long way, which every line can go, comes to the same.
		r := &reader{layout: layout, text: string(data), line: 1}
		r.skipMark()
		for r.at < len(r.text) {
			r.mend()
		}
		if diff := cmp.Diff(damages, r.damages); diff != "" {
			t.Errorf("damage as found quickly and slowly differs:\n%s", diff)
		}
		slices.SortStableFunc(r.rows, layout.compare)
		if diff := cmp.Diff(slices.Clip(r.rows), slices.Clip(table.rows)); diff != "" && len(r.rows) > 0 {
			t.Errorf("records as found slowly and quickly differ:\n%s", diff)
		}

		// What is written is sound and in order, and is read as it was.
		text := table.Append(nil)
		again, damages := Read(text, layout)
		if len(damages) > 0 {
			t.Errorf("damage in what was written: %+v\n%q", damages, text)
		}
		if diff := cmp.Diff(string(text), string(again.Append(nil))); diff != "" {
			t.Errorf("written, read and written again:\n%s", diff)
		}
		if !slices.IsSortedFunc(again.rows, layout.compare) {
			t.Errorf("out of order: %q", again.rows)
		}
		for _, row := range again.rows {
			if strings.Count(row, "\t") != layout.columns()-1 || strings.IndexFunc(row, breaksLine) >= 0 ||
				!utf8.ValidString(row) || strings.HasSuffix(row, " ") {
				t.Errorf("the original cannot read %q", row)
			}
		}

		// Records survive being taken out and put back, but for what Clean does to them,
		// and for those of which one like it is there.
		periods := slices.Collect(table.All())
		for _, p := range periods {
			if instant(stamp(p.Start)) != p.Start || instant(stamp(p.End)) != p.End {
				t.Errorf("times of %+v", p)
			}
		}
		fresh := New(layout, periods...)
		if n := fresh.Len(); n > len(periods) || n == 0 && len(periods) > 0 {
			t.Errorf("%d of %d records left", n, len(periods))
		}
		if _, damages := Read(fresh.Append(nil), layout); len(damages) > 0 {
			t.Errorf("damage in what was put in: %+v", damages)
		}
		for _, p := range slices.Collect(fresh.All()) {
			fresh.Remove(p.UID, p.RecurrenceID)
		}
		if fresh.Len() > 0 {
			t.Errorf("left after removing all: %q", fresh.Append(nil))
		}
	})
}
