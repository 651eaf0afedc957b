package console

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/console/tuning"
	"github.com/weirhq/weir/internal/progress"
)

// defaultCount is how many people each leak is tried with unless told otherwise, as weir
// tune has it.
const defaultCount = 3

// TuningView is what alert budgets would cost and catch, by the latest run of this
// process.
type TuningView struct {
	Possible bool                       `json:"possible"`         // there is a log here that can be read again
	Budget   float64                    `json:"budget,omitempty"` // alerts a day, of the configuration
	State    string                     `json:"state"`            // none, running, done or ended: early, that is
	By       string                     `json:"by,omitempty"`
	Began    alerting.Time              `json:"began,omitempty"` // wall clock
	Error    string                     `json:"error,omitempty"`
	Command  string                     `json:"command,omitempty"` // that computes the same
	Progress *progress.Report           `json:"progress,omitempty"`
	Trials   []tuning.Trial             `json:"trials"`          // by budget, the smallest first
	Roles    map[string][]tuning.ByRole `json:"roles,omitempty"` // what was caught, by budget and role

	MayStart bool   `json:"-"`
	Ladder   string `json:"-"` // budgets to try
	Count    int    `json:"-"`
}

func (s *Server) tuning(_ *http.Request, c *call) (any, error) {
	v := &TuningView{State: "none", Trials: []tuning.Trial{}, Count: defaultCount}
	if s.Tuning == nil {
		return v, nil
	}
	v.Possible, v.Budget, v.MayStart = true, s.Tuning.Budget, s.canTune(c.person)
	budgets := tuning.Ladder(v.Budget)
	run, _ := s.Tuning.Latest()
	if run != nil {
		v.By, v.Began, v.Error, v.Command, v.Progress = run.By, alerting.Time(run.Began.UnixMilli()), run.Error, run.Command, &run.Progress
		v.State = map[bool]string{true: "done", false: "running"}[run.Over]
		if run.Error != "" {
			v.State = "ended"
		}
		budgets, v.Count = run.Request.Budgets, run.Request.Count
		v.Trials, v.Roles = s.trials(run), map[string][]tuning.ByRole{}
		for i := range v.Trials {
			v.Roles[number(v.Trials[i].Budget)] = v.Trials[i].Roles()
		}
	}
	texts := make([]string, len(budgets))
	for i, b := range budgets {
		texts[i] = number(b)
	}
	v.Ladder = strings.Join(texts, " ")
	return v, nil
}

// Now is the budget of the configuration, a day.
func (v *TuningView) Now() string { return number(v.Budget) }

// Number writes a budget as the configuration has it.
func (v *TuningView) Number(budget float64) string { return number(budget) }

// Done is how many passes are over.
func (v *TuningView) Done() int { return max(v.Progress.Pass-1, 0) }

// Last is the index of the last trial.
func (v *TuningView) Last() int { return len(v.Trials) - 1 }

// AsItIs is the index of the trial of the configuration as it is.
func (v *TuningView) AsItIs() int {
	return max(slices.IndexFunc(v.Trials, func(t tuning.Trial) bool { return t.Budget == v.Budget }), 0)
}

// trials returns what a run found, the smallest budget first. Where names are hidden from
// some, all see pseudonyms: nobody was sent a message of these people.
func (s *Server) trials(run *tuning.Run) []tuning.Trial {
	out := append([]tuning.Trial{}, run.Trials...)
	slices.SortStableFunc(out, func(a, b tuning.Trial) int { return cmp.Compare(a.Budget, b.Budget) })
	if s.Names.For <= access.Viewer {
		return out
	}
	veil := model.Veil{Personal: s.Names.Personal, Secret: s.Names.Secret}
	for i := range out {
		t := &out[i]
		t.Openings, t.Leaks = slices.Clone(t.Openings), slices.Clone(t.Leaks)
		for j := range t.Openings {
			t.Openings[j].Identity = veil.Name(t.Openings[j].Dimension, t.Openings[j].Identity)
		}
		for j := range t.Leaks {
			l := &t.Leaks[j]
			l.Outcomes = slices.Clone(l.Outcomes)
			for k := range l.Outcomes {
				l.Outcomes[k].Identity = veil.Name(l.Dimension, l.Outcomes[k].Identity)
			}
		}
	}
	return out
}

