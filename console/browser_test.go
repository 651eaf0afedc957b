package console

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/consoletest"
	"github.com/weirhq/weir/stream/correlate"
)

// axe is axe-core, which finds what people with a screen reader, a keyboard or
// weak eyes cannot use.
//
//go:embed testdata/axe/axe.min.js
var axe string

// errNoChromium says why tests in a browser are left out.
var errNoChromium = errors.New("no Chromium: the console's pages are tried in a real browser; install it (apt-get install chromium)")

// stopChromium ends the browser, once it has begun.
var stopChromium = func() {}

// chromium is one browser for all tests.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, errNoChromium
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	stopChromium = func() { end(); stop() }
	return ctx, chromedp.Do(ctx, chromedp.Navigate("about:blank"))
})

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "tune" {
		tuneAsCommand(os.Args[2:])
		return
	}
	code := m.Run()
	stopChromium()
	os.Exit(code)
}

// tab is a tab of a real browser on a server's pages.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu     sync.Mutex
	faults []string // that the page wrote on its console
}

// openTab opens a tab, or leaves the test out where there is no Chromium.
func openTab(t *testing.T, b *bench) *tab {
	t.Helper()
	browser, err := chromium()
	if errors.Is(err, errNoChromium) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx, url: server.URL}
	said := chromedp.Console(ctx)
	go func() {
		for m, err := range said {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException {
				p.mu.Lock()
				p.faults = append(p.faults, m.URL+": "+m.Text)
				p.mu.Unlock()
			}
		}
	}()
	return p
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// open loads a page.
func (p *tab) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.url+path), chromedp.WaitReady("main"))
}

// eval returns what an expression of the page comes to.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression[:min(len(expression), 200)], err)
	}
	return v
}

// patience is how long a page may take on a machine that is busy with other things;
// only a test that fails waits so long.
const patience = time.Minute

// wait waits until an expression of the page holds, and the page is there in full: its
// address changes before its elements and its script are there. An evaluation fails when
// the tab leaves the page in its midst, so a failed one is tried again on the next page.
func (p *tab) wait(expression string) {
	p.t.Helper()
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		holds, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && (`+expression+`)`, chromedp.EvalAwaitPromise))
		if holds && err == nil {
			return
		}
		last = err
	}
	p.t.Fatalf("not within %v: %s (the last evaluation: %v)", patience, expression, last)
}

// audit wants no serious finding of axe-core, no fault on the page's console, and
// nothing that makes the page wider than the screen.
func (p *tab) audit(what string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](axe))
	found := eval[string](p, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.filter(v => v.impact === "serious" || v.impact === "critical").map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary).join(" | "))))`)
	var findings []string
	if err := json.Unmarshal([]byte(found), &findings); err != nil {
		p.t.Fatal(err)
	}
	for _, f := range findings {
		p.t.Errorf("%s: %s", what, f)
	}
	if wide := eval[float64](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		p.t.Errorf("%s: %v pixels wider than the screen", what, wide)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		p.t.Errorf("%s: the page says %s", what, f)
	}
	p.faults = nil
}

