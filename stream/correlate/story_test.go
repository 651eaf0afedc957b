package correlate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/stream"
)

// TestStories plays the files of testdata/stories: what detect and people say,
// tick by tick, and what correlate makes of it. A tick lasts five minutes, a bin
// an hour; the first tick begins on Monday, 2 March 2026, at 09:05. The commands:
//
//	new      begins anew; a line an expectation: NAME user PATTERN at-most=N
//	settle   users=N: lets four days pass in which N users work calmly
//	tick     for=N: lets N ticks pass, one by default, each with the input:
//	           DIMENSION IDENTITY log=L exposed=N through=DIMENSION:NAME:SHARE,…
//	             is a candidate; with count=N, NAME-0 and so on, one record more each;
//	             with stale its evidence is that of before
//	           fact DIMENSION IDENTITY NAME exposed=N; with count=N as above
//	bin-end  users=N: lets ticks pass until one ends a bin, in which the users work
//	         and the input, as of tick, comes; beside it lines
//	           weak FIRST-LAST log=L observed=N through=DIMENSION:NAME,…
//	           are those of the users who show something; NAME* is NAME- and a
//	           number, each of four has a quarter
//	verdict  a line a verdict: KIND DIMENSION IDENTITY
//	alert    a line DIMENSION IDENTITY: prints the latest alert of it
//	commands prints what detect was told to forget, and nothing twice
//	restore  kills the task and restores it
//	reset    begins anew, with the verdicts that were given and no event
//
// What is told is printed as it is: "open user eve medium". What is held back
// stands in parentheses, with what holds it back. With brief, only how many are
// told and held back is printed; with last, only what the last tick said.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{desk: newDesk(t)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			return s.play(d)
		})
	})
}

type story struct {
	*desk
	printed int // commands that were printed
}

func (s *story) play(d *datadriven.TestData) string {
	input := slices.DeleteFunc(strings.Split(d.Input, "\n"), func(line string) bool { return line == "" })
	switch d.Cmd {
	case "new":
		s.desk, s.printed = newDesk(s.t, s.expectations(input)...), 0
	case "settle":
		return s.settle(argument(s.t, d, "users", 0))
	case "tick":
		var out []string
		for range argument(s.t, d, "for", 1) {
			out = s.keep(d, out, s.pass(input, nil))
		}
		return strings.Join(out, "")
	case "bin-end":
		var out []string
		for !s.endsBin() {
			out = s.keep(d, out, s.pass(nil, nil))
		}
		return strings.Join(s.keep(d, out, s.pass(input, s.bin(argument(s.t, d, "users", 0), input))), "")
	case "verdict":
		for _, line := range input {
			kind, of, _ := strings.Cut(line, " ")
			dim, identity, _ := strings.Cut(of, " ")
			s.verdict(VerdictKind(kind), s.latest(dim, identity).DedupKey)
		}
	case "alert":
		dim, identity, _ := strings.Cut(input[0], " ")
		return describe(s.latest(dim, identity))
	case "commands":
		return s.printCommands()
	case "restore":
		s.restore()
	case "reset":
		s.reset()
	default:
		s.t.Fatalf("command %q", d.Cmd)
	}
	return ""
}

