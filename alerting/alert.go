// Package alerting says what an alert is: its fields, its JSON, the sentence
// that a person reads first, the reasons to doubt it and what to check.
//
// It decides nothing, reads no clock and does no I/O; how alerts get to people
// is package notify's. Writing an alert never fails; ParseAlert refuses what
// another schema wrote, and what lacks the keys that identify an alert.
package alerting

import (
	"cmp"
	"slices"
	"time"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/eventtime"
)

// Schema is the version of the alert's JSON form.
const Schema = 1

// Status says where an episode stands.
type Status string

// An episode opens, is updated when it gets worse or a day has passed, and closes
// when it has been quiet for long enough. One that comes back within the grace
// opens again under the same key.
const (
	Open   Status = "open"
	Update Status = "update"
	Close  Status = "close"
)

// Valid reports whether s is one of the three statuses.
func (s Status) Valid() bool { return s == Open || s == Update || s == Close }

// Alert is one statement about one episode: one record on weir.alerts, and one
// message to each destination that gets it. Its JSON has a fixed order of keys,
// RFC 3339 times in UTC with milliseconds, and rounded numbers, so that equal
// alerts are equal bytes.
type Alert struct {
	Schema   int    `json:"schema"`
	DedupKey string `json:"dedup_key"`          // see the function DedupKey
	Campaign string `json:"campaign,omitempty"` // dedup key of the campaign that the episode belongs to; empty: none
	Status   Status `json:"status"`
	Time     Time   `json:"time"`  // event time at which the alert was raised: the end of a tick
	Onset    Time   `json:"onset"` // start of the bin in which the drift began, an estimate; for a fact: since when it holds
	// The onset is between OnsetEarliest and OnsetLatest, starts of bins, at 90 %
	// confidence; both are 0 where that is not known. OnsetWas is the onset that messages
	// before this one told, if the drift is dated earlier now; 0: it is dated as before.
	OnsetEarliest Time               `json:"onset_earliest,omitempty"`
	OnsetLatest   Time               `json:"onset_latest,omitempty"`
	OnsetWas      Time               `json:"onset_was,omitempty"`
	Kind          Kind               `json:"kind,omitempty"` // empty means Statistical
	Dimension     string             `json:"dimension"`      // CampaignDimension for a campaign
	Identity      string             `json:"identity"`       // for a campaign: what its members share
	Detector      string             `json:"detector"`
	Measure       string             `json:"measure"`              // the strongest measure; may be empty unless Kind is Statistical
	Fact          fact.Name          `json:"fact,omitempty"`       // what is known, if Kind is KindFact; else empty
	Detail        map[string]string  `json:"detail,omitempty"`     // about the fact, as short texts: {"retired_at": "2026-01-02"}; written sorted by key
	AlsoKnown     []fact.Name        `json:"also_known,omitempty"` // further facts that hold for the identity since the episode opened, sorted
	Severity      episode.Severity   `json:"severity"`
	Confidence    episode.Confidence `json:"confidence,omitempty"`
	Summary       string             `json:"summary"`
	Observed      float64            `json:"observed,omitempty"`      // what Measure counts since the onset, or in the bin where a campaign rests on weak evidence; 0: the alert rests on no count
	Expected      float64            `json:"expected,omitempty"`      // what is usual of the identity in such a time, as it was before the onset
	Excess        Bounds             `json:"excess,omitzero"`         // what was taken beyond the usual since the onset, in the unit of Measure, or Through if that is more: severity goes by it
	Through       Bounds             `json:"through,omitzero"`        // the exposed records that the fact covers: read through unissued tokens, after the leave, …
	ThroughSince  Time               `json:"through_since,omitempty"` // start of the bin since which Through is counted; 0: Exposed tells of nothing else
	Exposed       Exposed            `json:"exposed"`
	ShareNew      *float64           `json:"share_new,omitempty"`    // the part of the exposed records that were new to the identity, 0..1; nil: not known
	MemoryDays    int64              `json:"memory_days,omitempty"`  // what was new was not touched in so many days before, all that weir remembers; 0: nothing is said to be new, or less than a day
	FirstSeen     Time               `json:"first_seen,omitempty"`   // event time of the first event of the identity; 0: not known
	LastSeen      Time               `json:"last_seen,omitempty"`    // event time of its latest event; 0: not known
	Shown         Time               `json:"shown,omitempty"`        // event time at which something of it was seen last: evidence, or the fact; 0: the alert's time
	Reopened      Time               `json:"reopened,omitempty"`     // when the episode opened last, if it had closed before; 0: it opened once
	SeverityWas   episode.Severity   `json:"severity_was,omitempty"` // that the message before this one told, if it was another; 0: it was not, or there was none
	Returns       int64              `json:"returns,omitempty"`      // how often the episode has come back after hours without evidence; 0: never
	Person        *Person            `json:"person,omitempty"`       // what is known of the person whose the identity is; nil: nothing
	Top           Top                `json:"top,omitzero"`           // what the exposed records went through
	Members       *Members           `json:"members,omitempty"`      // the episodes that this message stands for; nil: none
	Holder        string             `json:"holder,omitempty"`       // who looks after the episode; empty: nobody
	Said          *Said              `json:"said,omitempty"`         // what a person has said, in the alert that tells of it; nil: nothing
	Benign        []string           `json:"benign,omitempty"`       // why it may be harmless, one sentence each
	Checks        []string           `json:"checks,omitempty"`       // what to look at first, one sentence each
	Links         Links              `json:"links,omitzero"`         // pages to go on from
	Evidence      Evidence           `json:"evidence"`
}

