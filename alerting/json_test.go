package alerting

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/weirhq/weir/detectors/episode"
	"pgregory.net/rapid"
)

// example is a key leak as weir.alerts carries it.
func example() *Alert {
	bin := Time(1772546400000) // 2026-03-03T14:00:00Z
	return &Alert{
		Schema: Schema, DedupKey: DedupKey("key", "kid-7", 1772550000000), Status: Open,
		Time: bin + 3600_000, Onset: bin - 29*3600_000,
		Dimension: "key", Identity: "kid-7", Detector: "drift", Measure: "distinct", Severity: episode.High,
		Summary: "Signing key <kid-7> & co", Observed: 33700000, Expected: 9100.44, OnsetEarliest: bin - 30*3600_000, OnsetLatest: bin - 29*3600_000,
		Excess:  Bounds{33690900, 33090000, 34290900},
		Exposed: Exposed{Records: 33700000, Low: 33100000, High: 34300000, Since: bin - 29*3600_000},
		Evidence: Evidence{
			Bin: bin, BinWidth: "1h0m0s", Until: bin + 3600_000, Group: "volume", LogValue: 20.7637, Threshold: 15.2, Budget: 2, Peers: "endpoint:GET /c/{id}",
			Measures: []MeasureEvidence{{
				Measure: "distinct", From: bin - 14*3600_000, LogValue: 21.45678, Observed: 1240.04, Low: 1216, High: 1264, Expected: 210.06,
				Mode: 1.40123, Dispersion: 2.5, Ratio: 4.91234, Allowed: 3.2,
				Rates: []RateEvidence{{1.5, 7.1}, {5, 22.00049}},
			}},
		},
	}
}

func TestAppendJSON(t *testing.T) {
	const want = `{"schema":1,"dedup_key":"weir-` + `KEY` + `","status":"open",` +
		`"time":"2026-03-03T15:00:00.000Z","onset":"2026-03-02T09:00:00.000Z","onset_earliest":"2026-03-02T08:00:00.000Z","onset_latest":"2026-03-02T09:00:00.000Z",` +
		`"dimension":"key","identity":"kid-7","detector":"drift","measure":"distinct","severity":"high",` +
		`"summary":"Signing key <kid-7> & co","observed":33700000,"expected":9100.4,"excess":{"records":33690900,"low":33090000,"high":34290900},` +
		`"exposed":{"records":33700000,"low":33100000,"high":34300000,"since":"2026-03-02T09:00:00.000Z"},` +
		`"evidence":{"bin":"2026-03-03T14:00:00.000Z","bin_width":"1h0m0s","until":"2026-03-03T15:00:00.000Z","group":"volume","log_evidence":20.764,"log_threshold":15.2,"budget_per_day":2,"peers":"endpoint:GET /c/{id}",` +
		`"measures":[{"measure":"distinct","from":"2026-03-03T00:00:00.000Z","log_evidence":21.457,"observed":1240,"observed_low":1216,"observed_high":1264,"expected":210.1,` +
		`"mode":1.401,"dispersion":2.5,"log_ratio":4.912,"log_allowed":3.2,` +
		`"rates":[{"rate":1.5,"log_evidence":7.1},{"rate":5,"log_evidence":22}]}]}}`
	a := example()
	got := string(a.AppendJSON(nil))
	if w := strings.Replace(want, "weir-KEY", a.DedupKey, 1); got != w {
		t.Errorf("got  %s\nwant %s", got, w)
	}
}

