package fakeprovider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Script is what the provider shall do with a message. It travels inside the
// message's text, so that a test needs no other way to the server.
type Script struct {
	ID     string  `json:"id"`
	Rounds []Round `json:"rounds"` // one for each request of the turn
	Pad    string  `json:"pad,omitempty"`
}

// Round is one answer of the provider.
type Round struct {
	Chunks int      `json:"chunks,omitempty"` // how many pieces of made-up text
	Text   []string `json:"text,omitempty"`   // or exactly these
	Delay  int      `json:"delay,omitempty"`  // milliseconds before each piece
	Vary   bool     `json:"vary,omitempty"`   // another attempt says other words

	Gate   string `json:"gate,omitempty"`   // wait until this gate is opened
	GateAt int    `json:"gateAt,omitempty"` // before the piece of this index

	Calls []Call `json:"calls,omitempty"`

	Status     int `json:"status,omitempty"`     // answer with this status instead
	RetryAfter int `json:"retryAfter,omitempty"` // and this Retry-After
	Times      int `json:"times,omitempty"`      // only so many times; 0 is always

	Echo bool `json:"echo,omitempty"` // failures repeat the request's headers, as some providers do

	End string `json:"end,omitempty"` // how the stream ends: "" is well
}

// Call is a tool call.
type Call struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Args string `json:"args"`
}

// How a stream can end.
const (
	EndHang  = "hang"  // never, until the asker goes away
	EndCut   = "cut"   // the connection breaks
	EndError = "error" // an error stands in the stream
	EndShort = "short" // an orderly end without a finish reason
)

const mark = "@script "

// Say makes a script of rounds.
func Say(id string, rounds ...Round) Script { return Script{ID: id, Rounds: rounds} }

// Message is the text to send as the user's message.
func (s Script) Message() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return mark + string(b)
}

// Pieces are the pieces of text of a round, in its first attempt.
func (s Script) Pieces(round int) []string { return s.pieces(round, 1) }

// Answer is the whole text of a round, in its first attempt.
func (s Script) Answer(round int) string { return strings.Join(s.Pieces(round), "") }

func (s Script) pieces(round, attempt int) []string {
	r := s.Rounds[round]
	if len(r.Text) > 0 {
		return r.Text
	}
	out := make([]string, r.Chunks)
	for i := range out {
		// One to four bytes a character, so that a careless cut shows.
		out[i] = fmt.Sprintf("%s.%d 第%d块🐻é ", s.ID, round, i)
		if r.Vary {
			out[i] += fmt.Sprintf("(attempt %d) ", attempt)
		}
	}
	return out
}

// asked is how a message without a script asks for a tool, and toWrite how it asks
// for one that the user is asked about.
var (
	asked   = regexp.MustCompile(`Call the tool ([a-z_]+)`)
	toWrite = regexp.MustCompile(`^Write "([^"]*)" to ([A-Za-z0-9._/-]+)$`)
)

// own is what the user wrote last: a message without the contexts that the agent
// puts before the user's words, and without an earlier message that it has joined
// to it because nobody had answered that one.
func own(message string) string {
	if at := strings.LastIndex(message, "\n[End of context "); at >= 0 && strings.Contains(message[:at], "[Context ") {
		_, message, _ = strings.Cut(message[at:], "]")
		message = strings.TrimSpace(message)
	}
	if at := strings.LastIndex(message, "\n\n"); at >= 0 && strings.Contains(message[:at], mark) {
		message = strings.TrimSpace(message[at:])
	}
	return message
}

// read finds the script in a message; a message without one is answered with
// its own words, after the tool that it asks for.
func read(message string) Script {
	var s Script
	message = own(message)
	if body, ok := strings.CutPrefix(strings.TrimSpace(message), mark); ok && json.Unmarshal([]byte(body), &s) == nil {
		return s
	}
	if m := asked.FindStringSubmatch(message); m != nil {
		return Script{Rounds: []Round{{Calls: []Call{{ID: "asked", Name: m[1], Args: "{}"}}}, {Text: []string{"done"}}}}
	}
	if m := toWrite.FindStringSubmatch(strings.TrimSpace(message)); m != nil {
		args, err := json.Marshal(map[string]string{"content": m[1], "path": m[2]})
		if err != nil {
			panic(err) // strings only
		}
		return Script{Rounds: []Round{{Calls: []Call{{ID: "asked", Name: "write_file", Args: string(args)}}}, {Text: []string{"done"}}}}
	}
	if len(message) > 200 {
		message = "(long)"
	}
	return Script{Rounds: []Round{{Text: []string{"收到", "：", message}}}}
}
