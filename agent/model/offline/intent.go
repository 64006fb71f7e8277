package offline

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// The tools that it knows how to use.
const (
	toolTime   = "get_current_time"
	toolList   = "list_directory"
	toolRead   = "read_file"
	toolWrite  = "write_file"
	toolSave   = "memory_save"
	toolSearch = "memory_search"
	toolShell  = "exec_shell"
)

// The intents that need no tool.
const (
	kindHello  = "hello"
	kindWho    = "who"
	kindThanks = "thanks"
	kindSum    = "sum"
	kindOther  = "other"
)

// intent is what the user wants.
type intent struct {
	kind string
	tool string
	args map[string]any
	text string // of kindSum: the sum; of a tool: what it is about
}

func call(i intent) loop.Call {
	b, err := json.Marshal(i.args)
	if err != nil { // strings marshal
		b = []byte("{}")
	}
	return loop.Call{ID: "offline_1", Name: i.tool, Arguments: b}
}

// rule is one phrase and what it means; its groups are the arguments.
type rule struct {
	re   *regexp.Regexp
	tool string
	args []string // the name of each group
	form string   // how the last argument is put, where not as it was said
}

const (
	quoted = "[`\"'“”‘’「」]"
	path   = `[^\s` + "`\"'“”‘’「」，。？！：?!]+"
	file   = path + `\.[A-Za-z0-9]+|` + path + `/` + path
)

func phrase(s string) *regexp.Regexp {
	return regexp.MustCompile(`(?is)^\s*(?:(?:please|could you|can you|hey|now|then|请|帮我|麻烦你?|给我)[\s,，]*)*(?:` + s + `)\s*[.。！!?？~]*\s*$`)
}

// rules are tried in order; the first that fits counts.
var rules = []rule{
	// exec_shell
	{phrase("(?:run|execute|exec)(?: the)?(?: shell)?(?: command)?:?\\s*`+([^`]+)`+"), toolShell, []string{"command"}, ""},
	{phrase("(?:运行|执行|跑一下|跑)(?:命令|一下)?[:：]?\\s*`+([^`]+)`+"), toolShell, []string{"command"}, ""},
	{phrase(`(?:run|execute|exec)(?: the)?(?: shell)?(?: command)?:?\s+([a-z][^\n]*?)`), toolShell, []string{"command"}, ""},
	{phrase(`(?:运行|执行)(?:命令|一下)?[:：]?\s*([a-z./][^\n]*?)`), toolShell, []string{"command"}, ""},
	{phrase(`\$\s+([^\n]+?)`), toolShell, []string{"command"}, ""},
	// write_file
	{phrase(`(?:write|save|put)\s+` + quoted + `(.*?)` + quoted + `\s+(?:to|into|in)\s+(?:the\s+|a\s+)?(?:file\s+)?` + quoted + `?(` + path + `)` + quoted + `?`), toolWrite, []string{"content", "path"}, ""},
	{phrase(`(?:write|save|put)\s+(.+?)\s+(?:to|into|in)\s+(?:the\s+|a\s+)?(?:file\s+)?` + quoted + `?(` + file + `)` + quoted + `?`), toolWrite, []string{"content", "path"}, ""},
	{phrase(`(?:create|make|write)\s+(?:a\s+|the\s+)?(?:new\s+)?(?:file\s+)?(?:called\s+|named\s+)?` + quoted + `?(` + file + `)` + quoted + `?\s*(?:with(?:\s+the)?(?:\s+(?:content|contents|text))?|containing|saying|:)\s*` + quoted + `?(.*?)` + quoted + `?`), toolWrite, []string{"path", "content"}, ""},
	{phrase(`(?:把|将)\s*` + quoted + `?(.+?)` + quoted + `?\s*(?:写入|写到|写进|保存到|存到|存入)\s*(?:文件)?\s*` + quoted + `?(` + path + `)` + quoted + `?(?:里|中|文件)?`), toolWrite, []string{"content", "path"}, ""},
	{phrase(`(?:在|往)\s*` + quoted + `?(` + file + `)` + quoted + `?\s*(?:里|中)?(?:面)?(?:写入|写上|写)[:：]?\s*` + quoted + `?(.+?)` + quoted + `?`), toolWrite, []string{"path", "content"}, ""},
	{phrase(`(?:创建|新建|写入|写)(?:一个)?(?:文件)?\s*` + quoted + `?(` + file + `)` + quoted + `?\s*[,，:：]?\s*(?:内容(?:是|为)?)?[:：]?\s*` + quoted + `?(.+?)` + quoted + `?`), toolWrite, []string{"path", "content"}, ""},
	// memory_save, before the looser ones
	{phrase(`(?:don't forget|remember|note|keep in mind|memorize)(?:\s+that|\s+this)?[:,]?\s+(.+?)`), toolSave, []string{"content"}, ""},
	{phrase(`(?:你)?(?:要)?(?:记住|记下|记一下|别忘了|记着)(?:这个|了)?[:：,，]?\s*(.+?)`), toolSave, []string{"content"}, ""},
	{phrase(`(?:my name is|i am called|call me)\s+(\S.{0,60}?)`), toolSave, []string{"content"}, "my name is %s"},
	{phrase(`(?:我叫|我的名字是|我的名字叫)\s*([^什么谁啥吗？?]{1,30}?)`), toolSave, []string{"content"}, "我的名字是%s"},
	// list_directory
	{phrase(`(?:list|show|what|which)(?:\s+(?:me|all|are|is|the|my|files?|folders?|directory|directories|contents?|of|workspace|there|do i have|i have))*\s+(?:files?|folders?|directory|directories|workspace)(?:\s+(?:are|is|do|i|have|there|here|you|see|can|exist))*(?:\s+(?:in|of|under)\s+(?:the\s+|my\s+)?(?:workspace|folder\s+|directory\s+)?` + quoted + `?(` + path + `)?` + quoted + `?(?:\s+(?:folder|directory))?)?`), toolList, []string{"path"}, ""},
	{phrase(`(?:ls|dir|list)(?:\s+(` + path + `))?`), toolList, []string{"path"}, ""},
	{phrase(`(?:列出|列一下|显示|看看|查看|看一下)?(?:我的|所有|一下)*(?:工作区|工作目录|目录|文件夹)?(?:里|中|下)?(?:面)?的?(?:都)?(?:有)?(?:哪些|什么|所有)?(?:的)?(?:文件|目录|文件夹)(?:列表|夹)?(?:有哪些|有什么)?(?:吗|呢)?`), toolList, nil, ""},
	// read_file
	{phrase(`(?:read|open|show|cat|print|display)(?:\s+me)?(?:\s+(?:what is in|what's in|the contents? of|contents? of))?(?:\s+(?:the|my))?(?:\s+file)?\s+` + quoted + `?(` + file + `)` + quoted + `?(?:\s+file)?`), toolRead, []string{"path"}, ""},
	{phrase(`(?:read|open|cat)(?:\s+(?:the|my))?\s+file\s+` + quoted + `?(` + path + `)` + quoted + `?`), toolRead, []string{"path"}, ""},
	{phrase(`(?:what is|what's|what does)\s+(?:in\s+)?(?:the\s+)?(?:file\s+)?` + quoted + `?(` + file + `)` + quoted + `?(?:\s+(?:say|contain))?`), toolRead, []string{"path"}, ""},
	{phrase(`(?:读取|读一下|读|打开|查看|看看|看一下|显示)(?:一下)?(?:文件)?\s*` + quoted + `?(` + file + `)` + quoted + `?\s*(?:文件)?(?:的)?(?:内容)?`), toolRead, []string{"path"}, ""},
	{phrase(quoted + `?(` + file + `)` + quoted + `?\s*(?:文件)?(?:里|中)?(?:面)?(?:的内容)?(?:有什么|写了什么|写的什么|是什么)`), toolRead, []string{"path"}, ""},
	{phrase(`(?:列出|列一下|显示|看看|查看)\s*` + quoted + `?(` + path + `?)` + quoted + `?\s*(?:目录|文件夹)?(?:里|中|下)?(?:面)?(?:的)?(?:所有)?(?:文件|内容|目录|文件夹)`), toolList, []string{"path"}, ""},
}

