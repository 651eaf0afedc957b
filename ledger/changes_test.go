package ledger

import (
	"slices"
	"testing"
)

// What has changed is said by name, as the configuration writes it.
func TestChanges(t *testing.T) {
	const before = `{"version":"1","record_key":"aa","secrets":{"alerts.destinations.chat.url":"01"},"config":{
		"Partitions":8,"Alerts":{"Budget":2,"Destinations":[{"Name":"chat","Type":"slack","Users":null},{"Name":"pager","Type":"pagerduty","Resend":60}],
		"Routes":[{"Severity":"high","To":["pager"]}]},"Authors":[{"Name":"kim","PublicKey":"k1"}],"Expected":null,
		"Dimensions":[{"Name":"user","Fields":["actor"]}]}}`
	for name, c := range map[string]struct {
		after string
		want  []string
	}{
		"nothing": {before, nil},
		"the version": {`{"version":"2","record_key":"aa","secrets":{"alerts.destinations.chat.url":"01"},"config":{
			"Partitions":8,"Alerts":{"Budget":2,"Destinations":[{"Name":"chat","Type":"slack","Users":null},{"Name":"pager","Type":"pagerduty","Resend":60}],
			"Routes":[{"Severity":"high","To":["pager"]}]},"Authors":[{"Name":"kim","PublicKey":"k1"}],"Expected":null,
			"Dimensions":[{"Name":"user","Fields":["actor"]}]}}`, nil},
		"everything": {`{"version":"1","record_key":"bb","secrets":{"alerts.destinations.chat.url":"02"},"config":{
			"Partitions":8,"Alerts":{"Budget":20,"Destinations":[{"Name":"chat","Type":"slack","Users":["U1"]}],"Routes":null},
			"Authors":[{"Name":"kim","PublicKey":"k2"},{"Name":"eve","PublicKey":"k3"}],
			"Expected":[{"Name":"cover","Dimension":"user","Identity":"thief*","AtMost":0,"From":"","Expires":"2027-01-01"}],
			"Dimensions":[{"Name":"user","Fields":["actor","ip"]}]}}`, []string{
			"alerts.budget: 2 → 20",
			`alerts.destinations.chat.users: added ["U1"]`,
			`alerts.destinations.pager: removed {"name":"pager","resend":60,"type":"pagerduty"}`,
			`alerts.routes: removed [{"Severity":"high","To":["pager"]}]`,
			`authors.eve: added {"name":"eve","public_key":"k3"}`,
			`authors.kim.public_key: "k1" → "k2"`,
			`dimensions.user.fields: ["actor"] → ["actor","ip"]`,
			`expected: added [{"AtMost":0,"Dimension":"user","Expires":"2027-01-01","From":"","Identity":"thief*","Name":"cover"}]`,
			`record_key: "aa" → "bb"`,
		}},
		"a secret": {`{"version":"1","record_key":"aa","secrets":{"alerts.destinations.chat.url":"02"},"config":{
			"Partitions":8,"Alerts":{"Budget":2,"Destinations":[{"Name":"chat","Type":"slack","Users":null},{"Name":"pager","Type":"pagerduty","Resend":60}],
			"Routes":[{"Severity":"high","To":["pager"]}]},"Authors":[{"Name":"kim","PublicKey":"k1"}],"Expected":null,
			"Dimensions":[{"Name":"user","Fields":["actor"]}]}}`, []string{"secrets.alerts.destinations.chat.url: another"}},
		"what is no settings": {`[]`, nil},
	} {
		if got := Changes([]byte(before), []byte(c.after)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
	if got := Changes(nil, []byte(before)); got != nil {
		t.Errorf("the first settings: %q", got)
	}
	if got := Changes([]byte("[]"), []byte(before)); len(got) != 1 {
		t.Errorf("after what cannot be read: %q", got)
	}
	for name, want := range map[string]string{"AtMost": "at_most", "SASL": "sasl", "CAFile": "ca_file", "HTTP": "http", "record_key": "record_key", "PublicKey": "public_key"} {
		if got := snake(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
