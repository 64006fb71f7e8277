package h1

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// answers are whole answers of a server, good and bad. What net/http makes of each is
// what comes out here, too.
var answers = map[string]string{
	"a length":                         hello,
	"no body":                          "HTTP/1.1 204 No Content\r\n\r\n",
	"not modified":                     "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
	"an empty body":                    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"chunks":                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
	"chunks with a trailer":            "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n",
	"until the end":                    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall there is",
	"HTTP/1.0":                         "HTTP/1.0 200 OK\r\n\r\nold",
	"a status on the way":              "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + hello,
	"many of them":                     strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20) + hello,
	"both lengths":                     "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	"two lengths":                      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello",
	"the same length twice":            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	"a length that is none":            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
	"a coding that is none":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, chunked\r\n\r\nhello",
	"a chunk that is none":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
	"less than was said":               "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhello",
	"chunks without an end":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n",
	"a line that is folded":            "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello",
	"a header without a colon":         "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 5\r\n\r\nhello",
	"a space before the colon":         "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
	"no HTTP":                          "SSH-2.0-server\r\n\r\n",
	"a status that is none":            "HTTP/1.1 OK 200\r\n\r\n",
	"half a head":                      "HTTP/1.1 200 OK\r\nContent-Le",
	"nothing":                          "",
	"a head that never ends":           "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n",
	"heads on the way that never end":  strings.Repeat("HTTP/1.1 103 Early Hints\r\nX-A: "+strings.Repeat("a", 1<<10)+"\r\n\r\n", 64) + hello,
	"lines that end in a newline only": "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
}

func TestAnswersAreWhatNetHTTPMakesOfThem(t *testing.T) {
	for name, text := range answers {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(_, _ int64, c net.Conn, _ *http.Request) bool {
				_, _ = io.WriteString(c, text)
				return strings.HasSuffix(text, hello)
			})
			want, got := plain(), plain()
			want.MaxResponseHeaderBytes, got.MaxResponseHeaderBytes = 32<<10, 32<<10
			Register(got)
			for range 2 {
				if w, g := ask(t, want, s.url), ask(t, got, s.url); w != g {
					t.Errorf("got %+v, want %+v", g, w)
				}
			}
		})
	}
}

// Nothing of a request was for another protocol, so an answer in one is none.
func TestAnotherProtocolIsNoAnswer(t *testing.T) {
	for _, status := range []string{"101 Switching Protocols", "000 Nothing", "099 Nothing"} {
		s := says(t, "HTTP/1.1 "+status+"\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
		if got := ask(t, fresh(), s.url); !got.failed {
			t.Errorf("%s: got %+v", status, got)
		}
	}
}

func TestRequestsAreWrittenAsNetHTTPDoes(t *testing.T) {
	heads := make(chan string, 2)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 64<<10)
			n, _ := c.Read(b)
			heads <- string(b[:n])
			_, _ = io.WriteString(c, hello)
		}
	}()
	for name, change := range map[string]func(*http.Request){
		"plain":         func(*http.Request) {},
		"a query":       func(r *http.Request) { r.URL.Opaque = "/a%2Fb//c?d=e%20f" },
		"no user agent": func(r *http.Request) { r.Header["User-Agent"] = nil },
		"headers":       func(r *http.Request) { r.Header["X-B"], r.Header["X-A"] = []string{"1", "2"}, []string{" spaced "} },
		"another host":  func(r *http.Request) { r.Host = "agent.example:8788" },
		"no body":       func(r *http.Request) { r.Body, r.ContentLength, r.GetBody = http.NoBody, 0, nil },
	} {
		t.Run(name, func(t *testing.T) {
			var seen [2]string
			for i, rt := range []*http.Transport{plain(), fresh()} {
				r := newRequest(t.Context(), t, http.MethodPost, "http://"+l.Addr().String()+"/x", `{"a":1}`)
				change(r)
				if got := do(rt, r); got.body != "hello" {
					t.Fatalf("got %+v", got)
				}
				seen[i] = <-heads
			}
			if seen[0] != seen[1] {
				t.Errorf("wrote %q, want %q", seen[1], seen[0])
			}
		})
	}
}
