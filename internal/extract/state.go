package extract

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// state is what stands in the state file: enough to go on.
type state struct {
	Key       string         `json:"dedup_key"`
	Only      Only           `json:"only,omitempty"`
	Since     int64          `json:"since_ms"`
	Until     int64          `json:"until_ms"`
	Spans     []cluster.Span `json:"spans"` // of topics, or of files, whose lines count as offsets
	IDBytes   int64          `json:"id_bytes"`
	EvBytes   int64          `json:"event_bytes"`
	Done      bool           `json:"done"`
	Records   int64          `json:"records"`
	Events    int64          `json:"events"`
	RowsAlone int64          `json:"rows_without_ids"`
	Capped    int64          `json:"capped_events"`
	Rejected  int64          `json:"rejected"`
	// Progress is how far the sources were judged: what waited is read again.
	Progress []stream.Progress `json:"progress,omitempty"`
}

// saveEvery is how often the state is written.
const saveEvery = 5 * time.Second

// resume reads the state file, if there is one, and learns the ids that were
// written.
func (x *Extraction) resume(o Options) error {
	if o.State == "" {
		return nil
	}
	have, err := readState(o.State)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.UntilNow && have.Key == x.state.Key { // the now of the first run
		x.state.Until, x.episode.until = have.Until, have.Until
	}
	if have.Key != x.state.Key || have.Since != x.state.Since || have.Until != x.state.Until {
		return fmt.Errorf("the state in %s is of %s from %s to %s, not of %s from %s to %s: remove it to start over, or name another",
			o.State, have.Key, alerting.Time(have.Since), alerting.Time(have.Until), x.state.Key, alerting.Time(x.state.Since), alerting.Time(x.state.Until))
	}
	if have.Only != x.state.Only {
		return fmt.Errorf("the state in %s is of another choice (--only %q, not %q): give it as before, or remove the state to start over", o.State, have.Only, x.state.Only)
	}
	if (have.EvBytes > 0) != (o.Events != "") && have.Events > 0 {
		return fmt.Errorf("the state in %s was made with another --events: give it as before, or remove the state to start over", o.State)
	}
	x.state, x.goesOn = *have, true
	file, err := openOwn(o.Out, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) && have.IDBytes == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the ids that were written: %w; remove %s to start over", err, o.State)
	}
	defer file.Close()
	scan := bufio.NewScanner(io.LimitReader(file, have.IDBytes))
	for scan.Scan() {
		x.known[digest(scan.Text())] = struct{}{}
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("reading the ids that were written: %w; remove %s to start over", err, o.State)
	}
	if n := int64(len(x.known)); n != have.Records {
		return fmt.Errorf("%s holds %d ids where the state in %s tells of %d: remove the state to start over", o.Out, n, o.State, have.Records)
	}
	return nil
}

// readState reads a state file.
func readState(name string) (*state, error) {
	file, err := openOwn(name, os.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	defer file.Close()
	var have state
	if err := json.NewDecoder(file).Decode(&have); err != nil {
		return nil, fmt.Errorf("reading the state in %s: %w; remove it to start over", name, err)
	}
	return &have, nil
}

// save writes the state now and then, with a record of a span taken that the
// span does not count yet. It returns the first fault of a write.
func (x *Extraction) save(topic string, partition int32, offset int64) error {
	if x.fault != nil || x.stateFile == "" || time.Since(x.saved) < saveEvery {
		return x.fault
	}
	for i := range x.state.Spans {
		if s := &x.state.Spans[i]; s.Topic == topic && s.Partition == partition {
			s.Next = offset + 1
		}
	}
	return x.keep()
}

// keep writes what was found and then the state that counts it.
func (x *Extraction) keep() error {
	x.saved = time.Now()
	if err := errors.Join(x.ids.sync(), x.events.sync()); err != nil {
		return err
	}
	x.state.IDBytes, x.state.EvBytes = x.ids.size, x.events.size
	if x.stateFile == "" {
		return nil
	}
	now := x.state
	if progress := x.counted.ingest.Progress(); len(progress) > 0 { // else nothing was read in this run
		now.Progress = progress
	}
	now.Spans = slices.Clone(now.Spans)
	for _, p := range now.Progress {
		for i := range now.Spans {
			if s := &now.Spans[i]; s.Topic == p.Topic && s.Partition == p.Partition {
				s.Next = min(s.Next, p.Replay)
			}
		}
	}
	if err := writeState(x.stateFile, &now); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	return nil
}

// writeState puts a new state file in the place of the old one.
func writeState(name string, s *state) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	next := name + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) { // of a run that was killed
		return err
	}
	file, err := create(next)
	if err != nil {
		return err
	}
	_, err = file.Write(append(b, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(next, name)
}
