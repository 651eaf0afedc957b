package fieldmap

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/event"
)

// crm is a field map that uses all that the language has.
const crm = `
name: crm
about: the log of a CRM
explode: batch.items[]
maps:
  - name: noise
    when:
      - {path: kind, equals: ["health*", ping]}
    ignore: true
  - name: page views
    when:
      - {path: kind, equals: view}
      - {path: user, exists: true}
      - {path: user.id, not: [0, robot]}
    fields:
      time: [{path: at, unit: s}, {path: at_us, unit: us}, "times[]"]
      id: {join: [shard, seq], separator: "-"}
      action:
        - {path: verb, values: {"look*": read, "look all": list, took: export, blink: ignore}}
        - {path: bulk, values: {"true": export}}
      actor: [user.email, user.id]
      client: {const: crm}
      endpoint: {path: screen, values: {c: customer}}
      records: [customer, "customers[].id", {join: [{const: r}, shard, row], separator: ":"}]
      rows: [count, {const: 1}]
      session: '"session.id"'
`

func TestFieldMap(t *testing.T) {
	f, err := Parse("crm.yaml", []byte(crm))
	if err != nil {
		t.Fatal(err)
	}
	const view = `"kind":"view","user":{"id":7},"at":1772356527`
	const base = `{"time":"2026-03-01T09:15:27.000Z","action":"read","actor":"7","client":"crm","rows":1}`
	with := func(more string) string {
		return strings.Replace(base, `"client":"crm"`, `"client":"crm"`+more, 1)
	}
	for _, c := range []struct{ name, value, want string }{
		{"the least there can be", `{` + view + `}`, base},
		{"ignored by a prefix", `{"kind":"healthcheck"}`, `ignored`},
		{"ignored by a word", `{"kind":"ping"}`, `ignored`},
		{"a word is no prefix", `{"kind":"pinged"}`, `no_map`},
		{"no user", `{"kind":"view","at":1772356527}`, `no_map`},
		{"null is no user", `{"kind":"view","user":null,"at":1772356527}`, `no_map`},
		{"not this user", `{"kind":"view","user":{"id":"robot"},"at":1772356527}`, `no_map`},
		{"nor this, a number", `{"kind":"view","user":{"id":0},"at":1772356527}`, `no_map`},
		{"time: the second source", `{"kind":"view","user":{"id":7},"at":null,"at_us":1772356527000999}`, base},
		{"time: the first of a list", `{"kind":"view","user":{"id":7},"times":[null,"2026-03-01T09:15:27Z",5]}`, base},
		{"time: the first that can be read", `{"kind":"view","user":{"id":7},"at":"now","at_us":1772356527000999}`, base},
		{"time: none can be read", `{"kind":"view","user":{"id":7},"at":"now","at_us":"then"}`, `time_unreadable at at`},
		{"time: none", `{"kind":"view","user":{"id":7}}`, `time_missing at at`},
		{"id: a join", `{` + view + `,"shard":"s","seq":9}`, strings.Replace(base, `,"action"`, `,"id":"s-9","action"`, 1)},
		{"id: half a join is none", `{` + view + `,"shard":"s"}`, base},
		{"action: by a prefix", `{` + view + `,"verb":"looking"}`, base},
		{"action: the word before the prefix", `{` + view + `,"verb":"look all"}`, strings.Replace(base, "read", "list", 1)},
		{"action: ignored", `{` + view + `,"verb":"blink"}`, `ignored`},
		{"action: not listed, the next source", `{` + view + `,"verb":"x","bulk":true}`, strings.Replace(base, "read", "export", 1)},
		{"action: not listed at all", `{` + view + `,"verb":"x"}`, base + ` action_unknown`},
		{"actor: the first source", `{"kind":"view","user":{"id":7,"email":"a@b"},"at":1772356527}`, strings.Replace(base, `"7"`, `"a@b"`, 1)},
		{"a key twice", `{` + view + `,"user":{"id":8}}`, base + ` duplicate_key`},
		{"endpoint: translated", `{` + view + `,"screen":"c"}`, with(`,"endpoint":"customer"`)},
		{"endpoint: not listed is none", `{` + view + `,"screen":"d"}`, base},
		{"records: alone", `{` + view + `,"customer":5,"customers":[{"id":6}]}`, with(`,"records":["5"]`)},
		{"records: in a list of objects", `{` + view + `,"customers":[{"id":6},{},{"id":[7,"8"]},9]}`, with(`,"records":["6","7","8"]`)},
		{"records: joined", `{` + view + `,"shard":1,"row":2}`, with(`,"records":["r:1:2"]`)},
		{"records: junk in a list", `{` + view + `,"customers":[{"id":6},{"id":{}}]}`, with(`,"records":["6"]`) + ` record_dropped`},
		{"a quoted key", `{` + view + `,"session.id":"t"}`, strings.Replace(base, `,"client"`, `,"session":"t","client"`, 1)},
		{"an envelope", `{"batch":{"n":1,"items":[{` + view + `},{"kind":"ping"} , 5]}}`, base + "\nignored in 1\nnot_an_object in 2"},
		{"an envelope of nothing", `{"batch":{"items":[ ]}}`, ``},
		{"an envelope that is none", `{"batch":{"items":{}}}`, `wrong_type at batch.items`},
		{"an envelope of two lists", `{"batch":{"items":[],"items":[{` + view + `}]}}`, `wrong_type at batch.items`},
		{"an envelope broken at its end", `{"batch":{"items":[{` + view + `},]}}`, `not_json`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(decode(f.NewDecoder(), c.value), "\n"); got != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", c.value, got, c.want)
			}
		})
	}
}

