package correlate

import (
	"fmt"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// recordVersion is the first byte of an episode's record.
const recordVersion = 7

// appendBinary appends the record.
func (r *episodeRecord) appendBinary(b []byte) []byte {
	b = append(b, recordVersion)
	b = wire.AppendText(wire.AppendText(b, r.key), r.lead)
	b = r.learned.appendBinary(b)
	b = campaign.AppendTraitShares(b, r.traits)
	b = wire.AppendVarints(wire.AppendBool(wire.AppendBool(b, r.announced), r.alone), r.excised, r.sentOnset)
	b = r.named.appendBinary(b)
	b = wire.AppendText(wire.AppendVarints(wire.AppendBool(b, r.sent), r.waits), string(r.held))
	b = append(wire.AppendText(b, r.holder), byte(r.sentAs))
	b = wire.AppendText(wire.AppendVarints(wire.AppendText(b, r.question.addressee), int64(r.question.at)), string(r.question.answer))
	b = wire.AppendList(b, r.classes, appendClass)
	b = wire.AppendBool(b, r.campaign != nil)
	if r.campaign != nil {
		b = r.campaign.appendBinary(b)
	}
	return b
}

func readRecord(r *wire.Reader) *episodeRecord {
	r.Version(recordVersion)
	out := &episodeRecord{key: r.Text(), lead: r.Text()}
	out.learned = readLearned(r)
	out.traits = campaign.ReadTraitShares(r)
	out.announced, out.alone, out.excised, out.sentOnset = r.Bool(), r.Bool(), r.Varint(), r.Varint()
	out.named = readMention(r)
	out.sent, out.waits, out.held = r.Bool(), r.Varint(), SuppressedKind(r.Text())
	out.holder, out.sentAs = r.Text(), episode.Severity(r.Byte())
	out.question = question{r.Text(), alerting.Time(r.Varint()), VerdictKind(r.Text())}
	out.classes = wire.List(r, func() alerting.Class { return readClass(r) })
	if r.Bool() {
		out.campaign = readCampaignRecord(r)
	}
	if r.Err() == nil && out.key == "" {
		r.Fail("an episode without a key")
	}
	return out
}

func (m *mention) appendBinary(b []byte) []byte {
	b = wire.AppendText(append(wire.AppendText(b, m.by), byte(m.severity)), string(m.confidence))
	return wire.AppendList(wire.AppendText(b, m.facts), m.reached, func(b []byte, name *string) []byte { return wire.AppendText(b, *name) })
}

func readMention(r *wire.Reader) mention {
	m := mention{by: r.Text(), severity: episode.Severity(r.Byte()), confidence: episode.Confidence(r.Text()), facts: r.Text()}
	m.reached = wire.List(r, r.Text)
	return m
}

func appendClass(b []byte, c *alerting.Class) []byte {
	for _, text := range []string{string(c.Kind), c.Dimension, c.Detector, c.Measure, string(c.Fact)} {
		b = wire.AppendText(b, text)
	}
	return append(b, byte(c.Severity))
}

func readClass(r *wire.Reader) alerting.Class {
	c := alerting.Class{Kind: alerting.Kind(r.Text()), Dimension: r.Text(), Detector: r.Text(), Measure: r.Text(), Fact: fact.Name(r.Text())}
	c.Severity = episode.Severity(r.Byte())
	if r.Err() == nil && !c.Severity.Valid() {
		r.Fail(fmt.Sprintf("severity %d", c.Severity))
	}
	return c
}

func (l *learned) appendBinary(b []byte) []byte {
	b = wire.AppendVarints(b, l.onset, l.earliest, l.latest, l.firstSeen, l.lastSeen, l.traitsSince, l.throughSince, l.factSeen)
	b = l.through.AppendBinary(stream.AppendCourse(l.exposed.AppendBinary(b), l.course))
	b = l.evidence.appendBinary(b)
	b = wire.AppendTextMap(wire.AppendText(b, string(l.fact)), l.detail)
	b = wire.AppendBool(wire.AppendOptional(b, l.shareNew), l.traitsKnown)
	return wire.AppendText(wire.AppendList(b, l.excess, appendExcess), string(l.surest))
}

func readLearned(r *wire.Reader) (l learned) {
	l.onset, l.earliest, l.latest = r.Varint(), r.Varint(), r.Varint()
	l.firstSeen, l.lastSeen, l.traitsSince, l.throughSince, l.factSeen = r.Varint(), r.Varint(), r.Varint(), r.Varint(), r.Varint()
	l.exposed, l.course = episode.ReadExposed(r), stream.ReadCourse(r)
	l.through, l.evidence = episode.ReadExcess(r), readCaseEvidence(r)
	l.fact, l.detail = fact.Name(r.Text()), r.TextMap()
	l.shareNew, l.traitsKnown = r.Optional(), r.Bool()
	l.excess = wire.List(r, func() campaign.MeasureExcess { return readExcess(r) })
	l.surest = episode.Confidence(r.Text())
	return l
}

func appendExcess(b []byte, e *campaign.MeasureExcess) []byte {
	return wire.AppendFloat64(wire.AppendVarints(wire.AppendText(b, e.Measure), e.From), e.Amount)
}

func readExcess(r *wire.Reader) campaign.MeasureExcess {
	return campaign.MeasureExcess{Measure: r.Text(), From: r.Varint(), Amount: r.Float64()}
}

// numbers lists the numbers in a fixed order.
func (c *caseEvidence) numbers() [4]*float64 {
	return [...]*float64{&c.log, &c.threshold, &c.observed, &c.expected}
}

func (c *caseEvidence) appendBinary(b []byte) []byte {
	b = wire.AppendText(wire.AppendVarints(b, c.bin, c.until), c.group)
	for _, v := range c.numbers() {
		b = wire.AppendFloat64(b, *v)
	}
	return stream.AppendMeasures(wire.AppendText(b, c.peers), c.measures)
}

func readCaseEvidence(r *wire.Reader) (c caseEvidence) {
	c.bin, c.until, c.group = r.Varint(), r.Varint(), r.Text()
	for _, v := range c.numbers() {
		*v = r.Float64()
	}
	c.peers, c.measures = r.Text(), stream.ReadMeasures(r)
	return c
}

func (c *campaignRecord) appendBinary(b []byte) []byte {
	b = c.cause.AppendBinary(b)
	b = wire.AppendBool(b, c.through != nil)
	if c.through != nil {
		b = c.through.AppendBinary(b)
	}
	b = c.forgotten.AppendBinary(b)
	return wire.AppendVarints(b, int64(c.announcedAlone), c.count)
}

func readCampaignRecord(r *wire.Reader) *campaignRecord {
	c := &campaignRecord{cause: campaign.ReadCause(r)}
	if r.Bool() {
		e := episode.ReadExposed(r)
		c.through = &e
	}
	c.forgotten = campaign.ReadTotals(r)
	c.announcedAlone, c.count = int(r.Varint()), r.Varint()
	return c
}
