package ocsf_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/ocsf"
)

var rewrite = flag.Bool("rewrite", false, "write what is found to testdata")

// topic is a Producer that fails as told.
type topic struct {
	key, value []byte
	retry      bool
	err        error
}

func (t *topic) Produce(_ context.Context, key, value []byte) (bool, error) {
	t.key, t.value = key, value
	return t.retry, t.err
}

func TestNotify(t *testing.T) {
	for _, p := range []*topic{{}, {retry: true, err: errors.New("no leader")}, {err: errors.New("not authorized")}} {
		d, err := ocsf.New(ocsf.Options{Name: "lake", Producer: p})
		if err != nil {
			t.Fatal(err)
		}
		a := alertingtest.Full()
		retry, err := d.Notify(t.Context(), a)
		if retry != p.retry || !errors.Is(err, p.err) || string(p.key) != a.DedupKey || !json.Valid(p.value) {
			t.Errorf("retry %v, %v; key %s", retry, err, p.key)
		}
	}
	if _, err := ocsf.New(ocsf.Options{Name: "lake"}); err == nil {
		t.Error("took no producer")
	}
}

// requirements is what OCSF 1.5 demands of a Detection Finding, of the objects
// in it that weir fills, and of their numbers; transcribed from events/base_event,
// events/findings/finding, events/findings/detection_finding and objects/* of
// github.com/ocsf/ocsf-schema.
func requirements(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/detection_finding.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("finding.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("finding.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFindingsMeetTheSchema(t *testing.T) {
	s := requirements(t)
	for name, a := range alertingtest.Alerts() {
		for _, status := range []alerting.Status{alerting.Open, alerting.Update, alerting.Close} {
			a.Status = status
			b, err := ocsf.Encode(a, "1.2.3", nil)
			if err != nil || !utf8.Valid(b) || bytes.ContainsAny(b, "\n") {
				t.Fatalf("%s: %v", name, err)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(v); err != nil {
				t.Errorf("%s, %s: %v", name, status, err)
			}
		}
	}
}

func TestSchemaIsStrict(t *testing.T) {
	s := requirements(t)
	b, err := ocsf.Encode(alertingtest.Full(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{`"type_uid":200401`, `"type_uid":200402`}, {`"class_uid":2004`, `"class_uid":2001`}, {`"severity_id":4`, `"severity_id":9`},
		{`"finding_info"`, `"findings_info"`}, {`"uid":"weir-d0aacccaf6b7c58d","title"`, `"title"`},
	} {
		bad := strings.Replace(string(b), c[0], c[1], 1)
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil || bad == string(b) {
			t.Fatal(c, err)
		}
		if s.Validate(v) == nil {
			t.Errorf("accepts %s", c[1])
		}
	}
}

// What OCSF has no place for is not lost.
func TestWholeAlertIsInside(t *testing.T) {
	a := alertingtest.Full()
	b, err := ocsf.Encode(a, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Unmapped struct {
			Weir json.RawMessage `json:"weir"`
		} `json:"unmapped"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(f.Unmapped.Weir, a.AppendJSON(nil)) {
		t.Errorf("inside is %s", f.Unmapped.Weir)
	}
}

func TestGolden(t *testing.T) {
	for name, a := range alertingtest.Alerts() {
		if name == "huge" || name == "long" {
			continue // the whole alert is inside: a megabyte
		}
		t.Run(name, func(t *testing.T) {
			b, err := ocsf.Encode(a, "1.2.3", nil)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := json.Indent(&out, b, "", "  "); err != nil {
				t.Fatal(err)
			}
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".json", out.Bytes())
		})
	}
}
