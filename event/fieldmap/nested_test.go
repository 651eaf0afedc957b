package fieldmap

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/event"
)

// nested is a case of a field map, a value, and what it becomes.
type nested struct{ name, format, value, want string }

func (c nested) run(t *testing.T) {
	t.Run(c.name, func(t *testing.T) {
		if got := first(parse(t, "name: x\n"+c.format), c.value); got != c.want {
			t.Errorf("%s\n%s\ngot  %s\nwant %s", c.format, c.value, got, c.want)
		}
	})
}

// TestEmbedded: what a text holds is read as if it stood there.
func TestEmbedded(t *testing.T) {
	const want = `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"alice","records":["4711"]}`
	const inner = `{\"at\":\"2026-03-02T09:15:27Z\",\"user\":\"alice\",\"customer\":4711}`
	const fields = "\nmaps: [{fields: {time: log.at, actor: log.user, records: log.customer}}]"
	for _, c := range []nested{
		{"JSON in a text", "parse: {log: json}" + fields, `{"log":"` + inner + `\n"}`, want},
		{"an object stays one", "parse: {log: json}" + fields, `{"log":{"at":"2026-03-02T09:15:27Z","user":"alice","customer":4711}}`, want},
		{"no JSON", "parse: {log: json}" + fields, `{"log":"hello {"}`, "time_missing at log.at"},
		{"empty", "parse: {log: json}" + fields, `{"log":""}`, "time_missing at log.at"},
		{"JSON in JSON", "parse: {a: json, a.log: json}\nmaps: [{fields: {time: t, actor: a.log.user}}]",
			`{"t":"2026-03-02T09:15:27Z","a":"{\"log\":\"{\\\"user\\\":\\\"alice\\\"}\"}"}`, strings.Replace(want, `,"records":["4711"]`, "", 1)},
		{"base64", "parse: {log: [base64, json]}" + fields, `{"log":"eyJhdCI6IjIwMjYtMDMtMDJUMDk6MTU6MjdaIiwidXNlciI6ImFsaWNlIiwiY3VzdG9tZXIiOjQ3MTF9"}`, want},
		{"logfmt", "parse: {log: logfmt}" + fields, `{"log":"at=2026-03-02T09:15:27Z user=alice customer=4711"}`, want},
		{"a pattern", `parse: {log: {text: "{at} {user} read {customer}"}}` + fields, `{"log":"2026-03-02T09:15:27Z alice read 4711"}`, want},
		{"columns", "parse: {log: {csv: [at, user, customer]}}" + fields, `{"log":"2026-03-02T09:15:27Z,\"alice\",4711"}`, want},
		{"a query", "parse: {url: query}\nmaps: [{fields: {time: t, actor: url.user, records: url.id}}]",
			`{"t":"2026-03-02T09:15:27Z","url":"https://crm.example/s?user=al%69ce&id=4711#top"}`, want},
		{"texts in a list", "parse: {\"logs[]\": json}\nmaps: [{fields: {time: t, actor: \"logs[].user\", records: \"logs[].id\"}}]",
			`{"t":"2026-03-02T09:15:27Z","logs":["{\"user\":\"alice\",\"id\":4711}","no","{\"id\":4712}"]}`,
			strings.Replace(want, `"4711"`, `"4711","4712"`, 1) + " field_dropped"},
	} {
		c.run(t)
	}
}

