package extract

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream/ingest"
)

// Extraction writes what belongs to an episode. Close it after reading.
type Extraction struct {
	episode  *Episode
	match    *matcher
	only     choice
	ingest   ingest.Config
	future   int64 // ms: how far an event may be dated past its record's timestamp
	progress *progress.Line
	counted  *counted
	at       place  // the record in hand
	stamp    int64  // of the record in hand, Unix ms
	where    []byte // beginning of an event's line: where it stands

	ids, events output
	// known holds a digest of each id that was written, so that a hundred
	// million of them fit the memory of one machine: 128 bits of SHA-256, of
	// which no two ids are ever known to share one.
	known map[[16]byte]struct{}
	line  []byte
	fault error // of a write

	goesOn    bool // after an interruption
	stateFile string
	saved     time.Time
	state     state
}

// Options say where an Extraction writes.
type Options struct {
	Out      string    // file for the customer ids; empty: Stdout
	Events   string    // file for the events; empty: none
	State    string    // file that lets the work go on after an interruption; empty: none
	Only     Only      // which part is listed
	UntilNow bool      // the interval ends now; a work that goes on keeps the now of its first run
	Stdout   io.Writer // what the customer ids go to if Out is empty
	Progress *progress.Line
}

// New opens the outputs and, where State names a file that is there, takes up
// the work where it was interrupted.
func New(e *Episode, s *settings.Settings, o Options) (*Extraction, error) {
	x := &Extraction{
		episode: e, match: newMatcher(e, s.Hasher, s.Ingest.Aliases), only: choice{only: o.Only, retention: s.Ingest.Retention}, future: s.Ingest.Future, ingest: s.Ingest, stamp: time.Now().UnixMilli(),
		known: map[[16]byte]struct{}{}, stateFile: o.State, saved: time.Now(), progress: o.Progress,
	}
	x.counted = newCounted(s.Ingest, x.found)
	x.state = state{Key: e.alert.DedupKey, Only: o.Only, Since: e.since, Until: e.until}
	if err := x.resume(o); err != nil {
		return nil, err
	}
	if err := x.ids.open(o.Out, o.Stdout, x.state.IDBytes, x.goesOn); err != nil {
		return nil, err
	}
	var err error
	if o.Events != "" {
		err = x.events.open(o.Events, nil, x.state.EvBytes, x.goesOn)
	}
	if err == nil {
		err = x.keep() // from here on the files belong to the state
	}
	if err != nil {
		return nil, errors.Join(err, x.ids.discard(x.goesOn), x.events.discard(x.goesOn))
	}
	return x, nil
}

// digest returns 128 bits that stand for an id.
func digest(id string) (d [16]byte) {
	sum := sha256.Sum256([]byte(id))
	copy(d[:], sum[:])
	return d
}

// decoded takes in what a decoder has found in the record in hand.
func (x *Extraction) decoded(ev *event.Event, rej *event.Reject) {
	if rej != nil {
		x.state.Rejected++
		return
	}
	x.counted.event(x.at, x.stamp, x.where, ev)
}

// found writes an event that counts at a time, if it belongs to the episode.
func (x *Extraction) found(ev *event.Event, at int64, where []byte) {
	if x.match.matches(ev, at) && x.only.event(ev, at) {
		x.take(ev, where)
	}
}

// take writes the ids of an event that are new, and the event if events are
// written.
func (x *Extraction) take(ev *event.Event, where []byte) {
	x.state.Events++
	x.state.RowsAlone += max(0, ev.Rows-int64(len(ev.Records)))
	if ev.Notes&event.RecordsCapped != 0 {
		x.state.Capped++
	}
	for _, id := range ev.Records {
		key := digest(idLine(id))
		if _, seen := x.known[key]; seen || !x.only.record(key) {
			continue
		}
		x.known[key] = struct{}{}
		x.state.Records++
		x.write(&x.ids, append(append(x.line[:0], idLine(id)...), '\n'))
	}
	if x.events.w == nil {
		return
	}
	if ev.Session != "" {
		ev.Session = string(x.match.hasher.AppendSession(nil, ev.Session))
	}
	x.line = append(x.line[:0], where...)
	at := len(x.line)
	x.line = event.AppendNative(x.line, ev)
	x.line = append(x.line[:at], x.line[at+1:]...) // its opening brace
	x.write(&x.events, append(x.line, '\n'))
}

// write writes a line and keeps the first fault.
func (x *Extraction) write(to *output, line []byte) {
	if _, err := to.w.Write(line); err != nil && x.fault == nil {
		x.fault = fmt.Errorf("writing to %s: %w", to.name, err)
	}
	to.size += int64(len(line))
}

// Close ends the outputs and writes the state. done says that everything was
// read.
func (x *Extraction) Close(done bool) error {
	x.state.Done = done
	return errors.Join(x.fault, x.keep(), x.ids.close(), x.events.close())
}
