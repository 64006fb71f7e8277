package offline

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

var allTools = []loop.Spec{
	{Name: toolTime}, {Name: toolList}, {Name: toolRead}, {Name: toolWrite}, {Name: toolSave}, {Name: toolSearch}, {Name: toolShell},
}

func user(s string) loop.Message { return loop.Message{Role: chat.RoleUser, Text: s} }

func answer(t *testing.T, q loop.Question) loop.Answer {
	t.Helper()
	m := New(Config{Delay: -1, Now: func() time.Time { return time.Unix(0, 0).UTC() }})
	var b strings.Builder
	a, err := m.Answer(t.Context(), q, func(s string) { b.WriteString(s) })
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != a.Text {
		t.Errorf("pieces join to %q, want %q", b.String(), a.Text)
	}
	return a
}

func TestCalls(t *testing.T) {
	for said, want := range map[string]string{
		"what time is it?":                       `get_current_time {}`,
		"What's the time in Tokyo":               `get_current_time {"timezone":"Asia/Tokyo"}`,
		"现在几点了？":                                 `get_current_time {}`,
		"今天星期几":                                  `get_current_time {}`,
		"纽约现在是什么时间":                              `get_current_time {"timezone":"America/New_York"}`,
		"list files":                             `list_directory {}`,
		"List my files.":                         `list_directory {}`,
		"what files are there?":                  `list_directory {}`,
		"please list the files in docs":          `list_directory {"path":"docs"}`,
		"show me the files in my workspace":      `list_directory {}`,
		"ls":                                     `list_directory {}`,
		"列出文件":                                   `list_directory {}`,
		"列出所有文件":                                 `list_directory {}`,
		"工作区里有哪些文件？":                             `list_directory {}`,
		"有什么文件":                                  `list_directory {}`,
		"列出 docs 目录里的文件":                         `list_directory {"path":"docs"}`,
		"read notes.txt":                         `read_file {"path":"notes.txt"}`,
		"Read the file `a/b.md`":                 `read_file {"path":"a/b.md"}`,
		"read file README":                       `read_file {"path":"README"}`,
		"what is in notes.txt?":                  `read_file {"path":"notes.txt"}`,
		"读取 notes.txt":                           `read_file {"path":"notes.txt"}`,
		"帮我看看 笔记.txt 的内容":                        `read_file {"path":"笔记.txt"}`,
		"notes.txt 里写了什么？":                       `read_file {"path":"notes.txt"}`,
		"write 'hello world' to notes.txt":       `write_file {"content":"hello world","path":"notes.txt"}`,
		"write hello to notes.txt":               `write_file {"content":"hello","path":"notes.txt"}`,
		"create a file a.txt with content x = 1": `write_file {"content":"x = 1","path":"a.txt"}`,
		"把“你好”写到 a.txt":                          `write_file {"content":"你好","path":"a.txt"}`,
		"把 你好 写入文件 a.txt":                        `write_file {"content":"你好","path":"a.txt"}`,
		"创建文件 a.txt，内容是 你好":                      `write_file {"content":"你好","path":"a.txt"}`,
		"在 a.txt 里写：你好":                          `write_file {"content":"你好","path":"a.txt"}`,
		"remember that my cat is called Mimi":    `memory_save {"content":"my cat is called Mimi"}`,
		"Please remember: tea, no sugar.":        `memory_save {"content":"tea, no sugar"}`,
		"记住我喜欢喝茶":                                `memory_save {"content":"我喜欢喝茶"}`,
		"请记住：我的猫叫咪咪。":                            `memory_save {"content":"我的猫叫咪咪"}`,
		"my name is Bob":                         `memory_save {"content":"my name is Bob"}`,
		"我叫小明":                                   `memory_save {"content":"我的名字是小明"}`,
		"what is my cat called?":                 `memory_search {"query":"cat"}`,
		"what do you remember about tea?":        `memory_search {"query":"tea"}`,
		"do you remember?":                       `memory_search {"query":""}`,
		"remember what I said?":                  `memory_search {"query":""}`,
		"我的猫叫什么？":                                `memory_search {"query":"猫"}`,
		"你还记得我喜欢什么吗":                             `memory_search {"query":"喜欢"}`,
		"我叫什么名字？":                                `memory_search {"query":"名字"}`,
		"run `ls -la | wc`":                      "exec_shell {\"command\":\"ls -la | wc\"}",
		"运行 `pwd`":                               `exec_shell {"command":"pwd"}`,
		"运行 ls":                                  `exec_shell {"command":"ls"}`,
		"run ls":                                 `exec_shell {"command":"ls"}`,
		"执行命令：echo hi":                           `exec_shell {"command":"echo hi"}`,
		"$ echo 'a  b'":                          `exec_shell {"command":"echo 'a  b'"}`,
	} {
		a := answer(t, loop.Question{Messages: []loop.Message{user(said)}, Tools: allTools})
		got := a.Text
		if len(a.Calls) == 1 {
			var args map[string]any
			if err := json.Unmarshal(a.Calls[0].Arguments, &args); err != nil {
				t.Fatal(err)
			}
			got = a.Calls[0].Name + " " + string(a.Calls[0].Arguments)
		}
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", said, got, want)
		}
	}
}

