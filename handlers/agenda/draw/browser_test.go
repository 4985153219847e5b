package draw

import (
	"bytes"
	"context"
	"fmt"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"imip-agent/handlers/agenda"
	"imip-agent/handlers/agenda/agendatest"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tests/skip"
)

// shotsVariable names a directory in which the pictures that the tests take of pages are
// kept. Without it they are artifacts of the tests (go test -artifacts).
const shotsVariable = "IMIP_AGENT_SHOTS"

// keep writes a picture, or another thing to look at, where they are kept.
func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	dir := os.Getenv(shotsVariable)
	if dir == "" {
		dir = t.ArtifactDir()
	} else if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// window is how a browser shows a page.
type window struct {
	width, height int64
	dark, print   bool
}

// shared is the browser of all tests: a start takes a second of the processor.
var shared struct {
	once sync.Once
	ctx  context.Context
	err  error
	stop []func()
}

func TestMain(m *testing.M) {
	status := m.Run()
	for _, stop := range slices.Backward(shared.stop) {
		stop()
	}
	os.Exit(status)
}

// start returns the browser, for windows that are opened in it.
func start(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		skip.Because(t, "needs the browser chromium, which is not installed")
	}
	shared.once.Do(func() {
		dir, err := os.MkdirTemp("", "imip-agent-browser")
		if err != nil {
			shared.err = err
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
			chromedp.DisableGPU, chromedp.UserDataDir(dir), chromedp.WSURLReadTimeout(2*time.Minute))
		allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, end := chromedp.NewContext(allocated)
		shared.stop = append(shared.stop, func() { _ = os.RemoveAll(dir) }, stop, end)
		shared.ctx, shared.err = ctx, chromedp.Do(ctx)
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.ctx
}

// open shows what is written in a window of a browser, with nothing around it.
func open(t *testing.T, browser context.Context, w window, write func(*os.File) error, suffix string) context.Context {
	t.Helper()
	ctx, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	path := filepath.Join(t.TempDir(), "calendar."+suffix)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := write(f); err != nil {
		t.Fatal(err)
	}
	scheme, media := "light", ""
	if w.dark {
		scheme = "dark"
	}
	if w.print {
		media = "print"
	}
	do(t, ctx, chromedp.EmulateViewport(w.width, w.height), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}), chromedp.Navigate("file://"+path))
	return ctx
}

