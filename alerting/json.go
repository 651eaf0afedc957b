package alerting

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/weirhq/weir/alerting/internal/jsonline"
)

// AppendJSON appends the alert as one line of JSON, without the newline, and
// returns the extended buffer.
//
// It writes by hand, not by reflection, so that equal alerts are equal bytes, see
// package jsonline. Keys come in the order of the struct. Counts (observed,
// expected and their bounds) are rounded to 1 decimal, logs of evidence to 3,
// factors to 4 significant digits.
func (a *Alert) AppendJSON(b []byte) []byte {
	b = append(b, `{"schema":`...)
	b = strconv.AppendInt(b, int64(a.Schema), 10)
	b = jsonline.Text(b, `,"dedup_key":`, a.DedupKey)
	b = jsonline.Optional(b, `,"campaign":`, a.Campaign)
	b = jsonline.Text(b, `,"status":`, string(a.Status))
	b = appendTime(b, `,"time":`, a.Time)
	b = appendTime(b, `,"onset":`, a.Onset)
	if a.OnsetLatest != 0 {
		b = appendTime(b, `,"onset_earliest":`, a.OnsetEarliest)
		b = appendTime(b, `,"onset_latest":`, a.OnsetLatest)
	}
	if a.OnsetWas != 0 {
		b = appendTime(b, `,"onset_was":`, a.OnsetWas)
	}
	b = jsonline.Optional(b, `,"kind":`, string(a.Kind))
	b = jsonline.Text(b, `,"dimension":`, a.Dimension)
	b = jsonline.Text(b, `,"identity":`, a.Identity)
	b = jsonline.Text(b, `,"detector":`, a.Detector)
	b = jsonline.Text(b, `,"measure":`, a.Measure)
	b = jsonline.Optional(b, `,"fact":`, string(a.Fact))
	b = jsonline.Map(b, `,"detail":`, a.Detail)
	b = jsonline.Texts(b, `,"also_known":`, a.AlsoKnown)
	b = jsonline.Text(b, `,"severity":`, a.Severity.String())
	b = jsonline.Optional(b, `,"confidence":`, string(a.Confidence))
	b = jsonline.Text(b, `,"summary":`, a.Summary)
	if roundCount(a.Observed) != 0 || roundCount(a.Expected) != 0 {
		b = jsonline.Fixed(b, `,"observed":`, a.Observed, countDecimals)
		b = jsonline.Fixed(b, `,"expected":`, a.Expected, countDecimals)
	}
	b = a.Excess.appendJSON(b, `,"excess":{`)
	b = a.Through.appendJSON(b, `,"through":{`)
	if a.ThroughSince != 0 {
		b = appendTime(b, `,"through_since":`, a.ThroughSince)
	}
	b = append(b, `,"exposed":`...)
	b = a.Exposed.appendJSON(b)
	b = a.appendContext(b)
	b = append(b, `,"evidence":`...)
	b = a.Evidence.appendJSON(b)
	return append(b, '}')
}

// MarshalJSON returns AppendJSON of a fresh buffer; it never fails.
// encoding/json escapes <, > and & in what it returns; use AppendJSON where
// bytes must be equal. The receiver is a value, so that an Alert held by value
// is not encoded by reflection, unrounded.
func (a Alert) MarshalJSON() ([]byte, error) { return a.AppendJSON(nil), nil }

func (x *Bounds) appendJSON(b []byte, key string) []byte {
	if x.IsZero() {
		return b
	}
	b = strconv.AppendInt(append(append(b, key...), `"records":`...), x.Records, 10)
	b = strconv.AppendInt(append(b, `,"low":`...), x.Low, 10)
	b = strconv.AppendInt(append(b, `,"high":`...), x.High, 10)
	return append(b, '}')
}

func (e *Exposed) appendJSON(b []byte) []byte {
	b = append(b, `{"records":`...)
	b = strconv.AppendInt(b, e.Records, 10)
	b = append(b, `,"low":`...)
	b = strconv.AppendInt(b, e.Low, 10)
	b = append(b, `,"high":`...)
	b = strconv.AppendInt(b, e.High, 10)
	b = appendTime(b, `,"since":`, e.Since)
	if e.Rows != 0 {
		b = append(b, `,"rows":`...)
		b = strconv.AppendInt(b, e.Rows, 10)
	}
	return append(b, '}')
}