func TestParseAlertRefuses(t *testing.T) {
	good := string(example().AppendJSON(nil))
	for name, c := range map[string]struct{ in, want string }{
		"nothing":      {"", "unexpected EOF"},
		"another type": {"[]", "cannot unmarshal"},
		"cut":          {good[:100], "unexpected EOF"},
		"two":          {good + good, "more than one JSON value"},
		"schema":       {strings.Replace(good, `"schema":1`, `"schema":2`, 1), "schema 2"},
		"status":       {strings.Replace(good, `"open"`, `"ajar"`, 1), `status is "ajar"`},
		"severity":     {strings.Replace(good, `"high"`, `"grave"`, 1), `severity is "grave"`},
		"identity":     {strings.Replace(good, `"kid-7"`, `""`, 1), "identity is missing"},
		"measure":      {strings.Replace(good, `"measure":"distinct","severity"`, `"measure":"","severity"`, 1), "measure is missing"},
		"kind":         {strings.Replace(good, `"dimension"`, `"kind":"rumour","dimension"`, 1), `kind is "rumour"`},
		"fact":         {strings.Replace(good, `"dimension"`, `"kind":"fact","dimension"`, 1), "fact is missing"},
		"confidence":   {strings.Replace(good, `"summary"`, `"confidence":"sure","summary"`, 1), `confidence is "sure"`},
		"time":         {strings.Replace(good, `"2026-03-03T15:00:00.000Z"`, `"noon"`, 1), "noon"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseAlert([]byte(c.in))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

var anyAlert = rapid.Custom(func(t *rapid.T) *Alert {
	text := rapid.StringN(1, 20, -1)
	when := rapid.Map(rapid.Int64Range(0, 4e12), func(v int64) Time { return Time(v) })
	number := rapid.Float64()
	count := rapid.Int64Range(0, 1<<53)
	a := &Alert{
		Schema: Schema, DedupKey: text.Draw(t, "key"), Status: rapid.SampledFrom([]Status{Open, Update, Close}).Draw(t, "status"),
		Time: when.Draw(t, "time"), Onset: when.Draw(t, "onset"), Dimension: text.Draw(t, "dimension"), Identity: text.Draw(t, "identity"),
		Detector: "d", Measure: text.Draw(t, "measure"), Severity: rapid.SampledFrom([]episode.Severity{episode.Low, episode.Medium, episode.High, episode.Critical}).Draw(t, "severity"),
		Summary: rapid.String().Draw(t, "summary"), Observed: number.Draw(t, "observed"), Expected: number.Draw(t, "expected"),
		OnsetEarliest: when.Draw(t, "earliest"), OnsetLatest: when.Draw(t, "latest"), OnsetWas: when.Draw(t, "was"),
		Excess: Bounds{count.Draw(t, "excess"), 0, count.Draw(t, "excess high")}, Through: Bounds{0, count.Draw(t, "through"), 0},
		Exposed: Exposed{Records: count.Draw(t, "records"), Low: count.Draw(t, "low"), High: count.Draw(t, "high"), Since: when.Draw(t, "since"), Rows: count.Draw(t, "rows")},
		Evidence: Evidence{Bin: when.Draw(t, "bin"), BinWidth: "1h0m0s", Until: when.Draw(t, "until"), Group: rapid.SampledFrom([]string{"", "volume", "novelty", "burst", "rare", "hours"}).Draw(t, "group"), LogValue: number.Draw(t, "log"), Threshold: number.Draw(t, "threshold"), Budget: number.Draw(t, "budget"),
			Measures: []MeasureEvidence{}},
	}
	drawContext(t, a)
	for range rapid.IntRange(0, 3).Draw(t, "measures") {
		m := MeasureEvidence{Measure: text.Draw(t, "m"), LogValue: number.Draw(t, "ml"), From: when.Draw(t, "from"), Observed: number.Draw(t, "mo"), Ratio: number.Draw(t, "ratio"), Rates: []RateEvidence{}}
		for range rapid.IntRange(0, 3).Draw(t, "rates") {
			m.Rates = append(m.Rates, RateEvidence{number.Draw(t, "rate"), number.Draw(t, "rl")})
		}
		a.Evidence.Measures = append(a.Evidence.Measures, m)
	}
	return a
})

// Written, read and written again, an alert is the same bytes: rounding is
// done once and for all.
func TestJSONIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := anyAlert.Draw(t, "alert").AppendJSON(nil)
		if bytes.ContainsAny(first, "\n\r\x1b") {
			t.Fatalf("not one plain line: %q", first)
		}
		a, err := ParseAlert(first)
		if err != nil {
			t.Fatal(err)
		}
		if second := a.AppendJSON(nil); !bytes.Equal(first, second) {
			t.Fatalf("got  %s\nthen %s", first, second)
		}
	})
}

