package trial

import (
	"github.com/weirhq/weir/lab/exact"
)

// Detector judges users by the hour.
type Detector interface {
	// New returns the state of an identity that has done nothing yet.
	New() any
	// Clone returns a copy of a state that shares nothing with it.
	Clone(state any) any
	// Judge takes in an hour with work of an identity and returns how suspect it
	// is, in whatever unit. Of a shadow nothing is learned about others.
	Judge(state any, hour int64, c *exact.Counts, shadow bool) float64
	// EndHour ends the hour for all.
	EndHour(hour int64)
}

// point is an hour's evidence.
type point struct {
	hour int64
	log  float64
}

// outcome is what a detector made of a log and its leaks.
type outcome struct {
	calm  [][]point // by identity: hours with evidence above least
	leaks [][]point // by leak: running maxima
}

// least is the evidence below which nothing is kept: no threshold lies there.
const least = 0.5

// shadow is a leak being played.
type shadow struct {
	leak  int
	state any
}

// play runs a detector over the log and its leaks.
func (l *Log) play(d Detector, leaks []*Leak) *outcome {
	out := &outcome{calm: make([][]point, len(l.Names)), leaks: make([][]point, len(leaks))}
	states := make([]any, len(l.Names))
	waiting := make([][]int, len(l.Names))
	shadows := make([][]shadow, len(l.Names))
	for i, k := range leaks {
		waiting[k.Actor] = append(waiting[k.Actor], i)
	}
	for _, h := range l.Hours {
		for i := range h.Rows {
			row := &h.Rows[i]
			if states[row.ID] == nil {
				states[row.ID] = d.New()
			}
			rest := waiting[row.ID][:0]
			for _, k := range waiting[row.ID] {
				if leaks[k].From <= h.Hour {
					shadows[row.ID] = append(shadows[row.ID], shadow{k, d.Clone(states[row.ID])})
				} else {
					rest = append(rest, k)
				}
			}
			waiting[row.ID] = rest
			running := shadows[row.ID][:0]
			for _, s := range shadows[row.ID] {
				k := leaks[s.leak]
				if k.To <= h.Hour {
					continue
				}
				c := k.add(h.Hour, row.Counts)
				log := d.Judge(s.state, h.Hour, &c, true)
				if p := out.leaks[s.leak]; log > least && (len(p) == 0 || log > p[len(p)-1].log) {
					out.leaks[s.leak] = append(p, point{h.Hour, log})
				}
				running = append(running, s)
			}
			shadows[row.ID] = running
			c := row.Counts
			if log := d.Judge(states[row.ID], h.Hour, &c, false); log > least {
				out.calm[row.ID] = append(out.calm[row.ID], point{h.Hour, log})
			}
		}
		d.EndHour(h.Hour)
	}
	return out
}
