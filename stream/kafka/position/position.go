// Package position is what a task says of itself beside its offset, in the
// metadata of its consumer group: how far it is, what it holds and what it waits
// for. So everybody who may look at the groups can tell how a deployment is, and
// needs neither its state nor the address of a process. Brokers keep 4,096 bytes
// of metadata by default; each form here stays far below.
package position

import (
	"encoding/json"
	"fmt"

	"github.com/weirhq/weir/stream"
)

// Join is what the join says of a partition of tokens. Times are event time,
// Unix ms.
type Join struct {
	Closed int64 `json:"closed"`           // up to which reads and logins are matched; 0: nothing yet
	Held   int64 `json:"held,omitempty"`   // tokens whose reads wait for a login
	Logins bool  `json:"logins,omitempty"` // one has been seen
}

// Detect is what detect says of a partition of identities. Times are event time,
// Unix ms.
type Detect struct {
	Closed     int64   `json:"closed"`               // up to which it is judged; 0: nothing yet
	Judged     int64   `json:"judged,omitempty"`     // the same, or where the first events begin that wait; 0: none have come
	Watermark  int64   `json:"watermark,omitempty"`  // up to which input is complete
	Holder     string  `json:"holder,omitempty"`     // the source partition that holds the watermark back: topic/partition
	Waiting    bool    `json:"waiting,omitempty"`    // for correlate's parameters of the bin before
	Identities []int64 `json:"identities,omitempty"` // by dimension, in the order of the configuration
	// Facts tells whether facts are judged, Missing which of their inputs have
	// never been seen.
	Facts   bool     `json:"facts,omitempty"`
	Missing []string `json:"missing,omitempty"`
	// NeverSeen is what this partition has never seen to act, of which facts tell.
	NeverSeen stream.NeverSeen `json:"never_seen,omitzero"`
}

// Correlate is what correlate says of the fleet. Times are event time, Unix ms.
type Correlate struct {
	Closed    int64   `json:"closed"`          // up to which alerts are told; 0: nothing yet
	Since     int64   `json:"since,omitempty"` // start of the first day of the log
	Open      int     `json:"open"`            // episodes, campaigns among them
	Campaigns int     `json:"campaigns"`
	HeldBack  int     `json:"held_back"` // open episodes that people have no message of
	Verdicts  int     `json:"verdicts"`  // that wait for an episode
	Realised  float64 `json:"realised"`  // statistical episodes told of, a day, over the last 28 days
	// Thresholds are in nats, by dimension in the order of the configuration, then by
	// group of statistics in the order of score.Group.
	Thresholds [][]float64 `json:"thresholds"`
	// Rare are, in the same order, the numbers of fleet.Calibration, rounded to tenths: judged,
	// expected and counted. They are of the first MostRare dimensions.
	Rare [][][3]float64 `json:"rare,omitempty"`
}

// MostRare is for how many dimensions Correlate.Rare is told: a dimension takes 100 bytes.
const MostRare = 16

// Notify is what a destination's task says of its heartbeats, and of the message that it
// fails to deliver. Times are wall clock, Unix ms.
type Notify struct {
	Failing  int64  `json:"failing,omitempty"`  // when the last attempt failed that is to be repeated; 0: none
	Attempts int    `json:"attempts,omitempty"` // at that message, so far
	Reason   string `json:"reason,omitempty"`   // what the attempt said, at most MaxReason bytes; no secrets
	Sent     int64  `json:"sent,omitempty"`     // when the last heartbeat was sent; 0: none was
	Next     int64  `json:"next,omitempty"`     // when the next heartbeat is due; 0: none are
}

// MaxReason bounds Notify.Reason, in bytes.
const MaxReason = 512

// Encode returns the metadata of a position, which is one of the types above.
func Encode(position any) string {
	text, err := json.Marshal(position)
	if err != nil {
		panic(fmt.Sprintf("position: numbers and text do not marshal: %v", err)) // a mistake in this file
	}
	return string(text)
}

// Decode reads what Encode wrote into a position. Of metadata that something else
// has written it keeps nothing, and reports that.
func Decode(metadata string, position any) bool {
	return json.Unmarshal([]byte(metadata), position) == nil
}