func argument(t testing.TB, d *datadriven.TestData, name string, otherwise int) int {
	t.Helper()
	for _, a := range d.CmdArgs {
		if a.Key == name {
			n, err := strconv.Atoi(a.Vals[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return otherwise
}

// keep returns what is printed of the ticks of a command.
func (s *story) keep(d *datadriven.TestData, before []string, found Findings) []string {
	switch {
	case d.HasArg("brief"):
		return append(before, fmt.Sprintf("%d told, %d held back\n", len(found.Alerts), len(found.Suppressed)))
	case d.HasArg("last"):
		before = nil
	}
	return append(before, s.print(found)...)
}

// print lists what a tick said, a line each.
func (s *story) print(found Findings) (out []string) {
	for i := range found.Alerts {
		a := &found.Alerts[i]
		out = append(out, fmt.Sprintf("%s %s %s %s\n", a.Status, a.Dimension, a.Identity, a.Severity))
	}
	for i := range found.Suppressed {
		a, by := &found.Suppressed[i].Alert, found.Suppressed[i].By
		what := fmt.Sprintf("by %s %s", by.Kind, by.Name)
		if by.Kind == ByCampaign {
			lead := s.task.store.byKey[by.Name]
			what = "told by " + lead.Dimension + " " + lead.Identity
			if by.Reason != "" {
				what = by.Reason
			}
		}
		line := fmt.Sprintf("(%s %s %s %s, %s", a.Status, a.Dimension, a.Identity, a.Severity, what)
		if by.Owner != "" {
			line += fmt.Sprintf(", %s: %s, until %s", by.Owner, by.Reason, by.Expires)
		}
		out = append(out, line+")\n")
	}
	for i := range found.Effects {
		e := &found.Effects[i]
		if end := s.cfg.Grid.TickEnd(s.tick); int64(e.Time) != end {
			s.t.Errorf("a verdict took effect at %s, want the end of its tick", e.Time)
		}
		out = append(out, fmt.Sprintf("verdict: %s\n", e.Verdict.Kind))
	}
	for i := range found.Refusals {
		r := &found.Refusals[i]
		out = append(out, fmt.Sprintf("refused: %s by %s, since %s\n", r.Verdict.Kind, r.Verdict.Author, r.Refused))
	}
	return out
}

// pass lets a tick pass.
func (s *story) pass(input []string, traits *campaign.TraitSums) Findings {
	var candidates []stream.Candidate
	var facts []stream.FactCandidate
	for _, line := range input {
		f := strings.Fields(line)
		switch f[0] {
		case "weak":
		case "fact":
			dim := stream.SourceDimension
			if f[1] != stream.SourceDimensionName {
				dim = dimension(s.t, f[1])
			}
			o := s.options(f[4:])
			for i := range max(o.count, 1) {
				name := f[2]
				if o.count > 0 {
					name = fmt.Sprint(name, "-", i)
				}
				facts = append(facts, factOf(dim, name, fact.Name(f[3]), int64(o.exposed)))
			}
		default:
			candidates = append(candidates, s.candidates(f)...)
		}
	}
	return s.next(candidates, facts, traits)
}

func (s *story) candidates(f []string) []stream.Candidate {
	o := s.options(f[2:])
	var traits []campaign.TraitShare
	for _, t := range o.through {
		traits = append(traits, through(s.t, t[0], t[1], s.number(t[2])))
	}
	if o.count == 0 {
		c := s.candidate(f[0], f[1], o.log, int64(o.exposed), traits...)
		c.Stale = o.stale
		return []stream.Candidate{c}
	}
	var out []stream.Candidate
	for i := range o.count {
		out = append(out, s.candidate(f[0], fmt.Sprintf("%s-%d", f[1], i), o.log, int64(o.exposed)+int64(i), traits...))
		out[i].Stale = o.stale
	}
	return out
}

// options are what may stand on a line of input.
type options struct {
	log, exposed, observed float64
	count                  int
	stale                  bool
	through                [][]string
}

func (s *story) options(args []string) (o options) {
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "log":
			o.log = s.number(value)
		case "exposed":
			o.exposed = s.number(value)
		case "observed":
			o.observed = s.number(value)
		case "count":
			o.count = int(s.number(value))
		case "stale":
			o.stale = true
		case "through":
			for t := range strings.SplitSeq(value, ",") {
				o.through = append(o.through, strings.Split(t, ":"))
			}
		default:
			s.t.Fatalf("%q on a line of input", arg)
		}
	}
	return o
}

func (s *story) number(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// bin is what the company looks like at the end of a bin, with its weak lines.
func (s *story) bin(users int, input []string) *campaign.TraitSums {
	return company(s.t, users, func(i int, m *campaign.ActiveIdentity) {
		for _, line := range input {
			f := strings.Fields(line)
			if f[0] != "weak" {
				continue
			}
			if first, last, _ := strings.Cut(f[1], "-"); m.Identity < first || m.Identity > last {
				continue
			}
			o := s.options(f[2:])
			m.Log = o.log
			if o.observed != 0 {
				m.Observed = o.observed
			}
			for _, t := range o.through {
				name := t[1]
				if stem, many := strings.CutSuffix(name, "*"); many {
					name = fmt.Sprint(stem, "-", i%4)
				}
				m.Traits = append(m.Traits, trait.Trait{Dimension: dimension(s.t, t[0]), Identity: name})
			}
		}
	})
}

// settle lets the fleet be known for four days, and prints what was told.
func (s *story) settle(users int) string {
	var out []string
	for range 4 * 24 {
		for !s.endsBin() {
			out = append(out, s.print(s.next(nil, nil, nil))...)
		}
		out = append(out, s.print(s.next(nil, nil, company(s.t, users, nil)))...)
	}
	return strings.Join(out, "")
}

// expectations reads the lines of new.
func (s *story) expectations(input []string) (out []Expectation) {
	for _, line := range input {
		f := strings.Fields(line)
		out = append(out, Expectation{
			Name: f[0], Dimension: f[1], Identity: f[2], Measures: []string{"distinct"}, AtMost: int64(s.number(strings.TrimPrefix(f[3], "at-most="))),
			Owner: "data", Reason: "the nightly export", Expires: 1_775_000_000_000,
		})
	}
	return out
}

// printCommands prints the commands that were not printed yet; bins are counted
// from that of the latest tick.
func (s *story) printCommands() string {
	var b strings.Builder
	for _, c := range s.desk.commands[s.printed:] {
		now := s.cfg.Grid.BinOfTick(s.tick)
		if c.Kind != stream.Excise || c.Bin < c.ToBin {
			s.t.Errorf("command %+v: want an excision, after its interval", c)
		}
		fmt.Fprintf(&b, "forget bins %d to %d of %s %s\n", c.FromBin-now, c.ToBin-now, testDimensions[c.Dimension], c.Identity)
	}
	s.printed = len(s.desk.commands)
	return b.String()
}

// describe prints what an alert says beside its first line.
func describe(a *alerting.Alert) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s by %s, %s\n", a.Kind, a.Detector, a.Confidence)
	if a.Fact != "" {
		fmt.Fprintf(&b, "fact %s\n", a.Fact)
	}
	if a.Measure != "" || a.Observed != 0 {
		fmt.Fprintf(&b, "observed %g, expected %g of %q\n", a.Observed, a.Expected, a.Measure)
	}
	fmt.Fprintf(&b, "exposed %d, %d to %d\n", a.Exposed.Records, a.Exposed.Low, a.Exposed.High)
	if a.Members != nil {
		fmt.Fprintf(&b, "%d members:", a.Members.Count)
		for i := range a.Members.Top {
			fmt.Fprintf(&b, " %s", a.Members.Top[i].Identity)
		}
		b.WriteByte('\n')
		if len(a.Members.Also) > 0 {
			fmt.Fprintf(&b, "and %d others\n", len(a.Members.Also))
		}
	}
	return b.String()
}
