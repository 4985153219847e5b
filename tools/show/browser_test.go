package show

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/skip"
)

// chromium runs the browser on a file, with nothing of its own around it.
func chromium(t *testing.T, path string, words ...string) []byte {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		skip.Because(t, "needs the browser chromium, which is not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(),
	}, append(words, "file://"+path)...)...)
	cmd.WaitDelay = 5 * time.Second
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, log.String())
	}
	return out.Bytes()
}

// measure is a script that measures the page in the browser. What it finds stands in the
// page afterwards, as JSON.
const measure = `<script>
const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
const within = (a, b) => a[0] >= b[0] - 1 && a[1] >= b[1] - 1 && a[2] <= b[2] + 1 && a[3] <= b[3] + 1;
const found = [];
const note = (what, e) => found.push(what + ": " + (e.getAttribute("aria-label") || e.textContent || e.className));
if (document.documentElement.scrollWidth > innerWidth) found.push("the page is wider than the window: " + document.documentElement.scrollWidth);
document.querySelectorAll(".column").forEach(column => {
  const blocks = [...column.querySelectorAll(".block")];
  blocks.forEach((e, i) => {
    const b = box(e);
    if (!within(b, box(column))) note("not within its day", e);
    if (b[3] - b[1] < 12 || b[2] - b[0] < 12) note("too small", e);
    blocks.slice(i + 1).forEach(o => {
      const c = box(o);
      if (b[0] < c[2] - 1 && c[0] < b[2] - 1 && b[1] < c[3] - 1 && c[1] < b[3] - 1) note("covers " + o.getAttribute("aria-label"), e);
    });
    const title = e.querySelector(".title"), range = document.createRange();
    range.selectNodeContents(title.querySelector(".text"));
    const first = range.getClientRects()[0];
    if (!first || first.width === 0 || !within([first.left, first.top, first.left + 1, first.bottom], b)) note("its title is not to be seen", e);
  });
});
document.querySelectorAll(".bar").forEach(e => { if (!within(box(e), box(e.parentElement))) note("not within its row", e); });
const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const rgb = s => s.match(/[\d.]+/g).map(Number);
const paper = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
const style = getComputedStyle(document.documentElement);
document.querySelectorAll("h1, h2, p, li, footer, .event, .swatch, .dayname, .dayname b, .label, .clock span, .when, .notes").forEach(e => {
  const back = e.matches(".tentative, .tentative *") ? [style.getPropertyValue("--tentative"), style.getPropertyValue("--tentative-stripe")].map(h => [1, 3, 5].map(i => parseInt(h.trim().slice(i, i + 2), 16))) : [paper(e)];
  for (const p of back) {
    const [a, b] = [light(rgb(getComputedStyle(e).color).slice(0, 3)), light(p)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) note("contrast " + contrast.toFixed(2) + " on " + p + ", " + e.className, e);
  }
});
document.body.insertAdjacentHTML("beforeend", "<pre id=measured></pre>");
document.getElementById("measured").textContent = JSON.stringify({
  found, events: document.querySelectorAll(".event").length, now: document.querySelectorAll(".now").length,
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
});
</script></body>`

// TestInBrowser has a real browser lay the page out, wide and narrow, light and dark, and
// measures whether everything is where it can be seen and read.
func TestInBrowser(t *testing.T) {
	calendars := map[string]*Calendar{"sample": sample(t), "hostile": hostileCalendar(t)}
	for _, test := range []struct {
		name, calendar string
		width          int
		dark           bool
		events, now    int
	}{
		{"light", "sample", 1280, false, 31, 1},
		{"dark and narrow", "sample", 500, true, 31, 1},
		{"hostile", "hostile", 1280, false, 2, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var page bytes.Buffer
			if err := calendars[test.calendar].HTML(&page); err != nil {
				t.Fatal(err)
			}
			// The page itself allows no scripts.
			text := strings.Replace(page.String(), "default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'", 1)
			text = strings.Replace(text, "</body>", measure, 1)
			path := filepath.Join(t.TempDir(), "page.html")
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			scheme := 1
			if test.dark {
				scheme = 0
			}
			dom := string(chromium(t, path, "--dump-dom", fmt.Sprintf("--window-size=%d,1500", test.width),
				fmt.Sprintf("--blink-settings=preferredColorScheme=%d", scheme)))
			_, after, _ := strings.Cut(dom, `<pre id="measured">`)
			measured, _, ok := strings.Cut(after, "</pre>")
			if !ok {
				t.Fatalf("the page has not been measured:\n%.2000s", dom)
			}
			var result struct {
				Found       []string
				Events, Now int
				Dark        bool
			}
			if err := json.Unmarshal([]byte(html.UnescapeString(measured)), &result); err != nil {
				t.Fatalf("%v: %s", err, measured)
			}
			if len(result.Found) > 0 {
				t.Error(strings.Join(result.Found, "\n"))
			}
			if result.Events != test.events || result.Now != test.now || result.Dark != test.dark {
				t.Errorf("%d events, %d lines of the present time, dark %v; want %d, %d, %v",
					result.Events, result.Now, result.Dark, test.events, test.now, test.dark)
			}
		})
	}
}

// TestPicture has a real browser draw the picture, and looks for the colours of what is
// in it.
func TestPicture(t *testing.T) {
	t.Parallel()
	var picture bytes.Buffer
	if err := sample(t).SVG(&picture); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, shot := filepath.Join(dir, "picture.svg"), filepath.Join(dir, "shot.png")
	if err := os.WriteFile(path, picture.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	chromium(t, path, "--screenshot="+shot, "--window-size=1280,2000", "--blink-settings=preferredColorScheme=1")
	drawn := pixels(t, shot)
	for kind, c := range map[string]color.RGBA{
		"busy": {0x1f, 0x5f, 0xbf, 255}, "organised": {0xeb, 0xe0, 0xf7, 255}, "waiting": {0xff, 0xf0, 0xc4, 255},
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
func pixels(t *testing.T, path string) map[color.RGBA]int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
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
