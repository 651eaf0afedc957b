package local_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
)

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
	parameters []*stream.ParameterRecord // as they read back
	fleet      map[string][]byte
	alerts     []string
	held       []string             // alerts that nobody was sent
	said       []*correlate.Verdict // the log of verdicts

	aliases *aliasWriter // nil: nothing says whose a name is but the lab

	joins     []*joiner
	detects   []*member
	correlate *correlate.Task
	reports   int // of the evidence that correlate has applied
	killed    int
	mostKills int // in one run
	portion   int // how many events a task reads of a partition at most before it commits
	outcomes  [ingest.NumOutcomes]int
	handed    int // records by which detect tasks have handed names over
	replayed  int // commits at which an event waited to be judged
}

type record struct {
	offset int64
	value  []byte
}

// member is a detect task and how far it has read.
type member struct {
	task   *detect.Task
	next   int // index into the log
	params int
	people *alias.Table // that follows the log of aliases; nil: there is none
	names  int          // records of that log that it has read
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
		m.committed[s] = ingest.NoProgress(s, 0)
		m.sources[s] = nil
	}
	for i := range events {
		s := stream.Source{Topic: "access", Partition: int32(m.dice.IntN(n))}
		m.sources[s] = append(m.sources[s], events[i])
	}
	for p := range n { // in their order, so that the same dice make the same logs
		list := m.sources[stream.Source{Topic: "access", Partition: int32(p)}]
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
	cfg := m.lab.joined(int32(len(m.partials)))
	if m.aliases != nil {
		m.aliases.step(m)
		cfg.Aliases = m.aliases.follow(m.t, m.dice.IntN(3))
	}
	in := ingest.New(cfg)
	in.Decided = func(d ingest.Decision) { m.outcomes[d.Outcome]++ }
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
		from := int(m.committed[s].Replay)
		to := min(from+m.dice.IntN(m.portion), len(list))
		for i := from; i < to; i++ {
			ev := list[i] // it is read again after a kill
			if o := in.Fold(s, stamp, &ev); o != ingest.Waiting {
				m.outcomes[o]++
			}
			in.Read(s, int64(i+1))
		}
		if in.SetIdle(s, false); to == len(list) {
			in.End(s)
		}
	}
	if m.kills && m.killed < m.mostKills && m.dice.IntN(5) == 0 {
		m.killed++
		return left
	}
	in.Flush(m.topics, func(p int32, value []byte) { m.write(m.sessions, p, value) },
		func(p int32, value []byte) { m.write(m.partials, p, value) })
	for _, p := range in.Progress() {
		m.committed[p.Source] = p
		if p.Replay < p.Offset {
			m.replayed++
		}
	}
	return left
}

func (m *mesh) restoreDetect(p int) {
	cfg := m.lab.watchful()
	cfg.Partition, cfg.Partitions = int32(p), len(m.partials)
	d := &member{}
	if m.aliases != nil {
		d.people = alias.NewTable(alias.Always)
		cfg.Heirs = &detect.HeirsConfig{Table: d.people, Dimension: slices.Index(m.names, "user")}
	}
	if cfg.Heirs != nil {
		cfg.Heirs.Partitions = int32(len(m.partials))
	}
	r := detect.NewRestore(cfg)
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
	d.task, d.next = task, next
	m.detects[p] = d
	m.readParameters(m.detects[p])
	if err := task.Resume(); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mesh) readParameters(d *member) {
	for ; d.params < len(m.parameters); d.params++ {
		d.task.SetParameters(m.parameters[d.params])
	}
}

// detectOne lets a detect task read up to n records and commit. It reports
// whether anything changed.
func (m *mesh) detectOne(p, n int) bool {
	d := m.detects[p]
	m.readParameters(d)
	m.readAliases(d, n > 5)
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
	for _, h := range d.task.TakeHandovers() {
		m.write(m.partials, h.Partition, h.Value)
		m.handed++
		moved = true
	}
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

// readAliases has a detect task read on in the log of aliases, as the dice say.
func (m *mesh) readAliases(d *member, all bool) {
	if m.aliases == nil {
		return
	}
	for d.names < len(m.aliases.log) && (all || m.dice.IntN(4) > 0) {
		rec := m.aliases.log[d.names]
		if err := d.people.Follow(rec.Key, rec.Value); err != nil {
			m.t.Fatal(err)
		}
		d.names++
	}
}

func (m *mesh) detectAll() bool {
	moved := false
	for p := range m.detects {
		moved = m.detectOne(p, 10) || moved
	}
	return moved
}

func (m *mesh) restoreCorrelate() {
	m.correlate = correlate.New(m.lab.correlate(int32(len(m.partials))))
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
		report, err := stream.DecodeEvidenceReport(rec.value)
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
		params, err := stream.DecodeParameterRecord(found.Parameters.AppendBinary(nil))
		if err != nil {
			m.t.Fatal(err)
		}
		m.parameters = append(m.parameters, params)
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
