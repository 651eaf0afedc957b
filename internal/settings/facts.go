package settings

import (
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream/detect"
)

// registerAge is how long the log must have told of issued keys before a key
// that it does not name is unknown.
const registerAge = 7 * 24 * time.Hour

// factsConfig is the facts section in the terms of the operators.
func factsConfig(c *config.Config) *detect.FactsConfig {
	ms := time.Duration.Milliseconds
	rules := fact.Rules{
		LeaveGrace: ms(c.Facts.LeaveGrace), DormantAfter: ms(c.Facts.DormantAfter), UnusedAfter: ms(c.Facts.UnusedAfter), DormantRecords: float64(c.Facts.DormantRecords),
		RetireFade: ms(c.Facts.KeyFade), RegisterGrace: ms(c.Facts.LoginGrace), MaxKeyAge: ms(c.Facts.MaxKeyAge),
	}
	if c.Facts.KeyRegister {
		rules.RegisterAge = ms(registerAge)
	}
	tokens := fact.DefaultTokenRules(float64(24 * time.Hour / c.Time.Bin))
	return detect.NewFactsConfig(rules, tokens, ms(c.Facts.LoginGrace), c.Time.Zone, c.Dimensions)
}
