package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/erase"
	"github.com/weirhq/weir/internal/settings"
)

// newEraseCommand makes `weir erase`.
func newEraseCommand() *cobra.Command {
	var path, reason, key, output string
	cmd := &cobra.Command{
		Use:   "erase DIMENSION NAME -c FILE --reason TEXT",
		Short: "Show the name of a person no more, and say where it still stands",
		Long: `Show a pseudonym in the place of a person's name, on pages, in the API and in
reports, but for open episodes, and say where the name still stands, until when and
why. It is signed with your key as a verdict is, and goes into the ledger.`, Example: `  weir erase user kim -c weir.yaml --reason "left in March, DSR-17"`,
		Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			f, s, err := followerOf(cmd, path)
			if err != nil {
				return err
			}
			e := erase.Erasure{Follower: f, Dimension: args[0], Name: args[1], Reason: reason}
			if e.Proof, err = settings.AuthorOf(s.Config, key); err != nil {
				return err
			}
			r, err := e.Run(cmd.Context())
			if err != nil {
				return err
			}
			if output == "json" {
				printLine(cmd.OutOrStdout(), r)
				return nil
			}
			return r.Print(cmd.OutOrStdout(), e.Dimension, e.Name)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&reason, "reason", "", "why, without the name")
	cmd.Flags().StringVar(&key, "key", os.Getenv(keyVariable), "PEM file of your Ed25519 key (default: that of the environment variable "+keyVariable+")")
	outputFlag(cmd, &output)
	return cmd
}
