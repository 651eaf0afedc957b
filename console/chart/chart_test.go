package chart

import (
	"encoding/xml"
	"html/template"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// Pictures are well-formed whatever they are made of, let no text through as
// markup, and keep within their frames.
func TestPictures(t *testing.T) {
	const evil = `"><script>alert(1)</script>&`
	day := int64(24 * 3600 * 1000)
	odd := []Sample{{Time: 0}, {Time: day, Value: math.NaN(), High: math.Inf(1), Label: evil}, {Time: 2 * day, Value: 1e18, Low: -5, High: 2e18, Usual: math.NaN(), Most: math.Inf(1), Least: math.NaN()}}
	marks := []Mark{{day, evil, "onset", -day, 99 * day}, {Time: day, Label: "same moment", Class: "alert"}, {Time: 99 * day, Label: "beyond", Class: "verdict"}}
	columns := []Column{{Time: day, Threshold: math.Inf(1), Parts: []Part{{evil, 3}, {"b", -1}, {"c", math.NaN()}}}, {}}
	evidence, names := Evidence(evil, columns, time.UTC)
	if len(names) == 0 {
		t.Error("no measure is named")
	}
	spans := []Span{{From: 0, To: day, Class: "high", Label: evil}, {From: day, To: 0}, {From: -day, To: 30 * day}}
	for name, picture := range map[string]template.HTML{
		"spark": Spark(evil, odd, 14, 2*day, time.UTC), "no spark": Spark("", nil, 14, 0, time.UTC), "bar": Bar(evil, math.NaN(), -1, math.Inf(1), 0), "share": Share(evil, 7),
		"exposure": Exposure(evil, odd, marks, time.UTC), "no exposure": Exposure("", nil, nil, time.UTC),
		"counts": Counts(evil, odd, 0, 2*day, marks, time.UTC), "a moment": Counts("", odd[:1], 5, 5, nil, time.UTC),
		"lanes": Lanes(evil, []Lane{{Name: evil, Spans: append(spans, Span{To: day, Other: true})}, {Name: "empty"}}, 0, 14*day, time.UTC), "evidence": evidence,
		"heat": Heat(evil, []Cell{{At: day, Value: math.NaN(), Level: 9, Label: evil}, {At: day + 1, Value: 1e18, Level: -1}, {At: 99 * day}}, []Day{{At: day, Value: math.Inf(1), Usual: math.NaN(), Label: evil}, {At: 99 * day}}, math.NaN(), 6*day, time.UTC), "no heat": Heat("", nil, nil, -1, 0, time.UTC),
	} {
		if strings.Contains(string(picture), "<script") || strings.Contains(string(picture), "NaN") || strings.Contains(string(picture), "Inf") || strings.Contains(string(picture), "style=") {
			t.Errorf("%s: %s", name, picture)
		}
		d := xml.NewDecoder(strings.NewReader(string(picture)))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Errorf("%s: %v: %s", name, err, picture)
				break
			}
		}
	}
}

// A day of a spark stands in its place, whatever the zone and the change of its clocks, with
// the band of the day before where it has none; a day that is too old is left out.
func TestSpark(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day int) int64 { return time.Date(2026, 3, day, 0, 0, 0, 0, zone).UnixMilli() } // the clock changes on the 8th
	got := string(Spark("", []Sample{
		{Time: at(-9), Value: 50, Label: "too old"}, {Time: at(6), Value: 5, Least: 2, Most: 4}, {Time: at(9), Value: 10, Label: "Monday"},
	}, 5, at(9)+3_600_000, zone))
	for _, want := range []string{
		`<rect class="count" x="25" y="15" width="22" height="13" rx="1">`,
		`<rect class="count" x="97" y="2" width="22" height="26" rx="1"><title>Monday</title>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if n := strings.Count(got, `class="usualband"`); n != 4 || strings.Contains(got, "too old") {
		t.Errorf("%d days have a band, want those from the 6th on: %s", n, got)
	}
}

// Episodes that go on at the same time lie on rows of their own; what has no row
// is counted.
func TestLanes(t *testing.T) {
	var spans []Span
	for range maxRows + 3 {
		spans = append(spans, Span{From: 0, To: 10})
	}
	spans = append(spans, Span{From: 10, To: 20})
	rows := stack(spans)
	for i, want := range []int{0, 1, 2, 3, -1, -1, -1, 0} {
		if rows[i] != want {
			t.Errorf("row %d of span %d, want %d", rows[i], i, want)
		}
	}
	if p := string(Lanes("", []Lane{{Name: "user", Spans: spans, Further: 5}}, 0, 20, time.UTC)); !strings.Contains(p, "and 8 more") {
		t.Errorf("what has no row is not counted: %s", p)
	}
}

// Ticks stand at round times of the zone, at most seven, all within the span.
func TestTicks(t *testing.T) {
	zone := time.FixedZone("Asia/Seoul", 9*3600)
	from := time.Date(2026, 3, 3, 10, 7, 0, 0, zone)
	for span, want := range map[time.Duration]string{
		time.Minute: "", 25 * time.Minute: "Tue 10:10 Tue 10:15 Tue 10:20 Tue 10:25 Tue 10:30", 5 * time.Hour: "Tue 11:00 Tue 12:00 Tue 13:00 Tue 14:00 Tue 15:00",
		40 * time.Hour: "Tue 12:00 Wed 4 Mar Wed 12:00 Thu 5 Mar", 20 * 24 * time.Hour: "Sat 7 Mar Wed 11 Mar Sun 15 Mar Thu 19 Mar Mon 23 Mar",
	} {
		var got []string
		for _, at := range ticks(from.UnixMilli(), from.Add(span).UnixMilli(), zone) {
			got = append(got, tickText(at))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("in %s: %q, want %q", span, got, want)
		}
	}
	if len(ticks(9, 5, zone)) != 0 {
		t.Error("a span that ends before it begins has ticks")
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 12: "12", 1500: "1.5k", 33e6: "33M", 2e9: "2G", 0.5: "0.5"} {
		if got := short(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]float64{0: 1, 1: 1, 1.2: 2, 23: 50, 700: 1000} {
		if got := niceTop(v); got != want {
			t.Errorf("%v lies below %v, want %v", v, got, want)
		}
	}
}
