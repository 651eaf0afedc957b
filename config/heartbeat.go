package config

import (
	"errors"
	"time"
)

// Heartbeat says when destinations are told that weir watches.
type Heartbeat struct {
	Every time.Duration // 0: never
	At    Clock
}

func defaultHeartbeat() Heartbeat {
	return Heartbeat{Every: day, At: Clock{since: 9 * time.Hour, set: true}}
}

func heartbeatFields(h *Heartbeat) field {
	return mapping("heartbeat", "The word to every destination that weir watches, so that silence is an alarm (docs/delivery.md#heartbeats).",
		scalar("every", heartbeatEvery(&h.Every), "Time between heartbeats: a part of a day, or whole days; off for none, which `weir status` tells.", "12h"),
		scalar("at", clock(&h.At), "Time of the day, by time.zone, from which they are counted.", "08:30"),
	)
}

// heartbeatEvery is off, a divisor of a day, or whole days.
func heartbeatEvery(into *time.Duration) value {
	v := duration(into, 5*time.Minute, 30*day, time.Minute)
	parse, show := v.parse, v.show
	v.kind += ", or off"
	v.parse = func(p *parser, t string) error {
		if t == Off {
			*into = 0
			return nil
		}
		if err := parse(p, t); err != nil {
			return err
		}
		if *into < day && day%*into != 0 || *into > day && *into%day != 0 {
			return errors.New("does not come at the same times of each day; want a part of a day, such as 1h, 8h or 12h, or whole days")
		}
		return nil
	}
	v.show = func() string {
		if *into == 0 {
			return Off
		}
		return show()
	}
	v.schema = map[string]any{"type": "string", "pattern": "^(" + durationPattern + "|" + Off + ")$"}
	return v
}