// Kind says what kind of thing an alert rests on.
type Kind string

// The kinds.
const (
	Statistical  Kind = "statistical" // a measure drifted from its baseline
	KindFact     Kind = "fact"        // something that is known, not inferred
	KindCampaign Kind = "campaign"    // episodes that share a cause
)

func (k Kind) valid() bool {
	return k == "" || k == Statistical || k == KindFact || k == KindCampaign
}

// RestsOn names what the alert rests on: its fact, else its measure, else its
// kind.
func (a *Alert) RestsOn() string {
	return cmp.Or(string(a.Fact), a.Measure, string(a.Kind), string(Statistical))
}

// CampaignDimension is the dimension of a campaign's alert; its identity names
// the shared cause, such as "key kid-7".
const CampaignDimension = "campaign"

// Undelivered is the fact of an alert about a dead letter. Such an alert never
// closes: somebody has to look.
const Undelivered fact.Name = "undelivered"

// DestinationDimension is the dimension of an alert about a dead letter; its
// identity is the name of the destination.
const DestinationDimension = "destination"

// Dimensions of facts about weir itself: the author of a verdict, and the settings.
const (
	AuthorDimension   = "author"
	SettingsDimension = "settings"
)

// Share is a value, such as an endpoint, and the part of the exposed records that
// went through it.
type Share struct {
	Value string  `json:"value"`
	Share float64 `json:"share"` // 0..1
}

// Person is what is known of a person. Empty fields are not known.
type Person struct {
	Manager      string `json:"manager,omitempty"`
	ManagerSlack string `json:"manager_slack,omitempty"` // member id of the manager
	Slack        string `json:"slack,omitempty"`         // member id
	Criticality  string `json:"criticality,omitempty"`   // high or critical: it has raised the severity
	Group        string `json:"group,omitempty"`
}

// MaxTop bounds each list of Top and Members.Top.
const MaxTop = 5

// Top says what the exposed records went through: for each dimension but the
// alert's own at most MaxTop values, largest share first. The shares of a list
// need not add up to 1.
type Top struct {
	Since     Time    `json:"since,omitempty"` // event time from which on accesses count in the shares; 0: not known
	Endpoints []Share `json:"endpoints,omitempty"`
	Networks  []Share `json:"networks,omitempty"`
	Clients   []Share `json:"clients,omitempty"`
	Keys      []Share `json:"keys,omitempty"`
	Users     []Share `json:"users,omitempty"`
	Names     []Share `json:"names,omitempty"` // names that a person acted by, other than the person's own
}

// shareList is one list of Top, under its name in JSON.
type shareList struct {
	name string
	list []Share
}

// lists returns all lists, in the order in which they are told.
func (t *Top) lists() [6]shareList {
	return [...]shareList{
		{"endpoints", t.Endpoints}, {"networks", t.Networks}, {"clients", t.Clients}, {"keys", t.Keys}, {"users", t.Users}, {"names", t.Names},
	}
}

