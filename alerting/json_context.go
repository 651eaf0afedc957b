package alerting

import (
	"strconv"

	"github.com/weirhq/weir/alerting/internal/jsonline"
)

// appendContext appends what helps people decide. Each key is left out where its
// value is not known.
func (a *Alert) appendContext(b []byte) []byte {
	if a.ShareNew != nil {
		b = jsonline.Fixed(b, `,"share_new":`, *a.ShareNew, shareDecimals)
	}
	if a.MemoryDays != 0 {
		b = strconv.AppendInt(append(b, `,"memory_days":`...), a.MemoryDays, 10)
	}
	if a.FirstSeen != 0 {
		b = appendTime(b, `,"first_seen":`, a.FirstSeen)
	}
	if a.LastSeen != 0 {
		b = appendTime(b, `,"last_seen":`, a.LastSeen)
	}
	if a.Shown != 0 {
		b = appendTime(b, `,"shown":`, a.Shown)
	}
	if a.Reopened != 0 {
		b = appendTime(b, `,"reopened":`, a.Reopened)
	}
	if a.SeverityWas != 0 {
		b = jsonline.Text(b, `,"severity_was":`, a.SeverityWas.String())
	}
	if a.Returns != 0 {
		b = strconv.AppendInt(append(b, `,"returns":`...), a.Returns, 10)
	}
	if p := a.Person; p != nil {
		b = append(p.appendJSON(append(b, `,"person":{`...)), '}')
	}
	if !a.Top.IsZero() {
		b = append(b, `,"top":`...)
		b = a.Top.appendJSON(b)
	}
	if a.Members != nil {
		b = append(b, `,"members":`...)
		b = a.Members.appendJSON(b)
	}
	b = jsonline.Optional(b, `,"holder":`, a.Holder)
	if s := a.Said; s != nil {
		b = jsonline.Text(b, `,"said":{"kind":`, s.Kind)
		b = jsonline.Text(b, `,"author":`, s.Author)
		b = jsonline.Optional(b, `,"reason":`, s.Reason)
		b = jsonline.Optional(b, `,"assignee":`, s.Assignee)
		if s.Expires != 0 {
			b = appendTime(b, `,"expires":`, s.Expires)
		}
		b = append(b, '}')
	}
	b = jsonline.Texts(b, `,"benign":`, a.Benign)
	b = jsonline.Texts(b, `,"checks":`, a.Checks)
	if !a.Links.IsZero() {
		b = append(b, `,"links":`...)
		b = a.Links.appendJSON(b)
	}
	return b
}

const shareDecimals = 3

func (p *Person) appendJSON(b []byte) []byte {
	for _, f := range [...]struct{ key, value string }{
		{`"manager":`, p.Manager}, {`"manager_slack":`, p.ManagerSlack}, {`"slack":`, p.Slack}, {`"criticality":`, p.Criticality}, {`"group":`, p.Group},
	} {
		if f.value != "" {
			b = jsonline.Text(jsonline.Separated(b), f.key, f.value)
		}
	}
	return b
}

func (t *Top) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if t.Since != 0 {
		b = appendTime(b, `"since":`, t.Since)
	}
	for _, l := range t.lists() {
		if len(l.list) == 0 {
			continue
		}
		b = append(append(append(jsonline.Separated(b), '"'), l.name...), `":[`...)
		for i := range l.list {
			b = jsonline.Text(jsonline.Separated(b), `{"value":`, l.list[i].Value)
			b = append(jsonline.Fixed(b, `,"share":`, l.list[i].Share, shareDecimals), '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func (m *Members) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"count":`...), m.Count, 10)
	b = appendMembers(b, `,"top":[`, m.Top)
	b = appendMembers(b, `,"also":[`, m.Also)
	if len(m.Classes) > 0 {
		b = append(b, `,"classes":[`...)
		for i := range m.Classes {
			b = m.Classes[i].appendJSON(jsonline.Separated(b))
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendMembers(b []byte, key string, list []Member) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(b, key...)
	for i := range list {
		m := &list[i]
		b = jsonline.Text(jsonline.Separated(b), `{"dedup_key":`, m.DedupKey)
		b = jsonline.Text(b, `,"dimension":`, m.Dimension)
		b = jsonline.Text(b, `,"identity":`, m.Identity)
		b = jsonline.Text(b, `,"severity":`, m.Severity.String())
		b = strconv.AppendInt(append(b, `,"records":`...), m.Records, 10)
		b = append(b, '}')
	}
	return append(b, ']')
}

func (c *Class) appendJSON(b []byte) []byte {
	b = jsonline.Text(b, `{"kind":`, string(c.Kind))
	b = jsonline.Text(b, `,"dimension":`, c.Dimension)
	b = jsonline.Text(b, `,"detector":`, c.Detector)
	b = jsonline.Optional(b, `,"measure":`, c.Measure)
	b = jsonline.Optional(b, `,"fact":`, string(c.Fact))
	b = jsonline.Text(b, `,"severity":`, c.Severity.String())
	return append(b, '}')
}

func (l *Links) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for _, f := range [...]struct{ key, url string }{{`"console":`, l.Console}, {`"runbook":`, l.Runbook}, {`"query":`, l.Query}} {
		if f.url != "" {
			b = jsonline.Text(jsonline.Separated(b), f.key, f.url)
		}
	}
	return append(b, '}')
}
