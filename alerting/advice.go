package alerting

import (
	"github.com/weirhq/weir/detectors/fact"
)

// Complete fills in the advice that follows from the rest of the alert, the same
// for all destinations: why it may be harmless (Benign) and what to look at first
// (Checks). What is set already stays.
func Complete(a *Alert) {
	if a.Benign == nil {
		a.Benign = benign(a)
	}
	if a.Checks == nil {
		a.Checks = checks(a)
	}
}

func benign(a *Alert) []string {
	switch a.Kind {
	case KindFact:
		return factBenign(a.Fact)
	case KindCampaign:
		return []string{
			"A release, a campaign day or a batch job moves many identities at once.",
			"What they share may be a proxy or a shared gateway, not an actor.",
		}
	}
	out := dimensionBenign(a.Dimension)
	switch a.Measure {
	case "first_touch", "first_touch_in_bin", newShare:
		out = append(out, "A new task, territory or queue brings customers that are new to the identity.")
	case "distinct_in_bin":
		out = append(out, "A batch job, a mailing or a migration read at once what is read over days otherwise.")
	case "rows", "rows_in_bin":
		out = append(out, "A scheduled report or export ran for a longer period than usual.")
	case "destructive":
		out = append(out, "A clean-up or a legal erasure was due.")
	case "off_hours":
		out = append(out, "A shift was swapped, or someone was on call.")
	case "unissued":
		out = append(out, "Logins of a system that sends none, or late ones, are missing from the input.")
	}
	return out
}

func dimensionBenign(dimension string) []string {
	switch dimension {
	case "user":
		return []string{"A new duty, a cover for a colleague, a month's end or an audit."}
	case "key":
		return []string{"A key rotation moves the load of the key before to this one."}
	case "network":
		return []string{"A new office, VPN exit or carrier gateway brings many people to one network."}
	case "client":
		return []string{"A release moves the users of the version before to this one."}
	case "endpoint":
		return []string{"A release moves traffic to this endpoint, or a page now loads it unasked."}
	}
	return []string{"A change of duties or of software."}
}

func factBenign(f fact.Name) []string {
	switch f {
	case fact.UnissuedToken:
		return []string{"The issuer's log is late or incomplete, or the session began before the log does."}
	case fact.UnknownKey:
		return []string{"A rotation went live before the key register was told."}
	case fact.RetiredKey:
		return []string{"Tokens signed before the rotation are still alive, or a service was not switched over."}
	case fact.RevokedKey:
		return []string{"The revocation has not reached a cache yet."}
	case fact.OverageKey:
		return []string{"A rotation is overdue and nothing else."}
	case fact.KeyBackFromSleep:
		return []string{"A recovery site or a seasonal job uses the key."}
	case fact.ActedAfterLeave:
		return []string{"The leave was recorded early, or the person moved to another post."}
	case fact.DormantWoke:
		return []string{"The owner came back from leave, or a yearly job ran."}
	case fact.OrphanAccountUsed:
		return []string{"The directory is behind, or a service account has no owner on record."}
	case fact.Disowned:
		return []string{"Who was asked did not remember, or did not know of the task."}
	case fact.SourceSilent:
		return []string{"A maintenance, or a deployment that changed where events go."}
	case fact.RefusedVerdict:
		return []string{"Somebody was taken off the list of authors, or the record key was changed after the verdict."}
	case fact.SettingsChanged:
		return []string{"A change that was announced and reviewed."}
	}
	return nil
}

func checks(a *Alert) []string {
	switch a.Kind {
	case KindFact:
		return factChecks(a.Fact, a.Dimension)
	case KindCampaign:
		return []string{
			"Look at what the members share, and ask its owner what changed at the onset.",
			"Compare the customers exposed by the largest members: a walk through the customer base reads each once.",
			"If nobody can explain it, block what they share rather than each member.",
		}
	}
	out := dimensionChecks(a.Dimension)
	switch a.Measure {
	case "destructive":
		return append(out, "Stop further deletions and keep the backups of the records touched.")
	case "rows", "rows_in_bin":
		return append(out, "Find the export or report behind the rows, and where its file went.")
	case "unissued":
		return append(out, "Take one token that has no login behind it and look for its issue in the issuer's own log.")
	}
	return append(out, "Sample the customers read: one task, one region, or a walk through all of them?")
}

