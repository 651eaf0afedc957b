package syslog

import (
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// The lengths that the dictionary of CEF allows. CEF counts characters; here they
// are bounds in bytes, which never allow more.
const (
	maxSignature = 1023
	maxName      = 512
	maxMsg       = 1023
	maxCustom    = 4000
	maxFlex      = 1023 // bytes that CEF allows flexString1 and flexString2 each
)

// cefSeverity maps severities to those of CEF: 0 to 3 is low there, 4 to 6 medium,
// 7 and 8 high, 9 and 10 very high.
var cefSeverity = map[episode.Severity]int{episode.Low: 3, episode.Medium: 5, episode.High: 8, episode.Critical: 10}

// cef returns the alert as one line of the Common Event Format, version 0, of
// at most limit bytes.
func cef(a *alerting.Alert, version string, loc *time.Location, limit int) string {
	m := alerting.Compose(a, loc)
	return line(version, a.RestsOn(), m.Title, cefSeverity[a.Severity], extension(a, m), limit)
}

// heartbeatCEF returns the heartbeat as such a line.
func heartbeatCEF(h *alerting.Heartbeat, version string, loc *time.Location, limit int) string {
	r, severity := h.Report(loc), 0
	out := []pair{
		{"rt", strconv.FormatInt(int64(h.Time), 10), maxName},
		{"externalId", h.MessageID(), maxName},
		{"act", alerting.HeartbeatType, 63},
		{"cn1Label", "eventsRead", maxName}, {"cn1", strconv.FormatInt(h.Events, 10), maxName},
		{"cn2Label", "episodesTold", maxName}, {"cn2", strconv.FormatInt(h.Opened, 10), maxName},
		{"cn3Label", "heldBack", maxName}, {"cn3", strconv.FormatInt(h.HeldBack(), 10), maxName},
		{"start", strconv.FormatInt(int64(h.Since), 10), maxName},
		{"deviceCustomDate1Label", "nextDue", maxName}, {"deviceCustomDate1", strconv.FormatInt(int64(h.Next), 10), maxName},
		{"msg", r.Sentence, maxMsg},
	}
	if !h.Sound() {
		severity = 5
	}
	for i, s := range r.Sections[:min(len(r.Sections), 6)] {
		key := "cs" + strconv.Itoa(i+1)
		out = append(out, pair{key + "Label", s.Heading, maxName}, pair{key, strings.Join(s.Lines, "; "), maxCustom})
	}
	return line(version, alerting.HeartbeatType, r.Title, severity, out, limit)
}

// line writes one line of CEF. Fields that do not fit are left out whole, the least
// important first: half an escape would spoil the line.
func line(version, signature, title string, severity int, fields []pair, limit int) string {
	var b strings.Builder
	b.WriteString("CEF:0|weir|weir|")
	for _, field := range []string{version, alerting.Printable(signature, maxSignature), alerting.Printable(title, maxName), strconv.Itoa(severity)} {
		b.WriteString(headerEscaper.Replace(field))
		b.WriteByte('|')
	}
	first := true
	for _, p := range fields {
		if p.value == "" {
			continue
		}
		text := p.key + "=" + valueEscaper.Replace(alerting.Printable(p.value, p.limit))
		if !first {
			text = " " + text
		}
		if b.Len()+len(text) > limit {
			continue
		}
		b.WriteString(text)
		first = false
	}
	return b.String()
}

// headerEscaper and valueEscaper escape the characters that mean something to
// CEF. Line breaks never reach them, since every text is printable.
var (
	headerEscaper = strings.NewReplacer(`\`, `\\`, `|`, `\|`)
	valueEscaper  = strings.NewReplacer(`\`, `\\`, `=`, `\=`)
)

// pair is one field of the extension.
type pair struct {
	key, value string
	limit      int // of the value, in bytes
}

// extension lists the fields, the most important first.
func extension(a *alerting.Alert, m *alerting.Content) []pair {
	millis := func(t alerting.Time) string {
		if t <= 0 {
			return ""
		}
		return strconv.FormatInt(int64(t), 10)
	}
	out := []pair{
		{"rt", millis(a.Time), maxName},
		{"externalId", a.DedupKey, 40},
		{"act", string(a.Status), 63},
		{"cs1Label", "dimension", maxName}, {"cs1", a.Dimension, maxCustom},
		{"cs2Label", "identity", maxName}, {"cs2", a.Identity, maxName},
	}
	labelled := func(key, label, value string) {
		if value != "" {
			out = append(out, pair{key + "Label", label, maxName}, pair{key, value, maxFlex})
		}
	}
	labelled("flexString1", "membersNamedFirst", strings.Join(m.New, ", "))
	labelled("flexString2", "members", strings.Join(m.Members, "; "))
	out = append(out, []pair{
		{"cn1Label", "exposedRecords", maxName}, {"cn1", strconv.FormatInt(a.Exposed.Records, 10), maxName},
		{"cn2Label", "exposedLow", maxName}, {"cn2", strconv.FormatInt(a.Exposed.Low, 10), maxName},
		{"cn3Label", "exposedHigh", maxName}, {"cn3", strconv.FormatInt(a.Exposed.High, 10), maxName},
		{"msg", m.Sentence, maxMsg},
		{"start", millis(a.Onset), maxName},
		{"end", millis(a.Time), maxName},
	}...)
	switch a.Dimension {
	case "user":
		out = append(out, pair{"suser", a.Identity, maxSignature})
	case "client":
		out = append(out, pair{"requestClientApplication", a.Identity, maxSignature})
	case "endpoint":
		out = append(out, pair{"request", a.Identity, maxSignature})
	}
	labelled("cs3", "confidence", string(a.Confidence))
	labelled("cs4", "campaign", a.Campaign)
	for _, l := range m.Links {
		switch l.Name {
		case "Console":
			labelled("cs5", "console", l.Value)
		case "Runbook":
			labelled("cs6", "runbook", l.Value)
		}
	}
	return append(out, pair{"cat", a.Detector, maxSignature})
}
