package local_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
)

// flood drives the operators as Kafka would, and keeps what stands in weir.state.
type flood struct {
	t       *testing.T
	ingest  *ingest.Worker
	detect  *detect.Task
	corr    *correlate.Task
	offsets [2]int64
	params  []*stream.ParameterRecord
	state   map[string][]byte
	alerts  strings.Builder
}

func newFlood(t *testing.T, l *lab) *flood {
	f := &flood{t: t, ingest: ingest.New(l.ingest(1)), detect: detect.New(l.detect()), corr: correlate.New(l.correlate(1)), state: map[string][]byte{}}
	f.ingest.Assign(ingest.NoProgress(crowdSource, 0))
	return f
}

// work hands on what was folded, and closes what can be closed.
func (f *flood) work() {
	f.t.Helper()
	check := func(err error) {
		if err != nil {
			f.t.Fatal(err)
		}
	}
	f.ingest.Flush([]stream.Topic{{Name: crowdSource.Topic, Partitions: 1}}, nil, func(_ int32, value []byte) {
		batch, err := stream.DecodeBatch(value)
		check(err)
		check(f.detect.Apply(f.offsets[0], batch))
		f.offsets[0]++
	})
	f.ingest.Commit()
	for {
		f.detect.Advance()
		report, changes := f.detect.Take()
		if report == nil {
			return
		}
		for _, c := range append(changes, f.detect.Checkpoint()) {
			if c.Value == nil {
				delete(f.state, string(c.Key))
			} else {
				f.state[string(c.Key)] = append([]byte(nil), c.Value...)
			}
		}
		check(f.corr.Apply(f.offsets[1], report))
		f.offsets[1]++
		found := f.corr.Advance()
		for _, line := range lines(f.t, found.Alerts) {
			f.alerts.WriteString(line)
		}
		if found.Parameters != nil {
			f.params = append(f.params, found.Parameters)
			f.detect.SetParameters(found.Parameters)
		}
	}
}

// Two days of a company in which as many names are minted for each event, of an actor, a
// client and a network: no more identities are kept than the budget says, a new name among
// them that leaks is told of, and a restore finds no more than is kept. make soak takes
// twenty million names and a budget of a million.
func TestMintedFlood(t *testing.T) {
	l := newLab(t)
	l.most = soakOr(4096, 1_000_000)
	company := traffic(t, simulate.Options{Scenario: "demo", Seed: 5, Days: 2, Scale: 0.05})
	each := soakOr(20_000, 20_000_000) / len(company)
	before := heap()
	f := newFlood(t, l)
	dice := rand.New(rand.NewPCG(20, 1))
	var most, names int64
	began := time.Now()
	for i := range company {
		at := company[i].Time
		f.ingest.Fold(crowdSource, stamp, &company[i])
		for range each {
			f.ingest.Fold(crowdSource, stamp, &event.Event{
				Time: at, Actor: fmt.Sprintf("m%08d", names), Client: fmt.Sprintf("Mint%x", names), IP: fmt.Sprintf("%d.%d.%d.7", 1+names>>16, names>>8&255, names&255),
				KeyID: company[i].KeyID, Endpoint: "/orders", Records: []string{fmt.Sprint("c", dice.IntN(100_000))},
			})
			if names++; names%1_000_000 == 0 {
				f.work()
			}
		}
		if company[len(company)-1].Time-at < 20*eventtime.Hour {
			f.ingest.Fold(crowdSource, stamp, &event.Event{
				Time: at, Actor: "thief@example.com", Client: "Thief/1.0", IP: "10.9.9.9", KeyID: company[i].KeyID, Endpoint: "/orders",
				Records: []string{fmt.Sprint("stolen", i), fmt.Sprint("stolen too", i)},
			})
		}
		if i%(len(company)/50) == 0 {
			f.work()
			most = max(most, f.detect.Stats().Identities)
		}
	}
	f.work()
	for f.detect.Settle(); f.detect.Unfinished() || len(f.state) == 0; f.detect.Settle() {
		f.work()
	}
	f.work()
	took, held := time.Since(began), heap()-before
	if bound := int64(len(l.names) * l.most); most > bound {
		t.Errorf("%d identities are kept, want at most %d", most, bound)
	}
	if !strings.Contains(f.alerts.String(), "thief@example.com") {
		t.Error("the thief is not told of")
	}
	began = time.Now()
	r := detect.NewRestore(l.detect())
	for key, value := range f.state {
		if err := r.Load([]byte(key), value); err != nil {
			t.Fatal(err)
		}
	}
	back, _, err := r.Begin(0)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := back.Stats().Identities, f.detect.Stats().Identities; got != want {
		t.Errorf("a restore finds %d identities of %d", got, want)
	}
	t.Logf("%d names of each of three dimensions, of which %d are kept: %v; %d MiB with what stands in the state; restored in %.2f of that time",
		names, most, took.Round(time.Second), held>>20, time.Since(began).Seconds()/took.Seconds())
}