// TestPicked: of lists of name and value, the value of a name.
func TestPicked(t *testing.T) {
	const want = `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"alice","records":["d1","d2"]}`
	const value = `{"t":"2026-03-02T09:15:27Z","params":[{"value":"alice","name":"who"},{"name":"doc","value":"d1"},{"name":"d\u006fc","value":"d2"},{"name":"title","value":"x"},{},5]}`
	for _, c := range []nested{
		{"in a path", `maps: [{fields: {time: t, actor: "params[name=who].value", records: "params[name=doc].value"}}]`, value, want},
		{"as where", `maps: [{fields: {time: t, actor: {path: "params[].value", where: {name: who}}, records: {path: "params[].value", where: {name: doc}}}}]`, value, want},
		{"one of several", `maps: [{fields: {time: t, actor: {path: "params[].value", where: {name: [owner, "wh*"]}}, records: {path: "params[].value", where: {name: doc}}}}]`, value, want},
		{"in a condition", `maps: [{when: [{path: "params[name=who].value", equals: alice}], ignore: true}]`, value, "ignored"},
		{"in a join", `maps: [{fields: {time: t, actor: {join: ["params[name=who].value", {const: x}], separator: "@"}}}]`, value,
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"alice@x"}`},
		{"two conditions", `maps: [{fields: {time: t, records: {path: "r[].id", where: {type: customer, kind.of: a}}}}]`,
			`{"t":"2026-03-02T09:15:27Z","r":[{"id":1,"type":"customer","kind":{"of":"a"}},{"id":2,"type":"customer"},{"id":3,"kind":{"of":"a"}}]}`,
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","records":["1"]}`},
		{"beside all of them", `maps: [{fields: {time: t, actor: "params[name=who].value", records: "params[].value"}}]`, value,
			strings.Replace(want, `["d1","d2"]`, `["alice","d1","d2","x"]`, 1)},
		{"attributes in attributes", `maps: [{fields: {time: t, actor: "a[k=user].v.kvlist[k=name].v"}}]`,
			`{"t":"2026-03-02T09:15:27Z","a":[{"k":"x","v":1},{"k":"user","v":{"kvlist":[{"k":"id","v":7},{"k":"name","v":"alice"}]}}]}`,
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"alice"}`},
	} {
		c.run(t)
	}
}

// TestAlone: what stands where a list is looked for is the only element of one.
func TestAlone(t *testing.T) {
	const want = `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"alice","records":["4711"]}`
	const fields = `maps: [{fields: {time: t, actor: "who[].name", records: "r[].id"}}]`
	for _, c := range []nested{
		{"lists", fields, `{"t":"2026-03-02T09:15:27Z","who":[{"name":"alice"}],"r":[{"id":4711}]}`, want},
		{"objects", fields, `{"t":"2026-03-02T09:15:27Z","who":{"name":"alice"},"r":{"id":4711}}`, want},
		{"an object in an object", `maps: [{fields: {time: t, actor: w, records: "f[].i[].id"}}]`, `{"t":"2026-03-02T09:15:27Z","w":"alice","f":{"i":{"id":4711}}}`, want},
		{"a text", `maps: [{fields: {time: t, actor: "who[]", records: "r[]"}}]`, `{"t":"2026-03-02T09:15:27Z","who":"alice","r":"4711"}`, want},
		{"an object of a name", `maps: [{fields: {time: t, actor: "p[k=who].v", records: "p[k=id].v"}}]`, `{"t":"2026-03-02T09:15:27Z","p":{"v":4711,"k":"id"},"p[]":1}`,
			strings.Replace(want, `"actor":"alice",`, "", 1)},
		{"null", fields, `{"t":"2026-03-02T09:15:27Z","who":null,"r":null}`, `{"time":"2026-03-02T09:15:27.000Z","action":"read"}`},
	} {
		c.run(t)
	}
}

// TestDottedKeys: a key with dots is the path that it spells, unless the map names it.
func TestDottedKeys(t *testing.T) {
	const want = `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"alice","records":["4711"]}`
	const fields = `maps: [{fields: {time: t, actor: user.name.short, records: "r[].id"}}]`
	for _, c := range []nested{
		{"spelt", fields, `{"t":"2026-03-02T09:15:27Z","user.name.short":"alice","r.id":4711,"user.x":1,".":2,"user.":3,"r..":4}`, want},
		{"in part", fields, `{"t":"2026-03-02T09:15:27Z","user":{"name.short":"alice"},"r":[{"id":4711}]}`, want},
		{"an object", fields, `{"t":"2026-03-02T09:15:27Z","user.name":{"short":"alice"},"r":{"id":4711}}`, want},
		{"named", `maps: [{fields: {time: t, actor: '"user.name"', role: user.name}}]`, `{"t":"2026-03-02T09:15:27Z","user.name":"alice"}`, strings.Replace(want, `,"records":["4711"]`, "", 1)},
		{"columns", "input: csv\n" + `maps: [{fields: {time: t, actor: user.name, records: r.id}}]`, `{"t":"2026-03-02T09:15:27Z","user.name":"alice","r.id":"4711"}`, want},
	} {
		c.run(t)
	}
}

// TestFoldKeys: keys in any case, where the map says so.
func TestFoldKeys(t *testing.T) {
	const want = `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"alice","records":["4711"]}`
	const fields = "fold_keys: true\nexplode: Records[]\nmaps: [{fields: {time: eventTime, actor: user.Name, records: customer_id}}]"
	for _, c := range []nested{
		{"as it is", fields, `{"eventTime":"2026-03-02T09:15:27Z","user":{"Name":"alice"},"customer_id":4711}`, want},
		{"small", fields, `{"eventtime":"2026-03-02T09:15:27Z","user":{"name":"alice"},"customer_id":4711}`, want},
		{"in capitals, and escaped", fields, `{"EVENTTIME":"2026-03-02T09:15:27Z","USER":{"N\u0041ME":"alice"},"CUSTOMER_ID":4711}`, want},
		{"of an envelope", fields, `{"records":[{"EventTime":"2026-03-02T09:15:27Z","user":{"name":"alice"},"Customer_Id":4711}]}`, want},
		{"not said", strings.TrimPrefix(fields, "fold_keys: true\n"), `{"eventtime":"2026-03-02T09:15:27Z"}`, "time_missing at eventTime"},
	} {
		c.run(t)
	}
}

// TestConditionOfPaths: of several paths the first that has a value counts.
func TestConditionOfPaths(t *testing.T) {
	const fields = `maps: [{when: [{path: [class, kind], equals: ["6*", secret]}], ignore: true}, {fields: {time: t}}]`
	for _, c := range []nested{
		{"the first", fields, `{"t":"2026-03-02T09:15:27Z","class":6003,"kind":"open"}`, "ignored"},
		{"the second", fields, `{"t":"2026-03-02T09:15:27Z","class":null,"kind":"secret"}`, "ignored"},
		{"the first alone", fields, `{"t":"2026-03-02T09:15:27Z","class":5,"kind":"secret"}`, `{"time":"2026-03-02T09:15:27.000Z","action":"read"}`},
		{"neither", fields, `{"t":"2026-03-02T09:15:27Z"}`, `{"time":"2026-03-02T09:15:27.000Z","action":"read"}`},
		{"percent-encoding", `maps: [{fields: {time: t, actor: {path: a, decode: percent}, records: {path: r, decode: percent, split: "|"}}}]`,
			`{"t":"2026-03-02T09:15:27Z","a":"kim%20lee","r":"a%7Cb%2F1|c%2B+|d%zz"}`, `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim lee","records":["a|b/1","c++","d%zz"]}`},
	} {
		c.run(t)
	}
}

