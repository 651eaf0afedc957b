package correlate

import (
	"fmt"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// recordVersion is the first byte of an episode's record.
const recordVersion = 1

// appendBinary appends the record.
func (r *episodeRecord) appendBinary(b []byte) []byte {
	b = append(b, recordVersion)
	b = wire.AppendText(wire.AppendText(b, r.key), r.lead)
	b = r.learned.appendBinary(b)
	b = campaign.AppendTraitShares(b, r.traits)
	b = wire.AppendVarints(wire.AppendBool(wire.AppendBool(b, r.told), r.alone), r.excised)
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
	out.told, out.alone, out.excised = r.Bool(), r.Bool(), r.Varint()
	if r.Bool() {
		out.campaign = readCampaignRecord(r)
	}
	if r.Err() == nil && out.key == "" {
		r.Fail("an episode without a key")
	}
	return out
}

func (l *learned) appendBinary(b []byte) []byte {
	b = wire.AppendVarints(b, l.onset, l.firstSeen, l.lastSeen)
	b = l.exposed.AppendBinary(b)
	b = l.evidence.appendBinary(b)
	b = wire.AppendTextMap(wire.AppendText(b, string(l.fact)), l.detail)
	return wire.AppendBool(wire.AppendOptional(b, l.shareNew), l.traitsTold)
}

func readLearned(r *wire.Reader) (l learned) {
	l.onset, l.firstSeen, l.lastSeen = r.Varint(), r.Varint(), r.Varint()
	l.exposed, l.evidence = episode.ReadExposed(r), readCaseEvidence(r)
	l.fact, l.detail = fact.Name(r.Text()), r.TextMap()
	l.shareNew, l.traitsTold = r.Optional(), r.Bool()
	return l
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
	b = wire.AppendVarints(b, int64(c.toldAlone), c.count)
	return wire.AppendList(b, c.top, func(b []byte, m *campaign.Member) []byte {
		b = wire.AppendText(wire.AppendText(wire.AppendText(b, m.Key), m.Dimension), m.Identity)
		return wire.AppendVarints(append(b, byte(m.Severity)), m.Records)
	})
}

func readCampaignRecord(r *wire.Reader) *campaignRecord {
	c := &campaignRecord{cause: campaign.ReadCause(r)}
	if r.Bool() {
		e := episode.ReadExposed(r)
		c.through = &e
	}
	c.forgotten = campaign.ReadTotals(r)
	c.toldAlone, c.count = int(r.Varint()), r.Varint()
	c.top = wire.List(r, func() campaign.Member {
		m := campaign.Member{Key: r.Text(), ID: episode.ID{Dimension: r.Text(), Identity: r.Text()}}
		m.Severity, m.Records = episode.Severity(r.Byte()), r.Varint()
		if r.Err() == nil && !m.Severity.Valid() {
			r.Fail(fmt.Sprintf("severity %d", m.Severity))
		}
		return m
	})
	return c
}