// picture keeps a picture of the page where WEIR_PICTURES names a folder.
func (p *tab) picture(name string) {
	dir := os.Getenv("WEIR_PICTURES")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// Every page, light and dark, wide and narrow, has no serious finding and fits
// its screen, whether there is nothing, one episode or 300.
func TestBrowserPages(t *testing.T) {
	for _, n := range []int{0, 1, 300} {
		if testing.Short() && n != 1 {
			continue
		}
		b := newBench(t, n, access.Admin)
		p := openTab(t, b)
		pages := []string{"/?state=all&limit=20", "/expected", "/identities", "/report", "/health"}
		seen := map[string]bool{}
		for _, e := range b.Feed.current.Load().Episodes() {
			a := e.Alert
			kind := fmt.Sprint(a.Kind, strings.Contains(a.Identity, "script"), len(e.Messages) > 2)
			if !seen[kind] && len(e.Verdicts) > 0 == (len(seen)%2 == 0) {
				seen[kind] = true
				pages = append(pages, "/episodes/"+e.Key(), "/identity?"+url.Values{"dimension": {a.Dimension}, "name": {a.Identity}}.Encode())
			}
		}
		for _, form := range []struct {
			name, scheme  string
			width, height int64
		}{{"light", "light", 1280, 900}, {"dark", "dark", 1280, 900}, {"narrow", "light", 400, 800}} {
			if n < 300 && form.name != "light" {
				continue
			}
			p.do(chromedp.EmulateViewport(form.width, form.height), scheme(form.scheme))
			for i, path := range pages {
				p.open(path)
				p.audit(fmt.Sprintf("%d episodes, %s, %s", n, form.name, path))
				if form.name == "narrow" && i == 0 && !eval[bool](p, `(() => { const box = document.querySelector(".lanes").closest(".scroll"), name = document.querySelector(".lanes .names"); return box.scrollLeft > 0 && name.getBoundingClientRect().left >= box.getBoundingClientRect().left - 1; })()`) {
					t.Error("the picture of the fleet shows its oldest days, or the names of the dimensions are not seen")
				}
				p.picture(fmt.Sprintf("%d-%s-%d", n, form.name, i))
			}
		}
	}
}

// press presses the key of a letter as a hand does: what the page does with the
// key decides whether the letter is written too.
func press(letter string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: letter, Text: letter})
		if err == nil {
			_, err = cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: letter})
		}
		return err
	})
}

// scheme has the browser prefer light or dark.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})
}

// The filter chooses, stays in the address, and goes on to the next part.
func TestBrowserFilters(t *testing.T) {
	b := newBench(t, 300, access.Viewer)
	p := openTab(t, b)
	p.open("/")
	const total = `Number([...document.querySelectorAll("main p.quiet")].map(e => /^[0-9,]+ to [0-9,]+ of ([0-9,]+)$/.exec(e.textContent)).find(m => m)[1].replace(",", ""))`
	all := eval[int](p, total)
	p.do(chromedp.SetValue(`select[name=severity]`, "high"))
	p.wait(`location.search === "?severity=high" && document.querySelectorAll(".row").length > 0`)
	if left := eval[int](p, total); left >= all || eval[int](p, `document.querySelectorAll(".row.low, .row.medium").length`) != 0 {
		t.Errorf("%d of %d are left", left, all)
	}
	p.do(chromedp.Click(`//nav[@aria-label="Dimension"]//a[starts-with(., "key")]`))
	p.wait(`location.search.includes("dimension=key") && location.search.includes("severity=high")`)
	p.do(chromedp.SetValue("#filter input[name=q]", "KID-1"), chromedp.Submit("#filter"))
	p.wait(`location.search.includes("q=KID-1") && location.search.includes("dimension=key")`)
	p.open("/?limit=10")
	p.do(chromedp.Click(".more a"))
	p.wait(`location.search.includes("offset=10") && document.querySelectorAll(".row").length === 10`)
}

// scriptRuns holds once the page's script has begun: before that keys do nothing.
const scriptRuns = `document.getElementById("link")?.textContent === "live"`

// Keys go from row to row, open, and decide; the verdict is one of the one who
// signed in.
func TestBrowserKeys(t *testing.T) {
	b := newBench(t, 300, access.Analyst)
	p := openTab(t, b)
	p.open("/")
	p.do(press("j"), press("j"), press("j"), press("k"))
	p.wait(`document.querySelectorAll(".row")[1].classList.contains("current")`)
	key := eval[string](p, `document.querySelector(".row.current").dataset.key`)
	p.do(press("t"))
	p.wait(`location.pathname === "/episodes/` + key + `" && document.activeElement?.id === "say-confirmed"`)
	p.wait(scriptRuns)
	p.do(chromedp.KeyEvent(kb.Escape), press("a"))
	p.wait(`document.activeElement?.id === "say-acknowledge"`)
	p.do(chromedp.KeyEvent("INC-1"), chromedp.KeyEvent(kb.Enter))
	p.wait(`location.search === "?done=acknowledge" && document.querySelector(".done") !== null`)
	if len(b.verdicts) != 1 || b.verdicts[0].Kind != correlate.Acknowledged || b.verdicts[0].Reason != "INC-1" || b.verdicts[0].Author != "ana" || b.verdicts[0].DedupKey != key {
		t.Errorf("verdicts %+v", b.verdicts)
	}
	p.wait(scriptRuns)
	p.do(press("h"), chromedp.KeyEvent("console:lee"), chromedp.KeyEvent(kb.Enter))
	p.wait(`location.search === "?done=assigned" && document.querySelector(".done") !== null`)
	if v := b.verdicts[len(b.verdicts)-1]; v.Kind != correlate.Assigned || v.Assignee != "console:lee" || v.DedupKey != key {
		t.Errorf("assigned by %+v", v)
	}
	p.wait(scriptRuns)
	p.do(press("/"))
	p.wait(`document.activeElement?.id === "find"`)
	p.open("/episodes/" + key)
	p.do(chromedp.Click(".checks input"))
	p.open("/episodes/" + key)
	p.wait(`document.querySelector(".checks input").checked`)
}

