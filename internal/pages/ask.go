package pages

import (
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/stream/correlate/ask"
)

// Asker returns what asks people by the Slack app of a configuration; nil if nobody is to
// be asked.
func Asker(c *config.Config) (*console.Asker, error) {
	if c.Ask.Through == "" {
		return nil, nil
	}
	d, err := destinations.Named(c, c.Ask.Through)
	if err != nil {
		return nil, err
	}
	channel, err := destinations.Slack(c, d)
	if err != nil {
		return nil, err
	}
	return &console.Asker{Whom: ask.Whom(c.Ask.Whom), Send: channel.Ask}, nil
}
