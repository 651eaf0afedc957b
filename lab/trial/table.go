package trial

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Entrant is a detector of a comparison. Make is called once for each log.
type Entrant struct {
	Name string
	Make func(perDay float64) Detector // false alarms a day that are wanted of it
}

// Compare plays all entrants over a log and returns their results at a target of
// alarms an actor-year, with thresholds set on the past, and by hindsight, so that all
// have as many false alarms: every one has the same leaks.
func (l *Log) Compare(plan Plan, entrants []Entrant, target float64) (past, equal []*Result) {
	leaks := l.draw(plan)
	for _, e := range entrants {
		o := l.play(e.Make(l.PerDay(target)), leaks)
		past = append(past, l.judge(e.Name, o, leaks, target, false, plan.Seed))
		equal = append(equal, l.judge(e.Name, o, leaks, target, true, plan.Seed))
	}
	return past, equal
}

// Beside holds a result against another, row by row: by how many points it catches more
// on average, and the rows in which it surely catches fewer by more than the margin, at
// 5 % for all rows together (Holm 1979).
func Beside(r, base *Result, margin float64) (ahead float64, n int, worse []string) {
	type row struct {
		name string
		p    float64
	}
	var all []row
	for _, at := range rows(base) {
		c, o := r.Cells[at], base.Cells[at]
		ahead += c.Caught - o.Caught
		all = append(all, row{fmt.Sprintf("%v %+.0f", at, 100*(c.Caught-o.Caught)), c.worse(o, margin, 1)})
	}
	slices.SortStableFunc(all, func(a, b row) int { return cmp.Compare(a.p, b.p) })
	for i, x := range all {
		if x.p > 0.05/float64(len(all)-i) {
			break
		}
		worse = append(worse, x.name)
	}
	return 100 * ahead / float64(max(len(all), 1)), len(all), worse
}

// Summary prints a line for each result: false alarms, then the share caught over
// all thieves by size.
func Summary(results []*Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-20s %-20s %-6s  %-20s | all %-15s | colleagues %-8s | at once: quiet %-2s | busy %-7s | new\n", "", fmt.Sprintf("false (%g)", results[0].Target), "chance", "drift 1.5 2 3 5 10", "1.5 2 3 5", "", "", "")
	for _, r := range results {
		mean := func(k Kind, size float64, thieves []Thief, of func(*Cell) float64) string {
			total, n := 0.0, 0.0
			for _, t := range thieves {
				if c := r.Cells[RowOf{k, t, size}]; c != nil {
					total += of(c)
					n++
				}
			}
			if n == 0 {
				return "-" // nobody leaks so
			}
			return fmt.Sprintf("%.0f", 100*total/n)
		}
		every := []Thief{All, Active30, Active7, InOrder, Colleagues}
		caught, soon := func(c *Cell) float64 { return c.Caught }, func(c *Cell) float64 { return c.Soon }
		fmt.Fprintf(&b, "%-20s %5.2f [%5.2f %5.2f] %6s ", r.Name, r.False[0], r.False[1], r.False[2], mean(Drift, 2, every, func(c *Cell) float64 { return c.Chance }))
		for _, size := range Rates {
			fmt.Fprintf(&b, " %3s", mean(Drift, size, every, caught))
		}
		for _, t := range []Thief{All, Colleagues} {
			b.WriteString("  | ")
			for _, size := range Rates[:4] {
				fmt.Fprintf(&b, " %3s", mean(Drift, size, []Thief{t}, caught))
			}
		}
		for _, k := range []Kind{DumpQuiet, DumpBusy, DumpNew} {
			b.WriteString("  | ")
			for _, size := range Dumps {
				fmt.Fprintf(&b, " %3s", mean(k, size, every, soon))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Table prints results of one target, a row for each kind, thief and size, of
// which the name starts with only. The first result is what the others are
// held against: an interval that does not reach zero is marked.
func Table(results []*Result, only string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %5s", "", "leaks")
	for _, r := range results {
		fmt.Fprintf(&b, " | %-24s", r.Name)
	}
	fmt.Fprintf(&b, "\n%-24s %5s", fmt.Sprintf("false an actor-year (%g)", results[0].Target), "")
	for _, r := range results {
		fmt.Fprintf(&b, " | %-24s", fmt.Sprintf("%.2f [%.2f %.2f]", r.False[0], r.False[1], r.False[2]))
	}
	fmt.Fprintf(&b, "\n%-24s %5s", "threshold", "")
	for _, r := range results {
		fmt.Fprintf(&b, " | %-24s", fmt.Sprintf("%.2f", r.Threshold))
	}
	b.WriteByte('\n')
	for _, row := range rows(results[0]) {
		if !strings.HasPrefix(row.String(), only) {
			continue
		}
		base := results[0].Cells[row]
		fmt.Fprintf(&b, "%-24s %5d", row, base.Leaks)
		for i, r := range results {
			c := r.Cells[row]
			text := fmt.Sprintf("%3.0f (%.0f) %.0fh", 100*c.Caught, 100*c.Chance, c.Hours)
			if row.Kind != Drift {
				text = fmt.Sprintf("%3.0f (%.0f) at once %.0f", 100*c.Caught, 100*c.Chance, 100*c.Soon)
			}
			if i > 0 {
				if d, lo, hi := c.Less(base, 1); lo > 0 || hi < 0 {
					text += fmt.Sprintf(" %+.0f*", 100*d)
				}
			}
			fmt.Fprintf(&b, " | %-24s", text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// String returns the name of the row, such as "drift/all/2x" or "quiet/7d/300".
func (r RowOf) String() string {
	if r.Kind == Drift {
		return fmt.Sprintf("%v/%v/%gx", r.Kind, r.Thief, r.Size)
	}
	return fmt.Sprintf("%v/%v/%g", r.Kind, r.Thief, r.Size)
}

// rows returns a result's rows in order.
func rows(r *Result) []RowOf {
	var out []RowOf
	for row := range r.Cells {
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b RowOf) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Thief, b.Thief), cmp.Compare(a.Size, b.Size))
	})
	return out
}
