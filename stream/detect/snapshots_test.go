package detect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/weirhq/weir/stream"
)

// testdata/snapshots tells which identities change, and when they are written.
func TestSnapshots(t *testing.T) {
	s := snapshots{within: 12}
	people, sizes := map[string]*identity{}, map[string]int{}
	datadriven.RunTest(t, "testdata/snapshots", func(t *testing.T, d *datadriven.TestData) string {
		var tick int64
		d.MaybeScanArgs(t, "tick", &tick)
		switch d.Cmd {
		case "touch":
			size := 100
			d.MaybeScanArgs(t, "size", &size)
			for _, name := range strings.Fields(d.Input) {
				if people[name] == nil {
					people[name] = newIdentity([]byte("\x00" + name))
				}
				sizes[name] = size
				s.touch(people[name], tick)
			}
		case "earn":
			var bytes int
			d.ScanArgs(t, "bytes", &bytes)
			s.earn(bytes)
		case "write":
			return write(&s, tick, sizes)
		case "commit":
			var names []string
			for _, c := range s.take() {
				names = append(names, string(c.Key))
			}
			return strings.Join(names, " ") + "\n"
		case "settle":
			s.settle()
			return full(&s)
		case "resume":
			if !s.resume() {
				return "not yet\n"
			}
			return "resumed\n"
		default:
			d.Fatalf(t, "unknown command %s", d.Cmd)
		}
		return ""
	})
}

func write(s *snapshots, tick int64, sizes map[string]int) string {
	wrote := []string{"wrote"}
	s.write(tick, func(r stateRecord) stream.Change {
		id := r.(*identity)
		wrote = append(wrote, id.name())
		key := []byte(id.name())
		return stream.Change{Key: key, Value: make([]byte, sizes[id.name()]-len(key))}
	})
	if len(wrote) == 1 {
		wrote = append(wrote, "nobody")
	}
	return fmt.Sprintf("%s, a restore replays from %d\n%s", strings.Join(wrote, " "), s.oldest(tick), full(s))
}

func full(s *snapshots) string {
	if s.full {
		return "full\n"
	}
	return ""
}

// Identities that are closed with a bin are those that were active in it and those
// that are watched; each once, and the next end is the first that concerns any.
func TestOpenBins(t *testing.T) {
	d := newDesk(t)
	b := openBins{grid: d.grid, active: map[int64][]*identity{}}
	if b.nextEnd(0) < 1<<62 {
		t.Error("a bin ends although nobody is in it")
	}
	who := func(name string, bin int64) *identity {
		id := newIdentity([]byte("\x00" + name))
		id.open, id.bin = true, bin
		b.open(bin, id)
		return id
	}
	ann, bob := who("ann", 10), who("bob", 11)
	quiet := newIdentity([]byte("\x00quiet"))
	b.watch(ann)
	b.watch(quiet)
	done := d.grid.LastTick(9)
	if got := b.nextEnd(done); got != d.grid.LastTick(10) {
		t.Errorf("the next bin ends at %d, want %d", got, d.grid.LastTick(10))
	}
	if got := b.end(10); len(got) != 2 || got[0] != ann || got[1] != quiet {
		t.Errorf("bin 10 ends for %d identities, want ann and the quiet one, once each", len(got))
	}
	if got := b.end(11); len(got) != 1 || got[0] != bob {
		t.Errorf("bin 11 ends for %d identities, want bob: nobody is watched any more", len(got))
	}
}
