package extract

import (
	"fmt"

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
	Short     []string      `json:"short,omitempty"`  // partitions that begin after the interval does
	Estimate  *Estimate     `json:"estimate,omitempty"`
	Error     string        `json:"error,omitempty"`
	// Open says that the interval ends at an alert by which the episode was still
	// open.
	Open bool `json:"-"`
}

// Estimate is what the alert said.
type Estimate struct {
	Records int64 `json:"records"`
	Low     int64 `json:"low"`
	High    int64 `json:"high"`
	Within  bool  `json:"within"` // the number of customers lies within the bars
}

// Result returns what was found, also of an extraction that failed with err.
func (x *Extraction) Result(err error) *Result {
	a, s := x.episode.alert, &x.state
	r := &Result{
		DedupKey: s.Key, Dimension: a.Dimension, Identity: a.Identity, Since: alerting.Time(s.Since), Until: alerting.Time(s.Until),
		Records: s.Records, Events: s.Events, RowsAlone: s.RowsAlone, Capped: s.Capped, Rejected: s.Rejected,
	}
	for _, span := range s.Spans {
		if span.Short {
			r.Short = append(r.Short, fmt.Sprintf("%s/%d", span.Topic, span.Partition))
		}
	}
	if e := a.Exposed; !x.episode.moved && s.Done && e.High > 0 {
		r.Estimate = &Estimate{e.Records, e.Low, e.High, s.Records >= e.Low && s.Records <= e.High}
	}
	r.Open = a.Status != alerting.Close && !x.episode.moved
	if err != nil {
		r.Error = err.Error()
	}
	return r
}
