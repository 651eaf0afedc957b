package detect

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/exposure"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
)

// desk is an ingest and a detect task, and the bins that correlate would have
// judged to be calm.
type desk struct {
	t      *testing.T
	ingest *ingest.Worker
	detect *Task
	engine *score.Engine
	grid   eventtime.Grid
	offset int64
	found  []stream.Candidate
	// threshold is what the evidence must reach, in nats.
	threshold float64
	changes   []stream.Change // of the state, that were taken last
}

var deskSource = stream.Source{Topic: "access", Partition: 0}

const (
	deskStart = int64(490_000) * 3_600_000 // the beginning of some hour, Unix ms
	minutes   = int64(60_000)
)

func newDesk(t *testing.T) *desk {
	t.Helper()
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dims := event.DefaultDimensions()
	names := make([]string, len(dims))
	for i := range dims {
		names[i] = dims[i].Name
	}
	d := &desk{t: t, grid: grid, threshold: fleet.FirstThreshold, engine: score.NewEngine(time.Hour, time.UTC, score.DefaultTuning())}
	d.ingest = ingest.New(ingest.Config{
		Grid: grid, Dimensions: dims, Hasher: event.FixedHasher(), Partitions: 1,
		Lateness: 10 * minutes, Future: 10 * minutes, Retention: 30 * 24 * 60 * minutes,
	})
	d.ingest.Assign(ingest.NoProgress(deskSource, 0))
	d.detect = New(Config{
		Grid: grid, Dimensions: names, Persons: Persons(dims), Peers: DefaultPeers(dims), Engine: d.engine,
		Lateness: 10 * minutes, Retention: 30 * 24 * 60 * minutes, SnapshotTicks: 12,
	})
	return d
}

// act lets somebody do something so many minutes after the start.
func (d *desk) act(at int64, ev event.Event) {
	d.t.Helper()
	ev.Time = deskStart + at*minutes
	d.ingest.Fold(deskSource, ev.Time, &ev)
}

// work hands on what was folded and closes what can be closed.
func (d *desk) work() {
	d.t.Helper()
	d.ingest.End(deskSource) // nothing waits for what comes after it
	d.ingest.SetIdle(deskSource, false)
	d.ingest.Flush([]stream.Topic{{Name: "access", Partitions: 1}}, nil, func(_ int32, value []byte) {
		b, err := stream.DecodeBatch(value)
		if err == nil {
			err = d.detect.Apply(d.offset, b)
		}
		if err != nil {
			d.t.Fatal(err)
		}
		d.offset++
	})
	for d.detect.Advance() {
		p := *score.Defaults(len(event.DefaultDimensions()), d.threshold)
		p.Bin = d.grid.BinOfTick(d.detect.next()) - 1
		d.detect.SetParameters(&stream.ParameterRecord{Parameters: &p})
	}
	if r, changes := d.detect.Take(); r != nil {
		d.found = append(d.found, r.Candidates...)
		d.changes = changes
	}
}

// until lets time pass, by an event that nobody is behind.
func (d *desk) until(at int64) {
	d.t.Helper()
	d.act(at+10, event.Event{})
	d.work()
}

// counts returns what is counted of an identity in its open bin.
func (d *desk) counts(dimension int, name string) score.Counts {
	d.t.Helper()
	id := d.detect.people.known(append([]byte{byte(dimension)}, name...))
	if id == nil {
		d.t.Fatalf("nothing is known of %s", name)
	}
	return d.detect.counts(id)
}

// encode returns the binary form of an identity.
func (d *desk) encode(id *identity) []byte {
	value, _ := id.encode(d.grid, nil)
	return value
}

const dimUser, dimKey = 0, 1

// Rows add up, what is destroyed and who acts count once a bin, whatever the
// ticks and batches; and with the bin all of it is gone.
func TestOpenBinCounts(t *testing.T) {
	d := newDesk(t)
	for tick := range int64(3) {
		d.act(5*tick, event.Event{Actor: "ann", KeyID: "k", Action: event.Delete, Records: []string{"a", "b"}})
		d.act(5*tick, event.Event{Actor: "ann", KeyID: "k", Action: event.Update, Records: []string{"b", "c"}})
		d.act(5*tick, event.Event{Actor: "ann", KeyID: "k", Records: []string{"d"}})
		d.act(5*tick, event.Event{Actor: "ann", KeyID: "k", Action: event.Export, Rows: 1000, ID: fmt.Sprint(tick)})
		d.act(5*tick, event.Event{Actor: "ann", KeyID: "k", Action: event.Export, Rows: 1000, ID: fmt.Sprint(tick)})
		d.work()
		for who := range 40 {
			d.act(5*tick, event.Event{Actor: fmt.Sprint("u", who), KeyID: "k", Records: []string{"e"}})
		}
		d.work()
	}
	d.until(30)
	want := score.Counts{score.Distinct: 4, score.FirstTouch: 4, score.Rows: 3000, score.Destructive: 3}
	if got := d.counts(dimUser, "ann"); got != want {
		t.Errorf("ann: %v, want %v", got, want)
	}
	want[score.Distinct], want[score.FirstTouch] = 5, 5
	if got := d.counts(dimKey, "k"); got != want {
		t.Errorf("the key: %v, want %v", got, want)
	}
	d.until(61)
	for key, id := range d.detect.people.awake {
		if id.tally != nil {
			t.Errorf("%q still has a tally", key)
		}
	}
}

