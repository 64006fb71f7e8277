package edgetest

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// pageCases are the WebChat page and its files.
func pageCases() []testCase {
	return []testCase{
		{"the page is served without a credential", page},
		{"the page has a strict policy and is asked for again each time", pageHeaders},
		{"a page that has not changed is 304", pageUnchanged},
		{"a session's address, and that of each other place, is the page, too", placesOfPage},
		{"files with a hash in their name are kept for ever", immutableFile},
		{"a file that is not there is 404", missingFile},
		{"no path leaves the page's folder", escapingFile},
		{"an address that there is not is a page to a browser and JSON to a program", unknownAddress},
	}
}

func page(t *testing.T, s *suite) {
	a := s.send(t, call{path: "/"})
	a.wantStatus(t, http.StatusOK)
	a.wantHeader(t, "Content-Type", "text/html; charset=utf-8")
	if !strings.Contains(strings.ToLower(string(a.body)), "<!doctype html>") {
		t.Errorf("got %.100q, want the page", a.body)
	}
	s.wantAgentUntouched(t)
}

func pageHeaders(t *testing.T, s *suite) {
	a := s.send(t, call{path: "/"})
	csp := a.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("Content-Security-Policy: got %q, want %s in it", csp, want)
		}
	}
	if strings.Contains(csp, "script-src 'self' 'unsafe") {
		t.Errorf("Content-Security-Policy allows inline scripts: %q", csp)
	}
	a.wantHeader(t, "X-Content-Type-Options", "nosniff")
	if got := a.header.Get("Cache-Control"); !strings.Contains(got, "no-cache") {
		t.Errorf("Cache-Control: got %q, want no-cache", got)
	}
	if a.header.Get("ETag") == "" {
		t.Error("ETag is missing")
	}
}

func pageUnchanged(t *testing.T, s *suite) {
	tag := s.send(t, call{path: "/"}).header.Get("ETag")
	a := s.send(t, call{path: "/", header: map[string]string{"If-None-Match": tag}})
	a.wantStatus(t, http.StatusNotModified)
	if len(a.body) != 0 {
		t.Errorf("body: got %d bytes, want none", len(a.body))
	}
}

func placesOfPage(t *testing.T, s *suite) {
	want := s.send(t, call{path: "/"})
	for _, path := range []string{"/s/%E7%86%8A%E5%A4%A7", "/tools", "/tools/mine?authorization=granted", "/skills/tidy", "/needs-you", "/settings"} {
		got := s.send(t, call{path: path})
		got.wantStatus(t, http.StatusOK)
		if string(got.body) != string(want.body) || got.header.Get("Content-Security-Policy") != want.header.Get("Content-Security-Policy") {
			t.Errorf("%s is not the page", path)
		}
	}
	s.wantAgentUntouched(t)
}

var assetPath = regexp.MustCompile(`/assets/[\w.-]+\.(?:js|css)`)

// pageFile is a file that the page names.
func (s *suite) pageFile(t *testing.T) string {
	t.Helper()
	a := s.send(t, call{path: "/"})
	path := assetPath.FindString(string(a.body))
	if path == "" {
		t.Fatalf("the page names no file below /assets/: %.300s", a.body)
	}
	return path
}

func immutableFile(t *testing.T, s *suite) {
	a := s.send(t, call{path: s.pageFile(t)})
	a.wantStatus(t, http.StatusOK)
	a.wantHeader(t, "Cache-Control", "public, max-age=31536000, immutable")
	a.wantHeader(t, "X-Content-Type-Options", "nosniff")
	a.wantHeader(t, "Referrer-Policy", "no-referrer")
	a.wantHeader(t, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/javascript") && !strings.HasPrefix(kind, "text/css") {
		t.Errorf("Content-Type: got %q, want a script's or a style's", kind)
	}
}

func missingFile(t *testing.T, s *suite) {
	a := s.send(t, call{path: "/assets/nothing-0000.js"})
	a.wantFault(t, fault.CodeNotFound)
	if got := a.header.Get("Cache-Control"); strings.Contains(got, "immutable") {
		t.Errorf("Cache-Control: got %q: a missing file must not be kept", got)
	}
}

func escapingFile(t *testing.T, s *suite) {
	for _, path := range []string{"/assets/..%2f..%2fgo.mod", "/assets/%2e%2e%2findex.html", "/assets/..%5c..%5cgo.mod", "/assets/a%00b", "/_headers", "/assets/%2Fetc%2Fpasswd"} {
		a := s.send(t, call{path: path})
		if a.status < 400 || a.status >= 500 {
			t.Errorf("%s: got %d, want a refusal; body %.100q", path, a.status, a.body)
		}
	}
}

func unknownAddress(t *testing.T, s *suite) {
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
	for _, path := range []string{"/nothing", "/api/nothing", "/v1/nothing", "/s", "/s/", "/s/a/b", "/tools/a/b", "/tools/", "/skills", "/settings/x", "/needs-you/x", "/s/%00", "/index.php?x=1", "/" + strings.Repeat("a", 3000)} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := s.send(t, call{method: method, path: path, header: map[string]string{"Accept": browser, "Sec-Fetch-Mode": "navigate"}})
			if a.status != http.StatusNotFound || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s %.40s in a browser: %d %s", method, path, a.status, a.header.Get("Content-Type"))
			}
			if shows := bytes.Contains(a.body, []byte("There is nothing at this address")) && bytes.Contains(a.body, []byte(`href="/"`)); shows != (method == http.MethodGet) {
				t.Errorf("%s %.40s in a browser shows %.200q", method, path, a.body)
			}
			if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") || strings.Contains(csp, "unsafe") {
				t.Errorf("%.40s: policy %q", path, csp)
			}
			a.wantHeader(t, "X-Content-Type-Options", "nosniff")
			a.wantHeader(t, "Cache-Control", "no-store")
		}
		if strings.HasPrefix(path, "/s/") || path == "/tools/a/b" {
			continue // to a program it is an id, or a name, that cannot be
		}
		for _, accept := range []string{"", "*/*", "application/json", "text/html;q=0, */*", "text/htmlx"} {
			s.send(t, call{path: path, header: map[string]string{"Accept": accept}}).wantFault(t, fault.CodeNotFound)
		}
		s.send(t, call{path: path, header: map[string]string{"Accept": browser, "Sec-Fetch-Mode": "cors"}}).wantFault(t, fault.CodeNotFound)
		s.send(t, call{method: http.MethodPost, path: path, header: map[string]string{"Accept": browser}}).wantFault(t, fault.CodeNotFound)
	}
	for language, want := range map[string]string{"zh-CN,zh;q=0.9,en;q=0.8": "zh-CN", "en-GB,en;q=0.9,zh;q=0.5": "en", "zh": "zh-CN", "zh;q=0,en": "en", "fr": "en", "": "en"} {
		a := s.send(t, call{path: "/nothing", header: map[string]string{"Accept": browser, "Accept-Language": language}})
		a.wantHeader(t, "Content-Language", want)
		if !bytes.Contains(a.body, []byte(`<html lang="`+want+`"`)) {
			t.Errorf("%s: %.100q", language, a.body)
		}
	}
	// What there is stays what it is, also in a browser.
	s.send(t, call{path: "/api/sessions", header: map[string]string{"Accept": browser, "Sec-Fetch-Mode": "navigate"}}).wantFault(t, fault.CodeUnauthorized)
	s.wantAgentUntouched(t)
}
