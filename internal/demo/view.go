package demo

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// picture draws the demonstration in at most height lines of at most width
// columns. What does not fit is left out: first what stands out, then episodes,
// then alerts; the clock stays.
func picture(s *state, width, height int) []viewLine {
	lines := headLines(s)
	room := height - len(lines)
	standing, open := s.standingOut(standingFor, mostRows), s.openEpisodes()
	alerts := alertLines(s, width)
	// A section takes a blank line, a title and a row at least.
	want := []int{len(alerts), max(len(open), 1), max(len(standing), 1)}
	rows := allot(room, want, []int{4, 3, 3})
	if rows[2] > 0 {
		lines = append(lines, standingSection(s, rows[2], width)...)
	}
	if rows[1] > 0 {
		lines = append(lines, episodeSection(s, open, rows[1], width)...)
	}
	if rows[0] > 0 {
		lines = append(lines, viewLine{}, viewLine{{"ALERTS, newest first", strong}})
		lines = append(lines, alerts[:min(rows[0], len(alerts))]...)
	}
	lines = lines[:max(min(len(lines), height), 0)]
	for i := range lines {
		lines[i] = lines[i].cut(max(width, 0))
	}
	return lines
}

// allot shares out lines to sections in the order of their weight: each gets,
// beside its title and a blank line, first what it needs to be of use, then,
// from what is left, what it wants.
func allot(room int, want, need []int) []int {
	const title = 2
	rows := make([]int, len(want))
	for i := range want {
		if n := min(want[i], need[i]); room >= n+title {
			rows[i], room = n, room-n-title
		} else if i == 0 && room > title {
			rows[i], room = room-title, 0
		}
	}
	for i := len(want) - 1; i >= 0; i-- {
		if more := min(want[i]-rows[i], room, mostRows-rows[i]); rows[i] > 0 && more > 0 && i > 0 {
			rows[i], room = rows[i]+more, room-more
		}
	}
	if rows[0] > 0 {
		rows[0] += min(want[0]-rows[0], room)
	}
	return rows
}

// standingFor is for how many ticks an identity is shown that stood out: an hour.
const standingFor = 12

// mostRows is how many rows a table has at most.
const mostRows = 8

// headLines draws what is always there: the clock and how the pipeline does.
func headLines(s *state) []viewLine {
	var title, clock, flow viewLine
	title.add(strong, "weir demo")
	title.add(faint, "  a simulated company, an embedded Kafka; Ctrl-C ends")
	switch s.phase {
	case inHistory:
		clock.add(strong, "learning two weeks of ordinary life: %s", eventClock(s.done()))
	case inLastDay:
		clock.add(strong, "%s", eventClock(s.truth.reached()))
		if s.truth.stealing() {
			clock.add(bad, "  customers are being stolen")
		}
		clock.add(faint, "  (%s times as fast as life)", strconv.FormatFloat(s.speed, 'f', -1, 64))
	case isOver:
		clock.add(strong, "%s", eventClock(s.truth.reached()))
		clock.add(normal, "  the day is over")
	}
	flow.add(normal, "%s events, %s/s  %s identities  watermark %s", alerting.Group(s.events),
		alerting.Group(int64(s.perSecond+0.5)), alerting.Group(s.identities), eventClock(s.watermark))
	lines := []viewLine{title, clock, flow}
	for _, l := range []struct{ what, url string }{{"what the security team gets: ", s.page}, {"what weir shows: ", s.console}} {
		if l.url != "" {
			var line viewLine
			line.add(faint, "%s", l.what)
			line.add(normal, "%s", l.url)
			lines = append(lines, line)
		}
	}
	return lines
}

// identityColumn is how wide identities are shown on so wide a terminal.
func identityColumn(width int) int { return min(max(width-60, 8), 36) }

// standingSection draws the identities that stand out, with what their strongest
// measure has counted in its day or hour.
func standingSection(s *state, rows, width int) []viewLine {
	names := identityColumn(width)
	var title viewLine
	title.add(strong, "%-*s %8s %8s", names+10, "STANDS OUT NOW"[:min(14, names+10)], "counted", "usual")
	title.add(faint, "  evidence (full: an alert)")
	lines := []viewLine{{}, title}
	list := s.standingOut(standingFor, rows)
	if len(list) == 0 {
		return append(lines, viewLine{{"nothing", faint}})
	}
	for _, c := range list {
		var l viewLine
		m := c.Measures[0]
		l.add(normal, "%-9s %s %8s %8s  ", cell(s.dimension(c.Dimension), 9), column(c.Identity, names), amount(m.Observed), amount(m.Expected))
		how := warned
		if c.share >= 1 {
			how = bad
		}
		l.add(how, "%s", bar(c.share, min(max(width-names-29, 0), 24)))
		lines = append(lines, l)
	}
	return lines
}

// episodeSection draws the open episodes and what they have exposed.
func episodeSection(s *state, open []*alerting.Alert, rows, width int) []viewLine {
	names := identityColumn(width)
	var title viewLine
	title.add(strong, "%-*s %-8s %-9s %9s", names+10, "OPEN EPISODES", "severity", "since", "exposed")
	lines := []viewLine{{}, title}
	if len(open) == 0 {
		return append(lines, viewLine{{"none", faint}})
	}
	most := int64(1)
	for _, a := range open {
		most = max(most, a.Exposed.Records)
	}
	const tag = "  the leak"
	for _, a := range open[:min(rows, len(open))] {
		var l viewLine
		how := severityStyle(a.Severity)
		l.add(normal, "%-9s %s ", cell(a.Dimension, 9), column(a.Identity, names))
		l.add(how, "%-8s ", a.Severity)
		l.add(normal, "%-9s %9s  ", a.Onset.Std().Format("Mon 15:04"), alerting.Group(a.Exposed.Records))
		l.add(how, "%s", bar(float64(a.Exposed.Records)/float64(most), min(max(width-names-41-len(tag), 0), 24)))
		if s.truth.leakOf(a) >= 0 {
			l.add(bad, tag)
		}
		lines = append(lines, l)
	}
	return lines
}

// alertLines draws the log of alerts, newest first, wrapped.
func alertLines(s *state, width int) (lines []viewLine) {
	const most = 60 // more fits on no screen
	for i := len(s.alerts) - 1; i >= 0 && len(lines) < most; i-- {
		a := s.alerts[i]
		how := normal
		if s.truth.leakOf(a) >= 0 {
			how = bad
		}
		head := fmt.Sprintf("%s %-6s ", a.Time.Std().Format("Mon 15:04"), a.Status)
		for j, part := range wrap(a.Summary, width-len(head)) {
			if j > 0 {
				head = strings.Repeat(" ", len(head))
			}
			lines = append(lines, viewLine{{head, faint}, {part, how}})
		}
	}
	if len(lines) == 0 {
		lines = []viewLine{{{"none so far", faint}}}
	}
	return lines
}

// dimension returns the name of a dimension.
func (s *state) dimension(i int) string {
	if i < len(s.dimensions) {
		return s.dimensions[i]
	}
	return "?"
}

func severityStyle(v episode.Severity) style {
	switch {
	case v >= episode.High:
		return bad
	case v == episode.Medium:
		return warned
	}
	return good
}