// TestTopLevelList: explode: "[]" takes a list without an envelope around it.
func TestTopLevelList(t *testing.T) {
	f, err := Parse("x.yaml", []byte("name: x\nexplode: '[]'\nmaps: [{fields: {time: t, actor: a}}]"))
	if err != nil {
		t.Fatal(err)
	}
	const event = `{"time":"2026-03-01T09:15:27.000Z","action":"read"}`
	for value, want := range map[string]string{
		`[{"t":1772356527000},{"t":1772356527000}]`: event + "\n" + event,
		`{"t":1772356527000}`:                       event,
		`5`:                                         `wrong_type`,
	} {
		if got := strings.Join(decode(f.NewDecoder(), value), "\n"); got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
}

// TestFormatFaults: each fault names its line, what is wrong, and what would be
// right; all are told at once.
func TestFormatFaults(t *testing.T) {
	const head, maps = "name: x\n", "maps: [{fields: {time: t}}]\n"
	for _, c := range []struct{ src, want string }{
		{"", "the file is empty"},
		{"a: [", "yaml: line 1"},
		{"[]", `x.yaml:1: a format is a mapping of keys to values, not a list`},
		{maps, `x.yaml:1: a format needs a name`},
		{head, `x.yaml:1: a format needs maps`},
		{"name: Big Name\n" + maps, `x.yaml:1: name is a lower-case letter and up to 31 more letters, digits or _, not "Big Name"`},
		{head + "explod: a\n" + maps, `x.yaml:2: a format has no key "explod" (did you mean explode?); its keys are name, about, base, fold_keys, input, header, charset, key_register, zone, until, absent, fold, trim, under, explode, parse, fields, maps`},
		{head + head + maps, `x.yaml:2: the key name stands twice in a format`},
		{head + "explode: Records\n" + maps, `x.yaml:2: explode is the path of a list and has [] in it, such as Records[]; "Records" has not`},
		{head + "explode: a[k=v].b[]\n" + maps, `x.yaml:2: the path "a[k=v].b[]" of a list takes all of it, so it has no condition`},
		{head + "maps: {}", `x.yaml:2: maps is a list of maps, not a mapping`},
		{head + "maps:\n  - name: m\n", `x.yaml:3: the map m needs the field time`},
		{head + "maps:\n  - ignore: true\n    fields: {time: t}", `x.yaml:3: the map maps[0] has both ignore and fields`},
		{head + "maps:\n  - fields:\n      tiem: t", `x.yaml:4: fields has no key "tiem" (did you mean time?)`},
		{head + "maps: [{fields: {time: []}}]", `x.yaml:2: time needs at least one path`},
		{head + "maps: [{fields: {time: }}]", `x.yaml:2: a path is a text, not nothing`},
		{head + "maps: [{fields: {time: a..b}}]", `x.yaml:2: the path "a..b" has an empty key`},
		{head + "maps: [{fields: {time: {path: t, unit: min}}}]", `x.yaml:2: unit is s, ms, us or ns, not "min"`},
		{head + "maps: [{fields: {time: t, rows: {path: n, unit: s}}}]", `x.yaml:2: unit goes with time, not with rows`},
		{head + "maps: [{fields: {time: {const: now}}}]", `x.yaml:2: time is never a constant`},
		{head + "maps: [{fields: {time: t, actor: {path: a, const: b}}}]", `x.yaml:2: a source of actor has one of path, const and join`},
		{head + "maps: [{fields: {time: t, actor: {separator: a, path: b}}}]", `x.yaml:2: separator goes with join`},
		{head + "maps: [{fields: {time: t, actor: {join: [a]}}}]", `x.yaml:2: join is a list of at least two paths, not a list`},
		{head + "maps: [{fields: {time: t, actor: {join: [a, {const: }]}}}]", `x.yaml:2: const is a text, not nothing`},
		{head + "maps: [{fields: {time: t, actor: {const: a, values: {a: b}}}}]", `x.yaml:2: values go with path or join, not with const`},
		{head + "maps: [{fields: {time: t, rows: {path: a, values: {a: b}}}}]", `x.yaml:2: rows takes no values`},
		{head + "maps: [{fields: {time: t, records: {path: a, values: {a: b}}}}]", `x.yaml:2: records takes no values`},
		{head + "maps: [{fields: {time: t, rows: {const: many}}}]", `x.yaml:2: rows is an integer, not "many"`},
		{head + "maps: [{fields: {time: t, action: {const: raed}}}]", `x.yaml:2: no action is called "raed" (did you mean read?)`},
		{head + "maps: [{fields: {time: t, action: {path: a, values: {x: raed}}}}]", `x.yaml:2: no action is called "raed" (did you mean read?); there are read, list,`},
		{head + "maps: [{fields: {time: t, action: {path: a, values: {'1': read, 1: list}}}}]", `x.yaml:2: the key 1 stands twice in values`},
		{head + "maps: [{when: [{path: a}], fields: {time: t}}]", `x.yaml:2: a condition has a path and one of equals, not and exists`},
		{head + "maps: [{when: [{path: a, equals: 1, not: 2}], fields: {time: t}}]", `x.yaml:2: a condition has a path and one of equals, not and exists`},
		{head + "maps: [{when: [{path: a, equal: 1}], fields: {time: t}}]", `x.yaml:2: a condition has no key "equal" (did you mean equals?)`},
		{head + "maps: [{fields: &f {time: t}}, {fields: *f}]", `x.yaml:2: anchors and aliases are not part of a field map`},
	} {
		_, err := Parse("x.yaml", []byte(c.src))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant …%s…", c.src, err, c.want)
		}
	}
	_, err := Parse("x.yaml", []byte("nam: x\nexplode: y\nmaps: [{when: 5}]"))
	if got := strings.Count(err.Error(), "x.yaml:"); got != 3+1 {
		t.Errorf("%d lines, want the head and three faults:\n%v", got, err)
	}
}

