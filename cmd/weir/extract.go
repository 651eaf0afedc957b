package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/extract"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

type extractOptions struct {
	config, format, output string
	inputs                 []string
	alert, since, until    string
	out, events, state     string
	only                   string
	key                    string
	started                time.Time
}

// newExtractCommand makes `weir extract`: who exactly was affected.
func newExtractCommand() *cobra.Command {
	var o extractOptions
	cmd := &cobra.Command{
		Use:   "extract DEDUP_KEY -c FILE [--out FILE] [--events FILE] [--state FILE]",
		Short: "List exactly which customers an episode has touched",
		Long: `Read the source topics again over the interval of an episode and write every
customer id that its identity has touched, each once, one a line, to stdout or
--out; with --events also the events, as JSON lines with their positions. The
number is held against the alert's estimate: where it lies outside of the 99.99 %
interval, the command says what may be the cause and ends with 1.

The interval runs from the alert's exposed.since to the time of its last alert;
--since and --until set it otherwise. Of a campaign the customers of all its
members are listed. All that the identity touched is listed, as the estimate
counts it: what it read in its duty too, not only what was stolen. --only lists a
part of it:

  unissued      what was read through tokens of which the sources hold no login or
                issue, or after their revocation
  beyond-usual  customers that it had not touched in the time.retention (30 days)
                before the interval; some of these may be its duty, too

weir itself keeps no raw ids, so this needs what only operators have: the right
to read the source topics, and the record key file. Files are made for you alone
(mode 0600); a file that is there already is refused. Ids that a spreadsheet would
take for formulas are quoted. Tokens are written hashed.

With --state the work can be interrupted and goes on where it was when the same
command is run again. --input reads files instead of topics, and --alerts finds
the episode in a file, such as the output of backtest -o json.`,
		Example: `  weir extract weir-dffa33c0917f4f02 -c weir.yaml --out customers.txt --state extract.json
  weir extract weir-dffa33c0917f4f02 -c weir.yaml --until now --events events.ndjson > customers.txt
  weir extract weir-dffa33c0917f4f02 --alerts alerts.ndjson --input access.ndjson.gz | wc -l`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("extract needs one DEDUP_KEY, as it stands in the alert")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.key, o.started = args[0], time.Now()
			return runExtract(cmd.Context(), cmd, &o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (default with --input: no file, all defaults)")
	f.StringArrayVar(&o.inputs, "input", nil, "file of events to read instead of the source topics; may be given more than once")
	formatFlag(cmd, &o.format)
	f.StringVar(&o.alert, "alerts", "", "file of alerts, one a line, in which to find the episode (default: the alerts topic)")
	f.StringVar(&o.only, "only", "", "list only a part: "+strings.Join(extract.Onlys, " or "))
	f.StringVar(&o.since, "since", "", "begin at this time instead of the alert's")
	f.StringVar(&o.until, "until", "", "end before this time instead of the alert's; or now")
	f.StringVar(&o.out, "out", "", "file for the customer ids (default: stdout)")
	f.StringVar(&o.events, "events", "", "file for the events")
	f.StringVar(&o.state, "state", "", "file that lets the work go on after an interruption; needs --out")
	f.StringVarP(&o.output, "output", "o", "table", "form of the result on stderr: table or json")
	return cmd
}

// check refuses flags that contradict each other, and a call that lacks some.
func (o *extractOptions) check() error {
	switch {
	case o.state != "" && o.out == "":
		return usage.Errorf("--state needs --out: what has gone to stdout cannot be taken up again")
	case len(o.inputs) > 0 && o.alert == "":
		return usage.Errorf("--input needs --alerts, a file with the alert, such as the output of backtest -o json")
	case len(o.inputs) == 0 && o.config == "":
		return usage.Errorf("extract needs a configuration, to read the source topics (-c FILE), or files (--input)")
	case o.only != "" && !slices.Contains(extract.Onlys, o.only):
		return usage.Errorf("--only is %s, not %q", strings.Join(extract.Onlys, " or "), o.only)
	case o.out != "" && o.out == o.events:
		return usage.Errorf("--out and --events are the same file")
	}
	return checkOutput(o.output)
}

func runExtract(ctx context.Context, cmd *cobra.Command, o *extractOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	since, err := o.instant("--since", o.since)
	if err != nil {
		return err
	}
	until, err := o.instant("--until", o.until)
	if err != nil {
		return err
	}
	format, err := files.LoadFormat(o.format)
	if err != nil {
		return usage.Errorf("%w", err)
	}
	s, conn, err := o.open(ctx, cmd)
	if err == nil && conn != nil {
		err = s.ReadAliases(ctx, conn)
	}
	if err != nil {
		return err
	}
	alerts, err := readAlerts(cmd, s.Config, o.alert, extract.Of(o.key))
	if err != nil {
		return err
	}
	episode, err := extract.Find(o.key, alerts, s)
	if err == nil {
		err = episode.SetInterval(since, until)
	}
	if err != nil {
		return err
	}
	line := progress.New(cmd.ErrOrStderr())
	x, err := extract.New(episode, s, extract.Options{
		Out: o.out, Events: o.events, State: o.state, Only: extract.Only(o.only), UntilNow: o.until == "now", Stdout: cmd.OutOrStdout(), Progress: line,
	})
	if err != nil {
		return err
	}
	if conn != nil {
		err = x.ReadTopics(ctx, conn, s)
	} else {
		err = x.ReadFiles(ctx, o.inputs, format)
	}
	line.Clear()
	if closed := x.Close(err == nil); err == nil {
		err = closed
	}
	if err != nil && o.state != "" && ctx.Err() != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "weir: run the same command again to go on\n")
	}
	return o.report(cmd.ErrOrStderr(), x, err)
}

