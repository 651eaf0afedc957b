package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/consoletest"
	"github.com/weirhq/weir/console/tuning"
)

// tuneAsCommand is weir tune in the tests. Of the log slow.ndjson it never comes to the
// second budget.
func tuneAsCommand(args []string) {
	for i := range 1 + len(slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a != "--try" })) {
		fmt.Fprintf(os.Stderr, `{"pass":%d,"passes":14,"left":%d,"doing":"7 events"}`+"\n", 7*i+1, 60-i)
		if i == 1 && slices.Contains(args, "slow.ndjson") {
			time.Sleep(time.Minute) // it is cancelled long before
		}
		t := tuning.Trial{PerDay: 0.31 * float64(i+1), FirstWeek: 2.5, Opened: int64(3 * (i + 1)), Openings: []tuning.Opening{
			{Time: consoletest.Now, Dimension: "user", Identity: "minji", Severity: "high", Why: "distinct"},
			{Time: consoletest.Now, Dimension: "key", Identity: "kid-<1>", Severity: "critical", Why: "unissued"},
		}}
		for _, rate := range []string{"2x", "5x"} {
			t.Leaks = append(t.Leaks, tuning.Leak{Kind: "drift", Rate: rate, Dimension: "user", Tried: 2, Caught: 1, Median: 7, Chance: 0.02, Comparable: 40, Outcomes: []tuning.Outcome{
				{Identity: "ana", Role: "agent", Usual: 41.5, Caught: true, Delay: 7, Gone: 60, Taken: 800}, {Identity: "bob", Role: "clerk", Usual: 12, Taken: 90, Gone: 90, ByLuck: true},
			}})
		}
		line, _ := json.Marshal(&t)
		fmt.Printf("%s\n", line)
	}
	fmt.Fprintln(os.Stderr, `{"events":7}`)
}

// newTuneBench is a bench on which a log can be read again.
func newTuneBench(t *testing.T, role access.Role, log string) *bench {
	b := newBench(t, 3, role)
	b.Tuning = tuning.New(tuning.Files("", "", []string{log}), 2)
	t.Cleanup(b.Tuning.Stop)
	return b
}

// settled waits until the run is over.
func (b *bench) settled(t *testing.T) *tuning.Run {
	t.Helper()
	for {
		changed := b.Tuning.Changed()
		if r, _ := b.Tuning.Latest(); r != nil && r.Over {
			return r
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			t.Fatal("the run is not over within a minute")
		}
	}
}