// FuzzParseFormat: no YAML brings the compiler down, nor, once compiled, the
// decoder.
func FuzzParse(f *testing.F) {
	f.Add([]byte(crm), []byte(sampleNative))
	for _, name := range presetNames {
		src, err := presets.ReadFile("presets/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, []byte(`{"Records":[{"eventTime":"2026-03-01T09:15:27Z"}]}`))
	}
	f.Add([]byte("name: x\nexplode: '[]'\nmaps: [{fields: {time: 't[][]', records: [a, 'a[]', 'a[].b']}}]"), []byte(`[{"t":[[1772356527000]],"a":[1,{"b":2}]}]`))
	f.Add([]byte("name: x\nbase: native\nunder: 'a[].b'\ncharset: latin1\nabsent: ['-', 'x*']\nfold: [actor]\ntrim: [actor]\nkey_register: false"), []byte(`{"a":[{"b":"{\"time\":1772356527000}"}]}`))
	f.Add([]byte("name: x\ninput: {text: '{a} [{t}] \"{b}\"'}\nparse: {b: query, a: [base64, gzip, json]}\nzone: UTC\nmaps: [{fields: {time: {path: t, format: [apache, '%Y%j']}, actor: b.c, records: {path: a, match: ['/**/{id:digits}', '?x={id}'], split: ';'}}}]"), []byte(`x [02/Mar/2026:10:15:27 +0100] "?c=d"`))
	f.Add([]byte("name: x\nexplode: ['a[].b[]', c]\nfields: {time: $.t}\nmaps: [{fields: {actor: 'k[n=v].w', ip: {path: i, trusted: [10.0.0.0/8]}, records: {path: 'r[].i', where: {n: [v, 'w*']}}}}]"), []byte(`{"t":1772356527000,"a":[{"b":[{"k":[{"n":"v","w":1}],"i":"1.2.3.4, 10.0.0.1","r":[{"n":"w2","i":5}]}]}]}`))
	f.Add([]byte("name: x\ninput: {csv: [t, 'a?'], separator: ;}\nmaps: [{fields: {time: t, actor: a}}]"), []byte("2026-03-01T09:15:27Z;\"x\""))
	f.Fuzz(func(t *testing.T, src, value []byte) {
		format, err := Parse("x.yaml", src)
		if err != nil {
			return
		}
		format.NewDecoder().Decode(value, func(ev *event.Event, rej *event.Reject) {
			if (ev == nil) == (rej == nil) {
				t.Fatal("both or neither")
			}
			if ev != nil {
				checkEvent(t, ev)
			}
		})
	})
}
