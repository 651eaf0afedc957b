package alerting

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"pgregory.net/rapid"
)

var allFacts = fact.Names()

func TestSummarizeKinds(t *testing.T) {
	known := func(a *Alert) {
		a.Kind, a.Fact, a.Measure = KindFact, fact.RetiredKey, ""
		a.Detail = map[string]string{"successor": "kid-8", "retired_at": "2026-01-02"}
		a.Exposed = Exposed{Records: 40, Low: 40, High: 40, Since: a.Onset}
	}
	campaign := func(a *Alert) {
		a.Kind, a.Dimension, a.Identity = KindCampaign, CampaignDimension, "key kid-7"
		a.Members = &Members{Count: 10_000}
	}
	for _, c := range []struct {
		name string
		set  func(a *Alert)
		want string
	}{
		{"a fact", known,
			"Signing key kid-7 is still in use past its rotation (retired at: 2026-01-02; successor: kid-8), seen Tue 3 Mar 2026 15:00 (UTC). Since Mon 2 Mar 2026 09:00 it has been used to read 40 distinct customers in all."},
		{"a fact, again", func(a *Alert) { known(a); a.Status, a.Detail, a.Exposed = Update, nil, Exposed{} },
			"Still so: signing key kid-7 is still in use past its rotation, seen Tue 3 Mar 2026 15:00 (UTC)."},
		{"a fact, seen long ago", func(a *Alert) {
			known(a)
			a.Status, a.Detail, a.Exposed, a.Shown = Update, nil, Exposed{}, a.Time-6*3600_000
		},
			"Not seen again since Tue 3 Mar 2026 09:00 (UTC): signing key kid-7 is still in use past its rotation."},
		{"a fact, over", func(a *Alert) { known(a); a.Status, a.Detail, a.Exposed = Close, nil, Exposed{} },
			"Over: that signing key kid-7 is still in use past its rotation is no longer seen."},
		{"a fact of tomorrow", func(a *Alert) { known(a); a.Fact, a.Detail, a.Exposed = "key_on_fire", nil, Exposed{} },
			"Signing key kid-7 shows key on fire, seen Tue 3 Mar 2026 15:00 (UTC)."},
		{"a time among the details", func(a *Alert) {
			known(a)
			a.Detail, a.Exposed = map[string]string{"retired_at": "2026-01-02T03:04:05.000Z"}, Exposed{}
		},
			"Signing key kid-7 is still in use past its rotation (retired at: Fri 2 Jan 2026 03:04 (UTC)), seen Tue 3 Mar 2026 15:00 (UTC)."},
		{"tokens that nobody issued", func(a *Alert) {
			known(a)
			a.Fact, a.Detail = fact.UnissuedToken, map[string]string{"tokens": "about 5463", "window": "558 of them within 2h, where none is usual"}
			a.Through, a.ThroughSince, a.Exposed.Records, a.Exposed.High = Bounds{Records: 30, Low: 29, High: 31}, a.Onset, 41, 43
		},
			"Signing key kid-7 read with a token that nobody issued (about 5,463 such tokens; 558 of them within 2h, where none is usual), seen Tue 3 Mar 2026 15:00 (UTC). Through such tokens it has been used to read about 30 distinct customers since Mon 2 Mar 2026 09:00 (29 to 31 at 95 % confidence), and about 41 distinct customers by all its tokens."},
		{"many details", func(a *Alert) {
			known(a)
			a.Exposed, a.Detail = Exposed{}, map[string]string{}
			for i := range 9 {
				a.Detail[fmt.Sprintf("d%d", i)] = "x\ny"
			}
		},
			"Signing key kid-7 is still in use past its rotation (d0: x?y; d1: x?y; d2: x?y; d3: x?y; d4: x?y; d5: x?y; 3 more), seen Tue 3 Mar 2026 15:00 (UTC)."},
		{"a campaign", campaign,
			"10,000 identities began to carry customer records away together; what they share: key kid-7. It began about Mon 2 Mar 2026 09:00 (UTC). Since Mon 2 Mar 2026 09:00 they have read between 33,100,000 and 34,300,000 distinct customers in all, at 95 % confidence. Beyond what is usual are between 33,090,000 and 34,290,900 customers."},
		{"a campaign that is told of late", func(a *Alert) { campaign(a); a.Shown, a.Excess, a.Exposed = a.Time-6*3600_000, Bounds{}, Exposed{} },
			"Nothing more since Tue 3 Mar 2026 09:00 (UTC): 10,000 identities began to carry customer records away together; what they share: key kid-7. It began about Mon 2 Mar 2026 09:00 (UTC)."},
		{"a campaign of whose members one may have read all", func(a *Alert) { campaign(a); a.Excess, a.Exposed.Low, a.Exposed.Rows = Bounds{}, 0, 5 },
			"10,000 identities began to carry customer records away together; what they share: key kid-7. It began about Mon 2 Mar 2026 09:00 (UTC). Since Mon 2 Mar 2026 09:00 they have read up to 34,300,000 distinct customers and 5 rows without customer ids in all, at 95 % confidence."},
		{"a campaign, over", func(a *Alert) { campaign(a); a.Status, a.Exposed, a.Members.Count = Close, Exposed{}, 1 },
			"Over: 1 identity that carried customer records away together are back to normal; what they share: key kid-7."},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := example()
			c.set(a)
			if got := Summarize(a, nil); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Every kind of alert comes with something to check and a reason to doubt it,
// and every fact has words of its own.
func TestAdvice(t *testing.T) {
	phrases := map[string]bool{}
	for _, f := range allFacts {
		a := &Alert{Kind: KindFact, Fact: f, Dimension: "key"}
		Complete(a)
		if len(a.Checks) != 3 || len(a.Benign) == 0 {
			t.Errorf("%s: %d checks, %d reasons", f, len(a.Checks), len(a.Benign))
		}
		if strings.HasPrefix(factPhrase(f), "shows ") {
			t.Errorf("%s has no words", f)
		}
		phrases[factPhrase(f)] = true
	}
	if len(phrases) < len(allFacts)-1 { // two facts are a long silence
		t.Errorf("only %d phrases", len(phrases))
	}
	for _, dimension := range []string{"user", "key", "network", "client", "endpoint", "own"} {
		for _, measure := range append(Measures(), "own") {
			a := &Alert{Dimension: dimension, Measure: measure}
			Complete(a)
			if len(a.Checks) != 3 || len(a.Benign) == 0 {
				t.Errorf("%s by %s: %+v", dimension, measure, a)
			}
		}
	}
	kept := &Alert{Checks: []string{"own"}, Benign: []string{}}
	Complete(kept)
	if kept.Checks[0] != "own" || len(kept.Benign) != 0 {
		t.Errorf("what was set is changed: %+v", kept)
	}
}

// The order of the message is the order in which a person needs it.
func TestCompose(t *testing.T) {
	a := contextual()
	a.Members = &Members{Count: 7, Top: []Member{{"weir-0123456789abcdef", "user", "김민지", episode.High, 1}},
		Also: []Member{{"weir-0123456789abcdf0", "client", "shop", episode.High, 1}, {"weir-0123456789abcdf1", "key", "k2", episode.High, 1}}}
	got := fmt.Sprintf("%+v", *Compose(a, nil))
	const want = "{Title:Signing key kid-7: 33,700,000 distinct customers, where about 9,100 are usual in as much time Sentence:Signing key <kid-7> & co " +
		"Figures:[{Name:Severity Value:High} {Name:Confidence Value:Very likely} {Name:Since Value:Mon 2 Mar 2026 09:00 (UTC); it began between 08:00 and 10:00 on Mon 2 Mar 2026} " +
		"{Name:Person Value:criticality critical, group dba, manager bo, Slack U024BE7LH} " +
		"{Name:Beyond the usual Value:33,690,900 customers, 33,090,000–34,290,900} " +
		"{Name:Exposed Value:about 33,700,000 distinct customers, 33,100,000–34,300,000, since Mon 2 Mar 2026 09:00 (UTC)} {Name:New to it Value:97 % (not touched in the 30 days before)} " +
		"{Name:First seen Value:Sun 26 Jan 2025 09:00 (UTC)} {Name:Last seen Value:Tue 3 Mar 2026 14:59 (UTC)}] " +
		"Through:[{Name:Endpoints Value:GET /customers/{id} 91 %, GET /orders/{id} 9 %} {Name:Networks Value:203.0.113.0/24 40 %} {Name:Names Value:kim@example.com 50 %}] " +
		"Members:[user 김민지: 1 customer, high and 4 more] Heading:The same events show at New:[client shop, signing key k2] Benign:[A key rotation moves load.] Checks:[Ask who holds the key.] " +
		"Links:[{Name:Console Value:https://weir.example/episodes/x} {Name:Query Value:https://log.example/?q=kid-7}]}"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A further fact is said, and has a class of its own, so that a route for it takes the
// alert.
func TestAlsoKnown(t *testing.T) {
	a := &Alert{Kind: KindFact, Fact: fact.UnissuedToken, AlsoKnown: []fact.Name{fact.ActedAfterLeave}, Dimension: "user", Identity: "kim", Status: Update}
	if text := Summarize(a, nil); !strings.Contains(text, "It also acted after its owner had left.") {
		t.Errorf("the summary is %q", text)
	}
	classes := a.Classes()
	if len(classes) != 2 || classes[0].Fact != fact.UnissuedToken || classes[1] != a.Class().With(fact.ActedAfterLeave) {
		t.Errorf("the classes are %+v", classes)
	}
}

// The parts of an alert name all whom it names, once each, in their order, and are the
// same in all else; a part without room names one.
func TestParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAlert.Draw(t, "alert")
		a.Members = &Members{Top: []Member{{Identity: "top"}}}
		for _, name := range rapid.SliceOf(rapid.String()).Draw(t, "names") {
			a.Members.Also = append(a.Members.Also, Member{Identity: name})
		}
		room := rapid.IntRange(0, 400).Draw(t, "room")
		var named []Member
		for i, last := 0, false; !last; i++ {
			var part *Alert
			part, last = a.Part(i, room)
			also := part.Members.Also
			text := strings.Join(names(also), ", ")
			if room > 0 && len(also) > 1 && len(text) > room {
				t.Fatalf("%d bytes of names in a room of %d: %q", len(text), room, text)
			}
			if len(also) == 0 && !(last && i == 0) {
				t.Fatal("a part names nobody")
			}
			named = append(named, also...)
			same := *part
			members := *part.Members
			members.Also = a.Members.Also
			same.Members = &members
			if !bytes.Equal(same.AppendJSON(nil), a.AppendJSON(nil)) {
				t.Fatal("a part differs in more than its names")
			}
		}
		if !slices.Equal(named, a.Members.Also) {
			t.Fatalf("named %+v, want %+v", named, a.Members.Also)
		}
	})
}

func TestComposeAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAlert.Draw(t, "alert")
		if text := fmt.Sprintf("%+v", *Compose(a, time.UTC)); !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x1b") {
			t.Fatalf("%q", text)
		}
	})
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 0.001: "below 1 %", 0.01: "1 %", 0.915: "92 %", 0.999: "99 %", 1: "100 %", -1: "0 %"} {
		if got := percent(share); got != want {
			t.Errorf("%v is %s, want %s", share, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{{"short", 5, "short"}, {"longer", 5, "long…"}, {"고객기록유출", 5, "고객기록…"}, {"𐐷𐐷𐐷", 5, "𐐷𐐷…"}, {"𐐷𐐷", 4, "𐐷𐐷"}, {"", 3, ""}} {
		if got := Clip(c.in, c.limit); got != c.want {
			t.Errorf("%q at %d: %q, want %q", c.in, c.limit, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s, limit := rapid.String().Draw(t, "s"), rapid.IntRange(1, 20).Draw(t, "limit")
		if got := Clip(s, limit); len(utf16.Encode([]rune(got))) > limit {
			t.Fatalf("%q is longer than %d", got, limit)
		}
	})
}

func TestWebURL(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "",
		"https://x.example/a?b=c&d=%20e#f": "https://x.example/a?b=c&d=%20e#f",
		"https://x.example/<a|b> \"\\\n":   "https://x.example/%3Ca%7Cb%3E%20%22%5C%0A",
		"https://x.example/고":              "https://x.example/%EA%B3%A0",
		"javascript:alert(1)":              "",
		"/episodes/1":                      "",
		"https:///x":                       "",
		"https://x.example/" + strings.Repeat("a", 2000): "",
	} {
		if got, ok := webURL(in); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, ok, want)
		}
	}
}