// A run is begun by an analyst, from the page and by the API, and openings by both; nobody
// begins one where there is no log, and a viewer none at all.
func TestTuning(t *testing.T) {
	b := newTuneBench(t, access.Analyst, "access.ndjson")
	start := url.Values{"budgets": {"0.5, 8"}, "count": {"2"}}.Encode()
	if w := b.do(http.MethodPost, "/tuning", start, "Content-Type", formType); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/tuning" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	b.settled(t)
	var v TuningView
	decode(t, b.get("/api/v1/tuning"), &v)
	var budgets []float64
	for i := range v.Trials {
		budgets = append(budgets, v.Trials[i].Budget)
	}
	if v.State != "done" || !slices.Equal(budgets, []float64{0.5, 2, 8}) || v.Trials[1].PerDay != 0.31 || v.By != "ana" || len(v.Roles["8"]) != 2 {
		t.Errorf("%+v", v)
	}
	page := b.get("/tuning").Body.String()
	for _, want := range []string{"budget: 0.5/day", "as it is", "minji", "kid-&lt;1&gt;", "1 of 2", "agent", "weir tune -o json --try alerts.budget=0.5/day"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"budgets=x&count=1", "budgets=&count=1", "budgets=1&count=0", "budgets=1&count=x", "budgets=-1&count=1"} {
		if w := b.do(http.MethodPost, "/tuning", bad, "Content-Type", formType); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	if w := b.do(http.MethodPost, "/tuning", start, "Content-Type", formType, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
	viewer := newTuneBench(t, access.Viewer, "access.ndjson")
	for _, c := range []struct{ method, path, body string }{
		{http.MethodPost, "/tuning", start}, {http.MethodPost, "/tuning/cancel", ""}, {http.MethodDelete, "/api/v1/tuning", ""}, {http.MethodPost, "/api/v1/tuning", `{"budgets": [1]}`},
	} {
		kind := formType
		if strings.HasPrefix(c.body, "{") {
			kind = "application/json"
		}
		for who, b := range map[string]*bench{"a viewer": viewer, "nobody's log": newBench(t, 1, access.Admin)} {
			if w := b.do(c.method, c.path, c.body, "Content-Type", kind); w.Code != http.StatusForbidden {
				t.Errorf("%s: %s %s: %d", who, c.method, c.path, w.Code)
			}
		}
	}
	if r, _ := viewer.Tuning.Latest(); r != nil {
		t.Error("a viewer began a run")
	}
}

// Where names are hidden from some, nobody sees those of people of whom nobody was sent
// a message.
func TestTuningNames(t *testing.T) {
	b := newTuneBench(t, access.Admin, "access.ndjson")
	b.Names = Names{For: access.Analyst, Personal: []string{"user"}, Secret: []byte("a secret")}
	if w := b.do(http.MethodPost, "/api/v1/tuning", `{"budgets": [1]}`, "Content-Type", "application/json"); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	b.settled(t)
	for _, path := range []string{"/tuning", "/api/v1/tuning"} {
		body := b.get(path).Body.String()
		if strings.Contains(body, "minji") || strings.Contains(body, "bob") || !strings.Contains(body, "person-") || !strings.Contains(body, "kid-") {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// The page shows a run as it goes on, ends it, and has a slider that shows one budget.
func TestBrowserTuning(t *testing.T) {
	b := newTuneBench(t, access.Analyst, "slow.ndjson")
	p := openTab(t, b)
	p.open("/tuning")
	p.wait(scriptRuns)
	p.audit("tuning, nothing run")
	p.do(chromedp.Submit("form[action='/tuning']"))
	p.wait(`document.querySelector("progress")?.value === 7 && document.querySelectorAll("[data-trial]").length === 1`)
	p.audit("tuning, under way")
	p.wait(scriptRuns)
	p.do(chromedp.Submit("form[action='/tuning/cancel']"))
	p.wait(`document.querySelector(".done.bad")?.textContent.includes("cancelled") ?? false`)
	b.settled(t)
	b.Tuning = tuning.New(tuning.Files("", "", []string{"access.ndjson"}), 2)
	t.Cleanup(b.Tuning.Stop)
	p.open("/tuning")
	p.wait(scriptRuns)
	p.do(chromedp.Submit("form[action='/tuning']"))
	p.wait(`document.querySelectorAll("[data-trial]").length === 5 && document.querySelector("progress") === null`)
	shown := `[...document.querySelectorAll(".trial")].filter(t => t.checkVisibility()).map(t => t.dataset.budget).join()`
	if got := eval[string](p, shown); got != "2" {
		t.Errorf("at first %q is shown, want the budget as it is", got)
	}
	p.do(chromedp.Evaluate[chromedp.Void](`{const s = document.getElementById("budget"); s.value = 4; s.dispatchEvent(new Event("input"));}`))
	if got := eval[string](p, shown+` + "|" + document.getElementById("budget").getAttribute("aria-valuetext")`); got != "8|8 alerts a day" {
		t.Errorf("at the end of the slider: %q", got)
	}
	b.Feed.Publish(consoletest.Fold(4).Snapshot(), true)
	p.wait(`document.getElementById("status").dataset.version !== "" && document.getElementById("budget").value === "4" && document.querySelector("tr.chosen [scope=row]").textContent.trim() === "8"`)
	p.audit("tuning, done")
	p.picture("tuning-light")
	p.do(chromedp.EmulateViewport(400, 800), scheme("dark"))
	p.open("/tuning")
	p.audit("tuning, dark and narrow")
	p.picture("tuning-narrow")
}
