package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream/correlate"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static/console.css
var styles []byte

//go:embed static/console.js
var script []byte

//go:embed static/icon.svg
var icon []byte

// templates are the pages, by name.
type templates struct{ all map[string]*template.Template }

const timeLayout = "Mon 2 Jan 2006 15:04"

// parseTemplates reads the pages; times in them are of a zone.
func parseTemplates(loc *time.Location) (*templates, error) {
	base, err := template.New("layout.html").Funcs(functions(loc)).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	t := &templates{map[string]*template.Template{}}
	names := []string{"fault"}
	for i := range pages {
		names = append(names, pages[i].name)
	}
	for _, name := range names {
		page, err := base.Clone()
		if err == nil {
			t.all[name], err = page.ParseFS(templateFiles, "templates/"+name+".html")
		}
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *templates) execute(w io.Writer, name string, data *frame) error {
	return t.all[name].Execute(w, data)
}

// functions are what templates can call.
func functions(loc *time.Location) template.FuncMap {
	return template.FuncMap{
		"asset":   func(name string) string { return assetPaths[name] },
		"when":    func(t any) template.HTML { return timeTag(millis(t), loc) },
		"ago":     func(from, to any) string { return span(millis(to) - millis(from)) },
		"seconds": func(n int64) string { return span(n * 1000) },
		"num": func(n any) string {
			switch v := n.(type) {
			case float64:
				return alerting.Decimal(v)
			case int:
				return alerting.Group(int64(v))
			}
			return alerting.Group(n.(int64))
		},
		"fine":    func(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) },
		"hours":   func(h float64) string { return span(int64(h * 3_600_000)) },
		"percent": percent,
		"word":    func(s any) string { return kindWord(fmt.Sprint(s)) },
		"heldby":  heldBy,
		"holder":  func(kind correlate.SuppressedKind) string { return holderWords[kind] },
		"text":    func(s string) string { return alerting.Printable(s, 2000) },
		"episode": func(key string) string { return "/episodes/" + url.PathEscape(key) },
		"identity": func(dimension, name string) string {
			return "/identity?" + url.Values{"dimension": {dimension}, "name": {name}}.Encode()
		},
		"peers": peersText, "exposed": exposedText, "excess": excessText, "safelink": func(u string) template.URL { return template.URL(u) }, //nolint:gosec // alerting.Compose lets only http and https through
	}
}

// millis takes the times that views hold.
func millis(t any) int64 {
	switch v := t.(type) {
	case alerting.Time:
		return int64(v)
	case time.Time:
		if v.IsZero() {
			return 0
		}
		return v.UnixMilli()
	case int64:
		return v
	}
	return 0
}

// timeTag shows a time in the zone, 24-hour clock, with UTC on hover.
func timeTag(ms int64, loc *time.Location) template.HTML {
	if ms == 0 {
		return "–"
	}
	t := time.UnixMilli(ms)
	utc := t.UTC().Format(time.RFC3339)
	return template.HTML(`<time datetime="` + utc + `" title="` + t.UTC().Format(timeLayout+":05") + ` UTC">` + t.In(loc).Format(timeLayout) + `</time>`) //nolint:gosec // times hold no markup
}

// span says how long something took: 5 min, 3 h, 2 d. The space does not break a line.
func span(ms int64) string {
	const space = "\u00a0"
	switch d := time.Duration(ms) * time.Millisecond; {
	case d < 0:
		return "0" + space + "min"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + space + "min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + space + "h"
	default:
		return strconv.Itoa(int(d.Hours()/24)) + space + "d"
	}
}

// words says in people's words what stands in views.
var words = map[string]string{
	string(correlate.Acknowledged): "acknowledged", string(correlate.Expected): "expected",
	string(correlate.Confirmed): "true positive", string(correlate.Reopened): "reopened",
	string(correlate.Assigned): "assigned", string(correlate.Released): "released", string(correlate.Extracted): "list of customers given",
	string(correlate.Asked): "asked whether it was meant", string(correlate.Affirmed): "says that it was meant", string(correlate.Denied): "says that it was not meant",
	"none": "no verdict", "open": "opened", "update": "updated", "close": "closed", "rests_on": "what it rests on",
	"distinct": "distinct customers", "first_touch": "customers new to it", "destructive": "changed or deleted",
	"unissued": "tokens that nobody issued", "off_hours": "customers outside usual hours",
	"new_share": "share of what was read that is new", "distinct_in_bin": "distinct customers in a bin",
	"first_touch_in_bin": "customers new to it, in a bin", "rows_in_bin": "rows in a bin",
}

// holderWords says what held a message back.
var holderWords = map[correlate.SuppressedKind]string{
	correlate.ByConfig: "configuration", correlate.ByVerdict: "verdict", correlate.ByCampaign: "another message",
}

func kindWord(s string) string {
	if w, ok := words[s]; ok {
		return w
	}
	return strings.ReplaceAll(s, "_", " ")
}

// heldBy says what holds a message back.
func heldBy(by *correlate.SuppressedBy) string {
	switch {
	case by == nil:
		return ""
	case by.Kind == correlate.ByConfig:
		return "expected by the configuration: " + alerting.Printable(by.Name, 200)
	case by.Kind == correlate.ByVerdict:
		return "expected by " + alerting.Printable(by.Owner, 200)
	}
	return "another message stands for it"
}

// percent writes a share, 0..1.
func percent(share float64) string { return alerting.Decimal(share*100) + " %" }

// peersText says who the peers are that DIMENSION:NAME of what they work with names.
func peersText(peers string) string {
	dimension, name, found := strings.Cut(alerting.Printable(peers, 2000), ":")
	if !found {
		return dimension
	}
	return "those who mostly come through " + dimension + " " + name
}

// exposedText says how many were touched.
func exposedText(e alerting.Exposed) string {
	if e.Records == 0 && e.Rows > 0 {
		return alerting.Group(e.Rows) + " rows"
	}
	text := alerting.Group(e.Records) + " customers"
	if e.Low != e.High {
		text += " (" + alerting.Group(e.Low) + "–" + alerting.Group(e.High) + ")"
	}
	return text
}

// excessText says how much is beyond the usual, in a unit: see alerting.Alert.ExcessUnit.
func excessText(x alerting.Bounds, unit string) string {
	text := alerting.Group(x.Records)
	if x.Low != x.High {
		text = "≈ " + alerting.Group(rounded(x.Records))
	}
	return text + " " + unit
}

// rounded keeps two digits, which is more than an estimate of the excess has.
func rounded(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit/2) / unit * unit
}

// assets are the files that pages load, under paths that change with them.
var (
	assets = map[string]asset{
		"console.css": {styles, "text/css; charset=utf-8"},
		"console.js":  {script, "text/javascript; charset=utf-8"},
		"icon.svg":    {icon, "image/svg+xml"},
	}
	assetPaths = pathsOf(assets)
)

type asset struct {
	content []byte
	kind    string
}

func pathsOf(all map[string]asset) map[string]string {
	out := map[string]string{}
	for name, a := range all {
		sum := sha256.Sum256(a.content)
		out[name] = "/console/" + name + "?v=" + hex.EncodeToString(sum[:6])
	}
	return out
}

// static serves the style and the script. They say nothing of a deployment, so
// that a page that refuses somebody can be read too.
func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	a, ok := assets[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.content) // a reader that went away has no remedy
}
