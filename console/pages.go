package console

import (
	"net/http"

	"github.com/weirhq/weir/console/model"
)

// page is one page and its twin in JSON: both show the same view.
type page struct {
	name   string // of its template
	title  string
	path   string
	api    string
	doc    string // what it tells, for the API's description
	params []param
	view   func(*Server, *http.Request, *call) (any, error)
	answer any // a zero view, for the API's description
}

// param is one parameter of a page.
type param struct {
	name, doc string
	in        string   // path or query
	values    []string // that it may have; empty: any
	pattern   string   // that it has where it is not empty
	required  bool     // it must be given, and not be empty
	integer   *[2]int  // nil, or the least and the most
}

var paging = []param{
	{name: "offset", doc: "How many to pass over.", in: "query", integer: &[2]int{0, model.MaxEpisodes}},
	{name: "limit", doc: "How many to show; 50 unless it is said.", in: "query", integer: &[2]int{1, maxLimit}},
}

var keyParam = param{name: "key", doc: "The dedup key of the episode or campaign.", in: "path", required: true}

var pages = []page{
	{
		name: "triage", title: "Triage", path: "/{$}", api: "/api/v1/episodes",
		doc: "Episodes and campaigns that a filter chooses, the most urgent first.", params: append(filterParams(), paging...),
		view: (*Server).triage, answer: TriageView{},
	},
	{
		name: "episode", title: "Episode", path: "/episodes/{key}", api: "/api/v1/episodes/{key}",
		doc: "All that is known of one episode or campaign.", params: []param{keyParam}, view: (*Server).episode, answer: EpisodeView{},
	},
	{
		name: "expected", title: "Expected and held back", path: "/expected", api: "/api/v1/expected",
		doc:  "What is declared or judged as harmless, and how many messages each rule, verdict or campaign held back.",
		view: (*Server).expected, answer: ExpectedView{},
	},
	{
		name: "identities", title: "Identities", path: "/identities", api: "/api/v1/identities",
		doc:    "Identities that had an episode, by name.",
		params: append([]param{{name: "q", doc: "Part of the name, whatever its case.", in: "query"}}, paging...),
		view:   (*Server).identities, answer: IdentitiesView{},
	},
	{
		name: "identity", title: "Identity", path: "/identity", api: "/api/v1/identity",
		doc: "The episodes of one identity, past and open.",
		params: []param{
			{name: "dimension", doc: "The dimension, such as user.", in: "query", required: true},
			{name: "name", doc: "The identity's name.", in: "query", required: true},
		},
		view: (*Server).identity, answer: IdentityView{},
	},
	{
		name: "report", title: "Report", path: "/report", api: "/api/v1/report",
		doc:    "A week on one page.",
		params: []param{{name: "week", doc: "The week, such as 2026-W10 (ISO 8601); without it, the latest.", in: "query", pattern: `^(|[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3]))$`}},
		view:   (*Server).report, answer: ReportView{},
	},
	{
		name: "tuning", title: "Tuning", path: tuningPath, api: "/api/v1/tuning",
		doc:  "What other alert budgets would have told, and caught of leaks that are added, on the log as it is still held.",
		view: (*Server).tuning, answer: TuningView{},
	},
	{
		name: "health", title: "Health", path: "/health", api: "/api/v1/health",
		doc: "How the deployment does.", view: (*Server).health, answer: HealthView{},
	},
}
