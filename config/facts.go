package config

import (
	"time"
)

// Facts says what is known rather than inferred, and needs no budget.
type Facts struct {
	Sessions       bool          // join tokens that read with tokens that were issued
	LoginGrace     time.Duration // how long a login may come after the reads it stands behind
	LeaveGrace     time.Duration // from a leave to the end of the last shift
	DormantAfter   time.Duration // silence after which an account or key wakes
	UnusedAfter    time.Duration // from an account's making to a first use that is late
	DormantRecords int           // records a woken account must touch
	KeyRegister    bool          // whether issues of all signing keys are in the log
	KeyFade        time.Duration // from a key's retirement to the end of its tokens
	MaxKeyAge      time.Duration // 0: any
}

func defaultFacts() Facts {
	return Facts{
		Sessions: true, LoginGrace: 15 * time.Minute, LeaveGrace: 12 * time.Hour,
		DormantAfter: 45 * day, UnusedAfter: 14 * day, DormantRecords: 10, KeyRegister: true, KeyFade: day, MaxKeyAge: 365 * day,
	}
}

func factsFields(f *Facts) field {
	const m = time.Minute
	return mapping("facts", "What is known, not inferred: facts are raised without a budget. docs/facts.md tells what each needs.",
		scalar("sessions", boolean(&f.Sessions), "Whether tokens that read are held against logins and issued tokens in the log. It writes what each token read to Kafka a second time; without it forged tokens are noticed only by what they do.", ""),
		scalar("login_grace", duration(&f.LoginGrace, 0, 12*time.Hour, time.Second), "How long the login or issue of a token may come after the reads it stands behind.", ""),
		scalar("leave_grace", duration(&f.LeaveGrace, 0, 30*day, m), "How long after a leave its person may still act: the rest of the last shift.", ""),
		scalar("dormant_after", duration(&f.DormantAfter, day, 150*day, m), "Silence after which an account or a signing key that acts again has woken; longer than vacations, and no longer than weir remembers who is silent.", ""),
		scalar("unused_after", duration(&f.UnusedAfter, day, 150*day, m), "How long after its making an account that has never read anything wakes with its first use: nobody's vacation explains it, and newcomers begin within days.", ""),
		scalar("dormant_records", integer(&f.DormantRecords, 1, 1_000_000), "Distinct records that an account must touch within a day of waking. Customers who look at their own order wake too.", ""),
		scalar("key_register", boolean(&f.KeyRegister), "Whether the log tells of the issue of every signing key, so that one without is unknown. It is judged once the log has told of issues for a week.", "false"),
		scalar("key_fade", duration(&f.KeyFade, 0, 90*day, m), "How long tokens live on that a retired signing key has signed.", "7d"),
		scalar("max_key_age", duration(&f.MaxKeyAge, 0, 3650*day, m), "Age from which a signing key is told of as over age; 0s: never.", "90d"),
	)
}
