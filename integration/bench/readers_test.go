package bench

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/valyala/fastjson"

	"github.com/weirhq/weir/event"
)

// The readers that weir is compared with.
const (
	roleRead     = "read"          // takes each record and does nothing with it
	roleFastJSON = "read+fastjson" // parses it with a fast JSON library and takes out the fields
	roleDecode   = "read+decode"   // decodes it into a checked event
)

// What a reader's process is told.
const (
	envBrokers = "WEIR_BENCH_BROKERS"
	envTopic   = "WEIR_BENCH_TOPIC"
	envCount   = "WEIR_BENCH_COUNT"
)

// readAs reads the topic to the given number of records and returns the
// process's exit code. What it found goes to stdout, so that no work can be
// left out.
func readAs(role string) int {
	count, err := strconv.Atoi(os.Getenv(envCount))
	if err != nil {
		fmt.Fprintln(os.Stderr, "reading the count:", err)
		return 2
	}
	work, err := workOf(role)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv(envBrokers), ",")...),
		kgo.ConsumeTopics(os.Getenv(envTopic)),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxPartitionBytes(2<<20),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a client:", err)
		return 1
	}
	defer cl.Close()
	sum := 0
	for n := 0; n < count; {
		fetches := cl.PollRecords(context.Background(), 20_000)
		if err := fetches.Err(); err != nil {
			fmt.Fprintln(os.Stderr, "reading:", err)
			return 1
		}
		n += fetches.NumRecords()
		fetches.EachRecord(func(r *kgo.Record) { sum += work(r.Value) })
	}
	fmt.Println(sum)
	return 0
}

// workOf returns what a role does with one value; its result is of no meaning.
func workOf(role string) (func(value []byte) int, error) {
	switch role {
	case roleRead:
		return func(value []byte) int { return len(value) }, nil
	case roleFastJSON:
		var p fastjson.Parser
		return func(value []byte) int { return parse(&p, value) }, nil
	case roleDecode:
		decoder := nativeFormat().NewDecoder()
		sum := 0
		yield := func(ev *event.Event, _ *event.Reject) {
			if ev != nil {
				sum = len(ev.Records) + len(ev.Actor)
			}
		}
		return func(value []byte) int { decoder.Decode(value, yield); return sum }, nil
	}
	return nil, fmt.Errorf("no reader is called %q", role)
}

var textFields = []string{"time", "id", "action", "actor", "subject", "key_id", "session", "ip", "client", "endpoint"}

// parse does with fastjson what a reader of native events does at the least:
// the fields as bytes, nothing checked, no time understood.
func parse(p *fastjson.Parser, value []byte) int {
	v, err := p.ParseBytes(value)
	if err != nil {
		return 0
	}
	sum := v.GetInt("rows")
	for _, f := range textFields {
		sum += len(v.GetStringBytes(f))
	}
	for _, id := range v.GetArray("records") {
		sum += len(id.GetStringBytes())
	}
	return sum
}
