package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// What Anthropic takes of ids and names. Names may be longer today; this length is
// taken everywhere that speaks its protocol.
var (
	legalID   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	legalName = legalID
)

// names gives tools the names under which the provider sees them.
type names struct {
	wire map[string]string // ours to theirs
	ours map[string]string // theirs to ours
}

func newNames(specs []loop.Spec) *names {
	n := &names{wire: map[string]string{}, ours: map[string]string{}}
	for _, s := range specs {
		if legalName.MatchString(s.Name) { // these keep theirs, whoever comes first
			n.wire[s.Name], n.ours[s.Name] = s.Name, s.Name
		}
	}
	for _, s := range specs {
		if _, has := n.wire[s.Name]; !has {
			w := n.free(wireName(s.Name))
			n.wire[s.Name], n.ours[w] = w, s.Name
		}
	}
	return n
}

func (n *names) free(name string) string {
	for i, base := 2, name; ; i++ {
		if _, taken := n.ours[name]; !taken {
			return name
		}
		name = base[:min(len(base), 60)] + "_" + strconv.Itoa(i)
	}
}

// of is the name of a call: of a declared tool, or one that a model made up.
func (n *names) of(name string) string {
	if w, ok := n.wire[name]; ok {
		return w
	}
	return wireName(name)
}

// wireName makes a legal name of any.
func wireName(name string) string {
	if legalName.MatchString(name) {
		return name
	}
	legal := strings.Map(func(r rune) rune {
		if r < 0x80 && legalName.MatchString(string(r)) {
			return r
		}
		return '_'
	}, name)
	if legal = strings.Trim(legal[:min(len(legal), 64)], "_"); legal == "" {
		return "unnamed"
	}
	return legal
}

// ids gives calls the ids under which the provider sees them: their own where it
// takes them and has not seen them yet. They depend on nothing that comes later.
type ids map[string]bool

func (s ids) give(id string) string {
	if !legalID.MatchString(id) {
		sum := sha256.Sum256([]byte(id))
		id = "call_" + hex.EncodeToString(sum[:12])
	}
	for n, base := 2, id; s[id]; n++ {
		id = base[:min(len(base), 56)] + "_" + strconv.Itoa(n)
	}
	s[id] = true
	return id
}

// input is a call's input as Anthropic takes it back: it refuses a conversation for
// good when a model once wrote what is no JSON object.
func input(args json.RawMessage) json.RawMessage {
	if c, ok := canonical(args); ok && loop.IsObject(c) {
		return c
	}
	if len(strings.TrimSpace(string(args))) == 0 {
		return json.RawMessage("{}")
	}
	c, _ := canonical(encode(map[string]string{"invalid": string(args)})) // as the journal has it
	return c
}

var noParameters = json.RawMessage(`{"type":"object","properties":{}}`)

// schema is a tool's schema as Anthropic takes it: of type object, and without
// alternatives at its top.
func schema(params json.RawMessage) json.RawMessage {
	var s map[string]json.RawMessage
	if json.Unmarshal(params, &s) != nil || s == nil {
		return noParameters
	}
	legal := string(s["type"]) == `"object"`
	for _, k := range []string{"oneOf", "anyOf", "allOf"} {
		if _, has := s[k]; has {
			delete(s, k)
			legal = false
		}
	}
	if legal {
		c, _ := canonical(params)
		return c
	}
	s["type"] = json.RawMessage(`"object"`)
	c, _ := canonical(encode(s))
	return c
}

// declared are the tools of a request, in the order in which they are given.
func (n *names) declared(specs []loop.Spec) []json.RawMessage {
	var out []json.RawMessage
	seen := map[string]bool{}
	for _, s := range specs {
		if w := n.wire[s.Name]; !seen[w] {
			seen[w] = true
			out = append(out, encode(tool{w, s.Description, schema(s.Parameters)}))
		}
	}
	return out
}