func dimensionChecks(dimension string) []string {
	switch dimension {
	case "user":
		return []string{
			"Ask the user, or the manager if the user may be the cause, which task needed these customers.",
			"Compare network, client and hours with the user's own of last month.",
		}
	case "key":
		return []string{
			"Find who can sign with this key, and whether each of them should still be able to.",
			"Match its tokens with logins: a forged token has none.",
		}
	case "network":
		return []string{
			"Find whose network this is, and which accounts came through it first at the onset.",
			"See whether each account reads a few customers only: that is how a spread-out leak looks.",
		}
	case "client":
		return []string{
			"Ask whether this version was released, and by whom.",
			"See whether another client lost what this one gained: then it is a successor.",
		}
	case "endpoint":
		return []string{
			"Try whether the endpoint gives a customer's data to somebody else's session.",
			"See whether the ids were asked for in sequence.",
		}
	}
	return []string{
		"Find the owner of this identity, and ask what changed at the onset.",
		"Compare what it did with its own last month.",
	}
}

func factChecks(f fact.Name, dimension string) []string {
	switch f {
	case fact.UnissuedToken:
		signer := "Find which key signed it, and what else that key has signed without a login."
		if dimension == "key" {
			signer = "Find who can sign with this key, and which services take its tokens."
		}
		return []string{
			"Look for the token's issue in the issuer's own log, not in the copy.", signer,
			"If it was forged, revoke the key: revoking tokens one by one does not end it.",
		}
	case fact.UnknownKey:
		return []string{
			"Ask the owners of the token service whether the key is theirs.",
			"Find since when tokens under it have been accepted, and by which services.",
			"If it is nobody's, remove it from what the services trust.",
		}
	case fact.RefusedVerdict:
		return []string{
			"Ask the person whom the verdict names whether it was theirs.",
			"Find who may write to weir.verdicts, and what wrote at that time.",
			"Look at the episode that the verdict is about, and at its identity: somebody wanted it to disappear.",
		}
	case fact.SettingsChanged:
		return []string{
			"Ask who changed the configuration, and why.",
			"Compare the settings in the ledger's last two records of the kind config.",
			"Look for identities that the change would hide: new entries of expected, other routes, a larger budget.",
		}
	case fact.RetiredKey, fact.RevokedKey, fact.OverageKey, fact.KeyBackFromSleep:
		return []string{
			"Find who held this key, and whether any of them has left.",
			"Match its tokens with logins: those without one were forged.",
			"Remove the key from what the services trust; retiring it in the register alone stops nobody.",
		}
	case fact.ActedAfterLeave:
		return []string{
			"Confirm with personnel when the person left.",
			"Disable the account and end its sessions now.",
			"List what it read since the leave: `weir extract` writes the customers.",
		}
	case fact.DormantWoke, fact.OrphanAccountUsed:
		return []string{
			"Find who created the account, when, and who approved it.",
			"Ask the owner on record whether it was them; if there is none, disable it.",
			"Look at what it did first: test reads, then deletions, is how it begins.",
		}
	case fact.Disowned:
		return []string{
			"Speak with who answered, by telephone: what exactly was not meant?",
			"Disable the account and end its sessions, if nobody can explain what it did.",
			"List what it read: `weir extract` writes the customers.",
		}
	case fact.SourceSilent:
		return []string{
			"See whether the system itself is up and serving.",
			"See whether its log is still written, and who can switch it off.",
			"When it is back, look at what it did meanwhile: silence may have been wanted.",
		}
	}
	return nil
}