// What weir says while the page is open comes by itself, and takes neither the
// row nor half a sentence from whoever is reading or writing.
func TestBrowserLive(t *testing.T) {
	b := newBench(t, 3, access.Analyst)
	p := openTab(t, b)
	p.open("/")
	p.wait(`document.getElementById("link").textContent === "live"`)
	p.do(press("j"), press("j"))
	key := eval[string](p, `document.querySelector(".row.current").dataset.key`)
	f := consoletest.Fold(3)
	for i := 3; i < 12; i++ {
		consoletest.Episode(f, i)
	}
	b.Feed.Publish(f.Snapshot(), true)
	p.wait(`document.querySelectorAll(".row").length > 3 && document.querySelector(".fresh") !== null`)
	if now := eval[string](p, `document.querySelector(".row.current").dataset.key`); now != key {
		t.Errorf("the keys were on %s and are on %s", key, now)
	}
	p.open("/episodes/" + key)
	p.wait(`document.getElementById("link").textContent === "live"`)
	p.do(press("e"), chromedp.KeyEvent("yearly au"))
	f.Verdict(&correlate.Verdict{ID: "x", Kind: correlate.Acknowledged, DedupKey: key, Author: "bob", Time: consoletest.Now})
	b.Feed.Publish(f.Snapshot(), true)
	p.wait(`document.getElementById("link").textContent.startsWith("changed")`)
	if text := eval[string](p, `document.querySelector("#say-expected").value`); text != "yearly au" {
		t.Errorf("what was written is now %q", text)
	}
	p.open("/episodes/" + key + "?done=confirmed") // by a link of somebody else's
	p.wait(scriptRuns)
	f.Verdict(&correlate.Verdict{ID: "y", Kind: correlate.Acknowledged, DedupKey: key, Author: "carl", Time: consoletest.Now})
	b.Feed.Publish(f.Snapshot(), true)
	p.wait(`document.getElementById("log").parentElement.textContent.includes("carl")`)
	if eval[bool](p, `document.body.textContent.includes("Recorded:")`) {
		t.Error("a link has the page say that a verdict was recorded")
	}
}

// 10,000 episodes are shown in parts.
func TestBrowserManyEpisodes(t *testing.T) {
	b := newBench(t, 10_000, access.Viewer)
	p := openTab(t, b)
	p.open("/")
	if n := eval[int](p, `document.querySelectorAll(".row").length`); n != defaultLimit {
		t.Errorf("%d rows, want %d", n, defaultLimit)
	}
	p.audit("10,000 episodes")
	p.picture("10000-light-0")
	p.open("/report")
	p.audit("report of 10,000 episodes")
	p.open("/identities?q=agent-1")
	p.audit("search in 10,000 episodes")
}

// Times tell UTC on hover, and stand in the zone and on the 24-hour clock.
func TestBrowserTimes(t *testing.T) {
	b := newBench(t, 1, access.Viewer)
	seoul := time.FixedZone("Asia/Seoul", 9*3600)
	o := b.Options
	o.Location = seoul
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.Server = s
	p := openTab(t, b)
	p.open("/episodes/" + b.key())
	e := b.Feed.current.Load().Episodes()[0]
	onset := e.Alert.Onset.Std()
	want := onset.In(seoul).Format(timeLayout) + "|" + onset.Format(timeLayout+":05") + " UTC"
	if got := eval[[]string](p, `[...document.querySelectorAll("time")].map(t => t.textContent + "|" + t.title)`); !contains(got, want) {
		t.Errorf("no time is %q: %q", want, got)
	}
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}
