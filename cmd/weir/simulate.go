package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/simulation"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/simulate"
)

// simulateFlags are what the command line of weir simulate says.
type simulateFlags struct {
	scenario   string
	seed       uint64
	days       int
	start      string
	scale      float64
	leakStart  string
	leakFactor float64
	backlog    bool

	out    string
	truth  string
	format string
	rate   float64
	speed  float64

	topic       string
	brokers     []string
	partitionBy string
	createTopic int32

	history   string
	live      bool
	leakAfter time.Duration
}

// newSimulateCommand returns weir simulate: the traffic of a company whose
// truth is known, into a file or a topic.
func newSimulateCommand() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Make the traffic of a company, with or without a leak, whose truth is known",
		Long: "Make the traffic of a company whose truth is known, and write it to a file or a topic.\n" +
			"The same flags give the same bytes.\n\nScenarios:\n" + scenarioList(),
		Example: `  weir simulate --scenario forged-key --seed 7 --out events.ndjson.gz --truth truth.json
  weir simulate --scenario calm --days 3 --format ocsf --out - | head
  weir simulate --scenario demo --topic access --brokers kafka:9092 --create-topic 4 --history 14d --live`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage.Errorf("reading the arguments: weir simulate takes flags only, not %q", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.simulation(time.Now(), cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return s.Run(cmd.Context())
		},
	}
	f.register(cmd)
	return cmd
}

// register adds the flags to the command.
func (f *simulateFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.scenario, "scenario", "calm", "what befalls the company (see above)")
	fl.Uint64Var(&f.seed, "seed", 1, "another seed is another company")
	fl.IntVar(&f.days, "days", 0, "length in days (default: the scenario's own)")
	fl.StringVar(&f.start, "start", "", "first instant, RFC 3339 or a date (default "+simulate.DefaultStart.Format(time.DateOnly)+")")
	fl.Float64Var(&f.scale, "scale", 0, "size of the company, 1 = 150 staff and about 39,000 events a working day (default: the scenario's own)")
	fl.StringVar(&f.leakStart, "leak-start", "", "when the leak begins, RFC 3339 or a date (default: the scenario's own)")
	fl.Float64Var(&f.leakFactor, "leak-factor", 1, "multiply the leak's rate")
	fl.BoolVar(&f.backlog, "backlog", false, "let the outage's events come late, after it, instead of not at all")

	fl.StringVar(&f.out, "out", "", "write to this file, compressed if it ends in .gz or .zst (- is stdout)")
	fl.StringVar(&f.truth, "truth", "", "write what really happened to this file, as JSON")
	fl.StringVar(&f.format, "format", "native", "form of the events: native or ocsf")
	fl.Float64Var(&f.rate, "rate", 0, "at most this many events a second (default: as fast as possible)")
	fl.Float64Var(&f.speed, "speed", 0, "play at this multiple of real time")

	fl.StringVar(&f.topic, "topic", "", "produce to this Kafka topic, record timestamps as event times")
	fl.StringSliceVar(&f.brokers, "brokers", []string{"localhost:9092"}, "Kafka's addresses, host:port, comma-separated")
	fl.StringVar(&f.partitionBy, "partitions-by", "actor", "what spreads events over the partitions: actor, or none for batch by batch")
	fl.Int32Var(&f.createTopic, "create-topic", 0, "create the topic with this many partitions, without retention, if it is not there")

	fl.StringVar(&f.history, "history", "", "begin this long ago (14d, 36h) and end now, in place of --start and --days")
	fl.BoolVar(&f.live, "live", false, "after the history go on in real time until interrupted")
	fl.DurationVar(&f.leakAfter, "leak-after", 30*time.Second, "with --live: start the leak this long after going live, or before it: -6h")

	complete := func(flag string, values ...string) {
		// The error can only be a flag that does not exist.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	var names []string
	for _, s := range simulate.Scenarios() {
		names = append(names, s.Name+"\t"+s.Description)
	}
	complete("scenario", names...)
	complete("format", "native", "ocsf")
	complete("partitions-by", "actor", "none")
}

// scenarioList is the scenarios as lines of help.
func scenarioList() string {
	var b strings.Builder
	for _, s := range simulate.Scenarios() {
		fmt.Fprintf(&b, "  %-13s %s\n", s.Name, s.Description)
	}
	return b.String()
}

