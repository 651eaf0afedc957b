package ocsf_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/ocsf"
)

// What OCSF 1.5 requires of a Base Event is there: activity, category, class, type,
// time, severity, and of the metadata version and product.
func TestHeartbeatGolden(t *testing.T) {
	for name, h := range alertingtest.Heartbeats() {
		t.Run(name, func(t *testing.T) {
			b, err := ocsf.EncodeHeartbeat(h, "1.2.3", nil)
			if err != nil {
				t.Fatal(err)
			}
			var e map[string]json.RawMessage
			if err := json.Unmarshal(b, &e); err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata"} {
				if e[key] == nil {
					t.Errorf("%s is missing", key)
				}
			}
			var out bytes.Buffer
			if err := json.Indent(&out, b, "", "  "); err != nil {
				t.Fatal(err)
			}
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".json", out.Bytes())
		})
	}
}
