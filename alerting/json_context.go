package alerting

import (
	"maps"
	"slices"
	"strconv"
)

// appendContext writes what helps people decide: all of it is left out where
// it is not known.
func (a *Alert) appendContext(b []byte) []byte {
	if a.ShareNew != nil {
		b = appendFixed(b, `,"share_new":`, *a.ShareNew, shareDecimals)
	}
	if a.FirstSeen != 0 {
		b = appendTime(b, `,"first_seen":`, a.FirstSeen)
	}
	if a.LastSeen != 0 {
		b = appendTime(b, `,"last_seen":`, a.LastSeen)
	}
	if !a.Top.IsZero() {
		b = append(b, `,"top":`...)
		b = a.Top.appendJSON(b)
	}
	if a.Members != nil {
		b = append(b, `,"members":`...)
		b = a.Members.appendJSON(b)
	}
	b = appendTexts(b, `,"benign":`, a.Benign)
	b = appendTexts(b, `,"checks":`, a.Checks)
	if !a.Links.IsZero() {
		b = append(b, `,"links":`...)
		b = a.Links.appendJSON(b)
	}
	return b
}

const shareDecimals = 3

func (t *Top) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for _, l := range [...]struct {
		key  string
		list []Share
	}{
		{`"endpoints":`, t.Endpoints}, {`"networks":`, t.Networks}, {`"clients":`, t.Clients}, {`"keys":`, t.Keys}, {`"users":`, t.Users},
	} {
		if len(l.list) == 0 {
			continue
		}
		b = append(append(separated(b), l.key...), '[')
		for i := range l.list {
			b = appendText(separated(b), `{"value":`, l.list[i].Value)
			b = append(appendFixed(b, `,"share":`, l.list[i].Share, shareDecimals), '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func (m *Members) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"count":`...), m.Count, 10)
	if len(m.Top) > 0 {
		b = append(b, `,"top":[`...)
		for i := range m.Top {
			t := &m.Top[i]
			b = appendText(separated(b), `{"dedup_key":`, t.DedupKey)
			b = appendText(b, `,"dimension":`, t.Dimension)
			b = appendText(b, `,"identity":`, t.Identity)
			b = appendText(b, `,"severity":`, string(t.Severity))
			b = strconv.AppendInt(append(b, `,"records":`...), t.Records, 10)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func (l *Links) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for _, f := range [...]struct{ key, url string }{{`"console":`, l.Console}, {`"runbook":`, l.Runbook}, {`"query":`, l.Query}} {
		if f.url != "" {
			b = appendText(separated(b), f.key, f.url)
		}
	}
	return append(b, '}')
}

// appendDetail writes a map sorted by key: equal alerts are equal bytes.
func appendDetail(b []byte, key string, m map[string]string) []byte {
	if len(m) == 0 {
		return b
	}
	b = append(append(b, key...), '{')
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b = append(appendQuoted(separated(b), k), ':')
		b = appendQuoted(b, m[k])
	}
	return append(b, '}')
}

func appendTexts(b []byte, key string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(append(b, key...), '[')
	for _, s := range list {
		b = appendQuoted(separated(b), s)
	}
	return append(b, ']')
}

// appendSome writes a text, or nothing where it is empty.
func appendSome(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(b, key, s)
}

// separated adds a comma unless an object or list has just begun.
func separated(b []byte) []byte {
	if c := b[len(b)-1]; c == '{' || c == '[' {
		return b
	}
	return append(b, ',')
}
