package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/tuning"
	"github.com/weirhq/weir/stream/correlate/ask"
)

// apiFuzz asks a server what its description allows, and what it does not, and holds
// each answer against the description.
type apiFuzz struct {
	*bench
	t           *testing.T
	dice        *rand.Rand
	description map[string]any
	compiler    *jsonschema.Compiler
	schemas     map[string]*jsonschema.Schema
	answers     map[string]int // how many came, by operation and status
	tame        bool           // the request at hand is one that is to succeed
}

func newAPIFuzz(t *testing.T, seed uint64) *apiFuzz {
	f := &apiFuzz{
		bench: newBench(t, 30, access.Admin), t: t, dice: rand.New(rand.NewPCG(seed, 1)),
		compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}, answers: map[string]int{},
	}
	f.Tuning = tuning.New(tuning.Files("", "", []string{"access.ndjson"}), 2)
	t.Cleanup(f.Tuning.Stop)
	f.Extract = func(_ context.Context, _ string, w io.Writer) (string, error) {
		_, err := io.WriteString(w, "1\n")
		return "", err
	}
	f.Ask = &Asker{Whom: ask.Manager, Send: func(context.Context, *alerting.Question) error { return nil }}
	text := f.get("/api/v1/openapi.json").Body.Bytes()
	if err := json.Unmarshal(text, &f.description); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return f
}

// schema returns the schema at a pointer into the description.
func (f *apiFuzz) schema(path ...string) *jsonschema.Schema {
	f.t.Helper()
	at := "openapi.json#"
	for _, p := range path {
		at += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(p))
	}
	if f.schemas[at] == nil {
		s, err := f.compiler.Compile(at)
		if err != nil {
			f.t.Fatal(err)
		}
		f.schemas[at] = s
	}
	return f.schemas[at]
}

// of returns what an object holds at a path; the zero value where there is nothing of
// that type.
func of[T any](m any, path ...string) (out T) {
	for _, p := range path {
		object, ok := m.(map[string]any)
		if !ok {
			return out
		}
		m = object[p]
	}
	out, _ = m.(T) // else the zero value, as said above
	return out
}

// odd are values that nobody expects.
var odd = []string{"", " ", "-1", "0", "1e9", "99999999999999999999", "\x00", "%", "../..", "<script>", "김민지", "\xff\xfe", "' OR 1=1", "null", "[]", strings.Repeat("a", 5000)}

func pick[T any](dice *rand.Rand, list []T) T { return list[dice.IntN(len(list))] }

// value returns a value of a parameter: one that its schema allows, or an odd one.
func (f *apiFuzz) value(p map[string]any) string {
	values := of[[]any](p, "schema", "enum")
	switch name := of[string](p, "name"); {
	case !f.tame && f.dice.IntN(4) == 0:
		return pick(f.dice, odd)
	case name == "key":
		return pick(f.dice, f.Feed.current.Load().Episodes()).Key()
	case name == "week":
		return pick(f.dice, []string{"2026-W10", "2026-W09", "2025-W01"})
	case name == "dimension" || name == "name":
		e := pick(f.dice, f.Feed.current.Load().Episodes()).Alert
		return map[string]string{"dimension": e.Dimension, "name": e.Identity}[name]
	case len(values) > 0:
		return pick(f.dice, values).(string)
	case of[string](p, "schema", "type") == "integer" && f.tame:
		least, most := int(of[float64](p, "schema", "minimum")), int(of[float64](p, "schema", "maximum"))
		return strconv.Itoa(pick(f.dice, []int{least, most, least + f.dice.IntN(most-least)}))
	case of[string](p, "schema", "type") == "integer":
		return strconv.Itoa(f.dice.IntN(1200))
	}
	return pick(f.dice, []string{"agent", "kid", "user", "nobody", "me", "distinct"})
}

