package campaign

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/eventtime"
)

var searchDimensions = []string{"user", "network", "client", "key"}

// TestSearch plays testdata/search. Its commands are
//
//	fleet: a line a trait, MEMBERS TRAIT-DIMENSION TRAIT SHARE: which part of the
//	       fleet's identities comes through it
//	open:  a line a campaign that is open, KEY trait DIMENSION IDENTITY, or
//	       KEY fact NAME, or KEY time DIMENSION, each with opened=MINUTE
//	find:  a line an open episode, DIMENSION IDENTITY and what is known of it, at
//	       minute 10,000; prints who belongs together
func TestSearch(t *testing.T) {
	s := &Search{}
	var open []Existing
	datadriven.RunTest(t, "testdata/search", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "fleet":
			s = &Search{Dimensions: searchDimensions, Budget: 2, Crowd: &Crowd{traits: map[string]crowdTrait{}}}
			open = nil
			for _, line := range lines(d.Input) {
				f := strings.Fields(line)
				s.Crowd.traits[crowdGroup(f[0], f[1])+f[2]] = crowdTrait{share: number(t, f[3])}
			}
			return ""
		case "open":
			for _, line := range lines(d.Input) {
				open = append(open, existing(t, strings.Fields(line)))
			}
			return ""
		case "find":
			var subjects []Subject
			for _, line := range lines(d.Input) {
				subjects = append(subjects, subject(t, strings.Fields(line)))
			}
			given := slices.Clone(subjects)
			plan := s.Find(10_000*eventtime.Minute, subjects, open)
			for i := range given {
				if given[i].ID != subjects[i].ID {
					t.Error("the search changes what it is given")
				}
			}
			return plan.String()
		}
		t.Fatalf("command %q", d.Cmd)
		return ""
	})
}

func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(s string) bool { return strings.TrimSpace(s) == "" })
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func existing(t *testing.T, f []string) Existing {
	t.Helper()
	x := Existing{Key: f[0], Cause: &Cause{}, Opened: 10_000 * eventtime.Minute}
	switch f[1] {
	case "trait":
		x.Cause.Kind, x.Cause.Dimension, x.Cause.Identity = ByTrait, f[2], f[3]
	case "fact":
		x.Cause.Kind, x.Cause.Fact = ByFact, fact.Name(f[2])
	case "time":
		x.Cause.Kind, x.Cause.Dimension = ByTime, f[2]
	default:
		t.Fatalf("a campaign by %q", f[1])
	}
	if minute, ok := strings.CutPrefix(f[len(f)-1], "opened="); ok {
		x.Opened = int64(number(t, minute)) * eventtime.Minute
	}
	return x
}

func subject(t *testing.T, f []string) Subject {
	t.Helper()
	s := Subject{ID: episode.ID{Dimension: f[0], Identity: f[1]}, Key: "key of " + f[1], Order: slices.Index(searchDimensions, f[0]), Opened: 10_000 * eventtime.Minute}
	for _, arg := range f[2:] {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "told":
			s.Announced = true
		case "opened":
			s.Opened = int64(number(t, value)) * eventtime.Minute
		case "exposed":
			s.Exposed = int64(number(t, value))
		case "excess":
			measure, amount, _ := strings.Cut(value, ":")
			s.Excess = append(s.Excess, MeasureExcess{Measure: measure, From: 7, Amount: number(t, amount)})
		case "facts":
			s.Facts = value
			s.Fact = fact.Name(strings.Split(value, ",")[0])
		case "through":
			for part := range strings.SplitSeq(value, ",") {
				p := strings.Split(part, ":")
				s.Traits = append(s.Traits, TraitShare{trait.Trait{Dimension: slices.Index(searchDimensions, p[0]), Identity: p[1]}, number(t, p[2])})
			}
		default:
			t.Fatalf("argument %q", arg)
		}
	}
	return s
}

// String writes a plan for people.
func (p Plan) String() string {
	var b strings.Builder
	for _, j := range p.Joins {
		fmt.Fprintf(&b, "%s %s joins %s\n", j.ID.Dimension, j.ID.Identity, j.Key)
	}
	for _, g := range p.New {
		fmt.Fprintf(&b, "campaign %s, evidence %.2f of %.2f:", g.Cause.Name(), g.Cause.Log, g.Cause.Threshold)
		for _, id := range g.Members {
			fmt.Fprintf(&b, " %s", id.Identity)
		}
		b.WriteByte('\n')
	}
	if b.Len() == 0 {
		return "nobody\n"
	}
	return b.String()
}
