package alerting

import "time"

// Question asks a person, by a direct message in Slack, whether what an account did was
// meant.
type Question struct {
	To       string // Slack's id of the person
	DedupKey string // key of the episode that the question is about
	Text     string // without markup
	Own      bool   // it is about the person's own account
	Until    time.Time
}

// QuestionText asks a person whether what the account of an alert did was meant, such as "Did
// the account kim access 1,240 distinct customers between Mon 2 Mar 2026 09:00 and Mon 2
// Mar 2026 15:00 (UTC)?"; own: it is the person's.
func QuestionText(a *Alert, own bool, loc *time.Location) string {
	name := "the account " + Printable(a.Identity, maxIdentity)
	from, to := a.Onset, a.Time
	text := "Was " + name + " in use"
	if e := &a.Exposed; e.Records > 0 || e.Rows > 0 {
		from = e.Since
		text = "Did " + name + " access " + exposed(e, false)
		if own {
			text = "Did you access " + exposed(e, false) + " by " + name
		}
	} else if own {
		text = "Did you use " + name
	}
	at := func(t Time) string { return t.Std().In(loc).Format(dayTimeLayout) }
	meant := ", as part of its owner's work?"
	if own {
		meant = "?"
	}
	return text + " between " + at(from) + " and " + at(to) + " (" + loc.String() + ")" + meant
}