// report writes the result of an extraction that ended with err. It returns err
// or, where the list contradicts the alert, an error that says so.
func (o *extractOptions) report(w io.Writer, x *extract.Extraction, err error) error {
	r := x.Result(err)
	if err != nil && o.output != "json" {
		return err
	}
	if err == nil {
		err = r.Check()
	}
	if o.output == "json" {
		if err != nil {
			r.Error = err.Error()
		}
		printLine(w, r)
		return silent(err)
	}
	printExtract(w, r)
	return err
}

// open reads the configuration and, unless files are read, checks that Kafka
// answers and that the record key is the one of the deployment. The connection is
// nil where files are read.
func (o *extractOptions) open(ctx context.Context, cmd *cobra.Command) (*settings.Settings, *cluster.Connection, error) {
	if len(o.inputs) > 0 {
		s, err := loadSettings(o.config)
		return s, nil, err
	}
	s, err := loadRunSettings(o.config)
	if err != nil {
		return nil, nil, err
	}
	conn, err := connect(cmd, s.Config)
	if err != nil {
		return nil, nil, err
	}
	return s, conn, topics.CheckKey(ctx, conn, topics.Named(s.Config.TopicPrefix), s.Hasher)
}

// instant reads the value of a flag that is a time, or now. An empty one is the
// zero time.
func (o *extractOptions) instant(flag, text string) (time.Time, error) {
	switch text {
	case "":
		return time.Time{}, nil
	case "now":
		return o.started, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, usage.Errorf("%s %q: want a time such as 2026-10-01T00:00:00Z, or now", flag, text)
	}
	return t, nil
}

// printExtract writes the result for people.
func printExtract(w io.Writer, r *extract.Result) {
	fmt.Fprintf(w, "%s %s touched %s customers%s in %s events, from %s to %s.\n", r.Dimension, alerting.Printable(r.Identity, 200),
		alerting.Group(r.Records), r.Part, alerting.Group(r.Events), r.Since, r.Until)
	if e := r.Estimate; e != nil {
		verdict := "within its bars"
		switch {
		case !e.Within:
			verdict = "outside of its bars"
		case r.Only != extract.All:
			verdict = "the list is a part of that"
		}
		fmt.Fprintf(w, "The alert estimated %s (%s to %s in 99.99 %% of all cases): %s.\n", alerting.Group(e.Records), alerting.Group(e.Least), alerting.Group(e.Most), verdict)
	}
	for _, note := range []struct {
		n    int64
		text string
	}{
		{r.RowsAlone, "rows were read in it whose customers the log does not name; they are not in the list."},
		{r.Capped, "events hold more ids than are kept of one; the list lacks some of theirs."},
		{r.Rejected, "records of the sources could not be read; whose they are is not known."},
		{int64(len(r.Deleted)), "source partitions begin after the interval does, since their retention has deleted what stood before; the list lacks what belonged to it there: " + r.DeletedText() + "."},
	} {
		if note.n > 0 {
			fmt.Fprintf(w, "Beware: %s %s\n", alerting.Group(note.n), note.text)
		}
	}
	if r.Open {
		fmt.Fprintln(w, "The episode was open at its last alert; --until now lists what it has touched since.")
	}
}
