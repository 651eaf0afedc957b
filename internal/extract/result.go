package extract

import (
	"fmt"
	"math"
	"strings"

	"github.com/weirhq/weir/alerting"
)

// Result is what an extraction comes to; weir extract -o json writes it as the
// last line on stderr.
type Result struct {
	DedupKey  string        `json:"dedup_key"`
	Dimension string        `json:"dimension"`
	Identity  string        `json:"identity"`
	Since     alerting.Time `json:"since"`
	Until     alerting.Time `json:"until"`
	Records   int64         `json:"records"` // distinct customers listed
	Events    int64         `json:"events"`
	RowsAlone int64         `json:"rows_without_ids"` // whose customers the log does not name
	Capped    int64         `json:"capped_events"`    // whose ids were not all kept
	Rejected  int64         `json:"rejected"`         // that could not be read, of whomever
	Only      Only          `json:"only,omitempty"`   // which part is listed; empty: all
	Deleted   []Deleted     `json:"deleted,omitempty"`
	Estimate  *Estimate     `json:"estimate,omitempty"`
	Part      string        `json:"-"` // which part is listed, in words after "customers"
	Error     string        `json:"error,omitempty"`
	// Open says that the interval ends at an alert by which the episode was still
	// open.
	Open bool `json:"-"`
}

// Deleted is what retention has deleted of a partition, from the first offset to the
// last, and may belong to the interval: the oldest record that is left is younger
// than the interval's begin.
type Deleted struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	First     int64  `json:"first_offset"`
	Last      int64  `json:"last_offset"`
}

// String names the partition and the offsets.
func (d Deleted) String() string {
	return fmt.Sprintf("%s/%d, offsets %s to %s", d.Topic, d.Partition, alerting.Group(d.First), alerting.Group(d.Last))
}

// DeletedText lists what retention has deleted.
func (r *Result) DeletedText() string {
	out := make([]string, len(r.Deleted))
	for i, d := range r.Deleted {
		out[i] = d.String()
	}
	return strings.Join(out, "; ")
}

// Estimate is what the alert said, and what the list must hold if it is right.
type Estimate struct {
	Records int64 `json:"records"`
	Low     int64 `json:"low"`    // lower end of the alert's 95 % interval
	High    int64 `json:"high"`   // upper end of the same interval
	Least   int64 `json:"least"`  // lower end of the 99.99 % interval
	Most    int64 `json:"most"`   // upper end of the same interval
	Within  bool  `json:"within"` // the number of customers lies from Least to Most
}

// widened is how many times as far the ends of a 99.99 % interval of a normal
// distribution lie from its middle as those of the 95 % interval:
// 3.8906 / 1.9600 standard deviations.
const widened = 3.8906 / 1.9600

// compare holds a number of customers against what an alert says is exposed.
func compare(records int64, x *alerting.Exposed) *Estimate {
	e := &Estimate{Records: x.Records, Low: x.Low, High: x.High}
	e.Least = max(0, x.Records-int64(math.Ceil(widened*float64(x.Records-x.Low))))
	e.Most = x.Records + int64(math.Ceil(widened*float64(x.High-x.Records)))
	e.Within = records >= e.Least && records <= e.Most
	return e
}

// Result returns what was found, also of an extraction that failed with err.
func (x *Extraction) Result(err error) *Result {
	a, s := x.episode.alert, &x.state
	r := &Result{
		DedupKey: s.Key, Dimension: a.Dimension, Identity: a.Identity, Since: alerting.Time(s.Since), Until: alerting.Time(s.Until),
		Records: s.Records, Events: s.Events, RowsAlone: s.RowsAlone, Capped: s.Capped, Rejected: s.Rejected, Only: x.only.only, Part: x.only.String(),
	}
	for _, span := range s.Spans {
		if span.Deleted > 0 {
			r.Deleted = append(r.Deleted, Deleted{Topic: span.Topic, Partition: span.Partition, Last: span.Deleted - 1})
		}
	}
	if e := a.Exposed; !x.episode.moved && s.Done && e.High > 0 {
		r.Estimate = x.only.compare(s.Records, &e)
	}
	r.Open = a.Status != alerting.Close && !x.episode.moved
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// Check returns an error where the list cannot be what the alert is about, since
// its number lies outside of the 99.99 % interval of the alert's estimate. The
// error names what may be the cause.
func (r *Result) Check() error {
	e := r.Estimate
	if e == nil || e.Within {
		return nil
	}
	return fmt.Errorf("holding the list against the alert: it has %s customers, and the alert's estimate of %s allows %s to %s (99.99 %%), so that it is not the list of those whom the alert counted; possible causes: %s",
		alerting.Group(r.Records), alerting.Group(e.Records), alerting.Group(e.Least), alerting.Group(e.Most), strings.Join(r.causes(), "; or "))
}

// causes says why the list may differ from the estimate.
func (r *Result) causes() (out []string) {
	if r.Dimension == alerting.CampaignDimension {
		out = append(out, fmt.Sprintf("the estimate of a campaign may count all that came through %s, while the list is that of its members: extract these by their own keys", alerting.Printable(r.Identity, 200)))
	}
	if r.Records > r.Estimate.Most {
		out = append(out, "events came late, after the alert was raised")
	} else {
		if len(r.Deleted) > 0 {
			out = append(out, "retention has deleted "+r.DeletedText())
		}
		if r.Capped > 0 {
			out = append(out, "events hold more ids than are kept of one")
		}
		if r.Rejected > 0 {
			out = append(out, "records of the sources could not be read")
		}
	}
	return append(out, "the sources or the configuration are others than those that the alert was raised from")
}
