package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/weirhq/weir/alerting"
)

// extractResult is what an extraction comes to; with -o json it is the last
// line on stderr.
type extractResult struct {
	DedupKey  string           `json:"dedup_key"`
	Dimension string           `json:"dimension"`
	Identity  string           `json:"identity"`
	Since     alerting.Time    `json:"since"`
	Until     alerting.Time    `json:"until"`
	Records   int64            `json:"records"` // distinct customers listed
	Events    int64            `json:"events"`
	RowsAlone int64            `json:"rows_without_ids"` // whose customers the log does not name
	Capped    int64            `json:"capped_events"`    // whose ids were not all kept
	Rejected  int64            `json:"rejected"`         // that could not be read, of whomever
	Short     []string         `json:"short,omitempty"`  // partitions that begin after the interval does
	Estimate  *extractEstimate `json:"estimate,omitempty"`
	Error     string           `json:"error,omitempty"`
}

// extractEstimate compares with what the alert said.
type extractEstimate struct {
	Records int64 `json:"records"`
	Low     int64 `json:"low"`
	High    int64 `json:"high"`
	Within  bool  `json:"within"` // the number of customers lies within the bars
}

func (x *extraction) result(err error) *extractResult {
	a, s := x.sought.alert, &x.state
	r := &extractResult{
		DedupKey: s.Key, Dimension: a.Dimension, Identity: a.Identity, Since: alerting.Time(s.Since), Until: alerting.Time(s.Until),
		Records: s.Records, Events: s.Events, RowsAlone: s.RowsAlone, Capped: s.Capped, Rejected: s.Rejected,
	}
	for _, span := range s.Spans {
		if span.Short {
			r.Short = append(r.Short, fmt.Sprintf("%s/%d", span.Topic, span.Partition))
		}
	}
	if e := a.Exposed; !x.sought.moved && s.Done && e.High > 0 {
		r.Estimate = &extractEstimate{e.Records, e.Low, e.High, s.Records >= e.Low && s.Records <= e.High}
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// tell says what was found, also of a run that failed.
func (x *extraction) tell(w io.Writer, form string, err error) error {
	r := x.result(err)
	if form == "json" {
		line, _ := json.Marshal(r) // texts and numbers always marshal
		fmt.Fprintf(w, "%s\n", line)
		return told(err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s %s touched %s customers in %s events, from %s to %s.\n", r.Dimension, alerting.Printable(r.Identity, 200),
		alerting.Group(r.Records), alerting.Group(r.Events), r.Since, r.Until)
	if e := r.Estimate; e != nil {
		verdict := "within its bars"
		if !e.Within {
			verdict = "outside of its bars"
		}
		fmt.Fprintf(w, "The alert estimated %s (%s to %s): %s.\n", alerting.Group(e.Records), alerting.Group(e.Low), alerting.Group(e.High), verdict)
	}
	for _, note := range []struct {
		n    int64
		text string
	}{
		{r.RowsAlone, "rows were read in it whose customers the log does not name; they are not in the list."},
		{r.Capped, "events hold more ids than are kept of one; the list lacks some of theirs."},
		{r.Rejected, "records of the sources could not be read; whose they are is not known."},
		{int64(len(r.Short)), "source partitions begin after the interval does, since their retention has deleted what stood before; the list lacks it."},
	} {
		if note.n > 0 {
			fmt.Fprintf(w, "Beware: %s %s\n", alerting.Group(note.n), note.text)
		}
	}
	if x.sought.alert.Status != alerting.Close && !x.sought.moved {
		fmt.Fprintln(w, "The episode was open at its last alert; --until now lists what it has touched since.")
	}
	return nil
}