// simulation checks the flags and returns what they ask for. Every error is a
// usage error.
func (f *simulateFlags) simulation(now time.Time, stdout, stderr io.Writer) (*simulation.Simulation, error) {
	s := &simulation.Simulation{
		Company: simulate.Options{
			Scenario: f.scenario, Seed: f.seed, Days: f.days, Scale: f.scale, LeakFactor: f.leakFactor, Backlog: f.backlog,
		},
		Truth: f.truth, Live: f.live, LeakAfter: f.leakAfter, Rate: f.rate, Speed: f.speed, Progress: progress.New(stderr),
	}
	var err error
	if s.Encode, err = f.encoder(); err != nil {
		return nil, err
	}
	if s.Company.Start, err = parseInstant("start", f.start); err != nil {
		return nil, err
	}
	if s.Company.LeakStart, err = parseInstant("leak-start", f.leakStart); err != nil {
		return nil, err
	}
	if err := f.checkPace(); err != nil {
		return nil, err
	}
	if err := f.placeHistory(s, now); err != nil {
		return nil, err
	}
	if s.Open, err = f.opener(stdout); err != nil {
		return nil, err
	}
	if _, err := simulate.New(s.Company); err != nil {
		return nil, usage.Error{Err: err}
	}
	return s, nil
}

// checkPace refuses paces that contradict each other.
func (f *simulateFlags) checkPace() error {
	switch {
	case f.rate < 0 || f.speed < 0:
		return usage.Errorf("reading --rate and --speed: neither can be negative")
	case f.rate > 0 && f.speed > 0:
		return usage.Errorf("reading --rate and --speed: give one of them")
	case f.live && (f.rate > 0 || f.speed > 0):
		return usage.Errorf("reading --live: it goes at the pace of real time, leave out --rate and --speed")
	case f.live && f.leakStart != "":
		return usage.Errorf("reading --live: the leak starts --leak-after going live, leave out --leak-start")
	}
	return nil
}

// placeHistory shifts the company's time so that its history ends now.
func (f *simulateFlags) placeHistory(s *simulation.Simulation, now time.Time) error {
	if f.history == "" && !f.live {
		return nil
	}
	if f.start != "" || f.days != 0 {
		return usage.Errorf("reading --history and --live: they end the history now, leave out --start and --days")
	}
	history := 14 * 24 * time.Hour
	if f.history != "" {
		var ok bool
		history, ok = parseSpan(f.history)
		switch {
		case !ok && strings.HasSuffix(f.history, "d"):
			return usage.Errorf("reading --history: %q is no number of days, write it as 14d", f.history)
		case !ok:
			return usage.Errorf("reading --history: %q is no duration, write it as 14d or 36h", f.history)
		}
	}
	const most = simulate.MaxDays / 2 * 24 * time.Hour
	if history < time.Hour || history > most {
		return usage.Errorf("reading --history: %s is not in 1h..%dd", f.history, simulate.MaxDays/2)
	}
	s.Company.Start = now.Add(-history).UTC().Truncate(time.Millisecond)
	s.Company.Days = int(history/(24*time.Hour)) + 1
	s.Until = now
	if f.live {
		s.Company.Days = simulate.MaxDays
	}
	return nil
}

// encoder returns the function that writes an event in the chosen form.
func (f *simulateFlags) encoder() (func([]byte, *event.Event) []byte, error) {
	switch f.format {
	case "native":
		return event.AppendNative, nil
	case "ocsf":
		return event.AppendOCSF, nil
	}
	return nil, usage.Errorf("reading --format: %q is neither native nor ocsf", f.format)
}

// opener returns the function that opens the output.
func (f *simulateFlags) opener(stdout io.Writer) (func(context.Context) (simulation.Sink, error), error) {
	switch {
	case f.out == "" && f.topic == "":
		return nil, usage.Errorf("choosing the output: give --out FILE (- is stdout) or --topic TOPIC")
	case f.out != "" && f.topic != "":
		return nil, usage.Errorf("choosing the output: give --out or --topic, not both")
	case f.out != "":
		return func(context.Context) (simulation.Sink, error) { return simulation.OpenFile(f.out, stdout) }, nil
	}
	if f.partitionBy != "actor" && f.partitionBy != "none" {
		return nil, usage.Errorf("reading --partitions-by: %q is neither actor nor none", f.partitionBy)
	}
	return func(ctx context.Context) (simulation.Sink, error) {
		return simulation.OpenTopic(ctx, f.brokers, f.topic, f.partitionBy == "actor", f.createTopic)
	}, nil
}

// parseInstant reads the value of a time flag; an empty one is the zero time.
func parseInstant(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usage.Errorf("reading --%s: %q is no time, write it as 2026-01-05T00:00:00Z or 2026-01-05", flag, s)
}
