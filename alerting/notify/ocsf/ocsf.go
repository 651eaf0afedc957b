// Package ocsf writes an alert to a Kafka topic as a Detection Finding (class
// 2004) of the Open Cybersecurity Schema Framework, for lakes and SIEMs that read
// OCSF.
//
// Open, update and close are the activities Create, Update and Close of one
// finding, whose uid is the dedup key. The whole alert, as it stands on
// weir.alerts, is under unmapped.weir, since OCSF has no place for all of it.
//
// The topic is written outside the transaction that records the delivery, so a
// kill may repeat one finding; a repeat has the same metadata.uid, the message
// id.
package ocsf

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/detectors/episode"
)

// SchemaVersion is the version of OCSF that findings are written to.
const SchemaVersion = "1.5.0"

// classUID is that of Detection Finding, the 4th class of category 2, Findings.
const classUID, categoryUID = 2004, 2

// Producer writes one record to the topic of the destination and returns once
// the brokers have it. retry is as in notify.Destination.
type Producer interface {
	Produce(ctx context.Context, key, value []byte) (retry bool, err error)
}

// Options of a topic of findings.
type Options struct {
	Name     string
	Version  string         // of weir, which findings name as the product
	Location *time.Location // of the times shown in texts; default UTC
	Producer Producer
}

// Topic is a topic of findings.
type Topic struct{ o Options }

var _ notify.Destination = (*Topic)(nil)

// New returns the destination.
func New(o Options) (*Topic, error) {
	if o.Producer == nil {
		return nil, errors.New("setting up kafka " + o.Name + ": it has no producer")
	}
	return &Topic{o}, nil
}

// Name returns the destination's name.
func (t *Topic) Name() string { return t.o.Name }

// Notify writes the finding. Its key is the dedup key, so that the findings of
// one episode stay in order.
func (t *Topic) Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error) {
	value, err := Encode(a, t.o.Version, t.o.Location)
	if err != nil {
		return false, err
	}
	return t.write(ctx, []byte(a.DedupKey), value)
}

func (t *Topic) write(ctx context.Context, key, value []byte) (retry bool, err error) {
	retry, err = t.o.Producer.Produce(ctx, key, value)
	if err != nil {
		return retry, fmt.Errorf("writing a finding: %w", err)
	}
	return false, nil
}

// classified are the attributes with which every event of OCSF begins. A comment marks
// those that OCSF requires, here and below.
type classified struct {
	ActivityID  int    `json:"activity_id"` // required
	Activity    string `json:"activity_name"`
	CategoryUID int    `json:"category_uid"` // required
	Category    string `json:"category_name"`
	ClassUID    int    `json:"class_uid"` // required
	Class       string `json:"class_name"`
	TypeUID     int    `json:"type_uid"` // required
	Type        string `json:"type_name"`
	Time        int64  `json:"time"` // required; Unix milliseconds
	StartTime   int64  `json:"start_time"`
	EndTime     int64  `json:"end_time"`
	SeverityID  int    `json:"severity_id"` // required
	Severity    string `json:"severity"`
}

// finding is a Detection Finding with the attributes that weir can fill.
type finding struct {
	classified
	ConfidenceID int          `json:"confidence_id,omitempty"`
	Confidence   string       `json:"confidence,omitempty"`
	StatusID     int          `json:"status_id"`
	Status       string       `json:"status"`
	IsAlert      bool         `json:"is_alert"`
	Message      string       `json:"message"`
	Metadata     metadata     `json:"metadata"`     // required
	Info         info         `json:"finding_info"` // required
	Evidences    []evidence   `json:"evidences"`
	Observables  []observable `json:"observables"`
	Remediation  *remediation `json:"remediation,omitempty"`
	Unmapped     unmapped     `json:"unmapped"`
}

type metadata struct {
	Version     string  `json:"version"` // required
	UID         string  `json:"uid"`
	Product     product `json:"product"` // required
	Correlation string  `json:"correlation_uid,omitempty"`
	LogName     string  `json:"log_name"`
}

type product struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor_name"`
	Version string `json:"version,omitempty"`
}

type info struct {
	UID       string   `json:"uid"` // required
	Title     string   `json:"title"`
	Desc      string   `json:"desc"`
	Types     []string `json:"types"`
	FirstSeen int64    `json:"first_seen_time"`
	LastSeen  int64    `json:"last_seen_time"`
	Modified  int64    `json:"modified_time"`
	URL       string   `json:"src_url,omitempty"`
	Analytic  analytic `json:"analytic"`
}

type analytic struct {
	Name   string `json:"name"`
	UID    string `json:"uid,omitempty"`
	TypeID int    `json:"type_id"` // required
	Type   string `json:"type"`
}

// evidence is one artifact; OCSF wants at least one attribute in it, and data is
// always there.
type evidence struct {
	Actor *actor `json:"actor,omitempty"`
	Data  data   `json:"data"`
}

type actor struct {
	User user `json:"user"`
}

type user struct {
	Name string `json:"name"`
}

type data struct {
	Dimension string           `json:"dimension"`
	Identity  string           `json:"identity"`
	Measure   string           `json:"measure,omitempty"`
	Fact      string           `json:"fact,omitempty"`
	Exposed   alerting.Exposed `json:"exposed"`
}