// do does something in a browser.
func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// get does something in a browser that has a result.
func get[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// shoot keeps a picture of what a browser shows, the whole page or only what is in the
// window, and returns it.
func shoot(t *testing.T, ctx context.Context, name string, whole bool) []byte {
	t.Helper()
	action := chromedp.CaptureScreenshot()
	if whole {
		action = chromedp.FullScreenshot(100)
	}
	picture := get(t, ctx, action)
	keep(t, name+".png", picture)
	return picture
}

// measure is a script that measures the page in the browser, and returns what is wrong.
const measure = `(() => {
const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
const within = (a, b) => a[0] >= b[0] - 1 && a[1] >= b[1] - 1 && a[2] <= b[2] + 1 && a[3] <= b[3] + 1;
const found = [];
const note = (what, e) => found.push(what + ": " + (e.textContent || e.className));
const seen = e => e.checkVisibility();
if (document.documentElement.scrollWidth > innerWidth) found.push("the page is wider than the window: " + document.documentElement.scrollWidth);
document.querySelectorAll(".column").forEach(column => {
  const blocks = [...column.querySelectorAll(".block, .crowd")].filter(seen);
  blocks.forEach((e, i) => {
    const b = box(e);
    if (!within(b, box(column))) note("not within its day", e);
    if (b[3] - b[1] < 12 || b[2] - b[0] < 12) note("too small", e);
    blocks.slice(i + 1).forEach(o => {
      const c = box(o);
      if (b[0] < c[2] - 1 && c[0] < b[2] - 1 && b[1] < c[3] - 1 && c[1] < b[3] - 1) note("covers " + o.textContent, e);
    });
    const title = e.querySelector(".title"); if (e.matches(".crowd")) return; const range = document.createRange();
    range.selectNodeContents(title.querySelector(".text"));
    const first = range.getClientRects()[0];
    if (!first || first.width === 0 || !within(getComputedStyle(title).writingMode === "vertical-rl" ? [first.left, first.top, first.right, first.top + 1] : [first.left, first.top, first.left + 1, first.bottom], b)) note("its title is not to be seen", e);
  });
});
document.querySelectorAll(".bar").forEach(e => { if (!seen(e)) return; if (!within(box(e), box(e.parentElement))) note("not within its row", e); });
document.querySelectorAll(".length").forEach(e => { if (seen(e) && getComputedStyle(e).borderTopColor === "rgb(0, 0, 0)") note("without colour", e); });
const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const rgb = s => s.match(/[\d.]+/g).map(Number);
const paper = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
const style = getComputedStyle(document.documentElement);
document.querySelectorAll("h1, h2, p, li, footer, .event summary, .more summary, .swatch, .dayname, .dayname b, .label, .clock span, .when, .notes").forEach(e => {
  if (!seen(e)) return;
  const back = e.matches(".tentative, .tentative *") ? [style.getPropertyValue("--tentative"), style.getPropertyValue("--tentative-stripe")].map(h => [1, 3, 5].map(i => parseInt(h.trim().slice(i, i + 2), 16))) : [paper(e)];
  for (const p of back) {
    const [a, b] = [light(rgb(getComputedStyle(e).color).slice(0, 3)), light(p)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) note("contrast " + contrast.toFixed(2) + " on " + p + ", " + e.className, e);
  }
});
return {
  found, events: [...document.querySelectorAll(".event")].filter(seen).length, now: [...document.querySelectorAll(".now")].filter(seen).length,
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
};
})()`

// axe has axe-core look for what keeps people out who do not see or do not use a mouse.
func axe(t *testing.T, ctx context.Context) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(cache, "imip-agent/axe/node_modules/axe-core/axe.min.js"))
	if err != nil {
		skip.Because(t, "needs axe-core, which .ci/install puts into the user's cache")
	}
	const look = `axe.run().then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 200)).join("\n")))`
	get(t, ctx, chromedp.Evaluate[int](string(source)+";0"))
	found := get(t, ctx, chromedp.Evaluate[[]string](look, chromedp.EvalAwaitPromise))
	for _, f := range found {
		t.Errorf("axe: %s", f)
	}
}

// weekOf returns a calendar with entries in the week of the sample.
func weekOf(t testing.TB, entries ...agenda.Entry) *agenda.Calendar {
	now := time.Date(2026, 12, 2, 10, 20, 0, 0, agendatest.Oslo(t))
	c := &agenda.Calendar{User: agendatest.Paul, Zone: agendatest.Oslo(t), Now: now, From: agenda.Week(now), To: agenda.Week(now).AddDate(0, 0, 7), Entries: entries}
	c.Order()
	return c
}

// at returns an entry on a day of that week, 0 being Monday.
func at(t testing.TB, day, hour, minute int, length time.Duration, title string) agenda.Entry {
	start := time.Date(2026, 11, 30+day, hour, minute, 0, 0, agendatest.Oslo(t))
	return agenda.Entry{ID: stores.ID{UID: title}, Summary: title, Start: start, End: start.Add(length), Location: "Room 3"}
}

