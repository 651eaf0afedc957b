package console

import (
	"encoding"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/tuning"
	"github.com/weirhq/weir/stream/correlate"
)

// openAPI answers with the description of the API.
func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request, _ *call) {
	writeJSON(w, http.StatusOK, OpenAPI())
}

type object = map[string]any

// OpenAPI returns the description of the API (OpenAPI 3.1), made from the same
// table and types as its answers.
func OpenAPI() map[string]any {
	b := schemas{components: object{}}
	paths := object{}
	for i := range pages {
		p := &pages[i]
		paths[p.api] = object{"get": object{
			"operationId": p.name, "summary": p.doc, "parameters": parameters(p.params),
			"responses": b.responses("200", "The page as JSON.", p.answer, "400", "404"),
		}}
	}
	paths["/api/v1/episodes/{key}/verdicts"] = object{"post": object{
		"operationId": "judge", "summary": "Give a verdict. It takes effect with the next tick of event time and goes into the ledger with its author.",
		"parameters":  parameters([]param{keyParam}),
		"requestBody": object{"required": true, "content": object{"application/json": object{"schema": b.of(reflect.TypeFor[VerdictRequest]())}}},
		"responses":   b.responses("201", "The verdict that was written.", correlate.Verdict{}, "400", "404", "409", "413", "415", "503"),
	}}
	extract := b.responses("200", "The list, one customer a line. A connection that breaks off says that it is not whole; the trailer Weir-Doubt, that it contradicts the alert's estimate.", "", "400", "404", "409", "413", "415", "503")
	extract["200"].(object)["content"] = object{"text/plain": object{"schema": object{"type": "string"}}}
	paths["/api/v1/episodes/{key}/extract"] = object{"post": object{
		"operationId": "extract", "summary": "List the customers that an episode has touched. Who asked and why goes into the ledger; the list is stored nowhere. It takes the role admin.",
		"parameters":  parameters([]param{keyParam}),
		"requestBody": object{"required": true, "content": object{"application/json": object{"schema": b.of(reflect.TypeFor[ExtractRequest]())}}},
		"responses":   extract,
	}}
	paths["/api/v1/episodes/{key}/questions"] = object{"post": object{
		"operationId": "ask", "summary": "Ask a person, by a direct message in Slack, whether what the account did was meant. It takes the role analyst.",
		"parameters":  parameters([]param{keyParam}),
		"requestBody": object{"required": true, "content": object{"application/json": object{"schema": object{"type": "object", "additionalProperties": false}}}},
		"responses":   b.responses("201", "The question as it was written.", correlate.Verdict{}, "400", "404", "409", "413", "415", "502", "503"),
	}}
	b.tuning(paths)
	return object{
		"openapi": "3.1.0",
		"info":    object{"title": "weir", "version": "1", "description": "What weir has found, and what people say of it. Times are event times, RFC 3339 in UTC. An answer carries an ETag; ask again with If-None-Match."},
		"paths":   paths,
		// Nobody need sign in on loopback where no access is configured.
		"security": []any{object{"basic": []any{}}, object{"token": []any{}}, object{}},
		"components": object{
			"schemas":         b.components,
			"securitySchemes": object{"basic": object{"type": "http", "scheme": "basic"}, "token": object{"type": "http", "scheme": "bearer"}},
		},
	}
}

// tuning describes how runs of tuning begin and end.
func (b *schemas) tuning(paths object) {
	path := paths["/api/v1/tuning"].(object)
	request := b.of(reflect.TypeFor[tuning.Request]())
	tuning.Describe(b.components["Request"].(object)["properties"].(object))
	path["post"] = object{
		"operationId": "tune", "summary": "Read the log again under other budgets. One run at a time; its progress and figures are those of GET. It takes the role analyst.",
		"requestBody": object{"required": true, "content": object{"application/json": object{"schema": request}}},
		"responses":   b.responses("202", "The run that began.", TuningView{}, "400", "409", "413", "415"),
	}
	path["delete"] = object{
		"operationId": "cancelTuning", "summary": "Cancel the run that is under way, if there is one. It takes the role analyst.",
		"responses": b.responses("200", "The run as far as it came.", TuningView{}),
	}
}

func parameters(list []param) []any {
	out := []any{}
	for _, p := range list {
		schema := object{"type": "string"}
		if p.integer != nil {
			schema = object{"type": "integer", "minimum": p.integer[0], "maximum": p.integer[1]}
		} else if p.required {
			schema["minLength"] = 1
		}
		if p.pattern != "" {
			schema["pattern"] = p.pattern
		}
		if p.values != nil {
			schema["enum"] = p.values
		}
		out = append(out, object{"name": p.name, "in": p.in, "description": p.doc, "required": p.required, "schema": schema})
	}
	return out
}

// schemas gathers the schemas of types.
type schemas struct{ components object }

// responses describes the answers of a path.
func (b *schemas) responses(code, doc string, answer any, faults ...string) object {
	content := func(t reflect.Type) object { return object{"application/json": object{"schema": b.of(t)}} }
	out := object{code: object{"description": doc, "content": content(reflect.TypeOf(answer))}}
	for _, f := range append(faults, "401", "403", "429") {
		out[f] = object{"description": "Why not.", "content": content(reflect.TypeFor[Error]())}
	}
	return out
}

// of returns the schema of a type; structs become components.
func (b *schemas) of(t reflect.Type) object {
	switch {
	case t.Kind() == reflect.Pointer:
		return b.of(t.Elem())
	case t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[alerting.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		return object{"type": "array", "items": b.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": b.of(t.Elem())}
	case reflect.Struct:
		name := t.Name()
		if _, known := b.components[name]; !known {
			b.components[name] = nil // a type that holds itself ends here
			b.components[name] = b.structure(t)
		}
		return object{"$ref": "#/components/schemas/" + name}
	}
	return object{"type": "integer"}
}

// structure returns the schema of a struct, as encoding/json writes it.
func (b *schemas) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	b.fields(t, properties, &required)
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func (b *schemas) fields(t reflect.Type, properties object, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			if f.Type.Kind() == reflect.Pointer { // where it is nil, its fields are not there
				b.fields(f.Type.Elem(), properties, new([]string))
				continue
			}
			b.fields(f.Type, properties, required)
		case !f.IsExported() || name == "-" || name == "":
		default:
			properties[name] = b.of(f.Type)
			if !strings.Contains(options, "omit") {
				*required = append(*required, name)
			}
		}
	}
}
