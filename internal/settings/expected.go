package settings

import (
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream/correlate"
)

// expectations are what the configuration declares as expected, in the terms of
// correlate.
func expectations(c *config.Config) (out []correlate.Expectation) {
	millis := func(m config.Moment) int64 {
		if m.IsZero() {
			return 0
		}
		return m.In(c.Time.Zone).UnixMilli()
	}
	for i := range c.Expected {
		x := &c.Expected[i]
		e := correlate.Expectation{
			Name: x.Name, Dimension: x.Dimension, Identity: x.Identity, Measures: x.Measures,
			From: millis(x.From), To: millis(x.To), AtMost: int64(x.AtMost),
			Owner: x.Owner, Reason: x.Reason, Expires: millis(x.Expires),
		}
		for _, f := range x.Facts {
			e.Facts = append(e.Facts, fact.Name(f))
		}
		for j := range x.Weekly {
			w := &x.Weekly[j]
			e.Weekly = append(e.Weekly, correlate.Weekly{
				Days: w.Weekdays(), Start: int(w.From.Since() / time.Minute), End: int(w.To.Since() / time.Minute),
			})
		}
		out = append(out, e)
	}
	return out
}