// TestEnvelopes: events in lists of lists, below a prefix and in texts, with what the
// envelope says of them.
func TestEnvelopes(t *testing.T) {
	made := func(actor, record string) string {
		return `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"` + actor + `","records":["` + record + `"]}`
	}
	const otlp = `{"resourceLogs":[{"resource":{"who":"alice"},"scopeLogs":[{"logRecords":[{"id":1},{"id":2}]},{"logRecords":[{"id":3}]}]},{"resource":{"who":"bob"},"scopeLogs":[{"logRecords":[{"id":4}]}]}],"t":"2026-03-02T09:15:27Z"}`
	const cloud = `{"t":"2026-03-02T09:15:27Z","who":"alice","id":1}`
	const quoted = `"{\"t\":\"2026-03-02T09:15:27Z\",\"who\":\"alice\",\"id\":1}"`
	const plain = "\nmaps: [{fields: {time: t, actor: who, records: id}}]"
	for _, c := range []nested{
		{"lists of lists", "explode: resourceLogs[].scopeLogs[].logRecords[]\nmaps: [{fields: {time: $.t, actor: \"$.resourceLogs[].resource.who\", records: id}}]", otlp,
			strings.Join([]string{made("alice", "1"), made("alice", "2"), made("alice", "3"), made("bob", "4")}, "\n")},
		{"the envelope's list of records", "explode: e[]\nmaps: [{fields: {time: t, actor: $.who, records: \"$.ids[]\"}}]",
			`{"who":"alice","ids":[1],"e":[{"t":"2026-03-02T09:15:27Z"},{"t":"2026-03-02T09:15:27Z"}]}`, made("alice", "1") + "\n" + made("alice", "1")},
		{"the envelope in a condition", "explode: e[]\nmaps: [{when: [{path: $.who, equals: alice}], ignore: true}]", `{"who":"alice","e":[{},{}]}`, "ignored in 0\nignored in 1"},
		{"an event without an envelope", "explode: e[]\nmaps: [{fields: {time: t, actor: $.who, records: id}}]", cloud, made("alice", "1")},
		{"under a prefix", "under: detail" + plain, `{"detail":` + cloud + `,"t":5}`, made("alice", "1")},
		{"under a prefix that is a text", "under: detail" + plain, `{"detail":` + quoted + `}`, made("alice", "1")},
		{"under no prefix", "under: detail" + plain, cloud, "no_map at detail"},
		{"under a prefix of each", "under: \"logEvents[].message\"" + plain, `{"logEvents":[{"message":` + quoted + `},{"message":` + quoted + `}]}`, made("alice", "1") + "\n" + made("alice", "1")},
		{"a list in a text", "under: \"l[].m\"" + plain, `{"l":[{"m":"[1]"}]}`, "not_an_object in 0"},
		{"a text that holds nothing", "under: \"l[].m\"" + plain, `{"l":[{"m":"hello"},{"m":` + cloud + `}]}`, "wrong_type at m in 0\n" + made("alice", "1")},
		{"an envelope under a prefix", "under: detail\nexplode: Records[]" + plain, `{"detail":{"Records":[` + cloud + `]}}`, made("alice", "1")},
		{"no envelope under a prefix", "under: detail\nexplode: Records[]" + plain, `{"detail":` + cloud + `}`, made("alice", "1")},
		{"the root above a prefix", "under: detail\nmaps: [{fields: {time: t, actor: $.account, records: id}}]", `{"account":"a","detail":` + cloud + `}`, made("a", "1")},
		{"one of several envelopes", "explode: [\"Records[]\", \"logEvents[].message\", detail]" + plain, `{"logEvents":[{"message":` + quoted + `}]}`, made("alice", "1")},
		{"another of them", "explode: [\"Records[]\", \"logEvents[].message\", detail]" + plain, `{"detail":` + cloud + `}`, made("alice", "1")},
		{"none of them", "explode: [\"Records[]\", \"logEvents[].message\", detail]" + plain, cloud, made("alice", "1")},
		{"a list of envelopes", "explode: [\"Records[]\", detail]" + plain, `[{"Records":[` + cloud + `]},{"detail":` + cloud + `},` + cloud + `]`,
			strings.Join([]string{made("alice", "1"), made("alice", "1"), made("alice", "1")}, "\n")},
		{"a list of events", plain[1:], `[` + cloud + `,` + cloud + `, 5]`, made("alice", "1") + "\n" + made("alice", "1") + "\nnot_an_object in 2"},
		{"an empty list", plain[1:], `[ ]`, ""},
		{"a broken list", plain[1:], `[{},]`, "not_json"},
		{"a preset below a prefix", "base: native\nunder: payload", `{"payload":{"time":"2026-03-02T09:15:27Z","actor":"alice","records":1}}`, made("alice", "1")},
		{"a preset with maps before it", "base: native\nmaps: [{when: [{path: actor, equals: robot}], ignore: true}]", `{"time":"2026-03-02T09:15:27Z","actor":"robot"}`, "ignored"},
	} {
		c.run(t)
	}
}

