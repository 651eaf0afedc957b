// Package status tells how a deployment is, and why it says what it says or
// nothing: who works, what comes in, what is learned, which facts lack their
// input, what is judged and where messages go. It reads what the deployment's
// processes leave in Kafka (offsets, what tasks say beside them, rejects,
// deliveries), so that anybody may ask who reaches the brokers, and a process that
// is gone shows.
package status

import (
	"fmt"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream"
)

// Status is how a deployment is at one moment.
type Status struct {
	Time         alerting.Time `json:"time"` // wall clock at which this was found out
	Group        string        `json:"group"`
	Roles        []Role        `json:"roles"`
	Sources      []Source      `json:"sources"`
	Learning     Learning      `json:"learning"`
	Facts        Facts         `json:"facts"`
	Dimensions   []Dimension   `json:"dimensions"`
	Budget       Budget        `json:"budget"`
	Episodes     Episodes      `json:"episodes"`
	Destinations []Destination `json:"destinations"`
	// Faults are what somebody must mend, a sentence each. Reasons say why little
	// or nothing is said although nothing is broken. One of the two has a sentence
	// at least.
	Faults  []string `json:"faults"`
	Reasons []string `json:"reasons"`
}

// Role is one part of the work, and who does it.
type Role struct {
	Name      string        `json:"role"`
	Processes int           `json:"processes"`
	Hosts     []string      `json:"hosts"`
	Reached   alerting.Time `json:"reached,omitempty"` // event time up to which all of it is done
	Waiting   int64         `json:"waiting"`           // records that it has not taken in
}

// Source is one topic of events.
type Source struct {
	Topic      string        `json:"topic"`
	Partitions int           `json:"partitions"`
	LastEvent  alerting.Time `json:"last_event,omitempty"` // largest event time that was read
	LagSeconds float64       `json:"lag_seconds"`          // wall clock less LastEvent
	Waiting    int64         `json:"waiting"`              // records that are not read
	Deleted    int64         `json:"deleted"`              // records that retention has deleted before they were read
	// LastHour counts the records that Kafka stamped within the hour before Time.
	LastHour int64    `json:"last_hour"`
	Rejected []Reject `json:"rejected"` // within the day before Time, most first
	// Holds names the partition that all others wait for, as topic/partition; empty:
	// it is not one of this topic.
	Holds string `json:"holds,omitempty"`

	missing bool  // there is no such topic
	stretch int64 // offsets from the first to the last that was rejected, over all partitions
}

// Reject counts records that could not be taken in.
type Reject struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// rejected returns how many records could not be taken in.
func (s *Source) rejected() (n int64) {
	for _, r := range s.Rejected {
		n += r.Count
	}
	return n
}

// Learning says since when the statistics learn, and from when they speak.
type Learning struct {
	Since alerting.Time `json:"since,omitempty"` // start of the log's first day
	Until alerting.Time `json:"until,omitempty"` // before this they know too little of most and speak late
	Done  bool          `json:"done"`            // event time has reached Until
}

// LearningTime is how much of a log the statistics need.
const LearningTime = 14 * 24 * time.Hour

// Facts says which inputs of facts have been seen.
type Facts struct {
	Known  bool    `json:"known"` // detect has told; else Inputs is empty
	Inputs []Input `json:"inputs"`
	// Tokens wait for a login that may still come: what was read through them is
	// not judged yet.
	Tokens int64 `json:"tokens_waiting"`
	// NeverSeen are accounts and keys of which facts tell, and by which nobody acts.
	NeverSeen stream.NeverSeen `json:"never_seen"`
}

// Input is a kind of facts.
type Input struct {
	Name  string   `json:"input"`
	Seen  bool     `json:"seen"`
	Facts []string `json:"facts"` // that cannot be told without it

	holds string // in words
}

// Dimension says how many identities one dimension has, and what opens an
// episode.
type Dimension struct {
	Name       string `json:"dimension"`
	Identities int64  `json:"identities"`
	// Thresholds are what log evidence must reach, in nats, by group of statistics;
	// nil: not told yet.
	Thresholds map[string]float64 `json:"thresholds,omitempty"`
	// Rare says, by the same groups, whether what is called rarer than one in a thousand was
	// that rare; without those of which nothing was judged yet.
	Rare map[string]Rare `json:"rare,omitempty"`
}

// Rare is how often what is called rarer than one in a thousand came. The numbers fade: what was
// counted 120 days ago counts for 0.37.
type Rare struct {
	Judged   float64 `json:"judged"`   // days, of burst bins, that were judged: by each statistic and horizon once
	Expected float64 `json:"expected"` // of them, that lie beyond the level by what was said before they came
	Counted  float64 `json:"counted"`  // that did
}

// Times returns how many times as often as was said it came, and false while too few are
// expected to tell.
func (r Rare) Times() (times float64, known bool) {
	if r.Expected < enoughRare {
		return 0, false
	}
	return r.Counted / r.Expected, true
}

// Words says it to people.
func (r Rare) Words() string {
	times, known := r.Times()
	switch {
	case !known:
		return "too few to tell yet"
	case times > 2:
		return fmt.Sprintf("%.1f times as often as was said: evidence says too much", times)
	case times < 0.5:
		return fmt.Sprintf("%.1f times as often as was said: on the safe side", times)
	}
	return fmt.Sprintf("about as rare as was said (%.1f times)", times)
}

// enoughRare is how many must be expected before they are held against what came: of 5, chance
// alone makes 1 to 9.
const enoughRare = 5

// Budget is the budget of statistical episodes, and what was used of it.
type Budget struct {
	PerDay   float64 `json:"per_day"`
	Realised float64 `json:"realised"` // a day of event time, over the last 28 days
}

// Episodes counts what is open.
type Episodes struct {
	Open      int `json:"open"` // campaigns among them
	Campaigns int `json:"campaigns"`
	HeldBack  int `json:"held_back"`        // people have no message of them
	Verdicts  int `json:"verdicts_waiting"` // on episodes that are not known (yet)
}

// Destination is one place to which messages go.
type Destination struct {
	Name      string        `json:"destination"`
	Type      string        `json:"type"`
	Waiting   int64         `json:"waiting"` // records of the alerts topic that it has not worked through
	Last      alerting.Time `json:"last,omitempty"`
	Outcome   string        `json:"outcome,omitempty"` // of the last
	Delivered int64         `json:"delivered"`         // within the week before Time
	Failed    int64         `json:"failed"`            // given up or refused, within the same week
	Reason    string        `json:"reason,omitempty"`  // of the last failure
	// Failing tells that the last attempt has failed and will be repeated, at
	// RetryAttempts attempts so far.
	Failing       bool `json:"failing"`
	RetryAttempts int  `json:"retry_attempts,omitempty"`
	// Heartbeat says whether it is to get heartbeats; Sent is when it took the last one,
	// Next when the next is due.
	Heartbeat bool          `json:"heartbeat"`
	Sent      alerting.Time `json:"heartbeat_sent,omitempty"`
	Next      alerting.Time `json:"heartbeat_next,omitempty"`
}