func TestMarshalIsAppend(t *testing.T) {
	a := example()
	a.Summary = "plain" // encoding/json would escape < and &
	for _, v := range []any{a, *a} {
		b, err := json.Marshal(v)
		if err != nil || !bytes.Equal(b, a.AppendJSON(nil)) {
			t.Errorf("Marshal = %s, %v", b, err)
		}
	}
}

func loadSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("../docs/alert.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("alert.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("alert.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(s *jsonschema.Schema, b []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

func TestSchemaHolds(t *testing.T) {
	s := loadSchema(t)
	a := example()
	if err := validate(s, a.AppendJSON(nil)); err != nil {
		t.Error(err)
	}
	a.Exposed = Exposed{Rows: 5, Since: a.Onset}
	if err := validate(s, a.AppendJSON(nil)); err != nil {
		t.Error("with rows:", err)
	}
	a.Holder, a.Said = "lee", &Said{Kind: "assigned", Author: "kim", Reason: "shift", Assignee: "lee", Expires: a.Time}
	if err := validate(s, a.AppendJSON(nil)); err != nil {
		t.Error("assigned:", err)
	}
	if back, err := ParseAlert(a.AppendJSON(nil)); err != nil || back.Holder != "lee" || *back.Said != *a.Said {
		t.Errorf("read back: %+v, %v", back, err)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := anyAlert.Draw(t, "alert")
		a.DedupKey = DedupKey(a.Dimension, a.Identity, int64(a.Time))
		a.Expected, a.Observed = math.Abs(a.Expected), math.Abs(a.Observed)
		if err := validate(s, a.AppendJSON(nil)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSchemaRefuses(t *testing.T) {
	s := loadSchema(t)
	good := string(example().AppendJSON(nil))
	for name, c := range map[string][2]string{
		"unknown status": {`"open"`, `"ajar"`},
		"missing key":    {`"detector":"drift",`, ``},
		"unknown key":    {`"detector"`, `"detectr":1,"detector"`},
		"time":           {`"2026-03-03T15:00:00.000Z"`, `"noon"`},
		"dedup key":      {`"weir-`, `"w-`},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Fatalf("%s: nothing to replace", name)
		}
		if validate(s, []byte(bad)) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParseAlert(f *testing.F) {
	f.Add(example().AppendJSON(nil))
	f.Add([]byte(`{"schema":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAlert(b)
		if err != nil {
			return
		}
		first := a.AppendJSON(nil)
		again, err := ParseAlert(first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second := again.AppendJSON(nil); !bytes.Equal(first, second) {
			t.Fatalf("got  %s\nthen %s", first, second)
		}
	})
}

// The alert that the docs show is a real one.
func TestDocumentedAlert(t *testing.T) {
	doc, err := os.ReadFile("../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "```json\n")
	text, _, _ = strings.Cut(text, "```")
	a, err := ParseAlert([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(loadSchema(t), []byte(text)); err != nil {
		t.Error(err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if got := a.AppendJSON(nil); !bytes.Equal(got, line.Bytes()) {
		t.Errorf("written, it is %s", got)
	}
	if got := Summarize(a, nil); got != a.Summary {
		t.Errorf("its summary is %s", got)
	}
	if got := DedupKey(a.Dimension, a.Identity, int64(a.Time)); got != a.DedupKey {
		t.Errorf("its key is %s", got)
	}
}
