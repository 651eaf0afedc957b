package sources

import (
	"encoding/json"

	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// rejects gathers what could not be taken in: by source, reason and path, the
// offsets, as ranges. Only positions are kept, never values.
type rejects map[rejectKey][][2]int64

type rejectKey struct {
	src          stream.Source
	reason, path string
}

// mostRanges bounds one reject record.
const mostRanges = 1000

func (r rejects) add(src stream.Source, offset int64, reason, path string) {
	k := rejectKey{src, reason, path}
	ranges := r[k]
	if n := len(ranges); n > 0 && offset <= ranges[n-1][1]+1 {
		ranges[n-1][1] = offset
		return
	}
	r[k] = append(ranges, [2]int64{offset, offset})
}

// RejectRecord is one record on weir.rejects.
type RejectRecord struct {
	Topic     string     `json:"topic"`
	Partition int32      `json:"partition"`
	Reason    string     `json:"reason"`
	Path      string     `json:"path,omitempty"`
	Offsets   [][2]int64 `json:"offsets"` // first and last, inclusive
}

// encode returns the records for weir.rejects.
func (r rejects) encode() (values [][]byte) {
	for k, ranges := range r {
		for len(ranges) > 0 {
			part := ranges[:min(len(ranges), mostRanges)]
			ranges = ranges[len(part):]
			// A struct of strings and numbers always marshals.
			value, _ := json.Marshal(RejectRecord{k.src.Topic, k.src.Partition, k.reason, k.path, part})
			values = append(values, value)
		}
	}
	return values
}

// count adds the rejects to the metrics, once their records are committed.
func (r rejects) count(m *metrics.Metrics) {
	for k, ranges := range r {
		n := int64(0)
		for _, span := range ranges {
			n += span[1] - span[0] + 1
		}
		m.Rejects.WithLabelValues(k.src.Topic, metrics.Label(k.src.Partition), k.reason).Add(float64(n))
	}
}
