package stream_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
)

const minute = int64(60_000)

// lab holds the configuration that the tests of this package share.
type lab struct {
	grid   stream.Grid
	engine *detectors.Engine
	dims   []event.Dimension
	names  []string
}

func newLab(t testing.TB) *lab {
	t.Helper()
	grid, err := stream.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{grid: grid, dims: event.DefaultDimensions()}
	for _, d := range l.dims {
		l.names = append(l.names, d.Name)
	}
	l.engine = detectors.NewEngine(detectors.Config{Bin: time.Hour, Dimensions: l.names})
	return l
}

func (l *lab) ingest(partitions int32) stream.IngestConfig {
	return stream.IngestConfig{
		Grid: l.grid, Dimensions: l.dims, Hasher: event.FixedHasher(), Partitions: partitions,
		Lateness: 10 * minute, Future: 10 * minute, Retention: 30 * 24 * 60 * minute,
	}
}

func (l *lab) detect() stream.DetectConfig {
	return stream.DetectConfig{
		Grid: l.grid, Dimensions: l.names, Persons: stream.Persons(l.dims), Peers: stream.DefaultPeers(l.dims), Engine: l.engine,
		Lateness: 10 * minute, Retention: 30 * 24 * 60 * minute, SnapshotTicks: 12,
	}
}

func (l *lab) correlate(partitions int32) stream.CorrelateConfig {
	return stream.CorrelateConfig{
		Grid: l.grid, Dimensions: l.names, Engine: l.engine, Partitions: partitions,
		Budget: detectors.DefaultBudget, Location: time.UTC,
	}
}

// traffic returns the events of a simulated company, in order of time.
func traffic(t testing.TB, o simulate.Options) []event.Event {
	t.Helper()
	c, err := simulate.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var out []event.Event
	var ev event.Event
	for c.Next(&ev) {
		e := ev
		e.Records = append([]string(nil), ev.Records...)
		out = append(out, e)
	}
	return out
}

func lines(t testing.TB, alerts []alerting.Alert) (out []string) {
	t.Helper()
	for i := range alerts {
		out = append(out, string(alerts[i].AppendJSON(nil)))
	}
	return out
}

const stamp = int64(4e12) // the records' own timestamps: never in the events' past

// calm returns what one ingest, one join and one detect task make of the events.
func (l *lab) calm(t testing.TB, events []event.Event) []string {
	t.Helper()
	local := stream.NewLocal(l.joined(1), l.watchful(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}})
	var out []string
	take := func(alerts []alerting.Alert, err error) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, lines(t, alerts)...)
	}
	for i := range events {
		local.Fold(stream.Source{Topic: "access"}, stamp, &events[i])
		if i%5000 == 4999 {
			take(local.Flush())
		}
	}
	take(local.End())
	return out
}

// mesh runs the operators as a cluster would, without one: several ingest
// tasks, several partitions of identities, logs between them, and a dice that
// decides who works next, how much, and who is killed.
type mesh struct {
	*lab
	t      testing.TB
	dice   *rand.Rand
	kills  bool
	topics []stream.Topic

	sources   map[stream.Source][]event.Event
	committed map[stream.Source]stream.Progress

	sessions   [][]record // per partition: the log
	tokens     []map[string][]byte
	partials   [][]record // per partition: the log
	state      []map[string][]byte
	evidence   []record
	parameters [][]byte
	fleet      map[string][]byte
	alerts     []string
	held       []string          // alerts that nobody was sent
	said       []*stream.Verdict // the log of verdicts

	joins     []*joiner
	detects   []*member
	correlate *stream.Correlate
	reports   int // of the evidence that correlate has applied
	killed    int
	mostKills int // in one run
	portion   int // how many events a task reads of a partition at most before it commits
	outcomes  [stream.NumOutcomes]int
}

type record struct {
	offset int64
	value  []byte
}

// member is a detect task and how far it has read.
type member struct {
	task   *stream.Detect
	next   int // index into the log
	params int
}

func newMesh(t testing.TB, l *lab, seed uint64, sources, partitions int, kills bool) *mesh {
	m := &mesh{
		lab: l, t: t, dice: rand.New(rand.NewPCG(seed, 1)), kills: kills,
		topics:    []stream.Topic{{Name: "access", Partitions: int32(sources)}},
		sources:   map[stream.Source][]event.Event{},
		committed: map[stream.Source]stream.Progress{},
		sessions:  make([][]record, partitions),
		partials:  make([][]record, partitions),
		fleet:     map[string][]byte{},
		mostKills: 20,
		portion:   4000,
	}
	for range partitions {
		m.state = append(m.state, map[string][]byte{})
		m.tokens = append(m.tokens, map[string][]byte{})
	}
	for p := range partitions {
		m.detects, m.joins = append(m.detects, nil), append(m.joins, nil)
		m.restoreJoin(p)
		m.restoreDetect(p)
	}
	m.restoreCorrelate()
	return m
}

