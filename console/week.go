package console

import (
	"net/http"

	"github.com/weirhq/weir/console/report"
)

// ReportView is a week.
type ReportView struct {
	*report.Report
	Before string `json:"before"` // the week before
	After  string `json:"after"`  // the week after
}

func (s *Server) report(r *http.Request, c *call) (any, error) {
	from, err := report.ParseWeek(r.URL.Query().Get("week"), c.Now().Std(), s.Location)
	if err != nil {
		return nil, badRequest("%s", err)
	}
	return &ReportView{report.Of(c.Snapshot, from), report.Name(from.AddDate(0, 0, -7)), report.Name(from.AddDate(0, 0, 7))}, nil
}
