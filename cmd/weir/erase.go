package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/checkpoint"
	"github.com/weirhq/weir/internal/erase"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
)

type eraseOptions struct {
	config, reason, key, output, before, publicKey string
	since                                          []string // files of checkpoints
	yes, dryRun                                    bool
}

// newEraseCommand makes `weir erase`.
func newEraseCommand() *cobra.Command {
	var o eraseOptions
	cmd := &cobra.Command{
		Use:   "erase -c FILE --reason TEXT (DIMENSION NAME | --before TIME --yes)",
		Short: "Show the name of a person no more, or delete what is old",
		Long: `With DIMENSION and NAME: show a pseudonym in the place of a person's name, on pages,
in the API and in reports, but for open episodes, and say where the name still
stands, until when and why.

With --before: delete the records of the ledger that were written before a time, and
those of alerts, of what was held back, of verdicts and dead letters that go with
them. The ledger is verified first. Then a cut is signed and chained, by which the
rest can be verified, and which says who deleted, when and why. weir run must be
running. --dry-run says what would be deleted. What was interrupted is finished by
the same command. It takes the right Delete on the topics, which weir run does not
have. Where checkpoints are kept outside, name them: what is deleted is held against
them first, and a witness must have signed one that covers it.

Both are signed with your key as a verdict is, and go into the ledger.`,
		Example: `  weir erase user kim -c weir.yaml --reason "left in March, DSR-17"
  weir erase --before 2026-01-01 -c weir.yaml --reason "kept for a year" --dry-run
  weir erase --before 2026-01-01 -c weir.yaml --reason "kept for a year" --yes`,
		Args: func(_ *cobra.Command, args []string) error {
			if want := map[bool]int{true: 0, false: 2}[o.before != ""]; len(args) != want {
				return usage.Errorf("erase needs a dimension and a name, or --before and no name")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(o.output); err != nil {
				return err
			}
			if o.before != "" {
				return o.runBefore(cmd.Context(), cmd)
			}
			return o.runName(cmd, args[0], args[1])
		},
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, without a name")
	cmd.Flags().StringVar(&o.key, "key", os.Getenv(keyVariable), "PEM file of your Ed25519 key (default: that of the environment variable "+keyVariable+")")
	cmd.Flags().StringVar(&o.before, "before", "", "delete what was written before: a day such as 2026-01-01, which begins in the time zone of the configuration, or a time in RFC 3339")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "yes, delete it")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what --before would delete, and change nothing")
	checkpointFlags(cmd, &o.since, &o.publicKey)
	outputFlag(cmd, &o.output)
	return cmd
}

// runName hides a name.
func (o *eraseOptions) runName(cmd *cobra.Command, dimension, name string) error {
	f, s, err := followerOf(cmd, o.config)
	if err != nil {
		return err
	}
	e := erase.Erasure{Follower: f, Dimension: dimension, Name: name, Reason: o.reason}
	if e.Proof, err = settings.AuthorOf(s.Config, o.key); err != nil {
		return err
	}
	r, err := e.Run(cmd.Context())
	if err != nil {
		return err
	}
	if o.output == "json" {
		printLine(cmd.OutOrStdout(), r)
		return nil
	}
	return r.Print(cmd.OutOrStdout(), e.Dimension, e.Name)
}

// runBefore deletes what is old.
func (o *eraseOptions) runBefore(ctx context.Context, cmd *cobra.Command) error {
	f, s, err := followerOf(cmd, o.config)
	if err != nil {
		return err
	}
	e, err := erase.NewCutting(f, s, o.before, o.reason)
	if err != nil {
		return err
	}
	if e.Checkpoints, e.Witnesses, err = checkpoint.ReadOutside(o.since, o.publicKey); err != nil {
		return err
	}
	if !o.dryRun {
		if e.Author, err = settings.AuthorOf(s.Config, o.key); err != nil {
			return err
		}
	}
	p, err := e.Plan(ctx)
	if err != nil {
		return err
	}
	if p.Cut != nil && o.yes && !o.dryRun {
		fmt.Fprintln(cmd.ErrOrStderr(), "Waiting for weir run to chain the cut, which it does with the next events that it judges.")
		if err := e.Run(ctx, p); err != nil {
			return err
		}
	}
	if o.output == "json" {
		printLine(cmd.OutOrStdout(), p)
	} else if err := p.Print(cmd.OutOrStdout()); err != nil {
		return err
	}
	if p.Cut != nil && !p.Deleted && !o.dryRun {
		return usage.Errorf("nothing was deleted: say --yes if that is meant, or --dry-run to see no more than this")
	}
	return nil
}