// spread deals the events to the source partitions, and within each lets
// neighbours change places by less than the lateness.
func (m *mesh) spread(events []event.Event) {
	n := int(m.topics[0].Partitions)
	for p := range n {
		s := stream.Source{Topic: "access", Partition: int32(p)}
		m.committed[s] = stream.NoProgress(s, 0)
		m.sources[s] = nil
	}
	for i := range events {
		s := stream.Source{Topic: "access", Partition: int32(m.dice.IntN(n))}
		m.sources[s] = append(m.sources[s], events[i])
	}
	for _, list := range m.sources {
		for i := range list {
			j := min(i+m.dice.IntN(5), len(list)-1)
			if list[j].Time-list[i].Time < 5*minute && i%5 == 0 {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
}

// run works until nothing is left to do.
func (m *mesh) run() []string {
	for m.ingest() {
		for range m.dice.IntN(4) {
			m.step()
		}
	}
	for m.joinAll() || m.detectAll() || m.advanceCorrelate() {
		m.step()
	}
	return m.alerts
}

func (m *mesh) step() {
	switch m.dice.IntN(8) {
	case 6, 7:
		m.joinOne(m.dice.IntN(len(m.joins)), 1+m.dice.IntN(5))
	case 0, 1, 2:
		p := m.dice.IntN(len(m.detects))
		m.detectOne(p, 1+m.dice.IntN(5))
	case 3, 4:
		m.advanceCorrelate()
	case 5:
		if !m.kills || m.killed >= m.mostKills {
			return
		}
		m.killed++
		switch m.dice.IntN(6) {
		case 0:
			m.restoreCorrelate()
			return
		case 1, 2:
			m.restoreJoin(m.dice.IntN(len(m.joins)))
			return
		}
		m.restoreDetect(m.dice.IntN(len(m.detects)))
	}
}

// ingest lets a new ingest task take some partitions, read some, and commit or
// be killed. It reports whether anything is left to read.
func (m *mesh) ingest() bool {
	in := stream.NewIngest(m.lab.joined(int32(len(m.partials))))
	left := false
	var mine []stream.Source
	for p := range m.topics[0].Partitions {
		s := stream.Source{Topic: "access", Partition: p}
		at := m.committed[s]
		left = left || !at.Idle
		if m.dice.IntN(2) == 0 {
			in.Assign(at)
			mine = append(mine, s)
		}
	}
	for _, s := range mine {
		list := m.sources[s]
		from := int(m.committed[s].Offset)
		to := min(from+m.dice.IntN(m.portion), len(list))
		for i := from; i < to; i++ {
			m.outcomes[in.Fold(s, stamp, &list[i])]++
			in.Read(s, int64(i+1))
		}
		in.SetIdle(s, to == len(list))
	}
	if m.kills && m.killed < m.mostKills && m.dice.IntN(5) == 0 {
		m.killed++
		return left
	}
	in.FlushSessions(m.topics, func(p int32, value []byte) { m.write(m.sessions, p, value) })
	in.Flush(m.topics, func(p int32, value []byte) { m.write(m.partials, p, value) })
	for _, p := range in.Progress() {
		m.committed[p.Source] = p
	}
	return left
}

func (m *mesh) restoreDetect(p int) {
	cfg := m.lab.watchful()
	cfg.Partition = int32(p)
	r := stream.NewRestore(cfg)
	for key, value := range m.state[p] {
		if err := r.Load([]byte(key), value); err != nil {
			m.t.Fatal(err)
		}
	}
	task, offset, err := r.Begin(0)
	if err != nil {
		m.t.Fatal(err)
	}
	next := 0
	for next < len(m.partials[p]) && m.partials[p][next].offset < offset {
		next++
	}
	m.detects[p] = &member{task: task, next: next}
	m.readParameters(m.detects[p])
	if err := task.Resume(); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mesh) readParameters(d *member) {
	for ; d.params < len(m.parameters); d.params++ {
		params, err := stream.DecodeParameters(m.parameters[d.params])
		if err != nil {
			m.t.Fatal(err)
		}
		d.task.SetParameters(params)
	}
}

// detectOne lets a detect task read up to n records and commit. It reports
// whether anything changed.
func (m *mesh) detectOne(p, n int) bool {
	d := m.detects[p]
	m.readParameters(d)
	moved := false
	for ; n > 0 && d.next < len(m.partials[p]); n-- {
		rec := m.partials[p][d.next]
		batch, err := stream.DecodeBatch(rec.value)
		if err == nil {
			err = d.task.Apply(rec.offset, batch)
		}
		if err != nil {
			m.t.Fatal(err)
		}
		d.next++
		moved = true
	}
	d.task.Advance()
	report, changes := d.task.Take()
	if report == nil {
		return moved
	}
	for _, c := range append(changes, d.task.Checkpoint()) {
		if c.Value == nil {
			delete(m.state[p], string(c.Key))
		} else {
			m.state[p][string(c.Key)] = append([]byte(nil), c.Value...)
		}
	}
	for _, part := range report.Split(1 + m.dice.IntN(3)) {
		value, err := part.Encode()
		if err != nil {
			m.t.Fatal(err)
		}
		m.evidence = append(m.evidence, record{int64(len(m.evidence)), value})
	}
	return true
}

func (m *mesh) detectAll() bool {
	moved := false
	for p := range m.detects {
		moved = m.detectOne(p, 10) || moved
	}
	return moved
}

func (m *mesh) restoreCorrelate() {
	m.correlate = stream.NewCorrelate(m.lab.correlate(int32(len(m.partials))))
	for key, value := range m.fleet {
		if err := m.correlate.Load([]byte(key), value); err != nil {
			m.t.Fatal(err)
		}
	}
	m.reports = int(m.correlate.Offset())
	for i := m.correlate.VerdictOffset(); i < int64(len(m.said)); i++ {
		m.correlate.ApplyVerdict(i, m.said[i])
	}
}

func (m *mesh) advanceCorrelate() bool {
	moved := false
	for n := 1 + m.dice.IntN(10); n > 0 && m.reports < len(m.evidence); n-- {
		rec := m.evidence[m.reports]
		report, err := stream.DecodeReport(rec.value)
		if err == nil {
			err = m.correlate.Apply(rec.offset, report)
		}
		if err != nil {
			m.t.Fatal(err)
		}
		m.reports++
		moved = true
	}
	found := m.correlate.Advance()
	if found.Empty() {
		return moved
	}
	m.alerts = append(m.alerts, lines(m.t, found.Alerts)...)
	for i := range found.Suppressed {
		m.held = append(m.held, string(found.Suppressed[i].AppendJSON(nil)))
	}
	if found.Parameters != nil {
		m.parameters = append(m.parameters, found.Parameters.AppendBinary(nil))
	}
	for _, c := range m.correlate.Snapshot() {
		if c.Value == nil {
			delete(m.fleet, string(c.Key))
		} else {
			m.fleet[string(c.Key)] = append([]byte(nil), c.Value...)
		}
	}
	return true
}

func compare(t *testing.T, name string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(none)", "(none)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s: alert %d of %d (want %d) differs:\n got %s\nwant %s", name, i, len(got), len(want), g, w)
		}
	}
}

// The alerts are a function of the set of events: neither how they are spread
// over partitions, nor in which order and portions they come, nor how many
// tasks there are, nor who is killed when, can show in a byte of them.
func TestOrderFree(t *testing.T) {
	l := newLab(t)
	events := traffic(t, simulate.Options{Scenario: "demo", Seed: 3, Days: 15, Scale: 0.1})
	want := l.calm(t, events)
	if len(want) < 3 {
		t.Fatalf("the traffic raises %d alerts: too few to tell anything", len(want))
	}
	for seed := range seeds() {
		for _, kills := range []bool{false, true} {
			dice := rand.New(rand.NewPCG(seed, 2))
			sources, partitions := 1+dice.IntN(5), 1+dice.IntN(4)
			m := newMesh(t, l, seed, sources, partitions, kills)
			m.spread(events)
			got := m.run()
			name := fmt.Sprintf("seed %d, %d sources, %d partitions, %d kills", seed, sources, partitions, m.killed)
			compare(t, name, got, want)
			if kills && m.killed == 0 {
				t.Errorf("%s: nobody was killed", name)
			}
		}
	}
}

// seeds is how many dice a law is held against: more under make soak.
func seeds() uint64 {
	if os.Getenv("WEIR_SOAK") != "" {
		return 20
	}
	return 2
}

// Partitions that are silent for long, in which only watched identities are
// closed bin by bin, are restored like the others: here many small partitions,
// and somebody killed all the time.
func TestSilentPartitionsAreRestored(t *testing.T) {
	l := newLab(t)
	events := traffic(t, simulate.Options{Scenario: "demo", Seed: 9, Days: 15, Scale: 0.05})
	want := l.calm(t, events)
	if len(want) < 3 {
		t.Fatalf("the traffic raises %d alerts: too few to tell anything", len(want))
	}
	for seed := range seeds() {
		m := newMesh(t, l, seed, 2, 24, true)
		m.mostKills = 300
		m.spread(events)
		compare(t, fmt.Sprintf("seed %d", seed), m.run(), want)
	}
}

// What comes later than the lateness is applied at a tick that follows from its
// own source partition's log, so with the same logs neither kills nor the
// number of tasks can show. Here a source fails for hours and its backlog comes
// afterwards, in one burst.
func TestLateIsRepeatable(t *testing.T) {
	l := newLab(t)
	events := traffic(t, simulate.Options{Scenario: "greedy-agent", Seed: 5, Days: 14, Scale: 0.05, Backlog: true})
	var want []string
	for seed := range seeds() + 1 {
		dice := rand.New(rand.NewPCG(seed, 3))
		m := newMesh(t, l, 7, 3, 1+dice.IntN(4), false)
		m.spread(events) // by the same dice each time: the same logs
		m.dice, m.kills = rand.New(rand.NewPCG(seed, 4)), seed > 0
		got := m.run()
		if m.outcomes[stream.Late] == 0 {
			t.Fatal("nothing was late")
		}
		if seed == 0 {
			want = got
			continue
		}
		compare(t, fmt.Sprintf("seed %d, %d kills", seed, m.killed), got, want)
	}
	if len(want) < 3 {
		t.Fatalf("the traffic raises %d alerts: too few to tell anything", len(want))
	}
}
