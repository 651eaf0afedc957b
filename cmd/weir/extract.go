package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream/kafka"
)

type extractOptions struct {
	config, format, output string
	inputs                 []string
	alert, since, until    string
	out, events, state     string
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
number is compared with the estimate that the alert gave.

The interval runs from the alert's exposed.since to the time of its last alert;
--since and --until set it otherwise. Of a campaign the customers of all its
members are listed. All that the identity touched is listed, as the estimate
counts it: what it read in its duty too, not only what was stolen.

weir itself keeps no raw ids, so this needs what only operators have: the right
to read the source topics, and the record key file. Files are made for you alone
(mode 0600). Tokens are written hashed.

With --state the work can be interrupted and goes on where it was when the same
command is run again. --input reads files instead of topics, and --alert finds
the episode in a file, such as the output of backtest -o json.`,
		Example: `  weir extract weir-dffa33c0917f4f02 -c weir.yaml --out customers.txt --state extract.json
  weir extract weir-dffa33c0917f4f02 -c weir.yaml --until now --events events.ndjson > customers.txt
  weir extract weir-dffa33c0917f4f02 --alert alerts.ndjson --input access.ndjson.gz | wc -l`,
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
	f.StringVar(&o.format, "format", "native", "format of the files: "+strings.Join(fieldmap.Names(), ", ")+", or the path of a field map")
	f.StringVar(&o.alert, "alert", "", "file of alerts, one a line, in which to find the episode (default: the alerts topic)")
	f.StringVar(&o.since, "since", "", "begin at this time instead of the alert's")
	f.StringVar(&o.until, "until", "", "end before this time instead of the alert's; or now")
	f.StringVar(&o.out, "out", "", "file for the customer ids (default: stdout)")
	f.StringVar(&o.events, "events", "", "file for the events")
	f.StringVar(&o.state, "state", "", "file that lets the work go on after an interruption; needs --out")
	f.StringVarP(&o.output, "output", "o", "table", "form of the result on stderr: table or json")
	return cmd
}

func (o *extractOptions) check() error {
	switch {
	case o.state != "" && o.out == "":
		return usagef("--state needs --out: what has gone to stdout cannot be taken up again")
	case len(o.inputs) > 0 && o.alert == "":
		return usagef("--input needs --alert, a file with the alert, such as the output of backtest -o json")
	case len(o.inputs) == 0 && o.config == "":
		return usagef("extract needs a configuration, to read the source topics (-c FILE), or files (--input)")
	case o.out != "" && o.out == o.events:
		return usagef("--out and --events are the same file")
	}
	return outputForm(o.output)
}

func runExtract(ctx context.Context, cmd *cobra.Command, o *extractOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	c, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	if len(o.inputs) == 0 {
		if err := c.CheckRun(); err != nil {
			return err
		}
	}
	s, err := newSettings(c)
	if err != nil {
		return err
	}
	var conn *kafka.Connection
	if len(o.inputs) == 0 {
		if _, conn, err = reach(ctx, o.config, cmd.ErrOrStderr()); err != nil {
			return err
		}
		if err := kafka.CheckKey(ctx, conn, kafka.NewTopics(c.TopicPrefix), s.hasher); err != nil {
			return err
		}
	}
	sought, err := o.find(ctx, conn, s)
	if err != nil {
		return err
	}
	x, err := newExtraction(o, sought, s.hasher, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	x.progress = newProgress(cmd.ErrOrStderr())
	if conn != nil {
		err = x.readTopics(ctx, conn, s)
	} else {
		err = x.readFiles(ctx, o)
	}
	x.progress.clear()
	if closed := x.close(err == nil); err == nil {
		err = closed
	}
	if err != nil && o.state != "" && ctx.Err() != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "weir: run the same command again to go on\n")
	}
	return x.tell(cmd.ErrOrStderr(), o.output, err)
}

// readTopics reads the source topics from where records of the interval may
// stand to their ends of now: an event may come late, and none is dated further
// past its record's timestamp than the future limit allows.
func (x *extraction) readTopics(ctx context.Context, conn *kafka.Connection, s *settings) error {
	decoders := map[string]*fieldmap.Decoder{}
	for i, src := range s.config.Sources {
		format, err := files.LoadFormat(src.Format)
		if err != nil {
			return s.config.At(fmt.Sprintf("sources[%d].format", i), err)
		}
		decoders[src.Topic] = format.NewDecoder()
	}
	if x.state.Spans == nil {
		spans, err := kafka.Spans(ctx, conn, sourceNames(s.config), x.sought.since-s.ingest.Future)
		if err != nil {
			return err
		}
		x.state.Spans = spans
	}
	left := func() (n int64) {
		for _, span := range x.state.Spans {
			n += max(0, span.End-span.Next)
		}
		return n
	}
	all := left()
	return kafka.ReadSpans(ctx, conn, x.state.Spans, func(r *kgo.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		x.where = fmt.Appendf(x.where[:0], `{"topic":%q,"partition":%d,"offset":%d,`, r.Topic, r.Partition, r.Offset)
		x.value(decoders[r.Topic], r.Value)
		x.progress.show("%s records to read of %s, %s customers", alerting.Group(left()), alerting.Group(all), alerting.Group(x.state.Records))
		// The span moves on after this record, so the state of the one before
		// it is whole.
		return x.save(r.Topic, r.Partition, r.Offset)
	})
}

// readFiles reads the files one after the other.
func (x *extraction) readFiles(ctx context.Context, o *extractOptions) error {
	format, err := files.LoadFormat(o.format)
	if err != nil {
		return usagef("%w", err)
	}
	if x.state.Spans == nil {
		for _, name := range o.inputs {
			x.state.Spans = append(x.state.Spans, kafka.Span{Topic: name})
		}
	}
	for i := range x.state.Spans {
		if err := x.readFile(ctx, format, &x.state.Spans[i]); err != nil {
			return fmt.Errorf("reading %s: %w", x.state.Spans[i].Topic, err)
		}
	}
	return nil
}

func (x *extraction) readFile(ctx context.Context, format *fieldmap.Format, span *kafka.Span) error {
	file, err := files.Open(span.Topic)
	if err != nil {
		return err
	}
	defer file.Close()
	lines, decoder := files.NewReader(file, format), format.NewDecoder()
	for {
		line, n, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n < span.Next {
			continue // taken before the interruption
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		x.where = fmt.Appendf(x.where[:0], `{"file":%s,"line":%d,`, quoted(span.Topic), n)
		x.value(decoder, line)
		x.progress.show("line %s of %s, %s customers", alerting.Group(n), span.Topic, alerting.Group(x.state.Records))
		if err := x.save(span.Topic, 0, n); err != nil {
			return err
		}
		span.Next = n + 1
	}
}

// quoted returns a JSON string.
func quoted(s string) []byte {
	b, _ := json.Marshal(s) // a string always marshals
	return bytes.TrimSpace(b)
}
