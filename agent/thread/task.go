package thread

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/openai"
)

const (
	// tinyLimit is a limit on tokens under which nobody has a turn of a chat; an
	// emoji needs four.
	tinyLimit = 8
	// smallLimit is one under which a text about a transcript is a label of it.
	smallLimit = 64
	// maxAsk is how long a request for a label at the end of a conversation is.
	maxAsk = 600
	// maxLabel is how long the name of a field in front of a framed text is.
	maxLabel = 16
)

var (
	// label is what chat clients want of a conversation besides an answer: something
	// to call it by, to sort it by, to search with, or to offer next.
	label = regexp.MustCompile(`(?i)\b(?:titles?|titel|título|titulo|titre|titolo|tytuł|başlık|judul|headings?|captions?|tags?|hashtags?|etiquetas?|etichette|schlagw[oö]rt\w*|topics?|subjects?|thema|themen|headlines?` +
		`|follow[-_ ]?ups?|folgefragen?|anschlussfragen?|emojis?|search quer(?:y|ies)|suchanfragen?|standalone (?:question|query)|keywords?|autocomplet\w*|suggest\w* (?:\w+ ){0,4}(?:repl(?:y|ies)|questions?|prompts?))\b` +
		`|\bname\b.{0,40}\b(?:chat|conversation)\b|\b(?:chat|conversation)\b.{0,40}\bname\b` +
		`|étiquette|überschrift|标题|標題|主题|主題|题目|題目|话题|話題|标签|標籤|追问|追問|后续问题|後續問題|下一步.{0,8}问题|表情|关键词|關鍵詞|搜索词|起名|命名|取名` +
		`|タイトル|題名|見出し|タグ|フォローアップ|제목|태그|후속 질문|заголов|назван|тег[аио]?|ключевые слова|عنوان|وسوم|शीर्षक|tiêu đề|ชื่อเรื่อง`)
	// labelled is what programs call the tool itself that takes a label.
	labelled = regexp.MustCompile(`(?im)(?:^|[_-])labels?(?:$|[_-])`)
	// hump is where a name in camel case has its next word.
	hump = regexp.MustCompile(`(\p{Ll})(\p{Lu})`)
	// skeleton is the form of a JSON answer, as templates show it.
	skeleton = regexp.MustCompile(`\{\s*"[\w-]{1,40}"\s*:`)
	// heading is a line that names a part of a template.
	heading = regexp.MustCompile(`(?m)^#{1,6}[ \t]*\S.{0,60}[:：][ \t]*$`)
	// ownTools is the answer of a client that has a model choose among tools of the
	// client's in plain text, before it asks for the answer itself.
	ownTools    = regexp.MustCompile(`"tool_calls?"\s*:`)
	taskHeading = regexp.MustCompile(`(?im)^#{1,6}\s*\W{0,3}(?:task|任务|任務)`)
)

// IsTask reports whether a request asks for something about a conversation, such
// as a title for it, and is no turn of one. Whether a text is known as part of
// this user's conversations is asked of knows.
//
// It goes by the request's shape: it is the first of its conversation and quotes
// another one, it wants a label of what it quotes or shows the form of its answer,
// and it comes as programs ask (whole, not as a stream; with the instruction apart
// from the transcript; or about a conversation that was held here). A person's first message lacks one of
// these, and what a mistake costs is one answer without tools: at the second turn
// the conversation has its session, with a copy of the first. A client that asks
// for its answer to be stored is always taken at its word.
func IsTask(q openai.Request, knows func(text string) bool) bool {
	switch {
	case q.Store:
		return false
	case strings.HasSuffix(q.Task, "_generation"):
		return true
	case q.Greeting != "":
		return false
	case len(q.Earlier) > 0:
		return isFewShot(q, knows)
	case q.Limit > 0 && q.Limit <= tinyLimit && !q.Stream:
		return true
	}
	if !q.Stream && (ownTools.MatchString(q.Instructions) || quotesKnown(q, knows)) {
		return true
	}
	t, ok := transcriptOf(q.Message)
	if !ok {
		if t, ok = transcriptOf(q.Instructions); !ok || !t.tagged {
			return false
		}
		t.whole, t.outside = false, t.outside+"\n"+q.Message
	}
	known := 0
	said := slices.DeleteFunc(t.said, func(text string) bool { return text == "" })
	for _, text := range said {
		if knows(text) {
			known++
		}
	}
	if (!q.Stream || t.whole && q.Instructions != "") && known >= 2 && known == len(said) {
		return true // in whatever language it is asked
	}
	wanted := label.MatchString(t.outside) || label.MatchString(q.Instructions) ||
		skeleton.MatchString(q.Instructions) || q.Limit > 0 && q.Limit <= smallLimit || t.tagged && isTemplate(t.outside)
	return wanted && (!q.Stream || t.whole && q.Instructions != "" || known > 0)
}