func TestTalk(t *testing.T) {
	for said, want := range map[string]string{
		"你好":                         chinese.hello,
		"hello!":                     english.hello,
		"who are you?":               english.who,
		"你是谁？":                       chinese.who,
		"help":                       english.who,
		"谢谢":                         chinese.thanks,
		"write me a poem about rain": english.other,
		"写一首关于雨的诗":                   chinese.other,
		"":                           english.other,
		"2+2":                        "2+2 = 4",
		"What is (12 + 3) * 4?":      "(12 + 3) * 4 = 60",
		"1.5加2等于多少":                  "1.5+2 = 3.5",
		"帮我算一下 7 乘以 6":               "7 * 6 = 42",
		"10 divided by 4":            "10 / 4 = 2.5",
		"1/0":                        english.sumZero,
		"计算 9^99999":                 chinese.sumBig,
		"2026-11-22":                 english.other,
	} {
		a := answer(t, loop.Question{Messages: []loop.Message{user(said)}, Tools: allTools})
		if a.Text != want || len(a.Calls) > 0 || a.Model != "offline/offline" {
			t.Errorf("%q: got %q, calls %v; want %q", said, a.Text, a.Calls, want)
		}
	}
}

func TestIsHonest(t *testing.T) {
	for _, w := range []*words{&english, &chinese} {
		for _, s := range []string{w.hello, w.who, w.other} {
			if !strings.Contains(s, "offline") && !strings.Contains(s, "离线") {
				t.Errorf("it does not say that it is offline: %s", s)
			}
		}
		if !strings.Contains(w.hello, "熊大") {
			t.Errorf("the greeting lacks its name: %s", w.hello)
		}
	}
}

func TestResults(t *testing.T) {
	for name, c := range map[string]struct{ said, tool, result, want string }{
		"time":         {"what time is it?", toolTime, `{"iso":"x","unix":1,"timezone":"Asia/Shanghai","formatted":"2026/1/2 03:04:05"}`, "It is 2026/1/2 03:04:05 (Asia/Shanghai)."},
		"时间":           {"几点", toolTime, `{"timezone":"Asia/Shanghai","formatted":"2026/1/2 03:04:05"}`, "现在是 2026/1/2 03:04:05（Asia/Shanghai）。"},
		"list":         {"list files", toolList, `[{"name":"a","type":"directory"},{"name":"b.txt","type":"file"}]`, "This is in the folder:\n\n- `a/` (folder)\n- `b.txt`"},
		"empty list":   {"列出文件", toolList, `[]`, "这个目录里还没有东西。"},
		"read":         {"read a.txt", toolRead, "x ``` y\n", "This is in the file:\n\n````\nx ``` y\n````"},
		"empty file":   {"read a.txt", toolRead, "", "The file is empty."},
		"write":        {"write x to a.txt", toolWrite, `{"success":true,"path":"./workspace/a.txt"}`, "Done: I wrote `a.txt`."},
		"save":         {"记住我爱茶", toolSave, `{"id":"mem_1","content":"我爱茶"}`, "记住了：我爱茶"},
		"search":       {"what do I like?", toolSearch, `[{"content":"I like tea"},{"content":"nothing near"}]`, "I remember: I like tea"},
		"search, none": {"what do I like?", toolSearch, `[]`, english.nothing},
		"shell":        {"run ls", toolShell, `{"stdout":"a\n","stderr":null,"exitCode":0}`, "The command says:\n\n```\na\n```"},
		"shell fails":  {"run ls", toolShell, `{"stdout":"","stderr":"no","exitCode":2}`, "The command says:\n\n```\nno\n```\n\nIt ended with code 2."},
		"denied":       {"run rm", toolShell, "denied: the user said no", "That was not allowed, so I left it: the user said no"},
		"failed":       {"读取 a.txt", toolRead, "error: no such file", "没有成功：no such file"},
	} {
		a := answer(t, loop.Question{Tools: allTools, Messages: []loop.Message{
			user(c.said),
			{Role: chat.RoleAssistant, Calls: []loop.Call{{ID: "1", Name: c.tool}}},
			{Role: loop.RoleTool, CallID: "1", Name: c.tool, Text: c.result},
		}})
		if a.Text != c.want || len(a.Calls) > 0 {
			t.Errorf("%s: got %q, calls %v; want %q", name, a.Text, a.Calls, c.want)
		}
	}
}