// TestEdits: what a map can do to a text on its way.
func TestEdits(t *testing.T) {
	made := func(field string) string { return `{"time":"2026-03-02T09:15:27.000Z","action":"read"` + field + `}` }
	maps := func(field string) string { return "maps: [{fields: {time: {path: t, unit: s}, " + field + "}}]" }
	const at = `"t":1772442927`
	for _, c := range []nested{
		{"a record in a path", maps(`records: {path: u, match: "/customers/{id}"}`), `{` + at + `,"u":"/customers/4711/orders?expand=1"}`, made(`,"records":["4711"]`)},
		{"a record in a URL", maps(`records: {path: u, match: "/customers/{id}"}`), `{` + at + `,"u":"https://crm.example:8443/customers/47%2D11#x"}`, made(`,"records":["47-11"]`)},
		{"a record in a request line", maps(`records: {path: u, match: "/customers/{id}"}`), `{` + at + `,"u":"GET /customers/4711 HTTP/1.1"}`, made(`,"records":["4711"]`)},
		{"no such path", maps(`records: {path: u, match: "/customers/{id}"}`), `{` + at + `,"u":"/products/4711"}`, made("")},
		{"any segment", maps(`records: {path: u, match: "/*/customers/{id}"}`), `{` + at + `,"u":"/v2/customers/4711"}`, made(`,"records":["4711"]`)},
		{"any segments", maps(`records: {path: u, match: "/**/customers/{id}"}`), `{` + at + `,"u":"/api/v2/customers/4711/x"}`, made(`,"records":["4711"]`)},
		{"digits only", maps(`records: {path: u, match: "/customers/{id:digits}"}`), `{` + at + `,"u":"/customers/search"}`, made("")},
		{"a UUID", maps(`records: {path: u, match: "/c/{id:uuid}"}`), `{` + at + `,"u":"/c/550e8400-e29b-41d4-a716-446655440000"}`, made(`,"records":["550e8400-e29b-41d4-a716-446655440000"]`)},
		{"a query", maps(`records: {path: u, match: "?customer={id}"}`), `{` + at + `,"u":"/any?page=2&customer=47+11"}`, made(`,"records":["47 11"]`)},
		{"a query of a path", maps(`records: {path: u, match: ["/a?id={id}", "/b/{id}"]}`), `{` + at + `,"u":"/b/7?id=5"}`, made(`,"records":["7"]`)},
		{"a record in a text", maps(`records: {path: u, match: "projects/_/buckets/{}/objects/{id}"}`), `{` + at + `,"u":"projects/_/buckets/b/objects/c/1"}`, made(`,"records":["c/1"]`)},
		{"an endpoint without its record", maps(`endpoint: {path: u, match: "/customers/{id}"}`), `{` + at + `,"u":"/customers/c104733/orders?x=1"}`, made(`,"endpoint":"/customers/{id}/orders"`)},
		{"several records in one text", maps(`records: {path: u, split: ","}`), `{` + at + `,"u":"4711, 4712,,4713"}`, made(`,"records":["4711","4712","4713"]`)},
		{"several in a path", maps(`records: {path: u, match: "/customers/{id}", split: ";"}`), `{` + at + `,"u":"/customers/1; /customers/2"}`, made(`,"records":["1","2"]`)},
		{"the last of several", maps(`actor: {path: u, split: "/", take: last}`), `{` + at + `,"u":"arn:role/ops/alice"}`, made(`,"actor":"alice"`)},
		{"folded and trimmed", maps(`actor: {path: u, fold: lower, trim: true}`), `{` + at + `,"u":" Alice.KIM@Example.com "}`, made(`,"actor":"alice.kim@example.com"`)},
		{"folded throughout", "fold: [actor, subject]\n" + maps(`actor: u, subject: s, client: u`), `{` + at + `,"u":"ÄLICE","s":"Bob"}`, made(`,"actor":"älice","subject":"bob","client":"ÄLICE"`)},
		{"absent throughout", "absent: [\"-\", null, undefined, N/A]\n" + maps(`actor: [u, v], records: r`), `{` + at + `,"u":"-","v":"alice","r":["null","undefined","N/A","1",""]}`, made(`,"actor":"alice","records":["1"]`)},
		{"absent here", maps(`actor: {path: u, absent: ["-"]}, client: u`), `{` + at + `,"u":"-"}`, made(`,"client":"-"`)},
		{"rows with commas", maps(`rows: {path: u, match: "{n} rows"}`), `{` + at + `,"u":"12 rows"}`, made(`,"rows":12`)},
		{"edited, then translated", maps(`role: {path: u, fold: lower, values: {admin: boss}}`), `{` + at + `,"u":"ADMIN"}`, made(`,"role":"boss"`)},
	} {
		c.run(t)
	}
}