func (e *Evidence) appendJSON(b []byte) []byte {
	b = appendTime(b, `{"bin":`, e.Bin)
	b = jsonline.Text(b, `,"bin_width":`, e.BinWidth)
	if e.Until != 0 {
		b = appendTime(b, `,"until":`, e.Until)
	}
	b = jsonline.Optional(b, `,"group":`, e.Group)
	b = jsonline.Fixed(b, `,"log_evidence":`, e.LogValue, logDecimals)
	b = jsonline.Fixed(b, `,"log_threshold":`, e.Threshold, logDecimals)
	b = jsonline.Factor(b, `,"budget_per_day":`, e.Budget)
	if e.Realised != 0 {
		b = jsonline.Factor(b, `,"realised_per_day":`, e.Realised)
	}
	b = jsonline.Optional(b, `,"peers":`, e.Peers)
	b = append(b, `,"measures":[`...)
	for i := range e.Measures {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.Measures[i].appendJSON(b)
	}
	return append(b, ']', '}')
}

func (m *MeasureEvidence) appendJSON(b []byte) []byte {
	b = jsonline.Text(b, `{"measure":`, m.Measure)
	b = appendTime(b, `,"from":`, m.From)
	b = jsonline.Fixed(b, `,"log_evidence":`, m.LogValue, logDecimals)
	b = jsonline.Fixed(b, `,"observed":`, m.Observed, countDecimals)
	b = jsonline.Fixed(b, `,"observed_low":`, m.Low, countDecimals)
	b = jsonline.Fixed(b, `,"observed_high":`, m.High, countDecimals)
	b = jsonline.Fixed(b, `,"expected":`, m.Expected, countDecimals)
	b = jsonline.Factor(b, `,"mode":`, m.Mode)
	b = jsonline.Factor(b, `,"dispersion":`, m.Dispersion)
	b = jsonline.Fixed(b, `,"log_ratio":`, m.Ratio, logDecimals)
	b = jsonline.Fixed(b, `,"log_allowed":`, m.Allowed, logDecimals)
	b = append(b, `,"rates":[`...)
	for i, r := range m.Rates {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonline.Factor(b, `{"rate":`, r.Rate)
		b = jsonline.Fixed(b, `,"log_evidence":`, r.LogValue, logDecimals)
		b = append(b, '}')
	}
	return append(b, ']', '}')
}

// ParseAlert reads one alert as AppendJSON writes it. It ignores keys that it does
// not know, so that a reader survives a newer writer of the same schema. Another
// schema, a missing key that identifies the alert, an unknown status, severity,
// kind or confidence, and anything after the object are errors.
func ParseAlert(b []byte) (*Alert, error) {
	a := new(Alert)
	if err := jsonline.Parse(b, a); err != nil {
		return nil, fmt.Errorf("reading an alert: %w", err)
	}
	if a.Schema == 0 && a.DedupKey == "" {
		return nil, errors.New("reading an alert: this is none, since it has neither a schema nor a dedup_key; alerts are what backtest -o json prints")
	}
	if a.Schema != Schema {
		return nil, fmt.Errorf("reading an alert: schema %d, but this weir reads schema %d; run the version that wrote it, or a newer one", a.Schema, Schema)
	}
	for _, f := range [...]struct{ key, value string }{
		{"dedup_key", a.DedupKey}, {"dimension", a.Dimension}, {"identity", a.Identity},
	} {
		if f.value == "" {
			return nil, fmt.Errorf("reading an alert: %s is missing or empty", f.key)
		}
	}
	switch {
	case !a.Kind.valid():
		return nil, fmt.Errorf("reading an alert: kind is %q, want statistical, fact or campaign", a.Kind)
	case a.Kind == KindFact && a.Fact == "":
		return nil, errors.New("reading an alert: fact is missing or empty, where kind is fact")
	case (a.Kind == "" || a.Kind == Statistical) && a.Measure == "":
		return nil, errors.New("reading an alert: measure is missing or empty")
	case a.Confidence != "" && !a.Confidence.Valid():
		return nil, fmt.Errorf("reading an alert: confidence is %q, want possible, likely, very_likely or certain", a.Confidence)
	}
	if !a.Status.Valid() {
		return nil, fmt.Errorf("reading an alert: status is %q, want open, update or close", a.Status)
	}
	if !a.Severity.Valid() {
		return nil, fmt.Errorf("reading an alert: severity is %q, want low, medium, high or critical", a.Severity)
	}
	return a, nil
}

// Decimals of what an alert counts, and of its logs of evidence.
const (
	countDecimals = 1
	logDecimals   = 3
)

func appendTime(b []byte, key string, t Time) []byte { return jsonline.Time(b, key, t.Std()) }
