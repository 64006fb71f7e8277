package thread_test

import (
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/openai"
	"github.com/loongclaw/loongclaw/agent/thread"
)

const (
	asked, told = "记住：my boat is called Petrel", "A fine name for a boat."
	lines       = "USER: " + asked + "\nASSISTANT: " + told
)

// framed is a request of a server that puts its instruction under headings and the
// chat between tags.
func framed(what, format string) string {
	return "### Task:\nWrite " + what + " for the chat below.\n### Guidelines:\n- Be short.\n### Output:\n" + format +
		"\n### Chat History:\n<chat_history>\n" + lines + "\n</chat_history>"
}

func user(message string) openai.Request { return openai.Request{Message: message} }

func streamed(q openai.Request) openai.Request { q.Stream = true; return q }

func apart(instructions, message string) openai.Request {
	return openai.Request{Instructions: instructions, Message: message}
}

func TestIsTask(t *testing.T) {
	limited := func(q openai.Request, n int) openai.Request { q.Limit = n; return q }
	stored := func(q openai.Request) openai.Request { q.Store = true; return q }
	json := `[{"role":"user","content":"when?"},{"role":"assistant","content":"at nine"}]`
	few := openai.Request{
		Instructions: "You sort texts: give each some tags.", Message: "Text: {a tale of the sea} [en]",
		Earlier: []openai.Exchange{ex("Text: {a poem about rain} [en]", "weather, verse"), ex("Text: {a stew of roots} [de]", "Essen")},
	}
	for _, tt := range []struct {
		name  string
		q     openai.Request
		known bool // the conversation that it quotes was held here
		want  bool
	}{
		{"a title", user(framed("a title", `JSON: {"title":"…"}`)), false, true},
		{"tags", user(framed("1-3 broad tags", `JSON: {"tags":[]}`)), false, true},
		{"follow-ups", user(framed("3-5 questions to go on with", `JSON: {"follow_ups":[]}`)), false, true},
		{"an emoji about the chat", user(framed("one emoji", "the emoji")), false, true},
		{"what to search for", user(framed("what to look up", `{"queries":[]}`)), false, true},
		{"a text to go on with", user("### Task:\nGo on with the text.\n<type>General</type>\n<text>the s</text>\n### Context:\n<chat_history>\n" + lines + "\n</chat_history>"), false, true},
		{"a title in Chinese", user("### 任务：\n给这段对话起个标题\n<chat_history>\n用户：在吗\n助手：在\n</chat_history>"), false, true},
		{"an emoji of four tokens", limited(user("Which face goes with this?\n\n```glad to hear it```"), 4), false, true},
		{"a title behind a heading", user("Give it a title of five words.\n\nConversation:\nUser: " + asked + "\nAI: " + told), false, true},
		{"a title before there is an answer", user("Give it a title of five words.\n\nConversation:\nUser: " + asked + "\nAI: "), false, true},
		{"an instruction apart from the chat", streamed(apart("You name conversations. Answer with a title only.", "user: "+asked+"\nassistant: "+told)), false, true},
		{"an instruction apart, in Chinese", streamed(apart("你负责总结对话，只输出标题。", "user: 在吗\nassistant: 在")), false, true},
		{"an instruction behind the chat", user("assistant: Hello\nuser: where is it?\n\nMake a title of it."), false, true},
		{"the chat as JSON", streamed(apart("Sum the chat up in a title.", json)), false, true},
		{"the chat in the instructions", apart("Make a standalone question of the input.\n<chatHistory>\nuser: a\nassistant: b\n</chatHistory>", "Input: and then?"), false, true},
		{"by its name", openai.Request{Message: "x", Task: "title_generation", Stream: true}, false, true},
		{"a language without a word for it here, about a known chat", user("Nomen breve da:\n" + lines), true, true},
		{"a stream about a known chat", streamed(user("A title for this:\n" + lines)), true, true},
		{"examples in a frame", few, false, true},
		{"a chat whose speakers are tags", apart("Sum the chat up as a title.", "<user>\nwhen?\n</user>\n<assistant>\nat nine,\n\nas ever\n</assistant>"), false, true},
		{"the same, in a stream, the assistant first", streamed(apart("Sum the chat up as a title.", "<assistant>\nHello\n</assistant>\n<user>\nwhen?\n</user>")), false, true},
		{"speakers under headings", user("Find three tags for this.\n\n## User\nwhen?\n\n## Assistant\nat nine"), false, true},
		{"a translated template, which nobody here knows", user("### Aufgabe:\nGib dem Gespräch einen Namen.\n### Regeln:\n- Kurz.\n### Verlauf:\n<chat_history>\n" + lines + "\n</chat_history>"), false, true},
		{"a template of the owner's with the form of its answer", user("Pick three of these. {\"picks\": [\"…\"]}\n<chat_history>\n" + lines + "\n</chat_history>"), false, true},
		{"follow-ups by their key alone", user("Denk weiter: {\"follow_ups\": []}\nUSER: eins\nASSISTANT: zwei"), false, true},
		{"tags in French", user("Trois étiquettes pour :\nUtilisateur : bonjour\nAssistant : bonsoir"), false, true},
		{"a title in Korean", user("대화에 제목을 붙이세요.\n사용자: 안녕\nAI: 반가워요"), false, true},
		{"a title in Japanese", user("この会話にタイトルを付けて。\n\nユーザー: やあ\nアシスタント: こんにちは"), false, true},
		{"speakers that nobody knows, about a known chat", user("Nimeä tämä:\n\nKysyjä: " + asked + "\nVastaaja: " + told), true, true},
		{"the same with the wish behind", user("Kysyjä: " + asked + "\nVastaaja: " + told + "\n\nNimeä tämä."), true, true},
		{"a known chat alone, in a stream, with any instruction", streamed(apart("Nomen breve da.", lines)), true, true},
		{"replies to what was said last", apart("Offer two replies.", "What was said last:\n\"\"\"\n"+told+"\n\"\"\""), true, true},
		{"which of the client's tools to use", apart("Tools: []. Answer {\"tool_calls\": []} and no more.", "Query: History:\nUSER: \"\"\"hi\"\"\"\nQuery: hi"), false, true},

		{"replies to what was said elsewhere", apart("Offer two replies.", "What was said last:\n\"\"\"\nsomething else\n\"\"\""), true, false},
		{"a known text, and a question about it", apart("be brief", "\"\"\""+told+"\"\"\"\nWhat does this mean?"), true, false},
		{"a known text in a stream", streamed(apart("be brief", "\"\"\""+told+"\"\"\"")), true, false},
		{"a bot whose speakers nobody knows", user("Kysyjä: " + asked + "\nVastaaja: " + told + "\nKysyjä: ja nyt?\nVastaaja:"), true, false},
		{"a list of names", user("Sort these:\nred: " + asked + "\nblue: no\ngreen: " + told + "\nblue: yes"), false, false},
		{"a page with tags of two names", user("Mend this:\n<user>\nroot\n</user>"), false, false},
		{"a program that wants JSON", apart(`Answer as {"answer": "…"}.`, "What is the time in Rome?"), false, false},

		{"a known chat and more of it", user("Nomen breve da:\n" + lines + "\nUSER: and then?"), true, false},
		{"a known chat in a stream", streamed(user("Shorten this:\n" + lines)), true, false},
		{"a question", user("What is the title of the film with the boat?"), false, false},
		{"headings", user("### Task:\nWrite a poem with a title.\n### Output:\nFour lines."), false, false},
		{"a title for a text", user("Give this text a title and three tags:\n\nThe boat lay at the pier."), false, false},
		{"a chat, and what to answer", user("What shall I answer?\nUser: hi\nAssistant: hello"), false, false},
		{"a chat between tags, and what to answer", user("<conversation>\nUser: hi\nAssistant: hello\n</conversation>\nWhat shall I answer?"), false, false},
		{"a page of a chat, for a person's title", streamed(user("Give this a title:\nUser: hi\nAssistant: hello")), false, false},
		{"a title in a stream", streamed(user(framed("a title", "{}"))), false, false},
		{"a bot that keeps its chat in one message", user("The assistant is kind.\n\nHuman: hi\nAI: hello\nHuman: what time is it?\nAI:"), true, false},
		{"a server that keeps its chat in one message", user("<history>\nUser: hi\nAssistant: hello\n</history>\nUse the tools to answer: what time is it?"), true, false},
		{"one speaker", user("Make a title.\nUser: root"), false, false},
		{"a configuration", user("mend the tags:\nuser: root\nname: web"), false, false},
		{"a chat in the middle of a chat", openai.Request{Message: framed("a title", "{}"), Earlier: []openai.Exchange{ex("hi", "hello")}}, false, false},
		{"a short answer", limited(user("2+2?"), 16), false, false},
		{"a short answer in a stream", limited(streamed(user("2+2?")), 4), false, false},
		{"a task of the developer's own", openai.Request{Message: "hi", Task: "support"}, false, false},
		{"what is to be stored", stored(user(framed("a title", "{}"))), false, false},
		{"a list with the same beginning", openai.Request{
			Instructions: "Give tags.", Message: "Q: c?",
			Earlier: []openai.Exchange{ex("Q: a?", "x"), ex("Q: b?", "y")},
		}, false, false},
	} {
		knows := func(text string) bool { return tt.known && (text == asked || text == told || text == "hi") }
		if got := thread.IsTask(tt.q, knows); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if thread.IsTask(few, func(text string) bool { return strings.HasPrefix(text, "Text:") }) {
		t.Error("examples that were said here are a conversation")
	}
}

func TestAsksForLabel(t *testing.T) {
	q := openai.Request{Message: "Give our conversation a title of four words.", Earlier: []openai.Exchange{ex("hi", "hello")}}
	if !thread.AsksForLabel(q, true) {
		t.Error("a title that is asked for at the end, whole, of a conversation in streams")
	}
	for name, tt := range map[string]struct {
		change   func(*openai.Request)
		streamed bool
	}{
		"a client that never streams": {func(*openai.Request) {}, false},
		"in a stream, as its answers": {func(q *openai.Request) { q.Stream = true }, true},
		"no label":                    {func(q *openai.Request) { q.Message = "Go on." }, true},
		"a long message":              {func(q *openai.Request) { q.Message += strings.Repeat(" And so on.", 100) }, true},
		"the first message":           {func(q *openai.Request) { q.Earlier = nil }, true},
		"to be stored":                {func(q *openai.Request) { q.Store = true }, true},
	} {
		q := q
		if tt.change(&q); thread.AsksForLabel(q, tt.streamed) {
			t.Errorf("%s: taken for a task", name)
		}
	}
}

func FuzzIsTask(f *testing.F) {
	f.Add(framed("a title", "{}"), "", false)
	f.Add("user: a\nassistant: b", "Write a title.", true)
	f.Add(`<chat_history>[{"role":"user","content":"\\"}]</chat_history>`, "<a>", false)
	f.Fuzz(func(t *testing.T, message, instructions string, stream bool) {
		q := openai.Request{Message: message, Instructions: instructions, Stream: stream}
		if thread.IsTask(q, func(string) bool { return false }) && !thread.IsTask(q, func(string) bool { return true }) {
			t.Errorf("to know more makes it less of a task: %q", message)
		}
	})
}
