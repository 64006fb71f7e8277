package edge

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// Who opens an address in a browser that nothing is at, a mistyped or an old one,
// reads a page. Programs read JSON, as everywhere.

const unknownStyle = `:root{color-scheme:light dark;font:1rem/1.6 system-ui,sans-serif}body{max-width:32rem;margin:18vh auto 0;padding:0 1rem}h1{font-size:1.3rem}a{color:inherit}`

func unknownPage(lang, title, text, link string) []byte {
	return []byte(`<!doctype html><html lang="` + lang + `"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">` +
		`<title>` + title + ` · LoongClaw</title><style>` + unknownStyle + `</style>` +
		`<main><h1>` + title + `</h1><p>` + text + `</p><p><a href="/">` + link + `</a></p></main></html>`)
}

var (
	unknownEnglish = unknownPage("en", "There is nothing at this address", "It may be mistyped, or what was here has moved. All conversations are on the first page.", "Open LoongClaw")
	unknownChinese = unknownPage("zh-CN", "这个地址上没有内容", "地址可能有误，或者内容已经移走。所有对话都在首页。", "打开 LoongClaw")

	unknownType   = []string{"text/html; charset=utf-8"}
	unknownPolicy = []string{"default-src 'none'; style-src 'sha256-" + styleHash() + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	unknownVary   = []string{"Origin, Accept, Accept-Language, Sec-Fetch-Mode"}
)

func styleHash() string {
	sum := sha256.Sum256([]byte(unknownStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// isUnknown reports whether an error says that no route is at the address.
func isUnknown(err error) bool {
	var e *echo.HTTPError
	return errors.As(err, &e) && e.Code == http.StatusNotFound
}

// unknown answers a person whose browser found nothing.
func (x *exchange) unknown() {
	x.header["Content-Type"], x.header["Content-Security-Policy"], x.header["Vary"] = unknownType, unknownPolicy, unknownVary
	body, lang := unknownEnglish, "en"
	if prefersChinese(x.head.Header) {
		body, lang = unknownChinese, "zh-CN"
	}
	x.header["Content-Language"] = []string{lang}
	x.d = Decision{Respond: &Respond{Status: http.StatusNotFound, Body: body}}
}

// browses reports whether a person opens the address in a browser: it asks for HTML
// by name, which programs do not, and for a page of its own.
func (x *exchange) browses() bool {
	if m := x.head.Method; m != http.MethodGet && m != http.MethodHead {
		return false
	}
	if mode := x.head.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return false
	}
	return weightOf(x.head.Header.Values("Accept"), func(kind string) bool { return kind == "text/html" }) > 0
}

// prefersChinese reports whether a browser would rather read Chinese than English.
func prefersChinese(h http.Header) bool {
	of := func(lang string) float64 {
		return weightOf(h.Values("Accept-Language"), func(tag string) bool { return tag == lang || strings.HasPrefix(tag, lang+"-") })
	}
	return of("zh") > of("en")
}

// weightOf is the weight of what a header's list has by name (RFC 9110, 12.4.2); the
// greatest, and 0 where it has none.
func weightOf(lines []string, is func(name string) bool) float64 {
	best := 0.0
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(part, ";")
			if is(strings.ToLower(strings.TrimSpace(name))) {
				best = max(best, quality(params))
			}
		}
	}
	return best
}

func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || q < 0 || q > 1 {
				return 0
			}
			return q
		}
	}
	return 1
}