// number writes a budget as the configuration has it.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// canTune reports whether a person may begin and cancel runs here.
func (s *Server) canTune(p access.Person) bool { return s.Tuning != nil && p.Role >= access.Analyst }

// mayTune says why somebody may not.
func (s *Server) mayTune(c *call) error {
	switch {
	case s.Tuning == nil:
		return &fault{http.StatusForbidden, "there is no log here that could be read again"}
	case c.person.Role < access.Analyst:
		return &fault{http.StatusForbidden, "a run takes the role analyst"}
	}
	return nil
}

// tune begins a run.
func (s *Server) tune(c *call, q tuning.Request) error {
	if err := s.mayTune(c); err != nil {
		return err
	}
	switch err := s.Tuning.Start(q, c.person.Name, time.Now()); {
	case errors.Is(err, tuning.ErrBusy):
		return &fault{http.StatusConflict, err.Error()}
	case err != nil:
		return badRequest("%s", err)
	}
	s.Log.Info("console: tuning began", "by", c.person.Name, "budgets", q.Budgets, "count", q.Count)
	return nil
}

// tuneForm begins a run from the page.
func (s *Server) tuneForm(w http.ResponseWriter, r *http.Request, c *call) {
	q, err := tuneRequest(r)
	if err == nil {
		err = s.tune(c, q)
	}
	if err != nil {
		s.fail(w, r, c, err)
		return
	}
	http.Redirect(w, r, tuningPath, http.StatusSeeOther)
}

const tuningPath = "/tuning"

// tuneRequest reads the page's form.
func tuneRequest(r *http.Request) (q tuning.Request, err error) {
	if err := r.ParseForm(); err != nil {
		return q, badRequest("the form could not be read")
	}
	for _, text := range strings.FieldsFunc(r.PostForm.Get("budgets"), func(c rune) bool { return c == ' ' || c == ',' }) {
		b, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return q, badRequest("%q is no number of alerts a day", text)
		}
		q.Budgets = append(q.Budgets, b)
	}
	if q.Count, err = strconv.Atoi(r.PostForm.Get("count")); err != nil {
		return q, badRequest("say with how many people each leak is tried")
	}
	return q, nil
}

// cancelForm ends the run from the page.
func (s *Server) cancelForm(w http.ResponseWriter, r *http.Request, c *call) {
	if err := s.cancelTuning(c); err != nil {
		s.fail(w, r, c, err)
		return
	}
	http.Redirect(w, r, tuningPath, http.StatusSeeOther)
}

func (s *Server) cancelTuning(c *call) error {
	if err := s.mayTune(c); err != nil {
		return err
	}
	s.Tuning.Cancel()
	s.Log.Info("console: tuning cancelled", "by", c.person.Name)
	return nil
}

// postTuning begins a run for a program.
func (s *Server) postTuning(w http.ResponseWriter, r *http.Request, c *call) {
	q := tuning.Request{Count: defaultCount}
	err := readJSON(r, &q)
	if err == nil {
		err = s.tune(c, q)
	}
	s.answerTuning(w, r, c, http.StatusAccepted, err)
}

// deleteTuning ends the run for a program.
func (s *Server) deleteTuning(w http.ResponseWriter, r *http.Request, c *call) {
	s.answerTuning(w, r, c, http.StatusOK, s.cancelTuning(c))
}

func (s *Server) answerTuning(w http.ResponseWriter, r *http.Request, c *call, code int, err error) {
	if err != nil {
		s.fail(w, r, c, err)
		return
	}
	v, _ := s.tuning(r, c) // never fails
	writeJSON(w, code, v)
}

// Close ends the run of tuning that is under way, if there is one.
func (s *Server) Close() error {
	if s.Tuning != nil {
		s.Tuning.Stop()
	}
	return nil
}