// Shares that are nothing are no news: "u1 0 %, u2 0 %". The title names the key, so no
// check asks for it.
func TestNoise(t *testing.T) {
	a := example()
	a.Kind, a.Fact, a.Dimension = KindFact, fact.UnissuedToken, "key"
	a.Top.Users = []Share{{"u1", 0.004}, {"u2", 0}}
	a.Top.Networks = []Share{{"192.0.2.0/24", 0.04}, {"198.51.100.0/24", 0.006}}
	Complete(a)
	text := fmt.Sprint(Compose(a, nil))
	for _, want := range []string{"{Networks 192.0.2.0/24 4 %}", "{Users many, each below 1 %}"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if strings.Contains(text, "Find which key") {
		t.Errorf("a check asks for the key of the title: %s", text)
	}
}

// The title of a fact says how many it covers, and its figures since when it is: what its
// identity has exposed may be older.
func TestFactSaysHowManySinceWhen(t *testing.T) {
	a := example()
	a.Kind, a.Fact = KindFact, fact.UnissuedToken
	a.Through, a.ThroughSince = Bounds{Records: 92, Low: 92, High: 92}, a.Onset+3*3600_000
	c := Compose(a, nil)
	if want := "Signing key kid-7 read with a token that nobody issued: 92 customers"; c.Title != want {
		t.Errorf("title %q, want %q", c.Title, want)
	}
	if want := (Field{"Since", "Mon 2 Mar 2026 12:00 (UTC)"}); !slices.Contains(c.Figures, want) {
		t.Errorf("%v is not among %v", want, c.Figures)
	}
}