// The first touches of a sketch add up over bins to what they are, though each tick
// brings few; no bin has more of them than records.
func TestFirstTouchesOfASketch(t *testing.T) {
	d := newDesk(t)
	next := 0
	read := func(at int64, n int) {
		records := make([]string, n)
		for i := range records {
			next++
			records[i] = fmt.Sprint(next)
		}
		d.act(at, event.Event{Actor: "ann", Records: records})
		d.work()
	}
	read(0, 3000)
	const bins, ticks, each = 40, 5, 2
	for bin := range int64(bins) {
		for tick := range int64(ticks) {
			read(60*(bin+1)+5*tick, each)
		}
	}
	d.until(60 * (bins + 2))
	sum := 0.0
	for bin := range int64(bins) {
		c := d.detect.people.known([]byte("\x00ann")).state.Counted(d.grid.BinOf(deskStart) + bin + 1)
		if sum += c[score.FirstTouch]; c[score.FirstTouch] > c[score.Distinct] {
			t.Errorf("bin %d: %v first touches of %v records", bin, c[score.FirstTouch], c[score.Distinct])
		}
	}
	if want := float64(bins * ticks * each); math.Abs(sum-want) > 0.2*want { // three standard errors
		t.Errorf("%v first touches, want about %v", sum, want)
	}
}

// What comes late for a closed bin is added there, and what has been counted is not
// counted again.
func TestLateCounts(t *testing.T) {
	d := newDesk(t)
	reads := func(at int64, from, to int) {
		for who := from; who < to; who++ {
			d.act(at, event.Event{Actor: fmt.Sprint("u", who), KeyID: "k", Action: event.Delete, Records: []string{fmt.Sprint(who)}})
		}
	}
	reads(0, 0, 30)
	d.until(130)
	reads(20, 0, 50) // the backlog of the first hour, in pieces
	d.work()
	reads(25, 40, 60)
	d.work()
	d.until(160)
	got := d.detect.people.known([]byte("\x01k")).state.Counted(d.grid.BinOf(deskStart))
	if got[score.Distinct] != 60 {
		t.Errorf("%v records, want 60", got[score.Distinct])
	}
}

// An identity of which most has gone by leaves what an alert needs: through
// what it came, since when it is known, how much of it was new to it.
func TestCandidateContext(t *testing.T) {
	d := newDesk(t)
	at := int64(0)
	for ; at < 5*24*60; at += 60 { // work days of one record an hour, always the same ten
		d.act(at, event.Event{Actor: "ann", KeyID: "k", Client: "crm/1.2", Records: []string{fmt.Sprint(at / 60 % 10)}})
		d.until(at + 40)
	}
	for i := range 400 {
		client := "script/3.1"
		if i%4 == 0 {
			client = "crm/1.2"
		}
		d.act(at+int64(i/20), event.Event{Actor: "ann", KeyID: "k", Client: client, Action: event.Delete, Records: []string{fmt.Sprint("x", i)}})
	}
	d.until(at + 70)
	i := slices.IndexFunc(d.found, func(c stream.Candidate) bool {
		return c.Dimension == dimUser && c.Tick == d.grid.TickOf(deskStart+(at+59)*minutes)
	})
	if i < 0 {
		t.Fatalf("ann is no candidate at the end of the hour; %d candidates", len(d.found))
	}
	c := d.found[i]
	if c.Exposed.Records < 400 || c.ShareNew == nil || *c.ShareNew < 0.95 || *c.ShareNew > 1 {
		t.Errorf("exposed %+v, of it new %v", c.Exposed, c.ShareNew)
	}
	if got := stream.CourseOf(c.Course, "destructive"); got == nil || got.Observed != 400 {
		t.Errorf("%+v destroyed, want 400", got)
	}
	if c.FirstSeen != deskStart || c.LastSeen != deskStart+(at+20)*minutes {
		t.Errorf("seen from %v to %v", c.FirstSeen, c.LastSeen)
	}
	var clients []campaign.TraitShare
	for _, s := range c.Traits {
		if s.Dimension == 3 {
			clients = append(clients, s)
		}
	}
	if len(clients) != 2 || clients[0].Identity != "script" || clients[0].Share < 0.7 || clients[0].Share > 0.76 {
		t.Errorf("clients %+v, want script with three quarters first", clients)
	}
}

