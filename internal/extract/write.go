package extract

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/stream/kafka"
)

// Extraction writes what belongs to an episode. Close it after reading.
type Extraction struct {
	episode  *Episode
	match    *matcher
	progress *progress.Line
	where    []byte // beginning of an event's line: where it stands

	ids, events output
	// known holds a digest of each id that was written, so that a hundred
	// million of them fit the memory of one machine: 128 bits of SHA-256, of
	// which no two ids are ever known to share one.
	known map[[16]byte]struct{}
	line  []byte
	fault error // of a write

	stateFile string
	saved     time.Time
	state     state
}

// state is what stands in the state file: enough to go on.
type state struct {
	Key       string       `json:"dedup_key"`
	Since     int64        `json:"since_ms"`
	Until     int64        `json:"until_ms"`
	Spans     []kafka.Span `json:"spans"` // of topics, or of files, whose lines count as offsets
	IDBytes   int64        `json:"id_bytes"`
	EvBytes   int64        `json:"event_bytes"`
	Done      bool         `json:"done"`
	Records   int64        `json:"records"`
	Events    int64        `json:"events"`
	RowsAlone int64        `json:"rows_without_ids"`
	Capped    int64        `json:"capped_events"`
	Rejected  int64        `json:"rejected"`
}

// saveEvery is how often the state is written.
const saveEvery = 5 * time.Second

// Options say where an Extraction writes.
type Options struct {
	Out      string    // file for the customer ids; empty: Stdout
	Events   string    // file for the events; empty: none
	State    string    // file that lets the work go on after an interruption; empty: none
	UntilNow bool      // the interval ends now; a work that goes on keeps the now of its first run
	Stdout   io.Writer // what the customer ids go to if Out is empty
	Progress *progress.Line
}

// New opens the outputs and, where State names a file that is there, takes up
// the work where it was interrupted.
func New(e *Episode, h event.Hasher, o Options) (*Extraction, error) {
	x := &Extraction{episode: e, match: newMatcher(e, h), known: map[[16]byte]struct{}{}, stateFile: o.State, saved: time.Now(), progress: o.Progress}
	x.state = state{Key: e.alert.DedupKey, Since: e.since, Until: e.until}
	if err := x.resume(o); err != nil {
		return nil, err
	}
	if err := x.ids.open(o.Out, o.Stdout, x.state.IDBytes); err != nil {
		return nil, err
	}
	if o.Events != "" {
		if err := x.events.open(o.Events, nil, x.state.EvBytes); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// resume reads the state file, if there is one, and learns the ids that were
// written.
func (x *Extraction) resume(o Options) error {
	if o.State == "" {
		return nil
	}
	b, err := os.ReadFile(o.State)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	var have state
	if err := json.Unmarshal(b, &have); err != nil {
		return fmt.Errorf("reading the state in %s: %w; remove it to start over", o.State, err)
	}
	if o.UntilNow && have.Key == x.state.Key { // the now of the first run
		x.state.Until, x.episode.until = have.Until, have.Until
	}
	if have.Key != x.state.Key || have.Since != x.state.Since || have.Until != x.state.Until {
		return fmt.Errorf("the state in %s is of %s from %s to %s, not of %s from %s to %s: remove it to start over, or name another",
			o.State, have.Key, alerting.Time(have.Since), alerting.Time(have.Until), x.state.Key, alerting.Time(x.state.Since), alerting.Time(x.state.Until))
	}
	if (have.EvBytes > 0) != (o.Events != "") && have.Events > 0 {
		return fmt.Errorf("the state in %s was made with another --events: give it as before, or remove the state to start over", o.State)
	}
	x.state = have
	file, err := os.Open(o.Out)
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

func digest(id string) (d [16]byte) {
	sum := sha256.Sum256([]byte(id))
	copy(d[:], sum[:])
	return d
}

// value decodes one record and writes what belongs to the episode.
func (x *Extraction) value(d *fieldmap.Decoder, value []byte) {
	d.Decode(value, func(ev *event.Event, rej *event.Reject) {
		if rej != nil {
			x.state.Rejected++
			return
		}
		if x.match.matches(ev) {
			x.take(ev)
		}
	})
}

func (x *Extraction) take(ev *event.Event) {
	x.state.Events++
	x.state.RowsAlone += max(0, ev.Rows-int64(len(ev.Records)))
	if ev.Notes&event.RecordsCapped != 0 {
		x.state.Capped++
	}
	for _, id := range ev.Records {
		key := digest(idLine(id))
		if _, seen := x.known[key]; seen {
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
	x.line = append(x.line[:0], x.where...)
	at := len(x.line)
	x.line = event.AppendNative(x.line, ev)
	x.line = append(x.line[:at], x.line[at+1:]...) // its opening brace
	x.write(&x.events, append(x.line, '\n'))
}

// idLine is an id as it stands in the list: as it is, or as a JSON string
// where it would break the line.
func idLine(id string) string {
	if strings.ContainsAny(id, "\r\n\"") {
		return string(quoted(id))
	}
	return id
}

func (x *Extraction) write(to *output, line []byte) {
	if _, err := to.w.Write(line); err != nil && x.fault == nil {
		x.fault = fmt.Errorf("writing to %s: %w", to.name, err)
	}
	to.size += int64(len(line))
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
	b, err := json.MarshalIndent(&x.state, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	if err := os.WriteFile(x.stateFile+".new", append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	if err := os.Rename(x.stateFile+".new", x.stateFile); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	return nil
}

// Close ends the outputs and writes the state. done says that everything was
// read.
func (x *Extraction) Close(done bool) error {
	x.state.Done = done
	return errors.Join(x.fault, x.keep(), x.ids.close(), x.events.close())
}

// output is a file or stdout; the zero value is neither.
type output struct {
	name string
	file *os.File // nil: stdout
	w    *bufio.Writer
	size int64
}

// open opens a file for the operator alone, with what it holds beyond size cut
// off; or takes stdout.
func (o *output) open(name string, stdout io.Writer, size int64) error {
	o.name, o.size = name, size
	if name == "" {
		o.name, o.w = "stdout", bufio.NewWriterSize(stdout, 1<<16)
		return nil
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening the output: %w", err)
	}
	if err = file.Truncate(size); err == nil {
		_, err = file.Seek(size, io.SeekStart)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("opening the output: %w", err), file.Close())
	}
	o.file, o.w = file, bufio.NewWriterSize(file, 1<<16)
	return nil
}

func (o *output) sync() error {
	if o.w == nil {
		return nil
	}
	err := o.w.Flush()
	if err == nil && o.file != nil {
		err = o.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing to %s: %w", o.name, err)
	}
	return nil
}

func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}
