package offline

import (
	"strings"
	"unicode"
)

// words are what it says, in one language.
type words struct {
	hello, who, thanks, other string
	noTool                    string // %s is the tool
	sum, sumZero, sumBig      string
	sumBad                    string
	timeIs                    string // time, zone
	empty                     string
	list                      string
	dir                       string
	read                      string
	blank                     string
	wrote                     string
	saved                     string
	recalled, recalledMore    string
	nothing                   string
	ran, ranQuiet             string
	exit                      string
	denied, failed            string
	result                    string
}

const ways = "GLM_API_KEY, DEEPSEEK_API_KEY, KIMI_API_KEY, OPENAI_API_KEY"

var english = words{
	hello: "Hello! I am Xiong Da (熊大), guardian of the forest 🐻💪. I am answering offline: no language model is configured, so I am only a small program with a few phrases. " +
		"I can tell the time, do sums, list, read and write your files, run a command, and remember things for you. Try “what time is it?” or “remember that my cat is called Mimi”.",
	who: "I am Xiong Da (熊大), guardian of the forest: strong, clever and brave 🐻💪. To be honest, I am the offline model, not a language model: no provider's key is set. What I can do:\n\n" +
		"- tell the time: “what time is it?”\n- do sums: “what is (12 + 3) * 4?”\n- files: “list files”, “read notes.txt”, “write 'hello' to notes.txt”\n" +
		"- a command: “run `ls`”\n- remember: “remember that I like tea”, “what do I like?”\n\nFor real conversation, set one of " + ways + " (or OLLAMA_URL) and start me again.",
	thanks: "You are welcome. The forest is always open 🐻",
	other: "I am the offline model: no language model is configured, so I cannot really answer that. I can tell the time, do sums, list, read and write files, run commands, and remember things for you; say “help” for examples. " +
		"For real answers, set one of " + ways + " (or OLLAMA_URL) and start me again.",
	noTool:       "I would need the tool %s for that, and it is not available here.",
	sum:          "%s = %s",
	sumZero:      "That divides by zero, which even a bear cannot do.",
	sumBig:       "These numbers become too large for me.",
	sumBad:       "I cannot make sense of this sum. Try one like (12 + 3) * 4.",
	timeIs:       "It is %s (%s).",
	empty:        "There is nothing in this folder yet.",
	list:         "This is in the folder:\n\n",
	dir:          "folder",
	read:         "This is in the file:\n\n",
	blank:        "The file is empty.",
	wrote:        "Done: I wrote %s.",
	saved:        "I will remember that: %s",
	recalled:     "I remember: %s",
	recalledMore: "This is what I remember:\n\n",
	nothing:      "I remember nothing about that, and being offline I know only what you told me. Tell me with “remember that …”.",
	ran:          "The command says:\n\n",
	ranQuiet:     "The command ran and said nothing.",
	exit:         "\n\nIt ended with code %d.",
	denied:       "That was not allowed, so I left it: %s",
	failed:       "That did not work: %s",
	result:       "The tool %s says:\n\n",
}

var chinese = words{
	hello: "你好！我是熊大，森林守护者 🐻💪。现在我在离线模式：没有配置语言模型，我只是一个会说几句话的小程序。" +
		"我可以报时、算数、列出和读写你的文件、运行命令，也能帮你记住事情。试试“现在几点？”或者“记住我的猫叫咪咪”。",
	who: "我是熊大，森林守护者：强壮、聪明、勇敢，保护森林 🐻💪。老实说，我现在是离线模型，不是真正的语言模型：没有设置任何提供商的密钥。我会做这些：\n\n" +
		"- 报时：“现在几点？”\n- 算数：“(12 + 3) * 4 等于多少？”\n- 文件：“列出文件”、“读取 notes.txt”、“把 你好 写到 notes.txt”\n" +
		"- 命令：“运行 `ls`”\n- 记事：“记住我喜欢喝茶”、“我喜欢什么？”\n\n想要真正的对话，请设置 " + ways + " 之一（或 OLLAMA_URL），再重新启动我。",
	thanks: "不客气，森林的大门永远为你敞开 🐻",
	other: "我是离线模型：没有配置语言模型，所以这个我没法真正回答。我可以报时、算数、列出和读写文件、运行命令、帮你记住事情；说“帮助”看例子。" +
		"想要真正的回答，请设置 " + ways + " 之一（或 OLLAMA_URL），再重新启动我。",
	noTool:       "这需要工具 %s，可是这里没有。",
	sum:          "%s = %s",
	sumZero:      "除数是零，熊大也没办法。",
	sumBig:       "这些数太大了，我算不了。",
	sumBad:       "这个算式我看不懂。试试 (12 + 3) * 4 这样的。",
	timeIs:       "现在是 %s（%s）。",
	empty:        "这个目录里还没有东西。",
	list:         "目录里有：\n\n",
	dir:          "目录",
	read:         "文件内容：\n\n",
	blank:        "文件是空的。",
	wrote:        "好了，已写入 %s。",
	saved:        "记住了：%s",
	recalled:     "我记得：%s",
	recalledMore: "我记得这些：\n\n",
	nothing:      "关于这个我还什么都不记得；离线的我只知道你告诉过我的事。可以用“记住……”告诉我。",
	ran:          "命令输出：\n\n",
	ranQuiet:     "命令运行完了，没有输出。",
	exit:         "\n\n退出码是 %d。",
	denied:       "这个没有得到允许，我就没有做：%s",
	failed:       "没有成功：%s",
	result:       "工具 %s 的结果：\n\n",
}

// wordsFor chooses the language: Chinese where the message has any of it.
func wordsFor(said string) *words {
	if strings.ContainsFunc(said, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return &chinese
	}
	return &english
}