// TestMoreFaults: faults of what a map can do beyond paths.
func TestMoreFaults(t *testing.T) {
	const head, maps = "name: x\n", "maps: [{fields: {time: t}}]\n"
	field := func(f string) string { return head + "maps: [{fields: {time: t, " + f + "}}]" }
	for _, c := range []struct{ src, want string }{
		{head + "base: ocfs\n" + maps, `x.yaml:2: base is a format that comes with weir, not "ocfs" (did you mean ocsf?)`},
		{head + "charset: latin-x\n" + maps, `x.yaml:2: no charset is called "latin-x"`},
		{head + "zone: Mars/Base\n" + maps, `x.yaml:2: zone is UTC, or a name such as Europe/Berlin or Asia/Seoul, not "Mars/Base"`},
		{head + "fold: [acter]\n" + maps, `x.yaml:2: fold is a list of fields, and none is called "acter" (did you mean actor?)`},
		{head + "input: xml\n" + maps, `x.yaml:2: input is json, logfmt, cef, leef, query, base64, gzip, csv, tsv, or a mapping with csv or text, not "xml"`},
		{head + "input: {csv: [a], text: '{a}'}\n" + maps, `x.yaml:2: input has csv, a list of columns`},
		{head + "input: {csv: [a], separator: '::'}\n" + maps, `x.yaml:2: separator is one character, not "::"`},
		{head + "input: {text: '{a}{b}'}\n" + maps, `x.yaml:2: something must stand between {a} and the next part`},
		{head + "input: {text: '{a'}\n" + maps, `x.yaml:2: the brace before "a" is never closed`},
		{head + "input: {text: 'a'}\n" + maps, `x.yaml:2: a pattern needs at least one {name}`},
		{head + "parse: {a: jsn}\n" + maps, `x.yaml:2: a text is json, logfmt, cef, leef, query, base64, gzip, or a mapping with csv or text, not "jsn" (did you mean json?)`},
		{head + "header: '{a} {b}'\n" + maps, `x.yaml:2: header is syslog, or a pattern such as "{time} {host} ", which ends where the record begins; not "{a} {b}"`},
		{head + "header: sysylog\n" + maps, `x.yaml:2: a pattern needs at least one {name}`},
		{head + "input: csv\nheader: syslog\n" + maps, `x.yaml:3: a table has no header before each row; name its columns`},
		{head + "until: today\n" + maps, `x.yaml:2: until is a day such as 2026-03-31, not "today"`},
		{head + "parse: {a: []}\n" + maps, `x.yaml:2: a text is json, logfmt`},
		{head + "parse: {a: {}}\n" + maps, `x.yaml:2: a text has csv, a list of columns, with or without separator; or text, a pattern`},
		{field("actor: {path: a, where: {b: c}}"), `x.yaml:2: where is about the elements of a list, and the path "a" has no [] in it`},
		{field(`actor: {join: [a, b], where: {b: c}}`), `x.yaml:2: where goes with path`},
		{field(`actor: {path: "a[].b", where: {}}`), ``},
		{field("actor: {path: a, match: /a/b}"), `x.yaml:2: a pattern takes one {id}, of the path or of the query`},
		{field("actor: {path: a, match: '/a/{id}/{other}'}"), `x.yaml:2: a pattern takes one {id}`},
		{field("actor: {path: a, match: '/a/{id:word}'}"), `x.yaml:2: what is taken can be digits, hex or uuid, not "word"`},
		{field("actor: {path: a, match: '/a/x{id}'}"), `x.yaml:2: a segment of a path is a word, *, ** or {id}, not "x{id}"`},
		{field("actor: {path: a, match: '/**/a/**/{id}'}"), `x.yaml:2: a pattern has ** once`},
		{field("actor: '[a=b][a=b][a=b][a=b][a=b]'"), `has more than 4 conditions`},
		{field("actor: {path: a, match: '?a'}"), `x.yaml:2: a query is matched as ?name={id}, not "?a"`},
		{field("endpoint: {path: a, match: '?a={id}'}"), `x.yaml:2: an endpoint has no query`},
		{field("actor: {path: a, take: last}"), `x.yaml:2: take goes with split`},
		{field("records: {path: a, split: ',', take: last}"), `x.yaml:2: take goes with a field of one value`},
		{field("ip: {path: a, take: second}"), `x.yaml:2: take is first or last, not "second"`},
		{field("ip: {path: a, trusted: [10.0.0]}"), `x.yaml:2: trusted is a list of networks such as 10.0.0.0/8, not "10.0.0"`},
		{field("actor: {path: a, trusted: [10.0.0.0/8]}"), `x.yaml:2: trusted goes with ip, not with actor`},
		{field("actor: {path: a, fold: upper}"), `x.yaml:2: fold is lower, not "upper"`},
		{field("actor: {path: a, decode: hex}"), `x.yaml:2: decode is percent, not "hex"`},
		{field("actor: {const: a, trim: true}"), `x.yaml:2: trim goes with path or join, not with const`},
		{field("actor: {path: a, split: ''}"), `x.yaml:2: split is what separates the values`},
		{field("actor: {path: a, zone: UTC}"), `x.yaml:2: zone goes with time, not with actor`},
		{head + "maps: [{fields: {time: {path: t, format: epoch}}}]", `x.yaml:2: format is epoch_s, epoch_ms, epoch_us, epoch_ns, rfc3339, iso8601, apache, rfc1123`},
	} {
		_, err := Parse("x.yaml", []byte(c.src))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s\ngot %v", c.src, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant …%s…", c.src, err, c.want)
		}
	}
}

