package status

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weirhq/weir/alerting"
)

// Print writes a status for people, with times in a zone: first what must be
// mended and why little is said, then what that follows from.
func (s *Status) Print(w io.Writer, zone *time.Location) error {
	out := &printer{t: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), zone: zone}
	out.line("weir, group %s, %s (%s)", s.Group, s.Time.Std().In(zone).Format("Mon 2 Jan 2006 15:04:05"), zone)
	out.sentences("What must be mended:", s.Faults)
	out.sentences("Why little or nothing is said:", s.Reasons)
	out.line("")
	out.line("ROLE\tPROCESSES\tHOSTS\tDONE UP TO\tWAITING")
	for i := range s.Roles {
		r := &s.Roles[i]
		out.line("%s\t%d\t%s\t%s\t%d", r.Name, r.Processes, strings.Join(r.Hosts, ", "), out.time(r.Reached), r.Waiting)
	}
	out.line("")
	out.line("SOURCE\tPARTITIONS\tLAST EVENT\tLAG\tLAST HOUR\tWAITING\tREJECTED IN 24 H")
	for i := range s.Sources {
		src := &s.Sources[i]
		lag := time.Duration(src.LagSeconds * float64(time.Second))
		out.line("%s\t%d\t%s\t%s\t%d\t%d\t%s", src.Topic, src.Partitions, out.time(src.LastEvent), lag, src.LastHour, src.Waiting, rejects(src))
	}
	out.line("")
	out.line("DIMENSION\tIDENTITIES\tOPENS AT\tRARER THAN 1 IN 1,000: COUNTED OF EXPECTED")
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		out.line("%s\t%d\t%s\t%s", d.Name, d.Identities, opensAt(d), rareOf(d))
	}
	out.line("")
	out.line("DESTINATION\tTYPE\tLAST\tOUTCOME\tDELIVERED IN 7 D\tFAILED\tWAITING\tHEARTBEAT\tNEXT")
	for i := range s.Destinations {
		d := &s.Destinations[i]
		outcome := d.Outcome
		if d.Failing {
			outcome = "failing"
		}
		next := out.time(d.Next)
		if !d.Heartbeat {
			next = "off"
		}
		out.line("%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s", d.Name, d.Type, out.time(d.Last), outcome, d.Delivered, d.Failed, d.Waiting, out.time(d.Sent), next)
	}
	out.line("")
	out.line("Budget: %s a day of %s were told of over the last 28 days of event time.", alerting.Decimal(s.Budget.Realised), alerting.Decimal(s.Budget.PerDay))
	out.names("Never seen to act, though they were left:", s.Facts.NeverSeen.Accounts)
	out.names("Never seen to be used, though they were revoked:", s.Facts.NeverSeen.Keys)
	out.line("Open: %d episodes, %d of them campaigns, %d held back; %d verdicts wait.", s.Episodes.Open, s.Episodes.Campaigns, s.Episodes.HeldBack, s.Episodes.Verdicts)
	if err := out.t.Flush(); err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	return nil
}

// opensAt writes what evidence opens an episode in a dimension, by group.
func opensAt(d *Dimension) string {
	parts := make([]string, 0, len(d.Thresholds))
	for _, group := range slices.Sorted(maps.Keys(d.Thresholds)) {
		parts = append(parts, fmt.Sprintf("%s %.2f", group, d.Thresholds[group]))
	}
	if len(parts) == 0 {
		return "not told yet"
	}
	return strings.Join(parts, ", ") + " nats"
}

// rareOf writes how often what is called rare came, by group.
func rareOf(d *Dimension) string {
	var parts []string
	for _, group := range slices.Sorted(maps.Keys(d.Rare)) {
		parts = append(parts, fmt.Sprintf("%s %.0f of %.0f", group, d.Rare[group].Counted, d.Rare[group].Expected))
	}
	return cmp.Or(strings.Join(parts, ", "), "not told yet")
}

// printer writes lines of tables.
type printer struct {
	t    *tabwriter.Writer
	zone *time.Location
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p.t, format+"\n", args...) }

// names lists names after what they are.
func (p *printer) names(what string, list []string) {
	if len(list) > 0 {
		p.line("%s %s.", what, alerting.Printable(strings.Join(list, ", "), 4000))
	}
}

func (p *printer) sentences(title string, list []string) {
	if len(list) == 0 {
		return
	}
	p.line("")
	p.line("%s", title)
	for _, text := range list {
		p.line("- %s", alerting.Printable(text, 1000))
	}
}

func (p *printer) time(t alerting.Time) string {
	if t == 0 {
		return "-"
	}
	return t.Std().In(p.zone).Format("2 Jan 15:04")
}

// rejects lists what could not be taken in, by reason.
func rejects(src *Source) string {
	if len(src.Rejected) == 0 {
		return "0"
	}
	var out []string
	for _, r := range src.Rejected {
		out = append(out, fmt.Sprintf("%d %s", r.Count, r.Reason))
	}
	return strings.Join(out, ", ")
}
