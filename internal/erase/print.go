package erase

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/weirhq/weir/alerting"
)

// Print says in words what is deleted, or was.
func (p *Plan) Print(w io.Writer) error {
	before := p.Before.UTC().Format("2006-01-02 15:04 UTC")
	switch {
	case p.Cut == nil:
		_, err := fmt.Fprintf(w, "No record of the ledger was written before %s: there is nothing to delete.\n", before)
		return err
	case p.Deleted:
		fmt.Fprintf(w, "What was written before %s is deleted: of the ledger the records up to number %d.\n\n", before, p.Cut.Head.Seq)
	case p.Finishes:
		fmt.Fprintf(w, "What was written before %s was to be deleted by %s and is not yet: of the ledger the records up to number %d.\n\n", before, alerting.Printable(p.Cut.Author, 200), p.Cut.Head.Seq)
	default:
		fmt.Fprintf(w, "What was written before %s would be deleted: of the ledger the records up to number %d.\n\n", before, p.Cut.Head.Seq)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "DELETED\tLEFT\t  TOPIC")
	for _, s := range p.Topics {
		fmt.Fprintf(t, "%s\t%s\t  %s\n", alerting.Group(s.Records), alerting.Group(s.Left), s.Topic)
	}
	return t.Flush()
}
