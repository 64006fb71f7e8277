package langchain

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// given is what the arguments of a call say.
type given struct {
	objects [][]byte // one for each call; no JSON object where it could not be read
	doubt   bool     // they have more than one reading
}

// readArguments reads the arguments of a call from the pieces in which they came.
func readArguments(parts []string) given {
	all := clean(strings.Join(parts, ""))
	if isObject(all) {
		return given{objects: [][]byte{[]byte(all)}}
	}
	if len(parts) > 1 {
		if again := clean(unrepeated(parts)); isObject(again) {
			return given{objects: [][]byte{[]byte(again)}}
		}
	}
	if objects, doubt, ok := splitObjects(all); ok {
		return given{objects: objects, doubt: doubt}
	}
	if mended, ok := mend(all); ok {
		return given{objects: [][]byte{mended}}
	}
	return given{objects: [][]byte{[]byte(all)}} // the model is told
}

// clean makes whole characters of what came.
func clean(s string) string {
	return strings.ToValidUTF8(string(joinSurrogates([]byte(strings.TrimSpace(s)))), "\uFFFD")
}

// unrepeated joins pieces of which some repeat all that was before them.
func unrepeated(parts []string) string {
	var sofar strings.Builder
	for _, p := range parts {
		switch {
		case sofar.Len() > 0 && len(p) >= sofar.Len() && strings.HasPrefix(p, sofar.String()):
			sofar.Reset()
			sofar.WriteString(p)
		case len(p) >= sofar.Len()/2 && sameJSON(sofar.String(), p):
		default:
			sofar.WriteString(p)
		}
	}
	return sofar.String()
}

// splitObjects reads several objects that stand one behind the other. Empty ones
// are placeholders beside one that is not, and the same one again is a repetition.
func splitObjects(s string) (out [][]byte, doubt, ok bool) {
	var seen []map[string]any
	all := []byte(strings.TrimSpace(s))
	for s = string(all); s != ""; s = strings.TrimLeft(s, " \t\r\n,;") {
		if rest, ok := strings.CutPrefix(s, "null"); ok {
			s = rest
			continue
		}
		var v scan
		n, complete := v.feed(all[len(all)-len(s):])
		if !complete || s[0] != '{' || !json.Valid([]byte(s[:n])) || len(out) > maxCalls {
			return nil, false, false
		}
		value, _ := decode(s[:n])
		one, _ := value.(map[string]any)
		s, out, seen = s[n:], append(out, []byte(s[:n])), append(seen, one)
		if len(one) == 0 || slices.ContainsFunc(seen[:len(seen)-1], func(o map[string]any) bool { return reflect.DeepEqual(o, one) }) {
			out, seen = out[:len(out)-1], seen[:len(seen)-1]
		}
	}
	if len(out) == 0 {
		return [][]byte{[]byte("{}")}, false, true
	}
	return out, grows(seen), true
}

// grows reports whether one object has all that another has, and more: then they
// may be two calls as well as one that was said again when more of it was known.
func grows(all []map[string]any) bool {
	for i := range all {
		for k := range all {
			if i != k && within(all[i], all[k]) {
				return true
			}
		}
	}
	return false
}

func within(a, b map[string]any) bool {
	for k, v := range a {
		if w, ok := b[k]; !ok || !reflect.DeepEqual(v, w) {
			return false
		}
	}
	return true
}

// sameJSON reports whether two texts are JSON and say the same.
func sameJSON(a, b string) bool {
	if a = strings.TrimSpace(a); a == "" || a[0] != '{' && a[0] != '[' {
		return false
	}
	if a == strings.TrimSpace(b) {
		return json.Valid([]byte(a))
	}
	x, ok := decode(a)
	y, ok2 := decode(b)
	return ok && ok2 && reflect.DeepEqual(x, y)
}

func decode(s string) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	ok = d.Decode(&v) == nil && strings.TrimSpace(s[d.InputOffset():]) == ""
	return v, ok
}

// empty reports whether arguments say that there are none.
func empty(s string) bool {
	s = strings.Join(strings.Fields(s), "")
	return s == "" || s == "{}" || s == "null"
}

func isObject(s string) bool { return s != "" && s[0] == '{' && json.Valid([]byte(s)) }

// quoted is a text as a JSON string.
func quoted(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(strings.ToValidUTF8(s, "\uFFFD")) // a string can always be written
	return bytes.TrimSpace(b.Bytes())
}