// calendars are what the browser is shown.
func calendars(t *testing.T) map[string]*agenda.Calendar {
	titles := []string{"Planning of the release", "Interview", "Call with Harvey", "Dentist", "Retrospective", "Lunch with the new colleagues"}
	var six, brief, many []agenda.Entry
	for i, title := range titles {
		six = append(six, at(t, 1, 9, 0, 2*time.Hour, title), at(t, 3, 9+i/2, 30*(i%2), 150*time.Minute, title))
		six = append(six, at(t, 5, 0, 0, 24*time.Hour, title))
		brief = append(brief, at(t, 0, 9+i, 55, 5*time.Minute, title), at(t, 2, 9, 5*i, 5*time.Minute, title))
	}
	for i := range six {
		if six[i].Start.Weekday() == time.Saturday {
			six[i].AllDay = true
		}
	}
	six = append(six, at(t, 3, 12, 0, time.Hour, "After all of them"), at(t, 6, 3, 0, time.Hour, "In the night"))
	brief = append(brief, at(t, 4, 23, 58, time.Minute, "Last minute"), at(t, 4, 12, 0, 0, "Alarm"), at(t, 4, 9, 0, 15*time.Minute, "Stand-up"), at(t, 4, 9, 15, 45*time.Minute, "After it"))
	for i := range 5000 {
		many = append(many, at(t, i%7, i/7%24, i%60, time.Duration(5+i%120)*time.Minute, fmt.Sprintf("Event number %d", i)))
	}
	requests := weekOf(t, at(t, 2, 12, 0, time.Hour, "Lunch"))
	for i := range 25 {
		requests.Requests = append(requests.Requests, agenda.Request{Entry: at(t, i, 9, 0, time.Hour, fmt.Sprintf("%s, number %d", titles[i%len(titles)], i)), Counter: i%5 == 4})
	}
	right := weekOf(t, at(t, 1, 10, 0, time.Hour, "פגישה עם הלקוח (3)"), at(t, 2, 10, 0, 2*time.Hour, "اجتماع الفريق: 2027"))
	return map[string]*agenda.Calendar{
		"sample": agendatest.Sample(t), "hostile": hostileCalendar(t), "six": weekOf(t, six...), "brief": weekOf(t, brief...),
		"requests": requests, "many": weekOf(t, many...), "right-to-left": right, "empty": weekOf(t),
	}
}

// TestInBrowser has a real browser lay pages out, wide and narrow, light and dark, and
// measures whether everything is where it can be seen and read. axe-core has nothing to say.
func TestInBrowser(t *testing.T) {
	skip.OnOtherDays(t)
	all := calendars(t)
	browser := start(t)
	for _, test := range []struct {
		name, calendar string
		window         window
		events, now    int
	}{
		{"light", "sample", window{width: 1280, height: 900}, 30, 1},
		{"dark", "sample", window{width: 1280, height: 900, dark: true}, 30, 1},
		{"tablet", "sample", window{width: 600, height: 900}, 30, 1},
		{"phone", "sample", window{width: 360, height: 740}, 35, 0},
		{"phone in the dark", "six", window{width: 360, height: 740, dark: true}, 20, 0},
		{"hostile", "hostile", window{width: 1280, height: 900}, 2, 1},
		{"six at once", "six", window{width: 1280, height: 900}, 13, 1},
		{"five minutes", "brief", window{width: 1280, height: 900}, 16, 1},
		{"25 requests", "requests", window{width: 1280, height: 900}, 1, 1},
		{"5000 events", "many", window{width: 1280, height: 900}, 0, 1},
		{"right to left", "right-to-left", window{width: 1280, height: 900}, 2, 1},
		{"empty", "empty", window{width: 1280, height: 900}, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := all[test.calendar]
			ctx := open(t, browser, test.window, func(f *os.File) error { return HTML(f, c) }, "html")
			shoot(t, ctx, strings.ReplaceAll(test.name, " ", "-"), test.calendar != "many")
			result := get(t, ctx, chromedp.Evaluate[struct {
				Found  []string `json:"found"`
				Events int      `json:"events"`
				Now    int      `json:"now"`
				Dark   bool     `json:"dark"`
			}](measure))
			if len(result.Found) > 0 {
				t.Error(strings.Join(result.Found[:min(20, len(result.Found))], "\n"))
			}
			many := test.calendar == "many" && result.Events > 100
			if !many && result.Events != test.events || result.Now != test.now || result.Dark != test.window.dark {
				t.Errorf("%d events, %d lines of the present time, dark %v; want %d, %d, %v",
					result.Events, result.Now, result.Dark, test.events, test.now, test.window.dark)
			}
			if test.calendar != "many" { // it takes axe minutes, and has nothing that others do not
				axe(t, ctx)
			}
		})
	}
}

