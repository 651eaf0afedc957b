package topics

import (
	"strconv"
)

// Names are the names of weir's own topics.
type Names struct {
	Partials, State, Evidence, Parameters, Fleet string
	Sessions, Tokens                             string
	Alerts, Rejects, Deliveries, DeadLetters     string
	Outbox, Ledger, Verdicts, Suppressed         string
	Aliases                                      string
}

// Named returns the names under a prefix such as "weir.".
func Named(prefix string) Names {
	return Names{
		Partials: prefix + "partials", State: prefix + "state", Evidence: prefix + "evidence",
		Parameters: prefix + "parameters", Fleet: prefix + "fleet",
		Sessions: prefix + "sessions", Tokens: prefix + "tokens",
		Alerts: prefix + "alerts", Rejects: prefix + "rejects",
		Deliveries: prefix + "deliveries", DeadLetters: prefix + "deadletters",
		Outbox: prefix + "outbox", Ledger: prefix + "ledger",
		Verdicts: prefix + "verdicts", Suppressed: prefix + "suppressed",
		Aliases: prefix + "aliases",
	}
}

// Spec says what one of weir's own topics is for and how it must be made.
type Spec struct {
	Name       string            `json:"name"`
	Purpose    string            `json:"purpose"`
	Partitions int32             `json:"partitions"`
	Configs    map[string]string `json:"configs"`
	// Kept topics hold results, not state: a reset leaves them.
	Kept bool `json:"kept"`
}

// Specs lists weir's own topics. All of them stamp records when they are
// appended, so that a replay of old events is not deleted by retention.
func (t Names) Specs(partitions int32) []Spec {
	const day = 24 * 3600 * 1000
	log := func(days int64) map[string]string {
		ms := int64(-1)
		if days > 0 {
			ms = days * day
		}
		return map[string]string{
			"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(ms, 10), "retention.bytes": "-1",
			"message.timestamp.type": "LogAppendTime",
		}
	}
	compacted := func() map[string]string {
		return map[string]string{
			"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.3", "delete.retention.ms": strconv.Itoa(day),
			"max.compaction.lag.ms": strconv.Itoa(7 * day), // names that were deleted go within a week
			"segment.bytes":         strconv.Itoa(128 << 20), "message.timestamp.type": "LogAppendTime",
		}
	}
	return []Spec{
		{t.Partials, "what ingest counted, by identity", partitions, log(7), false},
		{t.State, "what detect knows of each identity, and where it stands", partitions, compacted(), false},
		{t.Sessions, "what each token read, and which were issued, by token", partitions, log(7), false},
		{t.Tokens, "which tokens the join knows, by their keyed hash, and where it stands", partitions, compacted(), false},
		{t.Evidence, "what stands out, for correlate", 1, log(7), false},
		{t.Parameters, "what detect must know of the whole fleet", 1, compacted(), false},
		{t.Fleet, "what correlate knows: the fleet, episodes, the deployment's manifest", 1, compacted(), false},
		{t.Aliases, "whose each name is, and from when on that counts", 1, compacted(), false},
		{t.Alerts, "the alerts", 1, log(0), true},
		{t.Suppressed, "alerts that were held back, and what held them", 1, log(0), true},
		{t.Verdicts, "what people said of episodes", 1, log(0), true},
		{t.Rejects, "what could not be taken in, by position and reason", 1, log(14), true},
		{t.Deliveries, "what became of each message", 1, log(90), true},
		{t.DeadLetters, "alerts that a destination will never take", 1, log(0), true},
		{t.Outbox, "which alerts each destination has got", 1, compacted(), true},
		{t.Ledger, "alerts, verdicts and settings, each chained to the one before", 1, log(0), true},
	}
}