// List returns the list of a dimension, nil where there is none: dimensions of people's
// own have none.
func (t *Top) List(dimension string) *[]Share {
	switch dimension {
	case "endpoint":
		return &t.Endpoints
	case "network":
		return &t.Networks
	case "client":
		return &t.Clients
	case "key":
		return &t.Keys
	case "user":
		return &t.Users
	}
	return nil
}

// IsZero reports whether every list is empty; encoding/json goes by it.
func (t Top) IsZero() bool {
	for _, l := range t.lists() {
		if len(l.list) > 0 {
			return false
		}
	}
	return true
}

// Members are the episodes that a message stands for: those of a campaign, or those
// of other dimensions that show the same events. No message stands for an episode
// that it, or one before it under its key, does not name.
type Members struct {
	Count   int64    `json:"count"`             // how many there are and were
	Top     []Member `json:"top,omitempty"`     // at most MaxTop of them, those that weigh most first
	Also    []Member `json:"also,omitempty"`    // those that no message has named before, as Top
	Classes []Class  `json:"classes,omitempty"` // of all that were named, each once: a message goes where those would go
}

// Named returns everybody whom the message names.
func (m *Members) Named() []Member { return slices.Concat(m.Top, m.Also) }

// Member is one episode that a message stands for.
type Member struct {
	DedupKey  string           `json:"dedup_key"`
	Dimension string           `json:"dimension"`
	Identity  string           `json:"identity"`
	Severity  episode.Severity `json:"severity"`
	Records   int64            `json:"records"` // how many it has exposed
}

// Said is a verdict of a person that took effect.
type Said struct {
	Kind     string `json:"kind"` // acknowledge, expected, confirmed, assigned, released, affirmed or denied
	Author   string `json:"author"`
	Reason   string `json:"reason,omitempty"`
	Assignee string `json:"assignee,omitempty"` // who holds it now, if assigned to somebody else than the author
	Expires  Time   `json:"expires,omitzero"`   // until when it is expected, event time
}

// Class is what decides where an alert goes.
type Class struct {
	Kind      Kind             `json:"kind"`
	Dimension string           `json:"dimension"`
	Detector  string           `json:"detector"`
	Measure   string           `json:"measure,omitempty"`
	Fact      fact.Name        `json:"fact,omitempty"`
	Severity  episode.Severity `json:"severity"`
}

// Class returns the alert's own class.
func (a *Alert) Class() Class {
	return Class{cmp.Or(a.Kind, Statistical), a.Dimension, a.Detector, a.Measure, a.Fact, a.Severity}
}

// Classes returns the alert's own class, one for each further fact, and those of the
// episodes that it stands for.
func (a *Alert) Classes() []Class {
	out := []Class{a.Class()}
	for _, f := range a.AlsoKnown {
		out = append(out, a.Class().With(f))
	}
	if a.Members != nil {
		out = append(out, a.Members.Classes...)
	}
	return out
}

// With returns the class with another fact in place of its own.
func (c Class) With(f fact.Name) Class {
	c.Fact = f
	return c
}

// Compare orders classes by every field, the severity last.
func (c *Class) Compare(o *Class) int {
	return cmp.Or(cmp.Compare(c.Kind, o.Kind), cmp.Compare(c.Dimension, o.Dimension), cmp.Compare(c.Detector, o.Detector),
		cmp.Compare(c.Measure, o.Measure), cmp.Compare(c.Fact, o.Fact), cmp.Compare(c.Severity, o.Severity))
}

// Links are absolute URLs; empty ones are left out.
type Links struct {
	Console string `json:"console,omitempty"` // the episode in weir's console
	Runbook string `json:"runbook,omitempty"` // what to do about this kind of alert
	Query   string `json:"query,omitempty"`   // the events behind it, in the log store
}

// IsZero reports whether there is no link.
func (l Links) IsZero() bool { return l == Links{} }

