package main

import (
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/stream"
)

// registerAge is how long the log must have told of issued keys before a key
// that it does not name is unknown.
const registerAge = 7 * 24 * time.Hour

// factsConfig is the facts section in the terms of the operators.
func factsConfig(c *config.Config) *stream.FactsConfig {
	ms := time.Duration.Milliseconds
	rules := detectors.FactRules{
		LeaveGrace: ms(c.Facts.LeaveGrace), DormantAfter: ms(c.Facts.DormantAfter), UnusedAfter: ms(c.Facts.UnusedAfter), DormantRecords: float64(c.Facts.DormantRecords),
		RetireFade: ms(c.Facts.KeyFade), RegisterGrace: ms(c.Facts.LoginGrace), MaxKeyAge: ms(c.Facts.MaxKeyAge),
	}
	if c.Facts.KeyRegister {
		rules.RegisterAge = ms(registerAge)
	}
	tokens := detectors.DefaultTokenRules(float64(24 * time.Hour / c.Time.Bin))
	return stream.NewFactsConfig(rules, tokens, ms(c.Facts.LoginGrace), c.Time.Zone, c.Dimensions)
}

// missingInputs says, a sentence each, which facts cannot be told for want of
// what they follow from.
func missingInputs(d *stream.Detect) []stream.Input { return d.Stats().Inputs.Missing() }

// printMissing warns of what cannot be told.
func printMissing(w io.Writer, missing []stream.Input) {
	for _, input := range missing {
		fmt.Fprintf(w, "warning: %s\n", input)
	}
}