var (
	timeWords  = regexp.MustCompile(`(?i)what(?:'s| is)? (?:the )?(?:current )?(?:time|date)|what day|current (?:time|date)|tell me the (?:time|date)|time is it|today's date|几点|现在.{0,4}时间|当前时间|什么时间|今天.{0,3}(?:几号|星期几|周几|日期|礼拜几)|几月几号|报时`)
	recallAsk  = regexp.MustCompile(`(?i)do you (?:still )?remember|what do you (?:know|remember)|what did i (?:say|tell)|recall|have i told you|(?:what|who|where|when|which|how).{0,30}\b(?:my|i|me)\b|还?记得|记不记得|回忆|我.{0,12}(?:什么|谁|哪|几|多少|吗|呢|啥)|(?:什么|谁|哪|几|多少).{0,8}我`)
	whoWords   = regexp.MustCompile(`(?i)who are you|what are you|your name|what can you do|^\s*help\s*[!?.]*$|你是谁|你叫什么|你能做什么|你会什么|介绍.{0,3}自己|^\s*帮助\s*$`)
	helloWords = regexp.MustCompile(`(?i)^\s*(?:hi|hello|hey|good (?:morning|evening|afternoon)|你好|您好|嗨|哈喽|早上好|晚上好|早|在吗)`)
	thankWords = regexp.MustCompile(`(?i)^\s*(?:thanks|thank you|谢谢|多谢|感谢)`)
	question   = regexp.MustCompile(`(?i)[?？]|^\s*(?:what|who|where|when|which|how|why|do|does|did|is|are|can|tell me)\b|什么|谁|哪|吗|呢|几|多少`)
	aboutMe    = regexp.MustCompile(`(?i)\b(?:what|who|where|when|which|how|do|does|did|you|still|know|remember|recall|about|told|tell|say|said|the|is|are|am|was|me|my|i|a|an|to|called)\b|你|还|记得|记不记得|知道|告诉|说过|吗|呢|什么|是谁|哪里|哪儿|哪|多少|几|的|我|是|叫|[?？。，,.!！]`)
	zones      = []struct{ name, zone string }{
		{"tokyo", "Asia/Tokyo"},
		{"东京", "Asia/Tokyo"},
		{"new york", "America/New_York"},
		{"纽约", "America/New_York"},
		{"london", "Europe/London"},
		{"伦敦", "Europe/London"},
		{"berlin", "Europe/Berlin"},
		{"柏林", "Europe/Berlin"},
		{"paris", "Europe/Paris"},
		{"巴黎", "Europe/Paris"},
		{"utc", "UTC"},
		{"beijing", "Asia/Shanghai"},
		{"北京", "Asia/Shanghai"},
		{"shanghai", "Asia/Shanghai"},
		{"上海", "Asia/Shanghai"},
		{"sydney", "Australia/Sydney"},
		{"悉尼", "Australia/Sydney"},
		{"los angeles", "America/Los_Angeles"},
		{"洛杉矶", "America/Los_Angeles"},
		{"singapore", "Asia/Singapore"},
		{"新加坡", "Asia/Singapore"},
	}
	zoneName = regexp.MustCompile(`\b[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+\b`)
)