// An identity reads back as it was written, its open bin included.
func TestIdentityRoundTrip(t *testing.T) {
	d := newDesk(t)
	for i := range 30 {
		d.act(int64(i), event.Event{Actor: fmt.Sprint("u", i%20), KeyID: "k", Client: "crm", IP: "10.0.0.1", Action: event.Delete, Records: []string{fmt.Sprint(i)}, Rows: 7})
	}
	d.until(45)
	id := d.detect.people.known([]byte("\x01k"))
	id.command = 3
	id.followed = &followed{
		Exposure: exposure.Exposure{Since: deskStart, Events: 5, Traits: slices.Clone(id.tally.traits)}, seen: 9, past: leaked{1, 2, 3, 4}, earliest: 5, latest: 6, from: 7, odd: 8, oddPast: 9, usual: score.Usual{Pace: 2, Unions: [4]float32{3}},
	}
	value := d.encode(id)
	again := newIdentity([]byte(id.key))
	if err := again.decode(d.grid, value); err != nil {
		t.Fatal(err)
	}
	if got := d.encode(again); !slices.Equal(got, value) {
		t.Errorf("written again it differs:\n%x\n%x", got, value)
	}
	if again.first != id.first || again.last != id.last || again.command != 3 || again.tally.events != 30 || again.followed.past != id.followed.past {
		t.Errorf("read back as %+v", again)
	}
	if last, records := lastSeen(string(value)); last != id.last || !records {
		t.Errorf("asleep it is seen last at %d with records %v", last, records)
	}
}

// A command changes an identity once, whether it is awake or asleep, before the
// first bin later than its own is judged, and a restore finds it done or does it
// again to the same end.
func TestCommandIsCarriedOutOnce(t *testing.T) {
	d := newDesk(t)
	for at := int64(0); at < 60*60; at += 60 {
		for i := range 20 {
			d.act(at, event.Event{Actor: "ann", Records: []string{fmt.Sprint(at, i)}})
		}
		d.until(at + 30)
	}
	key := []byte("\x00ann")
	bin := d.grid.BinOfTick(d.detect.done)
	p := *score.Defaults(len(event.DefaultDimensions()), fleet.FirstThreshold)
	p.Bin = bin
	excise := stream.Command{Seq: 4, Bin: bin, Kind: stream.Excise, Dimension: dimUser, Identity: "ann", FromBin: bin - 20, ToBin: bin - 1}
	nobody := stream.Command{Seq: 5, Bin: bin, Kind: stream.Excise, Dimension: dimUser, Identity: "nobody", FromBin: bin - 20, ToBin: bin - 1}
	before := string(d.detect.people.known(key).state.AppendBinary(nil))
	written := d.encode(d.detect.people.known(key))
	for range 2 { // a command stands in many records
		d.detect.SetParameters(&stream.ParameterRecord{Parameters: &p, Commands: []stream.Command{excise, nobody}})
	}
	if string(d.detect.people.known(key).state.AppendBinary(nil)) != before {
		t.Error("carried out before its bin was over")
	}
	d.until((bin-d.grid.BinOf(deskStart)+1)*60 + 15)
	id := d.detect.people.known(key)
	if id.command != excise.Seq || d.detect.people.known([]byte("\x00nobody")) != nil || len(d.detect.params.commands) > 0 {
		t.Fatalf("the last command of ann is %d, want %d; %d are left", id.command, excise.Seq, len(d.detect.params.commands))
	}
	after := string(id.state.AppendBinary(nil))
	if after == before {
		t.Error("nothing was taken out")
	}
	d.detect.params.latest = 0 // a restored task reads the command again
	d.detect.SetParameters(&stream.ParameterRecord{Parameters: &p, Commands: []stream.Command{excise}})
	d.detect.carryOut(d.detect.done, bin+4)
	if string(id.state.AppendBinary(nil)) != after {
		t.Error("carried out twice")
	}
	again := newIdentity(key)
	if err := again.decode(d.grid, written); err != nil {
		t.Fatal(err)
	}
	var ev score.Evidence
	d.detect.cfg.Engine.Close(&again.state, dimUser, bin, &score.Counts{score.Distinct: 20, score.FirstTouch: 20}, &p, &ev, nil)
	d.detect.cfg.Engine.Excise(&again.state, dimUser, excise.FromBin, excise.ToBin)
	if string(again.state.AppendBinary(nil)) != after {
		t.Error("another moment gives another state")
	}
}