// body returns a JSON body: of the schema, or one with a mistake.
func (f *apiFuzz) body(schema map[string]any) string {
	if ref := of[string](schema, "$ref"); ref != "" {
		schema = of[map[string]any](f.description, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	out := map[string]any{}
	properties := of[map[string]any](schema, "properties")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		switch {
		case f.tame && name == "kind":
			out[name] = pick(f.dice, []string{"acknowledge", "released", "reopened", "confirmed"})
		case f.tame && name == "budgets":
			out[name] = []float64{1, 4}
		case f.tame && name == "count":
			out[name] = 2
		case f.tame && name == "reason":
			out[name] = "INC-1"
		case f.tame || f.dice.IntN(3) == 0: // left out
		case f.dice.IntN(6) == 0:
			out[name] = pick(f.dice, []any{1, nil, true, []string{"a"}, map[string]any{}, "x", strings.Repeat("b", 4000)})
		case name == "kind":
			out[name] = pick(f.dice, []string{"acknowledge", "expected", "confirmed", "reopened", "assigned", "released", "extracted", "forgiven"})
		case name == "expires":
			out[name] = f.Now().Add(time.Duration(f.dice.IntN(200)-20) * 24 * time.Hour).Format(time.RFC3339)
		default:
			out[name] = pick(f.dice, []string{"INC-1", "console:lee", "", "\u0000"})
		}
	}
	if !f.tame && f.dice.IntN(8) == 0 {
		out["author"] = "mallory"
	}
	b, err := json.Marshal(out)
	if err != nil {
		f.t.Fatal(err)
	}
	if !f.tame && f.dice.IntN(8) == 0 {
		b = b[:f.dice.IntN(len(b)+1)]
	}
	return string(b)
}

// ask makes one request of an operation and checks its answer.
func (f *apiFuzz) ask(path, method string, operation map[string]any) {
	f.t.Helper()
	f.tame = f.dice.IntN(4) == 0
	target, query := path, url.Values{}
	for _, p := range of[[]any](operation, "parameters") {
		p := p.(map[string]any)
		switch name := of[string](p, "name"); {
		case of[string](p, "in") == "path":
			target = strings.ReplaceAll(target, "{"+name+"}", url.PathEscape(f.value(p)))
		case of[bool](p, "required") || f.dice.IntN(2) == 0:
			query[name] = []string{f.value(p)}
		}
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	body, header := "", []string{}
	if schema := of[map[string]any](operation, "requestBody", "content", "application/json", "schema"); schema != nil {
		body = f.body(schema)
		header = []string{"Content-Type", "application/json"}
		if !f.tame {
			header[1] = pick(f.dice, []string{"application/json", "application/json; charset=utf-8", "text/plain", ""})
		}
	}
	w := f.do(strings.ToUpper(method), target, body, header...)
	if w.Code == http.StatusMovedPermanently || w.Code == http.StatusTemporaryRedirect || strings.HasSuffix(strings.Split(target, "?")[0], "/") || strings.Contains(target, "..") {
		return // a path with an odd key is cleaned, or is another path
	}
	f.check(path, method, target, body, w)
}

// check holds an answer against the description.
func (f *apiFuzz) check(path, method, target, body string, w *httptest.ResponseRecorder) {
	f.t.Helper()
	status := strconv.Itoa(w.Code)
	f.answers[method+" "+path+" "+status]++
	if f.tame && w.Code == http.StatusBadRequest {
		f.t.Errorf("%s %s %s: what the description allows is refused: %s", method, target, body, w.Body)
	}
	responses := of[map[string]any](f.description, "paths", path, method, "responses")
	if responses[status] == nil {
		f.t.Errorf("%s %s %s: %s is not described: %s", method, target, body, status, w.Body)
		return
	}
	kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";") // there may be no parameters
	if of[map[string]any](responses, status, "content", kind) == nil {
		f.t.Errorf("%s %s: %s is answered as %q, which is not described", method, target, status, kind)
		return
	}
	if kind != "application/json" {
		return
	}
	answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err == nil {
		err = f.schema("paths", path, method, "responses", status, "content", kind, "schema").Validate(answer)
	}
	if err != nil {
		f.t.Errorf("%s %s %s: %s: %v", method, target, body, status, err)
	}
	if tag := w.Header().Get("ETag"); method == "get" && w.Code == http.StatusOK && !strings.HasSuffix(path, "/health") {
		if again := f.get(target, "If-None-Match", tag); tag == "" || again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			f.t.Errorf("%s: with its ETag %q: %d, %d bytes", target, tag, again.Code, again.Body.Len())
		}
	}
}

// The API does what its description says, whatever it is asked (as schemathesis asks):
// statuses, bodies, ETags. WEIR_SOAK=1 asks a hundred times as often.
func TestAPIFuzz(t *testing.T) {
	rounds := 60
	if os.Getenv("WEIR_SOAK") != "" {
		rounds = 6000
	}
	f := newAPIFuzz(t, 4711)
	paths := of[map[string]any](f.description, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		operations := of[map[string]any](paths, path)
		f.otherMethods(path, operations)
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			for range rounds {
				f.ask(path, method, of[map[string]any](operations, method))
			}
			if success := f.answers[method+" "+path+" 200"] + f.answers[method+" "+path+" 201"] + f.answers[method+" "+path+" 202"]; success == 0 {
				t.Errorf("%s %s never succeeded", method, path)
			}
		}
	}
	for _, path := range []string{"/api/v1/episodes", "/api/v1/identities"} {
		f.parts(path)
	}
}

// otherMethods wants to be told which methods a path takes, where it is asked by another.
func (f *apiFuzz) otherMethods(path string, operations map[string]any) {
	f.t.Helper()
	target := strings.ReplaceAll(path, "{key}", f.Feed.current.Load().Episodes()[0].Key())
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodPut, http.MethodPatch, http.MethodTrace, "ODD"} {
		if operations[strings.ToLower(method)] != nil {
			continue
		}
		w := f.do(method, target, "{}", "Content-Type", "application/json")
		for allowed := range operations {
			if w.Code != http.StatusMethodNotAllowed || !strings.Contains(w.Header().Get("Allow"), strings.ToUpper(allowed)) {
				f.t.Errorf("%s %s: %d, allowed %q", method, target, w.Code, w.Header().Get("Allow"))
			}
		}
	}
}

// parts wants the parts of a list, of whatever size, to be the whole, each once.
func (f *apiFuzz) parts(path string) {
	f.t.Helper()
	type part struct {
		Total      int              `json:"total"`
		Next       string           `json:"next"`
		Episodes   []map[string]any `json:"episodes"`
		Identities []map[string]any `json:"identities"`
	}
	for _, limit := range []int{1, 7, 1000} {
		seen, query, total := map[string]bool{}, "?state=all&limit="+strconv.Itoa(limit), 0
		for query != "" {
			var p part
			decode(f.t, f.get(path+query), &p)
			for _, item := range slices.Concat(p.Episodes, p.Identities) {
				name := fmt.Sprint(item["dedup_key"], item["dimension"], item["identity"])
				if seen[name] {
					f.t.Errorf("%s in parts of %d has %s twice", path, limit, name)
				}
				seen[name] = true
			}
			query, total = p.Next, p.Total
		}
		if len(seen) != total {
			f.t.Errorf("%s in parts of %d has %d of %d", path, limit, len(seen), total)
		}
	}
}
