package bench

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/simulate"
)

// envRole makes a process of this binary one of the readers that weir is
// compared with, instead of a run of benchmarks.
const envRole = "WEIR_BENCH_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(envRole); role != "" {
		os.Exit(readAs(role))
	}
	os.Exit(m.Run())
}

// setting reads a whole number that scales a benchmark from the environment.
func setting(b *testing.B, name string, otherwise int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s=%q: want a whole number, at least 1", name, text)
	}
	return n
}

// company returns a simulated company of 22,500 people and services and five
// million customers, on a Monday morning at eight, when 50 to 100 events come
// every second.
func company(b *testing.B, seed uint64) *simulate.Company {
	b.Helper()
	c, err := simulate.New(simulate.Options{
		Scenario: "calm", Seed: seed, Scale: simulate.MaxScale, Days: 2,
		Start: simulate.DefaultStart.Add(8 * 3600e9),
	})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func nativeFormat() *fieldmap.Format {
	f, err := files.LoadFormat("native")
	if err != nil {
		panic(err) // it is built in
	}
	return f
}

// say prints at once and in full: a benchmark's own log is cut at ten lines.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format, args...) }