// WantsLabel reports whether a request that has one tool, which must be called, wants
// a label in the form of that call, as chat clients ask for titles. Any other program
// that forces a call has a tool to run.
func WantsLabel(q openai.Request, knows func(text string) bool) bool {
	if q.Format == nil || !q.Format.Call || q.Store || len(q.Results) > 0 {
		return false
	}
	for _, e := range q.Earlier {
		if len(e.Steps) > 0 {
			return false // it runs its tools
		}
	}
	words := q.Format.Name
	for _, t := range q.Tools {
		words += "\n" + t.Description
	}
	switch {
	case isLabel(words), labelsOnly(q.Format.Schema):
		return true
	case len(q.Earlier) > 0 && len(q.Message) <= maxAsk && label.MatchString(q.Message):
		return true
	}
	return IsTask(q, knows)
}

// isLabel reports whether a name speaks of a label, in whatever case it is written.
func isLabel(name string) bool {
	return labelled.MatchString(name) || label.MatchString(strings.NewReplacer("_", " ", "-", " ").Replace(hump.ReplaceAllString(name, "$1 $2")))
}

// labelsOnly reports whether all that a schema asks for are labels.
func labelsOnly(schema json.RawMessage) bool {
	var s struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(schema, &s) != nil || len(s.Properties) == 0 {
		return false
	}
	for name := range s.Properties {
		if !isLabel(name) {
			return false
		}
	}
	return true
}

// isTemplate reports whether what stands around a quoted conversation is a template:
// a task under a heading, several headings, or the form of the answer.
func isTemplate(outside string) bool {
	return taskHeading.MatchString(outside) || skeleton.MatchString(outside) || len(heading.FindAllStringIndex(outside, 2)) > 1
}

// AsksForLabel reports whether a request that goes on with a conversation only
// asks for a label of it: its client, which gets its answers as streams, wants
// this one whole. Some send all that was said for that, with the wish at the end.
func AsksForLabel(q openai.Request, streamed bool) bool {
	return !q.Store && streamed && !q.Stream && len(q.Earlier) > 0 && len(q.Message) <= maxAsk && label.MatchString(q.Message)
}

// isFewShot reports whether what was said before are examples: the instructions
// want labels, and every message, like those before it, is a text in the same
// frame of a field's name and brackets. Nobody writes so in a chat.
func isFewShot(q openai.Request, knows func(string) bool) bool {
	if len(q.Earlier) < 2 || !label.MatchString(q.Instructions) {
		return false
	}
	frame, ok := frameOf(q.Message)
	for _, e := range q.Earlier {
		f, framed := frameOf(e.User)
		ok = ok && framed && f == frame
	}
	return ok && !knows(q.Earlier[len(q.Earlier)-1].User)
}

// frameOf gives the name of a field and the bracket that a text stands in, as in
// `Input: {…} [en]`.
func frameOf(text string) (string, bool) {
	text = strings.TrimSpace(text)
	at := strings.IndexAny(text, ":：")
	if at <= 0 || utf8.RuneCountInString(text[:at]) > maxLabel {
		return "", false
	}
	_, colon := utf8.DecodeRuneInString(text[at:])
	inner := strings.TrimLeft(text[at+colon:], " \t\n")
	open, _ := utf8.DecodeRuneInString(inner)
	last, _ := utf8.DecodeLastRuneInString(inner)
	return text[:at] + string(open), strings.ContainsRune("{[(<「『“\"`", open) && strings.ContainsRune("}])>」』”\"`", last)
}