// TestPicture has a real browser draw the picture, and looks for the colours of what is
// in it.
func TestPicture(t *testing.T) {
	skip.OnOtherDays(t)
	browser := start(t)
	for _, name := range []string{"six", "brief"} {
		c := calendars(t)[name]
		ctx := open(t, browser, window{width: 1280, height: 1200}, func(f *os.File) error { return SVG(f, c) }, "svg")
		shoot(t, ctx, "picture-"+name, false)
	}
	c := agendatest.Sample(t)
	ctx := open(t, browser, window{width: 1280, height: 2400}, func(f *os.File) error { return SVG(f, c) }, "svg")
	drawn := pixels(t, shoot(t, ctx, "picture", false))
	for kind, c := range map[string]color.RGBA{
		"busy": {0x1f, 0x5f, 0xbf, 255}, "organized": {0xeb, 0xe0, 0xf7, 255}, "waiting": {0xff, 0xf0, 0xc4, 255},
		"proposed": {0xfd, 0xe3, 0xec, 255}, "offered": {0xde, 0xf3, 0xf5, 255}, "cancelled": {0xf0, 0xf1, 0xf4, 255},
		"the present time": {0xc9, 0x16, 0x2b, 255},
	} {
		if drawn[c] < 100 {
			t.Errorf("%s: %d pixels of %v", kind, drawn[c], c)
		}
	}
	if drawn[color.RGBA{255, 255, 255, 255}] < 500_000 {
		t.Error("the paper is not white")
	}
}

// pixels counts the pixels of a picture by colour.
func pixels(t *testing.T, shot []byte) map[color.RGBA]int {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[color.RGBA]int)
	for y := range picture.Bounds().Max.Y {
		for x := range picture.Bounds().Max.X {
			counts[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++
		}
	}
	return counts
}

// TestPrinted has a browser print a page: each week is on one sheet, whatever the paper,
// and what waits for an answer, with nothing folded, on another.
func TestPrinted(t *testing.T) {
	skip.OnOtherDays(t)
	all := calendars(t)
	browser := start(t)
	for name, sheets := range map[string]int{"sample": 3, "six": 1, "requests": 2} {
		c := all[name]
		ctx := open(t, browser, window{width: 1047, height: 718, print: true}, func(f *os.File) error { return HTML(f, c) }, "html")
		shoot(t, ctx, "printed-"+name, true)
		for format, size := range map[string]chromedp.PaperSize{"A4": chromedp.PaperA4, "Letter": chromedp.PaperLetter} {
			pdf := get(t, ctx, chromedp.PrintToPDF(chromedp.PDFPaper(size), chromedp.PDFLandscape(), chromedp.PDFPrintBackground()))
			keep(t, "printed-"+name+"-"+format+".pdf", pdf)
			if n := bytes.Count(pdf, []byte("/Type /Page\n")); n != sheets {
				t.Errorf("%s on %s: %d sheets, want %d", name, format, n, sheets)
			}
		}
	}
}

// TestDetails opens an entry: who attends, where, and the text are there, within the window.
func TestDetails(t *testing.T) {
	skip.OnOtherDays(t)
	object, err := calendar.DecodeObject([]byte(agendatest.Event("e", "Planning", "20261202T100000", "20261202T110000",
		"LOCATION:Room 3", `DESCRIPTION:First line\n<b>Second</b> line`, "ATTENDEE;CN=Vincent Vole;PARTSTAT=ACCEPTED:"+string(agendatest.Vincent), agendatest.Is("ACCEPTED"))))
	if err != nil {
		t.Fatal(err)
	}
	e := at(t, 6, 16, 0, time.Hour, "Planning")
	e.Attendees, e.Description = object.Attendees(), object.Description()
	c := weekOf(t, e)
	ctx := open(t, start(t), window{width: 1280, height: 900}, func(f *os.File) error { return HTML(f, c) }, "html")
	do(t, ctx, chromedp.Click(chromedp.CSS(".block summary")))
	text := get(t, ctx, chromedp.Text(chromedp.CSS(".block .card")))
	right := get(t, ctx, chromedp.Evaluate[float64](`document.querySelector(".block .card").getBoundingClientRect().right`))
	shoot(t, ctx, "details", true)
	for _, want := range []string{"Planning", "busy, 16:00–17:00", "Room 3", "Vincent Vole accepted", "First line\n<b>Second</b> line"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if right > 1280 {
		t.Errorf("the details reach to %v, beyond the window", right)
	}
	axe(t, ctx)
}
