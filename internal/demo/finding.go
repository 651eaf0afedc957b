package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
)

// finding holds an alert against the truth.
type finding struct {
	Leak    string        `json:"leak"`            // what is stolen, and how
	Start   alerting.Time `json:"leak_start"`      // first theft
	Alert   alerting.Time `json:"alert_time"`      // when it was raised
	Delay   string        `json:"delay"`           // from the first theft to the alert, in event time
	Leaked  int           `json:"leaked"`          // customers taken until then
	False   int           `json:"false_alarms"`    // episodes opened before the leak
	Days    float64       `json:"quiet_days"`      // in which they were opened
	Names   []string      `json:"false_alarms_of"` // identities of these, by dimension
	Budget  float64       `json:"budget_per_day"`
	Watched int64         `json:"events"`
}

// finding holds an alert about a leak against the truth.
func (s *state) finding(a *alerting.Alert) finding {
	leak := s.truth.leakOf(a)
	began, customers := s.truth.leaked(leak, int64(a.Time))
	first := alerting.Time(s.truth.firstTheft())
	f := finding{
		Leak: s.truth.describe(leak), Start: alerting.Time(began), Alert: a.Time, Leaked: customers,
		Delay:  time.Duration((int64(a.Time) - began) * int64(time.Millisecond)).Round(time.Minute).String(),
		Days:   first.Std().Sub(s.start).Hours() / 24,
		Names:  []string{},
		Budget: a.Evidence.Budget, Watched: s.events,
	}
	for _, old := range s.openedBefore(first) {
		f.False++
		f.Names = append(f.Names, old.Dimension+" "+alerting.Printable(old.Identity, 60))
	}
	return f
}

// openedBefore returns the episodes that opened before an event time.
func (s *state) openedBefore(t alerting.Time) (out []*alerting.Alert) {
	for _, a := range s.alerts {
		if a.Status == alerting.Open && a.Time < t {
			out = append(out, a)
		}
	}
	return out
}

const timeLayout = "Mon 2 Jan 15:04"

// truthLine says what was true when the alert was raised.
func (f *finding) truthLine() string {
	return fmt.Sprintf("The truth: %s, since %s. The alert came %s later; %s customers were gone by then.",
		f.Leak, f.Start.Std().Format(timeLayout), spell(f.Alert.Std().Sub(f.Start.Std())), alerting.Group(int64(f.Leaked)))
}

// quietLine says what else was raised before there was any leak.
func (f *finding) quietLine() string {
	before := fmt.Sprintf("In the %.1f quiet days before,", f.Days)
	switch f.False {
	case 0:
		return before + " nothing was raised."
	case 1:
		return before + " 1 false alarm was raised: " + f.Names[0] + "."
	}
	return fmt.Sprintf("%s %d false alarms were raised, %.1f a day where the budget allows %g: %s.",
		before, f.False, float64(f.False)/f.Days, f.Budget, strings.Join(f.Names, ", "))
}

func (f *finding) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "\n%s\n%s\n", f.truthLine(), f.quietLine())
	return err
}

func (f *finding) json(w io.Writer) error {
	line, _ := json.Marshal(f) // a struct of numbers and strings always marshals
	_, err := fmt.Fprintf(w, "%s\n", line)
	return err
}

// spell writes a duration as people say it, in minutes or hours and minutes.
func spell(d time.Duration) string {
	m := int(d.Round(time.Minute) / time.Minute)
	switch {
	case m == 1:
		return "1 minute"
	case m < 60:
		return fmt.Sprintf("%d minutes", m)
	}
	return fmt.Sprintf("%d h %02d min", m/60, m%60)
}

// explain says at the end what was seen, and what to try next.
func (s *state) explain(w io.Writer, found *alerting.Alert) {
	fmt.Fprintf(w, "\n%s events of a simulated company went through an embedded Kafka broker and the pipeline of `weir run`.\n", alerting.Group(s.events))
	switch {
	case found != nil:
		f := s.finding(found)
		fmt.Fprintf(w, "\n%s\n\n%s\n%s\n", found.Summary, f.truthLine(), f.quietLine())
	case s.truth.stealing():
		fmt.Fprintf(w, "\nA leak had begun at %s and was not found yet.\n", alerting.Time(s.truth.firstTheft()).Std().Format(timeLayout))
	default:
		fmt.Fprintf(w, "\nThe leak had not begun yet; %d alerts were raised.\n", len(s.alerts))
	}
	fmt.Fprint(w, `
Try next:
  weir demo --once -o json                    the whole alert, with all its evidence
  weir backtest access.ndjson.gz              what weir would have said of your own log
  weir simulate --scenario scrape --out f.gz  another leak; weir simulate --help lists them
  weir run -c weir.yaml                       watch a Kafka topic; docs/configuration.md
`)
}
