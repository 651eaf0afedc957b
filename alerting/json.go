package alerting

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The JSON of an alert is written by hand, not by reflection: two runs that
// find the same must write the same bytes, so key order and rounding belong to
// the format and must not move when a field or a library does.

// AppendJSON appends the alert as one line of JSON, without the newline, and
// returns the extended buffer.
//
// Keys come in the order of the struct. Counts (observed, expected and their
// bounds) are rounded to 1 decimal, logs of evidence to 3, factors to 4
// significant digits. JSON has no NaN and no infinity: NaN is written as 0, an
// infinity as ±1e308. Invalid UTF-8 becomes U+FFFD; what does not print is
// escaped, so that no identity can steer the terminal that shows it. HTML
// characters stay as they are.
func (a *Alert) AppendJSON(b []byte) []byte {
	b = append(b, `{"schema":`...)
	b = strconv.AppendInt(b, int64(a.Schema), 10)
	b = appendText(b, `,"dedup_key":`, a.DedupKey)
	b = appendSome(b, `,"campaign":`, a.Campaign)
	b = appendText(b, `,"status":`, string(a.Status))
	b = appendTime(b, `,"time":`, a.Time)
	b = appendTime(b, `,"onset":`, a.Onset)
	b = appendSome(b, `,"kind":`, string(a.Kind))
	b = appendText(b, `,"dimension":`, a.Dimension)
	b = appendText(b, `,"identity":`, a.Identity)
	b = appendText(b, `,"detector":`, a.Detector)
	b = appendText(b, `,"measure":`, a.Measure)
	b = appendSome(b, `,"fact":`, string(a.Fact))
	b = appendDetail(b, `,"detail":`, a.Detail)
	b = appendText(b, `,"severity":`, string(a.Severity))
	b = appendSome(b, `,"confidence":`, string(a.Confidence))
	b = appendText(b, `,"summary":`, a.Summary)
	b = appendFixed(b, `,"observed":`, a.Observed, countDecimals)
	b = appendFixed(b, `,"expected":`, a.Expected, countDecimals)
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
	b = appendText(b, `,"bin_width":`, e.BinWidth)
	b = appendFixed(b, `,"log_evidence":`, e.LogValue, logDecimals)
	b = appendFixed(b, `,"log_threshold":`, e.Threshold, logDecimals)
	b = appendFactor(b, `,"budget_per_day":`, e.Budget)
	if e.Realised != 0 {
		b = appendFactor(b, `,"realised_per_day":`, e.Realised)
	}
	if e.Live != 0 {
		b = appendFixed(b, `,"live_identities":`, e.Live, countDecimals)
	}
	if e.Formula != 0 {
		b = appendFixed(b, `,"log_formula":`, e.Formula, logDecimals)
	}
	if e.Tail != 0 {
		b = appendFixed(b, `,"log_tail":`, e.Tail, logDecimals)
	}
	if e.Peers != "" {
		b = appendText(b, `,"peers":`, e.Peers)
	}
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
	b = appendText(b, `{"measure":`, m.Measure)
	b = appendFixed(b, `,"log_evidence":`, m.LogValue, logDecimals)
	b = appendFixed(b, `,"observed":`, m.Observed, countDecimals)
	b = appendFixed(b, `,"observed_low":`, m.Low, countDecimals)
	b = appendFixed(b, `,"observed_high":`, m.High, countDecimals)
	b = appendFixed(b, `,"expected":`, m.Expected, countDecimals)
	b = appendFactor(b, `,"level":`, m.Level)
	b = appendFactor(b, `,"shape":`, m.Shape)
	b = appendFactor(b, `,"mode":`, m.Mode)
	b = appendFactor(b, `,"dispersion":`, m.Dispersion)
	b = appendFactor(b, `,"peer_weight":`, m.PeerWeight)
	b = append(b, `,"rates":[`...)
	for i, r := range m.Rates {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFactor(b, `{"rate":`, r.Rate)
		b = appendFixed(b, `,"log_evidence":`, r.LogValue, logDecimals)
		b = append(b, '}')
	}
	return append(b, ']', '}')
}

// ParseAlert reads one alert as AppendJSON writes it. Keys it does not know
// are ignored, so that a reader survives a newer writer of the same schema;
// another schema, a missing key that identifies the alert and anything after
// the object are errors.
func ParseAlert(b []byte) (*Alert, error) {
	a := new(Alert)
	if err := parseOne(b, a); err != nil {
		return nil, fmt.Errorf("reading an alert: %w", err)
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
	case a.Confidence != "" && a.Confidence.Rank() == 0:
		return nil, fmt.Errorf("reading an alert: confidence is %q, want possible, likely, very_likely or certain", a.Confidence)
	}
	if !a.Status.valid() {
		return nil, fmt.Errorf("reading an alert: status is %q, want open, update or close", a.Status)
	}
	if a.Severity.Rank() == 0 {
		return nil, fmt.Errorf("reading an alert: severity is %q, want low, medium, high or critical", a.Severity)
	}
	return a, nil
}

// parseOne decodes exactly one JSON value.
func parseOne(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

const (
	countDecimals = 1
	logDecimals   = 3
	factorDigits  = 4
	infinity      = 1e308 // stands for what JSON cannot write
	exponentFrom  = 1e15  // from here on, and below its inverse, factors are written with an exponent
)

func appendText(b []byte, key, s string) []byte {
	return appendQuoted(append(b, key...), s)
}

func appendTime(b []byte, key string, t Time) []byte {
	b = append(append(b, key...), '"')
	b = t.Std().AppendFormat(b, timeLayout)
	return append(b, '"')
}

// appendFixed writes v with at most so many decimals, without trailing zeros.
func appendFixed(b []byte, key string, v float64, decimals int) []byte {
	b = append(b, key...)
	v = finite(v)
	if math.Abs(v) >= exponentFrom {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, v, 'f', decimals, 64)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	if string(b[start:]) == "-0" {
		b = append(b[:start], '0')
	}
	return b
}

// appendFactor writes v with four significant digits.
func appendFactor(b []byte, key string, v float64) []byte {
	b = append(b, key...)
	v = finite(v)
	if v == 0 {
		return append(b, '0')
	}
	if m := math.Abs(v); m >= exponentFrom || m < 1/exponentFrom {
		return strconv.AppendFloat(b, v, 'e', factorDigits-1, 64)
	}
	// Rounding through text is exact; scaling by powers of ten is not.
	var tmp [32]byte
	rounded, err := strconv.ParseFloat(string(strconv.AppendFloat(tmp[:0], v, 'e', factorDigits-1, 64)), 64)
	if err != nil {
		rounded = v // cannot be: the text of a finite float of this size parses
	}
	return strconv.AppendFloat(b, rounded, 'f', -1, 64)
}

func finite(v float64) float64 {
	switch {
	case math.IsNaN(v):
		return 0
	case v > infinity:
		return infinity
	case v < -infinity:
		return -infinity
	}
	return v
}

const hexDigits = "0123456789abcdef"

// appendQuoted writes s as a JSON string.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < utf8.RuneSelf-1 && c != '"' && c != '\\' {
			b = append(b, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\t':
			b = append(b, '\\', 't')
		case unicode.IsPrint(r): // also U+FFFD, which stands for an invalid byte
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			b = appendEscape(appendEscape(b, hi), lo)
		default:
			b = appendEscape(b, r)
		}
	}
	return append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