// TestMessage: the key, headers and timestamp of a Kafka record are in reach, and are
// absent where there is none.
func TestMessage(t *testing.T) {
	f := parse(t, `
name: x
explode: e[]
maps:
  - when: [{path: $kafka.topic, equals: "other*"}]
    ignore: true
  - fields:
      time: [{path: $kafka.headers.ce_time}, $kafka.timestamp, t]
      actor: $kafka.headers."x.user"
      id: $kafka.headers.ce_id
      records: [$kafka.key, id]
      ip: ip
`)
	m := Message{
		Topic: "access", Key: []byte("4711"), Timestamp: 1772442927123, Value: []byte(`{"ip":"192.0.2.7"}`),
		Headers: []Header{{"ce_id", []byte("e1")}, {"x.user", []byte(`al"ice`)}},
	}
	d := f.NewDecoder()
	read := func(m Message) string {
		var got []string
		d.DecodeMessage(&m, func(ev *event.Event, rej *event.Reject) { got = append(got, Describe(ev, rej)) })
		return strings.Join(got, "\n")
	}
	const want = `{"time":"2026-03-02T09:15:27.123Z","id":"e1","action":"read","actor":"al\"ice","ip":"192.0.2.7","records":["4711"]}`
	if got := read(m); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	m.Value = []byte(`{"e":[{"ip":"192.0.2.7"},{"ip":"192.0.2.7"}]}`)
	if got := read(m); got != want+"\n"+want {
		t.Errorf("of an envelope: got  %s", got)
	}
	m.Headers = append(m.Headers, Header{"ce_time", []byte("2026-03-02T10:00:00Z")})
	if got := read(m); !strings.HasPrefix(got, `{"time":"2026-03-02T10:00:00.000Z"`) {
		t.Errorf("with a time of its own: got %s", got)
	}
	m.Topic = "other-1"
	if got := read(m); got != "ignored in 0\nignored in 1" {
		t.Errorf("of another topic: got %s", got)
	}
	if got := first(f, `{"t":1772442927123,"id":5}`); got != `{"time":"2026-03-02T09:15:27.123Z","action":"read","records":["5"]}` {
		t.Errorf("of a value alone: got %s", got)
	}
}
