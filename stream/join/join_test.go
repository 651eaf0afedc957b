package join

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

const (
	minute  = time.Minute
	tick    = 5 * minute
	sources = 3
	days    = 3
	perDay  = int64(24 * time.Hour / tick)
)

// doing is what one token did in one tick, as one source tells it: it read a record, or
// it was issued or revoked.
type doing struct {
	source int
	tick   int64
	read   bool
	token  uint64
	kind   stream.TokenKind
	key    string
	client string
	record uint64
}

// story returns what tokens do in some days, sorted by tick. Each reads for up to an
// hour through several sources, clients and keys; most are issued, some late, some
// never, and some are revoked.
func story(dice *rand.Rand) (out []doing) {
	for at := range days * perDay {
		out = append(out, doing{source: dice.IntN(sources), tick: at, token: uint64(at) << 32, kind: stream.TokenIssued})
	}
	for token := uint64(1); token < 200; token++ {
		from := perDay + dice.Int64N(perDay)
		issued, revoked := from+dice.Int64N(4), from+3+dice.Int64N(12)
		if dice.IntN(2) == 0 {
			out = append(out, doing{source: dice.IntN(sources), tick: issued, token: token, kind: stream.TokenIssued})
		}
		if dice.IntN(4) == 0 {
			out = append(out, doing{source: dice.IntN(sources), tick: revoked, token: token, kind: stream.TokenRevoked})
		}
		for range 1 + dice.IntN(12) {
			out = append(out, doing{
				source: dice.IntN(sources), tick: from + dice.Int64N(8), read: true, token: token,
				key: fmt.Sprint("key", dice.IntN(2)), client: fmt.Sprint("client", dice.IntN(2)), record: dice.Uint64(),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b doing) int { return int(a.tick - b.tick) })
	return out
}

// player plays a story to a task, the records of the sources mixed by dice.
type player struct {
	t     *testing.T
	dice  *rand.Rand
	cfg   Config
	sent  [sources][]doing
	at    [sources]int64 // the tick that each source tells next
	log   [][]byte       // weir.sessions
	task  *Task
	next  int
	state map[string][]byte
	found map[string]bool // by tick, identity and what was found

	counted, read map[string]float64 // unissued tokens that were found, and what they read, by identity
}

func play(t *testing.T, dice *rand.Rand, sent []doing, restores bool) *player {
	grid, err := eventtime.NewGrid(tick, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, dice: dice, state: map[string][]byte{}, found: map[string]bool{}, counted: map[string]float64{}, read: map[string]float64{}, cfg: Config{
		Grid: grid, Topic: "weir.sessions", Partitions: 1, Grace: (3 * tick).Milliseconds(),
		Dimensions: []event.Dimension{{Name: "key", Fields: []string{"key_id"}}, {Name: "client", Fields: []string{"client"}}},
	}}
	for _, d := range sent {
		p.sent[d.source] = append(p.sent[d.source], d)
	}
	p.restore()
	for p.more() {
		for range dice.IntN(4) {
			p.apply()
		}
		if dice.IntN(3) == 0 {
			p.commit()
		}
		if restores && dice.IntN(8) == 0 {
			p.restore()
		}
	}
	for p.apply() {
	}
	p.commit()
	return p
}

// more lets one source tell of one tick, at most eight before the slowest.
func (p *player) more() bool {
	s, slowest := p.dice.IntN(sources), slices.Min(p.at[:])
	if slowest == days*perDay {
		return false
	}
	if p.at[s] == days*perDay || p.at[s]-slowest > 8 {
		return true
	}
	var w stream.SessionWriter
	w.Begin(stream.TickMinutes(p.cfg.Grid.TickMinutes()), []string{"key", "client"})
	var issues []int64
	for len(p.sent[s]) > 0 && p.sent[s][0].tick == p.at[s] {
		d := p.sent[s][0]
		p.sent[s] = p.sent[s][1:]
		if !d.read {
			w.Fact(stream.TokenFact{Token: d.token, Kind: d.kind, Apply: d.tick})
			if d.kind == stream.TokenIssued && !slices.Contains(issues, d.tick) {
				issues = append(issues, d.tick)
			}
			continue
		}
		w.Read(d.token, d.tick, d.tick)
		w.Identity(w.Name(d.key))
		w.Identity(w.Name(d.client))
		records := sketches.New(sketches.PartialPrecision)
		records.Insert(d.record, eventtime.MinuteOf(p.cfg.Grid.TickStart(d.tick)))
		w.Records(&records)
	}
	p.at[s]++
	progress := stream.Progress{Source: stream.Source{Topic: "access", Partition: int32(s)}, MaxTime: p.cfg.Grid.TickStart(p.at[s])}
	p.log = append(p.log, w.End([]stream.Topic{{Name: "access", Partitions: sources}}, []stream.Progress{progress}, issues))
	return true
}

// apply takes in the next record. It reports whether there was one.
func (p *player) apply() bool {
	if p.next == len(p.log) {
		return false
	}
	batch, err := stream.DecodeSessions(p.log[p.next])
	if err == nil {
		err = p.task.Apply(int64(p.next), batch)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.next++
	return true
}

// commit closes what can be closed and keeps what was found, and the state.
func (p *player) commit() {
	p.task.Advance()
	found, changes := p.task.Take()
	if found == nil {
		return
	}
	for _, c := range append(changes, p.task.Checkpoint()) {
		if c.Value == nil {
			delete(p.state, string(c.Key))
		} else {
			p.state[string(c.Key)] = slices.Clone(c.Value)
		}
	}
	for _, f := range found {
		batch, err := stream.DecodeBatch(f.Value)
		if err != nil {
			p.t.Fatal(err)
		}
		err = batch.Partials(func(is *stream.Partial) {
			p.found[fmt.Sprintf("tick %d %d/%s: found %x, tokens %x, records %x", is.Apply, is.Dimension, is.Identity,
				is.Unissued.AppendBinary(nil), is.UnissuedTokens.AppendBinary(nil), is.UnissuedRecords.AppendBinary(nil))] = true
			p.counted[is.Identity] += is.Unissued.Count(0).N
			p.read[is.Identity] += is.UnissuedRecords.Count(0).N
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// restore begins anew with what was committed.
func (p *player) restore() {
	r := NewRestore(p.cfg)
	for key, value := range p.state {
		if err := r.Load([]byte(key), value); err != nil {
			p.t.Fatal(err)
		}
	}
	task, from, _ := r.Begin(0)
	p.task, p.next = task, int(from)
}

// What is found, and in which tick, depends neither on the order in which sources tell
// of it nor on where a task was restored, also twice in a row.
func TestFindingsAreOrderFree(t *testing.T) {
	for seed := range uint64(20) {
		sent := story(rand.New(rand.NewPCG(seed, 0)))
		want := play(t, rand.New(rand.NewPCG(seed, 1)), sent, false).found
		if len(want) < 50 {
			t.Fatalf("seed %d: %d findings show little", seed, len(want))
		}
		for run := range uint64(3) {
			got := play(t, rand.New(rand.NewPCG(seed, 2+run)), sent, run > 0).found
			for is := range maps.Keys(want) {
				if !got[is] {
					t.Errorf("seed %d run %d: missing %s", seed, run, is)
				}
			}
			for is := range maps.Keys(got) {
				if !want[is] {
					t.Errorf("seed %d run %d: beyond %s", seed, run, is)
				}
			}
		}
	}
}

// A login that was lost is one token, however long and much it reads, for everybody whom
// it read on behalf of; what it reads counts for the first of them alone.
func TestLostLoginIsOneToken(t *testing.T) {
	var sent []doing
	dice := rand.New(rand.NewPCG(1, 1))
	for at := range days * perDay {
		sent = append(sent, doing{tick: at, token: uint64(at) << 32, kind: stream.TokenIssued})
	}
	for i := range int64(96) { // for eight hours
		sent = append(sent, doing{tick: perDay + 30 + i, read: true, token: 7, key: "sso", client: "crm", record: dice.Uint64()})
	}
	slices.SortStableFunc(sent, func(a, b doing) int { return int(a.tick - b.tick) })
	p := play(t, dice, sent, false)
	if want := map[string]float64{"sso": 1, "crm": 1}; !maps.Equal(p.counted, want) {
		t.Errorf("counted %v tokens, want %v", p.counted, want)
	}
	if p.read["sso"] != 96 || p.read["crm"] != 0 {
		t.Errorf("they read %v", p.read)
	}
}