// Exposed says how many distinct customer records an identity has touched since
// a time: all of them, not only those beyond the usual.
type Exposed struct {
	Records int64 `json:"records"`
	Low     int64 `json:"low"`  // lower end of the 95 % interval
	High    int64 `json:"high"` // upper end of the 95 % interval
	Since   Time  `json:"since"`
	Rows    int64 `json:"rows,omitempty"` // rows that were read where the log has no record ids
}

// Bounds is a number of records, or of rows where Measure counts rows, with its 95 %
// interval.
type Bounds struct {
	Records int64 `json:"records"`
	Low     int64 `json:"low"`
	High    int64 `json:"high"`
}

// IsZero reports whether there is nothing.
func (x Bounds) IsZero() bool { return x == Bounds{} }

// Evidence is what the decision was made from. Statistics form groups, each of
// which has a threshold of its own.
type Evidence struct {
	Bin       Time    `json:"bin"`             // start of the bin that made the case
	BinWidth  string  `json:"bin_width"`       // its width, as a Go duration
	Until     Time    `json:"until,omitempty"` // event time up to which the case was counted; 0: the alert's time
	Group     string  `json:"group,omitempty"` // the group that stands out most: volume, novelty, burst, rare or hours; empty: no statistics
	LogValue  float64 `json:"log_evidence"`    // log of the evidence of Group, in nats
	Threshold float64 `json:"log_threshold"`   // what LogValue had to reach, in nats: the threshold of Group
	Budget    float64 `json:"budget_per_day"`  // the alert budget: no more openings are expected in a day of event time
	// Realised is how many statistical episodes and campaigns people were told of
	// in a day of event time, over the last 28 days or since the beginning, this
	// one included.
	Realised float64 `json:"realised_per_day,omitempty"`
	// Peers names the group that the identity was held against, as
	// DIMENSION:NAME of what the group works with; empty: all identities of the
	// dimension.
	Peers    string            `json:"peers,omitempty"`
	Measures []MeasureEvidence `json:"measures"` // strongest first
}

// MeasureEvidence says what one measure adds to the evidence: what was counted,
// what is usual, and the evidence for each drift. Counts are in the unit of the
// measure, logs in nats.
type MeasureEvidence struct {
	Measure  string  `json:"measure"`       // one of Measures
	From     Time    `json:"from"`          // start of the interval that was counted, see Alert.Interval
	LogValue float64 `json:"log_evidence"`  // log of the mean of e^evidence over Rates
	Observed float64 `json:"observed"`      // the count of the interval
	Low      float64 `json:"observed_low"`  // lower end of the 95 % interval of the sketch's error
	High     float64 `json:"observed_high"` // upper end of the same interval
	// Expected is what is usual: on a whole day with work, or in a bin with work,
	// by the identity's own mean of a week times Mode. Of new_share it is the own
	// share of new records times what was read in the interval.
	Expected float64 `json:"expected"`
	Mode     float64 `json:"mode"` // factor of the fleet's common mode in Expected
	// Dispersion is k of the negative binomial distribution; of new_share the
	// concentration. It is 0 where the interval was not judged, since nothing in it
	// could add to the evidence: then the evidence is of what came before.
	Dispersion float64 `json:"dispersion"`
	Ratio      float64 `json:"log_ratio"`   // log of the mean likelihood ratio of this interval alone
	Allowed    float64 `json:"log_allowed"` // what the fleet's own tail leaves of Ratio
	// Rates has the evidence of each drift; of new_share of each share by which new
	// records may move towards a blind draw.
	Rates []RateEvidence `json:"rates"`
}

// RateEvidence is the log evidence, in nats, for one drift, a multiple of what is
// usual; of new_share for one share, 0..1.
type RateEvidence struct {
	Rate     float64 `json:"rate"`
	LogValue float64 `json:"log_evidence"`
}

// Time is a Unix time in milliseconds whose JSON form is RFC 3339 in UTC with
// three decimals.
type Time int64

// Std returns t as a time.Time in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String returns the JSON form without its quotes.
func (t Time) String() string { return eventtime.Text(int64(t)) }

// MarshalText writes the form of String.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads any RFC 3339 time.
func (t *Time) UnmarshalText(b []byte) error {
	std, err := time.Parse(time.RFC3339, string(b))
	if err != nil {
		return err
	}
	*t = Time(std.UnixMilli())
	return nil
}
