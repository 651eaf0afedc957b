package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Kind is the kind of a verdict: what a person says of an episode.
type Kind string

// The kinds; each has a button. Yes and No answer a Question.
const (
	Acknowledge  Kind = "acknowledge"   // somebody looks at it
	Expected     Kind = "expected"      // it is meant to happen
	TruePositive Kind = "true_positive" // it is what it looks like
	Take         Kind = "take"          // who clicks holds it from now on
	Release      Kind = "release"       // nobody holds it any more
	Yes          Kind = "yes"           // it was meant
	No           Kind = "no"            // it was not
)

// Verdict is one click on a button.
type Verdict struct {
	Kind     Kind
	DedupKey string    // of the episode
	Author   string    // the person's id in Slack, such as U024BE7LH; it never changes
	Name     string    // the person's name in Slack; it may change
	Team     string    // the workspace's id
	At       time.Time // of the request
	Click    string    // names the click: Slack's time of the action, and its trigger

	// Addressee is who was asked, Until the time until which an answer counts, and Reason
	// what the person wrote, of an answer.
	Addressee string
	Until     time.Time
	Reason    string
}

const (
	actionPrefix = "weir_"
	// signatureAge is how old a signed request may be, so that somebody who
	// overheard a request cannot send it again later.
	signatureAge = 5 * time.Minute
	// maxInteraction bounds what is read of a request, in bytes; Slack sends the
	// whole message with each.
	maxInteraction = 1 << 20
)

// Handler answers the requests that Slack makes when somebody presses a button
// ("Interactivity" in the app's settings). It checks that they are Slack's (an
// HMAC-SHA256 of version v0 under the app's signing secret, at most five
// minutes old) and hands the verdict of each click to record. Slack wants an
// answer within three seconds, so record must be quick. An error of record is
// answered with 500, which Slack shows as a failed click. What record says is added to
// the message at once, by the address that Slack gives for it; api is that of the
// destination, empty for Slack's own. now is the wall clock.
//
// A request that was overheard can be sent again while its signature is fresh. Each click
// is taken once: a second one is answered with 409. record must know those that
// another process has taken, by the name of the click.
func Handler(secret, api string, now func() time.Time, record func(ctx context.Context, v Verdict) (said string, err error)) (http.Handler, error) {
	if len(secret) < 16 {
		return nil, errors.New("setting up slack's buttons: the signing secret is too short; copy it from the app's Basic Information")
	}
	var taken clicks
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "only POST", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxInteraction))
		if err != nil {
			http.Error(w, "the request is too large or broke off", http.StatusRequestEntityTooLarge)
			return
		}
		at := now()
		if err := verify([]byte(secret), r.Header, body, at); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		verdicts, on, err := decodeVerdicts(body, at)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, v := range verdicts {
			if !taken.add(v.Click, at) {
				http.Error(w, "this click was taken before", http.StatusConflict)
				return
			}
			said, err := record(r.Context(), v)
			if err != nil {
				taken.forget(v.Click)
				http.Error(w, "the verdict could not be recorded", http.StatusInternalServerError)
				return
			}
			// Slack waits for the answer to the click, not for this. A message that could
			// not be changed is changed by the verdict when it counts.
			go func() { _ = on.reply(context.WithoutCancel(r.Context()), api, said) }()
		}
		w.WriteHeader(http.StatusOK)
	}), nil
}

// clicks are those that were taken while a signature that they may carry is fresh.
type clicks struct {
	mu sync.Mutex
	at map[string]time.Time
}

// add keeps a click, and reports whether it is new.
func (c *clicks) add(click string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.at, func(_ string, at time.Time) bool { return now.Sub(at) > 2*signatureAge })
	if _, ok := c.at[click]; ok {
		return false
	}
	if c.at == nil {
		c.at = map[string]time.Time{}
	}
	c.at[click] = now
	return true
}

// forget takes a click back that could not be recorded, so that it can be tried again.
func (c *clicks) forget(click string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.at, click)
}

// Sign sets the headers by which a receiver knows a request of Slack's, for a
// fake.
func Sign(secret string, h http.Header, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set("X-Slack-Request-Timestamp", stamp)
	h.Set("X-Slack-Signature", signature([]byte(secret), stamp, body))
}

func signature(secret []byte, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "v0:%s:", stamp)
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

func verify(secret []byte, h http.Header, body []byte, now time.Time) error {
	stamp := h.Get("X-Slack-Request-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("the request carries no timestamp of Slack's")
	}
	if age := now.Sub(time.Unix(seconds, 0)).Abs(); age > signatureAge {
		return errors.New("the request's timestamp is more than five minutes off; check the clock")
	}
	if !hmac.Equal([]byte(h.Get("X-Slack-Signature")), []byte(signature(secret, stamp, body))) {
		return errors.New("the signature does not fit; check the signing secret")
	}
	return nil
}

// decodeVerdicts reads a form whose field payload is JSON. It passes over clicks
// on buttons that are not weir's: an app may have others.
func decodeVerdicts(body []byte, at time.Time) (list []Verdict, on *clicked, err error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, nil, errors.New("the body is no form")
	}
	var payload struct {
		clicked
		Type string `json:"type"`
		Team struct {
			ID string `json:"id"`
		} `json:"team"`
		User struct {
			ID       string `json:"id"`
			Username string `json:"username"`
			Name     string `json:"name"`
		} `json:"user"`
		Actions []struct {
			ActionID string `json:"action_id"`
			Value    string `json:"value"`
			ActionTS string `json:"action_ts"`
		} `json:"actions"`
		TriggerID string `json:"trigger_id"`
		State     struct {
			Values map[string]map[string]input `json:"values"`
		} `json:"state"`
	}
	if err := json.Unmarshal([]byte(form.Get("payload")), &payload); err != nil {
		return nil, nil, errors.New("the form's payload is not JSON")
	}
	if payload.Type != "block_actions" {
		return nil, nil, nil
	}
	for _, action := range payload.Actions {
		kind, ours := strings.CutPrefix(action.ActionID, actionPrefix)
		if !ours {
			continue
		}
		v := Verdict{Kind: Kind(kind), DedupKey: action.Value, Author: payload.User.ID, Name: payload.User.Username, Team: payload.Team.ID, At: at,
			Click: strings.Join([]string{payload.Team.ID, payload.User.ID, payload.TriggerID, action.ActionTS, action.ActionID, action.Value}, "\x00")}
		if v.Name == "" {
			v.Name = payload.User.Name
		}
		if v.Kind == Yes || v.Kind == No {
			if err := v.answer(action.Value, payload.State.Values); err != nil {
				return nil, nil, err
			}
		}
		switch {
		case !slices.Contains([]Kind{Acknowledge, Expected, TruePositive, Take, Release, Yes, No}, v.Kind):
			return nil, nil, errors.New("the button is of another version of weir")
		case v.DedupKey == "" || v.Author == "":
			return nil, nil, errors.New("the click names no episode, or nobody")
		case action.ActionTS == "" || payload.TriggerID == "":
			return nil, nil, errors.New("the click has no action_ts or trigger_id, by which it could be told from another")
		}
		list = append(list, v)
	}
	return list, &payload.clicked, nil
}
