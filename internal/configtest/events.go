package configtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream/correlate"
)

// made is the events of a test, in order of time, and what could not be read.
type made struct {
	events   []*event.Event
	rejected []*event.Reject
}

// events makes what goes into a test.
func (s *Suite) events(t *Test, loc *time.Location) (*made, error) {
	m := &made{}
	for i := range t.Events {
		if err := s.add(m, &t.Events[i], loc); err != nil {
			return nil, fmt.Errorf("making events %d: %w", i+1, err)
		}
	}
	slices.SortStableFunc(m.events, func(a, b *event.Event) int { return int(a.Time - b.Time) })
	return m, nil
}

func (s *Suite) add(m *made, e *Events, loc *time.Location) error {
	if e.Pattern != nil {
		var lines bytes.Buffer
		if err := e.Pattern.write(&lines, loc); err != nil {
			return err
		}
		return m.read(&lines, "native")
	}
	format := cmp.Or(e.Format, "native")
	if !slices.Contains(fieldmap.Names(), format) {
		format = s.path(format)
	}
	if e.Lines != "" {
		return m.read(strings.NewReader(e.Lines), format)
	}
	file, err := files.Open(s.path(e.File))
	if err != nil {
		return err
	}
	defer file.Close()
	return m.read(file, format)
}

// path returns the path of a file that the suite names.
func (s *Suite) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

// read decodes what a reader holds.
func (m *made) read(r io.Reader, format string) error {
	f, err := files.LoadFormat(format)
	if err != nil {
		return err
	}
	values, decoder := files.NewReader(r, f), f.NewDecoder()
	for {
		value, _, err := values.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		decoder.Decode(value, func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				m.rejected = append(m.rejected, rej)
				return
			}
			m.events = append(m.events, ev.Clone())
		})
	}
}

// window returns when the pattern goes on; without hours that is all day.
func (p *Pattern) window() (w correlate.Weekly, err error) {
	for _, name := range p.Days {
		if on := (&config.Weekly{Days: []string{name}}).Weekdays(); on == [7]bool{} {
			return w, fmt.Errorf("there is no day %q; want mon to sun", name)
		}
	}
	w.Days = (&config.Weekly{Days: p.Days}).Weekdays()
	if p.Hours == "" {
		return w, nil
	}
	from, to, _ := strings.Cut(p.Hours, "-") // without a dash there is no end, which is no time of day
	start, err := time.Parse("15:04", from)
	end, err2 := time.Parse("15:04", to)
	if err != nil || err2 != nil {
		return w, fmt.Errorf("hours %q: want such as 09:00-17:00", p.Hours)
	}
	w.Start, w.End = start.Hour()*60+start.Minute(), end.Hour()*60+end.Minute()
	return w, nil
}

// write writes the events of a pattern as native lines. The times, and how many
// records an event reads, are drawn by dice that follow from the pattern.
func (p *Pattern) write(out *bytes.Buffer, loc *time.Location) error {
	w, err := p.window()
	if err != nil {
		return err
	}
	template, err := json.Marshal(p.Event)
	if err != nil {
		return fmt.Errorf("reading the event of a pattern: %w", err)
	}
	for n := 1; n <= max(p.Names, 1); n++ {
		text := strings.ReplaceAll(string(template), "{n}", fmt.Sprint(n))
		if err := p.writeName(out, text, &w, loc); err != nil {
			return err
		}
	}
	return nil
}

// writeName writes the events of one name.
func (p *Pattern) writeName(out *bytes.Buffer, text string, w *correlate.Weekly, loc *time.Location) error {
	sum := fnv.New64a()
	fmt.Fprint(sum, text, p.From.UnixMilli())
	dice := rand.New(rand.NewPCG(sum.Sum64(), 1)) //nolint:gosec // the same events in each run
	var ev map[string]any
	if err := json.Unmarshal([]byte(text), &ev); err != nil {
		return fmt.Errorf("reading the event of a pattern: %w", err)
	}
	if ev == nil {
		ev = map[string]any{}
	}
	fresh, every := 0, time.Duration(p.Every)
	for slot := p.From; slot.Before(p.Until); slot = slot.Add(every) {
		at := slot.Add(time.Duration(dice.Int64N(int64(every))))
		reads := 0
		if p.Records > 0 {
			reads = 1 + dice.IntN(2*p.Records-1) // from 1 to twice the mean
		}
		if !w.Holds(at.UnixMilli(), loc) || !at.Before(p.Until) {
			continue
		}
		ev["time"] = at.UTC().Format(time.RFC3339Nano)
		if reads > 0 {
			records := make([]string, reads)
			for i := range records {
				fresh++
				number := fresh
				if p.Of > 0 {
					number = dice.IntN(p.Of)
				}
				records[i] = fmt.Sprintf("%x-%d", sum.Sum64(), number)
			}
			ev["records"] = records
		}
		line, err := json.Marshal(ev)
		if err != nil {
			return fmt.Errorf("writing the event of a pattern: %w", err)
		}
		out.Write(append(line, '\n'))
	}
	return nil
}
