package fieldmap

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
	"pgregory.net/rapid"
)

// nesting returns how deep a JSON text nests, by brackets outside of texts.
func nesting(s string) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}

// FuzzScanner: the scanner takes exactly what encoding/json takes, but for the
// limit of depth, and finds in it what encoding/json finds.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, `{"a":{"b":"x"}}`, `{"a":[1,-0.5e+3,true,false,null]}`, `"\u00e9\ud83d\ude00\ud83d"`, ` 1 `,
		`{"a":`, `[1,]`, `{"a" "b"}`, `01`, `-`, `1.`, `1e`, `nul`, `NaN`, "\"\n\"", `"\x"`, `"\u12g4"`, `{"a":1,"a":2}`, `[[[[]]]]`,
		`{"\u0061":{"b":"12345678\"12345678"}}`,
	} {
		f.Add(s)
	}
	p := jsonscan.NewPattern()
	slot, err := p.Slot([]jsonscan.Step{{Key: "a"}, {Key: "b"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if !utf8.ValidString(src) {
			t.Skip("the decoder refuses it before")
		}
		var s jsonscan.Scanner
		s.Reset([]byte(src), p)
		ok := s.Document(p)
		if want := json.Valid([]byte(src)); ok != want && !(want && s.Reason == event.TooDeep && nesting(src) > event.MaxDepth) {
			t.Fatalf("taken: %t, encoding/json: %t, reason %s", ok, want, s.Reason)
		}
		if !ok || s.Dup {
			return
		}
		if v := s.Slots[slot]; v.Kind == jsonscan.Text {
			var want string
			if err := json.Unmarshal([]byte(src[v.Lo-1:v.Hi+1]), &want); err != nil {
				t.Fatal(err)
			}
			if got := string(jsonscan.AppendUnescaped(nil, s.B[v.Lo:v.Hi])); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	})
}

// TestScannerTexts: a text ends where it ends, wherever in a word of eight bytes
// its quotes and escapes fall.
func TestScannerTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.StringOf(rapid.SampledFrom([]rune("ab\"\\\n\x01\x1f é😀\u00ff"))).Draw(t, "text")
		src := appendQuoted([]byte(rapid.SampledFrom([]string{"", " ", "      "}).Draw(t, "before")), want)
		p := jsonscan.NewPattern()
		p.Root.Slot, p.Slots = 0, 1
		var s jsonscan.Scanner
		s.Reset(src, p)
		if !s.Document(p) {
			t.Fatalf("%q is refused: %s", src, s.Reason)
		}
		if got := string(jsonscan.AppendUnescaped(nil, src[s.Slots[0].Lo:s.Slots[0].Hi])); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// TestScannerKeys: a member is found by its key, however that is written, whatever keys
// stand beside it, and wherever the document ends.
func TestScannerKeys(t *testing.T) {
	text := rapid.OneOf(
		rapid.StringOfN(rapid.SampledFrom([]rune("aAb\"\\\x00éÉ")), 0, 3, -1),
		rapid.SampledFrom([]string{"activity", "activity_id", "Activity_Id", "ACTIVITY", "activity_name", "activity\"", "activit", "activity_id\"", "activity_ié"}))
	rapid.Check(t, func(t *rapid.T) {
		fold := rapid.Bool().Draw(t, "fold")
		name := func(key string) string {
			if fold {
				return strings.ToLower(key)
			}
			return key
		}
		asked := rapid.SliceOfNDistinct(text, 1, 8, name).Draw(t, "asked")
		members := rapid.SliceOfNDistinct(text, 0, 8, name).Draw(t, "members")
		p := jsonscan.NewPattern()
		p.Fold = fold
		for _, key := range asked {
			if _, err := p.Slot([]jsonscan.Step{{Key: key}}); err != nil {
				t.Fatal(err)
			}
		}
		src := []byte("{")
		for i, key := range members {
			if i > 0 {
				src = append(src, ',')
			}
			if rapid.Bool().Draw(t, "escaped") {
				src = append(src, '"')
				for _, unit := range utf16.Encode([]rune(key)) {
					src = fmt.Appendf(src, `\u%04x`, unit)
				}
				src = append(src, '"')
			} else {
				src = appendQuoted(src, key)
			}
			src = fmt.Appendf(src, ":%d", i)
		}
		src = append(src, '}')
		var s jsonscan.Scanner
		if s.Reset(src, p); !s.Document(p) || s.Dup {
			t.Fatalf("%s: %s, a key twice: %t", src, s.Reason, s.Dup)
		}
		for slot, key := range asked {
			want := ""
			if i := slices.IndexFunc(members, func(m string) bool { return name(m) == name(key) }); i >= 0 {
				want = strconv.Itoa(i)
			}
			if v := s.Slots[slot]; string(src[v.Lo:v.Hi]) != want {
				t.Fatalf("%s: %q is %q, want %q", src, key, src[v.Lo:v.Hi], want)
			}
		}
	})
}

// TestScannerKeyOfQuotes: a key that is no JSON as it stands is not taken for one.
func TestScannerKeyOfQuotes(t *testing.T) {
	for _, key := range []string{`a"b`, `activity"s`, "\x00"} {
		p := jsonscan.NewPattern()
		if _, err := p.Slot([]jsonscan.Step{{Key: key}}); err != nil {
			t.Fatal(err)
		}
		var s jsonscan.Scanner
		src := []byte(`{"` + key + `":1 }`)
		if s.Reset(src, p); s.Document(p) {
			t.Errorf("%q is taken", src)
		}
	}
}

func TestScannerTellsWhere(t *testing.T) {
	for value, want := range map[string]int{
		`{"time":nil}`: 8, `{"a":1 "b":2}`: 7, `{"a":"` + "\x01" + `"}`: 6, `{"a":1}}`: 7, "{\"a\":\"\xff\"}": 6,
		strings.Repeat("[", 40): 32,
	} {
		load(t, "native").NewDecoder().Decode([]byte(value), func(_ *event.Event, rej *event.Reject) {
			if rej == nil || rej.Offset != want {
				t.Errorf("%q: got %+v, want offset %d", value, rej, want)
			}
		})
	}
}

func TestPath(t *testing.T) {
	for path, want := range map[string]string{
		"a":                               "ka",
		"a.b.c":                           "ka kb kc",
		"resources[].uid":                 "kresources [] kuid",
		"[]":                              "[]",
		"[].a":                            "[] ka",
		"a[][]":                           "ka [] []",
		`labels."app.kubernetes.io/name"`: "klabels kapp.kubernetes.io/name",
		`"[]"`:                            "k[]",
		`""`:                              "k",
		"":                                `the path "" has an empty key; write "" for a key that is empty`,
		"a..b":                            `the path "a..b" has an empty key; write "" for a key that is empty`,
		"a.":                              `the path "a." has an empty key; write "" for a key that is empty`,
		"a[0]":                            `the path "a[0]" has "[0]" in it; it is [] or [name=value]`,
		"a[k=v].b":                        "ka [k=v] kb",
		`a[k.l="v w"]`:                    "ka [k.l=v w]",
		"a[b":                             `the path "a[b" has a bracket that is never closed`,
		"a[=b]":                           `the path "a[=b]" the path "" has an empty key; write "" for a key that is empty`,
		"a[]b":                            `the path "a[]b" needs a dot before "b"`,
		`"a`:                              `the path "\"a" has a quote that is never closed`,
		strings.Repeat("a.", 40) + "a":    `the path "` + strings.Repeat("a.", 40) + `a" is deeper than 32, the limit of nesting`,
	} {
		steps, err := jsonscan.ParsePath(path)
		var words []string
		for _, s := range steps {
			switch {
			case s.Where != nil:
				words = append(words, "["+s.Where[0].Path+"="+s.Where[0].Text+"]")
			case s.Each:
				words = append(words, "[]")
			default:
				words = append(words, "k"+s.Key)
			}
		}
		got := strings.Join(words, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
	}
}

// appendQuoted appends s as a JSON text.
func appendQuoted(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // a text has a JSON form
	}
	return append(dst, quoted...)
}