// TestAFileThatReadsAsARefusal: what a tool gave is fenced, what became of a call that gave
// nothing is not, so the one is not taken for the other.
func TestAFileThatReadsAsARefusal(t *testing.T) {
	for _, text := range []string{"denied: the user said no", "error: no such file", "skipped: the turn was over"} {
		file := loop.Attached{Name: "a.txt", MediaType: "text/plain", Shown: loop.Shown{Hash: "h", MediaType: "text/plain", Data: []byte(text)}}
		a := answer(t, loop.Question{Tools: allTools, Messages: []loop.Message{
			user("read a.txt"),
			{Role: chat.RoleAssistant, Calls: []loop.Call{{ID: "1", Name: toolRead}}},
			{Role: loop.RoleTool, CallID: "1", Name: toolRead, Text: file.Text(true)},
		}})
		if want := "This is in the file:\n\n```\n" + text + "\n```"; a.Text != want {
			t.Errorf("%q: got %q, want %q", text, a.Text, want)
		}
	}
}

func TestRecallFromThePromptAndTheConversation(t *testing.T) {
	context := "[Context x]\n**相关记忆**: notes\n- [fact] my cat is called Mimi (saved 2026-01-02 in the session \"a\")\n- [fact] I like tea\n[End of context x]"
	for said, want := range map[string]string{
		"what is my cat called?": "I remember: my cat is called Mimi",
		"what is my name?":       "I remember: my name is Bob",
		"我的狗叫什么？":                "我记得：我的狗叫旺财",
		"我叫什么名字？":                "我记得：我的名字是小明",
	} {
		a := answer(t, loop.Question{Messages: []loop.Message{
			{Role: chat.RoleUser, Text: "hello", Context: context}, user("my name is Bob"), user("记住我的狗叫旺财"), user("我叫小明"), {Role: chat.RoleAssistant, Text: "ok"}, user(said),
		}})
		if a.Text != want {
			t.Errorf("%q: got %q, want %q", said, a.Text, want)
		}
	}
}

func TestSaysWhatToolIsMissing(t *testing.T) {
	a := answer(t, loop.Question{Messages: []loop.Message{user("run `ls`")}})
	if !strings.Contains(a.Text, toolShell) || len(a.Calls) > 0 {
		t.Errorf("got %q, calls %v", a.Text, a.Calls)
	}
	if a = answer(t, loop.Question{Messages: []loop.Message{user("几点")}}); !strings.Contains(a.Text, "1970-01-01") {
		t.Errorf("got %q, want its own clock", a.Text)
	}
}

func TestStreamsAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Config{Delay: 10 * time.Millisecond})
		q := loop.Question{Messages: []loop.Message{user("你好")}}
		pieces := 0
		start := time.Now()
		a, err := m.Answer(t.Context(), q, func(string) { pieces++ })
		if err != nil || pieces < 20 || time.Since(start) != time.Duration(pieces-1)*10*time.Millisecond {
			t.Errorf("%d pieces in %v, error %v", pieces, time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 95*time.Millisecond)
		defer cancel()
		short, err := m.Answer(ctx, q, func(string) {})
		if !errors.Is(err, context.DeadlineExceeded) || fault.CodeOf(err) != fault.CodeCancelled {
			t.Errorf("error %v, want cancelled", err)
		}
		if len([]rune(short.Text)) != 30 || !strings.HasPrefix(a.Text, short.Text) {
			t.Errorf("got %q, want the first 10 pieces", short.Text)
		}
	})
}

func TestDeterministic(t *testing.T) {
	q := loop.Question{Messages: []loop.Message{user("run `ls`")}, Tools: allTools}
	if d := cmp.Diff(answer(t, q), answer(t, q)); d != "" {
		t.Error(d)
	}
}
