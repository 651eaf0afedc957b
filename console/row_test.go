package console

import (
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/model"
)

// A course is in one unit: records, unless no message tells of any.
func TestExposureUnit(t *testing.T) {
	message := func(records, rows int64) model.Message {
		return model.Message{Time: 9, Exposed: alerting.Exposed{Since: 9, Records: records, High: records, Rows: rows}}
	}
	for _, c := range []struct {
		messages []model.Message
		want     float64 // of the first
	}{
		{[]model.Message{message(0, 3000), message(272, 3000)}, 0},
		{[]model.Message{message(0, 3000), message(0, 4000)}, 3000},
		{[]model.Message{message(5, 3000)}, 5},
	} {
		if got := exposure(c.messages)[0].Value; got != c.want {
			t.Errorf("the course of %+v begins at %v, want %v", c.messages, got, c.want)
		}
	}
}