// maxUnderstood is the longest message that is looked at for a phrase: longer
// ones are text to work on, and that it cannot.
const maxUnderstood = 8 << 10

// understand finds what the user wants.
func understand(said string) intent {
	if len(said) > maxUnderstood {
		return intent{kind: kindOther}
	}
	if expr, ok := findSum(said); ok {
		return intent{kind: kindSum, text: expr}
	}
	for _, r := range rules {
		m := r.re.FindStringSubmatch(said)
		if m == nil {
			continue
		}
		i := intent{tool: r.tool, args: map[string]any{}}
		for k, name := range r.args {
			if v := strings.TrimSpace(m[k+1]); v != "" {
				if r.form != "" {
					v = fmt.Sprintf(r.form, v)
				}
				i.args[name] = v
				i.text = v
			}
		}
		if r.tool == toolSave && question.MatchString(i.text) {
			continue // "remember what I said?" asks
		}
		return i
	}
	return understandWords(said)
}

// understandWords looks for words anywhere in the message.
func understandWords(said string) intent {
	switch {
	case timeWords.MatchString(said):
		return intent{tool: toolTime, args: zoneArgs(said)}
	case whoWords.MatchString(said):
		return intent{kind: kindWho}
	case recallAsk.MatchString(said):
		about := strings.Join(strings.Fields(aboutMe.ReplaceAllString(said, " ")), " ")
		return intent{tool: toolSearch, args: map[string]any{"query": about}, text: about}
	case thankWords.MatchString(said):
		return intent{kind: kindThanks}
	case helloWords.MatchString(said):
		return intent{kind: kindHello}
	}
	return intent{kind: kindOther}
}

func zoneArgs(said string) map[string]any {
	if z := zoneName.FindString(said); z != "" {
		return map[string]any{"timezone": z}
	}
	low := strings.ToLower(said)
	for _, z := range zones {
		if strings.Contains(low, z.name) {
			return map[string]any{"timezone": z.zone}
		}
	}
	return map[string]any{}
}

var (
	sumWords  = strings.NewReplacer("plus", "+", "minus", "-", "times", "*", "multiplied by", "*", "divided by", "/", "加上", "+", "加", "+", "减去", "-", "减", "-", "乘以", "*", "乘", "*", "除以", "/")
	sumRun    = regexp.MustCompile(`[-+(（]*[0-9.][-+*/%^().,0-9×÷（）＋－−＊／，\s]*`)
	sumOp     = regexp.MustCompile(`[0-9)）]\s*[-+*/%^×÷＋－−＊／]+\s*[-+(（0-9.]`)
	sumAsk    = regexp.MustCompile(`(?i)\b(?:what(?:'s| is| are)|how much is|calculate|compute|evaluate|solve|work out|please|the|sum|result|of|is|equals?)\b|等于|多少|几|计算|算一下|算算|算|一下|请|帮我|是|结果|的|[=＝?？!！。,，:：.\s]+`)
	dateShape = regexp.MustCompile(`^\s*\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\s*$`)
)

// findSum finds a sum that the message asks for: apart from it there may only
// be words that ask.
func findSum(said string) (string, bool) {
	if len(said) > maxSum {
		return "", false
	}
	s := sumWords.Replace(strings.ToLower(said))
	expr := ""
	for _, m := range sumRun.FindAllString(s, -1) {
		if len(m) > len(expr) {
			expr = m
		}
	}
	expr = strings.TrimRight(expr, " \t\n,，.")
	if !sumOp.MatchString(expr) || dateShape.MatchString(expr) {
		return "", false
	}
	if rest := strings.Replace(s, expr, " ", 1); sumAsk.ReplaceAllString(rest, "") != "" {
		return "", false
	}
	return strings.TrimSpace(expr), true
}
