package thread

import (
	"regexp"
	"strings"
)

// transcript is a conversation that a text quotes.
type transcript struct {
	said    []string // what each side said there
	tagged  bool     // it stands between a tag and its end
	whole   bool     // the text is nothing else
	outside string   // what the text says besides
}

// What the two sides are called in transcripts.
const (
	userNames  = `user|human|you|utilisateur|benutzer|nutzer|mensch|usuario|usuário|utente|gebruiker|użytkownik|kullanıcı|пользователь|человек|користувач|ユーザー?|人間|사용자|用户|用戶|使用者|提问|提問|question|frage|pregunta|pergunta|domanda|вопрос|質問`
	otherNames = `assistant|ai|bot|chatbot|model|assistente?|asistente|asystent|asistan|ki|ia|ассистент|помощник|помічник|бот|アシスタント|어시스턴트|助手|助理|机器人|機器人|模型|回答|answer|antwort|respuesta|resposta|réponse|risposta|ответ`
)

var (
	// A line of a transcript begins with who says it, perhaps in bold or brackets, or
	// who says it stands alone on the line before, as a tag or a heading does.
	speaker = regexp.MustCompile(`(?im)^[ \t]*[*_\[<#-]{0,3}[ \t]*(?:(` + userNames + `)|(` + otherNames + `))[*_\]>]{0,3}[ \t]*[:：][*_]{0,2}` +
		`|^[ \t]*(?:<|\[|#{1,6}[ \t]*|\*\*)(?:(` + userNames + `)|(` + otherNames + `))(?:>|\]|\*\*)?[ \t]*$`)
	closing = regexp.MustCompile(`(?s)\s*</[^<>\s]{1,32}>\s*$`)
	// Some clients send the messages as JSON.
	jsonSpeaker = regexp.MustCompile(`"role"\s*:\s*"(?:(user)|(assistant))"`)
	jsonText    = regexp.MustCompile(`"(?:content|text|mainText)"\s*:\s*"((?:[^"\\]|\\.)*)"`)

	historyTag = regexp.MustCompile(`(?i)<([a-z][a-z_-]*)>`)
)

// transcriptOf finds the conversation that a text quotes: between tags that call
// it one, or line by line with the names of both sides.
func transcriptOf(text string) (transcript, bool) {
	for _, at := range historyTag.FindAllStringSubmatchIndex(text, maxTags) {
		name := text[at[2]:at[3]]
		n := strings.Index(text[at[1]:], "</"+name+">")
		if n < 0 || !namesHistory(name) {
			continue
		}
		inside := text[at[1] : at[1]+n]
		if said, sides, _ := speeches(inside); sides > 0 {
			rest := text[:at[0]] + text[at[1]+n+len("</>")+len(name):]
			return transcript{said, true, strings.TrimSpace(rest) == "", rest}, true
		}
	}
	said, sides, begin := speeches(text)
	if sides < 2 {
		return transcript{}, false
	}
	t := transcript{said: said, outside: text[:begin], whole: strings.TrimSpace(strings.Trim(text[:begin], "[{ \n")) == ""}
	// What stands behind an empty line at the end may be what is asked about it.
	if at := strings.LastIndex(text[begin:], "\n\n"); at >= 0 {
		t.outside += text[begin+at:]
	}
	return t, true
}

// maxTags bounds how many tags are looked at.
const maxTags = 64

func namesHistory(tag string) bool {
	tag = strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(tag))
	for _, word := range []string{"history", "conversation", "transcript", "dialog", "messages", "chat"} {
		if strings.Contains(tag, word) {
			return true
		}
	}
	return false
}

// speeches cuts a transcript into what each side says, and gives how many sides
// there are and where it begins.
func speeches(text string) (said []string, sides, begin int) {
	at := speaker.FindAllStringSubmatchIndex(text, -1)
	asJSON := len(at) == 0
	if asJSON {
		at = jsonSpeaker.FindAllStringSubmatchIndex(text, -1)
	}
	user, other := 0, 0
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		if m[2] >= 0 || len(m) > 6 && m[6] >= 0 {
			user = 1
		} else {
			other = 1
		}
		said = append(said, speech(text[m[1]:end], asJSON))
	}
	if len(at) > 0 {
		begin = at[0][0]
	}
	return said, user + other, begin
}

func speech(text string, asJSON bool) string {
	if asJSON {
		if m := jsonText.FindStringSubmatch(text); m != nil {
			return strings.NewReplacer(`\n`, "\n", `\"`, `"`, `\\`, `\`).Replace(m[1])
		}
		return ""
	}
	return unquoted(closing.ReplaceAllString(text, ""))
}

// unquoted is a text without the marks that a template may put around it.
func unquoted(text string) string {
	return strings.TrimSpace(strings.Trim(strings.TrimSpace(text), "\"`"))
}