type observable struct {
	Name   string `json:"name"`    // required
	TypeID int    `json:"type_id"` // required
	Type   string `json:"type"`
	Value  string `json:"value"`
}

type remediation struct {
	Desc       string   `json:"desc"` // required
	References []string `json:"references,omitempty"`
}

// unmapped carries the alert, or the heartbeat, as it is.
type unmapped struct {
	Weir json.RawMessage `json:"weir"`
}

// enum is a value of an enumeration of OCSF: its number and its caption.
type enum struct {
	id      int
	caption string
}

var (
	activities = map[alerting.Status]enum{alerting.Open: {1, "Create"}, alerting.Update: {2, "Update"}, alerting.Close: {3, "Close"}}
	severities = map[episode.Severity]enum{
		episode.Low: {2, "Low"}, episode.Medium: {3, "Medium"}, episode.High: {4, "High"}, episode.Critical: {5, "Critical"},
	}
	confidences = map[episode.Confidence]enum{
		episode.Possible: {1, "Low"}, episode.Likely: {2, "Medium"}, episode.VeryLikely: {3, "High"}, episode.Certain: {3, "High"},
	}
	// observables maps dimensions to the types of their identities; any other
	// dimension is of type 99, named by itself.
	observables = map[string]enum{"user": {4, "User Name"}, "network": {12, "Subnet"}}
)

// Encode returns the alert as one line of JSON, a Detection Finding; version is
// weir's own, and times in texts are shown in loc (nil: UTC).
func Encode(a *alerting.Alert, version string, loc *time.Location) ([]byte, error) {
	m := alerting.Compose(a, loc)
	activity, severity, confidence := activities[a.Status], severities[a.Severity], confidences[a.Confidence]
	status := enum{1, "New"}
	if a.Status == alerting.Close {
		status = enum{4, "Resolved"}
	}
	f := finding{
		classified: classified{
			ActivityID: activity.id, Activity: activity.caption, CategoryUID: categoryUID, Category: "Findings", ClassUID: classUID, Class: "Detection Finding",
			TypeUID: classUID*100 + activity.id, Type: "Detection Finding: " + activity.caption,
			Time: int64(a.Time), StartTime: int64(a.Onset), EndTime: int64(a.Time), SeverityID: severity.id, Severity: severity.caption,
		},
		ConfidenceID: confidence.id, Confidence: confidence.caption,
		StatusID: status.id, Status: status.caption, IsAlert: a.Status != alerting.Close, Message: m.Sentence,
		Metadata: metadata{
			Version: SchemaVersion, UID: a.MessageID(), Product: product{"weir", "weirhq", version},
			Correlation: a.Campaign, LogName: "weir.alerts",
		},
		Info: info{
			UID: a.DedupKey, Title: m.Title, Desc: m.Sentence, Types: []string{string(cmp.Or(a.Kind, alerting.Statistical))},
			FirstSeen: int64(a.Onset), LastSeen: int64(a.Time), Modified: int64(a.Time), Analytic: analyticOf(a),
		},
		Evidences:   []evidence{evidenceOf(a)},
		Observables: []observable{observableOf(a)},
		Unmapped:    unmapped{a.AppendJSON(nil)},
	}
	if len(m.Checks) > 0 {
		f.Remediation = &remediation{Desc: join(m.Checks)}
	}
	for _, l := range m.Links {
		switch {
		case l.Name == "Console":
			f.Info.URL = l.Value
		case l.Name == "Runbook" && f.Remediation != nil:
			f.Remediation.References = []string{l.Value}
		}
	}
	line, err := encode(&f)
	if err != nil {
		return nil, fmt.Errorf("encoding a finding: %w", err)
	}
	return line, nil
}

// encode returns an event as one line of JSON, without the newline.
func encode(event any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(event)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// analyticOf says what found the episode: a rule if it rests on a fact, else
// statistics.
func analyticOf(a *alerting.Alert) analytic {
	if a.Kind == alerting.KindFact {
		return analytic{Name: a.Detector, UID: string(a.Fact), TypeID: 1, Type: "Rule"}
	}
	return analytic{Name: a.Detector, UID: a.Measure, TypeID: 3, Type: "Statistical"}
}

func evidenceOf(a *alerting.Alert) evidence {
	e := evidence{Data: data{Dimension: a.Dimension, Identity: a.Identity, Measure: a.Measure, Fact: string(a.Fact), Exposed: a.Exposed}}
	if a.Dimension == "user" {
		e.Actor = &actor{user{a.Identity}}
	}
	return e
}

// observableOf says where in the finding the identity stands.
func observableOf(a *alerting.Alert) observable {
	o := observable{Name: "evidences.data.identity", TypeID: 99, Type: a.Dimension, Value: a.Identity}
	if a.Dimension == "user" {
		o.Name = "evidences.actor.user.name"
	}
	if k, ok := observables[a.Dimension]; ok {
		o.TypeID, o.Type = k.id, k.caption
	}
	return o
}

// join numbers lines.
func join(lines []string) string {
	var b bytes.Buffer
	for i, l := range lines {
		fmt.Fprintf(&b, "%d. %s\n", i+1, l)
	}
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}
